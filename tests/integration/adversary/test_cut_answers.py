"""An answer of 2 kB that is cut at every byte: a payment is unknown until its proof is whole, a read is never half believed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.integration.adversary.hostile import (
    EXECUTED,
    UNKNOWN,
    booked_row,
    chunked_answer,
    nextech_client,
    one_after_the_other,
    post,
    store_client,
    unframed_answer,
    whole_answer,
)
from tests.integration.clients.wire_server import WireServer
from tests.unit.clients.scripted import GUID, payment_row

SIZE = 2_048


@pytest.mark.parametrize("write", [whole_answer, chunked_answer, unframed_answer])
def test_a_payment_is_executed_only_when_the_last_byte_of_its_proof_has_come(write: Callable[[bytes], bytes]) -> None:
    head = len(write(b""))
    whole = write(booked_row(SIZE - head))
    assert len(whole) >= SIZE - 5
    offsets = range(len(whole))
    with WireServer(one_after_the_other([*(whole[:end] for end in offsets), whole])) as server:
        with nextech_client(server.url, answer_seconds=20) as client:
            answers = [post(client) for _ in offsets]
            last = post(client)
        assert [end for end, answer in zip(offsets, answers, strict=True) if answer.outcome is not UNKNOWN] == []
        assert last.outcome is EXECUTED
        assert server.connections == len(server.requests) == len(whole) + 1


def test_a_read_that_is_cut_at_any_byte_is_repeated_and_never_half_believed() -> None:
    rows = [payment_row(str(number), text="x" * 100) for number in range(5)]
    document = {"resourceType": "Bundle", "total": 5, "entry": [{"resource": row} for row in rows]}
    whole = whole_answer(json.dumps(document).encode(), "200 OK")
    assert len(whole) > SIZE
    offsets = range(len(whole))
    answers = [part for end in offsets for part in (whole[:end], whole)]
    with WireServer(one_after_the_other(answers)) as server:
        with nextech_client(server.url) as client:
            reads = [client.read_payments([GUID]) for _ in offsets]
        assert {len(read.entries) for read in reads} == {5}
        assert server.connections == len(answers)


def test_a_list_of_orders_that_is_cut_is_asked_for_again() -> None:
    whole = whole_answer(json.dumps({"items": [], "total_count": 0, "search_criteria": {}}).encode(), "200 OK")
    offsets = range(len(whole))
    answers = [part for end in offsets for part in (whole[:end], whole)]
    with WireServer(one_after_the_other(answers)) as server:
        with store_client(server.url) as client:
            assert {len(client.find_order("000004127")) for _ in offsets} == {0}
        assert server.connections == len(answers)
