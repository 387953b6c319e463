"""A search for many customers at once finds for each what a search alone would, whatever the server makes of lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_sync.candidates import find_candidates, find_charts
from order_sync.desk import one_by_one
from order_sync.matching import AskPerson, Match, NoMatch, match_patient
from order_sync.normal_forms import normalise_email, normalise_phone
from order_sync.patients import Patient
from order_sync.reasons import Reason
from tests.unit.situations import OTHER_PATIENT_ID, PATIENT_ID, a_customer, a_patient, a_practice
from tests.unit.test_matching_laws import charts, customers

PRACTICE = a_practice()
UNDERSTANDS: dict[str, Callable[[Sequence[str]], Sequence[str]]] = {
    "knows lists": lambda values: values,
    "keeps the first value": lambda values: values[:1],
    "keeps the last value": lambda values: values[-1:],
    "finds nothing by a list": lambda values: values if len(values) == 1 else (),
}


@dataclass
class Nextech:
    """Answers as the client does: a chart is shown with a value that was asked for; a private one only when asked alone."""

    patients: Sequence[Patient]
    understood: Callable[[Sequence[str]], Sequence[str]]
    private: frozenset[str] = frozenset()
    searches: int = 0

    def search_patients(self, **asked: Sequence[str]) -> list[Patient]:
        self.searches += 1
        [(what, values)] = asked.items()
        wanted = set(self.understood(values))
        found = [patient for patient in self.patients if wanted & self._values(patient, what)]
        shown = [self._as_shown(patient) for patient in found]
        return [patient for patient in shown if len(values) == 1 or wanted & self._values(patient, what)]

    def _as_shown(self, patient: Patient) -> Patient:
        return replace(patient, email=None, phones=()) if patient.patient_id in self.private else patient

    @staticmethod
    def _values(patient: Patient, what: str) -> set[str | None]:
        match what:
            case "emails":
                return {normalise_email(patient.email)}
            case "phones":
                return {normalise_phone(phone) for phone in patient.phones}
            case _:
                return {patient.patient_id}


def a_desk(nextech: Nextech) -> Any:
    return SimpleNamespace(practice=PRACTICE, nextech=nextech, fan_out=one_by_one)


@settings(deadline=None)
@given(
    st.lists(customers, max_size=6),
    st.lists(charts, max_size=8),
    st.sampled_from(sorted(UNDERSTANDS)),
    st.booleans(),
    st.data(),
)
def test_a_wrong_candidate_never_comes_from_batching(people, patients, way, is_to_decide, data):
    private = frozenset(chart.patient_id for chart in patients if data.draw(st.booleans()))
    together = a_desk(Nextech(patients, UNDERSTANDS[way], private))
    alone = a_desk(Nextech(patients, UNDERSTANDS["knows lists"], private))
    for customer, found in zip(people, find_candidates(together, people, is_to_decide=is_to_decide), strict=True):
        [expected] = find_candidates(alone, [customer])
        assert found is not None
        assert expected is not None
        assert {chart.patient_id for chart in found} <= {chart.patient_id for chart in expected}
        decision, alone_decision = (match_patient(customer, those, PRACTICE) for those in (found, expected))
        if isinstance(decision, AskPerson):
            # A chart that hides its contacts is shown to the person by the page, which searches alone.
            assert isinstance(alone_decision, AskPerson)
            assert (decision.reason, decision.level) == (alone_decision.reason, alone_decision.level)
            assert private.issuperset(set(alone_decision.candidate_ids) - set(decision.candidate_ids))
        elif isinstance(decision, Match):
            assert decision == alone_decision
        else:  # searched again alone, before anything is made of it
            assert not isinstance(alone_decision, Match)


def test_a_chart_that_names_and_address_give_away_is_not_searched_for_by_phone():
    nextech = Nextech([a_patient()], UNDERSTANDS["knows lists"])
    find_candidates(a_desk(nextech), [a_customer()], is_to_decide=True)
    assert nextech.searches == 1
    find_candidates(a_desk(nextech), [a_customer()])
    assert nextech.searches == 3


@pytest.mark.parametrize("way", sorted(UNDERSTANDS))
def test_a_chart_that_was_merged_or_is_out_of_use_counts_as_gone(way):
    merged = a_patient(OTHER_PATIENT_ID, is_active=False)
    gone = "22222222-9b1d-4c22-8e57-1f0a6d2b9c44"
    desk = a_desk(Nextech([a_patient(), merged], UNDERSTANDS[way]))
    expected = {PATIENT_ID: True, OTHER_PATIENT_ID: False, gone: False}
    assert find_charts(desk, [PATIENT_ID, OTHER_PATIENT_ID, gone]) == expected
    assert {one: found for name in expected for one, found in find_charts(desk, [name]).items()} == expected


def test_a_chart_out_of_use_is_never_matched_and_asked_about_only_when_it_alone_fits():
    old = a_patient(OTHER_PATIENT_ID, is_active=False)
    alone = match_patient(a_customer(), [old], PRACTICE)
    assert isinstance(alone, AskPerson)
    assert (alone.reason, alone.candidate_ids) == (Reason.PATIENT_GONE, (OTHER_PATIENT_ID,))
    beside = match_patient(a_customer(), [old, a_patient()], PRACTICE)
    assert isinstance(beside, Match)
    assert (beside.patient_id, beside.candidates) == (PATIENT_ID, 1)
    stranger = replace(old, first="Pedro", last="Gomez", email="other@mail.example")
    assert isinstance(match_patient(a_customer(), [stranger], PRACTICE), NoMatch)
