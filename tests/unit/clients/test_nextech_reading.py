"""Reading Nextech: a search is proved complete or raised, and its filters are checked again on our side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import httpx
import pytest

from order_sync.errors import (
    IncompleteReadError,
    LoginRefusedError,
    RateLimitedError,
    RequestRejectedError,
    SourceUnavailableError,
)
from order_sync.payments import EntryStatus
from tests.clocks import FakeClock
from tests.unit.clients.scripted import (
    GUID,
    OTHER_GUID,
    ScriptedNextech,
    asked,
    bundle,
    json_answer,
    patient_row,
    payment_row,
)

OPERATION_OUTCOME = {"resourceType": "OperationOutcome", "issue": []}


def pages(
    count: int,
    *,
    size: int = 50,
    with_total: bool = True,
    with_links: bool = True,
    is_overlapping: bool = True,
    host: str = "http://localhost:5000",
) -> Callable[[httpx.Request], httpx.Response]:
    """Serve so many payments with the paging traps of contract section 3."""
    rows = [payment_row(str(number)) for number in range(count)]

    def handler(request: httpx.Request) -> httpx.Response:
        params = asked(request)
        assert params["patient"] == GUID
        offset = int(params.get("_getpagesoffset", 0))
        if is_overlapping and offset > max(0, count - size) and offset < count:
            offset = max(0, count - size)
        links = [{"relation": "self", "url": f"{host}/api/paymentreconciliation"}]
        if offset + size < count:
            links.append({"relation": "next", "url": f"{host}/x?_getpagesoffset={offset + size}&_count=10&patient=evil"})
        more = {"link": links} if with_links else {}
        return bundle(*rows[offset : offset + size], total=count if with_total else None, **more)

    return handler


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


def test_emails_go_in_one_search_and_foreign_rows_are_dropped(clock: FakeClock) -> None:
    rows = [
        patient_row(GUID, email="ANA@mail.example "),
        patient_row(OTHER_GUID, email="ana@mail.example.org"),
        patient_row("22222222-2222-4222-8222-222222222222", email=None),
    ]
    nextech = ScriptedNextech(lambda _: bundle(*rows, total=3))
    found = nextech.client(clock).search_patients(emails=["ana@mail.example", "ben@mail.example", "ana@mail.example"])

    [request] = nextech.requests
    assert asked(request) == {"email:exact": "ana@mail.example,ben@mail.example", "_count": "50"}
    assert [patient.patient_id for patient in found] == [GUID]


def test_a_private_email_counts_when_a_single_one_was_asked_for(clock: FakeClock) -> None:
    for telecom in ([], [{"system": "email", "extension": [{"url": "x/method-privacy", "valueBoolean": True}]}]):
        row = patient_row(GUID, email=None) | {"telecom": telecom}
        nextech = ScriptedNextech(lambda _, row=row: bundle(row, total=1))
        assert len(nextech.client(clock).search_patients(emails=["ana@mail.example"])) == 1
        assert nextech.client(clock).search_patients(emails=["ana@mail.example", "ben@mail.example"]) == []


def test_a_phone_is_asked_for_in_two_written_forms_and_compared_by_digits(clock: FakeClock) -> None:
    rows = [patient_row(GUID, phone="305.555.0142"), patient_row(OTHER_GUID, phone="(305) 555-0143")]
    nextech = ScriptedNextech(lambda _: bundle(*rows, total=2))
    found = nextech.client(clock).search_patients(phones=["+13055550142", "(212) 555-0100"])

    assert asked(nextech.requests[0])["phone"] == "(305) 555-0142,3055550142,(212) 555-0100,2125550100"
    assert [patient.patient_id for patient in found] == [GUID]


def test_many_values_are_split_so_that_no_query_is_too_long(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(total=0))
    client = nextech.client(clock)
    emails = [f"a-rather-long-invented-address-{number}+é@mail.example" for number in range(150)]
    phones = [f"305555{number:04d}" for number in range(95)]
    client.search_patients(emails=emails, phones=phones)

    queries = [asked(request) for request in nextech.requests]
    assert max(len(request.url.query) for request in nextech.requests) <= 1_800
    assert sorted(value for query in queries for value in query.get("email:exact", "").split(",") if value) == sorted(emails)
    assert sum(len(query["phone"].split(",")) for query in queries if "phone" in query) == 190
    assert max(len(value.split(",")) for query in queries for value in query.values()) <= 40


def test_a_value_with_a_comma_is_asked_for_alone_by_what_stands_before_it(clock: FakeClock) -> None:
    row = patient_row(GUID, email="ana,ruiz@mail.example")
    nextech = ScriptedNextech(lambda _: bundle(row, patient_row(OTHER_GUID, email="ana@mail.example"), total=2))
    found = nextech.client(clock).search_patients(emails=["ana,ruiz@mail.example"])

    assert asked(nextech.requests[0])["email"] == "ana"
    assert [patient.patient_id for patient in found] == [GUID]


@pytest.mark.parametrize("value", ["", " ", "a\r\nb@mail.example", "a\x00@mail.example", "x" * 255, "\ud800@mail.example"])
def test_a_value_that_no_url_can_carry_is_not_searched_for(value: str, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(total=0))
    assert nextech.client(clock).search_patients(emails=[value]) == []
    assert nextech.requests == []


def test_name_and_birth_date_search_by_themselves(clock: FakeClock) -> None:
    rows = [patient_row(GUID), patient_row(OTHER_GUID) | {"birthDate": "1990-01-01"}]
    nextech = ScriptedNextech(lambda _: bundle(*rows, total=2))
    found = nextech.client(clock).search_patients(family="RUIZ", birth_date=date(1988, 4, 19))

    assert asked(nextech.requests[0]) == {"family:exact": "RUIZ", "birthdate": "1988-04-19", "_count": "50"}
    assert [patient.patient_id for patient in found] == [GUID]


def test_a_search_without_a_criterion_is_refused(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="criterion"):
        ScriptedNextech(lambda _: bundle(total=0)).client(clock).search_patients()


def test_a_server_that_refuses_modifiers_is_asked_without_them(clock: FakeClock) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "email:exact" in asked(request):
            return json_answer(400, OPERATION_OUTCOME)
        return bundle(patient_row(), total=1)

    assert len(ScriptedNextech(handler).client(clock).search_patients(emails=["ana@mail.example"])) == 1


def test_a_patient_is_read_with_what_matching_compares(clock: FakeClock) -> None:
    row = patient_row(phone="(305) 555-0142") | {
        "identifier": [{"use": "official", "value": GUID}, {"use": "usual", "value": "20417"}],
        "name": [
            {"use": "nickname", "given": ["Annie"]},
            {"use": "official", "family": " Ruiz ", "given": ["Ana", "Luz"], "suffix": ["III"]},
        ],
        "address": [{"postalCode": "33130", "city": "Miami"}],
    }
    patient = ScriptedNextech(lambda _: bundle(row, total=1)).client(clock).read_patient(GUID)

    assert patient is not None
    assert (patient.patient_id, patient.chart_number) == (GUID, "20417")
    assert (patient.first, patient.middle, patient.last, patient.suffix) == ("Ana", "Luz", "Ruiz", "III")
    assert (patient.nickname, patient.email, patient.phones) == ("Annie", "ana@mail.example", ("(305) 555-0142",))
    assert (patient.birth_date, patient.postal_code, patient.city) == (date(1988, 4, 19), "33130", "Miami")


def test_a_patient_with_nothing_but_an_id_is_all_unknown(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle({"resourceType": "Patient", "id": GUID, "name": "x", "telecom": 7}, total=1))
    patient = nextech.client(clock).read_patient(GUID)
    assert patient is not None
    assert (patient.first, patient.last, patient.email, patient.phones, patient.birth_date) == (None, None, None, (), None)


@pytest.mark.parametrize(
    ("answer", "error", "sends"),
    [
        (httpx.Response(500), SourceUnavailableError, 3),
        (httpx.Response(503, content=b"<html>body-canary", headers={"content-type": "text/html"}), SourceUnavailableError, 3),
        (json_answer(200, {}, **{"content-type": "text/html"}), SourceUnavailableError, 3),
        (httpx.Response(200, content=b"{", headers={"content-type": "application/json"}), SourceUnavailableError, 3),
        (httpx.Response(400, content=b"<html>"), SourceUnavailableError, 3),
        (httpx.ReadTimeout("query-canary"), SourceUnavailableError, 3),
        (httpx.ConnectError("query-canary"), SourceUnavailableError, 3),
        (httpx.Response(429), RateLimitedError, 3),
        (json_answer(400, {"Message": "body-canary"}), RequestRejectedError, 1),
        (json_answer(302, {}, location="https://foreign.example/query-canary"), RequestRejectedError, 1),
        (httpx.Response(403), LoginRefusedError, 1),
        (httpx.Response(401), LoginRefusedError, 2),
        (httpx.Response(523), LoginRefusedError, 2),
    ],
)
def test_a_failing_read_is_repeated_only_when_that_can_help(
    answer: httpx.Response | Exception, error: type[Exception], sends: int, clock: FakeClock
) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    nextech = ScriptedNextech(handler)
    with pytest.raises(error) as caught:
        nextech.client(clock).search_patients(patient_ids=["query-canary"])

    assert len(nextech.requests) == sends
    assert "canary" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "GET /Patient" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ("7", 7, 8),
        ("Tue, 10 Mar 2026 15:00:20 GMT", 20, 21),
        ("0", 0, 0.5),
        ("-1", 0, 0.5),
        ("soon", 0, 0.5),
        ("nan", 0, 0.5),
        ("Tue, 10 Mar 2020 15:00:20 GMT", 0, 0.5),
    ],
)
def test_a_429_is_waited_out_as_the_server_asked(header: str, at_least: float, at_most: float, clock: FakeClock) -> None:
    answers = [httpx.Response(429, headers={"retry-after": header}), bundle(total=0)]
    ScriptedNextech(lambda _: answers.pop(0)).client(clock).search_patients(patient_ids=["1"])
    [pause] = clock.slept
    assert at_least <= pause <= at_most


@pytest.mark.parametrize("header", ["1000000000", "Tue, 10 Mar 2099 15:00:20 GMT", "inf", "1e308"])
def test_an_absurd_retry_after_is_never_slept(header: str, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: httpx.Response(429, headers={"retry-after": header}))
    with pytest.raises(RateLimitedError) as caught:
        nextech.client(clock).search_patients(patient_ids=["1"])
    assert sum(clock.slept) < 90
    assert caught.value.retry_after_seconds is None or caught.value.retry_after_seconds <= 3600


def test_a_read_and_all_its_tries_end_at_one_deadline(clock: FakeClock) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        clock.advance(seconds=request.extensions["deadline_at"] - clock.monotonic())
        raise httpx.ReadTimeout("x")

    began = clock.monotonic()
    nextech = ScriptedNextech(handler)
    with pytest.raises(SourceUnavailableError):
        nextech.client(clock).search_patients(patient_ids=["1"])
    assert clock.monotonic() - began <= 90 + 0.001


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
