"""Undo: a payment is on the wrong patient. A guided reversal, because Nextech lets nobody but its own staff void a payment.

    begin_undo      says what to void, and opens a case; nothing is posted or voided by it
    look_for_void   reads the payments again, and records the void that staff have made
    post_to         lets the next run post the order to the right patient, under the same marker

The last two are also the way for a payment that staff have voided without asking. What stood voided is noted with the payment
(`voided_rows`): the look before the next post goes through those patients' payments, too, and takes nothing that was left there
voided for the new posting, nor misses a copy that still stands there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from order_sync.decisions import (
    deciding,
    expect,
    named,
    refuse_while_held,
    refuse_while_late,
    require_chart,
    require_complete,
    revoke_choice,
)
from order_sync.desk import Desk
from order_sync.errors import PermanentError, RequestRejectedError
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.cases import close_case, open_case
from order_sync.ledger.decisions import declined_patients, undo_cause
from order_sync.ledger.models import OrderRow, PaymentRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import attempts_of, find_payment, known_payment_ids, may_be_booked, update_payment
from order_sync.ledger.refunds import settlements_of
from order_sync.ledger.remembered import remember_patient
from order_sync.ledger.session import Transaction
from order_sync.markers import find_markers
from order_sync.payment_reads import charts_of, read_evidence_of
from order_sync.payments import EntryStatus, PaymentEntry, PostOutcome
from order_sync.posting_rules import Doubled, Mismatch, PossibleManualEntry, Posted, Verdict, Voided
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from order_sync.verify import verdict_on

UNDO_BEGUN = "on the wrong patient: to be voided in Nextech"
"""The detail of a posted order whose payment a person has said to be on the wrong patient."""


@dataclass(frozen=True, slots=True)
class Undo:
    """What there is to undo of an order."""

    order: OrderRow
    payment_id: str | None = None
    """What staff have to void in Nextech; None when nothing was posted: the order waits for another patient now."""
    marker: str | None = None
    patient_id: str | None = None
    """On whose billing tab it stands."""


def begin_undo(desk: Desk, order_id: int, *, actor: str, version: int | None = None) -> Undo:
    """Begin to undo a choice of patient; the choice that was remembered for the customer is revoked.

    An order that nothing was sent for goes back to the queue. A posted one stays Synced, with a case that says what to void.
    Raises `PermanentError` while its payment is on its way or being verified, and for every other order.
    """
    with deciding(desk.ledger, order_id, version, practice_id=desk.practice.id) as (tx, order):
        payment = find_payment(tx, order.id)
        if is_undo_begun(order) and payment is not None:
            return Undo(order, payment.payment_id, payment.marker, payment.patient_id)
        if order.state is OrderState.CONFIRMED and payment is not None:
            moved = move(tx, order, Step(OrderState.CONFIRMED, detail=UNDO_BEGUN, actor=actor))
            _open_case(tx, moved, f"payment {payment.payment_id}")
            undo = Undo(moved, payment.payment_id, payment.marker, payment.patient_id)
        elif order.state is OrderState.MATCHED and not may_be_booked(tx, order.id):
            asked = sorted(declined_patients(tx, order.id) | {order.patient_id or ""} - {""})
            step = Step(OrderState.QUEUED, Reason.WRONG_PATIENT, actor=actor, candidate_ids=asked)
            undo = Undo(move(tx, order, step, patient_id=None, matched_by=None, match_level=None))
        else:
            is_under_way = order.state in (OrderState.MATCHED, OrderState.INTENT, OrderState.UNKNOWN)
            why = "its payment is on its way; wait until that is clear" if is_under_way else "nothing is posted for it"
            msg = f"{named(order)}: {why}"
            raise PermanentError(msg)
        revoke_choice(tx, order, actor=actor)
        record_action(
            tx,
            Action.UNDO_BEGUN,
            actor=actor,
            practice_id=order.practice_id,
            order_id=order.id,
            detail=f"payment {undo.payment_id}" if undo.payment_id else None,
        )
    return undo


def call_off_undo(desk: Desk, order_id: int, *, actor: str, version: int | None = None) -> OrderRow:
    """Take back a begun undo: the payment is on the right patient after all. Refused once its void is recorded."""
    with deciding(desk.ledger, order_id, version, practice_id=desk.practice.id) as (tx, order):
        if order.state is OrderState.CLOSED_VOIDED:
            msg = (
                f"{named(order)}: its payment is voided already; post it anew, to the same patient if it was right, or leave it"
            )
            raise PermanentError(msg)
        was_open = close_case(tx, undo_cause(order.id), by=actor, resolution="called off")
        is_begun = is_undo_begun(order)
        if not (is_begun or was_open):
            msg = f"{named(order)}: no undo is begun"
            raise PermanentError(msg)
        moved = move(tx, order, Step(OrderState.CONFIRMED, actor=actor)) if is_begun else order
        record_action(tx, Action.UNDO_BEGUN, actor=actor, practice_id=order.practice_id, order_id=order.id, detail="called off")
    return moved


def is_undo_begun(order: OrderRow) -> bool:
    """Say whether a posted order's payment is to be voided."""
    return order.state is OrderState.CONFIRMED and order.detail == UNDO_BEGUN


