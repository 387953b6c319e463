"""What the answer to one POST proves: reliability 3.4, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest

from order_sync.clients.exchanges import AnswerLostError, ConnectFailedError, DeadlinePassedError, SendBudgetMissedError
from order_sync.payments import PaymentRequest, PostAnswer, PostOutcome
from tests.clocks import FakeClock
from tests.unit.clients.scripted import GUID, OTHER_GUID, NoLimit, ScriptedNextech, json_answer, payment_row

REQUEST = PaymentRequest(
    patient_id=GUID,
    amount_cents=12_999,
    business_day=date(2026, 1, 5),
    payment_instant=datetime(2026, 1, 5, 17, tzinfo=UTC),
    marker="DP-7K3QX0M9ZT4R-H",
    note="DP-7K3QX0M9ZT4R-H #000004127",
    provider_id="9107",
    location_id="3",
    category="WEB - Online Store",
    card_type="Visa",
)
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"details": {"text": "body-canary Ana"}}]}
MESSAGE = {"Message": "body-canary Ana"}
CREATED = payment_row("88213")
SAMPLE_WITHOUT_ID = {key: value for key, value in CREATED.items() if key != "id"}
HTML = httpx.Response(200, content=b"<html>body-canary</html>", headers={"content-type": "text/html"})


def html(status: int) -> httpx.Response:
    return httpx.Response(status, content=b"<html>body-canary</html>", headers={"content-type": "text/html"})


def post(answer: httpx.Response | Exception, clock: FakeClock, request: PaymentRequest = REQUEST) -> PostAnswer:
    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = ScriptedNextech(handler).client(clock)
    return client.send_payment(client.prepare_payment(request), send_by=clock.monotonic() + 5)


EXECUTED, NOT_EXECUTED, UNKNOWN = PostOutcome.EXECUTED, PostOutcome.NOT_EXECUTED, PostOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(json_answer(201, CREATED), EXECUTED, id="201 with id, amount and patient"),
        pytest.param(json_answer(200, CREATED), EXECUTED, id="200 is as good as 201"),
        pytest.param(json_answer(201, {**SAMPLE_WITHOUT_ID, "id": 88213}), EXECUTED, id="a number as id"),
        pytest.param(
            json_answer(201, {**SAMPLE_WITHOUT_ID, "identifier": [{"use": "official", "value": "88213"}]}),
            EXECUTED,
            id="the id as official identifier",
        ),
        pytest.param(json_answer(201, {**CREATED, "extension": []}), EXECUTED, id="the patient is not echoed"),
        pytest.param(json_answer(201, SAMPLE_WITHOUT_ID), UNKNOWN, id="2xx without id"),
        pytest.param(json_answer(201, {**CREATED, "id": ""}), UNKNOWN, id="2xx with an empty id"),
        pytest.param(json_answer(201, {**CREATED, "id": "8" * 65}), UNKNOWN, id="2xx with an id that nobody could keep"),
        pytest.param(json_answer(201, {**CREATED, "id": "88\x00213"}), UNKNOWN, id="2xx with an id that no database takes"),
        pytest.param(json_answer(201, {**CREATED, "total": {"value": 129.98}}), UNKNOWN, id="2xx with another amount"),
        pytest.param(json_answer(201, {**CREATED, "total": {"value": -129.99}}), UNKNOWN, id="2xx with a negative amount"),
        pytest.param(json_answer(201, {**CREATED, "total": {}}), UNKNOWN, id="2xx without an amount"),
        pytest.param(json_answer(201, {**CREATED, "total": {"value": True}}), UNKNOWN, id="2xx with true as amount"),
        pytest.param(json_answer(201, payment_row("1", patient=OTHER_GUID)), UNKNOWN, id="2xx with another patient"),
        pytest.param(json_answer(201, payment_row("1", patient="no-guid")), UNKNOWN, id="2xx with an unreadable patient"),
        pytest.param(json_answer(201, {**CREATED, "resourceType": "Patient"}), UNKNOWN, id="2xx of another resource"),
        pytest.param(json_answer(201, [CREATED]), UNKNOWN, id="2xx with a list"),
        pytest.param(json_answer(200, "88213"), UNKNOWN, id="2xx with a bare string"),
        pytest.param(html(200), UNKNOWN, id="2xx with a page"),
        pytest.param(
            httpx.Response(201, content=json.dumps(CREATED).encode(), headers={"content-type": "text/plain"}),
            UNKNOWN,
            id="2xx with JSON that is not called JSON",
        ),
        pytest.param(
            httpx.Response(201, content=json.dumps(CREATED).encode()[:-9], headers={"content-type": "application/json"}),
            UNKNOWN,
            id="2xx with truncated JSON",
        ),
        pytest.param(
            httpx.Response(201, content=b"[" * 100_000, headers={"content-type": "application/json"}),
            UNKNOWN,
            id="2xx with JSON that is nested for ever",
        ),
        pytest.param(httpx.Response(204), UNKNOWN, id="204"),
        pytest.param(httpx.Response(201, content=b""), UNKNOWN, id="2xx, empty"),
        pytest.param(json_answer(302, OUTCOME, location="https://elsewhere.example/"), UNKNOWN, id="a redirect"),
        *(pytest.param(json_answer(status, OUTCOME), NOT_EXECUTED, id=f"{status} of the API") for status in (400, 404, 409)),
        *(pytest.param(json_answer(status, MESSAGE), NOT_EXECUTED, id=f"{status} of the API") for status in (413, 415, 422)),
        *(pytest.param(html(status), UNKNOWN, id=f"{status} of a gateway") for status in (400, 404, 409, 413, 415, 422)),
        pytest.param(httpx.Response(400), UNKNOWN, id="400, empty"),
        pytest.param(json_answer(400, {"error": "x"}), UNKNOWN, id="400 with JSON of another shape"),
        pytest.param(json_answer(400, [MESSAGE]), UNKNOWN, id="400 with a list"),
        *(
            pytest.param(json_answer(status, OUTCOME), UNKNOWN, id=f"{status}")
            for status in (402, 405, 408, 410, 423, 425, 499, 500, 501, 502, 503, 504, 520)
        ),
        *(pytest.param(html(status), NOT_EXECUTED, id=f"{status} of anybody") for status in (401, 403, 429, 523)),
        pytest.param(json_answer(429, MESSAGE, **{"retry-after": "3"}), NOT_EXECUTED, id="429 of the API"),
        pytest.param(httpx.ConnectError("body-canary"), NOT_EXECUTED, id="no connection"),
        pytest.param(httpx.ConnectTimeout("body-canary"), NOT_EXECUTED, id="no connection in time"),
        pytest.param(ConnectFailedError("not sent: no connection"), NOT_EXECUTED, id="our own: no connection"),
        pytest.param(SendBudgetMissedError("not sent: too late"), NOT_EXECUTED, id="our own: budget missed"),
        pytest.param(httpx.ReadTimeout("body-canary"), UNKNOWN, id="no answer in time"),
        pytest.param(httpx.WriteTimeout("body-canary"), UNKNOWN, id="not written in time"),
        pytest.param(httpx.PoolTimeout("body-canary"), UNKNOWN, id="a foreign pool's timeout proves nothing"),
        pytest.param(httpx.ReadError("body-canary"), UNKNOWN, id="reset while reading"),
        pytest.param(httpx.WriteError("body-canary"), UNKNOWN, id="reset while writing"),
        pytest.param(httpx.RemoteProtocolError("body-canary"), UNKNOWN, id="no HTTP"),
        pytest.param(DeadlinePassedError("too late"), UNKNOWN, id="our own: deadline"),
        pytest.param(AnswerLostError("broke off", status=201), UNKNOWN, id="our own: broke off after the status"),
    ],
)
def test_each_answer_to_a_payment_has_its_outcome(
    answer: httpx.Response | Exception, outcome: PostOutcome, clock: FakeClock
) -> None:
    result = post(answer, clock)

    assert result.outcome is outcome
    assert (result.created_id is not None) == (outcome is EXECUTED)
    assert "canary" not in repr(result)
    assert "Ana" not in repr(result)


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (400, {"is_rejection"}),
        (404, {"is_rejection"}),
        (409, {"is_rejection", "is_duplicate"}),
        (422, {"is_rejection"}),
        (429, {"is_rate_limited"}),
        (403, {"is_login_refused"}),
        (401, set()),
        (523, set()),
        (500, set()),
    ],
)
def test_a_refusal_says_what_kind_it_is(status: int, flags: set[str], clock: FakeClock) -> None:
    result = post(json_answer(status, OUTCOME, **{"x-request-id": "req-7"}), clock)

    names = ("is_rejection", "is_duplicate", "is_login_refused", "is_rate_limited")
    assert {name for name in names if getattr(result, name)} == flags
    assert (result.status, result.request_id) == (status, "req-7")


def test_a_payment_is_one_request_whatever_comes_back(clock: FakeClock) -> None:
    for answer in (html(500), html(503), html(429), html(401), html(302), httpx.ReadTimeout("x"), httpx.ConnectError("x")):
        sent = []

        def handler(request: httpx.Request, answer: object = answer, sent: list = sent) -> httpx.Response:
            sent.append(request)
            if isinstance(answer, Exception):
                raise answer
            return answer

        client = ScriptedNextech(handler).client(clock)
        client.send_payment(client.prepare_payment(REQUEST), send_by=clock.monotonic() + 5)
        assert len(sent) == 1


def test_a_posting_past_its_send_budget_is_not_sent(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(201, CREATED))
    client = nextech.client(clock)

    result = client.send_payment(client.prepare_payment(REQUEST), send_by=clock.monotonic() - 0.001)

    assert result.outcome is NOT_EXECUTED
    assert nextech.requests == []


def test_token_and_limiter_come_before_the_send_budget_is_spent_on_a_connection(clock: FakeClock) -> None:
    steps = []
    nextech = ScriptedNextech(lambda _: steps.append("post") or json_answer(201, CREATED))
    nextech.on_login = lambda _: steps.append("login") or httpx.Response(200, json={"access_token": "a", "expires_in": 60})

    class Noting(NoLimit):
        def acquire(self, _user: str, endpoint: str) -> None:
            steps.append(endpoint)

    client = nextech.client(clock, Noting())
    client.send_payment(client.prepare_payment(REQUEST), send_by=clock.monotonic() + 5)

    assert steps == ["login", "POST /Patient/{id}/PaymentReconciliation", "post"]


def test_a_limiter_that_takes_too_long_leaves_nothing_sent(clock: FakeClock) -> None:
    class Slow(NoLimit):
        def acquire(self, _user: str, _endpoint: str) -> None:
            clock.advance(seconds=6)

    nextech = ScriptedNextech(lambda _: json_answer(201, CREATED))
    client = nextech.client(clock, Slow())

    result = client.send_payment(client.prepare_payment(REQUEST), send_by=clock.monotonic() + 5)

    assert result.outcome is NOT_EXECUTED
    assert nextech.requests == []


def test_the_posting_carries_exactly_the_documented_fields(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(201, CREATED))
    client = nextech.client(clock)
    prepared = client.prepare_payment(REQUEST)
    client.send_payment(prepared, send_by=clock.monotonic() + 5)

    [request] = nextech.requests
    assert request.content == prepared.body
    assert request.url.path == f"/api/Patient/{GUID}/PaymentReconciliation"
    assert request.headers["nx-practice-id"]
    assert request.headers["authorization"] == "Bearer access-1"
    document = json.loads(request.content)
    base = "https://select.nextech-api.com/api/structuredefinition/"
    assert document == {
        "resourceType": "PaymentReconciliation",
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/location", "valueReference": {"reference": "Location/3"}},
            {"url": f"{base}payment-date", "valueDateTime": "2026-01-05T17:00:00.000Z"},
            {"url": f"{base}payment-method", "valueString": "Charge"},
            {"url": f"{base}payment-category", "valueString": "WEB - Online Store"},
            {"url": f"{base}creditcard-type", "valueString": "Visa"},
            {"url": f"{base}apply-payment", "valueBoolean": False},
        ],
        "requestProvider": {"reference": "Practitioner/9107"},
        "total": {"value": 129.99},
        "processNote": [{"type": {"coding": [{"system": "NoteType", "code": "display"}]}, "text": REQUEST.note}],
    }


@pytest.mark.parametrize(
    ("cents", "text"), [(1, b"0.01"), (10, b"0.10"), (100, b"1.00"), (12_999, b"129.99"), (123_456_789, b"1234567.89")]
)
def test_the_amount_is_written_as_exact_decimal_text(cents: int, text: bytes, clock: FakeClock) -> None:
    client = ScriptedNextech(lambda _: httpx.Response(500)).client(clock)
    body = client.prepare_payment(replace(REQUEST, amount_cents=cents)).body
    assert body.endswith(b'"total": {"value": ' + text + b"}}")
    assert json.loads(body)


def test_the_same_request_freezes_to_the_same_bytes(clock: FakeClock) -> None:
    client = ScriptedNextech(lambda _: httpx.Response(500)).client(clock)
    first, second = client.prepare_payment(REQUEST), client.prepare_payment(REQUEST)
    assert (first.body, first.sha256) == (second.body, second.sha256)
    assert first.sha256 != client.prepare_payment(replace(REQUEST, amount_cents=1)).sha256


def test_without_a_known_card_the_type_is_left_out(clock: FakeClock) -> None:
    client = ScriptedNextech(lambda _: httpx.Response(500)).client(clock)
    assert b"creditcard-type" not in client.prepare_payment(replace(REQUEST, card_type=None)).body


@pytest.mark.parametrize(
    "change",
    [
        {"amount_cents": 0},
        {"amount_cents": -1},
        {"note": REQUEST.marker + "x" * 255},
        {"note": "without the marker"},
        {"marker": ""},
        {"patient_id": "20417"},
        {"patient_id": "../Patient"},
        {"payment_instant": datetime(2026, 1, 5, 17)},  # noqa: DTZ001 - the point of the row
    ],
)
def test_an_impossible_posting_is_never_prepared(change: dict, clock: FakeClock) -> None:
    client = ScriptedNextech(lambda _: httpx.Response(500)).client(clock)
    with pytest.raises(ValueError, match="posting"):
        client.prepare_payment(replace(REQUEST, **change))


def test_a_refused_token_is_renewed_and_the_posting_left_to_the_caller(clock: FakeClock) -> None:
    answers = [httpx.Response(401), json_answer(201, CREATED)]
    nextech = ScriptedNextech(lambda _: answers.pop(0))
    client = nextech.client(clock)
    prepared = client.prepare_payment(REQUEST)

    first = client.send_payment(prepared, send_by=clock.monotonic() + 5)
    assert (first.outcome, first.reason, first.is_login_refused) == (NOT_EXECUTED, "token renewed, try again", False)
    assert len(nextech.requests) == 1

    second = client.send_payment(prepared, send_by=clock.monotonic() + 5)
    assert second.outcome is EXECUTED
    assert [request.headers["authorization"] for request in nextech.requests] == ["Bearer access-1", "Bearer access-2"]


def test_a_renewed_token_that_is_refused_again_stops_the_run(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: httpx.Response(523))
    client = nextech.client(clock)
    prepared = client.prepare_payment(REQUEST)

    assert not client.send_payment(prepared, send_by=clock.monotonic() + 5).is_login_refused
    again = client.send_payment(prepared, send_by=clock.monotonic() + 5)
    assert again.is_login_refused
    assert again.outcome is NOT_EXECUTED
    assert len(nextech.logins) == 2


def test_a_login_that_is_refused_means_nothing_was_sent(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(201, CREATED))
    nextech.on_login = lambda _: json_answer(400, {"error": "invalid_grant", "error_description": "body-canary"})
    client = nextech.client(clock)

    result = client.send_payment(client.prepare_payment(REQUEST), send_by=clock.monotonic() + 5)

    assert (result.outcome, result.is_login_refused) == (NOT_EXECUTED, True)
    assert nextech.requests == []
    assert "canary" not in repr(result)


def test_a_token_server_that_is_down_means_nothing_was_sent(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(201, CREATED))
    nextech.on_login = lambda _: html(503)
    client = nextech.client(clock)

    result = client.send_payment(client.prepare_payment(REQUEST), send_by=clock.monotonic() + 500)

    assert (result.outcome, result.is_login_refused) == (NOT_EXECUTED, False)
    assert nextech.requests == []
