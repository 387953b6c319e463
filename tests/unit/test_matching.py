"""The table of examples of design section 5: a changed rule must change a row here."""

from __future__ import annotations

import json
from datetime import date

import pytest

from order_sync.evidence import Agreement
from order_sync.matching import RULE_VERSION, AskPerson, Match, NoMatch, match_patient
from order_sync.reasons import Reason
from tests.unit.situations import OTHER_PATIENT_ID, PATIENT_ID, a_customer, a_patient, a_practice

NO_PHONE: dict = {"phones": ()}
OTHER_PHONE: dict = {"phones": ("(305) 555-0199",)}
NO_EMAIL: dict = {"email": None}
OTHER_EMAIL: dict = {"email": "ruiz.family@mail.example"}
NO_BIRTH_DATE: dict = {"birth_date": None}
OTHER_BIRTH_DATE: dict = {"birth_date": date(1961, 2, 3)}
THIRD_PATIENT_ID = "22222222-9b1d-4c22-8e57-1f0a6d2b9c44"


def decide(*charts, customer=None, practice=None):
    return match_patient(customer or a_customer(), charts, practice or a_practice())


@pytest.mark.parametrize(
    ("level", "chart"),
    [
        pytest.param(1, {}, id="all equal"),
        pytest.param(1, {"first": "ANA ", "last": "Ruíz", "email": "Ana.Ruiz@Mail.Example"}, id="all equal but for the typing"),
        pytest.param(1, NO_BIRTH_DATE | {"postal_code": None}, id="nothing but the four"),
        pytest.param(1, {"postal_code": "90210"}, id="moved away: a ZIP alone never blocks"),
        pytest.param(1, {"phones": ("(305) 555-0199", "305.555.0142")}, id="one of several phones"),
        pytest.param(2, NO_PHONE, id="phone private"),
        pytest.param(2, OTHER_PHONE, id="other phone"),
        pytest.param(3, NO_EMAIL, id="e-mail private"),
        pytest.param(3, OTHER_EMAIL, id="other e-mail"),
        pytest.param(3, {"email": "no@email"}, id="placeholder for the e-mail"),
        pytest.param(4, {"last": "Ruis"}, id="one edit in the last name"),
        pytest.param(4, {"first": "A."} | NO_EMAIL, id="initial"),
        pytest.param(4, {"first": "Ruiz", "last": "Ana"}, id="names swapped"),
        pytest.param(4, {"last": "Ruiz-Gomez"} | OTHER_PHONE, id="compound last name"),
        pytest.param(4, {"first": "Ana Maria"} | NO_PHONE, id="compound first name"),
        pytest.param(4, {"first": "Mariana", "nickname": "Ana"}, id="the chart's own nickname"),
        pytest.param(5, {"last": "Gomez"}, id="married name"),
        pytest.param(5, {"first": "A", "last": "Gomez"} | NO_EMAIL, id="married name and an initial"),
        pytest.param(5, {"last": None} | NO_PHONE, id="last name private, birth date equal"),
        pytest.param(5, {"last": "-"} | NO_EMAIL, id="last name a dash, birth date equal"),
        pytest.param(1, {"birth_date": date(1988, 4, 18)}, id="a digit of the day"),
        pytest.param(2, {"birth_date": date(1988, 5, 19)} | NO_PHONE, id="a digit of the month"),
        pytest.param(3, {"suffix": "Jr"} | NO_EMAIL, id="a suffix on one side, the birth date confirms"),
    ],
)
def test_one_chart_on_an_automatic_level_is_the_patient(level, chart):
    decision = decide(a_patient(**chart))
    assert isinstance(decision, Match)
    assert (decision.patient_id, decision.level, decision.candidates) == (PATIENT_ID, level, 1)
    assert decision.evidence.level == level


def test_a_nickname_from_the_list_is_near():
    decision = decide(a_patient(first="Robert"), customer=a_customer(first="Bob"))
    assert isinstance(decision, Match)
    assert decision.level == 4
    assert decision.evidence.comparison.first is Agreement.NEAR


def test_a_first_name_that_the_chart_keeps_in_two_fields_is_equal():
    decision = decide(a_patient(first="Ana", middle="Maria"), customer=a_customer(first="Ana María"))
    assert isinstance(decision, Match)
    assert decision.level == 1


