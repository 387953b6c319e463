"""One schedule: twelve hours in which everything goes wrong, then calm, all from one seed."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import OperationalError

from order_sync.errors import OrderNotSyncedError, OrderSyncError
from order_sync.extract import extract_orders
from order_sync.ledger.orders import failed_orders, mark_handed_out
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.post import post_payments
from order_sync.rerun import sync_order
from sandbox.demo.characters import Person
from sandbox.nextech.faults import Effect, Fault
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.faults import Fault as StoreFault
from tests.stateful.invariants import Watch, settle_accounts
from tests.stateful.mishaps import Fate
from tests.stateful.page import LAST_DEED_HOURS, at_the_desk
from tests.stateful.people import in_nextech, place_order, who_is_quick
from tests.stateful.restores import plan_restore
from tests.stateful.stage import InvariantError, Stage
from tests.stateful.town import KNOWN, NEWCOMER, PRACTICE_ID, Town
from tests.worlds import PATIENTS, PAY, PAYMENTS, WEDNESDAY_NOON

FAULT_HOURS = 12
CALM_HOURS = 34
TICK_MINUTES = 15
DAILY_LOOKS = (24, 44)
"""Hours at which a run is played although nothing seems to be due: some cases are looked at again once a day."""
ORDERS = 4
RESTORED_SHARE = 0.15
QUICK_STAFF_SHARE = 0.35
BAD = ("lost", "doubled", "stuck", "wrong patient", "wrong amount or day", "second chart", "patient data")

POST_EFFECTS = (
    Effect.CREATED_WITHOUT_ID,
    Effect.CREATED_MALFORMED,
    Effect.CREATED_HTML,
    Effect.CREATED_TRUNCATED,
    Effect.REDIRECTED,
    Effect.REJECTED,
    Effect.UNAUTHORIZED,
    Effect.NOT_FOUND,
    Effect.CONFLICT,
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
    Effect.REFRESH_REFUSED,
)
STORE_EFFECTS = (
    StoreEffect.MASKED_500,
    StoreEffect.PHP_FATAL,
    StoreEffect.MESSAGE_200,
    StoreEffect.MAINTENANCE,
    StoreEffect.TOO_MANY,
    StoreEffect.TRUNCATED,
    StoreEffect.RESET,
    StoreEffect.GATEWAY_TIMEOUT,
)
LATE_SECONDS = (30, 600, 3_600, 7_200, 14_400)


@dataclass(slots=True)
class Outcome:
    """What came of a schedule."""

    seed: int
    ended: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    broken: str | None = None
    digest: str = ""
    """Of everything that happened: the same seed gives the same one."""

    @property
    def is_good(self) -> bool:
        return self.broken is None and not any(self.ended[name] for name in BAD)


def play(seed: int) -> Outcome:
    """Play one schedule."""
    stage = Stage(seed, WEDNESDAY_NOON)
    town = Town(stage, seed)
    watch = Watch(town)
    town.crossing.on_step = watch.look
    _write_script(town, watch)
    outcome = Outcome(seed, counts=stage.counts)
    try:
        stage.play(stage.start + timedelta(hours=FAULT_HOURS + CALM_HOURS + 1))
        watch.look()
        outcome.ended = settle_accounts(town)
    except InvariantError as error:
        outcome.broken = str(error)
        outcome.ended["doubled"] += "I1" in str(error)
    except Exception as error:  # noqa: BLE001 - what the product let through is a finding, with its seed
        outcome.broken = f"{type(error).__name__}: {error}"
    if outcome.broken is not None:
        outcome.ended["broken"] += 1
    outcome.digest = hashlib.sha256(repr(stage.trace).encode()).hexdigest()[:16]
    return outcome


def _write_script(town: Town, watch: Watch) -> None:
    stage, rng = town.stage, town.stage.rng
    busy_hour = rng.uniform(0, 6)
    for _ in range(ORDERS):
        person = NEWCOMER if rng.random() < 0.2 else rng.choice(KNOWN)
        stage.after(_customer(town, person), hours=busy_hour + rng.uniform(0, 1.5))
    for hour in range(0, FAULT_HOURS, 2):
        stage.after(partial(_turn_bad, town), hours=hour)
    stage.after(partial(_calm_down, town), hours=FAULT_HOURS)
    if rng.random() < RESTORED_SHARE:
        plan_restore(town, watch, rng)
    for tick in range((FAULT_HOURS + CALM_HOURS) * 60 // TICK_MINUTES):
        stage.after(partial(_tick, town), minutes=tick * TICK_MINUTES)
    for _ in range(rng.randrange(10)):
        stage.after(_actor(town, "person", at_the_desk), hours=rng.uniform(0, LAST_DEED_HOURS))
    if rng.random() < QUICK_STAFF_SHARE:
        last_look = stage.start + timedelta(hours=FAULT_HOURS)
        stage.after(partial(who_is_quick, town, rng, last_look), hours=busy_hour)
    for _ in range(rng.randrange(3)):
        stage.after(partial(in_nextech, town, rng), hours=rng.uniform(0.5, 40))


def _customer(town: Town, person: Person) -> Callable[[], None]:
    def act() -> None:
        place_order(town, person, town.stage.rng)

    return act


def _actor(town: Town, name: str, work: Callable[[Town, random.Random], None]) -> Callable[[], None]:
    return lambda: town.stage.begin(name, lambda: work(town, town.stage.rng))


def _turn_bad(town: Town) -> None:
    """Draw anew what goes wrong for the next hours, and how often."""
    rng = town.stage.rng
    _heal(town)
    share = rng.choice((0.1, 0.3, 0.6))
    for route in (PAY, PATIENTS):
        effects = rng.sample(POST_EFFECTS, 4)
        for effect in effects:
            late = rng.choice(LATE_SECONDS) if effect is Effect.EXECUTED_LATE else 0
            fault = Fault(effect, method="POST", route=route, probability=share / len(effects), after_seconds=late)
            town.nextech.faults.plant(fault)
    for route in (PAYMENTS, PATIENTS):
        effects = rng.sample(GET_EFFECTS, 3)
        for effect in effects:
            town.nextech.faults.plant(Fault(effect, method="GET", route=route, probability=share / 6))
    for store_effect in rng.sample(STORE_EFFECTS, 2):
        fault_of_store = StoreFault(effect=store_effect, probability=share / 6, is_executed=rng.random() < 0.5)
        town.shop.faults.add(fault_of_store, town.stage.clock.now())
    delay = rng.choice((0.0, 0.0, 5.0, 120.0, 900.0))
    town.nextech.switches = replace(town.nextech.switches, read_delay_seconds=delay)
    town.crossing.fate = Fate(
        kill=rng.choice((0.0, 0.003, 0.02)),
        freeze=rng.choice((0.0, 0.003, 0.02)),
        pause=rng.choice((0.0, 0.2)),
        lost_commit=rng.choice((0.0, 0.01, 0.05)),
        failed_commit=rng.choice((0.0, 0.01)),
        latency_seconds=rng.choice((0.2, 2.0)),
    )


def _heal(town: Town) -> None:
    for fault in town.nextech.faults.faults:
        town.stage.counts[f"fault {fault.method} {fault.effect}"] += fault.struck
    town.nextech.faults.clear()
    town.shop.faults.clear()


def _calm_down(town: Town) -> None:
    _heal(town)
    town.nextech.switches = replace(town.nextech.switches, read_delay_seconds=0.0)
    town.crossing.fate = Fate()


def _tick(town: Town) -> None:
    """Begin the scheduled run, and often a second one beside it; where nothing is to be done, time jumps on."""
    rng = town.stage.rng
    is_second = rng.random() < 0.35
    if not has_work(town):
        town.stage.counts["idle ticks"] += 1
        return
    town.stage.begin("run", partial(_run, town))
    if is_second and town.stage.clock.now() < town.stage.start + timedelta(hours=FAULT_HOURS):
        town.stage.after(
            lambda: town.stage.begin("run", partial(_run, town)), seconds=rng.choice((0.0, 1.0, 5.0, 60.0)) * rng.random()
        )


def has_work(town: Town) -> bool:
    """Say whether a run could find anything: an order under way, a status to write, or news in the store."""
    now = town.stage.clock.now()
    [(is_open,)] = town.rows(
        "SELECT EXISTS (SELECT 1 FROM orders WHERE state IN ('received', 'matched', 'intent', 'unknown', 'creating')"
        " AND (not_before IS NULL OR not_before <= ?))"
        " OR EXISTS (SELECT 1 FROM status_outbox WHERE sent_at IS NULL)"
        " OR EXISTS (SELECT 1 FROM payments p JOIN orders o ON o.id = p.order_id"
        " WHERE o.state = 'confirmed' AND p.verified_at IS NULL)"
        " OR EXISTS (SELECT 1 FROM orders"
        " WHERE failed_at IS NOT NULL AND (handed_out_at IS NULL OR handed_out_at < failed_at))",
        f"{now + timedelta(minutes=TICK_MINUTES):%Y-%m-%d %H:%M:%S.%f}",
    )
    if is_open or now in [town.stage.start + timedelta(hours=hours) for hours in DAILY_LOOKS]:
        return True
    seen = dict(town.rows("SELECT entity_id, store_updated_at FROM orders"))
    return any(
        entity_id not in seen or str(seen[entity_id])[:19] != str(placed.record.row["updated_at"])[:19]
        for entity_id, placed in town.placed.items()
    )


def _run(town: Town) -> None:
    """Take the four steps as one run of the DAG does, each with its own process's clients, then the orders that failed."""
    desk = town.take_desk()
    actor = town.stage.current
    assert actor is not None
    number = town.stage.counts["runs"] = town.stage.counts["runs"] + 1
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("extract", lambda: extract_orders(desk, holder=f"run {number}")),
        ("match", lambda: match_patients(desk)),
        ("post", lambda: post_payments(desk)),
        ("mark", lambda: mark_status(desk)),
        ("rerun", lambda: _hand_out(town)),
    )
    try:
        for name, step in steps:
            actor.step = name
            try:
                step()
            except (OrderSyncError, OperationalError) as error:
                town.stage.note(f"{name} failed: {type(error).__name__}")
    finally:
        town.give_back(desk, actor)


def _hand_out(town: Town) -> None:
    """Give every order that failed a try of its own, as the DAG does."""
    desk = town.take_desk()
    try:
        with town.ledger.transaction() as tx:
            failed = failed_orders(tx, PRACTICE_ID)
            mark_handed_out(tx, [row.id for row in failed])
        for row in failed:
            try:
                sync_order(desk, row.number)
            except (OrderNotSyncedError, OrderSyncError, OperationalError) as error:
                town.stage.note(f"rerun ended: {type(error).__name__}")
    finally:
        town.give_back(desk, town.stage.current)
