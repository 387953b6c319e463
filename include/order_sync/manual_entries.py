"""Posted by hand: a person says which payment in Nextech is an order's; it is read again, checked, and tied to the order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from order_sync.decisions import deciding, expect, named, refuse_while_held, refuse_while_late, require_complete
from order_sync.desk import Desk
from order_sync.errors import PaymentDiffersError, PermanentError
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.cases import close_case
from order_sync.ledger.decisions import declined_patients, owner_of_payment, undo_cause
from order_sync.ledger.models import OrderRow, PaymentRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import find_payment, may_be_booked, plan_payment, update_payment
from order_sync.ledger.session import Transaction, take_turn
from order_sync.markers import find_markers, make_marker, posting_key
from order_sync.money import AmountError, cents, format_money
from order_sync.orders import Order
from order_sync.payment_reads import charts_of, read_evidence_of
from order_sync.payments import EntryStatus, PaymentEntry
from order_sync.reasons import POSTED_BY_HAND, Reason
from order_sync.restores import LookEverywhere, hold_of
from order_sync.statuses import OrderState

_LONGEST_ID = 64
_PATIENT_IS_NOT_KNOWN = frozenset({Reason.PATIENT_GONE, Reason.WRONG_PATIENT})


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a person says: this payment is that order's."""

    order: OrderRow
    seen: Order
    plan: PaymentRow | None
    entry: PaymentEntry
    marker: str

    @property
    def subject(self) -> str:
        """Return how messages name it."""
        return f"payment {self.entry.payment_id}, {named(self.order)}"


def accept_manual_entry(
    desk: Desk,
    order_id: int,
    payment_id: str,
    *,
    actor: str,
    version: int | None = None,
    although_it_differs: bool = False,
) -> OrderRow:
    """Close a queued order as posted by hand: this payment in Nextech is its.

    The payment is read again with everything on its patient's tab. It has to stand there, to be no other order's, and none of
    ours. Where its amount, its day or its patient differs from the order, `PaymentDiffersError` says so, and
    `although_it_differs` takes it all the same: nothing is posted, and the reconciliation shows the difference. Refused while
    a payment of ours may still be booked, and while a restore holds the order. No later run posts the order.
    """
    payment_id = payment_id.strip()
    if not (payment_id.isascii() and payment_id.isalnum()) or len(payment_id) > _LONGEST_ID:
        msg = "what was entered is no payment id: it is the number that Nextech shows with the payment"
        raise PermanentError(msg)
    with desk.ledger.transaction() as tx:
        order = expect(tx, order_id, version, practice_id=desk.practice.id)
        _refuse_by_ledger(tx, desk, order, payment_id)
    claim = _look_at(desk, order, payment_id)
    differing = _differences(desk, claim)
    if differing and not although_it_differs:
        raise PaymentDiffersError(claim.subject, tuple(differing), "; ".join(differing.values()))
    with deciding(desk.ledger, order_id, order.version, practice_id=desk.practice.id) as (tx, current):
        take_turn(tx, f"payment|{current.practice_id}|{payment_id}")
        _refuse_by_ledger(tx, desk, current, payment_id)
        _tie(tx, desk, claim)
        step = Step(OrderState.CLOSED, current.why, POSTED_BY_HAND, actor=actor)
        closed = move(tx, current, step, patient_id=claim.entry.patient_id, matched_by=actor[:80], match_level=None)
        close_case(tx, undo_cause(closed.id), by=actor, resolution="posted by hand")
        detail = f"payment {payment_id}" + (f", although it differs: {', '.join(differing)}" if differing else "")
        record_action(
            tx,
            Action.POSTED_BY_HAND_CONFIRMED,
            actor=actor,
            practice_id=closed.practice_id,
            order_id=closed.id,
            detail=detail,
        )
    return closed


def _refuse_by_ledger(tx: Transaction, desk: Desk, order: OrderRow, payment_id: str) -> None:
    """Raise `PermanentError` for whatever the ledger alone forbids."""
    if order.state is not OrderState.QUEUED:
        msg = f"{named(order)} does not wait for a person"
        raise PermanentError(msg)
    refuse_while_held(tx, desk, order)
    if may_be_booked(tx, order.id):
        refuse_while_late(tx, desk.practice, order)
    owner = owner_of_payment(tx, order.practice_id, payment_id)
    if owner not in (None, order.id):
        msg = f"payment {payment_id}, {named(order)}: it is another order's"
        raise PermanentError(msg)