@pytest.mark.parametrize(
    ("reason", "level", "detail", "chart"),
    [
        pytest.param(Reason.NAME_DIFFERS, 6, "last name", {"last": "Gomez"} | NO_BIRTH_DATE, id="new last name, no birth date"),
        pytest.param(
            Reason.NAME_DIFFERS, 6, "last name", {"last": "Gomez"} | OTHER_BIRTH_DATE, id="new last name, other birth"
        ),
        pytest.param(
            Reason.NAME_DIFFERS, 6, "last name", {"last": "Gomez", "birth_date": date(1900, 1, 1)}, id="birth date placeholder"
        ),
        pytest.param(Reason.NAME_DIFFERS, 6, "last name", {"last": "Gomez"} | NO_EMAIL | NO_BIRTH_DATE, id="by phone alone"),
        pytest.param(Reason.NAME_DIFFERS, 7, "first name", {"first": "Pedro"} | NO_PHONE, id="a shared address"),
        pytest.param(Reason.NAME_DIFFERS, 7, "first name", {"first": "Elena"}, id="twins with one address and phone"),
        pytest.param(Reason.NAME_DIFFERS, 7, "first name", {"first": "Pedro", "last": "Gomez"}, id="address handed on"),
        pytest.param(Reason.NAME_DIFFERS, 7, "first name", {"first": "Pedro", "middle": "Ana"}, id="a middle name alone"),
        pytest.param(Reason.NAME_MISSING, None, "in Nextech", {"first": None}, id="first name private"),
        pytest.param(Reason.NAME_MISSING, None, "in Nextech", {"last": "-"} | NO_EMAIL | NO_BIRTH_DATE, id="last name a dash"),
        pytest.param(Reason.NAME_MISSING, None, "in Nextech", {"last": None, "first": "A"}, id="last name private, an initial"),
        pytest.param(
            Reason.NAME_MISSING,
            None,
            "in Nextech",
            {"last": None, "birth_date": date(1988, 4, 18)},
            id="no last name, other day",
        ),
        pytest.param(Reason.NAME_MISSING, None, "in Nextech", {"first": "Unknown", "last": "Gomez"}, id="other name differs"),
        pytest.param(Reason.BIRTH_DATE_DIFFERS, 1, None, OTHER_BIRTH_DATE, id="blocked on level 1"),
        pytest.param(Reason.BIRTH_DATE_DIFFERS, 2, None, OTHER_BIRTH_DATE | NO_PHONE, id="blocked on level 2"),
        pytest.param(Reason.BIRTH_DATE_DIFFERS, 3, None, OTHER_BIRTH_DATE | NO_EMAIL, id="blocked on level 3"),
        pytest.param(Reason.BIRTH_DATE_DIFFERS, 4, None, OTHER_BIRTH_DATE | {"last": "Ruis"}, id="blocked on level 4"),
        pytest.param(Reason.BIRTH_DATE_DIFFERS, 1, None, {"birth_date": date(1989, 4, 19)}, id="a digit of the year"),
        pytest.param(
            Reason.BIRTH_DATE_DIFFERS, 4, None, {"birth_date": date(1988, 4, 18), "last": "Ruis"}, id="two slips, day and name"
        ),
        pytest.param(
            Reason.NAME_DIFFERS, 1, "only one side says the suffix", {"suffix": "Jr"} | NO_BIRTH_DATE, id="father or son"
        ),
        pytest.param(
            Reason.NAME_DIFFERS, 4, "the first name is an initial", {"first": "A"} | NO_BIRTH_DATE, id="an initial alone"
        ),
        pytest.param(Reason.POSSIBLE_EXISTING_PATIENT, 8, None, {"first": "Elena"} | NO_EMAIL, id="twins with one phone"),
        pytest.param(
            Reason.POSSIBLE_EXISTING_PATIENT,
            None,
            None,
            OTHER_EMAIL | OTHER_PHONE,
            id="same names and birth date, nothing else",
        ),
        pytest.param(
            Reason.POSSIBLE_EXISTING_PATIENT, None, None, NO_EMAIL | NO_PHONE, id="same names and birth date, the rest private"
        ),
    ],
)
def test_one_chart_that_a_person_has_to_judge(reason, level, detail, chart):
    decision = decide(a_patient(**chart))
    assert isinstance(decision, AskPerson)
    assert (decision.reason, decision.level, decision.detail) == (reason, level, detail)
    assert decision.candidate_ids == (PATIENT_ID,)
    assert len(decision.evidence) == 1