def look_for_void(
    desk: Desk, order_id: int, *, actor: str, version: int | None = None, unrelated_payment_id: str | None = None
) -> OrderRow:
    """Read a posted order's payments again, and record that staff have voided it; the order may then be posted anew.

    Raises `PermanentError` naming the payment while it, or a corrected copy, still stands; and when one of the same amount and
    day does that has no marker: it may be a correction whose note was lost, unless the person says that it is another one
    (`unrelated_payment_id`).
    """
    with desk.ledger.transaction() as tx:
        seen = expect(tx, order_id, version, practice_id=desk.practice.id)
    if seen.state is OrderState.CLOSED_VOIDED:
        return seen
    look = _look(desk, seen, unrelated_payment_id)
    if not isinstance(look.verdict, Voided):
        msg = f"{named(seen)}: {_what_stands(look.verdict)}"
        raise PermanentError(msg)
    with deciding(desk.ledger, order_id, seen.version, practice_id=desk.practice.id) as (tx, order):
        if order.state is not OrderState.CONFIRMED:
            msg = f"{named(order)}: nothing is posted for it"
            raise PermanentError(msg)
        moved = move(tx, order, Step(OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED, actor=actor))
        look.keep_unrelated(tx)
        _open_case(tx, moved, f"payment {look.payment.payment_id} is voided")
        record_action(tx, Action.VOID_LOOKED_FOR, actor=actor, practice_id=order.practice_id, order_id=order.id)
    return moved


def post_to(
    desk: Desk,
    order_id: int,
    patient_id: str,
    *,
    actor: str,
    version: int | None = None,
    remember: bool = True,
    unrelated_payment_id: str | None = None,
) -> OrderRow:
    """Let an order whose payment was voided be posted to this patient, by the next run, under the same marker.

    Needs a fresh complete read in which nothing of the order stands any more, on whichever patient. Refused while another
    payment of it may still be booked, and while a restore holds it. Raises `PermanentError` otherwise, as `look_for_void` does.
    What staff have moved to this very patient, note and all, is no obstacle: the next run finds it and sends nothing.
    """
    patient_id = require_chart(desk, patient_id)
    with desk.ledger.transaction() as tx:
        seen = expect(tx, order_id, version, practice_id=desk.practice.id)
        _refuse_to_post(tx, desk, seen)
    look = _look(desk, seen, unrelated_payment_id, patient_id)
    stands = isinstance(look.verdict, Posted | Mismatch | Doubled | PossibleManualEntry)
    if stands and not look.shows_it_on(patient_id):
        msg = f"{named(seen)}: {_what_stands(look.verdict)}"
        raise PermanentError(msg)
    if left := look.refunds_besides(patient_id):
        msg = f"{named(seen)}: payment {left[0]} records a refund of it on the other patient; void it in Nextech first, too"
        raise PermanentError(msg)
    with deciding(desk.ledger, order_id, seen.version, practice_id=desk.practice.id) as (tx, order):
        _refuse_to_post(tx, desk, order)
        look.keep_unrelated(tx)
        # What was posted before is no longer this order's payment; its rows are noted, so that nobody takes them for the next.
        update_payment(
            tx,
            order.id,
            voided_rows=look.voided_rows(),
            patient_id=patient_id,
            payment_id=None,
            posted_at=None,
            verified_at=None,
            settle_at=None,
            absent_reads=0,
            last_absent_at=None,
        )
        step = Step(OrderState.MATCHED, actor=actor, detail="to be posted to another patient")
        moved = move(tx, order, step, patient_id=patient_id, matched_by=actor[:80], match_level=None)
        if remember and moved.customer_key:
            remember_patient(
                tx, practice_id=moved.practice_id, customer_key=moved.customer_key, patient_id=patient_id, by=actor
            )
        close_case(tx, undo_cause(order.id), by=actor, resolution="to be posted to another patient")
        record_action(tx, Action.POSTED_ELSEWHERE, actor=actor, practice_id=order.practice_id, order_id=order.id)
    return moved


def _open_case(tx: Transaction, order: OrderRow, detail: str) -> None:
    open_case(
        tx,
        practice_id=order.practice_id,
        cause=undo_cause(order.id),
        reason=Reason.WRONG_PATIENT,
        detail=detail,
        order=order,
    )


