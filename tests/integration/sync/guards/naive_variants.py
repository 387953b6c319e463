"""Three ways to post that look sensible (reliability 4.2): each in a few lines, each wrong on a day that comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from order_sync.desk import Desk
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, move, orders_in
from order_sync.markers import find_markers, make_marker, posting_key
from order_sync.orders import Order
from order_sync.payments import PostOutcome, PreparedPayment
from order_sync.posting_rules import payment_request
from order_sync.statuses import OrderState

Variant = Callable[[Desk], None]


def post_then_mark(desk: Desk) -> None:
    """Post; mark what was answered well; try the others again in the next run."""
    for row, prepared in _ready(desk):
        if _send(desk, prepared):
            _mark(desk, row)


def mark_then_post(desk: Desk) -> None:
    """Mark first, so that nothing is ever posted twice."""
    for row, prepared in _ready(desk):
        _mark(desk, row)
        _send(desk, prepared)


def search_then_post(desk: Desk) -> None:
    """Search the patient's payments for the reference first; post what is not there; try again in the next run."""
    for row, prepared in _ready(desk):
        read = desk.nextech.read_payments([prepared.request.patient_id])
        is_there = any(prepared.request.marker in find_markers(entry.note) for entry in read.entries)
        if is_there or _send(desk, prepared):
            _mark(desk, row)


def _ready(desk: Desk) -> Iterator[tuple[OrderRow, PreparedPayment]]:
    with desk.ledger.transaction() as tx:
        rows = orders_in(tx, desk.practice.id, [OrderState.MATCHED])
    seen = desk.store.read_orders([row.entity_id for row in rows])
    for row in rows:
        order = seen[row.entity_id]
        if isinstance(order, Order) and row.patient_id is not None:
            marker = make_marker(desk.keys.marker, posting_key(order, desk.practice))
            yield row, desk.nextech.prepare_payment(payment_request(order, desk.practice, row.patient_id, marker))


def _send(desk: Desk, prepared: PreparedPayment) -> bool:
    return desk.nextech.send_payment(prepared, send_by=math.inf).outcome is PostOutcome.EXECUTED


def _mark(desk: Desk, row: OrderRow) -> None:
    with desk.ledger.transaction() as tx:
        move(tx, move(tx, row, Step(OrderState.INTENT)), Step(OrderState.CONFIRMED))