@pytest.mark.parametrize(("ours", "theirs"), [("Jr", "Sr"), ("III", "Jr."), ("2nd", "3rd")])
@pytest.mark.parametrize("is_in_the_name", [False, True])
def test_another_generation_blocks(ours, theirs, is_in_the_name):
    chart = a_patient(last=f"Ruiz {theirs}") if is_in_the_name else a_patient(suffix=theirs)
    decision = decide(chart, customer=a_customer(suffix=ours))
    assert isinstance(decision, AskPerson)
    assert (decision.reason, decision.level) == (Reason.SUFFIX_DIFFERS, 1)


def test_a_married_name_is_blocked_by_another_generation_too():
    decision = decide(a_patient(last="Gomez", suffix="Sr"), customer=a_customer(suffix="Jr"))
    assert isinstance(decision, AskPerson)
    assert (decision.reason, decision.level) == (Reason.SUFFIX_DIFFERS, 5)


@pytest.mark.parametrize("second", ["Jordan", "Elena"])
@pytest.mark.parametrize(("first", "twin"), [("Jayden", "Kayden"), ("Erin", "Eric"), ("Brandon", "Braydon"), ("Lena", "Lina")])
@pytest.mark.parametrize("contact", [{}, NO_EMAIL, NO_PHONE])
def test_a_twin_whose_name_is_one_letter_apart_is_asked_about(first, twin, contact, second):
    charts = [a_patient(first=twin, **contact), a_patient(OTHER_PATIENT_ID, first=second, birth_date=date(1950, 1, 2))]
    decision = decide(*charts, customer=a_customer(first=first))
    assert isinstance(decision, AskPerson)
    assert PATIENT_ID in decision.candidate_ids


def test_two_second_names_are_two_people():
    chart = a_patient(first="Ana", middle="Sofia")
    assert isinstance(decide(chart, customer=a_customer(first="Ana Maria")), AskPerson)
    assert isinstance(decide(chart, customer=a_customer(first="Ana S")), Match)


def test_day_and_month_in_each_others_place_do_not_contradict_where_both_names_are_equal():
    chart, customer = a_patient(birth_date=date(1988, 4, 7)), a_customer(birth_date=date(1988, 7, 4))
    decision = decide(chart, customer=customer)
    assert isinstance(decision, Match)
    assert decision.evidence.comparison.birth_date is Agreement.NEAR


@pytest.mark.parametrize(
    ("level", "chart"),
    [
        pytest.param(8, {"first": "Pedro"} | NO_EMAIL | OTHER_BIRTH_DATE, id="household: same phone and last name"),
        pytest.param(8, {"first": "Pedro", "last": "Ruis"} | OTHER_EMAIL | NO_BIRTH_DATE, id="household with a typing error"),
        pytest.param(9, {"first": "Pedro", "last": "Gomez"} | OTHER_EMAIL, id="only the phone"),
        pytest.param(None, {"first": "Pedro", "last": "Gomez"} | OTHER_EMAIL | OTHER_PHONE, id="nothing in common"),
        pytest.param(None, {"first": "Pedro"} | OTHER_EMAIL | OTHER_PHONE, id="birth date and last name alone"),
        pytest.param(None, OTHER_EMAIL | OTHER_PHONE | NO_BIRTH_DATE, id="a namesake"),
        pytest.param(None, NO_EMAIL | NO_PHONE | OTHER_BIRTH_DATE, id="a namesake with another birth date"),
        pytest.param(None, {"phones": ("(305) 555-0100",), "last": "Gomez"} | NO_EMAIL, id="only the practice's own phone"),
        pytest.param(None, {"first": None, "last": None} | OTHER_EMAIL | OTHER_PHONE, id="a nameless stranger"),
    ],
)
def test_one_chart_that_is_somebody_else(level, chart):
    decision = decide(a_patient(**chart))
    assert isinstance(decision, NoMatch)
    assert decision.evidence.level == level


def test_a_namesake_of_another_generation_with_the_same_birth_date_is_not_asked_about():
    chart = a_patient(suffix="Sr", **(OTHER_EMAIL | OTHER_PHONE))
    assert isinstance(decide(chart, customer=a_customer(suffix="Jr")), NoMatch)


