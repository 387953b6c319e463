"""Whose chart an order belongs to: the evidence ladder of design section 5, one function, one table.

Precision first: a wrong chart costs more than a question. Everything is decided from the two sides handed in; whether
the candidates are complete is for the caller to prove.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from order_sync.evidence import Agreement, Comparison, Evidence, compare_sets, compare_values
from order_sync.names import are_swapped, compare_first_names, compare_last_names
from order_sync.normal_forms import PLACEHOLDERS_VERSION, NormalPerson, normalise_customer, normalise_patient
from order_sync.orders import Customer
from order_sync.patients import Patient
from order_sync.practices import MatchAction, Practice
from order_sync.reasons import Reason

RULE_VERSION = f"ladder-1/placeholders-{PLACEHOLDERS_VERSION}"
"""Raise it with every change of a rule here or in `names`: each decision records it."""

_EQUAL, _DIFFERENT, _UNKNOWN = Agreement.EQUAL, Agreement.DIFFERENT, Agreement.UNKNOWN
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
    HOUSEHOLD = 10
    PHONE_ALONE = 11
    NOTHING = 12

    @property
    def level(self) -> int | None:
        """Return the number that design section 5 gives this rung, None where it gives none."""
        return _LEVELS.get(self)


_LEVELS = {**{rung: int(rung) for rung in Rung if rung <= Rung.FIRST_NAME_DIFFERS}, Rung.HOUSEHOLD: 8, Rung.PHONE_ALONE: 9}


def _is_reached(c: Comparison) -> bool:
    return c.email is _EQUAL or c.phone is _EQUAL


def _are_names_equal(c: Comparison) -> bool:
    return c.first is _EQUAL and c.last is _EQUAL


def _do_names_agree(c: Comparison) -> bool:
    return c.are_names_swapped or (c.first in _AGREES and c.last in _AGREES)


_LADDER: tuple[tuple[Rung, Callable[[Comparison], bool]], ...] = (
    (Rung.NAME_MISSING, lambda c: _is_reached(c) and _UNKNOWN in {c.first, c.last}),
    (Rung.ALL_EQUAL, lambda c: c.email is _EQUAL and c.phone is _EQUAL and _are_names_equal(c)),
    (Rung.EMAIL_AND_NAMES, lambda c: c.email is _EQUAL and _are_names_equal(c)),
    (Rung.PHONE_AND_NAMES, lambda c: c.phone is _EQUAL and _are_names_equal(c)),
    (Rung.NAMES_NEARLY, lambda c: _is_reached(c) and _do_names_agree(c)),
    (Rung.NEW_LAST_NAME, lambda c: _is_reached(c) and c.first in _AGREES and c.birth_date is _EQUAL),
    (Rung.LAST_NAME_DIFFERS, lambda c: _is_reached(c) and c.first in _AGREES),
    (Rung.FIRST_NAME_DIFFERS, lambda c: c.email is _EQUAL),
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
        are_names_swapped=are_swapped(customer.first, customer.last, patient.first, patient.last),
        birth_date=compare_values(customer.birth_date, patient.birth_date),
        suffix=compare_values(customer.suffix, patient.suffix),
        postal_code=compare_values(customer.postal_code, patient.postal_code),
    )


def find_rung(comparison: Comparison) -> Rung:
    """Return where on the ladder a comparison stands; every comparison stands somewhere."""
    return next((rung for rung, holds in _LADDER if holds(comparison)), Rung.NOTHING)


def match_patient(customer: Customer, candidates: Sequence[Patient], practice: Practice) -> Decision:
    """Decide whose chart a customer's order belongs to (design section 5).

    The best rung that has any candidate decides. Levels 1 to 5 match when exactly one chart is left (`_choose`), unless
    the practice wants a person there. Levels 6 and 7, and a name that one side does not say, always ask. A chart with the
    same names and birth date, but neither e-mail nor phone in common, is asked about before a second account is made.
    A household (level 8) and a phone alone (level 9) are somebody else. The order of the candidates never matters.
    """
    person = normalise_customer(customer, practice)
    graded = _distinct(
        _Candidate(find_rung(comparison), patient.patient_id.lower(), comparison)
        for patient in candidates
        for comparison in [compare(person, normalise_patient(patient, practice))]
    )
    rung = min((candidate.rung for candidate in graded), default=Rung.NOTHING)
    standing = [candidate for candidate in graded if candidate.rung is rung]
    if rung <= Rung.NEW_LAST_NAME:
        return _choose(rung, standing, practice)
    if rung <= Rung.NAME_MISSING:
        doubtful = [candidate for candidate in graded if candidate.rung <= Rung.NAME_MISSING]
        return _ask(_QUESTIONS[rung], rung, doubtful, _detail(rung, person))
    if rung is Rung.NAMES_AND_BIRTH_DATE:
        return _ask(_QUESTIONS[rung], rung, standing)
    if rung is Rung.NOTHING:
        return NoMatch(Evidence(level=None, comparison=Comparison(), candidates=0, rule_version=RULE_VERSION))
    return NoMatch(_evidence(standing[0], len(standing)))


_QUESTIONS = {
    Rung.LAST_NAME_DIFFERS: Reason.NAME_DIFFERS,
    Rung.FIRST_NAME_DIFFERS: Reason.NAME_DIFFERS,
    Rung.NAME_MISSING: Reason.NAME_MISSING,
    Rung.NAMES_AND_BIRTH_DATE: Reason.POSSIBLE_EXISTING_PATIENT,
}


def _choose(rung: Rung, standing: list[_Candidate], practice: Practice) -> Decision:
    """Choose among the charts of one automatic level.

    One chart: it is the patient, unless its birth date or suffix contradicts. Several: they are one person's duplicates
    or a family's namesakes, and only proof tells them apart: exactly one is confirmed and *every* other is contradicted
    (`_confirmation`). All contradicted, one or several: blocked. Anything else is a Duplicated customer.
    """
    if all(_is_blocked(candidate) for candidate in standing):
        is_birth_date = any(candidate.comparison.birth_date is _DIFFERENT for candidate in standing)
        return _ask(Reason.BIRTH_DATE_DIFFERS if is_birth_date else Reason.SUFFIX_DIFFERS, rung, standing)
    chosen = standing if len(standing) == 1 else _only_confirmed(standing)
    if not chosen:
        return _ask(Reason.DUPLICATED_CUSTOMER, rung, standing, f"{len(standing)} charts fit")
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
    share it. So two charts with the customer's birth date stay a Duplicated customer, whatever their ZIPs.
    """
    lasting = {comparison.birth_date, comparison.suffix}
    if _DIFFERENT in lasting:
        return _DIFFERENT
    return _EQUAL if _EQUAL in lasting else comparison.postal_code


