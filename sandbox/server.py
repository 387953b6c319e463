"""One process that serves the whole sandbox on loopback: the stores, Nextech, the pages, and SMTP."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from sandbox.mail import Mailbox, open_mail_server
from sandbox.nextech.engine import Nextech
from sandbox.nextech.web import create_nextech_app
from sandbox.pages.site import create_pages
from sandbox.store.app import create_store_app
from sandbox.store.shop import Shop
from sandbox.world import SandboxOptions, World

logger = logging.getLogger(__name__)

SERVICE_NAME = "order_sync sandbox"
START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 15.0


class PortTakenError(OSError):
    """Say which port somebody else listens on."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises `PortTakenError`."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        msg = f"port {port} on {host} {reason}"
        raise PortTakenError(msg) from error
    listening.setblocking(False)
    return listening


def create_app(world: World, smtp_socket: socket.socket) -> FastAPI:
    """Return the app of a world; while it runs, SMTP is served on the socket and new orders arrive if they shall."""

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        mail_server = await open_mail_server(world.mailbox, smtp_socket)
        arrivals = asyncio.create_task(_let_orders_arrive(world)) if world.options.has_arrivals else None
        yield
        if arrivals is not None:
            arrivals.cancel()
            with suppress(asyncio.CancelledError):
                await arrivals
        mail_server.close()

    app = FastAPI(title=SERVICE_NAME, docs_url=None, redoc_url=None, openapi_url=None, lifespan=live)

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"service": SERVICE_NAME, "status": "ok"}

    @app.post("/control/reset")
    async def reset() -> dict[str, bool]:
        world.reset()
        return {"is_reset": True}

    @app.post("/control/arrivals", status_code=201)
    async def arrive() -> dict[str, str]:
        return {"order": world.arrive()}

    app.include_router(create_pages(world))
    app.mount("/nextech", create_nextech_app(world.nextech))
    for practice_id, shop in world.shops.items():
        app.mount(f"/store/{practice_id}", create_store_app(shop))
    return app


async def _let_orders_arrive(world: World) -> None:
    rng = random.Random(world.options.seed)
    while True:
        await asyncio.sleep(world.options.arrival_seconds * rng.uniform(0.7, 1.3))
        logger.info("order %s has arrived", world.arrive())


def _server(app: FastAPI) -> uvicorn.Server:
    """Return a server without an access log (its lines would hold patient data) and without a Date of its own.

    Answers that are cut off on purpose would be logged as errors, hence the level.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app, log_level="critical", access_log=False, date_header=False, server_header=False, timeout_graceful_shutdown=1
        )
    )


def serve(
    options: SandboxOptions, *, host: str, port: int, smtp_port: int, announce: Callable[[str], None] = lambda _: None
) -> World:
    """Serve until SIGTERM or SIGINT; raise `PortTakenError` at once when a port is not free.

    `announce` is told in one line where to look, once the ports are taken and the demo is there.
    """
    with listen(host, port) as http_socket, listen(host, smtp_port) as smtp_socket:
        world = World(options)
        world.smtp_port = smtp_socket.getsockname()[1]
        server = _server(create_app(world, smtp_socket))
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn raises the signal again when it is done; with its own handler that ends nothing twice.
            signal.signal(number, server.handle_exit)
        announce(f"http://{host}:{http_socket.getsockname()[1]}/ is the sandbox, port {world.smtp_port} its mail server")
        server.run(sockets=[http_socket])
    return world


class RunningSandbox:
    """The whole sandbox in a thread on free ports, for tests: `with RunningSandbox() as sandbox: sandbox.url`."""

    def __init__(self, options: SandboxOptions | None = None, *, world: World | None = None) -> None:
        """Build the world, or take one that is built."""
        self.world = world or World(options)
        self._http_socket = listen("127.0.0.1", 0)
        self._smtp_socket = listen("127.0.0.1", 0)
        self.port: int = self._http_socket.getsockname()[1]
        self.smtp_port: int = self._smtp_socket.getsockname()[1]
        self.world.smtp_port = self.smtp_port
        self._server = _server(create_app(self.world, self._smtp_socket))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._http_socket]}, daemon=True)

    @property
    def url(self) -> str:
        """Return the address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def shops(self) -> Mapping[str, Shop]:
        """Return the stores by practice."""
        return self.world.shops

    @property
    def nextech(self) -> Nextech:
        """Return Nextech."""
        return self.world.nextech

    @property
    def mailbox(self) -> Mailbox:
        """Return the mails."""
        return self.world.mailbox

    def __enter__(self) -> Self:
        """Start, and return when it answers."""
        self._thread.start()
        ends_at = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > ends_at:
                msg = "the sandbox did not start"
                raise RuntimeError(msg)
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Stop, and return when the thread has ended."""
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_SECONDS)
        self._http_socket.close()
        self._smtp_socket.close()
