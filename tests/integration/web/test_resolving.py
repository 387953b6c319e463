"""Resolve: who may be meant is shown live and written down, and a Send takes effect once."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.models import OrderRow
from order_sync.reasons import Reason
from order_sync.resolve import choose_patient
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store import actions
from tests.houses import LOOKER, SmallHouse, browser_of, form_token_in
from tests.integration.web.grounds import closed_to
from tests.worlds import PATIENTS, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
NIL = Person(EASTERN, 72, "Nilo", "Fairweather")
HOSTILE = "<img src=x onerror=alert(1)>"


NILS_CHART = NIL.chart().patient_id


@pytest.fixture
def twice(house: SmallHouse) -> SmallHouse:
    """Two equal charts, so that a person has to pick; another one is somebody else's."""
    world = house.world
    world.add_chart(ORA, "one")
    world.add_chart(ORA, "two")
    world.add_chart(NIL)
    world.place(ORA.buyer())
    world.run()
    assert world.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    return house


@pytest.fixture
def browser(twice: SmallHouse) -> TestClient:
    return browser_of(twice)


def order_of(house: SmallHouse) -> OrderRow:
    return house.world.order()


def resolve_path(house: SmallHouse) -> str:
    return f"/orders/{order_of(house).id}/resolve"


def choices_in(text: str) -> list[str]:
    return re.findall(r'<input type="radio" form="send" name="patient" id="[^"]*" value="([^"]*)"', text)


def send(house: SmallHouse, browser: TestClient, patient: str, **changes: Any) -> Response:
    """Send the form as it stands on the page, but for the changes."""
    path = resolve_path(house)
    shown = browser.get(path).text
    [version] = re.findall(r'name="version" value="(\d+)"', shown)
    form = {"form_token": form_token_in(shown), "version": version, "patient": patient, "remember": "true", **changes}
    sent = {name: value for name, value in form.items() if value is not None}
    return browser.post(path.replace("/resolve", "/send"), data=sent)


def audit_of(world: SmallWorld) -> list[AuditRow]:
    with world.ledger.reading() as tx:
        return list(tx.session.scalars(select(AuditRow).order_by(AuditRow.id)))


# -- what is shown


def test_the_customer_stands_beside_the_charts_that_may_be_his_field_by_field(twice: SmallHouse, browser: TestClient) -> None:
    shown = browser.get(resolve_path(twice)).text
    assert {*choices_in(shown)} == {"new", ORA.chart("one").patient_id, ORA.chart("two").patient_id}
    assert shown.count("Castellan") >= 3
    assert re.search(r'class="sameness same"><span aria-hidden="true">✓</span> same', shown)
    assert "o•••@mailbox.example" in shown
    assert ORA.email not in shown
    assert ORA.phone not in shown
    assert ORA.birth_date not in shown
    assert ORA.birth_date[:4] in shown


def test_who_looked_at_whom_is_written_down_before_it_is_shown(twice: SmallHouse, browser: TestClient) -> None:
    shown = choices_in(browser.get(resolve_path(twice)).text)
    [row] = audit_of(twice.world)
    assert (row.action, row.actor, row.order_id) == ("candidates_viewed", "front.desk", order_of(twice).id)
    assert {*(row.detail or "").split()} == {*shown} - {"new"}


