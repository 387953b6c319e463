"""Orders without Nextech money."""

from __future__ import annotations

from datetime import date, timedelta

from order_sync.reconciliation.classes import DifferenceClass as C
from order_sync.statuses import OrderState
from tests.unit.reconciliation.books import Books
from tests.unit.reconciliation.situation_table import DAY, FULL, NEXT_DAY, READ_AT, situation


@situation("not paid", ("order:1", C.NOT_DUE, 0))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.WAITING, {"eligibility": "waits", "reason": "not_paid", "cents": 0})


@situation("cancelled before capture", ("order:1", C.NOT_DUE, 0))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "cancelled", "cents": 0})


@situation("refunded before it was posted", ("order:1", C.NOT_DUE, 0))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "refunded_before_posting"})
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
    books.unposted(1, DAY, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "refunded_before_posting"})
    books.memo(1, NEXT_DAY, 70_00, offline_cents=30_00)


@situation("captured in part", ("order:1", C.PARTLY_PAID, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.WAITING, {"eligibility": "waits", "reason": "partly_paid", "is_partly_paid": True})


@situation("paid by gift card alone", ("order:1", C.NOTHING_TO_POST, 0))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.NOTHING_TO_POST, {"eligibility": "nothing", "reason": "amount_zero", "cents": 0})


@situation("due, and the ledger does not know it", ("order:1", C.NEVER_SEEN, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY)


@situation("for a person to look at, and the ledger does not know it", ("order:1", C.NEVER_SEEN, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY, eligibility="person", reason="totals_disagree")


@situation("on hold", ("order:1", C.ON_HOLD, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.WAITING, {"eligibility": "waits", "reason": "on_hold", "is_held": True})


@situation("its payment is under review", ("order:1", C.ON_HOLD, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.WAITING, {"eligibility": "waits", "reason": "under_review"})


@situation("placed while the integration was off", ("order:1", C.DISABLED, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.DISABLED, {"eligibility": "inactive", "reason": "integration_inactive"})


@situation("placed long before the integration, and the ledger does not know it", ("order:1", C.DISABLED, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY, eligibility="inactive", reason="integration_inactive")


@situation("placed while the integration was off, and refunded", ("order:1", C.DISABLED, +70_00))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.DISABLED, {"eligibility": "inactive", "reason": "integration_inactive"})
    books.memo(1, NEXT_DAY, 30_00)


@situation("the ledger calls it Disabled, the practice's settings no longer do", ("order:1", C.DISABLED, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.DISABLED)


@situation("waiting for 20 minutes", ("order:1", C.IN_FLIGHT, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, due_since=READ_AT - timedelta(minutes=20))


@situation("placed 20 minutes ago, and the ledger does not know it yet", ("order:1", C.IN_FLIGHT, +FULL))
def _(books: Books) -> None:
    books.order(1, DAY, placed_at=READ_AT - timedelta(minutes=20))


@situation("waiting for longer than 20 minutes", ("order:1", C.OVERDUE, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, due_since=READ_AT - timedelta(minutes=20, seconds=1))


@situation("its outcome is unknown for longer than 20 minutes", ("order:1", C.OVERDUE, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.UNKNOWN)


@situation("a person has to pick the patient", ("order:1", C.NEEDS_A_PERSON, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.QUEUED, reason="duplicated_customer")


@situation("a person decided to post nothing", ("order:1", C.NEEDS_A_PERSON, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.CLOSED)


@situation("an order without money needs a person", ("order:1", C.NEEDS_A_PERSON, 0))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.QUEUED, {"eligibility": "person", "reason": "totals_disagree", "cents": 0})


@situation("Synced, and Nextech has nothing", ("order:1", C.LOST_POSTING, +FULL))
def _(books: Books) -> None:
    books.unposted(1, DAY, OrderState.CONFIRMED)
