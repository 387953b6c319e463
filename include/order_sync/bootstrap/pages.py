"""Build the Orders pages for Airflow's API server: `plugins/orders_plugin.py` mounts what `create_pages` returns."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import anyio
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 16
"""Requests of ours that are served at the same time. Airflow's API server has 40 threads, and tasks report to it: pages
that wait for a slow Nextech must not take them all."""


@cache
def create_pages() -> FastAPI:
    """Return the pages of this process, always the same; nothing is opened before somebody visits.

    Pages that cannot be built are closed, and say so: an error here would end the API server, and with it the sync.
    """
    try:
        return _build()
    except Exception:  # whatever it is, the tasks go on
        logger.exception("the Orders pages cannot be built; everything else goes on")
    closed = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    closed.mount(
        "/", PlainTextResponse("The Orders pages could not be started. The sync goes on; the API server's log says why.", 503)
    )
    return closed


def _build() -> FastAPI:
    from order_sync.bootstrap.doorkeeper import AirflowDoorkeeper
    from order_sync.bootstrap.house import AirflowHouse
    from order_sync.web.app import create_app

    house = AirflowHouse()

    @asynccontextmanager
    async def close_at_the_end(_app: FastAPI) -> AsyncIterator[None]:
        yield
        house.close()

    app = create_app(house, AirflowDoorkeeper())
    app.router.lifespan_context = close_at_the_end
    app.add_middleware(Crowd, most=MOST_AT_ONCE)
    return app


class Crowd:
    """Serve so many requests at once; the others wait in line, without a thread."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._most = most
        self._line: anyio.Semaphore | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request when it is its turn."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._line is None:
            self._line = anyio.Semaphore(self._most)
        async with self._line:
            await self._app(scope, receive, send)
