"""Post: put every matched order's payment on its patient's billing tab, exactly once (reliability section 3, strict).

Batch by batch: read the orders again, look for their payments (R0), send each once (`sending`), read back what was posted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, LoginRefusedError
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import claim_orders, has_orders_in, move, read_order, release_orders
from order_sync.ledger.postings import known_payment_ids, payments_of, update_payment
from order_sync.match import read_again
from order_sync.payment_reads import charts_of, has_witnesses, read_evidence_of
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.posting_plans import Posting, plan_postings
from order_sync.posting_rules import Absent
from order_sync.restores import LookEverywhere, hold_back, hold_of
from order_sync.sending import SLOW_DOWN_SECONDS, is_breaker_open, send_payment
from order_sync.statuses import OrderState
from order_sync.trouble import watching
from order_sync.unanswered import leave_unread
from order_sync.verify import Found, VerifyCounts, look_for, step_after, verdict_on, verify_payments

logger = logging.getLogger(__name__)

_CLAIM_SECONDS = 300.0
_FIRST_BATCH = 4
_MOST_PAUSES = 5
_FRESH_SECONDS = 60.0
"""How old the read of an order may be when its payment is sent."""


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
    has_probed: bool = False
    is_held_back: bool = False
    """Three unclear outcomes in a row: posting is held back to one payment a run until one succeeds."""
    slowed: int = 0
    """Answered with 429: nothing was booked, and they are taken up again in this sweep."""
    pauses: int = 0
    verified: VerifyCounts = field(default_factory=VerifyCounts)
    everywhere: LookEverywhere = field(default_factory=LookEverywhere)
    """What all of the practice's payments say of orders from before a restore."""

    def take_up_slowed(self, desk: Desk) -> bool:
        """Wait until the orders that met the rate limit may be taken up; False when there are none, or it never ends."""
        if not self.slowed or self.pauses == _MOST_PAUSES:
            return False
        self.slowed = 0
        self.pauses += 1
        desk.clock.sleep(SLOW_DOWN_SECONDS)
        return True


@dataclass(slots=True)
class _Batch:
    """Orders that were taken up together, and those among them whose payments are to be sent."""

    rows: list[OrderRow]
    is_probe: bool
    to_send: list[Posting] = field(default_factory=list)
    answers: list[PostAnswer | None] = field(default_factory=list)
    is_login_refused: bool = False
    read_at: float = 0.0
    """On the monotonic clock: before the orders were read again."""

    def look(self, desk: Desk, rows: list[OrderRow], counts: PostCounts) -> None:
        """Read the orders again and look for their payments; what is not there yet is to be sent."""
        self.read_at = desk.clock.monotonic()
        self.to_send = _not_posted_yet(desk, rows, counts)

    def is_stale(self, desk: Desk) -> bool:
        """Say whether the look was too long ago: an order may have been refunded, or a payment entered by hand, since."""
        return desk.clock.monotonic() - self.read_at > _FRESH_SECONDS

    def send(self, desk: Desk, posting: Posting) -> PostAnswer | None:
        """Send one of the payments, unless our login was refused meanwhile or the look is too old by now.

        The first one is sent in any case, so that the slowest Nextech still gets one payment a look.
        """
        if self.is_login_refused or (posting is not self.to_send[0] and self.is_stale(desk)):
            return None
        answer = send_payment(desk, posting, is_probe=self.is_probe)
        if answer is not None and answer.is_login_refused:
            self.is_login_refused = True
        return answer


def post_payments(desk: Desk, *, only: list[int] | None = None) -> PostCounts:
    """Post the payment of every matched order; return what was done. `only` narrows it to some order ids.

    Begins with the recovery pass (`verify_payments`). Raises `LoginRefusedError` when Nextech refuses our login: the
    rest of the orders waits.
    """
    counts = PostCounts()
    counts.verified = verify_payments(desk, only=only)
    taken: list[_Batch] = []
    try:
        _take_up(desk, taken, counts, only)
        while taken:
            _post_batch(desk, taken, counts, may_look_ahead=only is None)
            _give_back(desk, taken.pop(0))
            if not taken and only is None:
                _take_up(desk, taken, counts, only)
    finally:
        for batch in taken:
            _give_back(desk, batch)
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


def _give_back(desk: Desk, batch: _Batch) -> None:
    with desk.ledger.transaction() as tx:
        release_orders(tx, batch.rows)


