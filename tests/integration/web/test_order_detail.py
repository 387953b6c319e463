"""One order's page: what it shows of the ledger and of both systems, to whom, and how it waits for the sync."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from order_sync.desk import Desk
from order_sync.errors import OrderNotSyncedError, SettingsError
from order_sync.ledger.audit import audit_of_order
from order_sync.ledger.cases import open_cases_of, order_cause
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import choose_patient
from order_sync.retries import retry
from order_sync.statuses import OrderState
from order_sync.web.house import TaskLink
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of, form_token_in
from tests.integration.web.grounds import two_days
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def browser(house: SmallHouse) -> TestClient:
    return browser_of(house)


@pytest.fixture
def posted(world: SmallWorld) -> SmallWorld:
    """One order that was posted."""
    world.add_chart(ORA)
    world.place(ORA.buyer())
    world.run_after(minutes=(0, 15))
    assert world.order().state is OrderState.CONFIRMED
    return world


@pytest.fixture
def twice(world: SmallWorld) -> SmallWorld:
    """One order with two equal charts: a person has to pick."""
    world.add_chart(ORA, "one")
    world.add_chart(ORA, "two")
    world.place(ORA.buyer())
    world.run()
    assert world.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    return world


def text_of(page: str) -> str:
    """Return what a reader sees, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_posted_order_shows_its_payment_its_attempt_and_its_history(posted: SmallWorld, browser: TestClient) -> None:
    shown = browser.get(f"/orders/{posted.order().id}")
    payment = posted.payment()
    text = text_of(shown.text)
    assert shown.status_code == 200
    assert f"Payment id {payment.payment_id}" in text
    assert f"Marker {payment.marker}" in text
    assert "Date Wednesday, November 18, 2026" in text
    assert "Next step Create bill." in text
    assert "Payment Booked" in text
    history = text.partition("History")[2]
    assert history.index("Posted") < history.index("Being posted") < history.index("Patient known") < history.index("Due")
    assert "by the sync" in history
    assert "Synced told Nov 18" in text


def test_who_may_act_sees_the_patient_and_what_was_bought_and_the_look_is_written_down(
    posted: SmallWorld, browser: TestClient
) -> None:
    order = posted.order()
    before = browser.get(f"/orders/{order.id}").text
    assert "Castellan" not in before
    assert f'data-live="/orders/{order.id}/live"' in before
    for path in (f"/orders/{order.id}/live", f"/orders/{order.id}?live=1"):
        text = text_of(browser.get(path).text)
        assert re.search(r"Ora Castellan ?, chart 1\d{6}", text), path
        assert "Mineral Sunscreen" in text, path
    with posted.ledger.transaction() as tx:
        looks = audit_of_order(tx, order.id)
    assert [(look.actor, look.action) for look in looks] == [(ACTOR.login, "patient_viewed")] * 2
    assert "front.desk saw the patient" in browser.get(f"/orders/{order.id}").text


def test_who_may_only_look_sees_what_was_bought_and_that_the_patient_is_hidden(posted: SmallWorld, house: SmallHouse) -> None:
    order, viewer = posted.order(), browser_of(house, LOOKER.login)
    seen = viewer.get(f"/orders/{order.id}/live").text + viewer.get(f"/orders/{order.id}?live=1").text
    assert "Mineral Sunscreen" in seen
    assert "Hidden" in seen
    assert "Castellan" not in seen
    assert order.patient_id not in seen
    with posted.ledger.transaction() as tx:
        assert audit_of_order(tx, order.id) == []


def test_a_looker_is_offered_no_action(twice: SmallWorld, house: SmallHouse) -> None:
    path = f"/orders/{twice.order().id}"
    assert f'href="{path}/resolve"' in browser_of(house).get(path).text
    seen = browser_of(house, LOOKER.login).get(path).text
    assert "Pick the right patient" in seen
    assert f"{path}/" not in seen.replace(f"{path}/live", "")
    assert "<form" not in seen


@pytest.mark.parametrize("system", ["nextech", "store"])
def test_a_system_that_does_not_answer_costs_its_half_alone(posted: SmallWorld, browser: TestClient, system: str) -> None:
    order_id = posted.order().id
    if system == "nextech":
        posted.plant(Effect.UNAVAILABLE, method="GET", route="/Patient", remaining=None)
    else:
        posted.plant_in_store(StoreEffect.BAD_GATEWAY)
    shown = browser.get(f"/orders/{order_id}?live=1")
    text = text_of(shown.text)
    assert shown.status_code == 200
    assert f"Marker {posted.payment().marker}" in text
    if system == "nextech":
        assert "Nextech does not answer; try again." in text
        assert "Mineral Sunscreen" in text
    else:
        assert "The store does not answer; try again." in text
        assert "Ora Castellan" in text


