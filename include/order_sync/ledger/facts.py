"""What the ledger knows of some orders, for the reconciliation; and which order a payment, a refund or a marker is for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select

from order_sync.ledger.models import HistoryRow, OrderRow, PaymentRow
from order_sync.ledger.refund_models import RefundPaymentRow, RefundRow
from order_sync.ledger.session import Transaction
from order_sync.statuses import OrderState

T = TypeVar("T")

_MOST_VALUES = 500


@dataclass(frozen=True, slots=True)
class LedgerFact:
    """One order of the ledger with its payment, where it has one. Instants are UTC."""

    entity_id: int
    number: str
    state: OrderState
    public_status: str
    reason: str | None
    detail: str | None
    patient_id: str | None
    """Whom the payment was, or is to be, posted to."""
    marker: str | None
    payment_id: str | None
    posted_at: datetime | None
    due_since: datetime | None
    """When it last became due, as far as the ledger saw."""
    changed_at: datetime


def facts_of(tx: Transaction, practice_id: str, entity_ids: Collection[int]) -> dict[int, LedgerFact]:
    """Return what the ledger knows of these orders of the store, by entity id."""
    due = (
        select(HistoryRow.order_id, func.max(HistoryRow.at).label("at"))
        .where(HistoryRow.to_state == OrderState.RECEIVED.value)
        .group_by(HistoryRow.order_id)
    )
    found: dict[int, LedgerFact] = {}
    for some in _some_of(sorted(entity_ids)):
        orders = select(OrderRow.id).where(OrderRow.practice_id == practice_id, OrderRow.entity_id.in_(some))
        due_since = {row[0]: row[1] for row in tx.session.execute(due.where(HistoryRow.order_id.in_(orders)))}
        query = (
            select(OrderRow, PaymentRow)
            .outerjoin(PaymentRow, PaymentRow.order_id == OrderRow.id)
            .where(OrderRow.practice_id == practice_id, OrderRow.entity_id.in_(some))
        )
        for order, payment in tx.session.execute(query):
            found[order.entity_id] = _fact(order, payment, due_since.get(order.id))
    return found


def orders_of_payments(tx: Transaction, practice_id: str, payment_ids: Iterable[str]) -> dict[str, int]:
    """Return the order's entity id for each of these payments of Nextech that the ledger has posted, by payment id."""
    query = select(PaymentRow.payment_id, OrderRow.entity_id).join(OrderRow, OrderRow.id == PaymentRow.order_id)
    query = query.where(PaymentRow.practice_id == practice_id)
    return _pairs(tx, payment_ids, lambda some: query.where(PaymentRow.payment_id.in_(some)))


def orders_of_markers(tx: Transaction, practice_id: str, markers: Iterable[str]) -> dict[str, int]:
    """Return the order's entity id for each of these markers that the ledger has planned with, by marker."""
    query = select(PaymentRow.marker, OrderRow.entity_id).join(OrderRow, OrderRow.id == PaymentRow.order_id)
    query = query.where(PaymentRow.practice_id == practice_id)
    return _pairs(tx, markers, lambda some: query.where(PaymentRow.marker.in_(some)))


def orders_of_refunds(tx: Transaction, practice_id: str, payment_ids: Iterable[str]) -> dict[str, int]:
    """Return the order's entity id for each of these payments that records a refund, by payment id."""
    query = (
        select(RefundPaymentRow.payment_id, OrderRow.entity_id)
        .join(RefundRow, RefundRow.id == RefundPaymentRow.refund_id)
        .join(OrderRow, OrderRow.id == RefundRow.order_id)
        .where(RefundPaymentRow.practice_id == practice_id)
    )
    return _pairs(tx, payment_ids, lambda some: query.where(RefundPaymentRow.payment_id.in_(some)))


def recorded_memos(tx: Transaction, practice_id: str, memo_ids: Iterable[int]) -> frozenset[int]:
    """Return which of these credit memos are wholly recorded in Nextech."""
    settled = func.coalesce(func.sum(RefundPaymentRow.settled_cents), 0)
    query = (
        select(RefundRow.memo_id, RefundRow.id)
        .join(RefundPaymentRow, RefundPaymentRow.refund_id == RefundRow.id)
        .where(RefundRow.practice_id == practice_id)
        .group_by(RefundRow.memo_id, RefundRow.id, RefundRow.amount_cents)
        .having(settled >= RefundRow.amount_cents)
    )
    return frozenset(_pairs(tx, memo_ids, lambda some: query.where(RefundRow.memo_id.in_(some))))


def _pairs(tx: Transaction, values: Iterable[T], query: Callable[[Sequence[T]], Any]) -> dict[T, int]:
    found: dict[T, int] = {}
    for some in _some_of(dict.fromkeys(values)):
        found |= {row[0]: row[1] for row in tx.session.execute(query(some))}
    return found


def _some_of(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield lists that fit into one statement."""
    pending = list(values)
    for start in range(0, len(pending), _MOST_VALUES):
        yield pending[start : start + _MOST_VALUES]


def _fact(order: OrderRow, payment: PaymentRow | None, due_since: datetime | None) -> LedgerFact:
    return LedgerFact(
        entity_id=order.entity_id,
        number=order.number,
        state=order.state,
        public_status=order.public_status.value,
        reason=order.reason,
        detail=order.detail,
        patient_id=(payment.patient_id if payment else None) or order.patient_id,
        marker=payment.marker if payment else None,
        payment_id=payment.payment_id if payment else None,
        posted_at=payment.posted_at if payment else None,
        due_since=due_since,
        changed_at=order.changed_at,
    )
