"""Undo through the pages: void in Nextech, look, post to the right patient; or call it off."""

import pytest
from fastapi.testclient import TestClient

from order_sync.reasons import Reason
from order_sync.resolve import choose_patient
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of, form_token_in
from tests.integration.web.filling import deeds_of, submit
from tests.integration.web.grounds import closed_to

ORA = Person(EASTERN, 71, "Ora", "Castellan")
NIL = Person(EASTERN, 72, "Nilo", "Fairweather")
WRONG, RIGHT = ORA.chart("wrong").patient_id, ORA.chart("right").patient_id


@pytest.fixture
def chosen(house: SmallHouse) -> SmallHouse:
    """Ora has two charts; her order was sent to the wrong one, and nothing is posted yet."""
    house.world.add_chart(ORA, "wrong")
    house.world.add_chart(ORA, "right")
    house.world.add_chart(NIL)
    house.world.place(ORA.buyer())
    house.world.run()
    choose_patient(house.world.desk(), house.world.order().id, WRONG, actor="ellis")
    return house


@pytest.fixture
def posted(chosen: SmallHouse) -> SmallHouse:
    """The same, posted."""
    chosen.world.run()
    assert chosen.world.order().state is OrderState.CONFIRMED
    return chosen


@pytest.fixture
def begun(posted: SmallHouse) -> SmallHouse:
    """Somebody has begun the reversal."""
    assert submit(browser_of(posted), path_of(posted)).status_code == 303
    return posted


def path_of(house: SmallHouse, step: str = "") -> str:
    return f"/orders/{house.world.order().id}/undo{step}"


def void(house: SmallHouse) -> None:
    house.world.staff("void", payment_id=house.world.payment().payment_id)


def test_the_whole_way_from_the_wrong_patient_to_the_right_one(posted: SmallHouse) -> None:
    browser, world = browser_of(posted), posted.world
    assert "Wrong patient" in browser.get(f"/orders/{world.order().id}").text
    assert "We cannot void a payment in Nextech" in browser.get(path_of(posted)).text

    begun = submit(browser, path_of(posted))
    assert begun.headers["location"] == path_of(posted)
    guide = browser.get(path_of(posted)).text
    assert f"<dd>{world.payment().payment_id}</dd>" in guide
    assert world.payment().marker in guide
    assert "The billing tab is that of <b>Ora Castellan</b>" in guide
    assert world.open_reasons() == [Reason.WRONG_PATIENT]

    void(posted)
    looked = submit(browser, path_of(posted), path_of(posted, "/look"))
    assert looked.headers["location"] == path_of(posted)
    assert world.order().state is OrderState.CLOSED_VOIDED

    choice = browser.get(path_of(posted)).text
    assert f'value="{RIGHT}"' in choice
    assert choice.count("the payment was voided here") == 1
    sent = submit(browser, path_of(posted), path_of(posted, "/post"), patient=RIGHT, remember="true")
    assert sent.headers["location"].endswith("?sent=1")
    world.run_after(minutes=(15,))
    assert [row.patient_id for row in world.booked()] == [RIGHT]
    assert world.order().state is OrderState.CONFIRMED
    assert world.open_cases() == []
    done = [action for actor, action in deeds_of(world) if actor == ACTOR.login]
    assert [action for action in done if "viewed" not in action] == ["undo_begun", "void_looked_for", "posted_elsewhere"]
    assert {"patient_viewed", "candidates_viewed"} < {*done}


def test_an_order_that_nothing_was_sent_for_goes_back_to_be_picked_again(chosen: SmallHouse) -> None:
    browser = browser_of(chosen)
    assert "Nothing was sent to Nextech yet" in browser.get(path_of(chosen)).text
    answer = submit(browser, path_of(chosen))
    assert answer.headers["location"] == f"/orders/{chosen.world.order().id}/resolve"
    assert chosen.world.open_reasons() == [Reason.WRONG_PATIENT]
    shown = browser.get(answer.headers["location"]).text
    assert WRONG in shown
    assert RIGHT in shown


def test_before_the_void_the_look_says_what_still_stands(begun: SmallHouse) -> None:
    answer = submit(browser_of(begun), path_of(begun), path_of(begun, "/look"))
    assert answer.status_code == 422
    assert f"payment {begun.world.payment().payment_id} stands; void it in Nextech first" in answer.text
    assert begun.world.order().state is OrderState.CONFIRMED


def test_a_payment_that_looks_like_it_is_asked_about(begun: SmallHouse) -> None:
    void(begun)
    order = begun.world.order()
    entry = {"amount_cents": order.amount_cents, "business_day": order.business_day, "note": "walk-in"}
    other = begun.world.staff("hand-payment", patient_id=WRONG, **entry)
    browser = browser_of(begun)
    asked = submit(browser, path_of(begun), path_of(begun, "/look"))
    assert asked.status_code == 422
    assert f'name="unrelated" value="{other}"' in asked.text
    done = submit(browser, path_of(begun), path_of(begun, "/look"), unrelated=other)
    assert done.status_code == 303
    assert begun.world.order().state is OrderState.CLOSED_VOIDED


