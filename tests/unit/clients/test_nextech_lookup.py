"""Looking patients up as a person does: by how names begin, and never more than a person can look through."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from order_sync.clients.nextech_paging import TooManyRowsError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import GUID, OTHER_GUID, ScriptedNextech, asked, bundle, patient_row

MANY = [patient_row(str(uuid.UUID(int=number, version=4))) for number in range(60)]


def test_names_are_asked_for_by_how_they_begin_and_checked_again(clock: FakeClock) -> None:
    name = {"use": "official", "family": "Ruizdaël", "given": ["Ana"]}
    rows = [patient_row(GUID) | {"name": [name]}, patient_row(OTHER_GUID) | {"name": [{**name, "family": "Prado"}]}]
    nextech = ScriptedNextech(lambda _: bundle(*rows, total=2))
    found = nextech.client(clock).look_up_patients(family=" RUIZDAE", given="a", birth_date=date(1988, 4, 19), most=50)

    [request] = nextech.requests
    assert asked(request) == {"family": "RUIZDAE", "given": "a", "birthdate": "1988-04-19", "_count": "50"}
    assert [patient.patient_id for patient in found] == [GUID]


def test_another_birth_date_does_not_fit(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(patient_row(GUID) | {"birthDate": "1950-01-02"}, total=1))
    assert nextech.client(clock).look_up_patients(birth_date=date(1950, 1, 3), most=50) == []


def test_a_total_that_is_too_large_is_believed_at_once(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(*MANY[:50], total=51))
    with pytest.raises(TooManyRowsError):
        nextech.client(clock).look_up_patients(family="Ru", most=50)
    assert len(nextech.requests) == 1


def test_without_a_total_the_rows_are_counted(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(*MANY))
    with pytest.raises(TooManyRowsError):
        nextech.client(clock).look_up_patients(family="Ru", most=50)


def test_as_many_as_are_wanted_are_not_too_many(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(*MANY[:50], total=50))
    assert len(nextech.client(clock).look_up_patients(birth_date=None, family="R", most=50)) == 50


@pytest.mark.parametrize("name", ["", "x" * 300, "a\x00b"])
def test_a_lookup_that_asks_for_nothing_is_no_search_for_everybody(name: str, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(*MANY, total=60))
    with pytest.raises(ValueError, match="at least one criterion"):
        nextech.client(clock).look_up_patients(family=name, most=50)
    assert nextech.requests == []
