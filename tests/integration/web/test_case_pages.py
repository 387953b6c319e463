"""One case of the queue: who does it and when, what is noted, and how it ends."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from order_sync.ledger.cases import open_case, practice_cause
from order_sync.ledger.models import CaseRow
from order_sync.queue import note_case
from order_sync.reasons import Reason
from order_sync.refund_debt import settle_refunds
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.store.refunds import refund
from tests.houses import ACTOR, SmallHouse, browser_of, form_token_in
from tests.integration.web.filling import deeds_of, submit
from tests.integration.web.queued import case_now, numbers_in, queue_order, three_cases

ORA = Person(EASTERN, 71, "Ora", "Castellan")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def browser(house: SmallHouse) -> TestClient:
    return browser_of(house)


@pytest.fixture
def three(house: SmallHouse) -> list[CaseRow]:
    return three_cases(house)


def test_a_case_is_taken_given_away_and_given_back(browser: TestClient, house: SmallHouse, three: list[CaseRow]) -> None:
    path = f"/queue/{three[0].id}"
    for login, kept in (("billing", "billing"), ("", None)):
        answer = submit(browser, path, f"{path}/assign", login=login)
        assert answer.status_code == 303
        assert case_now(house, three[0]).assignee == kept
    assert "nobody" in browser.get(answer.headers["location"]).text
    assert deeds_of(house.world) == [(ACTOR.login, "assigned")] * 2


def test_a_case_that_is_put_off_stands_below_the_others_until_then(
    browser: TestClient, house: SmallHouse, three: list[CaseRow]
) -> None:
    path = f"/queue/{three[0].id}"
    day = (house.clock.now() + timedelta(days=2)).date().isoformat()
    assert submit(browser, path, f"{path}/wait", until=day).status_code == 303
    shown = browser.get("/queue").text
    assert numbers_in(shown) == ["000000102", "000000201", "000000101"]
    assert "put off until" in shown
    assert numbers_in(browser.get("/queue?wait=without").text) == ["000000102", "000000201"]
    assert numbers_in(browser.get("/queue?wait=only").text) == ["000000101"]
    house.world.clock.advance(hours=72)
    assert numbers_in(browser.get("/queue").text)[0] == "000000101"
    assert submit(browser, path, f"{path}/wait", until="").status_code == 303


@pytest.mark.parametrize(("until", "status"), [("2020-01-01", 422), ("soon", 400), ("2026-02-30", 400)])
def test_a_day_that_is_none_puts_nothing_off(
    browser: TestClient, house: SmallHouse, three: list[CaseRow], until: str, status: int
) -> None:
    path = f"/queue/{three[0].id}"
    assert submit(browser, path, f"{path}/wait", until=until).status_code == status
    assert case_now(house, three[0]).wait_until is None


def test_a_note_is_kept_and_shown_but_not_with_patient_data(browser: TestClient, house: SmallHouse) -> None:
    for key in ("one", "two"):
        house.world.add_chart(ORA, key)
    house.world.place(ORA.buyer())
    house.world.run()
    [case] = house.world.open_cases()
    path = f"/queue/{case.id}"
    kept = submit(browser, path, f"{path}/note", note=f"asked the store {HOSTILE}")
    assert kept.status_code == 303
    assert "asked the store" in browser.get("/queue").text
    assert HOSTILE not in browser.get("/queue").text
    for note in ("called Ora about it", "write to ora@mailbox.example", "(305) 555-0142"):
        refused = submit(browser, path, f"{path}/note", note=note)
        assert refused.status_code == 422
        assert "leave it out" in refused.text
        assert note in refused.text
    assert (case_now(house, case).note or "").startswith("asked the store")


def test_the_second_person_is_told_who_was_first(browser: TestClient, house: SmallHouse, three: list[CaseRow]) -> None:
    path = f"/queue/{three[0].id}"
    seen = browser.get(path).text
    submit(browser_of(house, "billing"), path, f"{path}/assign", login="billing")
    form = {"form_token": form_token_in(seen), "version": "0", "login": ACTOR.login}
    late = browser.post(f"{path}/assign", data=form)
    assert late.status_code == 409
    assert "somebody else was first: billing" in late.text
    assert case_now(house, three[0]).assignee == "billing"
    assert submit(browser, path, f"{path}/assign", login=ACTOR.login).status_code == 303


def test_an_unknown_outcome_shows_the_marker_to_look_for(browser: TestClient, house: SmallHouse) -> None:
    case = queue_order(house.ledger, Reason.OUTCOME_UNKNOWN, number="000000301")
    assert "Nothing was planned" in browser.get(f"/queue/{case.id}").text


def test_a_practices_trouble_can_be_dismissed_with_a_reason(browser: TestClient, house: SmallHouse) -> None:
    with house.ledger.transaction() as tx:
        reason = Reason.SETTINGS_WRONG
        case_id = open_case(tx, practice_id="eastern", cause=practice_cause("eastern", reason), reason=reason)
    path = f"/queue/{case_id}"
    assert submit(browser, path, f"{path}/dismiss", why="because").status_code == 422
    done = submit(browser, path, f"{path}/dismiss", why="it is over")
    shown = browser.get(done.headers["location"]).text
    assert "Closed by front.desk" in shown
    assert 'action="/queue' not in shown


def test_a_case_that_does_not_exist_is_said(browser: TestClient) -> None:
    for case_id in (0, 999_999, 10**30):
        assert browser.get(f"/queue/{case_id}").status_code == 404


def test_the_address_of_a_form_leads_back(browser: TestClient, three: list[CaseRow]) -> None:
    assert browser.get(f"/queue/{three[0].id}/note").headers["location"] == f"/queue/{three[0].id}"
    assert browser.get("/queue/assign").headers["location"] == "/queue"
    assert browser.get("/queue/retry").headers["location"] == "/queue"
    assert browser.get(f"/queue/{three[0].id}/nonsense").status_code == 404


def test_a_refund_is_tied_to_the_entry_that_a_person_names(house: SmallHouse) -> None:
    world, browser = house.world, browser_of(house)
    world.add_chart(ORA)
    record = world.place(ORA.buyer())
    world.run_after(minutes=(0, 15))
    refund(world.shop, record.entity_id, adjustment=10)
    world.run_after(minutes=(15,))
    entry = world.staff("refund", patient_id=ORA.chart().patient_id, amount_cents=1_000, business_day="2026-11-10")
    settle_refunds(world.desk(), holder="a test")
    [case] = world.open_cases()
    path = f"/queue/{case.id}"
    shown = browser.get(path).text
    assert f"Payment <b>{entry}</b> in Nextech may be it" in shown
    assert world.payment().marker in shown
    refused = submit(browser, path, f"{path}/refund", payment_id="999999")
    assert refused.status_code == 422
    done = submit(browser, path, f"{path}/refund", payment_id=entry)
    assert "it records the refund" in browser.get(done.headers["location"]).text
    assert world.open_cases() == []


def test_a_note_that_another_one_has_replaced_is_not_lost(browser: TestClient, house: SmallHouse) -> None:
    house.world.add_chart(ORA, "one")
    house.world.add_chart(ORA, "two")
    house.world.place(ORA.buyer())
    house.world.run()
    [case] = house.world.open_cases()
    seen = browser.get(f"/queue/{case.id}").text
    note_case(house.world.desk(), case.id, text="first", actor="billing", version=case.version)
    form = {"form_token": form_token_in(seen), "version": str(case.version), "note": "second"}
    late = browser.post(f"/queue/{case.id}/note", data=form)
    assert late.status_code == 409
    assert 'value="second"' in late.text
    assert "“first”" in late.text
