"""Verify: settle what an earlier run left open, by looking for it in Nextech; never by posting again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from order_sync.desk import Desk, batches
from order_sync.errors import LedgerBusyError
from order_sync.ledger.models import AttemptKind, OrderRow, PaymentRow
from order_sync.ledger.orders import Step, move, orders_in, queued_orders, read_order
from order_sync.ledger.postings import (
    find_payment,
    finish_attempt,
    known_payment_ids,
    latest_attempt,
    overdue_attempts,
    payments_of,
    unverified_payments,
    update_payment,
    voided_ids,
)
from order_sync.ledger.session import Transaction
from order_sync.payment_reads import Evidence, charts_of, read_evidence_of
from order_sync.payments import EntryStatus, PaymentEntry, PostAnswer, PostOutcome
from order_sync.posting_rules import (
    Absent,
    Doubled,
    Mismatch,
    PossibleManualEntry,
    Posted,
    Verdict,
    Voided,
    entries_by_hand,
    read_evidence,
)
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from order_sync.trouble import look_whether_it_is_over, watching

logger = logging.getLogger(__name__)

_BATCH = 100
_ENOUGH_ABSENT_READS = 2
_NO_ANSWER = PostAnswer(PostOutcome.UNKNOWN, "no outcome was recorded before the deadline")

WATCHED_REASONS = frozenset(
    {
        Reason.OUTCOME_UNKNOWN,
        Reason.CANNOT_VERIFY,
        Reason.DUPLICATE_POSTING,
        Reason.PAYMENT_MISMATCH,
        Reason.POSSIBLE_MANUAL_ENTRY,
        Reason.AMOUNT_CHANGED_AFTER_POSTING,
    }
)
"""Queued orders with one of these may have a payment of ours in Nextech: they are looked at again, not posted."""


@dataclass(slots=True)
class VerifyCounts:
    """What a look at Nextech settled."""

    settled: Counter[OrderState] = field(default_factory=Counter)
    still_open: int = 0


def verdict_on(
    desk: Desk,
    payment: PaymentRow,
    evidence: Evidence,
    known_ids: frozenset[str],
    elsewhere: tuple[PaymentEntry, ...] = (),
) -> Verdict:
    """Return what a complete read says about one payment; `elsewhere` are rows with its marker that others may hold.

    Where the order was posted before, and voided to be posted anew, those patients' payments are looked through as well: what
    stands there counts, what was left behind voided does not. `evidence` has to cover all of `charts_of(payment)`.
    """
    own = [entry for patient_id in sorted(charts_of(payment)) for entry in evidence.of(patient_id)]
    seen = {entry.payment_id for entry in own}
    entries = (*own, *(entry for entry in elsewhere if entry.payment_id not in seen))
    return read_evidence(
        marker=payment.marker,
        amount_cents=payment.amount_cents,
        business_day=payment.business_day,
        patient_id=payment.patient_id,
        entries=[entry for entry in entries if not _is_left_behind(payment, entry)],
        practice=desk.practice,
        known_payment_ids=known_ids | frozenset(payment.unrelated_payment_ids or ()),
    )


def _is_left_behind(payment: PaymentRow, entry: PaymentEntry) -> bool:
    """Say whether a row is what an earlier posting of the order left, voided, before it was posted anew."""
    if not payment.voided_rows or entry.status is EntryStatus.ACTIVE or entry.payment_id == payment.payment_id:
        return False
    is_elsewhere = entry.patient_id in payment.voided_rows and entry.patient_id != payment.patient_id
    return is_elsewhere or entry.payment_id in voided_ids(payment)


Found = Posted | Mismatch | Voided | Doubled | PossibleManualEntry
"""Every verdict but absence."""


def step_after(verdict: Found) -> tuple[Step, str | None]:
    """Return where a payment that a complete read shows takes its order, and the payment's id."""
    match verdict:
        case Posted(payment_id=payment_id):
            return Step(OrderState.CONFIRMED), payment_id
        case Mismatch(payment_id=payment_id, fields=fields):
            return Step(OrderState.QUEUED, Reason.PAYMENT_MISMATCH, ", ".join(fields)), payment_id
        case Voided():
            return Step(OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED), None
        case Doubled(payment_ids=payment_ids):
            return Step(OrderState.QUEUED, Reason.DUPLICATE_POSTING, f"payments {', '.join(payment_ids)}"), None
        case PossibleManualEntry(payment_id=payment_id):
            return Step(OrderState.QUEUED, Reason.POSSIBLE_MANUAL_ENTRY, f"payment {payment_id}"), None


