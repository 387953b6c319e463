"""How many orders a list would show: exact where a person could count them, "10,000+" where nobody needs to."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, literal, select

from order_sync.ledger.models import HAS_REASON
from order_sync.ledger.order_filters import ORDERS, OrderFilter
from order_sync.ledger.order_indexes import OF_REASONS, along, by_bytes, index_for_counting
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus

MOST_COUNTED = 10_000
"""Counting a million rows on every view is what no index saves."""
MOST_GONE_THROUGH = 100_000
"""Of the orders that have a reason at all: a twentieth of a ledger, unless a practice was not active for long."""

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
    counts = _reasons_at_once(tx, wanted) if wanted.practice_ids else {}
    if counts is None:
        each = _counts(tx, [replace(wanted, reason=reason) for reason in REASONS_OF_ORDERS])
        counts = {reason: count for reason, count in zip(REASONS_OF_ORDERS, each, strict=True) if count.number}
    return dict(sorted(counts.items(), key=lambda item: (-item[1].number, item[0].value)))


def _reasons_at_once(tx: Transaction, wanted: OrderFilter) -> dict[Reason, Count] | None:
    """Count all reasons in one go, or return None when more orders have one than should be gone through for it."""
    found: Counter[Reason] = Counter()
    for number in wanted.number_conditions(by_bytes(tx)):
        query = along(select(ORDERS.c.reason), OF_REASONS).where(*replace(wanted, reason=None).conditions(), HAS_REASON)
        query = query.where(ORDERS.c.practice_id.in_(wanted.practice_ids), *number)
        some = query.limit(MOST_GONE_THROUGH + 1).subquery()
        for reason, count in tx.session.execute(select(some.c.reason, func.count()).group_by(some.c.reason)):
            found[Reason(reason)] += count
    return None if found.total() > MOST_GONE_THROUGH else {reason: _capped(count) for reason, count in found.items()}


def count_orders(tx: Transaction, wanted: OrderFilter) -> Count:
    """Return how many orders the list shows."""
    return _counts(tx, [wanted])[0]


def _counts(tx: Transaction, filters: list[OrderFilter]) -> list[Count]:
    if not any(wanted.practice_ids for wanted in filters):
        return [Count(0)] * len(filters)
    number = by_bytes(tx)
    counted = [_count(wanted, number).label(f"count_{place}") for place, wanted in enumerate(filters)]
    return [_capped(count) for count in tx.session.execute(select(*counted)).one()]


def _count(wanted: OrderFilter, number: ColumnElement[str]) -> ColumnElement[int]:
    counts = []
    for meant in wanted.number_conditions(number):
        query = select(literal(1)).select_from(ORDERS)
        query = query.where(ORDERS.c.practice_id.in_(wanted.practice_ids), *wanted.conditions(), *meant)
        some = along(query, index_for_counting(wanted)).limit(MOST_COUNTED + 1).subquery()
        counts.append(select(func.count()).select_from(some).scalar_subquery())
    return functools.reduce(operator.add, counts)


def _capped(count: int) -> Count:
    return Count(min(count, MOST_COUNTED), is_more=count > MOST_COUNTED)
