"""How far two people agree, field by field and without a single value: what a decision leaves behind (design section 5)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum


class Agreement(StrEnum):
    """What the comparison of one field says."""

    EQUAL = "equal"
    NEAR = "near"
    """Not equal, but as one person is written twice; names and birth dates only."""
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One side does not say, or keeps it private: no evidence either way."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One customer beside one chart."""

    email: Agreement = Agreement.UNKNOWN
    phone: Agreement = Agreement.UNKNOWN
    first: Agreement = Agreement.UNKNOWN
    last: Agreement = Agreement.UNKNOWN
    is_first_an_initial: bool = False
    """One side has a single letter: near, or equal to another's single letter."""
    are_names_swapped: bool = False
    birth_date: Agreement = Agreement.UNKNOWN
    suffix: Agreement = Agreement.UNKNOWN
    is_suffix_said_once: bool = False
    """One side says Jr, the other says nothing: unknown, but a father and his son are written so."""
    postal_code: Agreement = Agreement.UNKNOWN


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a decision was taken: to be kept, shown and counted; no value of any field is in it."""

    level: int | None
    """1 to 9 of the ladder; None where it has no number."""
    comparison: Comparison
    candidates: int
    """How many charts stood on this rung: 1 is unique, more were told apart or sent to a person."""
    rule_version: str

    def as_json(self) -> dict[str, str | int | bool | None]:
        """Return the evidence as a flat object of JSON's own types."""
        fields: dict[str, str | int | bool | None] = {
            name: str(value) if isinstance(value, Agreement) else bool(value) for name, value in asdict(self.comparison).items()
        }
        return {"level": self.level, "candidates": self.candidates, "rule_version": self.rule_version, **fields}


def compare_values(ours: Hashable | None, theirs: Hashable | None) -> Agreement:
    """Compare two normal forms that are either the same or not; None is unknown, never different."""
    if ours is None or theirs is None:
        return Agreement.UNKNOWN
    return Agreement.EQUAL if ours == theirs else Agreement.DIFFERENT


def compare_sets(ours: frozenset[str], theirs: frozenset[str]) -> Agreement:
    """Compare two sets of phones: one in common is enough; an empty one is unknown."""
    if not ours or not theirs:
        return Agreement.UNKNOWN
    return Agreement.DIFFERENT if ours.isdisjoint(theirs) else Agreement.EQUAL


def compare_birth_dates(ours: date | None, theirs: date | None) -> Agreement:
    """Compare two birth dates.

    Near, in the same year: day and month in each other's place, or one digit of the day or the month wrong. Never the
    year: a digit of it parts siblings, and a father from his son.
    """
    if ours is None or theirs is None or ours == theirs or ours.year != theirs.year:
        return compare_values(ours, theirs)
    is_swapped = (ours.month, ours.day) == (theirs.day, theirs.month)
    wrong_digits = sum(a != b for a, b in zip(f"{ours:%m%d}", f"{theirs:%m%d}", strict=True))
    return Agreement.NEAR if is_swapped or wrong_digits == 1 else Agreement.DIFFERENT
