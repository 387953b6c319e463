"""What a person names by its id: one payment, and whether a chart is in use."""

from __future__ import annotations

import httpx
import pytest

from order_sync.errors import IncompleteReadError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import GUID, ScriptedNextech, bundle, json_answer, patient_row, payment_row


def test_a_payment_is_read_by_its_id(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(200, payment_row("88213")))
    entry = nextech.client(clock).read_payment("88213")
    assert entry is not None
    assert entry.payment_id == "88213"
    assert nextech.requests[0].url.path.endswith("/PaymentReconciliation/88213")


def test_a_payment_that_is_not_there_is_none(clock: FakeClock) -> None:
    gone = {"resourceType": "OperationOutcome", "issue": []}
    assert ScriptedNextech(lambda _: json_answer(404, gone)).client(clock).read_payment("88213") is None


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(200, payment_row("88214")),
        json_answer(200, patient_row(GUID)),
        json_answer(200, [payment_row("88213")]),
        json_answer(200, payment_row("88213") | {"status": "other"}),
        httpx.Response(404, text="<html>not found</html>"),
    ],
    ids=["another", "a patient", "a list", "an unknown status", "a gateway's 404"],
)
def test_what_is_not_that_payment_is_no_evidence(answer: httpx.Response, clock: FakeClock) -> None:
    with pytest.raises(IncompleteReadError):
        ScriptedNextech(lambda _: answer).client(clock).read_payment("88213")


@pytest.mark.parametrize("text", ["", "../Patient", "88213?status=active", "8 8", "é"])
def test_what_is_no_id_is_not_asked_for(text: str, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(200, payment_row("88213")))
    assert nextech.client(clock).read_payment(text) is None
    assert nextech.requests == []


@pytest.mark.parametrize(
    ("said", "is_active"),
    [
        ({}, True),
        ({"active": True}, True),
        ({"active": False}, False),
        ({"link": [{"type": "seealso", "other": {"reference": "Patient/1"}}]}, True),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/1"}}]}, False),
        ({"link": "nonsense", "active": "no"}, True),
    ],
)
def test_a_chart_is_in_use_unless_nextech_says_otherwise(said: dict, is_active: bool, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(patient_row(GUID) | said, total=1))
    chart = nextech.client(clock).read_patient(GUID)
    assert chart is not None
    assert chart.is_active is is_active
