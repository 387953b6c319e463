"""Whose chart an order belongs to: the evidence ladder (docs/matching.md), one function, one table.

Precision first: a wrong chart costs more than a question. Everything is decided from the two sides handed in; whether
the candidates are complete is for the caller to prove.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from order_sync.evidence import Agreement, Comparison, Evidence, compare_birth_dates, compare_sets, compare_values
from order_sync.names import are_swapped, compare_first_names, compare_last_names
from order_sync.normal_forms import PLACEHOLDERS_VERSION, NormalPerson, normalise_customer, normalise_patient
from order_sync.orders import Customer
from order_sync.patients import Patient
from order_sync.practices import MatchAction, Practice
from order_sync.reasons import Reason

RULE_VERSION = f"ladder-2/placeholders-{PLACEHOLDERS_VERSION}"
"""Raise it with every change of a rule here or in `names`: each decision records it."""

_EQUAL, _NEAR, _DIFFERENT, _UNKNOWN = Agreement.EQUAL, Agreement.NEAR, Agreement.DIFFERENT, Agreement.UNKNOWN
_AGREES = frozenset({Agreement.EQUAL, Agreement.NEAR})


class Rung(IntEnum):
    """Where one candidate stands; the order is the order in which rungs decide, 1 to 7 being the design's numbers."""

    ALL_EQUAL = 1
    EMAIL_AND_NAMES = 2
    PHONE_AND_NAMES = 3
    NAMES_NEARLY = 4
    NEW_LAST_NAME = 5
    LAST_NAME_DIFFERS = 6
    FIRST_NAME_DIFFERS = 7
    NAME_MISSING = 8
    NAMES_AND_BIRTH_DATE = 9
    POSSIBLE_TWIN = 10
    HOUSEHOLD = 11
    PHONE_ALONE = 12
    NOTHING = 13

    @property
    def level(self) -> int | None:
        """Return the number that design section 5 gives this rung, None where it gives none."""
        return _LEVELS.get(self)


_LEVELS = {
    **{rung: int(rung) for rung in Rung if rung <= Rung.FIRST_NAME_DIFFERS},
    Rung.POSSIBLE_TWIN: 8,
    Rung.HOUSEHOLD: 8,
    Rung.PHONE_ALONE: 9,
}


def _is_reached(c: Comparison) -> bool:
    return c.email is _EQUAL or c.phone is _EQUAL


def _are_names_equal(c: Comparison) -> bool:
    return c.first is _EQUAL and c.last is _EQUAL


def _do_names_agree(c: Comparison) -> bool:
    return c.are_names_swapped or (c.first in _AGREES and c.last in _AGREES)


_LADDER: tuple[tuple[Rung, Callable[[Comparison], bool]], ...] = (
    (Rung.NEW_LAST_NAME, lambda c: _is_reached(c) and c.first is _EQUAL and c.last is _UNKNOWN and c.birth_date is _EQUAL),
    (Rung.NAME_MISSING, lambda c: _is_reached(c) and _UNKNOWN in {c.first, c.last}),
    (Rung.ALL_EQUAL, lambda c: c.email is _EQUAL and c.phone is _EQUAL and _are_names_equal(c)),
    (Rung.EMAIL_AND_NAMES, lambda c: c.email is _EQUAL and _are_names_equal(c)),
    (Rung.PHONE_AND_NAMES, lambda c: c.phone is _EQUAL and _are_names_equal(c)),
    (Rung.NAMES_NEARLY, lambda c: _is_reached(c) and _do_names_agree(c)),
    (Rung.NEW_LAST_NAME, lambda c: _is_reached(c) and c.first in _AGREES and c.birth_date is _EQUAL),
    (Rung.LAST_NAME_DIFFERS, lambda c: _is_reached(c) and c.first in _AGREES),
    (Rung.FIRST_NAME_DIFFERS, lambda c: c.email is _EQUAL),
    (Rung.POSSIBLE_TWIN, lambda c: c.phone is _EQUAL and c.last in _AGREES and c.birth_date is _EQUAL),
    (Rung.HOUSEHOLD, lambda c: c.phone is _EQUAL and c.last in _AGREES),
    (Rung.PHONE_ALONE, lambda c: c.phone is _EQUAL),
    (
        Rung.NAMES_AND_BIRTH_DATE,
        lambda c: _do_names_agree(c) and c.birth_date is _EQUAL and c.suffix is not _DIFFERENT,
    ),
)
"""Read from the top: a candidate stands on the first rung that holds. Each line may rely on the lines above it."""