def test_nobody_found_is_no_match():
    decision = decide()
    assert isinstance(decision, NoMatch)
    assert (decision.evidence.level, decision.evidence.candidates) == (None, 0)


def test_the_practices_phone_on_both_sides_brings_nobody_together():
    shared = a_patient(phones=("(305) 555-0100",), email=None, birth_date=None)
    assert isinstance(decide(shared, customer=a_customer(phone="(305) 555-0100")), NoMatch)


@pytest.mark.parametrize("name", [{"first": None}, {"last": ""} | NO_BIRTH_DATE, {"first": "Guest", "last": "-"}])
def test_an_order_without_a_name_asks_when_somebody_shares_its_address(name):
    decision = decide(a_patient(), customer=a_customer(**name))
    assert isinstance(decision, AskPerson)
    assert (decision.reason, decision.detail) == (Reason.NAME_MISSING, "in the order")


def test_an_order_without_a_name_that_nobody_shares_anything_with_is_no_match():
    decision = decide(a_patient(**(OTHER_EMAIL | OTHER_PHONE)), customer=a_customer(first=None))
    assert isinstance(decision, NoMatch)


@pytest.mark.parametrize(
    ("winner", "one", "other"),
    [
        pytest.param("one", {}, OTHER_BIRTH_DATE, id="birth dates tell mother and daughter apart"),
        pytest.param("one", {"postal_code": "90210"}, OTHER_BIRTH_DATE, id="a birth date outweighs a ZIP"),
        pytest.param(
            "one",
            NO_BIRTH_DATE | {"suffix": "Jr"},
            NO_BIRTH_DATE | {"suffix": "Sr", "postal_code": "90210"},
            id="suffixes, the ZIP too",
        ),
        pytest.param("one", NO_BIRTH_DATE | {"suffix": "Jr"}, NO_BIRTH_DATE | {"suffix": "Sr"}, id="suffixes, the ZIP equal"),
        pytest.param("one", {}, NO_BIRTH_DATE | {"postal_code": "90210"}, id="one by birth date, the other out by ZIP"),
        pytest.param(None, {}, {}, id="two charts of one person"),
        pytest.param(None, {}, {"birth_date": date(1988, 4, 18)}, id="two charts of one person, a slip in one"),
        pytest.param(None, {}, {"postal_code": "90210"}, id="two charts of one person who moved"),
        pytest.param(None, {}, NO_BIRTH_DATE | {"postal_code": None}, id="one confirmed, the other silent"),
        pytest.param(None, {}, NO_BIRTH_DATE, id="one by birth date, the other by ZIP"),
        pytest.param(None, NO_BIRTH_DATE | {"postal_code": None}, OTHER_BIRTH_DATE, id="one out, the other silent"),
        pytest.param(
            None, NO_BIRTH_DATE | {"postal_code": "90210"}, NO_BIRTH_DATE | {"postal_code": "90211"}, id="both out by ZIP"
        ),
        pytest.param(None, NO_BIRTH_DATE | {"postal_code": None}, NO_BIRTH_DATE | {"postal_code": None}, id="both silent"),
    ],
)
def test_two_charts_on_the_best_level_are_told_apart_or_put_to_a_person(winner, one, other):
    decision = decide(a_patient(**one), a_patient(OTHER_PATIENT_ID, **other), customer=a_customer(suffix="Jr"))
    if winner is None:
        assert isinstance(decision, AskPerson)
        assert (decision.reason, decision.detail) == (Reason.DUPLICATED_CUSTOMER, "2 charts fit")
        assert decision.candidate_ids == (OTHER_PATIENT_ID, PATIENT_ID)
        assert [evidence.candidates for evidence in decision.evidence] == [2, 2]
    else:
        assert isinstance(decision, Match)
        assert (decision.patient_id, decision.candidates, decision.evidence.candidates) == (PATIENT_ID, 2, 2)


def test_zips_tell_two_charts_apart_where_birth_dates_and_suffixes_are_silent():
    charts = [a_patient(**NO_BIRTH_DATE), a_patient(OTHER_PATIENT_ID, postal_code="90210", **NO_BIRTH_DATE)]
    decision = decide(*charts)
    assert isinstance(decision, Match)
    assert (decision.patient_id, decision.candidates) == (PATIENT_ID, 2)