def verify_payments(desk: Desk, *, only: Collection[int] | None = None) -> VerifyCounts:
    """Look for every payment whose outcome is open, and for posted ones that no read has shown yet; settle what can be.

    This is the recovery pass that every run begins with (reliability R8): an intent past its deadline becomes *being
    verified*; a payment that is found confirms its order; one that is absent in two complete reads, apart, both after
    the settling time, goes to a person, who is told to look for the marker first. No step depends on a callback.
    """
    counts = VerifyCounts()
    look_whether_it_is_over(desk, "nextech")
    with desk.ledger.transaction() as tx:
        _give_up_waiting(tx, desk)
        rows = _open_orders(tx, desk, only)
    try:
        for batch in batches(rows, _BATCH):
            if desk.is_out_of_time:
                break
            with watching(desk, "nextech"):
                look_for(desk, batch, counts)
    finally:
        _hand_over_unverifiable(desk, [row for row, _ in rows])
    return counts


def _give_up_waiting(tx: Transaction, desk: Desk) -> None:
    """Move intents past their deadline to *being verified*; nobody touches one before that (R9)."""
    for order, attempt in overdue_attempts(tx, desk.practice.id, OrderState.INTENT, AttemptKind.PAYMENT):
        try:
            with tx.session.begin_nested():
                if attempt.outcome is None:
                    finish_attempt(tx, attempt.attempt_id, _NO_ANSWER)
                move(tx, order, Step(OrderState.UNKNOWN, detail="being verified"))
        except LedgerBusyError as error:
            logger.info("practice %s: %s", desk.practice.id, error)


def _open_orders(tx: Transaction, desk: Desk, only: Collection[int] | None) -> list[tuple[OrderRow, PaymentRow]]:
    unknown = orders_in(tx, desk.practice.id, [OrderState.UNKNOWN], only=only)
    queued = queued_orders(tx, desk.practice.id, WATCHED_REASONS, only=only)
    watched = (*unknown, *queued)
    payments = payments_of(tx, [row.id for row in watched])
    found = [(row, payments[row.id]) for row in watched if row.id in payments]
    apart = timedelta(minutes=desk.practice.posting.absent_reads_apart_minutes)
    a_day_ago = tx.now - timedelta(days=1)
    due = [
        (row, payment)
        for row, payment in found
        if only is not None
        or payment.last_absent_at is None
        or payment.last_absent_at <= (a_day_ago if row.state is OrderState.QUEUED else tx.now - apart)
    ]
    unverified = unverified_payments(tx, desk.practice.id, before=tx.now - apart, limit=1_000)
    return due + [pair for pair in unverified if only is None or pair[0].id in only]


def look_for(desk: Desk, rows: Iterable[tuple[OrderRow, PaymentRow]], counts: VerifyCounts) -> None:
    """Read these orders' payments in Nextech and move the orders by what is there."""
    pairs = list(rows)
    if not pairs:
        return
    patient_ids = sorted({patient_id for _, payment in pairs for patient_id in charts_of(payment)})
    evidence = read_evidence_of(desk, patient_ids)
    with desk.ledger.transaction() as tx:
        known_ids = known_payment_ids(tx, desk.practice.id, patient_ids)
        for row, payment in pairs:
            if not evidence.covers_all(charts_of(payment)):
                counts.still_open += 1
                continue
            others = known_ids - {payment.payment_id} if payment.payment_id else known_ids
            try:
                with tx.session.begin_nested():
                    _settle(tx, desk, _find(desk, row, payment, evidence, others), counts)
            except LedgerBusyError as error:
                logger.info("practice %s: %s", desk.practice.id, error)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one look showed of one order's payment."""

    row: OrderRow
    payment: PaymentRow
    verdict: Verdict
    evidence: Evidence
    by_hand: tuple[str, ...]
    """Payments beside it that somebody may have entered for the same order while its outcome was unclear."""

    @property
    def is_doubled_by_hand(self) -> bool:
        """Say whether the payment arrived after somebody had given up waiting for it."""
        return isinstance(self.verdict, Posted) and self.row.state is not OrderState.CONFIRMED and bool(self.by_hand)


def _find(desk: Desk, row: OrderRow, payment: PaymentRow, evidence: Evidence, others: frozenset[str]) -> _Finding:
    if row.why is Reason.AMOUNT_CHANGED_AFTER_POSTING and row.amount_cents is not None:
        payment = _as_corrected(payment, row.amount_cents)
    by_hand = entries_by_hand(
        amount_cents=payment.amount_cents,
        business_day=payment.business_day,
        patient_id=payment.patient_id,
        entries=evidence.of(payment.patient_id),
        practice=desk.practice,
        known_payment_ids=others | frozenset(payment.unrelated_payment_ids or ()),
    )
    return _Finding(row, payment, verdict_on(desk, payment, evidence, others), evidence, by_hand)


