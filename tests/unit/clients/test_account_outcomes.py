"""What an answer to a new account proves, and what the request carries."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import httpx
import pytest

from order_sync.patients import NewPatient
from order_sync.payments import PostOutcome
from tests.clocks import FakeClock
from tests.unit.clients.scripted import GUID, ScriptedNextech, json_answer

EXECUTED, NOT_EXECUTED, UNKNOWN = PostOutcome.EXECUTED, PostOutcome.NOT_EXECUTED, PostOutcome.UNKNOWN
NEW = NewPatient("Ana", "Ruiz", "ana@mail.example", "(305) 555-0142", date(1988, 4, 19), "33130")
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"details": {"text": "body-canary Ana"}}]}
MESSAGE = {"Message": "body-canary Ana"}
HTML = httpx.Response(200, content=b"<html>body-canary</html>", headers={"content-type": "text/html"})


def html(status: int) -> httpx.Response:
    return httpx.Response(status, content=b"<html>body-canary</html>", headers={"content-type": "text/html"})


ACCOUNT = {"resourceType": "Patient", "id": GUID.upper(), "birthDate": "1988-04-19"}


@pytest.mark.parametrize(
    ("answer", "outcome", "is_duplicate"),
    [
        pytest.param(json_answer(201, ACCOUNT), EXECUTED, False, id="201 with the GUID"),
        pytest.param(json_answer(200, {"resourceType": "Patient", "id": GUID}), EXECUTED, False, id="200 with the GUID alone"),
        pytest.param(json_answer(201, {**ACCOUNT, "id": "20417"}), UNKNOWN, False, id="an id that is no GUID"),
        pytest.param(json_answer(201, {**ACCOUNT, "birthDate": "1990-01-01"}), UNKNOWN, False, id="another birth date"),
        pytest.param(json_answer(201, {"resourceType": "Patient"}), UNKNOWN, False, id="without an id"),
        pytest.param(html(200), UNKNOWN, False, id="a page"),
        pytest.param(json_answer(409, OUTCOME), NOT_EXECUTED, True, id="409 of the API"),
        pytest.param(html(409), UNKNOWN, True, id="409 of somebody"),
        pytest.param(json_answer(400, OUTCOME), NOT_EXECUTED, False, id="400 of the API"),
        pytest.param(html(500), UNKNOWN, False, id="500"),
        pytest.param(httpx.ReadTimeout("x"), UNKNOWN, False, id="no answer"),
    ],
)
def test_each_answer_to_a_new_account_has_its_outcome(
    answer: httpx.Response | Exception, outcome: PostOutcome, is_duplicate: bool, clock: FakeClock
) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = ScriptedNextech(handler).client(clock).create_patient(NEW, send_by=clock.monotonic() + 5)

    assert (result.outcome, result.is_duplicate) == (outcome, is_duplicate)
    if outcome is EXECUTED:
        assert result.created_id == GUID


def test_a_new_account_carries_the_required_fields_and_the_practices_codes(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: json_answer(201, ACCOUNT))
    new = replace(NEW, suffix="Jr", referral_source_id="311", patient_status="patient", patient_type_id="4")
    nextech.client(clock).create_patient(new, send_by=clock.monotonic() + 5)

    [request] = nextech.requests
    document = json.loads(request.content)
    assert request.url.path == "/api/Patient/"
    assert document["name"] == [{"use": "official", "family": "Ruiz", "given": ["Ana"], "suffix": ["Jr"]}]
    assert document["address"] == [{"use": "home", "postalCode": "33130"}]
    assert document["birthDate"] == "1988-04-19"
    assert {entry["system"]: entry["value"] for entry in document["telecom"]} == {
        "phone": "(305) 555-0142",
        "email": "ana@mail.example",
    }
    codes = {entry["url"].rpartition("/")[2]: entry for entry in document["extension"]}
    assert codes["referral-source"]["valueReference"]["reference"] == "referral-source/311"
    assert codes["patient-type"]["valueReference"]["reference"] == "patient-type/4"
    assert codes["patient-status"]["valueString"] == "patient"
