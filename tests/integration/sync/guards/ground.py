"""What schedules are written with: worlds on one clock, and moments at which a process dies, sleeps or is lied to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx
from sqlalchemy import event

from order_sync.desk import Desk, one_by_one
from order_sync.ledger.session import Ledger
from order_sync.posting_plans import Posting
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.worlds import SmallWorld, Wrap

T = TypeVar("T")
R = TypeVar("R")
ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")
Answer = httpx.Response | httpx.TransportError


@dataclass(frozen=True)
class Ground:
    """Worlds and further ledgers, all on one clock."""

    new_ledger: Callable[[], Ledger]
    clock: FakeClock

    def world(self, orders: int = 1) -> SmallWorld:
        """Return a practice with so many paid orders of known patients."""
        options = SandboxOptions(is_empty=True, load={"eastern": orders} if orders else {})
        return SmallWorld(self.new_ledger(), self.clock, options)


Schedule = Callable[[Ground], None]


class Behind(httpx.BaseTransport):
    """Stand behind a server: `look` sees what it did, after it did it, and may give another answer."""

    def __init__(self, inner: httpx.BaseTransport, look: Callable[[httpx.Request, Answer], Answer]) -> None:
        self.inner = inner
        self.look = look

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer: Answer = self.inner.handle_request(request)
        except httpx.TransportError as failure:
            answer = failure
        seen = self.look(request, answer)
        if isinstance(seen, httpx.Response):
            return seen
        raise seen


def is_posting(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("PaymentReconciliation")


def dies_after_the_post(inner: httpx.BaseTransport) -> httpx.BaseTransport:
    """Kill the process once Nextech has the payment, before it sees the answer."""

    def look(request: httpx.Request, answer: Answer) -> Answer:
        if is_posting(request):
            raise KeyboardInterrupt
        return answer

    return Behind(inner, look)


def dies_before_the_post(inner: httpx.BaseTransport) -> httpx.BaseTransport:
    """Kill the process when it is about to send."""

    class Dying(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if is_posting(request):
                raise KeyboardInterrupt
            return inner.handle_request(request)

    return Dying()


def a_gateway_says(status: int, **answer: object) -> Wrap:
    """Let a gateway answer every post that the server itself leaves unanswered."""

    def look(request: httpx.Request, seen: Answer) -> Answer:
        is_unanswered = is_posting(request) and isinstance(seen, httpx.TimeoutException)
        return httpx.Response(status, request=request, **answer) if is_unanswered else seen  # type: ignore[arg-type]

    return lambda inner: Behind(inner, look)


def pausing_before_the_claim(desk: Desk, happen: Callable[[], None]) -> Desk:
    """Return a desk whose process sleeps once between the look at the payments and the claim, while `happen` happens."""
    slept: list[str] = []

    def fan_out(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        if items and isinstance(items[0], Posting) and not slept:
            slept.append("once")
            happen()
        return one_by_one(work, items)

    return replace(desk, fan_out=fan_out)


class SleepsBeforePosting:
    """A limiter that freezes the process once between the commit of an intent and the first byte."""

    def __init__(self, happen: Callable[[], None]) -> None:
        self.happen = happen
        self.has_slept = False

    def acquire(self, user: str, endpoint: str) -> None:  # noqa: ARG002 - as a limiter is asked
        if endpoint.startswith("POST") and not self.has_slept:
            self.has_slept = True
            self.happen()


@contextmanager
def killed_at(ledger: Ledger, *words: str) -> Iterator[None]:
    """Kill the process at the first statement that has all these words, in its text or its values."""
    killed: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        if not killed and all(word in f"{statement} {values}" for word in words):
            killed.append(statement)
            raise KeyboardInterrupt

    event.listen(ledger.engine, "before_cursor_execute", see)
    try:
        yield
    except KeyboardInterrupt:
        if not killed:
            raise
    finally:
        event.remove(ledger.engine, "before_cursor_execute", see)
    assert killed, f"the ground: no statement has the words {words}"
