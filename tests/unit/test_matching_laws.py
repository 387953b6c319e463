"""What holds of matching for any customer and any charts, and not only in the table of examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from order_sync.evidence import Agreement, Comparison
from order_sync.matching import (
    AskPerson,
    Match,
    NoMatch,
    Rung,
    compare,
    decide,
    find_rung,
    match_patient,
)
from order_sync.normal_forms import normalise_customer, normalise_patient
from order_sync.reasons import Reason
from tests.unit.situations import a_customer, a_patient, a_practice

PRACTICE = a_practice()
PRIVATE = {"email": None, "phones": (), "birth_date": None, "suffix": None, "postal_code": None, "first": None, "last": None}

firsts = st.sampled_from([None, "Ana", "Anabel", "A", "Bob", "Robert", "Pedro", "Ruiz", "Mary Ann", "Mary"])
lasts = st.sampled_from([None, "Ruiz", "Ruis", "Ruiz Gomez", "Gomez", "Ana", "Ruiz Jr"])
suffixes = st.sampled_from([None, None, "Jr", "Sr"])
emails = st.sampled_from([None, "ana.ruiz@mail.example", "ANA.RUIZ@mail.example", "other@mail.example", "no@email"])
phones = st.sampled_from(["(305) 555-0142", "305-555-0142", "(305) 555-0199", "(305) 555-0100"])
birth_dates = st.sampled_from([None, date(1988, 4, 19), date(1988, 4, 18), date(1961, 2, 3), date(1900, 1, 1)])
zips = st.sampled_from([None, "33130", "90210", "00000"])

customers = st.builds(
    a_customer,
    first=firsts,
    last=lasts,
    suffix=suffixes,
    email=emails,
    phone=st.one_of(st.none(), phones),
    birth_date=birth_dates,
    postal_code=zips,
)
charts = st.builds(
    a_patient,
    patient_id=st.uuids(version=4).map(str),
    first=firsts,
    last=lasts,
    nickname=firsts,
    middle=firsts,
    suffix=suffixes,
    email=emails,
    phones=st.lists(phones, max_size=2).map(tuple),
    birth_date=birth_dates,
    postal_code=zips,
)
some_charts = st.lists(charts, max_size=5)


@given(customers, some_charts, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_never_matters(customer, candidates, random):
    shuffled = [*candidates]
    random.shuffle(shuffled)
    assert match_patient(customer, shuffled, PRACTICE) == match_patient(customer, candidates, PRACTICE)


@given(customers, some_charts)
def test_a_candidate_with_nothing_in_common_never_changes_the_result(customer, candidates):
    stranger = a_patient(
        "ffffffff-0000-4000-8000-000000000000",
        first="Zdenka",
        last="Quist",
        email="stranger@mail.example",
        phones=("(305) 555-0177",),
        birth_date=date(1944, 12, 1),
        postal_code="60601",
    )
    assert match_patient(customer, [*candidates, stranger], PRACTICE) == match_patient(customer, candidates, PRACTICE)


@given(customers, some_charts)
def test_a_candidate_read_twice_never_changes_the_result(customer, candidates):
    assert match_patient(customer, candidates * 2, PRACTICE) == match_patient(customer, candidates, PRACTICE)


@given(customers, charts, st.sampled_from(sorted(PRIVATE)))
def test_a_value_made_private_is_never_held_against_the_chart(customer, chart, name):
    private = replace(chart, **{name: PRIVATE[name]})
    before, after = (
        compare(normalise_customer(customer, PRACTICE), normalise_patient(patient, PRACTICE)) for patient in (chart, private)
    )
    for part in ("email", "phone", "first", "last", "birth_date", "suffix", "postal_code"):
        if getattr(after, part) is Agreement.DIFFERENT and (name, part) != ("suffix", "suffix"):
            assert getattr(before, part) is Agreement.DIFFERENT
    if isinstance(match_patient(customer, [chart], PRACTICE), Match):
        assume(not (name == "suffix" and after.suffix is Agreement.DIFFERENT))  # another suffix still stands in the name
        decision = match_patient(customer, [private], PRACTICE)
        assert not isinstance(decision, AskPerson) or decision.reason not in {
            Reason.BIRTH_DATE_DIFFERS,
            Reason.SUFFIX_DIFFERS,
            Reason.DUPLICATED_CUSTOMER,
        }


@given(customers, some_charts)
def test_a_match_is_reached_by_address_or_phone_with_a_first_name_and_is_never_contradicted(customer, candidates):
    decision = match_patient(customer, candidates, PRACTICE)
    if isinstance(decision, Match):
        found = decision.evidence.comparison
        assert Agreement.EQUAL in {found.email, found.phone}
        assert found.are_names_swapped or found.first in {Agreement.EQUAL, Agreement.NEAR}
        assert found.last in {Agreement.EQUAL, Agreement.NEAR} or found.are_names_swapped or decision.level == 5
        assert Agreement.DIFFERENT not in {found.birth_date, found.suffix}


@given(customers, some_charts)
def test_two_charts_that_say_the_same_are_never_told_apart(customer, candidates):
    decision = match_patient(customer, candidates, PRACTICE)
    if isinstance(decision, Match):
        chosen = next(chart for chart in candidates if chart.patient_id == decision.patient_id)
        twin = replace(chosen, patient_id="ffffffff-0000-4000-8000-000000000000")
        doubled = match_patient(customer, [*candidates, twin], PRACTICE)
        assert isinstance(doubled, AskPerson)
        assert doubled.reason is Reason.DUPLICATED_CUSTOMER


@given(customers, some_charts)
def test_every_question_names_its_charts_in_order_with_evidence_for_each(customer, candidates):
    decision = match_patient(customer, candidates, PRACTICE)
    if isinstance(decision, AskPerson):
        assert decision.candidate_ids == tuple(sorted(set(decision.candidate_ids)))
        assert len(decision.candidate_ids) == len(decision.evidence) > 0
    else:
        assert isinstance(decision, (Match, NoMatch))


EXACT, NAMES, NAMES_OR_DATES = "edu", "endu", "endu"
LETTERS = {agreement.value[0]: agreement for agreement in Agreement}
REACHED = [("e", "e"), ("e", "du"), ("du", "e")]
TABLE = [
    # rung, e-mail, phone, first, last, birth date; e equal, n near, d different, u unknown
    *[(Rung.NEW_LAST_NAME, *reached, "e", "u", "e") for reached in REACHED],
    *[(Rung.NAME_MISSING, *reached, "e", "u", "ndu") for reached in REACHED],
    *[(Rung.NAME_MISSING, *reached, "nd", "u", "endu") for reached in REACHED],
    *[(Rung.NAME_MISSING, *reached, "u", "endu", "endu") for reached in REACHED],
    (Rung.ALL_EQUAL, "e", "e", "e", "e", "endu"),
    (Rung.EMAIL_AND_NAMES, "e", "du", "e", "e", "endu"),
    (Rung.PHONE_AND_NAMES, "du", "e", "e", "e", "endu"),
    *[(Rung.NAMES_NEARLY, *reached, "n", "en", "endu") for reached in REACHED],
    *[(Rung.NAMES_NEARLY, *reached, "e", "n", "endu") for reached in REACHED],
    *[(Rung.NEW_LAST_NAME, *reached, "en", "d", "e") for reached in REACHED],
    *[(Rung.LAST_NAME_DIFFERS, *reached, "en", "d", "ndu") for reached in REACHED],
    (Rung.FIRST_NAME_DIFFERS, "e", "edu", "d", "end", "endu"),
    (Rung.POSSIBLE_TWIN, "du", "e", "d", "en", "e"),
    (Rung.HOUSEHOLD, "du", "e", "d", "en", "ndu"),
    (Rung.PHONE_ALONE, "du", "e", "d", "d", "endu"),
    (Rung.NAMES_AND_BIRTH_DATE, "du", "du", "en", "en", "e"),
    (Rung.NOTHING, "du", "du", "en", "en", "ndu"),
    (Rung.NOTHING, "du", "du", "en", "du", "endu"),
    (Rung.NOTHING, "du", "du", "du", "endu", "endu"),
]
"""The table of docs/matching.md a second time, so that its lines exclude each other and need no sequence."""


def test_every_combination_of_agreements_stands_on_the_one_rung_that_the_table_gives_it():
    combinations = list(product(EXACT, EXACT, NAMES, NAMES, NAMES_OR_DATES))
    for combination in combinations:
        email, phone, first, last, birth_date = (LETTERS[letter] for letter in combination)
        rows = [row for row in TABLE if all(letter in cell for letter, cell in zip(combination, row[1:], strict=True))]
        assert len(rows) == 1, combination
        found = find_rung(Comparison(email=email, phone=phone, first=first, last=last, birth_date=birth_date))
        assert found is rows[0][0], combination
    assert len(combinations) == 576
    assert {row[0] for row in TABLE} == set(Rung)


def test_every_combination_of_all_that_is_compared_has_one_outcome_and_none_matches_against_the_evidence():
    outcomes = Counter()
    flags = (False, True)
    for *letters, is_initial, are_swapped, is_once in product(
        EXACT, EXACT, NAMES, NAMES, NAMES_OR_DATES, EXACT, EXACT, flags, flags, flags
    ):
        email, phone, first, last, birth_date, suffix, postal_code = (LETTERS[letter] for letter in letters)
        comparison = Comparison(
            email, phone, first, last, is_initial, are_swapped, birth_date, suffix, is_once, postal_code=postal_code
        )
        decision = decide([("a", comparison)], PRACTICE)
        outcomes[type(decision)] += 1
        if isinstance(decision, Match):
            assert Agreement.EQUAL in {email, phone}
            assert Agreement.DIFFERENT not in {birth_date, suffix}
            assert birth_date is not Agreement.NEAR or (first is last is Agreement.EQUAL)
            assert birth_date is Agreement.EQUAL or not (is_once or is_initial)
            assert first in {Agreement.EQUAL, Agreement.NEAR} or are_swapped
    assert set(outcomes) == {Match, AskPerson, NoMatch}
    assert outcomes.total() == 576 * 9 * 8
