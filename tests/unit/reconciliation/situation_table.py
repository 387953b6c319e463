"""The table of situations: what is written into the books, in which classes it is, and what these explain of the variance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import month_of
from tests.unit.reconciliation.books import Books, noon

DAY = date(2026, 11, 10)
NEXT_DAY = DAY + timedelta(days=1)
NEXT_MONTH = date(2026, 12, 1)
NOVEMBER = month_of(DAY)
READ_AT = noon(NEXT_MONTH)
FULL = 100_00

Found = tuple[str, DifferenceClass, int]
"""Subject, class, and what it explains."""

SITUATIONS: list[tuple[str, Callable[[Books], None], tuple[Found, ...]]] = []


def situation(title: str, *expected: Found) -> Callable[[Callable[[Books], None]], Callable[[Books], None]]:
    """Add a situation to the table."""

    def add(write: Callable[[Books], None]) -> Callable[[Books], None]:
        SITUATIONS.append((title, write, expected))
        return write

    return add
