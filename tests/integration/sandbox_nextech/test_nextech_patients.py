"""How a patient is created and changed from outside (contract 4.3 and 4.4)."""

from __future__ import annotations

import pytest

from sandbox.nextech.resources import SD
from tests.integration.sandbox_nextech.desk import ANA, Desk, Wall, patient_body


def test_a_new_patient_is_created_with_what_was_sent(desk: Desk) -> None:
    answer = desk.create()
    assert answer.status_code == 201
    created = answer.json()
    assert desk.get(f"/Patient/{created['id']}").json() == created
    assert created["name"][0]["given"] == ["Eva", ""]
    assert created["identifier"][1]["use"] == "usual"
    assert desk.ids("Patient", "email:exact=eva@novak.example") == {created["id"]}
    desk.switch(patient_status=200)
    assert desk.create(name=[{"use": "official", "family": "Other", "given": ["Eva"]}]).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"name": [{"use": "usual", "family": "Novak", "given": ["Eva"]}]},
        {"name": [{"use": "official", "family": "Novak"}]},
        {"telecom": [{"system": "email", "value": "eva@novak.example"}]},
        {"telecom": [{"system": "phone", "use": "mobile", "value": "(305) 555-0177"}]},
        {"birthDate": None},
        {"birthDate": "03.02.1990"},
        {"address": [{"city": "Miami"}]},
        {"extension": [{"url": SD + "referral-source", "valueReference": {"reference": "referral-source/9"}}]},
        {"resourceType": "Person"},
    ],
)
def test_a_new_patient_that_lacks_something_is_refused(desk: Desk, changes: dict) -> None:
    assert desk.create(**changes).status_code == 400
    assert desk.ids("Patient", "family=Novak") == set()


def test_an_unknown_referral_source_may_be_blanked(desk: Desk) -> None:
    desk.switch(invalid_value="blank")
    unknown = [{"url": SD + "referral-source", "valueReference": {"reference": "referral-source/9"}}]
    created = desk.create(extension=unknown).json()
    assert not any(entry["url"].endswith("referral-source") for entry in created["extension"])


def test_the_same_patient_again_is_a_conflict_that_does_not_say_who(desk: Desk) -> None:
    first = desk.create().json()["id"]
    loud = patient_body(name=[{"use": "official", "family": "NOVAK", "given": ["eva"]}])
    answer = desk.create(**loud)
    assert answer.status_code == 409
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert first not in answer.text
    desk.switch(conflict_names_patient=True)
    assert first in desk.create().text
    other = [{"system": "phone", "value": "(305) 555-0177", "use": "home"}, {"system": "email", "value": "eva2@novak.example"}]
    assert desk.create(telecom=other).status_code == 201


def test_a_new_patient_stays_invisible_for_a_while_but_is_a_duplicate_at_once(desk: Desk, wall: Wall) -> None:
    desk.switch(read_delay_seconds=30)
    desk.create()
    assert desk.ids("Patient", "family=Novak") == set()
    assert desk.create().status_code == 409
    wall.wait(31)
    assert len(desk.ids("Patient", "family=Novak")) == 1


def test_an_update_ignores_the_name_and_skips_what_is_invalid(desk: Desk) -> None:
    body = {
        "resourceType": "Patient",
        "identifier": [{"use": "official", "value": ANA.upper()}],
        "name": [{"use": "official", "family": "Changed", "given": ["Name"]}],
        "telecom": [{"system": "phone", "value": "(305) 555-0199", "use": "mobile"}],
        "extension": [{"url": SD + "referral-source", "valueReference": {"reference": "referral-source/9"}}],
    }
    answer = desk.client.put("/nextech/api/Patient/", json=body)
    assert answer.status_code == 200
    patient = desk.get(f"/Patient/{ANA}").json()
    assert patient["name"][0]["family"] == "Smith"
    assert {"system": "phone", "use": "mobile", "value": "(305) 555-0199", "rank": 1} in patient["telecom"]
    assert not any(entry["url"].endswith("referral-source") for entry in patient["extension"])
    body["identifier"] = [{"use": "official", "value": "nobody"}]
    assert desk.client.put("/nextech/api/Patient/", json=body).status_code == 404