def _look_at(desk: Desk, order: OrderRow, payment_id: str) -> _Claim:
    """Read the payment, its patient's tab and the order again; raise `PermanentError` when it cannot be the order's."""
    seen = desk.store.read_orders([order.entity_id]).get(order.entity_id)
    if not isinstance(seen, Order):
        msg = f"{named(order)}: the store does not show this order"
        raise PermanentError(msg)
    with desk.ledger.transaction() as tx:
        plan, hold = find_payment(tx, order.id), hold_of(tx, desk)
        likely = declined_patients(tx, order.id) | {order.patient_id or ""} - {""}
    marker = plan.marker if plan else make_marker(desk.keys.marker, posting_key(seen, desk.practice))
    ours = charts_of(plan) if plan else frozenset[str]()
    evidence = read_evidence_of(desk, ours | likely)
    require_complete(evidence.covers_all(ours))
    read = {entry.payment_id: entry for chart in evidence.entries for entry in evidence.of(chart)}
    if payment_id not in read:
        read |= _read_whose_it_is(desk, order, payment_id)
    everywhere = LookEverywhere()
    everywhere.read_for(desk, hold, [order])
    elsewhere = everywhere.entries_of(order, marker)
    require_complete(elsewhere is not None)
    claim = _Claim(order, seen, plan, read[payment_id], marker)
    _refuse_by_nextech(claim, [*read.values(), *(elsewhere or ())])
    return claim


def _read_whose_it_is(desk: Desk, order: OrderRow, payment_id: str) -> dict[str, PaymentEntry]:
    """Ask whose payment it is, and read everything on that patient's tab; raise unless the payment is there."""
    shown = desk.nextech.read_payment(payment_id)
    what = None
    if shown is None:
        what = "there is no such payment in Nextech"
    elif shown.patient_id is None:
        what = "it is on no patient's billing tab"
    else:
        evidence = read_evidence_of(desk, [shown.patient_id])
        require_complete(evidence.covers(shown.patient_id))
        read = {entry.payment_id: entry for entry in evidence.of(shown.patient_id)}
        if payment_id in read:
            return read
        what = "its patient's billing tab does not show it; look at it again"
    msg = f"payment {payment_id}, {named(order)}: {what}"
    raise PermanentError(msg)


def _refuse_by_nextech(claim: _Claim, entries: list[PaymentEntry]) -> None:
    entry, markers = claim.entry, find_markers(claim.entry.note)
    ours = [one.payment_id for one in entries if one.status is EntryStatus.ACTIVE and claim.marker in find_markers(one.note)]
    what = None
    if entry.status is not EntryStatus.ACTIVE:
        what = "it was voided or deleted"
    elif entry.amount_cents <= 0:
        what = "it gives money back"
    elif ours:
        what = f"payment {ours[0]} is ours for this order; retry, and it is found"
    elif markers:
        what = "it carries the marker of another order"
    if what is not None:
        msg = f"{claim.subject}: {what}"
        raise PermanentError(msg)


def _differences(desk: Desk, claim: _Claim) -> dict[str, str]:
    """Return what differs between the payment and the order, by field, as a person reads it."""
    entry, order, practice = claim.entry, claim.order, desk.practice
    found: dict[str, str] = {}
    known = order.patient_id or (claim.plan.patient_id if claim.plan else None)
    if known not in (None, entry.patient_id) and order.why not in _PATIENT_IS_NOT_KNOWN:
        found["patient"] = "it is on another patient than the order's"
    amount_cents = _amount_of(claim.seen)
    if entry.amount_cents != amount_cents:
        asked = format_money(amount_cents, practice.currency) if amount_cents is not None else "has no payable amount"
        found["amount"] = f"it is {format_money(entry.amount_cents, practice.currency)}, the order {asked}"
    instant = entry.payment_instant
    days = {practice.business_day(instant), instant.astimezone(UTC).date()} if instant is not None else set()
    if order.business_day not in days:
        shown = practice.business_day(instant).isoformat() if instant is not None else "without a day"
        found["day"] = f"it is dated {shown}, the order {order.business_day.isoformat()}"
    return found


def _amount_of(order: Order) -> int | None:
    try:
        return cents(order.totals.grand_total)
    except AmountError:
        return None


def _tie(tx: Transaction, desk: Desk, claim: _Claim) -> None:
    """Record whose payment it is, so that the reconciliation ties it and no other order takes it."""
    order, entry = claim.order, claim.entry
    plan_payment(
        tx,
        order,
        posting_key=claim.plan.posting_key if claim.plan else posting_key(claim.seen, desk.practice).as_text(),
        marker=claim.marker,
        patient_id=entry.patient_id or "",
        amount_cents=entry.amount_cents,
        business_day=order.business_day,
    )
    update_payment(tx, order.id, payment_id=entry.payment_id, posted_at=entry.created_at or tx.now, verified_at=tx.now)
