"""What holds of every report, whatever has happened: generated books of three days, over the edge of a month.

Each example reports six periods: two adjoining ones, both together, each day alone, and both together once more from the
same facts in another order of rows. What must come out is reckoned here by hand, row by row, without pandas.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period, day_of
from tests.unit.reconciliation.books import Books, noon
from tests.unit.reconciliation.mishaps import MISHAPS

FIRST = date(2026, 10, 30)
OCTOBER, NOVEMBER = Period(FIRST, date(2026, 10, 31)), day_of(date(2026, 11, 1))
BOTH = Period(OCTOBER.first_day, NOVEMBER.last_day)
EXAMPLES, PARTS = 42, 4
"""168 examples of six periods each: 1,008 periods; in parts, so that they can run side by side."""

CUTOFF = DifferenceClass.CUTOFF
OF_ONE_PAYMENT = {CUTOFF, DifferenceClass.DATE_SHIFTED, DifferenceClass.MATCHED}
OF_ONE_REFUND = {DifferenceClass.REFUND_CUTOFF, DifferenceClass.REFUND_RECORDED}

Lines = dict[tuple[str, bool], tuple[DifferenceClass, int, int]]
"""Subject and whether it is a refund -> class, store side, Nextech side."""

days = st.integers(min_value=-1, max_value=3).map(lambda number: FIRST + timedelta(days=number))
happenings = st.tuples(st.sampled_from(sorted(MISHAPS)), days, days, st.integers(min_value=5, max_value=500_00))


def write(chosen: list[tuple[str, date, date, int]]) -> Books:
    books = Books()
    for number, (name, day, other, cents) in enumerate(chosen, start=1):
        MISHAPS[name].write(books, number, day, other, cents)
    return books


def report(facts: Facts, period: Period) -> pd.DataFrame:
    return reconcile(facts, period, practice_id="eastern", as_of=noon(date(2026, 12, 1)))


def by_subject(lines: pd.DataFrame) -> Lines:
    columns = (lines["subject"], lines["section"] == "REFUND", lines["class_"], lines["store_cents"], lines["nextech_cents"])
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    found = {
        (subject, is_refund): (DifferenceClass(class_), store, nextech) for subject, is_refund, class_, store, nextech in rows
    }
    assert len(found) == len(rows), "a subject is in two classes"
    return found


def sides_by_hand(books: Books, period: Period) -> tuple[int, int]:
    captured = sum(order["expected_cents"] for order in books.orders if period.contains(order["placed_day"]))
    returned = sum(memo["gateway_cents"] for memo in books.memos if period.contains(memo["created_day"]))
    entries = [entry for entry in books.entries if entry["status"] == "active" and period.contains(entry["paid_day"])]
    return captured - returned, sum(entry["amount_cents"] for entry in entries)


def check_partition(books: Books, period: Period, lines: Lines) -> None:
    placed = {(f"order:{order['entity_id']}", False) for order in books.orders if period.contains(order["placed_day"])}
    assert placed <= lines.keys()
    shown = {subject for subject, _ in lines}
    for entry in books.entries:
        if entry["status"] == "active" and period.contains(entry["paid_day"]):
            itself, its_order = f"entry:{entry['payment_id']}", f"order:{entry['payment_id'][1:]}"
            assert (itself in shown) or (its_order, entry["amount_cents"] < 0) in lines


def check_conservation(books: Books, period: Period, lines: Lines) -> None:
    store = sum(store for _, store, _ in lines.values())
    nextech = sum(nextech for _, _, nextech in lines.values())
    assert (store, nextech) == sides_by_hand(books, period)


def check_halves(october: Lines, november: Lines, both: Lines) -> None:
    for key in october.keys() & november.keys():
        (class_, store, nextech), (after, store_after, nextech_after) = october[key], november[key]
        if CUTOFF in {class_, after}:
            assert class_ == after == CUTOFF
            assert store - nextech + store_after - nextech_after == 0
            assert both[key][0] is DifferenceClass.DATE_SHIFTED


def check_sum_of_days(days_: list[Lines], whole: Lines) -> None:
    store, nextech = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    for lines in days_:
        for key, (class_, store_cents, nextech_cents) in lines.items():
            store[key] += store_cents
            nextech[key] += nextech_cents
            kinds = next((kinds for kinds in (OF_ONE_PAYMENT, OF_ONE_REFUND) if class_ in kinds), {class_})
            assert whole[key][0] in kinds
    assert {key: (store[key], nextech[key]) for key in whole} == {key: line[1:] for key, line in whole.items()}
    assert store.keys() == whole.keys()


@pytest.mark.parametrize("part", range(PARTS))
@settings(max_examples=EXAMPLES)
@given(chosen=st.lists(happenings, max_size=12), seed=st.integers(0, 2**32 - 1), gift_cents=st.integers(1, 500_00))
def test_every_report_ties(part: int, chosen: list[tuple[str, date, date, int]], seed: int, gift_cents: int):
    del part  # one after the other they are too slow
    books = write(chosen)
    facts = books.facts()
    frames = {period: report(facts, period) for period in (OCTOBER, NOVEMBER, BOTH, *map(day_of, OCTOBER.days))}
    lines = {period: by_subject(frame) for period, frame in frames.items()}

    for period, found in lines.items():
        check_partition(books, period, found)
        check_conservation(books, period, found)
    check_halves(lines[OCTOBER], lines[NOVEMBER], lines[BOTH])
    check_sum_of_days([lines[day_of(day)] for day in BOTH.days], lines[BOTH])

    for order in books.orders:
        order["gift_cards_used_cents"] += gift_cents
        order["gift_cards_sold_cents"] += gift_cents
    shuffled = report(books.facts(order_of_rows=seed), BOTH)
    pd.testing.assert_frame_equal(shuffled, frames[BOTH])
