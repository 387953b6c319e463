"""What a person decides about one order on a page that says what comes of it: post again, by hand, release, dismiss, retry."""

from typing import Any

import pytest

from order_sync.ledger.models import OrderRow
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.resolve import DismissReason, dismiss
from order_sync.statuses import OrderState
from order_sync.web.order_actions import actions_for
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of, form_token_in
from tests.integration.ledger.rows import saved_order
from tests.integration.web.filling import buttons_in, deeds_of, submit
from tests.integration.web.grounds import closed_to
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
ASKED = ("post-again", "posted-by-hand", "dismiss", "release")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def one(ledger: Ledger, clock: FakeClock) -> SmallHouse:
    """One paid order of one known patient."""
    return SmallHouse(SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 1})))


@pytest.fixture
def unknown(one: SmallHouse) -> SmallHouse:
    """Sent, and never booked: a person has to decide."""
    one.world.plant(Effect.TIMED_OUT)
    one.world.run()
    one.world.run_after(minutes=(15, 40, 20, 20))
    assert one.world.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    return one


@pytest.fixture
def dear(house: SmallHouse) -> SmallHouse:
    """An order above the amount limit."""
    house.world.add_chart(ORA)
    house.world.place(ORA.buyer(), basket=(("DRM-VITC-30", 90),))
    house.world.run()
    assert house.world.open_reasons() == [Reason.AMOUNT_LIMIT]
    return house


def path_of(house: SmallHouse, deed: str) -> str:
    return f"/orders/{house.world.order().id}/{deed}"


def enter_by_hand(house: SmallHouse, **changes: Any) -> str:
    order = house.world.order()
    entry = {"patient_id": house.world.charts()[0].patient_id, "amount_cents": order.amount_cents, "note": "web"}
    return house.world.staff("hand-payment", **{**entry, "business_day": order.business_day, **changes})


# -- who may


@pytest.mark.parametrize("deed", [*ASKED, "retry"])
def test_who_may_only_look_is_offered_nothing_and_does_nothing(unknown: SmallHouse, deed: str) -> None:
    viewer = browser_of(unknown, LOOKER.login)
    token = form_token_in(browser_of(unknown).get(path_of(unknown, "dismiss")).text)
    assert viewer.get(path_of(unknown, deed)).status_code == 403
    form = {"form_token": token, "version": "1", "why": "test order", "payment_id": "1"}
    assert viewer.post(path_of(unknown, deed), data=form).status_code == 403
    assert actions_for(unknown.world.order(), LOOKER).offered == ()
    assert deeds_of(unknown.world) == []


@pytest.mark.parametrize("deed", ASKED)
def test_an_order_of_a_closed_practice_does_not_exist(unknown: SmallHouse, deed: str) -> None:
    browser = browser_of(unknown)
    token = form_token_in(browser.get(path_of(unknown, "dismiss")).text)
    closed_to(unknown, ACTOR.login)
    assert browser.get(path_of(unknown, deed)).status_code == 404
    form = {"form_token": token, "version": "1", "why": "test order", "payment_id": "1"}
    assert browser.post(path_of(unknown, deed), data=form).status_code == 404
    assert unknown.world.order().state is OrderState.QUEUED


@pytest.mark.parametrize("deed", [*ASKED, "retry"])
def test_a_form_of_another_site_does_nothing(unknown: SmallHouse, deed: str) -> None:
    form = {"version": str(unknown.world.order().version), "why": "test order", "payment_id": "1"}
    assert browser_of(unknown).post(path_of(unknown, deed), data=form).status_code == 403
    assert deeds_of(unknown.world) == []


# -- post again


def test_before_a_day_has_passed_the_page_says_until_when_and_a_post_is_refused(unknown: SmallHouse) -> None:
    browser = browser_of(unknown)
    shown = browser.get(path_of(unknown, "post-again")).text
    assert "Not before <b>Thursday, November 19, 2026, 12:" in shown
    assert unknown.world.payment().marker in shown
    assert "not known" in shown
    answer = submit(browser, path_of(unknown, "post-again"))
    assert answer.status_code == 422
    assert "may still be booked late" in answer.text
    assert unknown.world.order().state is OrderState.QUEUED


def test_after_a_day_and_a_fresh_look_it_is_posted_again_once(unknown: SmallHouse) -> None:
    unknown.world.clock.advance(hours=25)
    browser = browser_of(unknown)
    assert "Not before" not in browser.get(path_of(unknown, "post-again")).text
    answer = submit(browser, path_of(unknown, "post-again"))
    assert answer.headers["location"].endswith("?sent=1")
    unknown.world.run_after(minutes=(15,))
    assert len(unknown.world.booked()) == 1
    assert (ACTOR.login, "posted_again") in deeds_of(unknown.world)


