"""Refunds of posted orders that have to be recorded in Nextech, the payments that record them, and their cases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update

from order_sync.ledger.cases import close_case, open_case, refund_cause
from order_sync.ledger.models import OPEN_CASE, CaseRow, CaseState, OrderRow
from order_sync.ledger.orders import SYNC
from order_sync.ledger.refund_models import RefundPaymentRow, RefundRow
from order_sync.ledger.session import Transaction, insert_if_absent
from order_sync.reasons import Reason, sentence
from order_sync.statuses import OrderState

POSTED_STATES = frozenset({OrderState.CONFIRMED, OrderState.CLOSED_VOIDED, OrderState.CLOSED, OrderState.QUEUED})
"""An order in one of these may have a payment in Nextech that a refund belongs to."""


@dataclass(frozen=True, slots=True)
class MemoFact:
    """A credit memo as it is kept."""

    memo_id: int
    number: str
    made_at: datetime
    amount_cents: int
    is_offline: bool


def memo_cause(order_id: int, memo_id: int) -> str:
    """Return the cause under which one credit memo of an order waits to be recorded."""
    return f"{refund_cause(order_id)}:{memo_id}"


def orders_with_refunds(tx: Transaction, practice_id: str, *, since: datetime) -> list[OrderRow]:
    """Return the orders whose refunds are to be looked at, by entity id.

    Those with an open case, those whose credit memos are younger than `since` or were settled after it, and those that the
    store has refunded by more or less than the credit memos that are known: the news of one may have been lost between
    two processes.
    """
    by_case = select(CaseRow.order_id).where(
        CaseRow.practice_id == practice_id, CaseRow.reason == Reason.REFUND_TO_RECORD.value, OPEN_CASE
    )
    recent = select(RefundRow.order_id).where(RefundRow.practice_id == practice_id, RefundRow.made_at >= since)
    settled = (
        select(RefundRow.order_id)
        .join(RefundPaymentRow, RefundPaymentRow.refund_id == RefundRow.id)
        .where(RefundRow.practice_id == practice_id, RefundPaymentRow.settled_at >= since)
    )
    known_cents = (
        select(func.coalesce(func.sum(RefundRow.amount_cents), 0)).where(RefundRow.order_id == OrderRow.id).scalar_subquery()
    )
    differs = select(OrderRow.id).where(
        OrderRow.practice_id == practice_id,
        OrderRow.state.in_(POSTED_STATES),
        OrderRow.refunded_cents > 0,
        OrderRow.refunded_cents != known_cents,
    )
    ids = or_(*(OrderRow.id.in_(query) for query in (by_case, recent, settled, differs)))
    query = select(OrderRow).where(OrderRow.practice_id == practice_id, ids).order_by(OrderRow.entity_id)
    return list(tx.session.scalars(query))


def open_debts(tx: Transaction, practice_id: str) -> list[tuple[datetime, int]]:
    """Return what is still to record, in cents, with the instant of each credit memo; oldest first."""
    cases = select(CaseRow.cause, CaseRow.amount_cents).where(
        CaseRow.practice_id == practice_id, CaseRow.reason == Reason.REFUND_TO_RECORD.value, OPEN_CASE
    )
    owed = {cause: cents for cause, cents in tx.session.execute(cases) if cents}
    refunds = select(RefundRow.order_id, RefundRow.memo_id, RefundRow.made_at).where(RefundRow.practice_id == practice_id)
    made = {memo_cause(order_id, memo_id): made_at for order_id, memo_id, made_at in tx.session.execute(refunds)}
    return sorted((made[cause], cents) for cause, cents in owed.items() if cause in made)


def refunds_of(tx: Transaction, order_ids: Collection[int]) -> dict[int, list[RefundRow]]:
    """Return the credit memos that are known of these orders, by order id, oldest first."""
    found: dict[int, list[RefundRow]] = {}
    query = select(RefundRow).where(RefundRow.order_id.in_(order_ids)).order_by(RefundRow.made_at, RefundRow.memo_id)
    for row in tx.session.scalars(query):
        found.setdefault(row.order_id, []).append(row)
    return found


def settlements_of(tx: Transaction, order_ids: Collection[int]) -> list[tuple[RefundRow, RefundPaymentRow]]:
    """Return which payments record the credit memos of these orders."""
    query = (
        select(RefundRow, RefundPaymentRow)
        .join(RefundPaymentRow, RefundPaymentRow.refund_id == RefundRow.id)
        .where(RefundRow.order_id.in_(order_ids))
        .order_by(RefundRow.id, RefundPaymentRow.payment_id)
    )
    return [(refund, payment) for refund, payment in tx.session.execute(query)]


def settled_by_others(tx: Transaction, practice_id: str, order_ids: Collection[int]) -> dict[str, int]:
    """Return the cents that each payment has settled for orders other than these, by payment id, however long ago."""
    query = (
        select(RefundPaymentRow.payment_id, func.sum(RefundPaymentRow.settled_cents))
        .join(RefundRow, RefundRow.id == RefundPaymentRow.refund_id)
        .where(RefundPaymentRow.practice_id == practice_id, RefundRow.order_id.not_in(order_ids))
        .group_by(RefundPaymentRow.payment_id)
    )
    return {payment_id: int(cents) for payment_id, cents in tx.session.execute(query)}


def keep_refund(tx: Transaction, order: OrderRow, memo: MemoFact) -> RefundRow:
    """Record a credit memo, or what changed about it; return its row."""
    values: dict[str, object] = {
        "order_id": order.id,
        "memo_number": memo.number[:64],
        "made_at": memo.made_at,
        "amount_cents": memo.amount_cents,
        "is_offline": memo.is_offline,
    }
    is_memo = (RefundRow.practice_id == order.practice_id, RefundRow.memo_id == memo.memo_id)
    query = select(RefundRow).where(*is_memo).execution_options(populate_existing=True)
    row = tx.session.scalars(query).one_or_none()
    if row is None:
        insert_if_absent(tx, RefundRow, {"practice_id": order.practice_id, "memo_id": memo.memo_id, **values})
    elif any(getattr(row, name) != value for name, value in values.items()):
        tx.session.execute(update(RefundRow).where(*is_memo).values(**values).execution_options(synchronize_session=False))
    return tx.session.scalars(query).one()


def forget_refund(tx: Transaction, refund: RefundRow) -> None:
    """Forget a credit memo that the store has cancelled, with what recorded it."""
    tx.session.execute(delete(RefundPaymentRow).where(RefundPaymentRow.refund_id == refund.id))
    tx.session.execute(delete(RefundRow).where(RefundRow.id == refund.id))


def keep_settlement(tx: Transaction, refund: RefundRow, payment_id: str, settled_cents: int, *, is_by_name: bool) -> None:
    """Record that a payment of Nextech records so much of a refund."""
    values: dict[str, object] = {
        "refund_id": refund.id,
        "payment_id": payment_id[:64],
        "practice_id": refund.practice_id,
        "settled_cents": settled_cents,
        "is_by_name": is_by_name,
        "settled_at": tx.now,
    }
    insert_if_absent(tx, RefundPaymentRow, values)


def drop_settlement(tx: Transaction, settlement: RefundPaymentRow) -> None:
    """Forget that a payment records a refund: staff have voided or changed it."""
    tx.session.execute(
        delete(RefundPaymentRow).where(
            RefundPaymentRow.refund_id == settlement.refund_id, RefundPaymentRow.payment_id == settlement.payment_id
        )
    )


def take_over_case(tx: Transaction, order: OrderRow, memo_id: int) -> None:
    """Give the case that the order's refunded total opened to its credit memo: age and assignee stay.

    Where the credit memo has a case of its own already, the other one is closed.
    """
    cause = memo_cause(order.id, memo_id)
    if _last_case(tx, cause) is not None:
        close_case(tx, refund_cause(order.id), by=SYNC, resolution="each credit memo has its own case")
        return
    tx.session.execute(
        update(CaseRow)
        .where(CaseRow.cause == refund_cause(order.id), OPEN_CASE)
        .values(cause=cause)
        .execution_options(synchronize_session=False)
    )


def demand(tx: Transaction, order: OrderRow, memo: MemoFact, owed_cents: int, detail: str) -> bool:
    """Have one open case for what is still to record of a credit memo; return whether that changed anything.

    What a person has dismissed stays closed: the report goes on showing the difference. What a person has tied to a payment
    comes back when staff void that payment.
    """
    cause = memo_cause(order.id, memo.memo_id)
    last = _last_case(tx, cause)
    if last is None:
        last = _closed_by_hand_since(tx, refund_cause(order.id), memo.made_at)
    is_open = last is not None and last.state not in (CaseState.RESOLVED, CaseState.DISMISSED)
    if last is not None and not is_open and last.closed_by != SYNC and last.state is CaseState.DISMISSED:
        return False
    text = sentence(Reason.REFUND_TO_RECORD, detail)[:400]
    if last is not None and is_open and (last.amount_cents, last.sentence) == (owed_cents, text):
        return False
    open_case(
        tx,
        practice_id=order.practice_id,
        cause=cause,
        reason=Reason.REFUND_TO_RECORD,
        detail=detail,
        order=order,
        amount_cents=owed_cents,
    )
    return True


def settle(tx: Transaction, order: OrderRow, memo_id: int | None, resolution: str) -> bool:
    """Close the case of a credit memo, or the one that the order's total opened; return whether one was open."""
    cause = refund_cause(order.id) if memo_id is None else memo_cause(order.id, memo_id)
    return close_case(tx, cause, by=SYNC, resolution=resolution)


def _last_case(tx: Transaction, cause: str) -> CaseRow | None:
    query = select(CaseRow).where(CaseRow.cause == cause).order_by(CaseRow.id.desc()).limit(1)
    return tx.session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def _closed_by_hand_since(tx: Transaction, cause: str, instant: datetime) -> CaseRow | None:
    """Return the case of the order's total that a person closed after this credit memo was made."""
    last = _last_case(tx, cause)
    is_by_hand = last is not None and last.closed_at is not None and last.closed_by != SYNC and last.closed_at >= instant
    return last if is_by_hand else None
