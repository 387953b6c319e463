"""Every situation of the table is in the classes that it should be in, and they explain what they should."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import Rules, reconcile
from tests.unit.reconciliation import (
    situations_of_entries,
    situations_of_posted_orders,
    situations_of_refunds,
    situations_of_unposted_orders,
)
from tests.unit.reconciliation.books import Books
from tests.unit.reconciliation.situation_table import DAY, FULL, NOVEMBER, READ_AT, SITUATIONS, Found

TABLES = (situations_of_entries, situations_of_posted_orders, situations_of_unposted_orders, situations_of_refunds)
"""Each writes its rows into the one table."""


def classify(books: Books, **rules: int) -> tuple[Found, ...]:
    lines = reconcile(books.facts(), NOVEMBER, practice_id="eastern", as_of=READ_AT, rules=Rules(**rules))
    columns = (lines["subject"], lines["class_"].map(DifferenceClass), lines["explains_cents"].tolist())
    return tuple(zip(*columns, strict=True))


@pytest.mark.parametrize(("write", "expected"), [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS])
def test_the_class_and_what_it_explains_when(write: Callable[[Books], None], expected: tuple[Found, ...]):
    books = Books()
    write(books)
    assert classify(books) == expected


def test_every_class_has_a_situation_of_its_own():
    shown = {class_ for _, _, expected in SITUATIONS for _, class_, _ in expected}
    assert shown == set(DifferenceClass) - {DifferenceClass.WITHIN_TOLERANCE}


@pytest.mark.parametrize(
    ("posted_cents", "expected"),
    [
        (FULL - 6, ("order:1", DifferenceClass.SHORT, +6)),
        (FULL - 5, ("order:1", DifferenceClass.WITHIN_TOLERANCE, +5)),
        (FULL + 5, ("order:1", DifferenceClass.WITHIN_TOLERANCE, -5)),
        (FULL + 6, ("order:1", DifferenceClass.OVER, -6)),
        (FULL, ("order:1", DifferenceClass.MATCHED, 0)),
    ],
)
def test_what_a_practice_tolerates_is_listed_and_never_hidden(posted_cents: int, expected: Found):
    books = Books()
    books.synced(1, DAY, amount_cents=posted_cents)
    assert classify(books, tolerance_cents=5) == (expected,)