def test_when_the_fresh_look_finds_the_payment_nothing_is_posted_again(one: SmallHouse) -> None:
    one.world.plant(Effect.EXECUTED_LATE, after_seconds=26 * 3600)
    one.world.run()
    one.world.run_after(minutes=(40, 20, 20))
    one.world.clock.advance(hours=27)
    browser = browser_of(one)
    answer = submit(browser, path_of(one, "post-again"))
    assert answer.headers["location"].endswith("?done=looked")
    assert "nothing was posted again" in browser.get(answer.headers["location"]).text
    assert one.world.order().state is OrderState.CONFIRMED
    assert one.started_by == []


# -- posted by hand


def test_a_payment_entered_by_hand_is_checked_and_tied_to_the_order(one: SmallHouse) -> None:
    record = next(iter(one.world.shop.orders.values()))
    amount_cents = int(record.grand_total * 100)
    payment_id = one.world.staff("hand-payment", patient_id=one.world.charts()[0].patient_id, amount_cents=amount_cents)
    one.world.run()
    browser = browser_of(one)
    assert f'value="{payment_id}"' in browser.get(path_of(one, "posted-by-hand")).text
    answer = submit(browser, path_of(one, "posted-by-hand"), payment_id=payment_id)
    assert answer.headers["location"].endswith("?done=by-hand")
    assert one.world.order().state is OrderState.CLOSED
    assert one.world.payment().payment_id == payment_id


def test_a_payment_that_differs_is_taken_only_when_the_person_says_so(unknown: SmallHouse) -> None:
    unknown.world.clock.advance(hours=25)
    payment_id = enter_by_hand(unknown, amount_cents=1_234)
    browser = browser_of(unknown)
    asked = submit(browser, path_of(unknown, "posted-by-hand"), payment_id=payment_id)
    assert asked.status_code == 422
    assert "$12.34" in asked.text
    assert "although it differs" in asked.text
    assert unknown.world.order().state is OrderState.QUEUED
    done = submit(browser, path_of(unknown, "posted-by-hand"), payment_id=payment_id, although="true")
    assert done.status_code == 303
    assert unknown.world.order().state is OrderState.CLOSED


@pytest.mark.parametrize("payment_id", ["999999", HOSTILE, "a/../b", " ", "\u202e12"])
def test_a_payment_that_does_not_exist_closes_nothing(unknown: SmallHouse, payment_id: str) -> None:
    unknown.world.clock.advance(hours=25)
    answer = submit(browser_of(unknown), path_of(unknown, "posted-by-hand"), payment_id=payment_id)
    assert answer.status_code in (400, 422)
    assert HOSTILE not in answer.text
    assert unknown.world.order().state is OrderState.QUEUED


# -- release, dismiss, retry


def test_an_order_above_the_limit_is_released_and_posted(dear: SmallHouse) -> None:
    browser = browser_of(dear)
    assert "above the practice" in browser.get(path_of(dear, "release")).text
    answer = submit(browser, path_of(dear, "release"))
    assert answer.headers["location"].endswith("?sent=1")
    assert dear.started_by == [ACTOR.login]
    dear.world.run()
    assert dear.world.order().state is OrderState.CONFIRMED


@pytest.mark.parametrize("why", list(DismissReason))
def test_a_dismissed_order_keeps_its_reason(unknown: SmallHouse, why: DismissReason) -> None:
    browser = browser_of(unknown)
    answer = submit(browser, path_of(unknown, "dismiss"), why=why.value)
    assert answer.headers["location"].endswith("?done=dismissed")
    assert (unknown.world.order().state, unknown.world.order().detail) == (OrderState.CLOSED, why.value)
    assert unknown.world.open_cases() == []


def test_a_reason_that_is_not_on_the_list_dismisses_nothing(unknown: SmallHouse) -> None:
    answer = submit(browser_of(unknown), path_of(unknown, "dismiss"), why=HOSTILE)
    assert answer.status_code == 400
    assert HOSTILE not in answer.text
    assert unknown.world.order().state is OrderState.QUEUED


