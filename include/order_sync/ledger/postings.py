"""What is to be posted for an order, and every attempt at it: the intent before the call, the outcome after it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Integer, bindparam, or_, select, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from order_sync.errors import LedgerBusyError
from order_sync.ledger.columns import UtcDateTime, table_of
from order_sync.ledger.models import AttemptKind, AttemptRow, HistoryRow, OrderRow, PaymentRow
from order_sync.ledger.session import Transaction, take_turn
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState

_ORDERS, _PAYMENTS, _ATTEMPTS = table_of(OrderRow), table_of(PaymentRow), table_of(AttemptRow)
_HISTORY = table_of(HistoryRow)
_FINISH = update(_ATTEMPTS).where(_ATTEMPTS.c.attempt_id == bindparam("known_id"), _ATTEMPTS.c.outcome.is_(None))
_OF_KIND = (_ATTEMPTS.c.order_id == bindparam("of_order"), _ATTEMPTS.c.kind == bindparam("of_kind"))
_LATEST = select(AttemptRow).where(*_OF_KIND).order_by(_ATTEMPTS.c.intended_at.desc(), _ATTEMPTS.c.fence.desc()).limit(1)
_IN_STATE = select(OrderRow).where(_ORDERS.c.practice_id == bindparam("of_practice"), _ORDERS.c.state == bindparam("in_state"))
_OF_ORDER = select(PaymentRow).where(_PAYMENTS.c.order_id == bindparam("of_order"))
_OF_ORDERS = select(PaymentRow).where(_PAYMENTS.c.order_id.in_(bindparam("of_orders", expanding=True)))
_UNDONE = select(_PAYMENTS.c.order_id).where(
    _PAYMENTS.c.order_id.in_(bindparam("of_orders", expanding=True)), _PAYMENTS.c.voided_rows.is_not(None)
)
_TAKEN_BACK = select(_HISTORY.c.order_id).where(
    _HISTORY.c.order_id.in_(bindparam("of_orders", expanding=True)), _HISTORY.c.reason == Reason.WRONG_PATIENT.value
)
_SENT = select(_ATTEMPTS.c.order_id).where(
    _ATTEMPTS.c.order_id.in_(bindparam("of_orders", expanding=True)), _ATTEMPTS.c.kind == AttemptKind.PAYMENT
)
_UPDATE = update(_PAYMENTS).where(_PAYMENTS.c.order_id == bindparam("of_order"))
_KNOWN_IDS = select(_PAYMENTS.c.payment_id).where(
    _PAYMENTS.c.practice_id == bindparam("of_practice"),
    _PAYMENTS.c.patient_id.in_(bindparam("of_patients", expanding=True)),
    _PAYMENTS.c.payment_id.is_not(None),
)
_WITNESS = (
    select(_PAYMENTS.c.patient_id, _PAYMENTS.c.payment_id)
    .join(_ORDERS, _ORDERS.c.id == _PAYMENTS.c.order_id)
    .where(
        _PAYMENTS.c.practice_id == bindparam("of_practice"),
        _PAYMENTS.c.payment_id.is_not(None),
        _PAYMENTS.c.verified_at.is_not(None),
        _ORDERS.c.state == OrderState.CONFIRMED,
    )
    .order_by(_PAYMENTS.c.verified_at.desc())
    .limit(1)
)
_OTHER_WITNESS = _WITNESS.where(_PAYMENTS.c.patient_id != bindparam("other_than"))
_UNVERIFIED = (
    select(OrderRow, PaymentRow)
    .join(PaymentRow, _ORDERS.c.id == _PAYMENTS.c.order_id)
    .where(
        _ORDERS.c.practice_id == bindparam("of_practice"),
        _ORDERS.c.state == OrderState.CONFIRMED,
        _PAYMENTS.c.verified_at.is_(None),
        or_(_PAYMENTS.c.last_absent_at.is_(None), _PAYMENTS.c.last_absent_at < bindparam("before", type_=UtcDateTime)),
    )
    .order_by(_PAYMENTS.c.posted_at)
    .limit(bindparam("most", type_=Integer))
)


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
    outcome = {
        "outcome": answer.outcome,
        "http_status": answer.status,
        "request_id": answer.request_id and answer.request_id[:120],
        "reason": answer.reason[:255],
        "finished_at": tx.now,
    }
    done = tx.session.execute(_FINISH, {"known_id": attempt_id, **outcome})
    if not done.rowcount:  # type: ignore[attr-defined]
        msg = f"attempt {attempt_id} has its outcome already"
        raise LedgerBusyError(msg)


def latest_attempt(tx: Transaction, order_id: int, kind: AttemptKind) -> AttemptRow | None:
    """Return the order's newest attempt of this kind."""
    return tx.session.scalars(_LATEST, {"of_order": order_id, "of_kind": kind}).one_or_none()


