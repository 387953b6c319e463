"""The queue: what is listed, where, and what is done with many cases at once."""

import re

import pytest
from fastapi.testclient import TestClient

from order_sync.ledger.cases import open_case, practice_cause
from order_sync.ledger.models import CaseRow
from order_sync.reasons import Reason
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of, form_token_in
from tests.integration.web.filling import deeds_of, submit
from tests.integration.web.grounds import closed_to
from tests.integration.web.queued import case_now, numbers_in, queue_order, three_cases

ORA = Person(EASTERN, 71, "Ora", "Castellan")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def browser(house: SmallHouse) -> TestClient:
    return browser_of(house)


@pytest.fixture
def three(house: SmallHouse) -> list[CaseRow]:
    return three_cases(house)


def tick(house: SmallHouse, *cases: CaseRow) -> list[str]:
    return [f"{case.id}:{case_now(house, case).version}" for case in cases]


def bulk(browser: TestClient, deed: str, ticked: list[str], **fields: str) -> str:
    token = form_token_in(browser.get("/queue").text)
    answer = browser.post(f"/queue/{deed}", data={"form_token": token, "case": ticked, **fields})
    assert answer.status_code == 200, answer.text
    return answer.text


# -- the list


def test_the_oldest_stands_first_or_the_largest(browser: TestClient, three: list[CaseRow]) -> None:
    assert numbers_in(browser.get("/queue").text) == ["000000101", "000000102", "000000201"]
    assert numbers_in(browser.get("/queue?sort=largest").text) == ["000000102", "000000201", "000000101"]
    shown = browser.get("/queue").text
    assert "$999.00" in shown
    assert "3 h" in shown
    assert f'href="/orders/{three[0].order_id}/resolve"' in shown


def test_the_filters_narrow_the_list_and_the_address_tells_them(
    browser: TestClient, house: SmallHouse, three: list[CaseRow]
) -> None:
    submit(browser, f"/queue/{three[0].id}", f"/queue/{three[0].id}/assign", login=ACTOR.login)
    assert numbers_in(browser.get("/queue?practice=central").text) == ["000000201"]
    assert numbers_in(browser.get("/queue?reason=name_differs").text) == ["000000101", "000000201"]
    assert numbers_in(browser.get("/queue?whose=mine").text) == ["000000101"]
    assert numbers_in(browser.get("/queue?whose=nobody").text) == ["000000102", "000000201"]
    assert numbers_in(browser_of(house, "billing").get("/queue?whose=mine").text) == []
    assert "No case fits" in browser.get("/queue?reason=patient_gone").text
    kept = browser.get("/queue?whose=nobody&sort=largest").text
    assert 'href="/queue?reason=name_differs&amp;whose=nobody&amp;sort=largest"' in kept


def test_the_counts_are_of_what_the_other_filters_show(browser: TestClient, three: list[CaseRow]) -> None:
    assert len(three) == 3
    shown = browser.get("/queue?practice=eastern").text
    assert re.search(r"Name differs <b>1</b>", shown)
    assert re.search(r"All <b>2</b>", shown)


@pytest.mark.parametrize("query", [f"reason={HOSTILE}", f"practice={HOSTILE}", "sort=x", "whose=%00", "wait=1", "x=1"])
def test_what_an_address_asks_for_that_does_not_exist_is_passed_over(
    browser: TestClient, three: list[CaseRow], query: str
) -> None:
    answer = browser.get(f"/queue?{query}")
    assert answer.status_code == 200
    assert len(numbers_in(answer.text)) == len(three)
    assert HOSTILE not in answer.text


def test_a_place_in_the_list_that_is_none_leads_to_the_first_page(browser: TestClient) -> None:
    answer = browser.get("/queue?cursor=AAAA")
    assert answer.status_code in (400, 422)
    assert "start again at the first page" in answer.text


def test_a_long_queue_is_read_page_by_page_both_ways(browser: TestClient, house: SmallHouse) -> None:
    for number in range(60):
        queue_order(house.ledger, number=f"{number:09}")
    first = browser.get("/queue").text
    [onward] = re.findall(r'rel="next" href="([^"]*)"', first)
    second = browser.get(onward.replace("&amp;", "&")).text
    assert len(numbers_in(first)) == 50
    assert len(numbers_in(second)) == 10
    [back] = re.findall(r'rel="prev" href="([^"]*)"', second)
    assert numbers_in(browser.get(back.replace("&amp;", "&")).text) == numbers_in(first)


