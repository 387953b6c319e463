"""Reads against hostile servers: in time, never half believed, and sorted by what the caller should do."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Iterator

import httpx
import pytest

from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.http import JsonEdge
from order_sync.errors import (
    IncompleteReadError,
    LoginRefusedError,
    OrderSyncError,
    RequestRejectedError,
    SourceUnavailableError,
    TransientError,
)
from tests.integration.adversary.hostile import (
    CANARY,
    CLOCK,
    GRACE_SECONDS,
    MARKER,
    TOKEN,
    booked_row,
    nextech_client,
    say,
    store_client,
    whole_answer,
)
from tests.integration.adversary.test_payment_post import HTML, WITHOUT_AN_END
from tests.integration.clients.wire_server import Peer, Talk, WireServer
from tests.unit.clients.scripted import GUID

SECONDS = 0.6


@pytest.fixture
def edge() -> Iterator[JsonEdge]:
    opened = JsonEdge("nextech", DeadlineTransport(CLOCK), CLOCK, random.Random(1))
    yield opened
    opened.close()


@pytest.mark.parametrize("talk", WITHOUT_AN_END.values(), ids=WITHOUT_AN_END.keys())
def test_a_read_without_an_end_is_given_up_within_one_deadline_for_all_its_tries(talk: Talk, edge: JsonEdge) -> None:
    with WireServer(talk) as server:
        began = time.monotonic()
        with pytest.raises(SourceUnavailableError) as caught:
            edge.read(
                "GET /Patient",
                lambda: httpx.Request("GET", f"{server.url}/Patient?email={CANARY}"),
                attempt_seconds=SECONDS / 2,
                call_seconds=SECONDS,
            )
        assert time.monotonic() - began < SECONDS + GRACE_SECONDS
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"


def bundle(**more: object) -> bytes:
    return json.dumps({"resourceType": "Bundle", **more}).encode()


ROW = json.loads(booked_row())
REFUSED: dict[str, tuple[bytes, type[OrderSyncError]]] = {
    "HTML 200": (whole_answer(HTML, "200 OK", "text/html"), SourceUnavailableError),
    "HTML 200 that says JSON": (whole_answer(HTML, "200 OK"), SourceUnavailableError),
    "something else than a list": (whole_answer(b"[]", "200 OK"), IncompleteReadError),
    "an exponent beyond all numbers": (whole_answer(b'{"total": 1e9999999999999999999}', "200 OK"), SourceUnavailableError),
    "a hundred thousand brackets": (whole_answer(b"[" * 100_000, "200 OK"), SourceUnavailableError),
    "a date beyond all dates": (
        whole_answer(b"{}", "200 OK\r\nDate: Fri, 31 Dec 9999 23:59:59 -2359"),
        IncompleteReadError,
    ),
    "half of the rows": (whole_answer(bundle(total=2, entry=[{"resource": ROW}]), "200 OK"), IncompleteReadError),
    "another patient's row": (
        whole_answer(bundle(total=1, entry=[{"resource": ROW | {"extension": []}}]), "200 OK"),
        IncompleteReadError,
    ),
    "404 of a gateway": (whole_answer(HTML, "404 Not Found", "text/html"), IncompleteReadError),
    "403 of a gateway": (whole_answer(HTML, "403 Forbidden", "text/html"), LoginRefusedError),
    "502": (whole_answer(HTML, "502 Bad Gateway", "text/html"), SourceUnavailableError),
    "a redirect": (whole_answer(b"", "302 Found\r\nLocation: /elsewhere"), RequestRejectedError),
}


@pytest.mark.parametrize(("said", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_proof_is_refused_and_not_taken_for_an_empty_list(said: bytes, kind: type[OrderSyncError]) -> None:
    with (
        WireServer(say(said)) as server,
        nextech_client(server.url) as client,
        pytest.raises(kind) as caught,
    ):
        client.read_payments([GUID])
    assert CANARY not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("said", [entry[0] for entry in REFUSED.values()], ids=REFUSED.keys())
def test_a_hostile_store_is_told_from_an_empty_one(said: bytes) -> None:
    with WireServer(say(said)) as server, store_client(server.url) as client, pytest.raises(OrderSyncError):
        client.check()


def test_a_compressed_list_is_refused_even_when_it_is_right() -> None:
    body = gzip.compress(bundle(total=0))

    def talk(peer: Peer) -> None:
        peer.answer("200 OK", body, "Content-Type: application/json", "Content-Encoding: gzip")

    with WireServer(talk) as server, nextech_client(server.url) as client, pytest.raises(TransientError):
        client.read_payments([GUID])


def test_an_honest_list_is_read_so_that_the_refusals_above_mean_something() -> None:
    with (
        WireServer(say(whole_answer(bundle(total=1, entry=[{"resource": ROW}]), "200 OK"))) as server,
        nextech_client(server.url) as client,
    ):
        (entry,) = client.read_payments([GUID]).entries
        assert entry.note.startswith(MARKER)
        assert TOKEN.encode() in server.requests[0]
