"""What Nextech never answers completely about one order: nothing is sent for it, and after a day a person hears of it."""

import httpx
import pytest

from order_sync.choices import choices_for
from order_sync.desk import Desk
from order_sync.errors import OrderNotSyncedError, PartialSweepError
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, dismiss, post_again
from order_sync.statuses import OrderState, PublicStatus
from order_sync.verify import WATCHED_REASONS
from sandbox.nextech.faults import Effect
from sandbox.store.refunds import refund
from tests.worlds import PATIENTS, PAYMENTS, Between, SmallWorld

INCOMPLETE = {"resourceType": "PaymentReconciliation", "id": "1"}
BUNDLE = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": INCOMPLETE}]}


def where_payments_cannot_be_read(world: SmallWorld, patient_id: str) -> Desk:
    def spoil(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method == "GET" and request.url.path.endswith(PAYMENTS) and patient_id in str(request.url):
            return httpx.Response(200, json=BUNDLE, request=request)
        return request

    return world.desk(nextech_wrap=lambda inner: Between(inner, spoil))


@pytest.fixture
def blind(one: SmallWorld) -> Desk:
    return where_payments_cannot_be_read(one, one.charts()[0].patient_id)


def stand(world: SmallWorld) -> tuple[OrderState, Reason | None]:
    return world.order().state, world.order().why


UNREADABLE = (OrderState.QUEUED, Reason.PAYMENTS_UNREADABLE)
STILL_TRIED = (OrderState.MATCHED, Reason.PAYMENTS_UNREADABLE)


def test_a_day_of_incomplete_reads_is_a_case_for_a_person_and_nothing_is_sent(one: SmallWorld, blind: Desk):
    one.run(blind)
    assert stand(one) == STILL_TRIED
    assert one.order().public_status is PublicStatus.WAITING
    one.run_after(blind, hours=(12, 11))
    assert (stand(one), one.open_cases()) == (STILL_TRIED, [])
    one.run_after(blind, hours=(1,))
    assert (stand(one), one.open_reasons()) == (UNREADABLE, [Reason.PAYMENTS_UNREADABLE])
    assert one.open_cases()[0].sentence.startswith("The patient's payments cannot be read")
    one.run_after(hours=(1,))
    assert stand(one) == UNREADABLE, "a person decides: the sweep leaves it alone"
    assert one.posts_seen() == 0


def test_only_the_order_of_that_patient_becomes_a_case(ten: SmallWorld):
    blind = where_payments_cannot_be_read(ten, ten.charts()[4].patient_id)
    ten.run(blind)
    ten.run_after(blind, hours=(12, 13))
    assert sorted(ten.states()) == sorted([OrderState.CONFIRMED] * 9 + [OrderState.QUEUED])
    assert ten.open_reasons() == [Reason.PAYMENTS_UNREADABLE]


def test_one_read_that_succeeds_within_the_day_ends_it(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.run_after(blind, hours=(23,))
    one.run_after(hours=(0.5,))
    assert stand(one) == (OrderState.CONFIRMED, None)
    assert one.open_cases() == []


def test_a_day_without_runs_is_no_day_of_incomplete_reads(one: SmallWorld, blind: Desk):
    for route in (PAYMENTS, "/Patient"):
        one.plant(Effect.UNAVAILABLE, method="GET", route=route, remaining=None)
    one.run()
    one.heal()
    one.run_after(blind, hours=(30,))
    assert (stand(one), one.open_cases()) == (STILL_TRIED, [])


def test_a_retry_that_can_read_posts_it_once(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.run_after(blind, hours=(25,))
    sync_order(one.desk(), one.order().number)
    assert stand(one) == (OrderState.CONFIRMED, None)
    assert (one.open_cases(), len(one.booked())) == ([], 1)


def test_a_retry_that_cannot_read_gives_it_back_at_once_with_the_same_case(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.run_after(blind, hours=(25,))
    [case] = one.open_cases()
    one.clock.advance(minutes=5)
    with pytest.raises(OrderNotSyncedError, match="cannot be read"):
        sync_order(blind, one.order().number)
    assert stand(one) == UNREADABLE
    assert [again.id for again in one.open_cases()] == [case.id]
    assert one.posts_seen() == 0


def test_a_rerun_within_the_day_says_that_it_is_tried_again(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.clock.advance(minutes=5)
    with pytest.raises(PartialSweepError, match="The patient's payments cannot be read: Nextech's answers are incomplete"):
        sync_order(blind, one.order().number)
    assert stand(one) == STILL_TRIED


def test_a_retry_after_staff_entered_it_by_hand_asks_about_the_entry(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.run_after(blind, hours=(25,))
    order = one.order()
    entered = {"patient_id": order.patient_id, "amount_cents": order.amount_cents, "business_day": order.business_day}
    one.staff("hand-payment", note="paid online", **entered)
    with pytest.raises(OrderNotSyncedError, match="entered by hand"):
        sync_order(one.desk(), order.number)
    assert one.posts_seen() == 0


def test_it_can_be_dismissed(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.run_after(blind, hours=(25,))
    dismiss(one.desk(), one.order().id, actor="dana", why=DismissReason.POSTED_BY_HAND)
    one.run()
    assert (one.order().state, one.open_cases(), one.posts_seen()) == (OrderState.CLOSED, [], 0)


def test_one_that_was_sent_before_is_watched_and_found_when_it_arrives(one: SmallWorld, blind: Desk):
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(40, 20, 20))
    assert stand(one) == (OrderState.QUEUED, Reason.OUTCOME_UNKNOWN)
    one.clock.advance(hours=25)
    post_again(one.desk(), one.order().id, actor="dana")
    one.run(blind)
    one.run_after(blind, hours=(25,))
    assert stand(one) == (OrderState.QUEUED, Reason.CANNOT_VERIFY)
    assert Reason.CANNOT_VERIFY in WATCHED_REASONS
    assert Reason.PAYMENTS_UNREADABLE not in WATCHED_REASONS
    post_again(one.desk(), one.order().id, actor="dana")
    one.run_after(minutes=(15,))
    assert stand(one) == (OrderState.CONFIRMED, None)
    assert len(one.booked()) == 1


def test_a_retry_posts_nothing_that_was_refunded_meanwhile(one: SmallWorld, blind: Desk):
    one.run(blind)
    one.run_after(blind, hours=(25,))
    refund(one.shop, one.order().entity_id)
    sync_order(one.desk(), one.order().number)
    assert stand(one) == (OrderState.NOTHING_TO_POST, Reason.REFUNDED_BEFORE_POSTING)
    assert one.posts_seen() == 0


# -- a customer who can never be searched for

UNSEARCHABLE = (OrderState.QUEUED, Reason.CUSTOMER_UNSEARCHABLE)
STILL_SEARCHED = (OrderState.RECEIVED, Reason.CUSTOMER_UNSEARCHABLE)
REFUSAL = {"resourceType": "OperationOutcome", "issue": []}


@pytest.fixture
def refusing(one: SmallWorld) -> Desk:
    """A Nextech that refuses to search for anybody by a contact, and shows a chart when it is asked for by its id."""

    def refuse(request: httpx.Request) -> httpx.Request | httpx.Response:
        is_search = request.method == "GET" and request.url.path.endswith(PATIENTS) and "identifier" not in str(request.url)
        return httpx.Response(400, json=REFUSAL, request=request) if is_search else request

    return one.desk(nextech_wrap=lambda inner: Between(inner, refuse))


def test_a_customer_who_cannot_be_searched_for_during_a_day_is_a_case(one: SmallWorld, refusing: Desk):
    one.run(refusing)
    assert stand(one) == STILL_SEARCHED
    for _ in range(23):
        one.run_after(refusing, hours=(1,))
        with pytest.raises(PartialSweepError, match="The customer cannot be searched for in Nextech"):
            sync_order(refusing, one.order().number)
    assert (stand(one), one.open_cases()) == (STILL_SEARCHED, [])
    one.run_after(refusing, hours=(1,))
    assert (stand(one), one.open_reasons()) == (UNSEARCHABLE, [Reason.CUSTOMER_UNSEARCHABLE])
    assert one.posts_seen(PATIENTS) == 0


def test_one_search_that_is_answered_within_the_day_ends_it(one: SmallWorld, refusing: Desk):
    one.run(refusing)
    one.run_after(refusing, hours=(23,))
    one.run_after(hours=(0.5,))
    assert (stand(one), one.open_cases()) == ((OrderState.CONFIRMED, None), [])


def test_a_person_picks_the_chart_of_a_customer_who_cannot_be_searched_for(one: SmallWorld, refusing: Desk):
    one.run(refusing)
    one.run_after(refusing, hours=(25,))
    shown = choices_for(refusing, one.order())
    assert [trouble.sentence for trouble in shown.troubles] == ["Nextech's answer is not complete; try again."]
    choose_patient(refusing, one.order().id, one.charts()[0].patient_id, actor="dana")
    one.run_after(refusing, minutes=(1,))
    assert (stand(one), len(one.booked())) == ((OrderState.CONFIRMED, None), 1)


def test_a_retry_that_is_not_answered_gives_it_back_at_once(one: SmallWorld, refusing: Desk):
    one.run(refusing)
    one.run_after(refusing, hours=(25,))
    [case] = one.open_cases()
    one.clock.advance(minutes=5)
    with pytest.raises(OrderNotSyncedError, match="cannot be searched for"):
        sync_order(refusing, one.order().number)
    assert (stand(one), [again.id for again in one.open_cases()]) == (UNSEARCHABLE, [case.id])
    sync_order(one.desk(), one.order().number)
    assert stand(one) == (OrderState.CONFIRMED, None)


def test_a_customer_who_is_corrected_in_the_store_is_searched_for_by_itself(one: SmallWorld, refusing: Desk):
    one.run(refusing)
    one.run_after(refusing, hours=(25,))
    record = one.shop.orders[one.order().entity_id]
    one.shop.change(record, customer_email="corrected@mailbox.example")
    one.run_after(hours=(0.25,))
    assert stand(one) == (OrderState.CONFIRMED, None)
