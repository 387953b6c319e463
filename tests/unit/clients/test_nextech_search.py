"""Searching for patients: in few requests, complete, and checked again on our side."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from tests.clocks import FakeClock
from tests.unit.clients.scripted import (
    GUID,
    OPERATION_OUTCOME,
    OTHER_GUID,
    ScriptedNextech,
    asked,
    bundle,
    json_answer,
    patient_row,
)


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
