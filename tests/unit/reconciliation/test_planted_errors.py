"""Planted errors: 200 among 20,000 orders, every kind of them, and all are found, and nothing else is."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from order_sync.reconciliation.classes import TEXTS, DifferenceClass, Section, Weight
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.periods import month_of
from tests.unit.reconciliation.books import Books, noon
from tests.unit.reconciliation.mishaps import MISHAPS

ORDERS, PLANTED = 20_000, 200
NOVEMBER = month_of(date(2026, 11, 1))
READ_AT = noon(date(2026, 12, 5))

KINDS = (
    "lost",
    "doubled",
    "a_cent_too_much",
    "a_cent_too_little",
    "wrong_patient",
    "wrong_day",
    "voided",
    "foreign_marker",
    "orphan",
    "entered_by_hand",
    "refund_missing",
    "refund_partial",
    "refund_over_recorded",
    "paid_before_the_month",
    "paid_after_the_month",
    "refund_recorded_after_the_month",
)

EVERYDAY = ("nothing", "paid_by_gift_card", "split", "refund_recorded_later", "refunded_before_posting")
"""What is no error: every hundredth order is one of these, all others agree."""

Expected = dict[tuple[str, bool], DifferenceClass]
"""Subject and whether it is about a refund -> class."""


def plant(kind: str, books: Books, number: int, draw: random.Random) -> Expected:
    """Write one error into the books and say where it must be found."""
    first, last = NOVEMBER.first_day, NOVEMBER.last_day
    day = first + timedelta(days=draw.randrange(25))
    other, cents = day + timedelta(days=draw.randrange(1, 5)), draw.randrange(5, 500_00)
    order = f"order:{number}"
    match kind:
        case "paid_before_the_month":
            MISHAPS["wrong_day"].write(books, number, first, first - timedelta(days=1), cents)
            return {(order, False): DifferenceClass.CUTOFF}
        case "paid_after_the_month":
            MISHAPS["wrong_day"].write(books, number, last, last + timedelta(days=1), cents)
            return {(order, False): DifferenceClass.CUTOFF}
        case "refund_recorded_after_the_month":
            MISHAPS["refund_recorded_later"].write(books, number, last, last + timedelta(days=1), cents)
            return {(order, True): DifferenceClass.REFUND_CUTOFF}
    chosen = MISHAPS[kind]
    chosen.write(books, number, day, other, cents)
    expected: Expected = {}
    if chosen.order not in {None, DifferenceClass.MATCHED}:
        expected[order, False] = chosen.order
    if chosen.entry:
        expected[f"entry:{books.entries[-1 if kind != 'foreign_marker' else -2]['payment_id']}", False] = chosen.entry
    if chosen.refund:
        expected[order, True] = chosen.refund
    return expected


@pytest.mark.parametrize("seed", range(10))
def test_all_of_200_errors_among_20000_orders_are_found_and_nothing_else(seed: int):
    draw = random.Random(seed)
    books, expected = Books(), Expected()
    planted = dict(zip(draw.sample(range(1, ORDERS + 1), PLANTED), KINDS * PLANTED, strict=False))
    for number in range(1, ORDERS + 1):
        if number in planted:
            expected |= plant(planted[number], books, number, draw)
        elif number % 100 == 0:
            day = NOVEMBER.first_day + timedelta(days=draw.randrange(25))
            MISHAPS[draw.choice(EVERYDAY)].write(books, number, day, day + timedelta(days=draw.randrange(5)), 50_00)
        else:
            books.synced(number, NOVEMBER.first_day + timedelta(days=draw.randrange(30)), draw.randrange(1, 500_00))

    lines = reconcile(books.facts(order_of_rows=seed), NOVEMBER, practice_id="eastern", as_of=READ_AT)

    is_fine = {class_.value: text.weight is Weight.FINE for class_, text in TEXTS.items()}
    differing = lines[~lines["class_"].map(is_fine)]
    keys = zip(differing["subject"], differing["section"] == Section.REFUND.name, strict=True)
    found = dict(zip(keys, differing["class_"].map(DifferenceClass), strict=True))
    assert found == expected
    assert len(expected) >= PLANTED
