"""Reading Nextech: a search is proved complete or raised, and its filters are checked again on our side."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from order_sync.errors import (
    IncompleteReadError,
)
from order_sync.payments import EntryStatus
from tests.clocks import FakeClock
from tests.unit.clients.scripted import (
    GUID,
    OPERATION_OUTCOME,
    OTHER_GUID,
    ScriptedNextech,
    asked,
    bundle,
    json_answer,
    pages,
    patient_row,
    payment_row,
)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 49, 50, 51, 99, 100, 101, 234])
@pytest.mark.parametrize("with_total", [True, False])
@pytest.mark.parametrize("with_links", [True, False])
@pytest.mark.parametrize("is_overlapping", [True, False])
def test_every_row_is_read_once_whatever_the_bundle_leaves_out(
    count: int, with_total: bool, with_links: bool, is_overlapping: bool, clock: FakeClock
) -> None:
    handler = pages(count, with_total=with_total, with_links=with_links, is_overlapping=is_overlapping)
    read = ScriptedNextech(handler).client(clock).read_payments([GUID])

    assert sorted(int(entry.payment_id) for entry in read.entries) == list(range(count))
    assert read.patient_ids == frozenset({GUID})


def test_links_are_followed_on_our_own_host_with_our_own_filter(clock: FakeClock) -> None:
    nextech = ScriptedNextech(pages(120, host="https://foreign.example"))
    nextech.client(clock).read_payments([GUID])

    assert {request.url.host for request in nextech.requests} == {"nextech.example"}
    assert {asked(request)["patient"] for request in nextech.requests} == {GUID}
    assert [asked(request).get("_getpagesoffset") for request in nextech.requests] == [None, "50", "100"]


def test_a_small_result_whose_next_link_loops_ends(clock: FakeClock) -> None:
    loop = [{"relation": relation, "url": "http://h/x?_getpagesoffset=0&_count=10"} for relation in ("previous", "next")]
    for total in (3, None):
        nextech = ScriptedNextech(lambda _, total=total: bundle(*map(payment_row, "abc"), total=total, link=loop))
        assert len(nextech.client(clock).read_payments([GUID]).entries) == 3
        assert len(nextech.requests) <= 4


def test_a_full_page_that_is_repeated_for_ever_proves_nothing(clock: FakeClock) -> None:
    rows = [payment_row(str(number)) for number in range(50)]
    for link in ([], [{"relation": "next", "url": "http://h/x?_getpagesoffset=0"}]):
        nextech = ScriptedNextech(lambda _, link=link: bundle(*rows, link=link))
        with pytest.raises(IncompleteReadError):
            nextech.client(clock).read_payments([GUID])


@pytest.mark.parametrize("total", [2, 4, 100])
def test_a_total_that_is_not_met_proves_nothing(total: int, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(*map(payment_row, "abc"), total=total))
    with pytest.raises(IncompleteReadError, match="do not prove"):
        nextech.client(clock).read_payments([GUID])


def test_a_set_that_grows_while_it_is_read_is_read_again(clock: FakeClock) -> None:
    counts = iter([60, 61, 61, 61])

    def handler(request: httpx.Request) -> httpx.Response:
        return pages(next(counts))(request)

    assert len(ScriptedNextech(handler).client(clock).read_payments([GUID]).entries) == 61


def test_without_a_total_two_passes_must_agree(clock: FakeClock) -> None:
    answers = iter([["a"], [], ["a", "b"], [], ["a", "b", "c"], [], ["a", "b", "c", "d"], []])
    nextech = ScriptedNextech(lambda _: bundle(*map(payment_row, next(answers))))
    with pytest.raises(IncompleteReadError):
        nextech.client(clock).read_payments([GUID])


def test_an_id_that_differs_in_case_only_is_one_row(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(patient_row(GUID), patient_row(GUID.upper()), total=1))
    assert len(nextech.client(clock).search_patients(patient_ids=[GUID])) == 1


def test_a_row_of_another_patient_makes_the_read_no_evidence(clock: FakeClock) -> None:
    for row in (payment_row("1", patient=OTHER_GUID), payment_row("1", extension=[])):
        nextech = ScriptedNextech(lambda _, row=row: bundle(payment_row("2"), row, total=2))
        with pytest.raises(IncompleteReadError, match="not asked for"):
            nextech.client(clock).read_payments([GUID])


@pytest.mark.parametrize(
    "row",
    [
        payment_row("1", status="pending"),
        payment_row("1", status=None),
        payment_row("1", value=None),
        payment_row("1", value=1.005),
        payment_row(""),
        payment_row("1", resourceType="OperationOutcome"),
    ],
)
def test_a_row_that_cannot_be_understood_makes_the_read_no_evidence(row: dict, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(row, total=1))
    with pytest.raises(IncompleteReadError):
        nextech.client(clock).read_payments([GUID])


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(200, {"resourceType": "Patient"}),
        json_answer(200, []),
        json_answer(200, {"resourceType": "Bundle", "entry": {"resource": {}}}),
        json_answer(200, {"resourceType": "Bundle", "entry": ["x"], "total": 1}),
        json_answer(404, {"Message": "No HTTP resource was found that matches the request URI"}),
        json_answer(404, {"statusCode": 404}),
        httpx.Response(404, content=b"<html>", headers={"content-type": "text/html"}),
        httpx.Response(404),
    ],
)
def test_an_answer_that_is_no_search_result_is_no_evidence_of_absence(answer: httpx.Response, clock: FakeClock) -> None:
    with pytest.raises(IncompleteReadError):
        ScriptedNextech(lambda _: answer).client(clock).read_payments([GUID])


def test_the_apis_own_404_means_nothing_matched(clock: FakeClock) -> None:
    client = ScriptedNextech(lambda _: json_answer(404, OPERATION_OUTCOME)).client(clock)
    assert client.read_payments([GUID]).entries == ()
    assert client.read_patient(GUID) is None
    assert client.search_patients(emails=["ana@mail.example"]) == []


def test_payments_of_forty_patients_cost_one_search(clock: FakeClock) -> None:
    guids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(40)]
    nextech = ScriptedNextech(lambda _: bundle(total=0))
    read = nextech.client(clock).read_payments([guid.upper() for guid in guids])

    [request] = nextech.requests
    assert asked(request)["patient"].split(",") == guids
    assert len(request.url.query) < 1_800
    assert read.patient_ids == frozenset(guids)


def test_the_time_of_the_evidence_is_before_the_first_page(clock: FakeClock) -> None:
    began = clock.now()

    def handler(_: httpx.Request) -> httpx.Response:
        clock.advance(seconds=30)
        return bundle(total=0)

    assert ScriptedNextech(handler).client(clock).read_payments([GUID]).as_of == began


def test_payments_are_asked_for_by_guid_only(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="GUID"):
        ScriptedNextech(lambda _: bundle(total=0)).client(clock).read_payments(["20417"])


def test_a_payment_is_read_with_all_that_is_compared_later(clock: FakeClock) -> None:
    base = "https://select.nextech-api.com/api/structuredefinition/"
    row = payment_row(
        "88213",
        status="cancelled",
        value=-129.99,
        created="2026-01-05T19:30:12.417Z",
        meta={"lastUpdated": "2026-01-05T19:30:12.9692476Z"},
        requestProvider={"reference": "practitioner/9107"},
        processNote=[{"text": "DP-1"}, {"text": " two "}],
    )
    row["extension"] += [
        {"url": "http://hl7.org/fhir/StructureDefinition/Location", "valueResourceReference": {"reference": "Location/3"}},
        {"url": f"{base}payment-date", "valueDateTime": "2026-01-05T00:00:00-05:00"},
        {"url": f"{base}payment-method", "valueString": "Charge"},
        {"url": f"{base}payment-category", "valueString": "WEB - Online Store"},
        {"url": f"{base}credit-cardtype", "valueString": "Visa"},
    ]
    [entry] = ScriptedNextech(lambda _: bundle(row, total=1)).client(clock).read_payments([GUID]).entries

    assert (entry.payment_id, entry.patient_id, entry.status) == ("88213", GUID, EntryStatus.CANCELLED)
    assert entry.amount_cents == -12_999
    assert entry.payment_instant == datetime(2026, 1, 5, 5, tzinfo=UTC)
    assert entry.created_at == datetime(2026, 1, 5, 19, 30, 12, 417_000, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 1, 5, 19, 30, 12, 969_247, tzinfo=UTC)
    assert (entry.method, entry.category, entry.card_type) == ("Charge", "WEB - Online Store", "Visa")
    assert (entry.location_id, entry.provider_id, entry.note) == ("3", "9107", "DP-1 two")


@pytest.mark.parametrize(("value", "cents"), [(200, 20_000), (0.1, 10), (122.09999999999999, 12_210), ("129.99", 12_999)])
def test_an_amount_is_read_in_every_form_in_which_it_may_be_written(value: object, cents: int, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(payment_row("1", value=value), total=1))
    assert nextech.client(clock).read_payments([GUID]).entries[0].amount_cents == cents


def test_the_location_and_the_provider_of_the_settings_are_looked_up(clock: FakeClock) -> None:
    known = {
        "/api/Location/3": {"resourceType": "Location", "id": "3", "status": "active", "name": "Main"},
        "/api/Practitioner/9107": {"resourceType": "Practitioner", "active": False, "name": [{"text": "Cole, Mara"}]},
    }

    def handler(request: httpx.Request) -> httpx.Response:
        document = known.get(request.url.path)
        return json_answer(200, document) if document else json_answer(404, OPERATION_OUTCOME)

    client = ScriptedNextech(handler).client(clock)
    location, practitioner = client.read_location("3"), client.read_practitioner("9107")
    assert location is not None
    assert (location.name, location.is_active) == ("Main", True)
    assert practitioner is not None
    assert (practitioner.name, practitioner.is_active) == ("Cole, Mara", False)
    assert client.read_location("4") is None
    assert client.read_location("../Patient") is None
