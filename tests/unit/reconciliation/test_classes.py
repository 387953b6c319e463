"""The tables of the reconciliation: one situation a row, the classes that it is in, and what these explain of the variance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import pytest

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import Rules, reconcile
from order_sync.reconciliation.periods import Period, month_of
from order_sync.statuses import OrderState
from tests.unit.reconciliation.books import BEA, NOBODY, Books, marker_of, noon, number_of

C = DifferenceClass
DAY = date(2026, 11, 10)
NEXT_DAY = DAY + timedelta(days=1)
NEXT_MONTH = date(2026, 12, 1)
NOVEMBER = month_of(DAY)
READ_AT = noon(NEXT_MONTH)
FULL = 100_00

Found = tuple[str, DifferenceClass, int]
SITUATIONS: list[tuple[str, Callable[[Books], None], tuple[Found, ...]]] = []


def situation(title: str, *expected: Found) -> Callable[[Callable[[Books], None]], Callable[[Books], None]]:
    def add(write: Callable[[Books], None]) -> Callable[[Books], None]:
        SITUATIONS.append((title, write, expected))
        return write

    return add


def unposted(books: Books, state: OrderState = OrderState.RECEIVED, order: dict[str, object] | None = None, **known: object):
    """Write an order that Nextech has nothing of."""
    books.order(1, DAY, **(order or {}))
    books.note(1, DAY, state, **known)


def classify(books: Books, period: Period = NOVEMBER, **rules: int) -> tuple[Found, ...]:
    lines = reconcile(books.facts(), period, practice_id="eastern", as_of=READ_AT, rules=Rules(**rules))
    return found_in(lines)


def found_in(lines: pd.DataFrame) -> tuple[Found, ...]:
    rows = zip(lines["subject"], lines["class_"].map(DifferenceClass), lines["explains_cents"].tolist(), strict=True)
    return tuple(rows)


# Entries without an order.


@situation("an entry of our category hangs on no patient", ("entry:a", C.UNATTACHED, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, patient_id=NOBODY)


@situation("the payment of an order hangs on no patient", ("entry:P1", C.UNATTACHED, -FULL), ("order:1", C.LOST_POSTING, +FULL))
def _(books: Books) -> None:
    books.synced(1, DAY, patient_id=NOBODY)


@situation("the store was asked for the entry's order and has none", ("entry:a", C.ORPHAN, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, order=7)
    books.numbers_not_in_store.add(number_of(7))


@situation("the entry's order was not seen, and nobody asked for it", ("entry:a", C.UNLINKED, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, order=7)


@situation("entered by hand, and it names no order", ("entry:a", C.UNLINKED, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY)


@situation("entered by hand, in another period")
def _(books: Books) -> None:
    books.entry("a", NEXT_MONTH)


@situation("a refund entered by hand, and it names no order", ("entry:a", C.UNLINKED, +FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, -FULL)


@situation(
    "the marker is of another store, the number beside it is one of ours",
    ("entry:a", C.UNLINKED, -FULL),
    ("order:1", C.MATCHED, 0),
)
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("a", DAY, marker=marker_of(7), number=number_of(1))


@situation("the payment is of another category and carries nothing of ours")
def _(books: Books) -> None:
    books.entry("a", DAY, is_our_category=False, number=number_of(7))


@situation("the entry was cancelled")
def _(books: Books) -> None:
    books.entry("a", DAY, status="cancelled")
    books.entry("b", DAY, -FULL, status="cancelled")


# Orders with Nextech money.


@situation("amount, patient and day agree", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)


@situation("the ledger has lost it, the marker tells", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.order(1, DAY)
    books.entry("a", DAY, order=1, is_our_category=False)


@situation("entered by hand with the order's number", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.order(1, DAY)
    books.entry("a", DAY, number=number_of(1))


@situation("posted with the marker of a key that was renewed since", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.order(1, DAY)
    books.note(1, DAY, OrderState.UNKNOWN, marker=marker_of(99))
    books.entry("a", DAY, marker=marker_of(99))


@situation("posted twice", ("order:1", C.DUPLICATE_POSTING, -FULL))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("b", DAY, order=1)


@situation("posted three times", ("order:1", C.DUPLICATE_POSTING, -2 * FULL))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("b", DAY, order=1)
    books.entry("c", DAY, order=1)


@situation("posted twice, the second on another patient", ("order:1", C.DUPLICATE_POSTING, -FULL))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("b", DAY, order=1, patient_id=BEA)


@situation("posted, voided and posted again", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("b", DAY, order=1, status="cancelled")
    books.entry("c", DAY, -FULL, order=1, status="cancelled")


@situation("the chart was merged into another", ("order:1", C.PATIENT_MERGED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY, patient_id=BEA)
    books.ledger[0]["is_patient_known"] = False


@situation("on another patient than decided", ("order:1", C.WRONG_PATIENT, 0))
def _(books: Books) -> None:
    books.synced(1, DAY, patient_id=BEA)


@situation("refunded in full, and voided instead of a refund", ("order:1", C.VOIDED_AS_REFUND, 0))
def _(books: Books) -> None:
    books.synced(1, DAY, status="cancelled")
    books.memo(1, NEXT_DAY, FULL)


@situation("voided, and not refunded", ("order:1", C.VOIDED, +FULL))
def _(books: Books) -> None:
    books.synced(1, DAY, status="cancelled")


@situation("voided, and the ledger has noticed", ("order:1", C.VOIDED, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.CLOSED_VOIDED)


@situation(
    "voided, and refunded in part",
    ("order:1", C.VOIDED, +FULL),
    ("order:1", C.REFUND_TO_RECORD, -30_00),
)
def _(books: Books) -> None:
    books.synced(1, DAY, status="cancelled")
    books.memo(1, NEXT_DAY, 30_00)


@situation("voided, and to be posted to another patient", ("order:1", C.OVERDUE, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.MATCHED, posted_at=noon(DAY))
    books.entry("a", DAY, order=1, status="cancelled")


@situation("posted, though the integration was off", ("order:1", C.POSTED_BUT_NOT_DUE, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.orders[0]["eligibility"] = "inactive"


@situation("posted, though cancelled before capture", ("order:1", C.POSTED_BUT_NOT_DUE, -FULL))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.orders[0] |= {"eligibility": "nothing", "reason": "cancelled", "expected_cents": 0}


@situation("posted, though nothing was ever captured", ("order:1", C.POSTED_BUT_NOT_DUE, -FULL))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.orders[0] |= {"eligibility": "waits", "reason": "not_paid", "expected_cents": 0}


@situation("posted, though replaced by an edited order", ("order:1", C.POSTED_BUT_NOT_DUE, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.orders[0] |= {"eligibility": "nothing", "reason": "cancelled"}


@situation("posted while on hold", ("order:1", C.POSTED_BUT_NOT_DUE, 0))
def _(books: Books) -> None:
    books.order(1, DAY, eligibility="waits", reason="on_hold", is_held=True)
    books.note(1, DAY, OrderState.WAITING, due_since=None)
    books.entry("a", DAY, order=1)


@situation("held only after it was posted", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.orders[0] |= {"eligibility": "waits", "reason": "on_hold", "is_held": True}


@situation("in two entries", ("order:1", C.SPLIT, 0))
def _(books: Books) -> None:
    books.synced(1, DAY, amount_cents=60_00)
    books.entry("b", NEXT_DAY, 40_00, order=1)


@situation("in two entries, a part is missing", ("order:1", C.SPLIT_INCOMPLETE, +10_00))
def _(books: Books) -> None:
    books.synced(1, DAY, amount_cents=60_00)
    books.entry("b", DAY, 30_00, order=1)


@situation("in two entries, one on another patient", ("order:1", C.WRONG_PATIENT, 0))
def _(books: Books) -> None:
    books.synced(1, DAY, amount_cents=60_00)
    books.entry("b", DAY, 40_00, order=1, patient_id=BEA)


@situation("in two entries, together too much", ("order:1", C.OVER, -1))
def _(books: Books) -> None:
    books.synced(1, DAY, amount_cents=60_00)
    books.entry("b", DAY, 40_01, order=1)


@situation("a cent too much", ("order:1", C.OVER, -1))
def _(books: Books) -> None:
    books.synced(1, DAY, amount_cents=FULL + 1)


@situation("a cent too little", ("order:1", C.SHORT, +1))
def _(books: Books) -> None:
    books.synced(1, DAY, amount_cents=FULL - 1)


@situation("paid on another day of the period", ("order:1", C.DATE_SHIFTED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY, paid_day=NEXT_DAY)


@situation("the payment is dated in the next period", ("order:1", C.CUTOFF, +FULL))
def _(books: Books) -> None:
    books.synced(1, DAY, paid_day=NEXT_MONTH)


@situation("the order was placed in the period before", ("order:1", C.CUTOFF, -FULL))
def _(books: Books) -> None:
    books.synced(1, date(2026, 10, 31), paid_day=date(2026, 11, 1))


@situation("both lie in another period")
def _(books: Books) -> None:
    books.synced(1, NEXT_MONTH)


# Orders without Nextech money.


@situation("not paid", ("order:1", C.NOT_DUE, 0))
def _(books: Books) -> None:
    unposted(books, OrderState.WAITING, {"eligibility": "waits", "reason": "not_paid", "cents": 0})


@situation("cancelled before capture", ("order:1", C.NOT_DUE, 0))
def _(books: Books) -> None:
    unposted(books, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "cancelled", "cents": 0})


@situation("refunded before it was posted", ("order:1", C.NOT_DUE, 0))
def _(books: Books) -> None:
    unposted(books, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "refunded_before_posting"})
    books.memo(1, NEXT_DAY, FULL)


@situation("of an earlier period, and refunded in this one before it was posted", ("order:1", C.NOT_DUE, -FULL))
def _(books: Books) -> None:
    books.order(1, date(2026, 10, 31), eligibility="nothing", reason="refunded_before_posting")
    books.memo(1, DAY, FULL)


@situation(
    "refunded before it was posted, a part of it outside the gateway",
    ("order:1", C.NOT_DUE, +30_00),
    ("order:1", C.REFUNDED_OFFLINE, 0),
)
def _(books: Books) -> None:
    unposted(books, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "refunded_before_posting"})
    books.memo(1, NEXT_DAY, 70_00, offline_cents=30_00)


@situation("captured in part", ("order:1", C.PARTLY_PAID, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.WAITING, {"eligibility": "waits", "reason": "partly_paid", "is_partly_paid": True})


@situation("paid by gift card alone", ("order:1", C.NOTHING_TO_POST, 0))
def _(books: Books) -> None:
    unposted(books, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "amount_zero", "cents": 0})


@situation("due, and the ledger does not know it", ("order:1", C.NEVER_SEEN, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY)


@situation("for a person to look at, and the ledger does not know it", ("order:1", C.NEVER_SEEN, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY, eligibility="person", reason="totals_disagree")


@situation("on hold", ("order:1", C.ON_HOLD, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.WAITING, {"eligibility": "waits", "reason": "on_hold", "is_held": True})


@situation("its payment is under review", ("order:1", C.ON_HOLD, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.WAITING, {"eligibility": "waits", "reason": "under_review"})


@situation("placed while the integration was off", ("order:1", C.DISABLED, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.DISABLED, {"eligibility": "inactive", "reason": "integration_inactive"})


@situation("placed long before the integration, and the ledger does not know it", ("order:1", C.DISABLED, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY, eligibility="inactive", reason="integration_inactive")


@situation("placed while the integration was off, and refunded", ("order:1", C.DISABLED, +70_00))
def _(books: Books) -> None:
    unposted(books, OrderState.DISABLED, {"eligibility": "inactive", "reason": "integration_inactive"})
    books.memo(1, NEXT_DAY, 30_00)


@situation("the ledger calls it Disabled, the practice's settings no longer do", ("order:1", C.DISABLED, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.DISABLED)


@situation("waiting for 20 minutes", ("order:1", C.IN_FLIGHT, +FULL))
def _(books: Books) -> None:
    unposted(books, due_since=READ_AT - timedelta(minutes=20))


@situation("placed 20 minutes ago, and the ledger does not know it yet", ("order:1", C.IN_FLIGHT, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY, placed_at=READ_AT - timedelta(minutes=20))


@situation("waiting for longer than 20 minutes", ("order:1", C.OVERDUE, +FULL))
def _(books: Books) -> None:
    unposted(books, due_since=READ_AT - timedelta(minutes=20, seconds=1))


@situation("its outcome is unknown for longer than 20 minutes", ("order:1", C.OVERDUE, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.UNKNOWN)


@situation("a person has to pick the patient", ("order:1", C.NEEDS_A_PERSON, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.QUEUED, reason="duplicated_customer")


@situation("a person decided to post nothing", ("order:1", C.NEEDS_A_PERSON, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.CLOSED)


@situation("an order without money needs a person", ("order:1", C.NEEDS_A_PERSON, 0))
def _(books: Books) -> None:
    unposted(books, OrderState.QUEUED, {"eligibility": "person", "reason": "totals_disagree", "cents": 0})


@situation("Synced, and Nextech has nothing", ("order:1", C.LOST_POSTING, +FULL))
def _(books: Books) -> None:
    unposted(books, OrderState.CONFIRMED)


# Refunds.


@situation("a refund to record", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_TO_RECORD, -30_00))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, NEXT_DAY, 30_00)


@situation("a refund of an order of an earlier period", ("order:1", C.REFUND_TO_RECORD, -30_00))
def _(books: Books) -> None:
    books.synced(1, date(2026, 10, 5))
    books.memo(1, DAY, 30_00)


@situation("a refund partly recorded", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_PARTLY_RECORDED, -10_00))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, NEXT_DAY, 30_00)
    books.entry("r", NEXT_DAY, -20_00, order=1)


@situation("a refund recorded too high", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_OVER_RECORDED, +5_00))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, NEXT_DAY, 30_00)
    books.entry("r", NEXT_DAY, -35_00, order=1)


@situation("a refund that the store never made", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_OVER_RECORDED, +5_00))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("r", NEXT_DAY, -5_00, order=1)


@situation("a refund recorded in the next period", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_CUTOFF, -30_00))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, NEXT_DAY, 30_00)
    books.entry("r", NEXT_MONTH, -30_00, order=1)


@situation("a refund of the period before, recorded in this one", ("order:1", C.REFUND_CUTOFF, +30_00))
def _(books: Books) -> None:
    books.synced(1, date(2026, 10, 5))
    books.memo(1, date(2026, 10, 31), 30_00)
    books.entry("r", date(2026, 11, 1), -30_00, order=1)


@situation("two refunds recorded as one", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_RECORDED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, DAY, 10_00)
    books.memo(1, NEXT_DAY, 20_00)
    books.entry("r", NEXT_DAY, -30_00, order=1)


@situation("recorded by hand, and the ledger knows for which", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_RECORDED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, DAY, 10_00)
    books.entry("r", NEXT_DAY, -10_00, is_our_category=False)
    books.recorded_refunds["r"] = 1


@situation("a recorded refund was voided", ("order:1", C.MATCHED, 0), ("order:1", C.REFUND_TO_RECORD, -10_00))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, DAY, 10_00)
    books.entry("r", NEXT_DAY, -10_00, order=1, status="cancelled")


@situation("refunded outside the gateway", ("order:1", C.MATCHED, 0), ("order:1", C.REFUNDED_OFFLINE, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, NEXT_DAY, offline_cents=30_00)


@situation("a memo that moved no money, onto a gift card alone", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.memo(1, NEXT_DAY, gift_cards_returned_cents=30_00)


@situation(
    "refunded in full after it was posted",
    ("order:1", C.MATCHED, 0),
    ("order:1", C.REFUND_TO_RECORD, -FULL),
)
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.orders[0] |= {"eligibility": "nothing", "reason": "refunded_before_posting"}
    books.memo(1, NEXT_DAY, FULL)


@pytest.mark.parametrize(("write", "expected"), [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS])
def test_the_class_and_what_it_explains_when(write: Callable[[Books], None], expected: tuple[Found, ...]):
    books = Books()
    write(books)
    assert classify(books) == expected


def test_every_class_has_a_situation_of_its_own():
    shown = {class_ for _, _, expected in SITUATIONS for _, class_, _ in expected}
    assert shown == set(DifferenceClass) - {C.WITHIN_TOLERANCE}


@pytest.mark.parametrize(
    ("posted_cents", "expected"),
    [
        (FULL - 6, ("order:1", C.SHORT, +6)),
        (FULL - 5, ("order:1", C.WITHIN_TOLERANCE, +5)),
        (FULL + 5, ("order:1", C.WITHIN_TOLERANCE, -5)),
        (FULL + 6, ("order:1", C.OVER, -6)),
        (FULL, ("order:1", C.MATCHED, 0)),
    ],
)
def test_what_a_practice_tolerates_is_listed_and_never_hidden(posted_cents: int, expected: Found):
    books = Books()
    books.synced(1, DAY, amount_cents=posted_cents)
    assert classify(books, tolerance_cents=5) == (expected,)
