"""Orders and postings for the ledger's tests; what a test does not name is plausible and unimportant."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any, TypeVar

from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow, PaymentRow
from order_sync.ledger.orders import Step, add_order
from order_sync.ledger.postings import Intent, begin_attempt, plan_payment
from order_sync.ledger.session import Ledger, Transaction
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState

PRACTICE = "eastern"
PATIENT = "5f0c7d1e-0000-4000-8000-000000000001"
INTENT = Intent(AttemptKind.PAYMENT, "a" * 64, may_run_seconds=55)
EXECUTED = PostAnswer(PostOutcome.EXECUTED, "2xx with id", status=201, request_id="req-1", created_id="pay-1")

T = TypeVar("T")
_numbers = itertools.count(1)


def new_order(tx: Transaction, state: OrderState = OrderState.RECEIVED, reason: Reason | None = None, **facts: Any) -> OrderRow:
    """Take in an order that stands in this state; each is placed a second after the one before."""
    number = next(_numbers)
    row = OrderRow(
        **{
            "practice_id": PRACTICE,
            "entity_id": number,
            "number": f"{number:09}",
            "placed_at": tx.now - timedelta(days=1) + timedelta(seconds=number),
            "business_day": date(2026, 3, 9),
            "store_updated_at": tx.now,
            "store_state": "processing",
            "amount_cents": 12_050,
            "refunded_cents": 0,
            **facts,
        }
    )
    return add_order(tx, row, Step(state, reason))


def saved_order(
    ledger: Ledger, state: OrderState = OrderState.RECEIVED, reason: Reason | None = None, **facts: Any
) -> OrderRow:
    """Take in an order in a transaction of its own; return it detached."""
    with ledger.transaction() as tx:
        return new_order(tx, state, reason, **facts)


def planned(tx: Transaction, order: OrderRow, **plan: Any) -> PaymentRow:
    """Plan the order's payment."""
    values = {
        "posting_key": f"{order.practice_id}|{order.entity_id}|payment",
        "marker": f"DP-TEST{order.id:08}-X",
        "patient_id": PATIENT,
        "amount_cents": 12_050,
        "business_day": order.business_day,
        **plan,
    }
    return plan_payment(tx, order, **values)


def attempted(ledger: Ledger, **facts: Any) -> tuple[OrderRow, AttemptRow]:
    """Take in an order whose payment is planned and has one attempt under way."""
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.INTENT, **facts)
        planned(tx, order)
        return order, begin_attempt(tx, order, INTENT)


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Do the same work in several threads that begin together; return their results."""
    barrier = Barrier(count)

    def begin(index: int) -> T:
        barrier.wait(timeout=30)
        return work(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))
