"""The audit page: who looked at or did what, for who may act; found by order, person, deed and day."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from order_sync.ledger.audit import Action, record_action
from order_sync.web.audit_page import ACTION_WORDS
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of
from tests.integration.web.grounds import closed_to
from tests.worlds import SmallWorld


@pytest.fixture
def four_house(four: SmallWorld) -> SmallHouse:
    return SmallHouse(four)


@pytest.fixture
def desk(four_house: SmallHouse) -> TestClient:
    """A trail of two days: each order was looked at on Wednesday by two people, and one was dismissed on Thursday."""
    world = four_house.world
    world.run()
    orders = world.orders()
    with world.ledger.transaction() as tx:
        for order in orders:
            for actor in ("front.desk", "billing"):
                record_action(tx, Action.PATIENT_VIEWED, actor=actor, practice_id="eastern", order_id=order.id)
        record_action(tx, Action.EXPORTED, actor="billing", practice_id="central", detail="<script>alert(1)</script>")
    world.clock.advance(minutes=24 * 60)
    with world.ledger.transaction() as tx:
        record_action(tx, Action.DISMISSED, actor="billing", practice_id="eastern", order_id=orders[0].id, detail="test order")
    return browser_of(four_house)


def rows_of(page_text: str) -> list[str]:
    return re.findall(r"<tr><th scope=\"row\".*</tr>", page_text)


def test_the_latest_comes_first_with_its_order_and_the_time_of_the_practice(desk: TestClient, four_house: SmallHouse):
    shown = desk.get("/audit")
    assert shown.status_code == 200
    first, *rest = rows_of(shown.text)
    assert len(rest) == 9
    order = four_house.world.orders()[0]
    for part in (
        "Nov 19, 2026, 12:",
        "billing",
        "dismissed the order",
        f'href="/orders/{order.id}">{order.number}<',
        "test order",
    ):
        assert part in first


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=front.desk", 4),
        ("actor=billing&day=2026-11-18", 5),
        ("day=2026-11-19", 1),
        ("action=exported", 1),
        ("actor=nobody", 0),
        ("number=999", 0),
        ("day=2026-11-17", 0),
    ],
)
def test_the_trail_is_narrowed_by_person_deed_and_day(desk: TestClient, query: str, count: int):
    assert len(rows_of(desk.get(f"/audit?{query}").text)) == count


def test_all_about_one_order_is_found_by_its_number(desk: TestClient, four_house: SmallHouse):
    number = four_house.world.orders()[0].number
    assert len(rows_of(desk.get("/audit", params={"number": f"#{number}"}).text)) == 3


@pytest.mark.parametrize("query", ["day=yesterday", "day=0001-01-01", "day=9999-12-31", "action=stolen", "number=%00"])
def test_what_cannot_be_read_is_refused_in_words(desk: TestClient, query: str):
    answer = desk.get(f"/audit?{query}")
    assert answer.status_code == 400
    assert "That cannot be read" in answer.text


def test_a_long_trail_is_read_page_by_page_forwards_and_back(desk: TestClient, four_house: SmallHouse):
    with four_house.world.ledger.transaction() as tx:
        for place in range(240):
            record_action(tx, Action.NOTED, actor="front.desk", practice_id="eastern", detail=f"case {place}.")
    seen: list[str] = []
    path: str | None = "/audit?action=noted"
    pages = []
    while path:
        text = desk.get(path).text
        pages.append(rows_of(text))
        seen += rows_of(text)
        further = re.search(r'rel="next" href="([^"]+)"', text)
        path = further[1].replace("&amp;", "&") if further else None
    assert len(pages) == 3
    assert [re.search(r"case (\d+)\.", row)[1] for row in seen] == [str(place) for place in reversed(range(240))]
    back = re.search(r'rel="prev" href="([^"]+)"', text)
    assert rows_of(desk.get(back[1].replace("&amp;", "&")).text) == pages[1]


def test_hostile_text_stays_text(desk: TestClient):
    assert "<script>alert" not in desk.get("/audit").text


def test_who_may_only_look_does_not_see_the_trail(desk: TestClient, four_house: SmallHouse):
    assert desk.get("/health").text.count('href="/audit"') == 1
    viewer = browser_of(four_house, LOOKER.login)
    assert viewer.get("/audit").status_code == 403
    assert 'href="/audit"' not in viewer.get("/health").text


def test_the_trail_of_a_closed_practice_is_not_shown(desk: TestClient, four_house: SmallHouse):
    closed_to(four_house, ACTOR.login)
    shown = desk.get("/audit").text
    assert "Nothing is in the trail yet." in shown
    number = four_house.world.orders()[0].number
    assert rows_of(desk.get("/audit", params={"number": number}).text) == []


def test_everything_that_is_written_down_has_words():
    assert set(ACTION_WORDS) == set(Action)
