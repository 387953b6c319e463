"""How long a person waits: reads made for a page end together, however many they are; what is sent once is left alone.

A sweep can wait for a slow system. A page holds one of the few threads that Airflow's API server answers with, and the
server that tasks report to is the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

from order_sync.clients.exchanges import DeadlinePassedError
from order_sync.clock import Clock

_ends_at: ContextVar[float | None] = ContextVar("reads_end_at", default=None)
"""On the monotonic clock, for the thread or the context that a page is made in."""


@contextmanager
def patience(clock: Clock, seconds: float) -> Iterator[None]:
    """Let every read of this context end within `seconds` from now; raises nothing itself."""
    token = _ends_at.set(clock.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


class ImpatientTransport(httpx.BaseTransport):
    """Shorten the deadline of each read to what is left of the context's patience."""

    def __init__(self, inner: httpx.BaseTransport, clock: Clock) -> None:
        """Carry requests over `inner`."""
        self._inner = inner
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request; raises `DeadlinePassedError` at once when nobody waits any longer."""
        ends_at = _ends_at.get()
        # A payment's POST has a deadline that the ledger believes in: nobody's patience changes it (reliability R9).
        if ends_at is None or request.extensions.get("is_fresh"):
            return self._inner.handle_request(request)
        if self._clock.monotonic() >= ends_at:
            msg = "no complete answer while somebody waited for it"
            raise DeadlinePassedError(msg)
        given = request.extensions.get("deadline_at", ends_at)
        request.extensions = {**request.extensions, "deadline_at": min(given, ends_at)}
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the kept connections."""
        self._inner.close()
