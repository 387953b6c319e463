"""Restores that were declared, and what the restored ledger still knows of the orders from before."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import bindparam, func, select

from order_sync.ledger.models import OrderRow, PaymentRow, RestoreRow
from order_sync.ledger.session import Transaction
from order_sync.statuses import OrderState

_ENOUGH_WITNESSES = 50
_LAST = select(func.max(RestoreRow.declared_at)).where(RestoreRow.practice_id == bindparam("of_practice"))


def add_restore(tx: Transaction, practice_id: str, *, by: str) -> None:
    """Record that an older copy of the ledger was put back, now."""
    tx.session.add(RestoreRow(practice_id=practice_id, declared_at=tx.now, declared_by=by[:80]))
    tx.session.flush()


def last_restore(tx: Transaction, practice_id: str) -> datetime | None:
    """Return when a restore was last declared for a practice, None when it never was."""
    found: datetime | None = tx.session.scalar(_LAST, {"of_practice": practice_id})
    return found


def older_order_without_patient(tx: Transaction, order: OrderRow, *, placed_before: datetime) -> OrderRow | None:
    """Return an order of the same store customer from before an instant for which no chart is known."""
    if order.customer_key is None:
        return None
    query = (
        select(OrderRow)
        .where(
            OrderRow.practice_id == order.practice_id,
            OrderRow.customer_key == order.customer_key,
            OrderRow.id != order.id,
            OrderRow.placed_at < placed_before,
            OrderRow.patient_id.is_(None),
            OrderRow.state != OrderState.DISABLED,
        )
        .limit(1)
    )
    return tx.session.scalars(query).one_or_none()


def payments_seen_between(tx: Transaction, practice_id: str, first_day: date, last_day: date) -> frozenset[str]:
    """Return ids of payments of these days that a complete read has shown, the latest ones: witnesses of another read."""
    query = (
        select(PaymentRow.payment_id)
        .join(OrderRow, OrderRow.id == PaymentRow.order_id)
        .where(
            PaymentRow.practice_id == practice_id,
            PaymentRow.business_day.between(first_day, last_day),
            PaymentRow.payment_id.is_not(None),
            PaymentRow.verified_at.is_not(None),
            OrderRow.state == OrderState.CONFIRMED,
        )
        .order_by(PaymentRow.verified_at.desc())
        .limit(_ENOUGH_WITNESSES)
    )
    return frozenset(found for found in tx.session.scalars(query) if found)
