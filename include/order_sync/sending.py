"""Send one payment: claim, send once, record; the heart of the protocol (reliability section 3, strict).

Commit the intent (R1), send once (R4), classify (R5), record (R6). An outcome that is not proved is *unknown*: `verify`
looks for it, nothing here ever sends it again.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from order_sync.crash_points import Point, reach
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError
from order_sync.ledger.claims import count_unknown_outcome, progress_of
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow
from order_sync.ledger.orders import Step, move, read_order
from order_sync.ledger.postings import (
    Intent,
    begin_attempt,
    find_payment,
    finish_attempt,
    latest_attempt,
    update_payment,
    voided_ids,
)
from order_sync.ledger.session import Transaction
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.posting_plans import Posting
from order_sync.reasons import Reason
from order_sync.statuses import OrderState

logger = logging.getLogger(__name__)

BREAKER_OPENS_AT = 3
"""Unclear outcomes in a row after which a practice sends one payment a run (reliability 3.7)."""
SLOW_DOWN_SECONDS = 2.0
"""How long an order that met the rate limit pauses."""
_NOT_FOUND = 404


class BreakerOpenError(LedgerBusyError):
    """Three outcomes in a row were unclear: nothing more is sent in this run."""


def is_breaker_open(tx: Transaction, practice_id: str) -> bool:
    """Say whether the practice's posting is held back."""
    return progress_of(tx, practice_id).unknown_in_a_row >= BREAKER_OPENS_AT


def send_payment(desk: Desk, posting: Posting, *, is_probe: bool = False) -> PostAnswer | None:
    """Claim, send once, record. Return None when the order was taken by somebody else, or posting is held back.

    `is_probe` lets this one through although posting is held back: it shows whether Nextech is itself again.
    """
    reach(Point.PAYMENTS_LOOKED_FOR)
    rules = desk.practice.posting
    send_by = desk.clock.monotonic() + rules.send_seconds
    try:
        with desk.ledger.transaction() as tx:
            if not is_probe and is_breaker_open(tx, desk.practice.id):
                msg = f"order {posting.row.number} of practice {desk.practice.id} waits: outcomes are unclear"
                raise BreakerOpenError(msg)
            intent = move(tx, posting.row, Step(OrderState.INTENT))
            seconds = rules.send_seconds + rules.answer_seconds + 5
            attempt = begin_attempt(tx, intent, Intent(AttemptKind.PAYMENT, posting.prepared.sha256, seconds))
            update_payment(
                tx,
                posting.row.id,
                request_sha256=posting.prepared.sha256,
                settle_at=attempt.deadline + timedelta(minutes=rules.settle_minutes),
                absent_reads=0,
                last_absent_at=None,
            )
            reach(Point.INTENT_RECORDED)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", desk.practice.id, error)
        return None
    # Only an acknowledged commit leads here (R2): any other error left this function, and nothing was sent.
    reach(Point.INTENT_COMMITTED)
    answer = desk.nextech.send_payment(posting.prepared, send_by=send_by)
    reach(Point.ANSWER_READ)
    try:
        with desk.ledger.transaction() as tx:
            _record(tx, desk, intent, attempt, answer)
            reach(Point.RESULT_RECORDED)
    except LedgerBusyError:
        _record_late(desk, intent, attempt, answer)
    reach(Point.RESULT_COMMITTED)
    return answer


def _record(tx: Transaction, desk: Desk, intent: OrderRow, attempt: AttemptRow, answer: PostAnswer) -> None:
    """Write the outcome, the order's step and all that follows from it in one transaction (R6)."""
    finish_attempt(tx, attempt.attempt_id, answer)
    match answer.outcome:
        case PostOutcome.EXECUTED:
            update_payment(tx, intent.id, payment_id=answer.created_id, posted_at=tx.now)
            move(tx, intent, Step(OrderState.CONFIRMED))
        case PostOutcome.NOT_EXECUTED if answer.is_rejection and answer.status == _NOT_FOUND:
            move(tx, intent, Step(OrderState.QUEUED, Reason.PATIENT_GONE))
        case PostOutcome.NOT_EXECUTED if answer.is_rejection:
            move(tx, intent, Step(OrderState.QUEUED, Reason.PAYMENT_REJECTED, answer.reason))
        case PostOutcome.NOT_EXECUTED if answer.is_rate_limited:
            again_at = tx.now + timedelta(seconds=SLOW_DOWN_SECONDS)
            move(tx, intent, Step(OrderState.MATCHED, detail=answer.reason), not_before=again_at)
        case PostOutcome.NOT_EXECUTED:
            again_at = tx.now + timedelta(minutes=1)
            move(tx, intent, Step(OrderState.MATCHED, detail=answer.reason), not_before=again_at, failed_at=tx.now)
        case PostOutcome.UNKNOWN:
            move(tx, intent, Step(OrderState.UNKNOWN, detail="being verified"))
    if answer.outcome is not PostOutcome.NOT_EXECUTED or answer.status is not None:
        count_unknown_outcome(tx, desk.practice.id, is_unknown=answer.outcome is PostOutcome.UNKNOWN)


def _record_late(desk: Desk, intent: OrderRow, attempt: AttemptRow, answer: PostAnswer) -> None:
    """Accept late good news for its own attempt only (R7); all other news is already settled by looking."""
    logger.warning("practice %s: order %s: the answer came after its deadline", desk.practice.id, intent.number)
    if answer.outcome is not PostOutcome.EXECUTED:
        return
    with desk.ledger.transaction() as tx:
        current = read_order(tx, intent.id)
        newest = latest_attempt(tx, intent.id, AttemptKind.PAYMENT)
        is_newest = newest is not None and newest.attempt_id == attempt.attempt_id
        if answer.created_id in voided_ids(find_payment(tx, intent.id)):
            return  # staff have voided it since, and a person has had the order posted anew
        waits = current.state is OrderState.UNKNOWN or current.reason == Reason.OUTCOME_UNKNOWN
        if is_newest and waits:
            update_payment(tx, intent.id, payment_id=answer.created_id, posted_at=tx.now)
            move(tx, current, Step(OrderState.CONFIRMED, detail="the answer came late"))
        elif not is_newest and current.state in (OrderState.UNKNOWN, OrderState.CONFIRMED):
            move(tx, current, Step(OrderState.QUEUED, Reason.DUPLICATE_POSTING, f"payment {answer.created_id}"))
