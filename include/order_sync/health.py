"""Say how a practice's sync is doing, by the questions in `include/sql`: what is late, held back, or did not leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.sql.elements import TextClause

from order_sync.ledger.columns import UtcDateTime
from order_sync.ledger.session import Transaction
from order_sync.practices import Practice
from order_sync.reasons import Reason
from order_sync.reconciliation.periods import Period
from order_sync.report_overview import UnsentLetter, days_without_a_report, unsent_letters
from order_sync.resources import query
from order_sync.sending import BREAKER_OPENS_AT
from order_sync.statuses import OrderState

OVERDUE_AFTER = timedelta(minutes=20)
"""After capture or release an order is posted within a tick and its run (design section 4)."""
LATE_AFTER = timedelta(minutes=45)
"""Three ticks without a run that went through."""
_REPORTED_AFTER = timedelta(hours=36)
"""A day's report is made on the morning after it, wherever the practice is."""
_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LateOrder:
    """An order that should be further than it is. `since`: when it became due, or was sent."""

    order_id: int
    number: str
    state: OrderState
    since: datetime


@dataclass(frozen=True, slots=True)
class HeldOrders:
    """Orders that are not due yet because of what the store says of them."""

    reason: Reason | None
    orders: int
    oldest_placed_at: datetime


@dataclass(frozen=True, slots=True)
class QueueAges:
    """How many cases wait for a person; each number counts what is older than its age, too."""

    cases: int
    amount_cents: int
    older_than_a_day: int
    older_than_a_week: int
    older_than_a_month: int
    oldest_opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """How a practice's sync is doing. Instants are UTC; what has an age comes oldest first."""

    practice_id: str
    as_of: datetime
    last_good_run_at: datetime | None
    read_until: datetime | None
    """Everything that changed in the store before this is known."""
    unclear_in_a_row: int
    """Postings whose outcome was not known, since the last one whose was."""
    overdue: tuple[LateOrder, ...]
    """Due for more than 20 minutes, and not posted."""
    held: tuple[HeldOrders, ...]
    outcome_unknown: tuple[LateOrder, ...]
    queue: QueueAges
    untold_statuses: int
    untold_since: datetime | None
    unsent_letters: tuple[UnsentLetter, ...]
    days_without_report: dict[date, int]
    """How many orders each such day has."""

    @property
    def is_run_late(self) -> bool:
        """Say whether no run has gone through for three ticks."""
        return self.last_good_run_at is None or self.last_good_run_at < self.as_of - LATE_AFTER

    @property
    def is_breaker_open(self) -> bool:
        """Say whether posting is held back to one payment a run."""
        return self.unclear_in_a_row >= BREAKER_OPENS_AT

    @property
    def is_well(self) -> bool:
        """Say whether the data team has nothing to look at; that the queue has cases is everyday life."""
        troubles = (self.is_run_late, self.is_breaker_open, self.overdue, self.outcome_unknown, self.unsent_letters)
        return not any(troubles) and not self.days_without_report


def read_health(tx: Transaction, practice: Practice) -> Health:
    """Return how the practice's sync is doing now."""
    of_practice = {"practice_id": practice.id}
    run_asked = text(query("last_good_run")).columns(synced_at=UtcDateTime, watermark=UtcDateTime)
    run = tx.session.execute(run_asked, of_practice).one_or_none()
    untold_asked = text(query("statuses_not_told")).columns(oldest_created_at=UtcDateTime)
    untold = tx.session.execute(untold_asked, of_practice).one()
    return Health(
        practice_id=practice.id,
        as_of=tx.now,
        last_good_run_at=run.synced_at if run else None,
        read_until=run.watermark if run else None,
        unclear_in_a_row=run.unknown_in_a_row if run else 0,
        overdue=_overdue(tx, practice.id),
        held=_held(tx, practice.id),
        outcome_unknown=_outcome_unknown(tx, practice.id),
        queue=_queue_ages(tx, practice.id),
        untold_statuses=untold.statuses,
        untold_since=untold.oldest_created_at,
        unsent_letters=tuple(
            letter for letter in unsent_letters(tx, since=tx.now - _LOOK_BACK) if letter.practice_id == practice.id
        ),
        days_without_report=_days_without_report(tx, practice),
    )


def _overdue(tx: Transaction, practice_id: str) -> tuple[LateOrder, ...]:
    asked = _with_instants(query("orders_overdue"), "overdue_before").columns(due_since=UtcDateTime)
    bound = {"practice_id": practice_id, "overdue_before": tx.now - OVERDUE_AFTER}
    return tuple(
        LateOrder(row.order_id, row.number, OrderState(row.state), row.due_since) for row in tx.session.execute(asked, bound)
    )


def _held(tx: Transaction, practice_id: str) -> tuple[HeldOrders, ...]:
    asked = text(query("orders_held_in_the_store")).columns(oldest_placed_at=UtcDateTime)
    return tuple(
        HeldOrders(Reason(row.reason) if row.reason else None, row.orders, row.oldest_placed_at)
        for row in tx.session.execute(asked, {"practice_id": practice_id})
    )


def _outcome_unknown(tx: Transaction, practice_id: str) -> tuple[LateOrder, ...]:
    asked = text(query("orders_with_unknown_outcome")).columns(changed_at=UtcDateTime)
    found = (
        LateOrder(row.order_id, row.number, OrderState(row.state), row.changed_at)
        for row in tx.session.execute(asked, {"practice_id": practice_id})
    )
    return tuple(sorted(found, key=lambda late: (late.since, late.order_id)))


def _queue_ages(tx: Transaction, practice_id: str) -> QueueAges:
    ages = {"day_ago": timedelta(days=1), "week_ago": timedelta(days=7), "month_ago": timedelta(days=30)}
    asked = _with_instants(query("queue_by_age"), *ages).columns(oldest_opened_at=UtcDateTime)
    bound = {"practice_id": practice_id, **{name: tx.now - age for name, age in ages.items()}}
    row = tx.session.execute(asked, bound).one()
    return QueueAges(
        cases=row.cases,
        amount_cents=int(row.amount_cents),
        older_than_a_day=int(row.older_than_a_day),
        older_than_a_week=int(row.older_than_a_week),
        older_than_a_month=int(row.older_than_a_month),
        oldest_opened_at=row.oldest_opened_at,
    )


def _days_without_report(tx: Transaction, practice: Practice) -> dict[date, int]:
    last_day = practice.business_day(tx.now - _REPORTED_AFTER)
    return days_without_a_report(tx, practice.id, Period(last_day - _LOOK_BACK, last_day))


def _with_instants(question: str, *instants: str) -> TextClause:
    return text(question).bindparams(*(bindparam(instant, type_=UtcDateTime) for instant in instants))
