"""Claims: disjoint work for runs that sweep at once, named claims that expire, shared slots of a rate limit."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from order_sync.errors import TransientError
from order_sync.ledger.claims import (
    LedgerSlots,
    count_unknown_outcome,
    drop_claim,
    finish_sweep,
    finished_sweeps,
    move_watermark,
    progress_of,
    renew_claim,
    take_claim,
    watermark_of,
)
from order_sync.ledger.models import PracticeProgress
from order_sync.ledger.orders import Step, claim_orders, failed_orders, move, read_order, release_orders
from order_sync.ledger.session import Ledger, open_engine
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import PRACTICE, at_once, new_order, saved_order

DUE = [OrderState.MATCHED]


def _claim(ledger: Ledger, *, limit: int = 10, seconds: float = 60, only: list[int] | None = None) -> list[int]:
    with ledger.transaction() as tx:
        return [row.id for row in claim_orders(tx, PRACTICE, DUE, seconds=seconds, limit=limit, only=only)]


def test_orders_are_claimed_oldest_first_up_to_the_limit(ledger: Ledger):
    with ledger.transaction() as tx:
        orders = [new_order(tx, OrderState.MATCHED, placed_at=tx.now - timedelta(days=day)).id for day in (1, 3, 2)]
        new_order(tx, OrderState.MATCHED, practice_id="central")
        new_order(tx, OrderState.WAITING)
    assert _claim(ledger, limit=2) == [orders[1], orders[2]]
    assert _claim(ledger) == [orders[0]]
    assert _claim(ledger) == []


def test_fifty_claims_at_once_give_every_order_to_exactly_one(ledger: Ledger):
    with ledger.transaction() as tx:
        orders = [new_order(tx, OrderState.MATCHED).id for _ in range(100)]
    claimed = [order for batch in at_once(50, lambda _: _claim(ledger, limit=3)) for order in batch]
    while rest := _claim(ledger, limit=3):
        claimed += rest
    assert Counter(claimed) == Counter(orders)


def test_a_claim_ends_by_itself_when_its_holder_is_gone(ledger: Ledger, clock: FakeClock):
    order = saved_order(ledger, OrderState.MATCHED)
    assert _claim(ledger, seconds=60) == [order.id]
    clock.advance(seconds=59)
    assert _claim(ledger) == []
    clock.advance(seconds=2)
    assert _claim(ledger) == [order.id]


def test_an_order_that_shall_wait_is_claimed_only_by_the_rerun_that_asks_for_it(ledger: Ledger, clock: FakeClock):
    order = saved_order(ledger, OrderState.MATCHED, not_before=clock.now() + timedelta(minutes=1))
    assert _claim(ledger) == []
    assert _claim(ledger, only=[order.id + 1]) == []
    assert _claim(ledger, only=[order.id], seconds=1) == [order.id]
    clock.advance(minutes=2)
    assert _claim(ledger) == [order.id]


def test_a_step_ends_the_claim(ledger: Ledger):
    saved_order(ledger, OrderState.MATCHED)
    with ledger.transaction() as tx:
        (claimed,) = claim_orders(tx, PRACTICE, DUE, seconds=60, limit=1)
        moved = move(tx, claimed, Step(OrderState.INTENT))
    assert (moved.claimed_by, moved.claimed_until) == (None, None)


def test_a_released_order_is_free_at_once(ledger: Ledger):
    order = saved_order(ledger, OrderState.MATCHED)
    with ledger.transaction() as tx:
        claimed = claim_orders(tx, PRACTICE, DUE, seconds=60, limit=1)
    with ledger.transaction() as tx:
        release_orders(tx, claimed)
    assert _claim(ledger) == [order.id]


def test_an_order_released_with_a_failure_is_handed_out_and_rests_a_minute(ledger: Ledger, clock: FakeClock):
    order = saved_order(ledger, OrderState.MATCHED)
    with ledger.transaction() as tx:
        claimed = claim_orders(tx, PRACTICE, DUE, seconds=60, limit=1)
        release_orders(tx, claimed, failure="the store does not answer")
        assert [row.id for row in failed_orders(tx, PRACTICE)] == [order.id]
        assert read_order(tx, order.id).detail == "the store does not answer"
    assert _claim(ledger) == []
    clock.advance(minutes=1)
    assert _claim(ledger) == [order.id]


def test_a_late_release_leaves_the_next_holders_claim_alone(ledger: Ledger, clock: FakeClock):
    saved_order(ledger, OrderState.MATCHED)
    with ledger.transaction() as tx:
        late = claim_orders(tx, PRACTICE, DUE, seconds=10, limit=1)
    clock.advance(seconds=11)
    with ledger.transaction() as tx:
        (holder,) = claim_orders(tx, PRACTICE, DUE, seconds=60, limit=1)
    with ledger.transaction() as tx:
        release_orders(tx, late, failure="too late")
        current = read_order(tx, holder.id)
    assert (current.claimed_by, current.failed_at) == (holder.claimed_by, None)


def test_a_named_claim_has_one_holder_until_it_expires(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        assert take_claim(tx, "sweep:eastern", holder="run-1", seconds=60)
        assert not take_claim(tx, "sweep:eastern", holder="run-2", seconds=60)
        assert take_claim(tx, "sweep:central", holder="run-2", seconds=60)
    clock.advance(seconds=50)
    with ledger.transaction() as tx:
        assert take_claim(tx, "sweep:eastern", holder="run-1", seconds=60), "the holder may take it again"
    clock.advance(seconds=59)
    with ledger.transaction() as tx:
        assert renew_claim(tx, "sweep:eastern", holder="run-1", seconds=60)
    clock.advance(seconds=59)
    with ledger.transaction() as tx:
        assert not take_claim(tx, "sweep:eastern", holder="run-2", seconds=60), "it was renewed"
    clock.advance(seconds=1)
    with ledger.transaction() as tx:
        assert not renew_claim(tx, "sweep:eastern", holder="run-1", seconds=60), "it has expired"
        assert take_claim(tx, "sweep:eastern", holder="run-2", seconds=60)


def test_only_its_holder_gives_a_claim_back(ledger: Ledger):
    with ledger.transaction() as tx:
        take_claim(tx, "sweep:eastern", holder="run-1", seconds=60)
        drop_claim(tx, "sweep:eastern", holder="run-2")
        assert renew_claim(tx, "sweep:eastern", holder="run-1", seconds=60)
        drop_claim(tx, "sweep:eastern", holder="run-1")
        assert take_claim(tx, "sweep:eastern", holder="run-2", seconds=60)


def test_of_many_that_take_one_claim_at_once_one_gets_it(ledger: Ledger, clock: FakeClock):
    def take(holder: str) -> bool:
        with ledger.transaction() as tx:
            return take_claim(tx, "sweep:eastern", holder=holder, seconds=60)

    assert sum(at_once(8, lambda index: take(f"run-{index}"))) == 1, "a claim that is new"
    clock.advance(seconds=61)
    assert sum(at_once(8, lambda index: take(f"later-{index}"))) == 1, "a claim that has expired"


def test_the_watermark_moves_forward_only(ledger: Ledger):
    with ledger.transaction() as tx:
        progress_of(tx, PRACTICE)
        for hours in (0, 2, 1):
            move_watermark(tx, PRACTICE, tx.now + timedelta(hours=hours))
        assert watermark_of(tx, PRACTICE) == tx.now + timedelta(hours=2)


def test_slots_reserved_at_once_do_not_overlap(ledger: Ledger):
    slots = LedgerSlots(ledger)
    batches = at_once(8, lambda _: [slots.reserve("nextech", 3, 0.25) for _ in range(3)])
    begins = sorted(begin for batch in batches for begin in batch)
    assert begins == [index * 0.75 for index in range(24)]


def test_slots_that_passed_unused_are_not_saved_up(ledger: Ledger, clock: FakeClock):
    slots = LedgerSlots(ledger)
    assert slots.reserve("nextech", 2, 0.5) == 0
    assert slots.reserve("nextech", 1, 0.5) == 1.0
    assert slots.reserve("store", 1, 0.5) == 0
    clock.advance(hours=1)
    assert slots.reserve("nextech", 1, 0.5) == 0
    assert slots.reserve("nextech", 1, 0.5) == 0.5


def test_a_database_that_gives_no_slot_is_no_unclear_outcome_and_says_nothing_of_whose_it_is(tmp_path: Path):
    slots = LedgerSlots(Ledger(open_engine(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}")))
    with pytest.raises(TransientError, match=r"^no slot .* \(OperationalError\)$") as failed:
        slots.reserve("svc-user POST payment", 1, 0.5)
    assert failed.value.__context__ is None, "the driver's error would quote the statement with its values"


def test_unclear_outcomes_are_counted_until_a_clear_one(ledger: Ledger):
    with ledger.transaction() as tx:
        counts = [count_unknown_outcome(tx, PRACTICE, is_unknown=unknown) for unknown in (True, True, True, False, True)]
        assert counts == [1, 2, 3, 0, 1]
        assert progress_of(tx, "central").unknown_in_a_row == 0


def test_looking_at_a_watermark_begins_nothing(ledger: Ledger):
    with ledger.transaction() as tx:
        assert watermark_of(tx, PRACTICE) is None
        assert tx.session.get(PracticeProgress, PRACTICE) is None
        progress_of(tx, PRACTICE).watermark = tx.now
        tx.session.flush()
        assert watermark_of(tx, PRACTICE) == tx.now


def test_unclear_outcomes_of_many_threads_are_all_counted(ledger: Ledger):
    def count(_index: int) -> int:
        with ledger.transaction() as tx:
            return count_unknown_outcome(tx, PRACTICE, is_unknown=True)

    assert sorted(at_once(8, count)) == list(range(1, 9))


def test_finished_sweeps_are_kept_per_run_for_a_week(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        for practice in (PRACTICE, "central", PRACTICE):
            finish_sweep(tx, "run-1", practice)
        assert finished_sweeps(tx, "run-1") == {PRACTICE, "central"}
        assert finished_sweeps(tx, "run-2") == frozenset()
    clock.advance(hours=24 * 8)
    with ledger.transaction() as tx:
        finish_sweep(tx, "run-2", PRACTICE)
        assert finished_sweeps(tx, "run-1") == frozenset()