def test_a_practice_in_trouble_stands_on_top(browser: TestClient, house: SmallHouse) -> None:
    with house.ledger.transaction() as tx:
        reason = Reason.LOGIN_REFUSED
        open_case(tx, practice_id="central", cause=practice_cause("central", reason), reason=reason, detail="Nextech")
    shown = browser.get("/queue").text
    assert re.search(r'class="notice bad".*Login refused: Nextech.*Renew the credentials', shown, re.DOTALL)


def test_nothing_of_a_closed_practice_is_shown_or_touched(browser: TestClient, house: SmallHouse, three: list[CaseRow]) -> None:
    token = form_token_in(browser.get("/queue").text)
    ticked = tick(house, *three)
    closed_to(house, ACTOR.login)
    assert numbers_in(browser.get("/queue").text) == []
    assert browser.get("/queue?practice=eastern").text.count("000000") == 0
    assert browser.get(f"/queue/{three[0].id}").status_code == 404
    form = {"form_token": token, "version": "0", "login": "x", "note": "x", "why": "x", "payment_id": "1"}
    for deed in ("assign", "note", "wait", "dismiss", "refund"):
        assert browser.post(f"/queue/{three[0].id}/{deed}", data=form).status_code == 404
    done = browser.post("/queue/assign", data={"form_token": token, "case": ticked, "login": "billing"})
    assert done.text.count("there is no such case") == 3
    assert [case_now(house, case).assignee for case in three] == [None] * 3


def test_who_may_only_look_sees_the_queue_and_no_form(house: SmallHouse, three: list[CaseRow]) -> None:
    viewer = browser_of(house, LOOKER.login)
    for path in ("/queue", f"/queue/{three[0].id}"):
        shown = viewer.get(path).text
        assert "000000101" in shown
        assert 'method="post"' not in shown
        assert 'type="checkbox"' not in shown
        assert "/resolve" not in shown
    for path in ("/queue/assign", "/queue/retry", f"/queue/{three[0].id}/note"):
        assert viewer.post(path, data={"case": "1:0", "version": "0"}).status_code == 403


def test_hostile_words_stay_text(browser: TestClient, house: SmallHouse) -> None:
    case = queue_order(house.ledger, number=f'"{HOSTILE}')
    with house.ledger.transaction() as tx:
        row = tx.session.get_one(CaseRow, case.id)
        row.sentence, row.note, row.noted_by, row.noted_at = f"Name differs: {HOSTILE}", HOSTILE, HOSTILE, tx.now
        row.assignee, row.next_step = HOSTILE, HOSTILE
    for path in ("/queue", f"/queue/{case.id}"):
        shown = browser.get(path)
        assert shown.status_code == 200
        assert HOSTILE not in shown.text


# -- many at once


def test_many_cases_are_assigned_and_each_says_what_became_of_it(
    browser: TestClient, house: SmallHouse, three: list[CaseRow]
) -> None:
    stale = tick(house, *three)
    submit(browser_of(house, "billing"), f"/queue/{three[1].id}", f"/queue/{three[1].id}/assign", login="billing")
    text = bulk(browser, "assign", stale, login=ACTOR.login, shown="?sort=largest")
    assert "2 of 3 cases done" in text
    assert "somebody else was first: billing" in text
    assert [case_now(house, case).assignee for case in three] == [ACTOR.login, "billing", ACTOR.login]
    assert numbers_in(text) == ["000000102", "000000201", "000000101"]


def test_many_orders_are_tried_again_and_the_sync_is_started_once(
    browser: TestClient, house: SmallHouse, three: list[CaseRow]
) -> None:
    with house.ledger.transaction() as tx:
        reason = Reason.LOGIN_REFUSED
        practice_case = open_case(tx, practice_id="eastern", cause=practice_cause("eastern", reason), reason=reason)
    ticked = [*tick(house, *three), f"{practice_case}:0", "999999:0"]
    text = bulk(browser, "retry", ticked)
    assert text.count("the next run takes it up") == 3
    assert "there is nothing that could be tried again" in text
    assert "there is no such case" in text
    assert house.started_by == [ACTOR.login]
    assert "The sync was started" in text


@pytest.mark.parametrize("ticked", [[], ["1"], ["1:x"], [HOSTILE], ["-1:0"], ["1:0", ""]])
def test_ticks_that_are_none_do_nothing(browser: TestClient, house: SmallHouse, ticked: list[str]) -> None:
    token = form_token_in(browser.get(f"/queue/{queue_order(house.ledger, number='1').id}").text)
    for deed in ("assign", "retry"):
        answer = browser.post(f"/queue/{deed}", data={"form_token": token, "case": ticked})
        assert answer.status_code == 400
        assert HOSTILE not in answer.text
    assert deeds_of(house.world) == []
