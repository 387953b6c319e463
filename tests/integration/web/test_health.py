"""The health page: a sentence that says whether all is well, and what is late; for who may see the practice."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from order_sync.ledger.claims import count_unknown_outcome
from order_sync.ledger.deliveries import begin_delivery
from order_sync.ledger.report_models import LetterKind
from order_sync.trouble import note_good_run
from tests.houses import LOOKER, SmallHouse, browser_of
from tests.integration.web.grounds import closed_to
from tests.worlds import SmallWorld


@pytest.fixture
def four_house(four: SmallWorld) -> SmallHouse:
    return SmallHouse(four)


def only_eastern(house: SmallHouse) -> TestClient:
    """Return a viewer's browser on one practice: the others never ran."""
    house.all_practices = {"eastern": house.all_practices["eastern"]}
    return browser_of(house, LOOKER.login)


def run(world: SmallWorld) -> None:
    world.run()
    note_good_run(world.desk())


def test_a_practice_that_is_synced_is_well(four_house: SmallHouse):
    run(four_house.world)
    shown = only_eastern(four_house).get("/health")
    assert shown.status_code == 200
    assert "All is well with Biscayne Dermatology." in shown.text
    assert "under a minute ago" in shown.text
    assert 'aria-current="page">Health<' in shown.text


def test_practices_that_never_ran_are_late(four_house: SmallHouse):
    run(four_house.world)
    shown = browser_of(four_house, LOOKER.login).get("/health").text
    assert "The sync is late at Lakeshore Skin Center and Saguaro Dermatology: tell the data team." in shown
    assert shown.count("No run has gone through yet.") == 2


def test_orders_that_wait_too_long_are_named_and_linked(four_house: SmallHouse):
    world = four_house.world
    world.plant("failed", method="GET", route="/Patient", remaining=None)
    world.run()
    world.clock.advance(minutes=25)
    note_good_run(world.desk())
    shown = only_eastern(four_house).get("/health").text
    assert "The sync is late at Biscayne Dermatology: tell the data team." in shown
    assert "4 orders are overdue, the oldest for 25 min." in shown
    for order in world.orders():
        assert f'href="/orders/{order.id}">{order.number}<' in shown


def test_what_somebody_should_look_at_is_not_called_late(four_house: SmallHouse):
    world = four_house.world
    run(world)
    with world.ledger.transaction() as tx:
        begin_delivery(tx, practice_id="eastern", recipient="books@x.example", message_id="<1@x>", kind=LetterKind.ALARM)
        for _ in range(3):
            count_unknown_outcome(tx, "eastern", is_unknown=True)
    shown = only_eastern(four_house).get("/health").text
    assert "The sync is on time. Somebody should look at Biscayne Dermatology." in shown
    assert "1 letter did not leave." in shown
    assert "Posting is held back to one payment a run: 3 outcomes in a row were unclear." in shown
    assert "books@x.example" not in shown


def test_a_closed_practice_is_in_nobodys_health(four_house: SmallHouse):
    run(four_house.world)
    closed_to(four_house, LOOKER.login)
    shown = browser_of(four_house, LOOKER.login).get("/health").text
    assert "There is no practice that you may see." in shown
    assert "Biscayne" not in shown


def test_the_page_keeps_itself_fresh_with_a_script_of_its_own_and_no_refresh_that_moves_the_reader(four_house: SmallHouse):
    shown = only_eastern(four_house).get("/health").text
    assert 'data-refresh-seconds="60"' in shown
    assert "http-equiv" not in shown
    assert only_eastern(four_house).get("/static/refresh.js").status_code == 200