def _as_corrected(payment: PaymentRow, amount_cents: int) -> PaymentRow:
    """Return the plan as it would be with the order's new amount: staff are asked to correct the payment to it."""
    columns = {column.key: getattr(payment, column.key) for column in PaymentRow.__table__.columns}
    return PaymentRow(**{**columns, "amount_cents": amount_cents})


def _settle(tx: Transaction, desk: Desk, found: _Finding, counts: VerifyCounts) -> None:
    row, payment, verdict = found.row, found.payment, found.verdict
    if read_order(tx, row.id).version != row.version:
        counts.still_open += 1
        return  # it has moved on since the look, perhaps to a new attempt, for which this says nothing
    if row.why is Reason.AMOUNT_CHANGED_AFTER_POSTING and not isinstance(verdict, Posted | Voided | Doubled):
        update_payment(tx, row.id, last_absent_at=tx.now)  # not corrected yet: look again in a day
        counts.still_open += 1
        return
    if isinstance(verdict, Absent | PossibleManualEntry):
        _settle_absence(tx, desk, found, verdict, counts)
        return
    step, payment_id = step_after(verdict)
    if isinstance(verdict, Posted) and row.amount_cents not in (None, payment.amount_cents):
        # The store changed it between the posting and this look.
        step = Step(OrderState.QUEUED, Reason.AMOUNT_CHANGED_AFTER_POSTING)
    if found.is_doubled_by_hand:
        ids = ", ".join((payment_id or "", *found.by_hand))
        step = Step(OrderState.QUEUED, Reason.DUPLICATE_POSTING, f"payments {ids}")
    if payment_id is not None:
        update_payment(tx, row.id, payment_id=payment_id, posted_at=payment.posted_at or tx.now)
    if isinstance(verdict, Posted):
        update_payment(tx, row.id, verified_at=tx.now, amount_cents=payment.amount_cents)
    if (step.to, step.reason) != (row.state, row.why):
        move(tx, row, step)
    elif step.to is OrderState.QUEUED:
        update_payment(tx, row.id, last_absent_at=tx.now)  # seen again as it was: look again in a day
    counts.settled[step.to] += 1


def _settle_absence(
    tx: Transaction, desk: Desk, found: _Finding, verdict: Absent | PossibleManualEntry, counts: VerifyCounts
) -> None:
    """Count an absence when it is evidence; after two of them a person decides (reliability 3.2, strict)."""
    row, payment, as_of = found.row, found.payment, found.evidence.as_of
    counts.still_open += 1
    apart = timedelta(minutes=desk.practice.posting.absent_reads_apart_minutes)
    is_settled = payment.settle_at is None or as_of >= payment.settle_at
    is_apart = payment.last_absent_at is None or as_of >= payment.last_absent_at + apart
    absent_reads = payment.absent_reads + (1 if is_settled and is_apart else 0)
    update_payment(tx, row.id, absent_reads=absent_reads, last_absent_at=tx.now)
    if absent_reads < _ENOUGH_ABSENT_READS:
        return
    if row.state is OrderState.CONFIRMED:
        move(tx, row, Step(OrderState.QUEUED, Reason.CANNOT_VERIFY))
    elif row.state is OrderState.UNKNOWN and isinstance(verdict, PossibleManualEntry):
        move(tx, row, Step(OrderState.QUEUED, Reason.POSSIBLE_MANUAL_ENTRY, f"payment {verdict.payment_id}"))
    elif row.state is OrderState.UNKNOWN:
        move(tx, row, Step(OrderState.QUEUED, Reason.OUTCOME_UNKNOWN, payment.marker))
    else:
        return
    counts.settled[OrderState.QUEUED] += 1


def _hand_over_unverifiable(desk: Desk, rows: Iterable[OrderRow]) -> None:
    """Give orders to a person whose outcome is open and whose payments could not be read completely for a day."""
    limit = timedelta(hours=desk.practice.posting.cannot_verify_after_hours)
    for row in rows:
        if row.state is not OrderState.UNKNOWN:
            continue
        with desk.ledger.transaction() as tx:
            current, attempt = read_order(tx, row.id), latest_attempt(tx, row.id, AttemptKind.PAYMENT)
            payment = find_payment(tx, row.id)
            if current.state is not OrderState.UNKNOWN or attempt is None or payment is None:
                continue
            if max(attempt.deadline, payment.last_absent_at or attempt.deadline) + limit < tx.now:
                move(tx, current, Step(OrderState.QUEUED, Reason.CANNOT_VERIFY))
