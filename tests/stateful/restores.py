"""An older ledger is put back at any moment, as the runbook says: everything stops, the copy is put back, it is declared."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import OperationalError

from order_sync.errors import OrderSyncError
from order_sync.resolve import choose_patient
from order_sync.restores import declare_restore
from sandbox.demo.characters import Person
from sandbox.nextech.faults import Effect, Fault
from tests.stateful.invariants import Watch
from tests.stateful.page import LAST_DEED_HOURS
from tests.stateful.people import DANA
from tests.stateful.stage import Actor, Killed, Stage
from tests.stateful.town import KNOWN, NEWCOMER, Town, the_practice
from tests.worlds import PATIENTS, PAY

LATEST_HOURS = 14.0
"""After the begin: a day later the hold is over, and a schedule has some hours left to settle."""
LOOK_MINUTES = 5
LATE_SECONDS = (3_600, 7_200, 14_400)


def plan_restore(town: Town, watch: Watch, rng: random.Random) -> None:
    """Let a copy of the ledger be made, and be put back later, whatever is at work or under way then.

    Half of the restores come as soon as a booking is under way, which a moment drawn at random seldom meets.
    """
    is_drawn = rng.random() < 0.5
    copied = rng.uniform(0.0, LATEST_HOURS - 1 if is_drawn else 6.0)
    town.stage.after(town.back_up, hours=copied)
    if is_drawn:
        town.stage.after(partial(_put_back, town, watch), hours=rng.uniform(copied, LATEST_HOURS))
    else:
        route, late = rng.choice((PAY, PAY, PATIENTS)), rng.choice(LATE_SECONDS)
        fault = Fault(Effect.EXECUTED_LATE, method="POST", route=route, remaining=1, after_seconds=late)
        town.stage.after(partial(_put_back_when_one_is_under_way, town, watch, fault), hours=copied)
    if rng.random() < 0.5:
        town.stage.after(partial(_add_a_chart, town, rng.choice(KNOWN)), hours=LATEST_HOURS)
    for _ in range(3):
        town.stage.after(
            lambda: town.stage.begin("person", partial(_pick_the_other_chart, town)), hours=rng.uniform(copied, LAST_DEED_HOURS)
        )


def _put_back_when_one_is_under_way(town: Town, watch: Watch, fault: Fault) -> None:
    """Look again and again whether a booking is under way; `fault` lets the next one be late, also when others are cleared."""
    is_last_chance = town.stage.clock.now() > town.stage.start + timedelta(hours=LATEST_HOURS)
    if town.nextech.late_count() or is_last_chance:
        _put_back(town, watch)
        return
    if fault not in town.nextech.faults.faults:
        town.nextech.faults.faults.insert(0, fault)
    town.stage.after(partial(_put_back_when_one_is_under_way, town, watch, fault), minutes=LOOK_MINUTES)


def _put_back(town: Town, watch: Watch) -> None:
    for actor in list(town.stage.living):
        _kill(town.stage, actor)
    late = town.nextech.late_count()
    town.restore()
    watch.begin_again()
    declare_restore(town.ledger, the_practice(), actor=DANA)
    town.stage.note(f"an older ledger is restored{' while a booking is under way' if late else ''}")


def _kill(stage: Stage, actor: Actor) -> None:
    """End a process that waits, as SIGKILL does: what it has sent goes on, what it has not sent never leaves."""
    actor.is_dead = True
    stage.current = actor
    try:
        actor.greenlet.throw(Killed)
    except Killed:
        pass  # it had not begun
    finally:
        stage.current = None
        stage.living.discard(actor)


def _add_a_chart(town: Town, person: Person) -> None:
    """Let somebody have a second chart: an order of hers that is matched again waits for a person now."""
    if len(town.charts_of(person)) == 1:
        town.nextech.seed([person.chart("another chart", chart_number="E888888")])


def _pick_the_other_chart(town: Town) -> None:
    """Let a person, who remembers nothing either, send an order that was posted to one of two charts to the other one."""
    notes = [row.note for row in town.payments()]
    for order_id, number, entity_id in town.rows("SELECT id, number, entity_id FROM orders WHERE state = 'queued'"):
        person = town.placed[int(entity_id)].person
        others = [guid for guid in town.charts_of(person) if guid != town.owner_of(person)]
        if person is NEWCOMER or not others or not any(f"#{number} " in note for note in notes):
            continue
        desk = town.take_desk()
        try:
            choose_patient(desk, int(order_id), others[0], actor=DANA, remember=False)
            town.stage.note("page: the other chart is picked")
        except (OrderSyncError, OperationalError) as error:
            town.stage.note(f"page: the other chart answered {type(error).__name__}")
        finally:
            town.give_back(desk, town.stage.current)