def test_nobody_is_shown_when_the_look_cannot_be_written_down(
    twice: SmallHouse, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("order_sync.web.choosing.record_action", refuse)
    answer = browser.get(resolve_path(twice))
    assert answer.status_code == 500
    assert "Ora" not in answer.text


def test_who_may_only_look_sees_no_patient_and_sends_nothing(twice: SmallHouse) -> None:
    viewer = browser_of(twice, LOOKER.login)
    for answer in (
        viewer.get(resolve_path(twice)),
        viewer.post(resolve_path(twice), data={"last": "Castellan"}),
        viewer.post(resolve_path(twice).replace("/resolve", "/send"), data={"patient": "new", "version": "1"}),
    ):
        assert answer.status_code == 403
        assert "Castellan" not in answer.text
    assert audit_of(twice.world) == []


def test_an_order_of_a_closed_practice_does_not_exist(twice: SmallHouse, browser: TestClient) -> None:
    closed_to(twice, "front.desk")
    assert browser.get(resolve_path(twice)).status_code == 404
    assert browser.post(resolve_path(twice)).status_code == 404
    assert browser.get("/orders/999999/resolve").status_code == 404
    assert browser.get(f"/orders/{10**30}/resolve").status_code == 404


def test_an_order_that_waits_for_no_patient_leads_to_its_own_page(twice: SmallHouse, browser: TestClient) -> None:
    path = resolve_path(twice)
    choose_patient(twice.world.desk(), order_of(twice).id, twice.world.charts()[0].patient_id, actor="dana")
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/orders/{order_of(twice).id}?done=no-choice"


def test_a_nextech_that_does_not_answer_is_said_in_words(twice: SmallHouse, browser: TestClient) -> None:
    twice.world.plant(Effect.FAILED, method="GET", route=PATIENTS, remaining=None)
    answer = browser.get(resolve_path(twice))
    assert answer.status_code == 200
    assert "Nextech does not answer; try again." in answer.text
    assert choices_in(answer.text) == ["new"]


def test_hostile_names_stay_text(house: SmallHouse) -> None:
    world = house.world
    for key in ("one", "two"):
        world.add_chart(ORA, key, first=HOSTILE)
    world.place(ORA.buyer(first=HOSTILE))
    world.run()
    shown = browser_of(house).get(resolve_path(house)).text
    assert HOSTILE not in shown
    assert "&lt;img" in shown


# -- the search beyond the list


def test_a_search_finds_somebody_beyond_the_list_who_can_be_picked(twice: SmallHouse, browser: TestClient) -> None:
    path = resolve_path(twice)
    token = form_token_in(browser.get(path).text)
    found = browser.post(path, data={"form_token": token, "last": "fairw", "first": ""})
    assert found.status_code == 200
    assert NILS_CHART in choices_in(found.text)
    assert audit_of(twice.world)[-1].action == "patients_searched"
    assert audit_of(twice.world)[-1].detail == NILS_CHART
    assert 'value="fairw"' in found.text
    assert send(twice, browser, NILS_CHART).status_code == 303
    assert order_of(twice).patient_id == NILS_CHART


def test_a_search_for_nothing_says_what_to_fill_in(twice: SmallHouse, browser: TestClient) -> None:
    path = resolve_path(twice)
    token = form_token_in(browser.get(path).text)
    answer = browser.post(path, data={"form_token": token})
    assert "Fill in at least one field." in answer.text
    hostile = browser.post(path, data={"form_token": token, "last": f'"{HOSTILE}', "birth_date": HOSTILE})
    assert hostile.status_code == 200
    assert HOSTILE not in hostile.text


def test_a_search_needs_our_form(twice: SmallHouse, browser: TestClient) -> None:
    assert browser.post(resolve_path(twice), data={"last": "Castellan"}).status_code == 403


# -- Send


def test_send_gives_the_order_to_the_chart_and_starts_the_sync(twice: SmallHouse, browser: TestClient) -> None:
    [picked, *_] = choices_in(browser.get(resolve_path(twice)).text)
    answer = send(twice, browser, picked)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/orders/{order_of(twice).id}?sent=1"
    assert twice.started_by == ["front.desk"]
    assert (order_of(twice).state, order_of(twice).patient_id) == (OrderState.MATCHED, picked)
    assert audit_of(twice.world)[-1].action == "patient_chosen"
    twice.world.run()
    assert order_of(twice).state is OrderState.CONFIRMED
    assert "Synced" in browser.get(answer.headers["location"]).text


def test_a_choice_is_remembered_unless_the_box_is_cleared(twice: SmallHouse, browser: TestClient) -> None:
    [picked, *_] = choices_in(browser.get(resolve_path(twice)).text)
    assert send(twice, browser, picked, remember=None).status_code == 303
    twice.world.run()
    twice.world.place(ORA.buyer())
    twice.world.run()
    assert twice.world.open_reasons() == [Reason.DUPLICATED_CUSTOMER]


def test_none_of_these_has_an_account_made(house: SmallHouse) -> None:
    for key in ("one", "two"):
        house.world.add_chart(ORA, key, birth_date=None)
    house.world.place(ORA.buyer())
    house.world.run()
    browser = browser_of(house)
    shown = [one for one in choices_in(browser.get(resolve_path(house)).text) if one != "new"]
    assert send(house, browser, "new", shown=shown).headers["location"].endswith("?sent=1")
    house.world.run_after(minutes=(1,))
    assert order_of(house).patient_id not in shown
    assert order_of(house).matched_by == "created"


def test_an_account_is_not_offered_where_the_practice_makes_them_itself(twice: SmallHouse, browser: TestClient) -> None:
    practice = twice.all_practices["eastern"]
    by_hand = practice.matching.model_copy(update={"create_accounts": False})
    twice.all_practices["eastern"] = practice.model_copy(update={"matching": by_hand})
    assert "new" not in choices_in(browser.get(resolve_path(twice)).text)


def test_when_no_run_can_be_started_the_page_says_that_the_next_one_takes_it(twice: SmallHouse, browser: TestClient) -> None:
    twice.can_start = False
    [picked, *_] = choices_in(browser.get(resolve_path(twice)).text)
    answer = send(twice, browser, picked)
    assert urlsplit(answer.headers["location"]).query == "sent=later"
    assert "the next run takes it" in browser.get(answer.headers["location"]).text


def test_the_second_who_sends_is_told_who_was_first_and_what_stands_now(twice: SmallHouse, browser: TestClient) -> None:
    path = resolve_path(twice)
    shown = browser.get(path).text
    [first, second, *_] = choices_in(shown)
    seen = str(order_of(twice).version)
    assert send(twice, browser_of(twice, "billing"), first).status_code == 303
    form = {"form_token": form_token_in(shown), "version": seen, "patient": second}
    answer = browser.post(path.replace("/resolve", "/send"), data=form)
    assert answer.status_code == 409
    assert "Somebody was first" in answer.text
    assert "billing" in answer.text
    assert "needs a person → patient known" in answer.text
    assert "Waiting for Sync" in answer.text
    assert order_of(twice).patient_id == first
    assert twice.started_by == ["billing"]


def test_a_page_that_the_sync_has_overtaken_says_what_changed(twice: SmallHouse, browser: TestClient) -> None:
    path = resolve_path(twice)
    shown = browser.get(path).text
    [picked, *_] = choices_in(shown)
    [version] = re.findall(r'name="version" value="(\d+)"', shown)
    actions.hold(twice.world.shop, order_of(twice).entity_id)
    twice.world.run_after(minutes=(15,))
    form = {"form_token": form_token_in(shown), "version": version, "patient": picked}
    answer = browser.post(path.replace("/resolve", "/send"), data=form)
    assert answer.status_code == 409
    assert "The order has changed since you opened the page" in answer.text
    assert "not due yet" in answer.text


@pytest.mark.parametrize("patient", ["no-such-chart", HOSTILE, "a,b", " ", "ffffffff-0000-4000-8000-000000000000"])
def test_a_chart_that_is_not_there_is_refused_and_the_order_stays(twice: SmallHouse, browser: TestClient, patient: str) -> None:
    answer = send(twice, browser, patient)
    assert answer.status_code == 422
    assert "That cannot be done" in answer.text
    assert HOSTILE not in answer.text
    assert order_of(twice).state is OrderState.QUEUED
    assert twice.started_by == []


def test_a_send_without_a_choice_does_nothing(twice: SmallHouse, browser: TestClient) -> None:
    assert send(twice, browser, None).status_code == 400  # type: ignore[arg-type]
    assert order_of(twice).state is OrderState.QUEUED


def test_a_send_that_was_refused_can_be_reloaded(twice: SmallHouse, browser: TestClient) -> None:
    path = resolve_path(twice)
    assert browser.get(path.replace("/resolve", "/send")).headers["location"] == path
