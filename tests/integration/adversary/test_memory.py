"""What a hostile answer may cost in memory, counted by Python's own allocator while a posting or a read is under way."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from order_sync.errors import TransientError
from tests.integration.adversary.hostile import (
    EXECUTED,
    UNKNOWN,
    booked_row,
    nextech_client,
    post,
    say,
    squeezed,
    store_client,
    whole_answer,
)
from tests.integration.clients.wire_server import Peer, Talk, WireServer
from tests.unit.clients.scripted import GUID, payment_row

MIB = 1024 * 1024
MOST_BYTES = 20 * MIB
STORE_ANSWER_BYTES = 32 * MIB
"""What one page of the store may be; the rest is room to put it together."""


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


# -- JSON that is small on the wire and large when it is parsed


def filled(unit: bytes, begin: bytes = b"[", end: bytes = b"]") -> bytes:
    """Return 1 MiB of JSON that repeats one value as often as it fits in."""
    count = (MIB - len(begin) - len(end)) // (len(unit) + 1)
    return begin + b",".join([unit] * count) + end


def distinct(write: str) -> bytes:
    """Return nearly 1 MiB of JSON in which no two values are the same."""
    return ",".join(write % number for number in range(MIB // (len(write) + 6))).encode()


EMOJI = "\U0001f600".encode()
"""One of these makes Python keep four bytes for each character of its string."""
ESCAPED = rb"\ud83d\ude00"
SHAPES: dict[str, bytes] = {
    "empty objects": filled(b"{}"),
    "empty lists": filled(b"[]"),
    "objects of one key": filled(b'{"a":1}'),
    "objects of one fraction": filled(b'{"a":1.1}'),
    "lists of one fraction": filled(b"[1.1]"),
    "nested lists": filled(b"[[[[]]]]"),
    "nested objects": filled(b'{"a":{"a":{"a":1.1}}}'),
    "fractions": filled(b"1.1"),
    "integers": b"[" + distinct("9%05d") + b"]",
    "small strings": b"[" + distinct('"%x"') + b"]",
    "small strings of wide letters": filled('"\u20ac\u00e9"'.encode()),
    "keys": b"{" + distinct('"%x":1') + b"}",
    "long keys": b"{" + b",".join(b'"%s%d":1' % (b"k" * 1_000, number) for number in range(1_040)) + b"}",
    "brackets without an end": b"[" * MIB,
    "braces without an end": b'{"a":' * (MIB // 5),
    "a text": b'["' + b"x" * (MIB - 4) + b'"]',
    "a text of wide letters": b'["' + EMOJI + b"x" * (MIB - 8) + b'"]',
    "a text of escapes": b'["' + ESCAPED * (MIB // len(ESCAPED) - 1) + b'"]',
    "commas in a text": b'["' + b"," * (MIB - 4) + b'"]',
}
MOST_VALUES: dict[str, bytes] = {
    "as many fractions as are read, and a text": b'["'
    + EMOJI
    + b"x" * (MIB - 320_000)
    + b'",'
    + b",".join([b'{"a":1.1}'] * 15_900)
    + b"]",
    "as many keys as are read, and a text": b'{"text":"'
    + EMOJI
    + b"x" * (MIB - 400_000)
    + b'",'
    + b",".join(b'"%x":1.1' % number for number in range(31_900))
    + b"}",
}


@pytest.mark.parametrize("body", [*SHAPES.values(), *MOST_VALUES.values()], ids=[*SHAPES, *MOST_VALUES])
def test_one_mib_of_json_costs_no_more_than_20_mib_whatever_its_shape(body: bytes) -> None:
    assert len(body) <= MIB
    with WireServer(say(whole_answer(body))) as server, nextech_client(server.url, answer_seconds=15) as client:
        client._token.current()
        tracemalloc.start()
        answer = post(client)
        assert most_bytes() < MOST_BYTES
        tracemalloc.clear_traces()
        with pytest.raises(TransientError):
            client.read_payments([GUID])
        assert most_bytes() < MOST_BYTES
    assert answer.outcome is UNKNOWN


def test_an_answer_with_too_many_values_says_so() -> None:
    with WireServer(say(whole_answer(SHAPES["empty objects"], "200 OK"))) as server, nextech_client(server.url) as client:
        assert post(client).reason.endswith("the answer holds more than any honest one")
        with pytest.raises(TransientError, match="the answer holds more than any honest one"):
            client.read_payments([GUID])


def test_a_full_page_of_payments_whose_notes_are_all_commas_is_read() -> None:
    rows = [payment_row(str(number), processNote=[{"text": "," * 255}]) for number in range(50)]
    body = json.dumps({"resourceType": "Bundle", "total": 50, "entry": [{"resource": row} for row in rows]}).encode()
    with WireServer(say(whole_answer(body, "200 OK"))) as server, nextech_client(server.url) as client:
        assert len(client.read_payments([GUID]).entries) == 50


def test_an_answer_of_half_a_mib_that_proves_the_payment_is_believed() -> None:
    with WireServer(say(whole_answer(booked_row(MIB // 2)))) as server, nextech_client(server.url) as client:
        assert post(client).outcome is EXECUTED


def test_a_page_of_the_store_that_is_small_on_the_wire_is_not_unfolded() -> None:
    body = b'{"items":[' + b",".join([b"{}"] * 5_000_000) + b"]}"
    with WireServer(say(whole_answer(body, "200 OK", "application/json"))) as server, store_client(server.url) as client:
        tracemalloc.start()
        with pytest.raises(TransientError):
            client.check()
        assert most_bytes() < STORE_ANSWER_BYTES + MOST_BYTES


def test_a_page_of_the_store_with_too_many_values_is_asked_for_again_with_fewer_orders() -> None:
    sizes: list[int] = []

    def talk(peer: Peer) -> None:
        asked = re.search(rb"pageSize%5D=(\d+)", server.requests[-1])
        sizes.append(int(asked[1]) if asked else 0)
        rest = b",".join([b"1"] * 300_000) if sizes[-1] == 100 else b""
        said = b'{"items":[],"total_count":0,"search_criteria":[' + rest + b"]}"
        peer.write(whole_answer(said, "200 OK", "application/json"))
        peer.connection.close()

    with WireServer(talk) as server, store_client(server.url) as client:
        [page] = client.read_changes(datetime(2026, 11, 18, 12, tzinfo=UTC), datetime(2026, 11, 18, 12, 0, 1, tzinfo=UTC))
    assert page.is_slice_end
    assert (sizes[0], sizes[-1]) == (100, 50)
