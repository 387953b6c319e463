"""What the pages fetch of people, what staff search for and what they write into notes goes through us and stays nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from order_sync.choices import basket_of, choices_for, customer_of, patient_of
from order_sync.desk import Desk
from order_sync.errors import PermanentError
from order_sync.ledger.models import OrderRow
from order_sync.patient_lookup import PatientQuery, read_query, search_patients
from order_sync.queue import assign_case, note_case
from order_sync.reasons import Reason
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from tests.canaries.leaks import leaks
from tests.canaries.people import Canary
from tests.canaries.stage import Stage
from tests.worlds import PATIENTS

IN_TROUBLE: dict[str, Callable[[Stage], None]] = {
    "nothing is wrong": lambda _stage: None,
    "the store is out": lambda stage: stage.world.plant_in_store(StoreEffect.BAD_GATEWAY),
    "the store tells too much": lambda stage: stage.world.plant_in_store(StoreEffect.MASKED_500),
    "Nextech refuses the login": lambda stage: stage.world.switch(are_logins_refused=True),
    **{
        f"Nextech is {effect.value}": lambda stage, effect=effect: stage.world.plant(
            effect, method="GET", route=PATIENTS, remaining=None
        )
        for effect in (Effect.UNAVAILABLE, Effect.MALFORMED, Effect.REJECTED, Effect.SHIFTED_PAGE, Effect.FILTERS_IGNORED)
    },
}


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """Of two people each has two charts: each order waits for a person."""
    for person in stage.people[:2]:
        stage.know(person, "one")
        stage.know(person, "two")
        stage.buy(person)
    stage.run()
    assert stage.reasons == {Reason.DUPLICATED_CUSTOMER}
    return stage


def test_what_a_person_looks_at_stays_nowhere(waiting: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    for trouble in IN_TROUBLE.values():
        trouble(waiting)
        desk = waiting.desk()
        for order, person in zip(waiting.world.orders(), waiting.people, strict=False):
            look_at_everything(waiting, desk, order, person)
        waiting.world.heal()
        waiting.world.switch(are_logins_refused=False)
    assert sum("Choices(" in told for told in waiting.watch.told) == 2 * len(IN_TROUBLE)
    assert leaks(waiting, capsys, tmp_path) == []


def look_at_everything(stage: Stage, desk: Desk, order: OrderRow, person: Canary) -> None:
    order.patient_id = stage.world.charts()[0].patient_id
    stage.attempt(lambda: choices_for(desk, order))
    stage.attempt(lambda: customer_of(desk, order))
    stage.attempt(lambda: patient_of(desk, order))
    stage.attempt(lambda: basket_of(desk, order))
    chart = person.chart("one")
    for typed in (
        {"last": person.last, "first": person.first},
        {"email": person.email},
        {"phone": person.phone, "birth_date": person.born.isoformat()},
        {"chart_number": chart.chart_number},
        {"birth_date": f"born {person.born}", "last": person.last},
        {"email": person.last},
        {"chart_number": f"{person.last}!"},
    ):
        query = read_query(**typed)
        stage.attempt(lambda query=query: query)
        if isinstance(query, PatientQuery):
            stage.attempt(lambda query=query: search_patients(desk, order, query))


def test_a_note_about_a_person_stays_nowhere(waiting: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    desk, person = waiting.desk(), waiting.people[0]
    [case, _] = waiting.world.open_cases()
    for text in (
        f"{person.last} will call",
        f"ask {person.first}",
        f"write to {person.email}",
        f"call {person.phone}",
        f"born {person.born}",
        f"{person.born:%m/%d/%Y}",
        f"it is {person.email.partition('@')[0]}",
    ):
        waiting.attempt(lambda text=text: note_case(desk, case.id, text=text, actor="dana", version=case.version))
    waiting.world.plant_in_store(StoreEffect.MASKED_500)
    waiting.attempt(lambda: note_case(desk, case.id, text="called", actor="dana", version=case.version))
    waiting.attempt(
        lambda: assign_case(
            desk.ledger, desk.practice, case.id, assignee=f"{person.first} {person.last}", actor="dana", version=case.version
        )
    )
    assert waiting.world.open_cases()[0].note is None
    assert leaks(waiting, capsys, tmp_path) == []


def test_every_refusal_of_a_note_is_about_the_note(waiting: Stage):
    [case, _] = waiting.world.open_cases()
    with pytest.raises(PermanentError, match="leave it out"):
        note_case(waiting.desk(), case.id, text=waiting.people[0].last, actor="dana", version=case.version)