def _take_up(desk: Desk, taken: list[_Batch], counts: PostCounts, only: Collection[int] | None) -> None:
    """Claim the next orders, read them again and look for their payments; add them to what is taken up.

    Each order is read again at most a minute before its claim, and its patient's payments right before it (R0). After
    three unclear outcomes in a row one payment a run is sent (reliability 3.7), and none by the reruns of single orders,
    of which a run has many. A few orders are taken up while there are no witnesses yet: they become the witnesses with
    which all others are looked for together.
    """
    with desk.ledger.transaction() as tx:
        if not counts.slowed and not has_orders_in(tx, desk.practice.id, [OrderState.MATCHED], only=only):
            return
        is_probe = is_breaker_open(tx, desk.practice.id)
    counts.is_held_back = is_probe and (only is not None or counts.has_probed or counts.unknown > 0)
    if desk.is_out_of_time or counts.is_held_back:
        return
    most = desk.practice.posting.batch_size if has_witnesses(desk) else min(desk.practice.posting.batch_size, _FIRST_BATCH)
    limit = 1 if is_probe else most
    while True:
        with desk.ledger.transaction() as tx:
            rows = claim_orders(tx, desk.practice.id, [OrderState.MATCHED], seconds=_CLAIM_SECONDS, limit=limit, only=only)
        if rows or not counts.take_up_slowed(desk):
            break
    if rows:
        batch = _Batch(rows, is_probe)
        taken.append(batch)
        with watching(desk, "store", "nextech"):
            batch.look(desk, rows, counts)


def _not_posted_yet(desk: Desk, rows: list[OrderRow], counts: PostCounts) -> list[Posting]:
    """Return what is to be sent for these orders; one whose payment is there already takes its step here."""
    postings = plan_postings(desk, hold_back(desk, read_again(desk, rows, still=OrderState.MATCHED)))
    if not postings:
        return []
    patient_ids = sorted({patient_id for posting in postings for patient_id in charts_of(posting.payment)})
    evidence = read_evidence_of(desk, patient_ids)
    with desk.ledger.transaction() as tx:
        known_ids, hold = known_payment_ids(tx, desk.practice.id, patient_ids), hold_of(tx, desk)
    counts.everywhere.read_for(desk, hold, [posting.row for posting in postings])
    to_send: list[Posting] = []
    for posting in postings:
        mine = known_ids - {posting.payment.payment_id} if posting.payment.payment_id else known_ids
        if not evidence.covers_all(charts_of(posting.payment)):
            counts.failed += 1
            leave_unread(desk, posting.row, "Nextech's answers are incomplete")
            continue
        elsewhere = counts.everywhere.entries_of(posting.row, posting.payment.marker)
        if elsewhere is None:
            counts.failed += 1
            leave_unread(desk, posting.row, "restored: the practice's payments in Nextech cannot be read completely")
            continue
        verdict = verdict_on(desk, posting.payment, evidence, mine, elsewhere)
        if isinstance(verdict, Absent):
            to_send.append(posting)
        else:
            _record_found(desk, posting, verdict, counts)
    return to_send


def _post_batch(desk: Desk, taken: list[_Batch], counts: PostCounts, *, may_look_ahead: bool) -> None:
    """Send the first batch that is taken up, and read it back; meanwhile take up the next one.

    The look for the next one's payments is older by the time that this one takes to be sent, some seconds; when Nextech is
    so slow that it is a minute, it is made again. What could not be sent within a minute is given back and taken up anew.
    """
    batch = taken[0]
    if batch.is_stale(desk):
        with watching(desk, "store", "nextech"):
            batch.look(desk, [posting.row for posting in batch.to_send], counts)
    # An order that the look alone decides tells nothing about payments: the oldest would be the one every time.
    counts.has_probed = counts.has_probed or (batch.is_probe and bool(batch.to_send))

    def send() -> None:
        batch.answers = desk.fan_out(lambda posting: batch.send(desk, posting), batch.to_send)

    def look_ahead() -> None:
        _take_up(desk, taken, counts, None)

    works: list[Callable[[], None]] = [send]
    if may_look_ahead and has_witnesses(desk):
        works.append(look_ahead)
    with watching(desk, "store", "nextech"):
        desk.fan_out(lambda work: work(), works)
        pairs = list(zip(batch.to_send, batch.answers, strict=True))
        for posting, answer in pairs:
            _count(counts, posting, answer)
        executed = [posting for posting, answer in pairs if answer and answer.outcome is PostOutcome.EXECUTED]
        _read_back(desk, executed, counts)
        refused = next((answer for answer in batch.answers if answer and answer.is_login_refused), None)
        if refused is not None:
            raise LoginRefusedError(refused.reason, system="nextech", route="POST payment", status=refused.status)
    desk.progress("payments posted", len(batch.rows))


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
