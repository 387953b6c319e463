"""How many orders a list would show: exact where a person could count them, "10,000+" where nobody needs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select

from order_sync.ledger.order_filters import ORDERS, OrderFilter
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus

MOST_COUNTED = 10_000
"""Counting a million rows on every view is what no index saves."""

_OF_A_PRACTICE = frozenset(
    {
        Reason.REFUND_TO_RECORD,
        Reason.LOGIN_REFUSED,
        Reason.STORE_UNAVAILABLE,
        Reason.NEXTECH_UNAVAILABLE,
        Reason.SETTINGS_WRONG,
        Reason.STATUS_NOT_WRITTEN,
        Reason.REPORT_NOT_SENT,
        Reason.REPORT_NOT_MADE,
        Reason.REPORT_NOT_TIED,
    }
)
REASONS_OF_ORDERS = tuple(reason for reason in Reason if reason not in _OF_A_PRACTICE)
"""The others are reasons of cases that are not about the posting of an order."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `is_more` when there are more than were counted."""

    number: int
    is_more: bool = False

    def __str__(self) -> str:
        """Return what a page shows: "1,234", or "10,000+"."""
        return f"{self.number:,}{'+' if self.is_more else ''}"


def counts_by_status(tx: Transaction, wanted: OrderFilter) -> dict[PublicStatus, Count]:
    """Return how many orders each status has under the other filters: the filter's own status is left out."""
    found = _counts(tx, [replace(wanted, status=status) for status in PublicStatus])
    return dict(zip(PublicStatus, found, strict=True))


def counts_by_reason(tx: Transaction, wanted: OrderFilter) -> dict[Reason, Count]:
    """Return how many orders each reason has under the other filters, the most first; reasons without any are left out."""
    found = _counts(tx, [replace(wanted, reason=reason) for reason in REASONS_OF_ORDERS])
    known = {reason: count for reason, count in zip(REASONS_OF_ORDERS, found, strict=True) if count.number}
    return dict(sorted(known.items(), key=lambda item: (-item[1].number, item[0].value)))


def count_orders(tx: Transaction, wanted: OrderFilter) -> Count:
    """Return how many orders the list shows."""
    return _counts(tx, [wanted])[0]


def _counts(tx: Transaction, filters: list[OrderFilter]) -> list[Count]:
    is_postgres = tx.session.get_bind().dialect.name == "postgresql"
    number: ColumnElement[str] = ORDERS.c.number.collate("C") if is_postgres else ORDERS.c.number
    counted = [_count(wanted, number).scalar_subquery().label(f"count_{place}") for place, wanted in enumerate(filters)]
    row = tx.session.execute(select(*counted)).one()
    return [Count(min(count, MOST_COUNTED), is_more=count > MOST_COUNTED) for count in row]


def _count(wanted: OrderFilter, number: ColumnElement[str]) -> Select[Any]:
    some = (
        select(literal(1))
        .where(ORDERS.c.practice_id.in_(wanted.practice_ids), *wanted.conditions(number))
        .limit(MOST_COUNTED + 1)
    )
    return select(func.count()).select_from(some.subquery())
