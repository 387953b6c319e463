"""What is to be posted for an order, and every attempt at it: the intent before the call, the outcome after it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select, update

from order_sync.errors import LedgerBusyError
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow, PaymentRow
from order_sync.ledger.session import Transaction
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.statuses import OrderState


@dataclass(frozen=True, slots=True)
class Intent:
    """What an attempt is about to send, frozen."""

    kind: AttemptKind
    request_sha256: str
    may_run_seconds: float
    """From the intent to the last instant at which the attempt can still be under way."""


def begin_attempt(tx: Transaction, order: OrderRow, intent: Intent) -> AttemptRow:
    """Record the intent to send; call it in the transaction that moved the order, before the call is made (R1)."""
    attempt = AttemptRow(
        attempt_id=str(uuid.uuid4()),
        order_id=order.id,
        kind=intent.kind,
        fence=order.version,
        request_sha256=intent.request_sha256,
        intended_at=tx.now,
        deadline=tx.now + timedelta(seconds=intent.may_run_seconds),
    )
    tx.session.add(attempt)
    tx.session.flush()
    return attempt


def finish_attempt(tx: Transaction, attempt_id: str, answer: PostAnswer) -> None:
    """Record an attempt's outcome, once; raises `LedgerBusyError` when it already has one."""
    done = tx.session.execute(
        update(AttemptRow)
        .where(AttemptRow.attempt_id == attempt_id, AttemptRow.outcome.is_(None))
        .values(
            outcome=answer.outcome,
            http_status=answer.status,
            request_id=answer.request_id and answer.request_id[:120],
            reason=answer.reason[:255],
            finished_at=tx.now,
        )
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        msg = f"attempt {attempt_id} has its outcome already"
        raise LedgerBusyError(msg)


def latest_attempt(tx: Transaction, order_id: int, kind: AttemptKind) -> AttemptRow | None:
    """Return the order's newest attempt of this kind."""
    query = (
        select(AttemptRow)
        .where(AttemptRow.order_id == order_id, AttemptRow.kind == kind)
        .order_by(AttemptRow.intended_at.desc(), AttemptRow.fence.desc())
        .limit(1)
    )
    return tx.session.scalars(query).one_or_none()


def doubtful_account(tx: Transaction, order: OrderRow, *, since: datetime) -> OrderRow | None:
    """Return the order for which this customer's account may have been created since then, though nobody has found it.

    It may be this order itself, or another one of the same store customer.
    """
    query = (
        select(OrderRow)
        .join(AttemptRow, AttemptRow.order_id == OrderRow.id)
        .where(
            OrderRow.practice_id == order.practice_id,
            or_(OrderRow.id == order.id, OrderRow.customer_key == order.customer_key),
            OrderRow.patient_id.is_(None),
            AttemptRow.kind == AttemptKind.PATIENT,
            or_(AttemptRow.outcome.is_(None), AttemptRow.outcome == PostOutcome.UNKNOWN),
            AttemptRow.intended_at > since,
        )
        .order_by(AttemptRow.intended_at.desc())
        .limit(1)
    )
    return tx.session.scalars(query).one_or_none()


def overdue_attempts(
    tx: Transaction, practice_id: str, state: OrderState, kind: AttemptKind
) -> list[tuple[OrderRow, AttemptRow]]:
    """Return the orders of this state whose newest attempt can no longer be under way, and that attempt (R8, R9)."""
    orders = tx.session.scalars(select(OrderRow).where(OrderRow.practice_id == practice_id, OrderRow.state == state))
    found = []
    for order in orders:
        attempt = latest_attempt(tx, order.id, kind)
        if attempt is not None and attempt.deadline < tx.now:
            found.append((order, attempt))
    return found


def find_payment(tx: Transaction, order_id: int) -> PaymentRow | None:
    """Return what is posted, or is to be posted, for an order."""
    return tx.session.get(PaymentRow, order_id)


def payments_of(tx: Transaction, order_ids: list[int]) -> dict[int, PaymentRow]:
    """Return the payments of these orders, by order id."""
    return {row.order_id: row for row in tx.session.scalars(select(PaymentRow).where(PaymentRow.order_id.in_(order_ids)))}


def plan_payment(
    tx: Transaction,
    order: OrderRow,
    *,
    posting_key: str,
    marker: str,
    patient_id: str,
    amount_cents: int,
    business_day: date,
) -> PaymentRow:
    """Record what is to be posted for an order, or replace a plan that was never sent."""
    row = tx.session.get(PaymentRow, order.id)
    if row is None:
        row = PaymentRow(order_id=order.id, practice_id=order.practice_id, absent_reads=0)
        tx.session.add(row)
    row.posting_key, row.marker, row.patient_id = posting_key, marker, patient_id
    row.amount_cents, row.business_day = amount_cents, business_day
    # What an earlier payment of this order left, that staff voided since, is not this one's.
    row.payment_id = row.posted_at = row.verified_at = None
    tx.session.flush()
    return row


def update_payment(tx: Transaction, order_id: int, **values: object) -> None:
    """Record news about an order's payment."""
    tx.session.execute(
        update(PaymentRow)
        .where(PaymentRow.order_id == order_id)
        .values(**values)
        .execution_options(synchronize_session="fetch")
    )


def known_payment_ids(tx: Transaction, practice_id: str, patient_ids: list[str]) -> frozenset[str]:
    """Return the Nextech payment ids that belong to orders in the ledger, for these patients."""
    query = select(PaymentRow.payment_id).where(
        PaymentRow.practice_id == practice_id, PaymentRow.patient_id.in_(patient_ids), PaymentRow.payment_id.is_not(None)
    )
    return frozenset(found for found in tx.session.scalars(query) if found)


def witness_payment(tx: Transaction, practice_id: str, *, other_than: str | None = None) -> tuple[str, str] | None:
    """Return (patient id, payment id) of the payment that a complete read saw last, of a patient `other_than` this one.

    A read of several patients at once carries two along: seeing both proves that the server understood the list.
    """
    query = (
        select(PaymentRow.patient_id, PaymentRow.payment_id)
        .join(OrderRow, OrderRow.id == PaymentRow.order_id)
        .where(
            PaymentRow.practice_id == practice_id,
            PaymentRow.payment_id.is_not(None),
            PaymentRow.verified_at.is_not(None),
            OrderRow.state == OrderState.CONFIRMED,
        )
        .order_by(PaymentRow.verified_at.desc())
        .limit(1)
    )
    if other_than is not None:
        query = query.where(PaymentRow.patient_id != other_than)
    found = tx.session.execute(query).one_or_none()
    return (found[0], found[1]) if found and found[1] else None


def unverified_payments(
    tx: Transaction, practice_id: str, *, before: datetime, limit: int
) -> list[tuple[OrderRow, PaymentRow]]:
    """Return posted payments that no complete read has shown yet, oldest first."""
    query = (
        select(OrderRow, PaymentRow)
        .join(PaymentRow, OrderRow.id == PaymentRow.order_id)
        .where(
            OrderRow.practice_id == practice_id,
            OrderRow.state == OrderState.CONFIRMED,
            PaymentRow.verified_at.is_(None),
            or_(PaymentRow.last_absent_at.is_(None), PaymentRow.last_absent_at < before),
        )
        .order_by(PaymentRow.posted_at)
        .limit(limit)
    )
    return [(order, payment) for order, payment in tx.session.execute(query)]