@dataclass(frozen=True, slots=True)
class Match:
    """One chart, chosen without a person."""

    patient_id: str
    level: int
    evidence: Evidence
    candidates: int
    """How many charts stood on this level; more than 1 when birth date, suffix or ZIP told them apart."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """A person has to decide between these charts, or whether the one is right."""

    reason: Reason
    level: int | None
    candidate_ids: tuple[str, ...]
    """Sorted; the page fetches the people behind them live."""
    evidence: tuple[Evidence, ...]
    """One for each candidate, in the same order."""
    detail: str | None = None
    """From a closed vocabulary, without patient data."""


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Nobody in Nextech is this customer; the evidence says so when a household member was seen (level 8)."""

    evidence: Evidence


Decision = Match | AskPerson | NoMatch


@dataclass(frozen=True, slots=True)
class _Candidate:
    rung: Rung
    patient_id: str
    comparison: Comparison


def compare(customer: NormalPerson, patient: NormalPerson) -> Comparison:
    """Compare a customer with one chart, field by field.

    A chart's first name may also be written as its first and middle name together, or as its nickname. The middle name
    alone counts for nothing: many a son carries his father's.
    """
    return Comparison(
        email=compare_values(customer.email, patient.email),
        phone=compare_sets(customer.phones, patient.phones),
        first=_compare_given_names(customer, patient),
        last=compare_last_names(customer.last, patient.last),
        is_first_an_initial=1 in {len(customer.first or ""), len(patient.first or "")},
        are_names_swapped=are_swapped(customer.first, customer.last, patient.first, patient.last),
        birth_date=compare_birth_dates(customer.birth_date, patient.birth_date),
        suffix=compare_values(customer.suffix, patient.suffix),
        is_suffix_said_once=(customer.suffix is None) is not (patient.suffix is None),
        postal_code=compare_values(customer.postal_code, patient.postal_code),
    )


def find_rung(comparison: Comparison) -> Rung:
    """Return where on the ladder a comparison stands; every comparison stands somewhere."""
    return next((rung for rung, holds in _LADDER if holds(comparison)), Rung.NOTHING)


def match_patient(customer: Customer, candidates: Sequence[Patient], practice: Practice) -> Decision:
    """Decide whose chart a customer's order belongs to (design section 5).

    The best rung that has any candidate decides. Levels 1 to 5 match when exactly one chart is left (`_choose`), unless
    the practice wants a person there. Levels 6 and 7, and a name that one side does not say, always ask. A chart with the
    same names and birth date, but neither e-mail nor phone in common, is asked about before a second account is made, and
    so is a household chart (level 8) with the same birth date: a twin, or a first name that is misspelt beyond *near*.
    Any other household and a phone alone (level 9) are somebody else. The order of the candidates never matters.
    A chart that is out of use, or merged into another, is never matched; when it alone would fit, a person is asked.
    """
    person = normalise_customer(customer, practice)
    in_use, out_of_use = (
        [
            (chart.patient_id.lower(), compare(person, normalise_patient(chart, practice)))
            for chart in candidates
            if chart.is_active is is_active
        ]
        for is_active in (True, False)
    )
    is_order_nameless = person.first is None or person.last is None
    decision = decide(in_use, practice, is_order_nameless=is_order_nameless)
    if isinstance(decision, NoMatch) and out_of_use:
        return _ask_about_old_charts(out_of_use) or decision
    return decision


