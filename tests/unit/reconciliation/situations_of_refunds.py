"""Refunds, beside the class of their order."""

from __future__ import annotations

from datetime import date

from order_sync.reconciliation.classes import DifferenceClass as C
from tests.unit.reconciliation.books import Books
from tests.unit.reconciliation.situation_table import DAY, FULL, NEXT_DAY, NEXT_MONTH, situation


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
