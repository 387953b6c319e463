"""Call a shop in this process, as a synchronous client of httpx would: for simulations without sockets."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from sandbox.store import api
from sandbox.store.exchange import Call, Delivery
from sandbox.store.shop import Shop


class StoreTransport(httpx.BaseTransport):
    """Answer requests below `base_path` from a shop; waiting is handed to `sleep`, by default not done at all.

    A hang becomes `httpx.ReadTimeout`, a reset `httpx.ReadError`: what a client sees of a real connection.
    """

    def __init__(self, shop: Shop, *, base_path: str = "", sleep: Callable[[float], None] | None = None) -> None:
        """Remember the shop; `base_path` is cut off before routing, as a mount does."""
        self._shop = shop
        self._base_path = base_path.rstrip("/")
        self._sleep = sleep or (lambda _seconds: None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        url = request.url
        call = Call(
            method=request.method,
            path=url.path.removeprefix(self._base_path),
            query=url.query.decode("ascii"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.read(),
            url=str(url).partition("?")[0],
        )
        reply = api.answer(self._shop, call)
        self._sleep(reply.delay_seconds)
        if reply.delivery is not Delivery.WHOLE:
            self._sleep(reply.delivery_seconds)
        if reply.delivery is Delivery.NEVER:
            raise httpx.ReadTimeout("no answer", request=request)
        if reply.delivery is Delivery.RESET:
            raise httpx.ReadError("connection reset", request=request)
        headers = {"Content-Type": reply.content_type} | reply.headers
        return httpx.Response(reply.status, headers=headers, content=reply.body, request=request)