def decide(compared: Iterable[tuple[str, Comparison]], practice: Practice, *, is_order_nameless: bool = False) -> Decision:
    """Decide by the comparisons alone: patient ids, each with how its chart compares with the customer."""
    graded = _distinct(_Candidate(find_rung(comparison), patient_id, comparison) for patient_id, comparison in compared)
    rung = min((candidate.rung for candidate in graded), default=Rung.NOTHING)
    standing = [candidate for candidate in graded if candidate.rung is rung]
    if rung <= Rung.NEW_LAST_NAME:
        return _choose(rung, standing, practice)
    if rung <= Rung.POSSIBLE_TWIN:
        doubtful = [candidate for candidate in graded if candidate.rung <= Rung.POSSIBLE_TWIN]
        return _ask(_QUESTIONS[rung], rung, doubtful, _detail(rung, is_order_nameless=is_order_nameless))
    if rung is Rung.NOTHING:
        return NoMatch(Evidence(level=None, comparison=Comparison(), candidates=0, rule_version=RULE_VERSION))
    return NoMatch(_evidence(standing[0], len(standing)))


def is_of_same_family_and_day(customer: Customer, chart: Patient, practice: Practice) -> bool:
    """Say whether last name and birth date are equal, whatever the first name: to be asked about before an account is made."""
    ours, theirs = normalise_customer(customer, practice), normalise_patient(chart, practice)
    is_same_name = compare_last_names(ours.last, theirs.last) is _EQUAL
    return is_same_name and compare_birth_dates(ours.birth_date, theirs.birth_date) is _EQUAL


def _ask_about_old_charts(compared: Iterable[tuple[str, Comparison]]) -> AskPerson | None:
    graded = _distinct(_Candidate(find_rung(comparison), patient_id, comparison) for patient_id, comparison in compared)
    fitting = [candidate for candidate in graded if candidate.rung <= Rung.POSSIBLE_TWIN]
    if not fitting:
        return None
    return _ask(Reason.PATIENT_GONE, min(candidate.rung for candidate in fitting), fitting, "the chart is out of use")


_QUESTIONS = {
    Rung.LAST_NAME_DIFFERS: Reason.NAME_DIFFERS,
    Rung.FIRST_NAME_DIFFERS: Reason.NAME_DIFFERS,
    Rung.NAME_MISSING: Reason.NAME_MISSING,
    Rung.NAMES_AND_BIRTH_DATE: Reason.POSSIBLE_EXISTING_PATIENT,
    Rung.POSSIBLE_TWIN: Reason.POSSIBLE_EXISTING_PATIENT,
}


def _choose(rung: Rung, standing: list[_Candidate], practice: Practice) -> Decision:
    """Choose among the charts of one automatic level.

    One chart: it is the patient, unless its birth date or suffix contradicts. Several: they are one person's duplicates
    or a family's namesakes, and only proof tells them apart: exactly one is confirmed and *every* other is contradicted
    (`_confirmation`). All contradicted, one or several: blocked. Anything else is a Duplicated customer. What is chosen is
    asked about all the same when father and son, or two of one initial, could be meant (`_doubt`).
    """
    if all(_is_blocked(candidate) for candidate in standing):
        is_birth_date = any(candidate.comparison.birth_date in {_NEAR, _DIFFERENT} for candidate in standing)
        return _ask(Reason.BIRTH_DATE_DIFFERS if is_birth_date else Reason.SUFFIX_DIFFERS, rung, standing)
    chosen = standing if len(standing) == 1 else _only_confirmed(standing)
    if not chosen:
        return _ask(Reason.DUPLICATED_CUSTOMER, rung, standing, f"{len(standing)} charts fit")
    if (doubt := _doubt(chosen[0].comparison)) is not None:
        return _ask(Reason.NAME_DIFFERS, rung, chosen, doubt)
    if practice.matching.levels.get(int(rung)) is MatchAction.PERSON:
        reason = Reason.NAME_DIFFERS if rung >= Rung.NAMES_NEARLY else Reason.POSSIBLE_EXISTING_PATIENT
        return _ask(reason, rung, chosen, f"the practice checks level {int(rung)}")
    return Match(chosen[0].patient_id, int(rung), _evidence(chosen[0], len(standing)), len(standing))


