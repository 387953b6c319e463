"""Resolve: what a person decides about an order. Every decision is a command with an actor, checked against the order's state.

The first decision wins; the second is told that the order has changed (`LedgerBusyError`).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from order_sync.crash_points import Point, reach
from order_sync.desk import Desk
from order_sync.errors import IncompleteReadError, LedgerBusyError, PermanentError
from order_sync.ledger.models import AttemptKind, OrderRow
from order_sync.ledger.orders import Step, move, read_order
from order_sync.ledger.postings import find_payment, latest_attempt, update_payment
from order_sync.ledger.remembered import remember_patient
from order_sync.ledger.session import Transaction
from order_sync.payment_reads import read_evidence_of
from order_sync.payments import PostOutcome
from order_sync.posting_rules import Absent, PossibleManualEntry
from order_sync.reasons import POSTED_BY_HAND, Reason
from order_sync.rerun import MATCH_AGAIN
from order_sync.restores import hold_of
from order_sync.statuses import OrderState
from order_sync.verify import step_after, verdict_on

PATIENT_TO_PICK = MATCH_AGAIN - {
    Reason.TOTALS_DISAGREE,
    Reason.CURRENCY_UNKNOWN,
    Reason.AMOUNT_INVALID,
    Reason.ORDER_UNREADABLE,
    Reason.PAYMENT_MISSING,
}
"""What picking a patient settles. Where the amount is not known, a patient does not make it known."""


def choose_patient(
    desk: Desk, order_id: int, patient_id: str, *, actor: str, version: int | None = None, remember: bool = True
) -> OrderRow:
    """Give a queued order to the patient whom a person picked, and remember the choice for this store customer.

    `version` is the order's version that the person saw; a later one means that somebody else was first. Raises
    `PermanentError` when the order does not wait for a patient, or the chart does not exist.
    """
    if desk.nextech.read_patient(patient_id) is None:
        msg = f"practice {desk.practice.id}: the chart that was picked does not exist in Nextech; pick again"
        raise PermanentError(msg)
    with desk.ledger.transaction() as tx:
        order = _expect(tx, order_id, version)
        attempt = latest_attempt(tx, order.id, AttemptKind.PAYMENT)
        is_clear = attempt is None or attempt.outcome is PostOutcome.NOT_EXECUTED
        if order.state is not OrderState.QUEUED or order.why not in PATIENT_TO_PICK or not is_clear:
            msg = f"order {order.number} of practice {order.practice_id} does not wait for a patient to be picked"
            raise PermanentError(msg)
        step = Step(OrderState.MATCHED, actor=actor, detail="patient picked")
        moved = move(tx, order, step, patient_id=patient_id.lower(), matched_by=actor[:80], match_level=None)
        if remember and moved.customer_key:  # after the move: of two people who decide at once only one gets here
            remember_patient(
                tx, practice_id=moved.practice_id, customer_key=moved.customer_key, patient_id=patient_id.lower(), by=actor
            )
    reach(Point.PATIENT_CHOSEN)
    return moved


class DismissReason(StrEnum):
    """Why an order is not posted: a closed list, because free text would end up in the store and in reports."""

    POSTED_BY_HAND = POSTED_BY_HAND
    REPLACED = "replaced by another order"
    TEST_ORDER = "test order"
    NOT_A_PATIENT = "not a patient"
    SETTLED_OTHERWISE = "settled otherwise"


def dismiss(desk: Desk, order_id: int, *, actor: str, why: DismissReason, version: int | None = None) -> OrderRow:
    """Close a queued order without posting it, for a reason that is kept."""
    with desk.ledger.transaction() as tx:
        order = _expect(tx, order_id, version)
        return move(tx, order, Step(OrderState.CLOSED, order.why, why.value, actor=actor))


def post_again(desk: Desk, order_id: int, *, actor: str, version: int | None = None) -> OrderRow:
    """Let an order be posted again whose outcome is unknown, or whose payment may have been entered by hand.

    Refused before `post_again_after_hours` have passed since the last attempt, or since a restore, and without a fresh
    complete read that does not show the payment: a booking may be late (design section 7). When the read shows it, the
    order takes the step that the read proves instead; and when it shows an entry by hand that the case did not name, the
    case names it: only what a person has been asked about is nobody's.
    """
    with desk.ledger.transaction() as tx:
        order = _expect(tx, order_id, version)
        payment = find_payment(tx, order_id)
        attempt = latest_attempt(tx, order_id, AttemptKind.PAYMENT)
        wait = timedelta(hours=desk.practice.posting.post_again_after_hours)
        is_unclear = attempt is not None and attempt.outcome is not PostOutcome.NOT_EXECUTED
        reasons_for_it = (Reason.OUTCOME_UNKNOWN, Reason.CANNOT_VERIFY, Reason.POSSIBLE_MANUAL_ENTRY)
        if payment is None or order.state is not OrderState.QUEUED or order.reason not in reasons_for_it:
            msg = f"order {order.number} of practice {order.practice_id}: nothing is to be posted again"
            raise PermanentError(msg)
        hold = hold_of(tx, desk)
        if hold is not None and hold.keeps(order.placed_at, tx.now):
            msg = f"order {order.number} of practice {order.practice_id}: {hold.sentence}; it may have been posted before"
            raise PermanentError(msg)
        if is_unclear and attempt is not None and tx.now < attempt.deadline + wait:
            msg = (
                f"order {order.number} of practice {order.practice_id}: the payment may still be booked late;"
                f" not before {attempt.deadline + wait:%Y-%m-%d %H:%M} UTC"
            )
            raise PermanentError(msg)
    evidence = read_evidence_of(desk, [payment.patient_id])
    if not evidence.covers(payment.patient_id):
        reason = "the patient's payments cannot be read completely; try again later"
        raise IncompleteReadError(reason, system="nextech", route="GET /PaymentReconciliation")
    verdict = verdict_on(desk, payment, evidence, frozenset())
    with desk.ledger.transaction() as tx:
        if isinstance(verdict, PossibleManualEntry) and _was_asked_about(order, verdict):
            update_payment(tx, order_id, unrelated_payment_ids=[*(payment.unrelated_payment_ids or ()), verdict.payment_id])
            return move(tx, order, Step(OrderState.MATCHED, actor=actor, detail="posted again by a person"))
        if isinstance(verdict, Absent):
            return move(tx, order, Step(OrderState.MATCHED, actor=actor, detail="posted again by a person"))
        step, payment_id = step_after(verdict)
        if payment_id is not None:
            update_payment(tx, order_id, payment_id=payment_id, posted_at=tx.now, verified_at=tx.now)
        return move(tx, order, step)


def _was_asked_about(order: OrderRow, entry: PossibleManualEntry) -> bool:
    step, _ = step_after(entry)
    return (order.why, order.detail) == (step.reason, step.detail)


def _expect(tx: Transaction, order_id: int, version: int | None) -> OrderRow:
    order = read_order(tx, order_id)
    if version is not None and order.version != version:
        msg = f"order {order.number} of practice {order.practice_id}: somebody else was first; look at it again"
        raise LedgerBusyError(msg)
    return order
