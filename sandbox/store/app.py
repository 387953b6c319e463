"""The store over HTTP: a thin skin on `api.answer`, plus the control routes.

Serve it with uvicorn's `date_header=False`: the store writes its own `Date`, skewed when the switch says so.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.store import api
from sandbox.store.control import control_router
from sandbox.store.exchange import Answer, Call, Delivery
from sandbox.store.shop import Shop

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
_PIECES = 10


class ConnectionDroppedError(ConnectionResetError):
    """Stand for a dropped connection where there is no connection to drop: the app called in-process."""


class DeliveredResponse(Response):
    """Send an answer the way its fault says: late, in pieces, never, or with a reset connection."""

    def __init__(self, answer: Answer) -> None:
        """Keep the answer's body and its way."""
        super().__init__(answer.body, answer.status, headers=answer.headers, media_type=answer.content_type)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await asyncio.sleep(self._answer.delay_seconds)
        match self._answer.delivery:
            case Delivery.WHOLE:
                await super().__call__(scope, receive, send)
            case Delivery.SLOW:
                await self._send_slowly(send)
            case Delivery.NEVER:
                await _wait_for_the_caller_to_leave(receive, self._answer.delivery_seconds)
                await _drop(receive, is_reset=False)
            case Delivery.RESET:
                await _drop(receive, is_reset=True)

    async def _send_slowly(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body, size = bytes(self.body), -(-len(self.body) // _PIECES) or 1
        for start in range(0, len(body), size):
            await asyncio.sleep(self._answer.delivery_seconds / _PIECES)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_for_the_caller_to_leave(receive: Receive, seconds: float) -> None:
    async def left() -> None:
        message: MutableMapping[str, Any] = {}
        while message.get("type") != "http.disconnect":
            message = await receive()

    with suppress(TimeoutError):
        await asyncio.wait_for(left(), timeout=seconds)


async def _drop(receive: Receive, *, is_reset: bool) -> None:
    """Close the connection without an answer; uvicorn's `receive` knows its transport."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDroppedError
    if is_reset and (connection := transport.get_extra_info("socket")) is not None:
        # Lingering for zero seconds makes the kernel send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0.01)  # until uvicorn has noticed: otherwise it would log an answer that never came


def create_store_app(shop: Shop) -> FastAPI:
    """Return the app of one practice's store; mount it at `/store/<practice>`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(control_router(shop), prefix="/control")

    @app.api_route("/{path:path}", methods=_METHODS)
    async def serve(request: Request) -> Response:
        return DeliveredResponse(api.answer(shop, await _call(request)))

    return app


async def _call(request: Request) -> Call:
    scope = request.scope
    return Call(
        method=request.method,
        path=scope["path"].removeprefix(scope.get("root_path", "")),
        query=scope["query_string"].decode("ascii", errors="replace"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=await request.body(),
        url=str(request.url.replace(query="")),
    )
