"""A Nextech that logs us in like an honest one and then does what no honest one would; clients that meet it on real sockets."""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.clock import SystemClock
from order_sync.payments import PaymentRequest, PostAnswer, PostOutcome
from tests.integration.clients.wire_server import Peer, Talk, WireServer
from tests.unit.clients.scripted import GUID, PRACTICE_GUID, USER, NoLimit, payment_row

DEADLINE_SECONDS = 1.2
GRACE_SECONDS = 2.0
"""How much later than its deadline an exchange may end (issue 3, part 5)."""
TOKEN = "access-token-canary"
CANARY = "body-canary"
_MIB = 1024 * 1024
MARKER = "DP-7K3QX0M9ZT4R-H"
UNKNOWN, EXECUTED, NOT_EXECUTED = PostOutcome.UNKNOWN, PostOutcome.EXECUTED, PostOutcome.NOT_EXECUTED


class ImpatientClock(SystemClock):
    """The machine's clock, on which a pause between two tries takes no time."""

    def sleep(self, seconds: float) -> None:
        """Do not wait."""


CLOCK = ImpatientClock()
REQUEST = PaymentRequest(
    patient_id=GUID,
    amount_cents=12999,
    business_day=date(2026, 11, 20),
    payment_instant=datetime(2026, 11, 20, 17, tzinfo=UTC),
    marker=MARKER,
    note=f"{MARKER} #100000001",
    provider_id="9107",
    location_id="3",
    category="WEB - Online Store",
)


def give_token(peer: Peer) -> None:
    """Answer as the token endpoint does."""
    token = {"token_type": "Bearer", "expires_in": "3600", "access_token": TOKEN, "refresh_token": "refresh-token-canary"}
    peer.answer("200 OK", json.dumps(token).encode(), "Content-Type: application/json")


@contextmanager
def nextech_client(url: str, *, answer_seconds: float = DEADLINE_SECONDS) -> Iterator[NextechClient]:
    """Open a client that talks to a hostile server and gets its token from an honest one."""
    with WireServer(give_token) as login:
        settings = NextechConnection(
            base_url=url,
            token_url=f"{login.url}/token",
            username=USER,
            password="password-canary",
            client_id="client-canary",
            resource="https://nextech.example/api",
            practice_guid=PRACTICE_GUID,
        )
        client = NextechClient(settings, limiter=NoLimit(), clock=CLOCK, rng=random.Random(1), answer_seconds=answer_seconds)
        yield client
        client.close()


@contextmanager
def store_client(url: str) -> Iterator[StoreClient]:
    """Open a client of a hostile store."""
    client = StoreClient(StoreConnection(url, Bearer(TOKEN)), limiter=NoLimit(), clock=CLOCK, rng=random.Random(1))
    yield client
    client.close()


def post(client: NextechClient) -> PostAnswer:
    """Send the payment above."""
    return client.send_payment(client.prepare_payment(REQUEST), send_by=CLOCK.monotonic() + 30)


def post_to(
    talk: Talk, *, greets: bool = True, answer_seconds: float = DEADLINE_SECONDS
) -> tuple[PostAnswer, float, WireServer]:
    """Send the payment to a server that talks like this; return what it proved, how many seconds it took, and the server."""
    with WireServer(talk, greets=greets) as server, nextech_client(server.url, answer_seconds=answer_seconds) as client:
        client._token.current()  # so that only the posting is measured
        began = time.monotonic()
        answer = post(client)
        return answer, time.monotonic() - began, server


def booked_row(size: int = 0, **changes: Any) -> bytes:
    """Return the body that proves the payment above, filled up to a size with what an honest server may add."""
    row = payment_row("88213", processNote=[{"text": REQUEST.note}], **changes)
    bare = len(json.dumps(row | {"text": {"div": ""}}))
    return json.dumps(row | {"text": {"div": "x" * max(0, size - bare)}}).encode()


def whole_answer(body: bytes, status: str = "201 Created", content_type: str = "application/fhir+json") -> bytes:
    """Return the bytes of a complete answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def chunked_answer(body: bytes, size: int = 100) -> bytes:
    """Return the same answer in chunks."""
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def unframed_answer(body: bytes) -> bytes:
    """Return the same answer without a length: only the end of the connection ends it."""
    return b"HTTP/1.1 201 Created\r\nContent-Type: application/fhir+json\r\nConnection: close\r\n\r\n" + body


def say(data: bytes) -> Talk:
    """Return a talk that writes these bytes and leaves."""

    def talk(peer: Peer) -> None:
        peer.write(data)
        peer.connection.close()

    return talk


def one_after_the_other(answers: list[bytes]) -> Callable[[Peer], None]:
    """Return a talk that gives each connection the next of these answers and then leaves."""
    rest = iter(answers)

    def talk(peer: Peer) -> None:
        peer.write(next(rest))
        peer.connection.close()

    return talk


def squeezed(mebibytes: int) -> bytes:
    """Return gzip that unpacks to so many MiB of blanks, a thousandth of it."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * _MIB) for _ in range(mebibytes)), packer.flush()])
