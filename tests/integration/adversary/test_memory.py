"""What a hostile answer may cost in memory, counted by Python's own allocator while a posting or a read is under way."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from order_sync.errors import TransientError
from tests.integration.adversary.hostile import UNKNOWN, nextech_client, post, store_client
from tests.integration.clients.wire_server import Peer, Talk, WireServer
from tests.unit.clients.scripted import GUID

MIB = 1024 * 1024
MOST_BYTES = 20 * MIB
STORE_ANSWER_BYTES = 32 * MIB
"""What one page of the store may be; the rest is room to put it together."""


def squeezed(mebibytes: int) -> bytes:
    """Return gzip that unpacks to so many MiB of blanks, a thousandth of it."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * MIB) for _ in range(mebibytes)), packer.flush()])


BOMB = squeezed(400)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def bomb(peer: Peer) -> None:
    peer.write(HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n".encode() + BOMB)
    peer.connection.close()


def bomb_in_disguise(peer: Peer) -> None:
    """The same, not called compressed: nobody may guess that it is."""
    peer.write(HEAD + f"Content-Length: {len(BOMB)}\r\n\r\n".encode() + BOMB)
    peer.connection.close()


def bomb_as_transfer_coding(peer: Peer) -> None:
    peer.write(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BOMB), BOMB))
    peer.connection.close()


PIECE = b" " * 65_536


def endless_body(peer: Peer) -> None:
    peer.write(HEAD + b"\r\n")
    while True:
        peer.write(PIECE)


def endless_chunks(peer: Peer) -> None:
    peer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.write(b"10000\r\n" + PIECE + b"\r\n")


def endless_head(peer: Peer) -> None:
    peer.write(HEAD)
    while True:
        peer.write(b"X-Header: x\r\n" * 5_000)


def promised_terabyte(peer: Peer) -> None:
    peer.write(HEAD + b"Content-Length: 1099511627776\r\n\r\n")
    while True:
        peer.write(PIECE)


@pytest.fixture(autouse=True)
def _untraced() -> Iterator[None]:
    yield
    tracemalloc.stop()


def most_bytes() -> int:
    """Return the most that was in use since tracing began."""
    return tracemalloc.get_traced_memory()[1]


BOMBS: list[Talk] = [bomb, bomb_in_disguise, bomb_as_transfer_coding, endless_head]
FLOODS: list[Talk] = [endless_body, endless_chunks, promised_terabyte]


@pytest.mark.parametrize("talk", [*BOMBS, *FLOODS])
def test_a_posting_costs_no_more_than_20_mib_whatever_is_poured_on_it(talk: Talk) -> None:
    with WireServer(talk) as server, nextech_client(server.url, answer_seconds=15) as client:
        client._token.current()
        tracemalloc.start()
        answer = post(client)
        assert most_bytes() < MOST_BYTES
    assert answer.outcome is UNKNOWN


@pytest.mark.parametrize("talk", [*BOMBS, *FLOODS])
def test_a_read_of_payments_costs_no_more_than_20_mib(talk: Talk) -> None:
    with WireServer(talk) as server, nextech_client(server.url) as client:
        client._token.current()
        tracemalloc.start()
        with pytest.raises(TransientError):
            client.read_payments([GUID])
        assert most_bytes() < MOST_BYTES


@pytest.mark.parametrize(
    ("talk", "most"),
    [*((talk, MOST_BYTES) for talk in BOMBS), *((talk, STORE_ANSWER_BYTES + MOST_BYTES) for talk in FLOODS)],
)
def test_a_list_of_orders_costs_no_more_than_20_mib_above_what_a_page_may_be(talk: Talk, most: int) -> None:
    with WireServer(talk) as server, store_client(server.url) as client:
        tracemalloc.start()
        with pytest.raises(TransientError):
            client.check()
        assert most_bytes() < most
