"""Many people press Send at the same moment: one of them decides, and everybody else is told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from httpx import Response

from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from tests.houses import SmallHouse, browser_of, form_token_in
from tests.integration.web.filling import deeds_of, version_in

ORA = Person(EASTERN, 71, "Ora", "Castellan")
PEOPLE = 12


def test_of_many_sends_at_once_one_takes_effect(house: SmallHouse) -> None:
    world = house.world
    for key in ("one", "two"):
        world.add_chart(ORA, key)
    world.place(ORA.buyer())
    world.run()
    path = f"/orders/{world.order().id}"
    browser = browser_of(house)
    shown = browser.get(f"{path}/resolve").text
    form = {"form_token": form_token_in(shown), "version": version_in(shown)}
    start = Barrier(PEOPLE)

    def send(number: int) -> Response:
        patient = ORA.chart(("one", "two")[number % 2]).patient_id
        start.wait(timeout=60)
        return browser.post(f"{path}/send", data={**form, "patient": patient})

    with ThreadPoolExecutor(PEOPLE) as people:
        answers = list(people.map(send, range(PEOPLE)))
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * (PEOPLE - 1)
    assert all("patient picked" in answer.text for answer in answers if answer.status_code == 409)
    assert [action for _, action in deeds_of(world)].count("patient_chosen") == 1
    assert len(house.started_by) == 1
    world.run()
    assert world.order().state is OrderState.CONFIRMED
    assert len(world.booked()) == 1
