"""Sum up where a practice's reports stand, by the questions in `include/sql`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Date, bindparam, text
from sqlalchemy.sql.elements import TextClause

from order_sync.ledger.columns import UtcDateTime
from order_sync.ledger.session import Transaction
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import Period
from order_sync.resources import query


@dataclass(frozen=True, slots=True)
class OpenClass:
    """All differences of one class that nobody has settled; amounts in cents, whatever their sign."""

    class_: DifferenceClass
    differences: int
    amount_cents: int
    older_than_a_week: int
    older_than_a_month: int


@dataclass(frozen=True, slots=True)
class UnsentLetter:
    """A letter that no mail server has taken over; `report_id` is None for an alarm."""

    practice_id: str
    report_id: str | None
    kind: str
    state: str
    created_at: datetime
    last_error: str | None


def open_classes(tx: Transaction, practice_id: str) -> list[OpenClass]:
    """Return what is not settled, by class, the largest amount first."""
    asked = _with_instants(query("differences_by_class_and_age"), "week_ago", "month_ago")
    bound = {"practice_id": practice_id, "week_ago": tx.now - timedelta(days=7), "month_ago": tx.now - timedelta(days=30)}
    return [
        OpenClass(
            class_=DifferenceClass(row["class"]),
            differences=row["differences"],
            amount_cents=int(row["amount_cents"]),
            older_than_a_week=int(row["older_than_a_week"]),
            older_than_a_month=int(row["older_than_a_month"]),
        )
        for row in tx.session.execute(asked, bound).mappings()
    ]


def unsent_letters(tx: Transaction, *, since: datetime) -> list[UnsentLetter]:
    """Return the letters since an instant that did not leave, oldest first; one that was sent again later is left out."""
    asked = _with_instants(query("letters_that_did_not_leave"), "since").columns(created_at=UtcDateTime)
    return [UnsentLetter(**row) for row in tx.session.execute(asked, {"since": since}).mappings()]


def days_without_a_report(tx: Transaction, practice_id: str, period: Period) -> dict[date, int]:
    """Return how many orders each day of the period has that no report covers."""
    asked = text(query("days_without_a_report")).bindparams(
        bindparam("first_day", type_=Date), bindparam("last_day", type_=Date)
    )
    bound = {"practice_id": practice_id, "first_day": period.first_day, "last_day": period.last_day}
    rows = tx.session.execute(asked.columns(business_day=Date), bound)
    return {row.business_day: row.orders for row in rows}


def _with_instants(question: str, *instants: str) -> TextClause:
    return text(question).bindparams(*(bindparam(instant, type_=UtcDateTime) for instant in instants))