@dataclass
class UnreadySmallHouse(SmallHouse):
    """A house whose desk cannot be opened."""

    @contextmanager
    def open_desk(self, practice_id: str) -> Iterator[Desk]:
        msg = f"connection store_{practice_id}: there is none"
        raise SettingsError(msg)
        yield


def test_a_setting_that_is_wrong_breaks_no_page(posted: SmallWorld) -> None:
    browser = browser_of(UnreadySmallHouse(posted))
    shown = browser.get(f"/orders/{posted.order().id}?live=1")
    assert shown.status_code == 200
    assert "Connection store_eastern: there is none." in shown.text


@pytest.mark.parametrize("number", ["0", "999999", "9223372036854775808", "-1", "abc", "1e3", "%00"])
@pytest.mark.parametrize("tail", ["", "/live"])
def test_an_order_that_is_not_there_is_not_found(browser: TestClient, number: str, tail: str) -> None:
    assert browser.get(f"/orders/{number}{tail}").status_code == 404


def test_an_order_of_a_closed_practice_looks_like_none(posted: SmallWorld, house: SmallHouse) -> None:
    order_id = posted.order().id
    house.all_practices["eastern"] = house.all_practices["eastern"].model_copy(update={"staff": ("somebody.else",)})
    browser = browser_of(house)
    for path in (f"/orders/{order_id}", f"/orders/{order_id}/live", f"/orders/{order_id}?live=1"):
        refused, missing = browser.get(path), browser.get(path.replace(str(order_id), "999999"))
        assert (refused.status_code, refused.text) == (404, missing.text)


def test_after_a_send_the_page_looks_again_until_the_sync_has_ended(twice: SmallWorld, browser: TestClient) -> None:
    order = twice.order()
    choose_patient(twice.desk(), order.id, twice.charts()[0].patient_id, actor=ACTOR.login)
    waits = browser.get(f"/orders/{order.id}?sent=1").text
    assert "The sync is at work" in waits
    assert f'<noscript><meta http-equiv="refresh" content="5; url=/orders/{order.id}?sent=2" />' in waits
    assert f'data-again="/orders/{order.id}?sent=2"' in waits
    given_up = browser.get(f"/orders/{order.id}?sent=36").text
    assert "in 15 minutes at most" in given_up
    assert "data-again" not in given_up
    twice.run_after(minutes=(15,))
    done = browser.get(f"/orders/{order.id}?sent=7").text
    assert "Done: the order is Synced." in done
    assert "refresh" not in done
    assert "picked by front.desk" in done


def test_a_send_that_nextech_refuses_ends_with_the_reason(twice: SmallWorld, browser: TestClient) -> None:
    order = twice.order()
    choose_patient(twice.desk(), order.id, twice.charts()[0].patient_id, actor=ACTOR.login)
    twice.plant(Effect.REJECTED, remaining=None)
    twice.run()
    shown = text_of(browser.get(f"/orders/{order.id}?sent=3").text)
    assert "Not Synced: Nextech refuses the payment" in shown


def test_an_order_that_is_to_be_tried_again_is_waited_for_though_it_is_still_in_the_queue(
    twice: SmallWorld, browser: TestClient
) -> None:
    order = twice.order()
    assert "Not Synced: Duplicated customer" in text_of(browser.get(f"/orders/{order.id}?sent=1").text)
    retry(twice.ledger, order.id, actor=ACTOR.login)
    assert "The sync is at work" in browser.get(f"/orders/{order.id}?sent=1").text
    twice.clock.advance(minutes=1)
    with pytest.raises(OrderNotSyncedError):
        sync_order(twice.desk(), order.number)
    assert "Not Synced: Duplicated customer" in text_of(browser.get(f"/orders/{order.id}?sent=2").text)


@pytest.mark.parametrize("query", ["sent=", "sent=-1", "sent=x", "sent=²", "sent=99999", "sent=0", "done=x", "live=", "x=1"])
def test_an_address_that_says_nothing_shows_the_order_as_it_is(posted: SmallWorld, browser: TestClient, query: str) -> None:
    shown = browser.get(f"/orders/{posted.order().id}?{query}")
    assert shown.status_code == 200
    assert 'class="notice' not in shown.text
    assert "data-again" not in shown.text


def test_a_run_that_could_not_be_started_is_said(posted: SmallWorld, browser: TestClient) -> None:
    assert "in 15 minutes at most" in browser.get(f"/orders/{posted.order().id}?sent=later").text


def test_the_page_leads_to_the_tasks_in_airflow(posted: SmallWorld) -> None:
    links = (TaskLink("post_payments, 2026-11-18 12:00", "/dags/sync_orders/runs/x/tasks/y"),)
    shown = browser_of(SmallHouse(posted, links=links)).get(f"/orders/{posted.order().id}").text
    assert f'<a href="{links[0].href}" data-airflow>{links[0].text}</a>' in shown


