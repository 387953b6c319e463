"""Ways to break what keeps people's decisions apart from a payment under way, and from each other's."""

from __future__ import annotations

from typing import Any

import pytest

from order_sync import decisions
from order_sync.intake import take_in
from order_sync.ledger.session import Ledger, Transaction
from order_sync.reasons import Reason
from order_sync.statuses import ALLOWED_STEPS, OrderState
from tests.integration.sync.guards.breaking import Break, both, put, returns

NO_ATTEMPT = returns(False, "order_sync.resolve.may_be_booked")
NO_ATTEMPT_FOR_A_RERUN = returns(False, "order_sync.rerun.may_be_booked")


def take_for_queued(reason: Reason) -> Break:
    """Let a person's decision about any order be taken for one about an order that waits for it."""
    original = decisions.expect

    def expect(tx: Transaction, order_id: int, version: int | None, **named: Any) -> Any:
        order = original(tx, order_id, version, **named)
        tx.session.expunge(order)
        order.state, order.reason = OrderState.QUEUED, reason.value
        return order

    return put(expect, "order_sync.decisions.expect", "order_sync.resolve.expect")


def rerun_whatever_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    def take_in_as_queued(tx: Transaction, desk: Any, seen: Any) -> Any:
        row = take_in(tx, desk, seen)
        tx.session.expunge(row)
        row.state, row.reason = OrderState.QUEUED, Reason.PAYMENT_REJECTED.value
        return row

    monkeypatch.setattr("order_sync.rerun.take_in", take_in_as_queued)


def allow(*steps: tuple[OrderState, OrderState]) -> Break:
    """Let the code take these steps, too."""
    return put(ALLOWED_STEPS | set(steps), "order_sync.ledger.orders.ALLOWED_STEPS")


def drop_the_trigger_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Ledger.__init__

    def begin(ledger: Ledger, *given: Any) -> None:
        original(ledger, *given)
        with ledger.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS orders_step_is_allowed")

    monkeypatch.setattr(Ledger, "__init__", begin)


DISMISS_WHATEVER_ITS_STATE = both(allow((OrderState.INTENT, OrderState.CLOSED)), drop_the_trigger_of_steps)