def _only_confirmed(standing: list[_Candidate]) -> list[_Candidate]:
    confirmations = [(candidate, _confirmation(candidate.comparison)) for candidate in standing]
    confirmed = [candidate for candidate, confirmation in confirmations if confirmation is _EQUAL]
    are_others_contradicted = all(confirmation in {_EQUAL, _DIFFERENT} for _, confirmation in confirmations)
    return confirmed if len(confirmed) == 1 and are_others_contradicted else []


def _confirmation(comparison: Comparison) -> Agreement:
    """Say whether birth date, suffix and ZIP confirm a chart or contradict it.

    Birth date and suffix come first. The ZIP speaks only where both are silent: people move, and a father and his son
    share it. So two charts with the customer's birth date stay a Duplicated customer, whatever their ZIPs. A birth date
    that is near says nothing here: beside the right one it may be a second chart of the same person.
    """
    lasting = {comparison.birth_date, comparison.suffix}
    if _DIFFERENT in lasting:
        return _DIFFERENT
    if comparison.birth_date is _NEAR:
        return _UNKNOWN
    return _EQUAL if _EQUAL in lasting else comparison.postal_code


def _is_blocked(candidate: _Candidate) -> bool:
    """Say whether a chart must not be matched by itself: its birth date or its suffix is somebody else's; never its ZIP.

    A birth date with a slip is not somebody else's where both names are equal; with a name that is only near, it is doubted.
    """
    comparison = candidate.comparison
    is_other_day = comparison.birth_date is _DIFFERENT or (
        comparison.birth_date is _NEAR and candidate.rung > Rung.PHONE_AND_NAMES
    )
    return is_other_day or comparison.suffix is _DIFFERENT


def _doubt(comparison: Comparison) -> str | None:
    """Say what a chosen chart is doubted for where no birth date confirms it; None when nothing."""
    if comparison.birth_date is _EQUAL:
        return None
    if comparison.is_suffix_said_once:
        return "only one side says the suffix"
    return "the first name is an initial" if comparison.is_first_an_initial else None


def _compare_given_names(customer: NormalPerson, patient: NormalPerson) -> Agreement:
    best = compare_first_names(customer.first, patient.first)
    if best is _UNKNOWN or customer.first is None or patient.first is None:
        return _UNKNOWN
    if patient.middle is not None:
        together = compare_first_names(customer.first, f"{patient.first} {patient.middle}")
        has_two_names = " " in customer.first and " " not in patient.first
        best = together if together is _EQUAL or (best is _NEAR and has_two_names) else best
    is_known_as = patient.nickname is not None and compare_first_names(customer.first, patient.nickname) is _EQUAL
    return Agreement.NEAR if best is _DIFFERENT and is_known_as else best


def _distinct(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Return each chart once, sorted; one that was read twice with different contents counts with its best rung."""
    best: dict[str, _Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (c.patient_id, c.rung, repr(c.comparison))):
        best.setdefault(candidate.patient_id, candidate)
    return list(best.values())


def _detail(rung: Rung, *, is_order_nameless: bool) -> str | None:
    if rung is Rung.NAME_MISSING:
        return "in the order" if is_order_nameless else "in Nextech"
    return {Rung.LAST_NAME_DIFFERS: "last name", Rung.FIRST_NAME_DIFFERS: "first name"}.get(rung)


def _evidence(candidate: _Candidate, candidates: int) -> Evidence:
    return Evidence(candidate.rung.level, candidate.comparison, candidates, RULE_VERSION)


def _ask(reason: Reason, rung: Rung, candidates: list[_Candidate], detail: str | None = None) -> AskPerson:
    return AskPerson(
        reason=reason,
        level=rung.level,
        candidate_ids=tuple(candidate.patient_id for candidate in candidates),
        evidence=tuple(_evidence(candidate, len(candidates)) for candidate in candidates),
        detail=detail,
    )