def test_an_entry_that_appears_before_the_post_is_asked_about(begun: SmallHouse) -> None:
    void(begun)
    browser = browser_of(begun)
    assert submit(browser, path_of(begun), path_of(begun, "/look")).status_code == 303
    order = begun.world.order()
    entry = {"amount_cents": order.amount_cents, "business_day": order.business_day, "note": "web"}
    entered = begun.world.staff("hand-payment", patient_id=WRONG, **entry)
    asked = submit(browser, path_of(begun), path_of(begun, "/post"), patient=RIGHT)
    assert "Not posted" in asked.text
    assert f'name="unrelated" value="{entered}"' in asked.text
    assert begun.world.order().state is OrderState.CLOSED_VOIDED
    sent = submit(browser, path_of(begun), path_of(begun, "/post"), patient=RIGHT, unrelated=entered)
    assert sent.headers["location"].endswith("?sent=1")


def test_what_staff_have_entered_on_the_right_patient_themselves_is_not_posted_a_second_time(begun: SmallHouse) -> None:
    void(begun)
    browser = browser_of(begun)
    submit(browser, path_of(begun), path_of(begun, "/look"))
    order = begun.world.order()
    entry = {"amount_cents": order.amount_cents, "business_day": order.business_day, "note": "web"}
    begun.world.staff("hand-payment", patient_id=RIGHT, **entry)
    submit(browser, path_of(begun), path_of(begun, "/post"), patient=RIGHT)
    begun.world.run_after(minutes=(15,))
    assert begun.world.booked() == []
    assert begun.world.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]


def test_the_right_patient_may_be_searched_for(begun: SmallHouse) -> None:
    void(begun)
    browser = browser_of(begun)
    submit(browser, path_of(begun), path_of(begun, "/look"))
    found = submit(browser, path_of(begun), path_of(begun, "/search"), last="Fairweather")
    assert f'value="{NIL.chart().patient_id}"' in found.text
    assert 'action="/orders/1/undo/post"' in found.text


def test_a_reversal_can_be_called_off(begun: SmallHouse) -> None:
    browser = browser_of(begun)
    answer = submit(browser, path_of(begun), path_of(begun, "/call-off"))
    assert "called off" in browser.get(answer.headers["location"]).text
    assert begun.world.open_cases() == []
    assert begun.world.order().state is OrderState.CONFIRMED


def test_a_voided_payment_may_be_left_as_it_is(begun: SmallHouse) -> None:
    void(begun)
    browser = browser_of(begun)
    submit(browser, path_of(begun), path_of(begun, "/look"))
    assert "Leave the payment voided?" in browser.get(f"/orders/{begun.world.order().id}/dismiss").text
    left = submit(browser, f"/orders/{begun.world.order().id}/dismiss", why="settled otherwise")
    assert left.status_code == 303
    assert begun.world.open_cases() == []


def test_the_second_who_begins_is_told_of_the_first(posted: SmallHouse) -> None:
    browser, version = browser_of(posted), str(posted.world.order().version)
    token = form_token_in(browser.get(path_of(posted)).text)
    assert submit(browser_of(posted, "billing"), path_of(posted)).status_code == 303
    late = browser.post(path_of(posted), data={"form_token": token, "version": version})
    assert late.status_code == 409
    assert "<b>billing</b>" in late.text


def test_an_order_with_nothing_to_undo_leads_to_its_page(house: SmallHouse) -> None:
    house.world.place(ORA.buyer(), steps=())
    house.world.run()
    answer = browser_of(house).get(path_of(house))
    assert answer.headers["location"].endswith("?done=no-undo")


@pytest.mark.parametrize("step", ["", "/look", "/call-off", "/post", "/search"])
def test_nobody_but_who_may_act_comes_through(begun: SmallHouse, step: str) -> None:
    token = form_token_in(browser_of(begun).get(path_of(begun)).text)
    form = {"form_token": token, "version": str(begun.world.order().version), "patient": RIGHT, "last": "Castellan"}
    viewer: TestClient = browser_of(begun, LOOKER.login)
    assert viewer.get(path_of(begun, step)).status_code == 403
    assert viewer.post(path_of(begun, step), data=form).status_code == 403
    assert browser_of(begun).post(path_of(begun, step), data={**form, "form_token": ""}).status_code == 403
    closed_to(begun, ACTOR.login)
    assert browser_of(begun).get(path_of(begun, step)).status_code == 404
    assert browser_of(begun).post(path_of(begun, step), data=form).status_code == 404
    assert begun.world.order().state is OrderState.CONFIRMED
