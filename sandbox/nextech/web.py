"""Nextech over HTTP: the API below `/api`, the token endpoint, and `/control` for tests and demos."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.utils import formatdate

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from sandbox.nextech.control import router as control_router
from sandbox.nextech.engine import Nextech
from sandbox.nextech.exchange import Answer, Call, Delivery

LONGEST_SILENCE_SECONDS = 300.0
DRIP_SECONDS = 0.25
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class PlayedResponse(JSONResponse):
    """Send an engine's answer the way it travels: late, in drops, cut off, or never."""

    def __init__(self, answer: Answer) -> None:
        """Take the answer as it is."""
        super().__init__(None)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope
        answer = self._answer
        if answer.delay_seconds > 0:
            await asyncio.sleep(answer.delay_seconds)
        if answer.delivery is Delivery.NEVER:
            await _silence(receive)
            return
        headers = {
            "date": formatdate(usegmt=True),
            "content-type": answer.content_type,
            "content-length": str(len(answer.body)),
            **answer.headers,
        }
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        if answer.delivery is Delivery.TRUNCATED:
            # To end here, with a body shorter than announced, makes the server close the connection.
            await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        elif answer.delivery is Delivery.DRIPPED:
            for place in range(len(answer.body)):
                await send({"type": "http.response.body", "body": answer.body[place : place + 1], "more_body": True})
                await asyncio.sleep(DRIP_SECONDS)
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.body", "body": answer.body})


async def _silence(receive: Receive) -> None:
    """Wait until the caller has given up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SILENCE_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


def create_nextech_app(nextech: Nextech) -> FastAPI:
    """Return the app for all practices; the header `nx-practice-id` picks one."""
    app = FastAPI(title="Sandbox Nextech", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.nextech = nextech
    app.include_router(control_router)

    @app.api_route("/{path:path}", methods=METHODS, response_model=None)
    async def answer(path: str, request: Request) -> PlayedResponse:
        call = Call(
            method=request.method,
            path=f"/{path}",
            query=tuple(request.query_params.multi_items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.body(),
        )
        return PlayedResponse(nextech.answer(call))

    return app
