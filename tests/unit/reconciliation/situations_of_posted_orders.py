"""Orders with Nextech money."""

from __future__ import annotations

from datetime import date

from order_sync.reconciliation.classes import DifferenceClass as C
from order_sync.statuses import OrderState
from tests.unit.reconciliation.books import BEA, Books, marker_of, noon, number_of
from tests.unit.reconciliation.situation_table import DAY, FULL, NEXT_DAY, NEXT_MONTH, situation


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
    books.unposted(1, DAY, OrderState.CLOSED_VOIDED)


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
    books.unposted(1, DAY, OrderState.MATCHED, posted_at=noon(DAY))
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


@situation("beside its payment an entry of 0.00, in another month", ("order:1", C.MATCHED, 0))
def _(books: Books) -> None:
    books.synced(1, NEXT_MONTH)
    books.entry("z", DAY, 0, order=1)
