"""Refunds to record: a person says which entry in Nextech is a refund of the store; it is read again, checked, and tied to it.

The look of every morning (`refund_debt`) ties what names its order, and what nothing else fits; the rest it suggests. That a
refund will not be recorded is said by dismissing its case (`queue.dismiss_case`).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from order_sync.cases_in_hand import CaseInHand, changing, subject_of
from order_sync.collected import Sides, is_live_refund
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, PermanentError
from order_sync.ledger.audit import Action
from order_sync.ledger.claims import drop_claim, take_claim
from order_sync.ledger.facts import orders_of_markers, orders_of_payments
from order_sync.ledger.models import CaseState, OrderRow
from order_sync.ledger.queue_lists import CaseKind
from order_sync.ledger.refund_models import RefundRow
from order_sync.ledger.refunds import keep_settlement, memo_cause, refunds_of, settled_by_others, settlements_of
from order_sync.ledger.session import Transaction
from order_sync.markers import find_markers
from order_sync.money import format_money
from order_sync.orders import Order
from order_sync.payments import EntryStatus, PaymentEntry
from order_sync.refund_debt import claim_of_refunds

_SUGGESTED = re.compile(r"payment ([0-9A-Za-z-]{1,64}) may be it(?: \(([^)]*)\))?")
_CLAIM_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A payment in Nextech that may be the refund of a case."""

    payment_id: str
    why: str
    """What speaks for it, and why that is not enough; empty where it was cut off."""


@dataclass(frozen=True, slots=True)
class Tied:
    """What of a refund a payment records."""

    recorded_cents: int
    left_cents: int
    """What is still to be recorded; the case stays open for it."""


def suggestions_in(sentence: str) -> tuple[Suggestion, ...]:
    """Return the payments that a case's sentence suggests, as the look of the morning wrote it."""
    return tuple(Suggestion(match[1], match[2] or "") for match in _SUGGESTED.finditer(sentence))


def tie_refund(desk: Desk, case_id: int, payment_id: str, *, actor: str, version: int) -> Tied:
    """Record that this payment in Nextech is the refund of an open case, and close the case when it records all of it.

    The payment is read again: it has to stand, to give money back, to name no other order, and not to be used up by other
    refunds. It may stand on another patient's tab, and it may be smaller or larger: so much of it as is owed is tied. Staff
    who void it open the case again. Raises `CaseChangedError` when somebody was first, `PermanentError` for a payment that
    cannot be it, `LedgerBusyError` while the sync looks at the refunds, and the errors of every read.
    """
    payment_id = payment_id.strip()
    with changing(desk.ledger, desk.practice.id, case_id, version) as hand:
        order, _ = _refund_in(hand)
    entry = desk.nextech.read_payment(payment_id)
    seen = desk.store.read_orders([order.entity_id]).get(order.entity_id)
    subject = f"payment {payment_id}, {subject_of(case_id)}"
    refusal = _why_not(desk, order, seen if isinstance(seen, Order) else None, entry)
    if entry is None or refusal is not None:
        msg = f"{subject}: {refusal}"
        raise PermanentError(msg)
    with changing(desk.ledger, desk.practice.id, case_id, version) as hand, _alone_with_refunds(hand.tx, desk):
        _, refund = _refund_in(hand)
        return _tie(hand, refund, entry, actor, desk.practice.currency)


@contextmanager
def _alone_with_refunds(tx: Transaction, desk: Desk) -> Iterator[None]:
    """Keep the look of the morning, and anybody else, from the practice's refunds until the transaction has ended."""
    name, holder = claim_of_refunds(desk.practice.id), str(uuid.uuid4())
    if not take_claim(tx, name, holder=holder, seconds=_CLAIM_SECONDS):
        msg = "the sync is looking at the refunds just now; try again in some minutes"
        raise LedgerBusyError(msg)
    yield
    drop_claim(tx, name, holder=holder)


def _refund_in(hand: CaseInHand) -> tuple[OrderRow, RefundRow]:
    """Return the order and the credit memo that a case is about; raises `PermanentError` when there is none."""
    if hand.kind is not CaseKind.REFUND or hand.order is None:
        msg = f"{subject_of(hand.row.id)}: it is about no refund"
        raise PermanentError(msg)
    known = refunds_of(hand.tx, [hand.order.id]).get(hand.order.id, [])
    found = next((refund for refund in known if memo_cause(hand.order.id, refund.memo_id) == hand.row.cause), None)
    if found is None:
        msg = f"{subject_of(hand.row.id)}: its credit memo has not been looked at yet; try again tomorrow"
        raise PermanentError(msg)
    return hand.order, found


def _why_not(desk: Desk, order: OrderRow, seen: Order | None, entry: PaymentEntry | None) -> str | None:
    """Say why an entry cannot be a refund of this order; None when it can."""
    if entry is None:
        return "there is no such payment in Nextech"
    if entry.status is not EntryStatus.ACTIVE:
        return "it was voided in Nextech"
    if not is_live_refund(entry):
        return "it gives no money back"
    if seen is None:
        return "the store does not show this order"
    sides = Sides(desk.practice, desk.keys.marker)
    sides.take_order(seen)
    with desk.ledger.reading() as tx:
        sides.posted = orders_of_payments(tx, desk.practice.id, [entry.payment_id])
        sides.planned = orders_of_markers(tx, desk.practice.id, find_markers(entry.note))
    named = sides.order_of(entry)
    names_one = sides.marker_in(entry) is not None or (sides.is_ours(entry) and sides.number_in(entry) is not None)
    is_another = named != order.entity_id if named is not None else names_one
    return "it names another order" if is_another else None


def _tie(hand: CaseInHand, refund: RefundRow, entry: PaymentEntry, actor: str, currency: str) -> Tied:
    tx, payment_id = hand.tx, entry.payment_id
    subject = f"payment {payment_id}, {subject_of(hand.row.id)}"
    own = [payment for known, payment in settlements_of(tx, [refund.order_id]) if known.id == refund.id]
    owed_cents = refund.amount_cents - sum(payment.settled_cents for payment in own)
    unused_cents = -entry.amount_cents - settled_by_others(tx, refund.practice_id, []).get(payment_id, 0)
    if owed_cents <= 0 or unused_cents <= 0 or any(payment.payment_id == payment_id for payment in own):
        msg = f"{subject}: {'nothing is left to record' if owed_cents <= 0 else 'it records a refund already'}"
        raise PermanentError(msg)
    tied = Tied(min(owed_cents, unused_cents), max(0, owed_cents - unused_cents))
    keep_settlement(tx, refund, payment_id, tied.recorded_cents, is_by_name=False)
    said = f"recorded as payment {payment_id}"
    if tied.left_cents:
        hand.change(
            Action.REFUND_TIED, actor, f"{format_money(tied.recorded_cents, currency)} {said}", amount_cents=tied.left_cents
        )
    else:
        hand.close(Action.REFUND_TIED, actor, said, state=CaseState.RESOLVED)
    return tied
