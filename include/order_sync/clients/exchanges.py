"""One request and its answer, as far as time and the first byte are concerned, and the ways in which it can fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import httpcore
import httpx

from order_sync.clock import Clock
from order_sync.crash_points import Point, reach


class NotSentError(httpx.TransportError):
    """No byte of the request can have left this machine."""


class ConnectFailedError(NotSentError):
    """The name, the connection or the TLS handshake failed."""


class SendBudgetMissedError(NotSentError):
    """The connection was ready too late; nothing was written to it (reliability R3)."""


class AnswerLostError(httpx.TransportError):
    """The request was sent, or may have been, and no usable answer came. `status` is set when a status line did."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        """Keep the status line's number, if there was one."""
        super().__init__(reason)
        self.status = status


class DeadlinePassedError(AnswerLostError):
    """The answer was not complete at the deadline."""


class AnswerTooLargeError(AnswerLostError):
    """The answer exceeds the cap."""


class AnswerEncodedError(AnswerLostError):
    """The answer is compressed although only `identity` was accepted."""


@dataclass(slots=True)
class Exchange:
    """When an exchange must end, when it must begin, and whether it has."""

    clock: Clock
    deadline_at: float
    send_by: float | None
    connect_by: float
    has_begun: bool = False
    """Whether a byte of the request was handed to the operating system."""
    status: int | None = None

    def reach(self, point: Point) -> None:
        """Pass a crash point, if this request is one that must not be repeated."""
        if self.send_by is not None:
            reach(point)

    def seconds_left(self) -> float:
        """Return what is left until the deadline; a read or write that begins later must not begin."""
        return self.deadline_at - self.clock.monotonic()

    def connect_seconds_left(self) -> float:
        """Return what is left for connecting; raises `ConnectTimeout` when it is nothing."""
        left = min(self.connect_by, self.deadline_at) - self.clock.monotonic()
        if left <= 0:
            raise httpcore.ConnectTimeout
        return left

    def begin_sending(self) -> None:
        """Let the first byte go, or raise `SendBudgetMissedError` (reliability R3)."""
        if self.has_begun:
            return
        if self.send_by is not None and self.clock.monotonic() > self.send_by:
            msg = "not sent: the send budget was over before the first byte"
            raise SendBudgetMissedError(msg)
        self.has_begun = True


# httpcore hands the network backend no request, and a pooled stream outlives the request that opened it; all work of
# one exchange happens in the thread that called, so the context knows whose deadline counts.
_current: ContextVar[Exchange] = ContextVar("_current")


@contextmanager
def during(exchange: Exchange) -> Iterator[None]:
    """Let every stream that this thread uses inside of the block keep to this exchange."""
    token = _current.set(exchange)
    try:
        yield
    finally:
        _current.reset(token)


def current_exchange() -> Exchange:
    """Return the exchange that this thread is at."""
    return _current.get()