def test_the_page_leads_to_what_the_reports_say_of_the_order(four: SmallWorld) -> None:
    reported = two_days(four)
    browser = browser_of(reported.house)
    shown = browser.get(f"/orders/{four.order(reported.voided_number).id}").text
    links = re.findall(r'<a href="(/reports/[^"]+)">([^<]+)</a>', shown)
    assert "Wednesday, November 18, 2026" in {words for _, words in links}
    for link, _ in links:
        assert browser.get(link).status_code == 200, link


def test_hostile_texts_stay_texts(world: SmallWorld, browser: TestClient) -> None:
    evil = Person(EASTERN, 72, "Zoe", "Hostile")
    world.add_chart(evil, "one", last=HOSTILE)
    world.place(evil.buyer(last=HOSTILE), product_names=(f"{HOSTILE} Sunscreen",))
    world.run_after(minutes=(0, 15))
    order = world.order()
    with world.ledger.transaction() as tx:
        for case in open_cases_of(tx, [order_cause(order.id)]):
            case.note, case.noted_by, case.assignee = HOSTILE, HOSTILE, HOSTILE
    shown = browser.get(f"/orders/{order.id}?live=1").text + browser.get(f"/orders/{order.id}/live").text
    assert HOSTILE not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Sunscreen" in shown


def test_links_keep_to_where_the_pages_are_mounted(twice: SmallWorld, house: SmallHouse) -> None:
    browser = browser_of(house)
    mounted = TestClient(browser.app, root_path="/sub/orders-app", headers=dict(browser.headers))
    text = mounted.get(f"/orders/{twice.order().id}?sent=1").text
    links = [urlsplit(link).path for link in re.findall(r'(?:href|action|src|data-live|data-again)="([^"#]+)"', text)]
    assert len(links) > 10
    assert all(not link or link.startswith("/sub/orders-app/") for link in links)


# -- a decision that is used again


@pytest.fixture
def picked(twice: SmallWorld) -> SmallWorld:
    """A person has picked the patient, and the choice is remembered."""
    choose_patient(twice.desk(), twice.order().id, twice.charts()[0].patient_id, actor="dana")
    twice.run_after(minutes=(15,))
    return twice


def forget(browser: TestClient, order_id: int, shown: str) -> str:
    choice = re.search(r'name="choice" value="(\d+)"', shown)
    assert choice
    form = {"form_token": form_token_in(shown), "choice": choice[1]}
    return browser.post(f"/orders/{order_id}/forget", data=form).headers["location"]


def test_a_remembered_choice_is_shown_and_can_be_forgotten_once(picked: SmallWorld, browser: TestClient) -> None:
    order_id = picked.order().id
    shown = browser.get(f"/orders/{order_id}").text
    assert "dana decided on Nov 18, 2026" in shown
    assert forget(browser, order_id, shown) == f"/orders/{order_id}?done=forgotten"
    assert "matched anew" in browser.get(f"/orders/{order_id}?done=forgotten").text
    assert forget(browser, order_id, shown) == f"/orders/{order_id}?done=not-forgotten"
    assert "dana decided" not in browser.get(f"/orders/{order_id}").text
    with picked.ledger.transaction() as tx:
        deeds = [row.action for row in audit_of_order(tx, order_id) if row.actor == ACTOR.login]
    assert deeds == ["choice_forgotten"]
    picked.place(ORA.buyer())
    picked.run()
    assert picked.open_reasons() == [Reason.DUPLICATED_CUSTOMER]


def test_a_choice_for_another_customer_is_left_alone(picked: SmallWorld, browser: TestClient) -> None:
    other = Person(EASTERN, 73, "Paul", "Sander")
    picked.add_chart(other)
    record = picked.place(other.buyer())
    picked.run()
    shown = browser.get(f"/orders/{picked.orders()[0].id}").text
    order_id = picked.order(record.number).id
    assert forget(browser, order_id, shown) == f"/orders/{order_id}?done=not-forgotten"
    assert "dana decided" in browser.get(f"/orders/{picked.orders()[0].id}").text


def test_a_looker_sees_the_choice_and_cannot_forget_it(picked: SmallWorld, house: SmallHouse) -> None:
    viewer, order_id = browser_of(house, LOOKER.login), picked.order().id
    shown = viewer.get(f"/orders/{order_id}").text
    assert "dana decided" in shown
    assert "<form" not in shown
    assert viewer.post(f"/orders/{order_id}/forget", data={"choice": "1"}).status_code == 403
    assert viewer.get(f"/orders/{order_id}/forget").status_code == 403
    assert browser_of(house).get(f"/orders/{order_id}/forget").headers["location"] == f"/orders/{order_id}"
