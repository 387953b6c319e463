"""Everything that the ledger knows of one order, for the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Select, or_, select

from order_sync.follow_ups import FollowUp, next_step_of
from order_sync.ledger.audit import audit_of_order
from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.columns import LedgerTable
from order_sync.ledger.models import (
    AttemptRow,
    CaseRow,
    CaseState,
    HistoryRow,
    OrderRow,
    OutboxRow,
    PaymentRow,
    RememberedPatient,
)
from order_sync.ledger.refund_models import RefundPaymentRow, RefundRow
from order_sync.ledger.report_models import LineRow, ReportRow
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason, next_step, sentence
from order_sync.reconciliation.classes import DifferenceClass

MOST_SHOWN = 200
"""Of a list on the page: an order that steps to and fro for months must not make it endless."""

_CLOSED = frozenset({CaseState.RESOLVED, CaseState.DISMISSED})

Row = TypeVar("Row", bound=LedgerTable)


@dataclass(frozen=True, slots=True)
class Refund:
    """A credit memo of the order, and the payments in Nextech that record it."""

    memo: RefundRow
    payments: tuple[RefundPaymentRow, ...]

    @property
    def to_record_cents(self) -> int:
        """Return how much of it nobody has recorded yet."""
        return max(0, self.memo.amount_cents - sum(payment.settled_cents for payment in self.payments))


@dataclass(frozen=True, slots=True)
class Mention:
    """What a report says of the order, or of its payment."""

    report_id: str
    first_day: date
    last_day: date
    is_current: bool
    """Whether no later version of the report has taken its place."""
    subject: str
    """What the report calls it: the order by the store's key, or its payment by Nextech's id."""
    class_: DifferenceClass
    explains_cents: int


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """One order with all that hangs on it; what has a time comes newest first. Rows are snapshots."""

    order: OrderRow
    sentence: str | None
    """Why it stands where it stands, in the front desk's words."""
    next_steps: tuple[str, ...]
    """What is to be done, most urgent first; empty when nothing is."""
    payment: PaymentRow | None
    attempts: tuple[AttemptRow, ...]
    history: tuple[HistoryRow, ...]
    cases: tuple[CaseRow, ...]
    """The open ones first."""
    messages: tuple[OutboxRow, ...]
    """What the store was told, or has still to be."""
    refunds: tuple[Refund, ...]
    mentions: tuple[Mention, ...]
    remembered: RememberedPatient | None
    """The decision that this store customer is a patient, while it holds."""
    audit: tuple[AuditRow, ...]

    @property
    def open_cases(self) -> tuple[CaseRow, ...]:
        """Return what waits for a person."""
        return tuple(case for case in self.cases if case.state not in _CLOSED)


def read_details(tx: Transaction, order_id: int, practice_ids: tuple[str, ...]) -> OrderDetails | None:
    """Return everything about an order; None when there is none, or when it is of none of these practices."""
    order = tx.session.scalars(
        select(OrderRow).where(OrderRow.id == order_id, OrderRow.practice_id.in_(practice_ids))
    ).one_or_none()
    if order is None:
        return None
    payment = tx.session.scalars(select(PaymentRow).where(PaymentRow.order_id == order_id)).one_or_none()
    cases = _newest(tx, select(CaseRow).where(CaseRow.order_id == order_id).order_by(CaseRow.id.desc()))
    return OrderDetails(
        order=order,
        sentence=sentence(order.why, order.detail) if order.why else order.detail,
        next_steps=_next_steps(order, cases),
        payment=payment,
        attempts=_newest(
            tx,
            select(AttemptRow)
            .where(AttemptRow.order_id == order_id)
            .order_by(AttemptRow.intended_at.desc(), AttemptRow.fence.desc()),
        ),
        history=_newest(tx, select(HistoryRow).where(HistoryRow.order_id == order_id).order_by(HistoryRow.id.desc())),
        cases=tuple(sorted(cases, key=lambda case: case.state in _CLOSED)),
        messages=_newest(tx, select(OutboxRow).where(OutboxRow.order_id == order_id).order_by(OutboxRow.id.desc())),
        refunds=_refunds(tx, order_id),
        mentions=_mentions(tx, order, payment),
        remembered=_remembered(tx, order),
        audit=tuple(audit_of_order(tx, order_id, limit=MOST_SHOWN)),
    )


def _newest(tx: Transaction, query: Select[Row]) -> tuple[Row, ...]:
    return tuple(tx.session.scalars(query.limit(MOST_SHOWN)))


def _next_steps(order: OrderRow, cases: tuple[CaseRow, ...]) -> tuple[str, ...]:
    step = next_step_of(order.state, order.why, order.detail, FollowUp(order.follow_up) if order.follow_up else None)
    owed = any(case.reason == Reason.REFUND_TO_RECORD.value and case.state not in _CLOSED for case in cases)
    refund = next_step(Reason.REFUND_TO_RECORD) if owed else None
    return tuple(todo for todo in (refund, step) if todo is not None)


def _refunds(tx: Transaction, order_id: int) -> tuple[Refund, ...]:
    memos = _newest(
        tx, select(RefundRow).where(RefundRow.order_id == order_id).order_by(RefundRow.made_at.desc(), RefundRow.id.desc())
    )
    recorded = select(RefundPaymentRow).where(RefundPaymentRow.refund_id.in_([memo.id for memo in memos]))
    payments = list(tx.session.scalars(recorded.order_by(RefundPaymentRow.settled_at))) if memos else []
    return tuple(Refund(memo, tuple(payment for payment in payments if payment.refund_id == memo.id)) for memo in memos)


def _mentions(tx: Transaction, order: OrderRow, payment: PaymentRow | None) -> tuple[Mention, ...]:
    about = [LineRow.subject == f"order:{order.entity_id}"]
    if payment is not None and payment.payment_id is not None:
        about.append(LineRow.subject == f"entry:{payment.payment_id}")
    query = (
        select(LineRow.subject, LineRow.class_, LineRow.explains_cents, ReportRow)
        .join(ReportRow, ReportRow.id == LineRow.report_id)
        .where(or_(*about), ReportRow.practice_id == order.practice_id)
        .order_by(ReportRow.last_day.desc(), ReportRow.id.desc(), LineRow.position)
        .limit(MOST_SHOWN)
    )
    return tuple(
        Mention(
            report_id=report.report_id,
            first_day=report.first_day,
            last_day=report.last_day,
            is_current=report.superseded_at is None,
            subject=subject,
            class_=DifferenceClass(class_),
            explains_cents=explains_cents,
        )
        for subject, class_, explains_cents, report in tx.session.execute(query)
    )


def _remembered(tx: Transaction, order: OrderRow) -> RememberedPatient | None:
    if order.customer_key is None:
        return None
    query = select(RememberedPatient).where(
        RememberedPatient.practice_id == order.practice_id,
        RememberedPatient.customer_key == order.customer_key,
        RememberedPatient.revoked_at.is_(None),
    )
    return tx.session.scalars(query).one_or_none()
