"""One exchange with a deadline, and servers that take their time with it."""

from __future__ import annotations

import httpx

from order_sync.clock import SystemClock
from tests.integration.clients.wire_server import Peer

CLOCK = SystemClock()
GRACE_SECONDS = 1.5
"""How much later than the deadline a loaded machine may notice it; every server here would go on for minutes."""


def request(
    url: str, *, seconds: float = 5.0, method: str = "POST", content: bytes = b"body-canary", **wishes: object
) -> httpx.Request:
    extensions = {"deadline_at": CLOCK.monotonic() + seconds, "is_fresh": True, **wishes}
    return httpx.Request(method, f"{url}/path?query-canary", content=content, extensions=extensions)


def drip_head(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 10_000, seconds=0.05)


def drip_body(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    peer.drip(b"x" * 10_000, seconds=0.05)