def _refuse_to_post(tx: Transaction, desk: Desk, order: OrderRow) -> None:
    if order.state is not OrderState.CLOSED_VOIDED:
        msg = f"{named(order)}: its payment is not voided"
        raise PermanentError(msg)
    refuse_while_held(tx, desk, order)
    attempts = attempts_of(tx, order.id)
    sent = [attempt for attempt in attempts if attempt.outcome is not PostOutcome.NOT_EXECUTED]
    # The one that was voided accounts for one attempt. Of several, another may still be on its way.
    if len(sent) > 1 and attempts[-1].outcome is not PostOutcome.EXECUTED:
        refuse_while_late(tx, desk.practice, order)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a complete read showed of an order's payment."""

    payment: PaymentRow
    verdict: Verdict
    entries: tuple[PaymentEntry, ...]
    unrelated: str | None
    refunds: frozenset[str]
    """The payments that the ledger has tied to refunds of the order."""

    def keep_unrelated(self, tx: Transaction) -> None:
        """Note the payment of which a person has said that it is another one."""
        if self.unrelated is not None:
            ids = [*(self.payment.unrelated_payment_ids or ()), self.unrelated]
            update_payment(tx, self.payment.order_id, unrelated_payment_ids=sorted(set(ids)))

    def refunds_besides(self, patient_id: str) -> list[str]:
        """Return the refunds of the order that are recorded on another patient than this one."""
        return [
            entry.payment_id
            for entry in self.entries
            if entry.payment_id in self.refunds
            and entry.status is EntryStatus.ACTIVE
            and (entry.patient_id or "").lower() != patient_id
        ]

    def shows_it_on(self, patient_id: str) -> bool:
        """Say whether the payment stands once, as it should be but on this patient."""
        if not isinstance(self.verdict, Mismatch) or self.verdict.fields != ("patient",):
            return False
        on = {entry.payment_id: entry.patient_id for entry in self.entries}[self.verdict.payment_id]
        return on is not None and on.lower() == patient_id

    def voided_rows(self) -> dict[str, list[str]]:
        """Return the rows that stand voided under the order's marker, by patient, and the patients who had it before."""
        rows = {patient_id: set(ids) for patient_id, ids in (self.payment.voided_rows or {}).items()}
        rows.setdefault(self.payment.patient_id, set())
        for entry in self.entries:
            if entry.patient_id is not None and entry.status is not EntryStatus.ACTIVE and self._is_of_order(entry):
                rows.setdefault(entry.patient_id, set()).add(entry.payment_id)
        return {patient_id: sorted(ids) for patient_id, ids in sorted(rows.items())}

    def _is_of_order(self, entry: PaymentEntry) -> bool:
        return entry.payment_id == self.payment.payment_id or self.payment.marker in find_markers(entry.note)


def _look(desk: Desk, order: OrderRow, unrelated: str | None, *patients: str) -> _Look:
    """Read the payments of everybody who may have the order's, also of the patient into whom a chart was merged meanwhile."""
    with desk.ledger.transaction() as tx:
        payment = find_payment(tx, order.id)
    if payment is None:
        msg = f"{named(order)}: nothing is posted for it"
        raise PermanentError(msg)
    shown = _shown(desk, payment)
    moved_to = {shown.patient_id} if shown is not None and shown.patient_id else set()
    charts = charts_of(payment) | moved_to | frozenset(patients)
    evidence = read_evidence_of(desk, charts)
    require_complete(evidence.covers_all(charts))
    entries = tuple(entry for chart in sorted(charts) for entry in evidence.of(chart))
    others = {entry.payment_id for entry in entries} - {payment.payment_id}
    unrelated = unrelated if unrelated in others else None
    with desk.ledger.transaction() as tx:
        known = known_payment_ids(tx, order.practice_id, sorted(charts)) - {payment.payment_id or ""}
        refunds = frozenset(recorded.payment_id for _, recorded in settlements_of(tx, [order.id]))
    known |= {unrelated} if unrelated else frozenset()
    verdict = verdict_on(desk, payment, evidence, known, _with_marker(entries, payment.marker))
    return _Look(payment, verdict, entries, unrelated, refunds)


def _shown(desk: Desk, payment: PaymentRow) -> PaymentEntry | None:
    """Return the payment as Nextech shows it by its id, which says where its chart went; None where Nextech refuses that."""
    try:
        return desk.nextech.read_payment(payment.payment_id) if payment.payment_id else None
    except RequestRejectedError:
        return None


def _with_marker(entries: Iterable[PaymentEntry], marker: str) -> tuple[PaymentEntry, ...]:
    return tuple(entry for entry in entries if marker in find_markers(entry.note))


def _what_stands(verdict: Verdict) -> str:
    match verdict:
        case Posted(payment_id=payment_id) | Mismatch(payment_id=payment_id):
            return f"payment {payment_id} stands; void it in Nextech first"
        case Doubled(payment_ids=payment_ids):
            return f"payments {', '.join(payment_ids)} stand; void them in Nextech first"
        case PossibleManualEntry(payment_id=payment_id):
            return f"payment {payment_id} has the same amount and day; void it too, or say that it is another one"
    return "Nextech shows no trace of its payment on this patient"
