"""Which refund in Nextech settles which refund of the store."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from order_sync.reconciliation.refund_debt_rules import (
    OwedRefund,
    RecordedRefund,
    RefundSuggestion,
    SettledBy,
    Settlement,
    SuggestedBy,
    match_refunds,
)

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
NAME, AMOUNT = SettledBy.NAME, SettledBy.PATIENT_AND_AMOUNT


def owed(memo_id: int, cents: int = 20_00, day: date = TUESDAY, patient: str | None = "anna", order: int = 1) -> OwedRefund:
    return OwedRefund(memo_id, order, day, cents, patient)


def recorded(
    payment_id: str, cents: int = 20_00, day: date = TUESDAY, patient: str | None = "anna", names: int | None = None
) -> RecordedRefund:
    return RecordedRefund(payment_id, patient, cents, day, names)


SETTLED = [
    ("its order is named", [owed(1)], [recorded("a", names=1)], [(1, "a", 20_00, NAME)]),
    ("its order is named, on another patient", [owed(1)], [recorded("a", patient="bea", names=1)], [(1, "a", 20_00, NAME)]),
    ("its order is named, a smaller amount", [owed(1)], [recorded("a", 5_00, names=1)], [(1, "a", 5_00, NAME)]),
    (
        "its order is named, two parts",
        [owed(1)],
        [recorded("a", 5_00, names=1), recorded("b", 15_00, names=1)],
        [(1, "a", 5_00, NAME), (1, "b", 15_00, NAME)],
    ),
    ("its order is named, too high an amount", [owed(1)], [recorded("a", 25_00, names=1)], [(1, "a", 20_00, NAME)]),
    (
        "two memos of an order, the refund equals the younger one",
        [owed(1, 50_00), owed(2, 20_00, WEDNESDAY)],
        [recorded("a", day=WEDNESDAY, names=1)],
        [(2, "a", 20_00, NAME)],
    ),
    (
        "two memos of an order, one refund for both",
        [owed(1, 50_00), owed(2, 20_00, WEDNESDAY)],
        [recorded("a", 70_00, day=WEDNESDAY, names=1)],
        [(1, "a", 50_00, NAME), (2, "a", 20_00, NAME)],
    ),
    ("the same patient, the exact amount, the memo's day", [owed(1)], [recorded("a")], [(1, "a", 20_00, AMOUNT)]),
    ("the same patient, the exact amount, a later day", [owed(1)], [recorded("a", day=WEDNESDAY)], [(1, "a", 20_00, AMOUNT)]),
    (
        "two equal refunds after two equal memos of other days",
        [owed(1, day=MONDAY), owed(2, day=WEDNESDAY, order=2)],
        [recorded("a", day=TUESDAY), recorded("b", day=WEDNESDAY)],
        [(1, "a", 20_00, AMOUNT), (2, "b", 20_00, AMOUNT)],
    ),
    (
        "a named refund leaves the other memo to the other refund",
        [owed(1), owed(2, order=2)],
        [recorded("a", names=1), recorded("b")],
        [(1, "a", 20_00, NAME), (2, "b", 20_00, AMOUNT)],
    ),
    ("one memo, recorded twice", [owed(1)], [recorded("a"), recorded("b")], [(1, "a", 20_00, AMOUNT)]),
]


@pytest.mark.parametrize(("owed_", "recorded_", "expected"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED])
def test_a_refund_settles_what_is_owed_when(
    owed_: list[OwedRefund], recorded_: list[RecordedRefund], expected: list[tuple[int, str, int, SettledBy]]
) -> None:
    assert match_refunds(owed_, recorded_).settlements == tuple(Settlement(*row) for row in expected)


SUGGESTED = [
    (
        "two memos fit",
        [owed(1), owed(2, order=2)],
        [recorded("a")],
        [(1, "a", SuggestedBy.SEVERAL_FIT), (2, "a", SuggestedBy.SEVERAL_FIT)],
    ),
    ("its day is before the memo's", [owed(1)], [recorded("a", day=MONDAY)], [(1, "a", SuggestedBy.EARLIER_DAY)]),
    ("it is a cent short", [owed(1)], [recorded("a", 19_99)], [(1, "a", SuggestedBy.OTHER_AMOUNT)]),
    ("the patient is another", [owed(1)], [recorded("a", patient="bea")], [(1, "a", SuggestedBy.OTHER_PATIENT)]),
    ("it hangs on no patient", [owed(1)], [recorded("a", patient=None)], [(1, "a", SuggestedBy.OTHER_PATIENT)]),
    (
        "nobody knows whom the order was posted to",
        [owed(1, patient=None)],
        [recorded("a", patient=None)],
        [(1, "a", SuggestedBy.OTHER_PATIENT)],
    ),
    ("patient and amount are others", [owed(1)], [recorded("a", 5_00, patient="bea")], []),
    ("the other patient's is from long after", [owed(1)], [recorded("a", day=date(2027, 1, 4), patient="bea")], []),
    ("another order is named", [owed(1)], [recorded("a", names=2)], []),
]


@pytest.mark.parametrize(("owed_", "recorded_", "expected"), [row[1:] for row in SUGGESTED], ids=[row[0] for row in SUGGESTED])
def test_a_refund_settles_nothing_by_itself_when(
    owed_: list[OwedRefund], recorded_: list[RecordedRefund], expected: list[tuple[int, str, SuggestedBy]]
) -> None:
    matches = match_refunds(owed_, recorded_)
    assert matches.settlements == ()
    assert matches.suggestions == tuple(RefundSuggestion(*row) for row in expected)


def test_a_case_that_was_settled_is_suggested_to_nobody() -> None:
    matches = match_refunds([owed(1)], [recorded("a", day=MONDAY), recorded("b", day=WEDNESDAY)])
    assert matches.settled_cents(1) == 20_00
    assert matches.suggestions == ()


def test_it_does_not_matter_in_which_order_they_are_handed_in() -> None:
    cases = [owed(1, day=MONDAY), owed(2, day=WEDNESDAY, order=2), owed(3, 50_00)]
    refunds = [recorded("a"), recorded("b", day=WEDNESDAY), recorded("c", 30_00, names=1)]
    found = {
        match_refunds(first, second) for first in itertools.permutations(cases) for second in itertools.permutations(refunds)
    }
    assert len(found) == 1