def _is_blocked(candidate: _Candidate) -> bool:
    """Say whether a chart must not be matched by itself: its birth date or its suffix is somebody else's; never its ZIP."""
    return _DIFFERENT in {candidate.comparison.birth_date, candidate.comparison.suffix}


def _compare_given_names(customer: NormalPerson, patient: NormalPerson) -> Agreement:
    best = compare_first_names(customer.first, patient.first)
    if best is _UNKNOWN or customer.first is None or patient.first is None:
        return _UNKNOWN
    if patient.middle is not None:
        together = compare_first_names(customer.first, f"{patient.first} {patient.middle}")
        best = together if together is _EQUAL else best
    is_known_as = patient.nickname is not None and compare_first_names(customer.first, patient.nickname) is _EQUAL
    return Agreement.NEAR if best is _DIFFERENT and is_known_as else best


def _distinct(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Return each chart once, sorted; one that was read twice with different contents counts with its best rung."""
    best: dict[str, _Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (c.patient_id, c.rung, repr(c.comparison))):
        best.setdefault(candidate.patient_id, candidate)
    return list(best.values())


def _detail(rung: Rung, person: NormalPerson) -> str:
    if rung is Rung.NAME_MISSING:
        return "in the order" if person.first is None or person.last is None else "in Nextech"
    return "last name" if rung is Rung.LAST_NAME_DIFFERS else "first name"


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
