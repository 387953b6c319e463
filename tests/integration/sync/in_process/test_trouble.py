"""One order's trouble, one practice's trouble: who is held up, and who hears of it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from order_sync import intake
from order_sync.ledger.claims import progress_of
from order_sync.ledger.models import OrderRow
from order_sync.orders import Order
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from order_sync.trouble import note_good_run
from sandbox.demo.characters import Person
from sandbox.demo.practices import PRACTICES
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from tests.worlds import SmallWorld

ORA = Person(PRACTICES["eastern"], 71, "Ora", "Castellan")


def test_an_order_that_breaks_a_rule_nobody_thought_of_becomes_a_case_and_the_others_go_on(
    ten: SmallWorld, monkeypatch: pytest.MonkeyPatch
):
    victim = min(ten.shop.orders)
    understood = intake.step_for

    def stumble(order: Order, desk: object) -> object:
        if order.entity_id == victim:
            raise ZeroDivisionError(order.customer.email)
        return understood(order, desk)

    monkeypatch.setattr(intake, "step_for", stumble)
    assert ten.run() == []
    assert sorted(ten.states()) == [OrderState.CONFIRMED] * 9 + [OrderState.QUEUED]
    [case] = ten.open_cases()
    assert case.reason == Reason.ORDER_UNREADABLE
    assert case.sentence == "The order cannot be read: it breaks a rule of the ledger (ZeroDivisionError)"


def test_a_store_that_takes_no_statuses_is_one_case_after_three_tries_and_payments_go_on(ten: SmallWorld):
    ten.plant_in_store(StoreEffect.MASKED_500, method="PUT")
    ten.run_after(minutes=(1, 16, 16, 61))
    assert ten.states() == [OrderState.CONFIRMED] * 10
    [case] = ten.open_cases()
    assert case.reason == Reason.STATUS_NOT_WRITTEN
    assert case.sentence.startswith("The status could not be written to the store: 10 orders, the oldest: store: PUT")
    ten.heal()
    ten.run_after(minutes=(61,))
    assert ten.open_cases() == []
    assert {row["status"] for row in ten.shop.sync_rows.values()} == {"synced"}


def test_an_outage_that_is_over_is_seen_although_no_order_asks_for_the_system(one: SmallWorld):
    one.plant(Effect.FAILED, method="GET", route="/Patient", remaining=None)
    one.run()
    assert one.open_reasons() == [Reason.NEXTECH_UNAVAILABLE]
    one.heal()
    with one.ledger.transaction() as tx:
        tx.session.execute(update(OrderRow).values(not_before=tx.now + timedelta(days=1)))
    one.run_after(minutes=(15,))
    assert one.open_cases() == []


def test_an_outage_that_goes_on_keeps_its_one_row_and_its_age(one: SmallWorld):
    one.plant(Effect.FAILED, method="GET", route="/Patient", remaining=None)
    one.run_after(minutes=(1, 15, 15))
    [case] = one.open_cases()
    assert case.times_seen >= 3
    assert (case.last_seen_at - case.opened_at).total_seconds() >= 30 * 60


def test_a_run_is_a_good_one_unless_a_whole_system_is_in_trouble(one: SmallWorld):
    def last_good_run() -> datetime | None:
        with one.ledger.transaction() as tx:
            return progress_of(tx, "eastern").synced_at

    one.run()
    assert note_good_run(one.desk())
    first = last_good_run()
    assert first == one.clock.now()
    one.plant(Effect.FAILED, method="GET", route="/Patient", remaining=None)
    one.clock.advance(minutes=15)
    one.place(ORA.buyer())
    one.run()
    assert not note_good_run(one.desk())
    assert last_good_run() == first
    one.heal()
    one.run_after(minutes=(15,))
    assert note_good_run(one.desk())
    assert last_good_run() == one.clock.now()