def test_a_retry_starts_the_sync_for_the_order(unknown: SmallHouse) -> None:
    browser = browser_of(unknown)
    answer = submit(browser, path_of(unknown, "dismiss"), path_of(unknown, "retry"))
    assert answer.headers["location"].endswith("?sent=1")
    assert unknown.started_by == [ACTOR.login]
    assert (ACTOR.login, "retried") in deeds_of(unknown.world)
    assert browser.get(path_of(unknown, "retry")).headers["location"] == f"/orders/{unknown.world.order().id}"


def test_the_second_decision_is_told_of_the_first(unknown: SmallHouse) -> None:
    browser, order = browser_of(unknown), unknown.world.order()
    seen = browser.get(path_of(unknown, "dismiss")).text
    dismiss(unknown.world.desk(), order.id, actor="billing", why=DismissReason.TEST_ORDER)
    form = {"form_token": form_token_in(seen), "version": str(order.version), "why": "not a patient"}
    answer = browser.post(path_of(unknown, "dismiss"), data=form)
    assert answer.status_code == 409
    assert "Somebody was first" in answer.text
    assert "<b>billing</b>" in answer.text
    assert "test order" in answer.text


# -- what is offered, where


@pytest.mark.parametrize(
    ("state", "reason", "offered"),
    [
        (OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER, ["resolve", "retry", "posted-by-hand", "dismiss"]),
        (OrderState.QUEUED, Reason.AMOUNT_LIMIT, ["release", "retry", "posted-by-hand", "dismiss"]),
        (OrderState.QUEUED, Reason.OUTCOME_UNKNOWN, ["retry", "post-again", "posted-by-hand", "dismiss"]),
        (OrderState.QUEUED, Reason.TOTALS_DISAGREE, ["retry", "posted-by-hand", "dismiss"]),
        (OrderState.CONFIRMED, None, ["undo"]),
        (OrderState.MATCHED, None, ["undo"]),
        (OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED, ["undo", "dismiss"]),
        (OrderState.WAITING, Reason.ON_HOLD, []),
        (OrderState.INTENT, None, []),
        (OrderState.UNKNOWN, None, []),
        (OrderState.CLOSED, Reason.OUTCOME_UNKNOWN, []),
        (OrderState.DISABLED, Reason.INTEGRATION_INACTIVE, []),
    ],
)
def test_what_an_order_offers_follows_from_where_it_stands(
    state: OrderState, reason: Reason | None, offered: list[str]
) -> None:
    order = OrderRow(id=7, version=3, state=state, reason=reason and reason.value)
    assert [action.name for action in actions_for(order, ACTOR).offered] == offered


def test_the_order_s_page_has_the_buttons(unknown: SmallHouse) -> None:
    shown = browser_of(unknown).get(f"/orders/{unknown.world.order().id}").text
    assert {"Try again", "Post it again", "Already posted by hand", "Dismiss"} <= {*buttons_in(shown)}
    looked = browser_of(unknown, LOOKER.login).get(f"/orders/{unknown.world.order().id}").text
    assert not {"Try again", "Post it again", "Already posted by hand", "Dismiss"} & {*buttons_in(looked)}


def test_a_nextech_that_is_down_is_said_and_nothing_changes(unknown: SmallHouse) -> None:
    unknown.world.clock.advance(hours=25)
    unknown.world.plant(Effect.FAILED, method="GET", route="/PaymentReconciliation", remaining=None)
    answer = submit(browser_of(unknown), path_of(unknown, "post-again"))
    assert answer.status_code == 502
    assert "Nextech does not answer" in answer.text
    assert unknown.world.order().state is OrderState.QUEUED


def test_an_order_with_hostile_words_shows_them_as_text(ledger: Ledger, house: SmallHouse) -> None:
    order = saved_order(ledger, OrderState.QUEUED, Reason.EDITED_ORDER, number=f'"{HOSTILE}')
    browser = browser_of(house)
    for deed in ("posted-by-hand", "dismiss", "release"):
        shown = browser.get(f"/orders/{order.id}/{deed}")
        assert shown.status_code == 200
        assert HOSTILE not in shown.text


@pytest.mark.parametrize("deed", ASKED)
def test_what_an_order_does_not_offer_leads_to_its_own_page(ledger: Ledger, house: SmallHouse, deed: str) -> None:
    order = saved_order(ledger, OrderState.WAITING, Reason.ON_HOLD)
    browser = browser_of(house)
    answer = browser.get(f"/orders/{order.id}/{deed}")
    assert answer.headers["location"] == f"/orders/{order.id}?done=not-now"
    assert "cannot be done with this order as it stands now" in browser.get(answer.headers["location"]).text
