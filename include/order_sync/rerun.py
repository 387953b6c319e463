"""Rerun: take one order through the same steps as the sweeps, alone, and say how it ended."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from order_sync import reasons
from order_sync.desk import Desk
from order_sync.errors import OrderNotSyncedError, PartialSweepError
from order_sync.intake import DECIDED_BY_THE_ORDER, belongs_here, let_go, take_in
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import find_orders_by_number, mark_handed_out, move, read_order
from order_sync.ledger.postings import may_be_booked
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.orders import Order
from order_sync.post import post_payments
from order_sync.reasons import Reason
from order_sync.restores import hold_of
from order_sync.sending import is_breaker_open
from order_sync.statuses import OrderState, PublicStatus
from order_sync.unanswered import step_to_try_again

logger = logging.getLogger(__name__)

MATCH_AGAIN = DECIDED_BY_THE_ORDER | {
    Reason.PATIENT_GONE,
    Reason.ACCOUNT_NOT_FOUND_AGAIN,
    Reason.ACCOUNT_OUTCOME_UNKNOWN,
}
"""Queued with one of these, an order begins again: it is read, decided and matched anew. No payment was ever sent."""

POST_AGAIN = frozenset({Reason.PAYMENT_REJECTED, Reason.POSSIBLE_MANUAL_ENTRY, Reason.PAYMENTS_UNREADABLE})
"""Queued with one of these, nothing of ours is in Nextech, proved: the look before the post decides again."""


HELD_BACK = "posting is held back until an outcome is clear"


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """Where one order stands after it was run alone."""

    number: str
    status: PublicStatus
    sentence: str
    next_step: str


def sync_order(desk: Desk, order_number: str) -> OrderOutcome:
    """Take one order through read, match, post and mark; return where it stands then.

    Whatever was sent before and not settled is looked for, never sent again. Raises `OrderNotSyncedError` with the
    reason and the next step when the order is Not Synced, and `PartialSweepError` when it failed and may be tried again.
    """
    with desk.ledger.transaction() as tx:
        rows = find_orders_by_number(tx, desk.practice.id, order_number)
    if not rows:
        msg = f"order {order_number} of practice {desk.practice.id} is not in the ledger; it is extracted first"
        raise OrderNotSyncedError(msg)
    ids = [row.id for row in rows]
    for row in rows:
        _begin_again(desk, row)
    match_patients(desk, only=ids)
    is_held_back = post_payments(desk, only=ids).is_held_back
    mark_status(desk, only=ids)
    with desk.ledger.transaction() as tx:
        mark_handed_out(tx, ids)
        after = [read_order(tx, order_id) for order_id in ids]
        hold = hold_of(tx, desk)
        is_kept = hold is not None and any(hold.keeps(row.placed_at, tx.now) for row in after)
    why_unfinished = HELD_BACK if is_held_back else "another run is at it"
    return _outcome_of(desk, after, None if is_kept else why_unfinished)


def _begin_again(desk: Desk, row: OrderRow) -> None:
    """Read the order from the store and put a queued one back to where its reason allows."""
    seen = desk.store.read_orders([row.entity_id]).get(row.entity_id)
    with desk.ledger.transaction() as tx:
        if isinstance(seen, Order) and not belongs_here(desk, seen):
            let_go(tx, desk, [seen])
            return
        if seen is not None:
            row = take_in(tx, desk, seen)
        if row.state is not OrderState.QUEUED or seen is None:
            return
        is_clear = not may_be_booked(tx, row.id)
        if row.why in MATCH_AGAIN and is_clear:
            move(tx, row, step_to_try_again(row.why, OrderState.RECEIVED))
            take_in(tx, desk, seen)
        elif row.why in POST_AGAIN and is_clear and row.patient_id is not None:
            if is_breaker_open(tx, desk.practice.id):
                # Taken out of the queue it would not be posted here, and the next run would put it there again, for ever.
                logger.info("practice %s: order %s stays in the queue: %s", row.practice_id, row.number, HELD_BACK)
                return
            move(tx, row, step_to_try_again(row.why, OrderState.MATCHED))


def _outcome_of(desk: Desk, rows: list[OrderRow], why_unfinished: str | None) -> OrderOutcome:
    """Return where the order stands; `why_unfinished` is None when it has to wait: then nothing is wrong."""
    unsynced = [row for row in rows if row.public_status is PublicStatus.NOT_SYNCED]
    row = (unsynced or rows)[0]
    sentence = reasons.sentence(row.why, row.detail) if row.why else (row.detail or "")
    step = reasons.next_step(row.why) if row.why else ""
    where = f"order {row.number} of practice {desk.practice.id}"
    if row.public_status is PublicStatus.NOT_SYNCED:
        msg = f"{where} is Not Synced: {sentence}. Next step: {step}"
        raise OrderNotSyncedError(msg)
    if row.state in (OrderState.RECEIVED, OrderState.MATCHED) and why_unfinished is not None:
        msg = f"{where} was not finished: {sentence or why_unfinished}. It is tried again by the next run"
        raise PartialSweepError(msg)
    logger.info("%s is %s %s", where, row.public_status.value, sentence)
    return OrderOutcome(row.number, row.public_status, sentence, step)
