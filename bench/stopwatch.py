"""Note when the product waits for what: thin wrappers around its limiter, its transports and its ledger."""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from sqlalchemy import Engine

from order_sync.clients.limiter import Limiter
from order_sync.ledger.session import Ledger, Transaction

LIMITER, REQUEST, LEDGER = "limiter", "request", "ledger"
_ID = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/|$)")
_MOUNT = re.compile(r"^/(?:nextech(?:/api)?|store/[^/]+/rest)")


@dataclass(frozen=True, slots=True)
class Span:
    """One thing that one thread was busy with or waited for; seconds on the monotonic clock."""

    kind: str
    name: str
    begin: float
    end: float


class Stopwatch:
    """Collect spans from every thread."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, kind: str, name: str) -> Iterator[None]:
        """Note a span, also when the block raises."""
        begin = time.monotonic()
        try:
            yield
        finally:
            span = Span(kind, name, begin, time.monotonic())
            with self._lock:
                self._spans.append(span)

    def between(self, begin: float, end: float) -> list[Span]:
        """Return the spans that began in this stretch of time."""
        with self._lock:
            return [span for span in self._spans if begin <= span.begin < end]


class TimedLimiter:
    """A limiter, timed."""

    def __init__(self, inner: Limiter, watch: Stopwatch) -> None:
        self._inner = inner
        self._watch = watch

    def acquire(self, user: str, endpoint: str) -> None:
        with self._watch.timing(LIMITER, endpoint):
            self._inner.acquire(user, endpoint)


class TimedTransport(httpx.BaseTransport):
    """A transport, timed by system and route; ids in paths become `{id}`."""

    def __init__(self, inner: httpx.BaseTransport, watch: Stopwatch, system: str) -> None:
        self._inner = inner
        self._watch = watch
        self._system = system

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        route = f"{request.method} {_ID.sub('/{id}', _MOUNT.sub('', request.url.path))}"
        with self._watch.timing(REQUEST, f"{self._system} {route}"):
            return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class TimedLedger(Ledger):
    """A ledger whose transactions are timed by who opened them, from before the begin to after the commit."""

    def __init__(self, engine: Engine, watch: Stopwatch) -> None:
        super().__init__(engine)
        self._watch = watch

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        # Two frames up, behind contextlib, is the function that opened it.
        frame = inspect.currentframe()
        caller = frame.f_back.f_back.f_code.co_name if frame and frame.f_back and frame.f_back.f_back else ""
        with self._watch.timing(LEDGER, caller), super().transaction() as tx:
            yield tx


Sorter = Callable[[Span], str | None]


def share_out(spans: Collection[Span], sort: Sorter, ranks: Sequence[str], begin: float, end: float) -> dict[str, float]:
    """Return for how many seconds of `[begin, end)` each of `ranks` was the foremost thing under way.

    Threads overlap; each moment counts once, for the first of `ranks` that is under way in any thread. The rest, in
    which no span was open, is called "nothing but our own code".
    """
    changes: list[tuple[float, int, int]] = []
    for span in spans:
        rank = sort(span)
        if rank is not None:
            place = ranks.index(rank)
            changes += [(max(begin, span.begin), place, 1), (min(end, span.end), place, -1)]
    seconds = [0.0] * (len(ranks) + 1)
    open_now, reached = [0] * len(ranks), begin
    for instant, place, step in sorted(changes):
        foremost = next((index for index, count in enumerate(open_now) if count), len(ranks))
        seconds[foremost] += instant - reached
        reached = instant
        open_now[place] += step
    seconds[-1] += max(0.0, end - reached)
    return dict(zip((*ranks, "nothing but our own code"), seconds, strict=True))
