"""What the database itself refuses, whoever asks: these triggers are the last line before a lost or doubled payment."""

from __future__ import annotations

import importlib.util
import itertools
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import Update, text, update
from sqlalchemy.exc import IntegrityError

from order_sync.ledger import migrations
from order_sync.ledger.models import AttemptKind, AttemptRow, PaymentRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import finish_attempt
from order_sync.ledger.session import Ledger
from order_sync.payments import PostOutcome
from order_sync.statuses import ALLOWED_STEPS, OrderState
from tests.integration.ledger.rows import EXECUTED, attempted, new_order, planned, saved_order

STEPS = sorted(ALLOWED_STEPS)
FORBIDDEN = [(old, new) for old, new in itertools.permutations(OrderState, 2) if (old, new) not in ALLOWED_STEPS]


def _guards() -> ModuleType:
    path = Path(migrations.__file__).parent / "versions" / "0002_guards.py"
    spec = importlib.util.spec_from_file_location("guards", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def must_be_refused(ledger: Ledger, change: str | Update, message: str, **values: object) -> None:
    statement = text(change) if isinstance(change, str) else change.execution_options(synchronize_session=False)
    with pytest.raises(IntegrityError, match=message), ledger.transaction() as tx:
        tx.session.execute(statement, values)


def _execute(ledger: Ledger, sql: str, **values: object) -> None:
    with ledger.transaction() as tx:
        tx.session.execute(text(sql), values)


def test_the_trigger_knows_the_same_steps_as_the_code():
    frozen = {(old, new) for old, targets in _guards().STEPS.items() for new in targets}
    assert frozen == {(old.value, new.value) for old, new in ALLOWED_STEPS}


def test_every_allowed_step_can_be_taken(ledger: Ledger):
    for old, new in STEPS:
        order = saved_order(ledger, old)
        with ledger.transaction() as tx:
            assert move(tx, order, Step(new)).state is new


def test_every_other_step_is_refused_by_the_database(ledger: Ledger):
    with ledger.transaction() as tx:
        orders = {state: new_order(tx, state).id for state in OrderState}
    assert len(FORBIDDEN) == 12 * 11 - len(STEPS)
    with ledger.transaction() as tx:
        for old, new in FORBIDDEN:
            step = text("UPDATE orders SET state = :new, version = version + 1 WHERE id = :id")
            with pytest.raises(IntegrityError, match="no such step"), tx.session.begin_nested():
                tx.session.execute(step, {"new": new.value, "id": orders[old]})


def test_an_order_may_be_changed_where_it_stands(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED)
    _execute(ledger, "UPDATE orders SET state = 'confirmed', refunded_cents = 5 WHERE id = :id", id=order.id)
    with ledger.transaction() as tx:
        assert tx.session.execute(text("SELECT refunded_cents FROM orders")).scalar_one() == 5


def test_a_version_never_goes_down(ledger: Ledger):
    order = saved_order(ledger)
    _execute(ledger, "UPDATE orders SET version = 3 WHERE id = :id", id=order.id)
    must_be_refused(ledger, "UPDATE orders SET version = 2 WHERE id = :id", "raises the version", id=order.id)


def test_a_step_without_a_new_version_ismust_be_refused(ledger: Ledger):
    order = saved_order(ledger)
    must_be_refused(ledger, "UPDATE orders SET state = 'matched' WHERE id = :id", "raises the version", id=order.id)


def test_a_state_that_does_not_exist_ismust_be_refused(ledger: Ledger):
    order = saved_order(ledger)
    with pytest.raises(IntegrityError), ledger.transaction() as tx:
        tx.session.execute(text("UPDATE orders SET state = 'lost', version = 9 WHERE id = :id"), {"id": order.id})


@pytest.mark.parametrize("sql", ["UPDATE order_history SET actor = 'nobody'", "DELETE FROM order_history"])
def test_history_is_neither_changed_nor_removed(ledger: Ledger, sql: str):
    saved_order(ledger)
    must_be_refused(ledger, sql, "only ever added")
    with ledger.transaction() as tx:
        assert tx.session.execute(text("SELECT actor FROM order_history")).scalar_one() == "sync"


@pytest.mark.parametrize("table", ["order_history", "attempts"])
@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)])
def test_neither_history_nor_attempts_can_be_emptied_at_a_stroke(ledger: Ledger, table: str):
    attempted(ledger)
    must_be_refused(ledger, f"TRUNCATE {table}", "only ever added|never removed")


def test_an_attempt_is_never_removed(ledger: Ledger):
    attempted(ledger)
    must_be_refused(ledger, "DELETE FROM attempts", "never removed")


@pytest.mark.parametrize(
    "change",
    [
        {"attempt_id": "another"},
        {"order_id": 2},
        {"kind": AttemptKind.PATIENT},
        {"fence": 7},
        {"request_sha256": "b" * 64},
        {"intended_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"deadline": datetime(2030, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_intent_does_not_change_not_even_with_its_outcome(ledger: Ledger, change: dict[str, object]):
    attempted(ledger)
    saved_order(ledger)
    must_be_refused(ledger, update(AttemptRow).values(**change), "does not change")
    must_be_refused(ledger, update(AttemptRow).values(outcome=PostOutcome.EXECUTED, **change), "does not change")


@pytest.mark.parametrize(
    "change",
    [{"outcome": PostOutcome.UNKNOWN}, {"outcome": None}, {"http_status": 500}, {"reason": "something else"}],
    ids=str,
)
def test_an_outcome_is_recorded_once_and_then_frozen(ledger: Ledger, change: dict[str, object]):
    _, attempt = attempted(ledger)
    with ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, EXECUTED)
    must_be_refused(ledger, update(AttemptRow).values(**change), "recorded once")


def test_a_plan_that_was_never_sent_may_be_replaced_or_dropped(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.MATCHED)
        planned(tx, order)
    with ledger.transaction() as tx:
        assert planned(tx, order, marker="DP-OTHER").marker == "DP-OTHER"
    _execute(ledger, "DELETE FROM payments")


@pytest.mark.parametrize("column", ["marker", "posting_key"])
def test_key_and_marker_are_frozen_once_an_attempt_exists(ledger: Ledger, column: str):
    attempted(ledger)
    must_be_refused(ledger, update(PaymentRow).values(**{column: "other"}), "do not change")
    _execute(ledger, "UPDATE payments SET payment_id = 'pay-1', absent_reads = 1")


def test_a_payment_that_was_attempted_is_never_removed(ledger: Ledger):
    attempted(ledger)
    must_be_refused(ledger, "DELETE FROM payments", "never removed")


def test_another_order_cannot_take_the_same_marker(ledger: Ledger):
    with ledger.transaction() as tx:
        planned(tx, new_order(tx, OrderState.MATCHED), marker="DP-SAME")
    with pytest.raises(IntegrityError), ledger.transaction() as tx:
        planned(tx, new_order(tx, OrderState.MATCHED), marker="DP-SAME")
