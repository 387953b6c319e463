"""Faults at random in both systems, then calm: the same books as a sync that nothing disturbed, whatever the seed."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import select

from order_sync.errors import OrderNotSyncedError, OrderSyncError
from order_sync.ledger.models import CaseRow
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import post_again
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect, Fault
from sandbox.store.faults import Effect as StoreEffect
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.worlds import PATIENTS, PAY, PAYMENTS, WEDNESDAY_NOON, SmallWorld

ORDERS = 12
POST_EFFECTS = (
    Effect.CREATED_WITHOUT_ID,
    Effect.CREATED_MALFORMED,
    Effect.CREATED_HTML,
    Effect.CREATED_TRUNCATED,
    Effect.REDIRECTED,
    Effect.UNAUTHORIZED,
    Effect.GATEWAY_ERROR,
    Effect.RATE_LIMITED,
    Effect.FAILED,
    Effect.FAILED_EXECUTED,
    Effect.TIMED_OUT,
    Effect.TIMED_OUT_EXECUTED,
    Effect.EXECUTED_LATE,
    Effect.UNAVAILABLE,
)
GET_EFFECTS = (
    Effect.UNAVAILABLE,
    Effect.MALFORMED,
    Effect.TRUNCATED,
    Effect.PARTIAL_PAGE,
    Effect.SHIFTED_PAGE,
    Effect.FILTERS_IGNORED,
    Effect.NEXT_LOOPS,
    Effect.RATE_LIMITED,
    Effect.TOKENS_EXPIRE,
    Effect.DRIPPED,
)
STORE_EFFECTS = (
    StoreEffect.MASKED_500,
    StoreEffect.MESSAGE_200,
    StoreEffect.MAINTENANCE,
    StoreEffect.TOO_MANY,
    StoreEffect.TRUNCATED,
    StoreEffect.RESET,
    StoreEffect.GATEWAY_TIMEOUT,
)


def disturb(world: SmallWorld, seed: int) -> None:
    """Plant faults of many kinds that together strike 20 to 50 % of the requests."""
    rng = random.Random(seed)
    share = rng.uniform(0.2, 0.5)
    posts, gets, stores = rng.sample(POST_EFFECTS, 5), rng.sample(GET_EFFECTS, 4), rng.sample(STORE_EFFECTS, 3)
    for effect in posts:
        late = rng.choice((30, 600, 7_200)) if effect is Effect.EXECUTED_LATE else 0
        for route in (PAY, PATIENTS):
            each = share / len(posts)
            world.nextech.faults.plant(Fault(effect, method="POST", route=route, probability=each, after_seconds=late))
    for effect in gets:
        for route in (PAYMENTS, PATIENTS):
            world.nextech.faults.plant(Fault(effect, method="GET", route=route, probability=share / len(gets)))
    for effect in stores:
        world.plant_in_store(effect, probability=share / len(stores), is_executed=rng.random() < 0.5)


def books(world: SmallWorld) -> Counter[tuple[str, int, str]]:
    return Counter((row.patient_id, row.amount_cents, row.business_day.isoformat()) for row in world.booked())


def settle_by_hand(world: SmallWorld) -> None:
    """Do what the front desk does a day later with what the machine would not decide."""
    desk = world.desk()
    for row in world.orders():
        if row.state is OrderState.QUEUED and row.why in {Reason.OUTCOME_UNKNOWN, Reason.CANNOT_VERIFY}:
            post_again(desk, row.id, actor="dana")
        elif row.state is OrderState.QUEUED:
            try:
                sync_order(desk, row.number)
            except (OrderNotSyncedError, OrderSyncError):
                continue


@pytest.mark.parametrize("seed", range(8))
def test_after_random_faults_the_books_are_those_of_a_calm_day(seed: int, new_ledger: Callable[[], Ledger], clock: FakeClock):
    options = SandboxOptions(seed=seed, is_empty=True, load={"eastern": ORDERS})
    calm = SmallWorld(new_ledger(), FakeClock(WEDNESDAY_NOON), options)
    calm.ledger = Ledger(calm.ledger.engine, calm.clock)
    calm.run()
    world = SmallWorld(new_ledger(), clock, options)
    disturb(world, seed)
    for _ in range(4):
        world.run()
        world.clock.advance(minutes=15)
        assert not books(world) - books(calm), "something was booked twice, or wrongly"
    world.heal()
    world.run_after(minutes=(16, 40, 20, 20), hours=(25, 2))
    assert not books(world) - books(calm)
    settle_by_hand(world)
    world.run_after(minutes=(2, 15))
    assert world.states() == [OrderState.CONFIRMED] * ORDERS
    assert books(world) == books(calm)
    assert world.open_cases() == []
    assert not any(attempt.outcome is None for attempt in world.attempts())


@pytest.mark.parametrize("seed", range(100, 104))
def test_after_random_faults_the_demo_has_neither_a_double_nor_a_second_chart(
    seed: int, new_ledger: Callable[[], Ledger], clock: FakeClock
):
    options = SandboxOptions(seed=1)
    calm = SmallWorld(new_ledger(), FakeClock(WEDNESDAY_NOON), options)
    calm.ledger = Ledger(calm.ledger.engine, calm.clock)
    calm.run()
    world = SmallWorld(new_ledger(), clock, options)
    disturb(world, seed)
    for _ in range(3):
        world.run()
        world.clock.advance(minutes=15)
    world.heal()
    world.run_after(minutes=(16, 40, 20, 20), hours=(25, 2))
    settle_by_hand(world)
    world.run_after(minutes=(2, 15))
    ended = {row.number: (row.state, row.reason) for row in world.orders()}
    assert ended == {row.number: (row.state, row.reason) for row in calm.orders()}
    assert Counter((row.amount_cents, row.business_day) for row in world.booked()) == Counter(
        (row.amount_cents, row.business_day) for row in calm.booked()
    )
    assert len(world.charts()) == len(calm.charts())
    with world.ledger.transaction() as tx:
        assert tx.session.scalars(select(CaseRow)).first() is not None
