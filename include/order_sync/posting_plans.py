"""What is about to be posted: each order checked once more, its payment frozen and recorded before anything is looked for."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from order_sync.desk import Desk
from order_sync.intake import step_for
from order_sync.ledger.models import AttemptKind, OrderRow, PaymentRow
from order_sync.ledger.orders import read_order, release_orders
from order_sync.ledger.postings import latest_attempt, plan_payment
from order_sync.ledger.session import Transaction
from order_sync.markers import make_marker, posting_key
from order_sync.match import try_move
from order_sync.orders import Order
from order_sync.payments import PreparedPayment
from order_sync.posting_rules import payment_request
from order_sync.statuses import ALLOWED_STEPS, OrderState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posting:
    """One order on its way: the row, what will be sent, and the plan in the ledger."""

    row: OrderRow
    prepared: PreparedPayment
    payment: PaymentRow


def plan_postings(desk: Desk, orders: list[tuple[OrderRow, Order]]) -> list[Posting]:
    """Freeze what would be sent for each order, and record it; the marker is the same for ever (reliability 3.1)."""
    due = [(row, order) for row, order in orders if _is_still_due(desk, row, order)]
    prepared = [(row, order, _prepare(desk, row, order)) for row, order in due]
    postings: list[Posting] = []
    unsettled: list[OrderRow] = []
    with desk.ledger.transaction() as tx:
        for row, order, payment in prepared:
            if payment is None or read_order(tx, row.id).version != row.version:
                continue
            attempt = latest_attempt(tx, row.id, AttemptKind.PAYMENT)
            if attempt is not None and attempt.outcome is None:
                unsettled.append(row)
            else:
                postings.append(Posting(row, payment, _plan(tx, desk, row, order, payment)))
    for row in unsettled:
        leave(desk, row, "an earlier attempt is not settled")
    return postings


def leave(desk: Desk, row: OrderRow, failure: str) -> None:
    """Leave an order where it stands; the run hands it out as failed."""
    logger.warning("practice %s: order %s: %s", row.practice_id, row.number, failure)
    with desk.ledger.transaction() as tx:
        release_orders(tx, [row], failure=failure)


def _is_still_due(desk: Desk, row: OrderRow, order: Order) -> bool:
    """Say whether the order is to be posted as it is now; if not, move it to where it belongs.

    A person, or a rerun, may have sent it here from a case that had nothing to do with the order's money, and it may have
    been cancelled, refunded or put on hold since.
    """
    step = step_for(order, desk, released=row.let_through)
    if step.to is OrderState.RECEIVED:
        return True
    if (row.state, step.to) in ALLOWED_STEPS:
        try_move(desk, row, step)
    else:
        leave(desk, row, "not due any more")
    return False


def _prepare(desk: Desk, row: OrderRow, order: Order) -> PreparedPayment | None:
    if row.patient_id is None:
        leave(desk, row, "no patient is chosen")
        return None
    marker = make_marker(desk.keys.marker, posting_key(order, desk.practice))
    return desk.nextech.prepare_payment(payment_request(order, desk.practice, row.patient_id, marker))


def _plan(tx: Transaction, desk: Desk, row: OrderRow, order: Order, prepared: PreparedPayment) -> PaymentRow:
    request = prepared.request
    return plan_payment(
        tx,
        row,
        posting_key=posting_key(order, desk.practice).as_text(),
        marker=request.marker,
        patient_id=request.patient_id,
        amount_cents=request.amount_cents,
        business_day=request.business_day,
    )