def attempts_of(tx: Transaction, order_id: int) -> list[AttemptRow]:
    """Return the attempts to post an order's payment, oldest first."""
    query = select(AttemptRow).where(_ATTEMPTS.c.order_id == order_id, _ATTEMPTS.c.kind == AttemptKind.PAYMENT)
    return list(tx.session.scalars(query.order_by(_ATTEMPTS.c.intended_at, _ATTEMPTS.c.fence)))


def voided_ids(payment: PaymentRow | None) -> frozenset[str]:
    """Return the rows in Nextech that stood voided when it was decided to post the order anew."""
    rows = payment.voided_rows if payment is not None else None
    return frozenset(payment_id for ids in (rows or {}).values() for payment_id in ids)


def undone_orders(tx: Transaction, order_ids: Collection[int]) -> frozenset[int]:
    """Return which of these orders a person has taken from a wrong patient: before anything was sent, or after its void."""
    if not order_ids:
        return frozenset()
    asked = {"of_orders": list(order_ids)}
    return frozenset(tx.session.scalars(_UNDONE, asked)) | frozenset(tx.session.scalars(_TAKEN_BACK, asked))


def perhaps_booked(tx: Transaction, order_ids: Collection[int]) -> frozenset[int]:
    """Return the orders among these for which a payment of ours may stand in Nextech, or may still come."""
    if not order_ids:
        return frozenset()
    sent = set(tx.session.scalars(_SENT, {"of_orders": list(order_ids)}))
    return frozenset(order_id for order_id in sent if may_be_booked(tx, order_id))


def may_be_booked(tx: Transaction, order_id: int) -> bool:
    """Say whether a payment of ours for this order may stand in Nextech, or may still come.

    Not before anything was sent, nor when what was sent last is proved not executed; nor when staff voided what was sent, a
    person has had the order posted anew (which waits for whatever may be late), and nothing was sent since.
    """
    attempt = latest_attempt(tx, order_id, AttemptKind.PAYMENT)
    if attempt is None or attempt.outcome is PostOutcome.NOT_EXECUTED:
        return False
    payment = find_payment(tx, order_id)
    if payment is None or not payment.voided_rows:
        return True
    return payment.payment_id is not None or payment.settle_at is not None


def doubtful_account(tx: Transaction, order: OrderRow, *, since: datetime) -> OrderRow | None:
    """Return the order for which this customer's account may have been created since then, though nobody has found it.

    It may be this order itself, or another one of the same store customer. Two transactions that ask for one customer
    at once take turns, so that the later one sees what the earlier one intends.
    """
    take_turn(tx, f"account|{order.practice_id}|{order.customer_key}")
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
    found = []
    for order in tx.session.scalars(_IN_STATE, {"of_practice": practice_id, "in_state": state}).all():
        attempt = latest_attempt(tx, order.id, kind)
        if attempt is not None and attempt.deadline < tx.now:
            found.append((order, attempt))
    return found


def find_payment(tx: Transaction, order_id: int) -> PaymentRow | None:
    """Return what is posted, or is to be posted, for an order."""
    return tx.session.scalars(_OF_ORDER, {"of_order": order_id}).one_or_none()


def payments_of(tx: Transaction, order_ids: list[int]) -> dict[int, PaymentRow]:
    """Return the payments of these orders, by order id."""
    if not order_ids:
        return {}
    return {row.order_id: row for row in tx.session.scalars(_OF_ORDERS, {"of_orders": order_ids})}


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
    row = find_payment(tx, order.id)
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
    """Record news about an order's payment, also in the row that this transaction has already read."""
    tx.session.execute(_UPDATE, {"of_order": order_id, **values})
    read_before = tx.session.identity_map.get(identity_key(PaymentRow, order_id))
    if read_before is not None:
        for name, value in values.items():
            set_committed_value(read_before, name, value)


def known_payment_ids(tx: Transaction, practice_id: str, patient_ids: list[str]) -> frozenset[str]:
    """Return the Nextech payment ids that belong to orders in the ledger, for these patients."""
    known = tx.session.scalars(_KNOWN_IDS, {"of_practice": practice_id, "of_patients": patient_ids})
    return frozenset(found for found in known if found)


def witness_payment(tx: Transaction, practice_id: str, *, other_than: str | None = None) -> tuple[str, str] | None:
    """Return (patient id, payment id) of the payment that a complete read saw last, of a patient `other_than` this one.

    A read of several patients at once carries two along: seeing both proves that the server understood the list.
    """
    if other_than is None:
        found = tx.session.execute(_WITNESS, {"of_practice": practice_id}).one_or_none()
    else:
        asked = {"of_practice": practice_id, "other_than": other_than}
        found = tx.session.execute(_OTHER_WITNESS, asked).one_or_none()
    return (found[0], found[1]) if found and found[1] else None


def unverified_payments(
    tx: Transaction, practice_id: str, *, before: datetime, limit: int
) -> list[tuple[OrderRow, PaymentRow]]:
    """Return posted payments that no complete read has shown yet, oldest first."""
    unverified = tx.session.execute(_UNVERIFIED, {"of_practice": practice_id, "before": before, "most": limit})
    return [(order, payment) for order, payment in unverified]
