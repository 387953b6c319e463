"""Post: put every matched order's payment on its patient's billing tab, exactly once (reliability section 3, strict).

Look first (R0), commit the intent (R1), send once (R4), classify (R5), record (R6). An outcome that is not proved is
*unknown*: `verify` looks for it, nothing here ever sends it again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, LoginRefusedError
from order_sync.ledger.claims import count_unknown_outcome, progress_of
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow
from order_sync.ledger.orders import Step, claim_orders, move, read_order, release_orders
from order_sync.ledger.postings import (
    Intent,
    begin_attempt,
    finish_attempt,
    known_payment_ids,
    latest_attempt,
    payments_of,
    update_payment,
)
from order_sync.ledger.session import Transaction
from order_sync.match import read_again
from order_sync.payment_reads import has_witnesses, read_evidence_of
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.posting_plans import Posting, leave, plan_postings
from order_sync.posting_rules import Absent
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from order_sync.trouble import watching
from order_sync.verify import Found, VerifyCounts, look_for, step_after, verdict_on, verify_payments

logger = logging.getLogger(__name__)

_CLAIM_SECONDS = 300.0
_BREAKER_OPENS_AT = 3
_FIRST_BATCH = 4
_SLOW_DOWN_SECONDS = 2.0
_MOST_PAUSES = 5
_NOT_FOUND = 404


@dataclass(slots=True)
class PostCounts:
    """What a posting sweep did."""

    posted: int = 0
    posted_cents: int = 0
    found: int = 0
    """Already in Nextech, or decided by what is there: nothing was sent."""
    unknown: int = 0
    rejected: int = 0
    failed: int = 0
    is_held_back: bool = False
    """Three unclear outcomes in a row: posting is held back to one order a run until one succeeds."""
    slowed: int = 0
    """Answered with 429: nothing was booked, and they are taken up again in this sweep."""
    pauses: int = 0
    verified: VerifyCounts = field(default_factory=VerifyCounts)

    def take_up_slowed(self, desk: Desk) -> bool:
        """Wait until the orders that met the rate limit may be taken up; False when there are none, or it never ends."""
        if not self.slowed or self.pauses == _MOST_PAUSES:
            return False
        self.slowed = 0
        self.pauses += 1
        desk.clock.sleep(_SLOW_DOWN_SECONDS)
        return True


def post_payments(desk: Desk, *, only: list[int] | None = None) -> PostCounts:
    """Post the payment of every matched order; return what was done. `only` narrows it to some order ids.

    Begins with the recovery pass (`verify_payments`). Raises `LoginRefusedError` when Nextech refuses our login: the
    rest of the orders waits.
    """
    counts = PostCounts()
    counts.verified = verify_payments(desk, only=only)
    while not desk.is_out_of_time:
        limit = _may_send(desk)
        if limit < 1:
            break
        with desk.ledger.transaction() as tx:
            rows = claim_orders(tx, desk.practice.id, [OrderState.MATCHED], seconds=_CLAIM_SECONDS, limit=limit, only=only)
        if not rows and counts.take_up_slowed(desk):
            continue
        if not rows:
            break
        try:
            with watching(desk, "store", "nextech"):
                _post_batch(desk, rows, counts)
        finally:
            with desk.ledger.transaction() as tx:
                release_orders(tx, rows)
        desk.progress("payments posted", len(rows))
        if only is not None:
            break
        if _is_breaker_open(desk):
            counts.is_held_back = True
            break
    logger.info(
        "practice %s: %d posted, %d found in Nextech, %d being verified, %d rejected, %d failed",
        desk.practice.id,
        counts.posted,
        counts.found,
        counts.unknown,
        counts.rejected,
        counts.failed,
    )
    return counts


def _is_breaker_open(desk: Desk) -> bool:
    with desk.ledger.transaction() as tx:
        return progress_of(tx, desk.practice.id).unknown_in_a_row >= _BREAKER_OPENS_AT


def _may_send(desk: Desk) -> int:
    """Return how many orders may be taken up.

    After three unclear outcomes in a row, one (reliability 3.7). A few while there are no witnesses yet: they become
    the witnesses with which all others are looked for together.
    """
    if _is_breaker_open(desk):
        return 1
    batch_size = desk.practice.posting.batch_size
    return batch_size if has_witnesses(desk) else min(batch_size, _FIRST_BATCH)


def _post_batch(desk: Desk, rows: list[OrderRow], counts: PostCounts) -> None:
    """Re-read, look, post and read back one batch.

    The order is read again at most a minute before its claim, and the patient's payments right before it (R0).
    """
    postings = plan_postings(desk, read_again(desk, rows, still=OrderState.MATCHED))
    if not postings:
        return
    patient_ids = sorted({posting.payment.patient_id for posting in postings})
    evidence = read_evidence_of(desk, patient_ids)
    with desk.ledger.transaction() as tx:
        known_ids = known_payment_ids(tx, desk.practice.id, patient_ids)
    to_send: list[Posting] = []
    for posting in postings:
        mine = known_ids - {posting.payment.payment_id} if posting.payment.payment_id else known_ids
        if not evidence.covers(posting.payment.patient_id):
            counts.failed += 1
            leave(desk, posting.row, "the patient's payments in Nextech cannot be read completely")
            continue
        verdict = verdict_on(desk, posting.payment, evidence, mine)
        if isinstance(verdict, Absent):
            to_send.append(posting)
        else:
            _record_found(desk, posting, verdict, counts)
    answers = desk.fan_out(lambda posting: _send(desk, posting), to_send)
    for posting, answer in zip(to_send, answers, strict=True):
        _count(counts, posting, answer)
    _read_back(desk, [p for p, a in zip(to_send, answers, strict=True) if a and a.outcome is PostOutcome.EXECUTED], counts)
    refused = next((answer for answer in answers if answer and answer.is_login_refused), None)
    if refused is not None:
        raise LoginRefusedError(refused.reason, system="nextech", route="POST payment", status=refused.status)


def _record_found(desk: Desk, posting: Posting, verdict: Found, counts: PostCounts) -> None:
    """Take the order where the look before the post shows that it belongs; nothing is sent."""
    step, payment_id = step_after(verdict)
    try:
        with desk.ledger.transaction() as tx:
            if payment_id is not None:
                update_payment(tx, posting.row.id, payment_id=payment_id, posted_at=tx.now, verified_at=tx.now)
            move(tx, posting.row, step)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", desk.practice.id, error)
        return
    counts.found += 1


def _send(desk: Desk, posting: Posting) -> PostAnswer | None:
    """Claim, send once, record. Return None when the order was taken by somebody else before the claim."""
    rules = desk.practice.posting
    send_by = desk.clock.monotonic() + rules.send_seconds
    try:
        with desk.ledger.transaction() as tx:
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
    except LedgerBusyError as error:
        logger.info("practice %s: %s", desk.practice.id, error)
        return None
    # Only an acknowledged commit leads here (R2): any other error left this function, and nothing was sent.
    answer = desk.nextech.send_payment(posting.prepared, send_by=send_by)
    try:
        with desk.ledger.transaction() as tx:
            _record(tx, desk, intent, attempt, answer)
    except LedgerBusyError:
        _record_late(desk, intent, attempt, answer)
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
            again_at = tx.now + timedelta(seconds=_SLOW_DOWN_SECONDS)
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
        waits = current.state is OrderState.UNKNOWN or current.reason == Reason.OUTCOME_UNKNOWN
        if is_newest and waits:
            update_payment(tx, intent.id, payment_id=answer.created_id, posted_at=tx.now)
            move(tx, current, Step(OrderState.CONFIRMED, detail="the answer came late"))
        elif not is_newest and current.state in (OrderState.UNKNOWN, OrderState.CONFIRMED):
            move(tx, current, Step(OrderState.QUEUED, Reason.DUPLICATE_POSTING, f"payment {answer.created_id}"))


def _count(counts: PostCounts, posting: Posting, answer: PostAnswer | None) -> None:
    if answer is None:
        return
    match answer.outcome:
        case PostOutcome.EXECUTED:
            counts.posted += 1
            counts.posted_cents += posting.prepared.request.amount_cents
        case PostOutcome.UNKNOWN:
            counts.unknown += 1
        case PostOutcome.NOT_EXECUTED if answer.is_rejection:
            counts.rejected += 1
        case PostOutcome.NOT_EXECUTED if answer.is_rate_limited:
            counts.slowed += 1
        case PostOutcome.NOT_EXECUTED:
            counts.failed += 1


def _read_back(desk: Desk, posted: Collection[Posting], counts: PostCounts) -> None:
    """Read the posted payments again and compare patient, amount and day with what was meant (design section 6)."""
    if not posted:
        return
    with desk.ledger.transaction() as tx:
        rows = [read_order(tx, posting.row.id) for posting in posted]
        payments = payments_of(tx, [row.id for row in rows])
    look_for(desk, [(row, payments[row.id]) for row in rows if row.state is OrderState.CONFIRMED], counts.verified)
