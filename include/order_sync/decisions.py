"""A person's decision about an order: on what they saw, in one transaction, the first one wins, and the trail says who.

Every command of `resolve`, `manual_entries` and `undo` goes through here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from order_sync.desk import Desk
from order_sync.errors import IncompleteReadError, LedgerBusyError, PermanentError, SomebodyWasFirstError
from order_sync.ledger.decisions import find_order, matched_by_memory, steps_since
from order_sync.ledger.models import AttemptKind, OrderRow
from order_sync.ledger.orders import SYNC, Step, move
from order_sync.ledger.postings import latest_attempt, may_be_booked
from order_sync.ledger.remembered import forget_patient
from order_sync.ledger.session import Ledger, Transaction
from order_sync.payments import PostOutcome
from order_sync.practices import Practice
from order_sync.restores import hold_of
from order_sync.statuses import OrderState


def named(order: OrderRow) -> str:
    """Return how messages name an order."""
    return f"order {order.number} of practice {order.practice_id}"


@contextmanager
def deciding(
    ledger: Ledger, order_id: int, version: int | None, *, practice_id: str | None = None
) -> Iterator[tuple[Transaction, OrderRow]]:
    """Open a transaction in which a person decides about an order, and hand out both; commit at the end.

    `version` is the one that the person saw, None for whatever stands there; `practice_id` the practice whose systems are
    at hand. Raises `SomebodyWasFirstError` when the order has gone on since, also when that happens at this moment, and
    `PermanentError` when the practice has no such order.
    """
    seen = version
    try:
        with ledger.transaction() as tx:
            order = expect(tx, order_id, version, practice_id=practice_id)
            seen = order.version
            yield tx, order
    except SomebodyWasFirstError:
        raise
    except LedgerBusyError:
        with ledger.transaction() as tx:
            expect(tx, order_id, seen, practice_id=practice_id)
        raise


def expect(tx: Transaction, order_id: int, version: int | None, *, practice_id: str | None = None) -> OrderRow:
    """Return the order if it is as the person saw it; raises as `deciding` does."""
    order = find_order(tx, order_id)
    if order is None or practice_id not in (None, order.practice_id):
        msg = f"there is no order with the id {order_id} in this practice"
        raise PermanentError(msg)
    if version is not None and order.version != version:
        raise _first_of(tx, order, version)
    return order


def _first_of(tx: Transaction, order: OrderRow, version: int) -> LedgerBusyError:
    steps = steps_since(tx, order.id, version)
    first = next((step for step in steps if step.actor != SYNC), steps[0] if steps else None)
    if first is None:
        return LedgerBusyError(f"{named(order)}: somebody else was first; look at it again")
    return SomebodyWasFirstError(named(order), actor=first.actor, at=first.at, state=order.state)


def require_chart(desk: Desk, patient_id: str) -> str:
    """Return a patient's id in lower case; raises `PermanentError` unless Nextech has the chart, and it is in use."""
    chart = desk.nextech.read_patient(patient_id)
    if chart is None:
        msg = f"practice {desk.practice.id}: the chart that was picked does not exist in Nextech, or was merged; pick again"
        raise PermanentError(msg)
    if not chart.is_active:
        msg = f"practice {desk.practice.id}: the chart that was picked is inactive in Nextech; pick again"
        raise PermanentError(msg)
    return patient_id.strip().lower()


def revoke_choice(tx: Transaction, order: OrderRow, *, actor: str) -> None:
    """Revoke what is remembered of an order's customer, and decide his other orders anew that only wait to be sent by it."""
    if order.customer_key is None:
        return
    forget_patient(tx, practice_id=order.practice_id, customer_key=order.customer_key, by=actor)
    step = Step(OrderState.RECEIVED, detail="the remembered choice was revoked", actor=actor)
    for other in matched_by_memory(tx, order.practice_id, order.customer_key):
        if other.id == order.id or may_be_booked(tx, other.id):
            continue
        with suppress(LedgerBusyError), tx.session.begin_nested():  # who moves it now is sending it already
            move(tx, other, step)


def refuse_while_late(tx: Transaction, practice: Practice, order: OrderRow) -> None:
    """Raise `PermanentError` while a payment that was sent for the order may still be booked (design section 7)."""
    attempt = latest_attempt(tx, order.id, AttemptKind.PAYMENT)
    if attempt is None or attempt.outcome is PostOutcome.NOT_EXECUTED:
        return
    until = latest_booking(practice, attempt.deadline)
    if tx.now < until:
        msg = f"{named(order)}: the payment may still be booked late; not before {until:%Y-%m-%d %H:%M} UTC"
        raise PermanentError(msg)


def latest_booking(practice: Practice, deadline: datetime) -> datetime:
    """Return until when a payment may be booked whose attempt had to end at `deadline`."""
    return deadline + timedelta(hours=practice.posting.post_again_after_hours)


def refuse_while_held(tx: Transaction, desk: Desk, order: OrderRow) -> None:
    """Raise `PermanentError` while a declared restore holds the order: it may have been posted without a trace here."""
    hold = hold_of(tx, desk)
    if hold is not None and hold.keeps(order.placed_at, tx.now):
        msg = f"{named(order)}: {hold.sentence}; it may have been posted before"
        raise PermanentError(msg)


def require_complete(is_complete: bool) -> None:
    """Raise `IncompleteReadError` unless the patient's payments were read completely: anything less proves nothing."""
    if not is_complete:
        reason = "the patient's payments cannot be read completely; try again later"
        raise IncompleteReadError(reason, system="nextech", route="GET /PaymentReconciliation")
