"""Nextech as an httpx transport: the same engine in the caller's own process, for simulations with a clock of their own."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from sandbox.nextech.engine import Nextech
from sandbox.nextech.exchange import Call, Delivery

DEFAULT_TIMEOUT_SECONDS = 45.0


class InProcessNextech(httpx.BaseTransport):
    """Hand requests to the engine without a socket; `sleep` passes the time that a real exchange would take.

    `mount` is the path at which the server would have mounted the app.
    """

    def __init__(self, nextech: Nextech, sleep: Callable[[float], None], *, mount: str = "/nextech") -> None:
        """Keep the engine and the way to wait."""
        self._nextech = nextech
        self._sleep = sleep
        self._mount = mount

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise what a client sees when no whole answer comes."""
        timeout = (request.extensions.get("timeout") or {}).get("read") or DEFAULT_TIMEOUT_SECONDS
        answer = self._nextech.answer(
            Call(
                method=request.method,
                path=request.url.path.removeprefix(self._mount),
                query=tuple(request.url.params.multi_items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.read(),
            )
        )
        if answer.delivery in {Delivery.NEVER, Delivery.DRIPPED} or answer.delay_seconds > timeout:
            self._sleep(timeout)
            msg = "no answer came in time"
            raise httpx.ReadTimeout(msg, request=request)
        if answer.delay_seconds > 0:
            self._sleep(answer.delay_seconds)
        if answer.delivery is Delivery.TRUNCATED:
            msg = "the connection ended before the body did"
            raise httpx.RemoteProtocolError(msg, request=request)
        headers = {"content-type": answer.content_type, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body, request=request)