@pytest.mark.parametrize(
    ("reason", "one", "other"),
    [
        (Reason.BIRTH_DATE_DIFFERS, OTHER_BIRTH_DATE, {"birth_date": date(1990, 1, 2)}),
        (Reason.BIRTH_DATE_DIFFERS, OTHER_BIRTH_DATE, {"suffix": "Sr"}),
        (Reason.SUFFIX_DIFFERS, {"suffix": "III"}, {"suffix": "Sr"}),
    ],
)
def test_when_all_charts_of_the_best_level_are_contradicted_the_match_is_blocked(reason, one, other):
    decision = decide(a_patient(**one), a_patient(OTHER_PATIENT_ID, **other), customer=a_customer(suffix="Jr"))
    assert isinstance(decision, AskPerson)
    assert decision.reason is reason
    assert len(decision.candidate_ids) == 2


def test_the_best_level_decides_and_lower_ones_are_left_out():
    decision = decide(
        a_patient(OTHER_PATIENT_ID, **NO_PHONE), a_patient(), a_patient(THIRD_PATIENT_ID, first="Pedro"), a_patient(first=None)
    )
    assert isinstance(decision, Match)
    assert (decision.patient_id, decision.level, decision.candidates) == (PATIENT_ID, 1, 1)


def test_a_person_sees_every_doubtful_chart_but_no_household():
    charts = [
        a_patient(last="Gomez", birth_date=None),
        a_patient(OTHER_PATIENT_ID, first="Elena"),
        a_patient(THIRD_PATIENT_ID, first="Pedro", email=None, birth_date=None),
    ]
    decision = decide(*charts)
    assert isinstance(decision, AskPerson)
    assert (decision.reason, decision.level) == (Reason.NAME_DIFFERS, 6)
    assert decision.candidate_ids == (OTHER_PATIENT_ID, PATIENT_ID)
    assert [evidence.level for evidence in decision.evidence] == [7, 6]


def test_a_chart_read_twice_is_one_chart():
    decision = decide(a_patient(), a_patient(PATIENT_ID.upper()), a_patient(**NO_PHONE))
    assert isinstance(decision, Match)
    assert (decision.patient_id, decision.candidates) == (PATIENT_ID, 1)


@pytest.mark.parametrize(
    ("level", "reason", "chart"),
    [
        (1, Reason.POSSIBLE_EXISTING_PATIENT, {}),
        (2, Reason.POSSIBLE_EXISTING_PATIENT, NO_PHONE),
        (3, Reason.POSSIBLE_EXISTING_PATIENT, NO_EMAIL),
        (4, Reason.NAME_DIFFERS, {"last": "Ruis"}),
        (5, Reason.NAME_DIFFERS, {"last": "Gomez"}),
    ],
)
def test_a_practice_can_put_a_level_to_a_person(level, reason, chart):
    practice = a_practice(matching={"levels": {level: "person"}})
    decision = decide(a_patient(**chart), practice=practice)
    assert isinstance(decision, AskPerson)
    assert (decision.reason, decision.level, decision.detail) == (reason, level, f"the practice checks level {level}")
    other = a_practice(matching={"levels": {level % 5 + 1: "person", level: "match"}})
    assert isinstance(decide(a_patient(**chart), practice=other), Match)


def test_evidence_is_kept_without_any_value():
    decision = decide(a_patient(phones=(), birth_date=None, suffix="Jr"), customer=a_customer(suffix="Jr"))
    assert decision.evidence.as_json() == {
        "level": 2,
        "candidates": 1,
        "rule_version": RULE_VERSION,
        "email": "equal",
        "phone": "unknown",
        "first": "equal",
        "last": "equal",
        "is_first_an_initial": False,
        "are_names_swapped": False,
        "birth_date": "unknown",
        "suffix": "equal",
        "is_suffix_said_once": False,
        "postal_code": "equal",
    }
    assert json.loads(json.dumps(decision.evidence.as_json())) == decision.evidence.as_json()


def test_no_decision_shows_a_value_of_anybody():
    for charts in [(a_patient(),), (a_patient(), a_patient(OTHER_PATIENT_ID)), (a_patient(first="Pedro"),), ()]:
        shown = repr(decide(*charts)).casefold()
        assert not any(value in shown for value in ("ana", "ruiz", "mail.example", "555", "1988", "33130", "miami", "pedro"))
