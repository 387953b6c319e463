"""What a stranger's reading of the decisions found: each of these once ended otherwise."""

from decimal import Decimal

import httpx
import pytest

from order_sync.errors import PermanentError
from order_sync.ledger.remembered import forget_patient
from order_sync.manual_entries import accept_manual_entry
from order_sync.reasons import Reason
from order_sync.refund_debt import settle_refunds
from order_sync.resolve import choose_patient, create_account, post_again
from order_sync.statuses import OrderState
from order_sync.undo import begin_undo, call_off_undo
from order_sync.verify import verify_payments
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.refunds import refund
from tests.integration.sync.in_process.ora import ORA, Ora
from tests.worlds import PATIENTS, PAYMENTS, Between, SmallWorld

IVO = Person(EASTERN, 72, "Ivo", "Tarrant")
C, Q, M, V = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.MATCHED, OrderState.CLOSED_VOIDED


def change_in_store(world: SmallWorld) -> None:
    """Change something about the only order that has nothing to do with whose it is."""
    [record] = world.shop.orders.values()
    world.shop.change(record, customer_suffix="III")


# -- a patient of whom a person has said no


@pytest.fixture
def refused(empty: SmallWorld) -> SmallWorld:
    """Matched by the rules to Ora's chart, of which a person said that it is the wrong one; nothing was sent."""
    empty.add_chart(ORA)
    empty.add_chart(IVO)
    empty.place(ORA.buyer())
    at = empty.desk(nextech_wrap=without_payments)
    empty.run(at)
    assert (empty.order().state, empty.order().matched_by) == (M, "rule")
    begin_undo(empty.desk(), empty.order().id, actor="dana")
    return empty


def without_payments(inner: httpx.BaseTransport) -> httpx.BaseTransport:
    def refuse(request: httpx.Request) -> httpx.Request | httpx.Response:
        return httpx.Response(503) if request.url.path.endswith(PAYMENTS) else request

    return Between(inner, refuse)


def test_the_stores_news_does_not_bring_back_the_patient_that_a_person_took_away(refused: SmallWorld):
    choose_patient(refused.desk(), refused.order().id, IVO.chart().patient_id, actor="dana", remember=False)
    change_in_store(refused)
    refused.run_after(minutes=(1, 15))
    assert (refused.order().state, refused.order().why) == (Q, Reason.WRONG_PATIENT)
    assert refused.booked() == []


def test_a_new_account_that_is_wanted_instead_is_not_given_up_for_the_patient_that_was_taken_away(refused: SmallWorld):
    choose_patient(refused.desk(), refused.order().id, IVO.chart().patient_id, actor="dana", remember=False)
    change_in_store(refused)
    refused.run_after(minutes=(1,))
    create_account(refused.desk(), refused.order().id, actor="dana")
    refused.run_after(minutes=(1, 15))
    assert ORA.chart().patient_id not in {row.patient_id for row in refused.booked()}
    assert (refused.order().state, refused.order().why) == (Q, Reason.POSSIBLE_EXISTING_PATIENT)
    choose_patient(refused.desk(), refused.order().id, IVO.chart().patient_id, actor="dana")
    refused.run_after(minutes=(1, 15))
    assert {row.patient_id for row in refused.booked()} == {IVO.chart().patient_id}


# -- an undo of a payment whose answer had been lost


def test_an_order_whose_answer_was_lost_may_be_given_to_a_patient_after_its_void(picked: Ora):
    world = picked.world
    world.plant(Effect.TIMED_OUT_EXECUTED)
    world.run_after(minutes=(15, 20, 20))
    assert picked.order.state is C
    picked.begin()
    picked.void()
    picked.look()
    picked.post_to(remember=False)
    change_in_store(world)
    world.run_after(minutes=(1,))
    assert (picked.order.state, picked.order.why) == (Q, Reason.WRONG_PATIENT)
    choose_patient(world.desk(), picked.order.id, picked.right, actor="dana")
    world.run_after(minutes=(1, 15))
    assert picked.live() == [(picked.right, picked.order.amount_cents)]


def test_after_the_new_posting_was_lost_as_well_nobody_may_pick_another_patient(picked: Ora):
    world = picked.world
    world.plant(Effect.TIMED_OUT_EXECUTED)
    world.run_after(minutes=(15, 20, 20))
    picked.begin()
    picked.void()
    picked.look()
    picked.post_to(remember=False)
    world.plant(Effect.TIMED_OUT)
    world.run_after(minutes=(1,))
    assert picked.order.state is OrderState.UNKNOWN
    with pytest.raises(PermanentError, match="on its way; wait"):
        begin_undo(world.desk(), picked.order.id, actor="dana")
    world.run_after(minutes=(40, 20, 20))
    assert picked.order.why is Reason.OUTCOME_UNKNOWN
    with pytest.raises(PermanentError, match="does not wait for a patient"):
        choose_patient(world.desk(), picked.order.id, picked.wrong, actor="dana")


# -- posted again, and changed in the store before the run came


def test_an_order_that_changes_after_it_was_to_be_posted_again_goes_back_to_the_person(picked: Ora):
    world = picked.world
    world.plant(Effect.TIMED_OUT)
    world.run_after(minutes=(15, 40, 20, 20))
    assert picked.order.why is Reason.OUTCOME_UNKNOWN
    world.clock.advance(hours=24)
    post_again(world.desk(), picked.order.id, actor="dana")
    key = str(picked.order.customer_key)
    with world.ledger.transaction() as tx:
        forget_patient(tx, practice_id="eastern", customer_key=key, by="dana")
    change_in_store(world)
    world.run_after(minutes=(1,))
    assert (picked.order.state, picked.order.why, picked.order.patient_id) == (Q, Reason.CANNOT_VERIFY, picked.wrong)
    post_again(world.desk(), picked.order.id, actor="dana")
    world.run_after(minutes=(1, 15))
    assert (picked.order.state, picked.live()) == (C, [(picked.wrong, picked.order.amount_cents)])


# -- a sweep that is slower than the people


def test_a_sweep_that_looked_before_the_undo_does_not_record_the_voided_payment_as_the_new_one(picked: Ora):
    world, came, posts = picked.world, list[str](), list[str]()

    def unread(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method == "POST" and request.url.path.endswith("PaymentReconciliation"):
            posts.append("sent")
        is_read_back = posts and request.method == "GET" and request.url.path.endswith(PAYMENTS)
        return httpx.Response(503) if is_read_back else request

    world.run_after(world.desk(nextech_wrap=lambda inner: Between(inner, unread)), minutes=(15,))
    assert (picked.order.state, world.payment().verified_at) == (C, None)
    old = world.payment().payment_id

    class Slow(httpx.BaseTransport):
        def __init__(self, inner: httpx.BaseTransport) -> None:
            self.inner = inner

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = self.inner.handle_request(request)
            if request.method == "GET" and request.url.path.endswith(PAYMENTS) and not came:
                answer.read()
                came.append("dana")
                picked.begin()
                picked.void()
                picked.look()
                picked.post_to()
                world.run()
                assert (picked.order.state, world.payment().payment_id == old) == (C, False)
            return answer

    world.clock.advance(minutes=20)
    verify_payments(world.desk(nextech_wrap=Slow))
    assert came
    assert world.payment().payment_id != old
    assert picked.live() == [(picked.right, picked.order.amount_cents)]


# -- accounts


def test_an_account_that_may_have_been_made_is_not_asked_for_twice_though_a_chart_was_matched_before(empty: SmallWorld):
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    empty.run(empty.desk(nextech_wrap=without_payments))
    assert empty.order().patient_id == ORA.chart().patient_id
    empty.shop.change(record, customer_firstname="Ivo", customer_lastname="Tarrant", customer_email=IVO.email)
    empty.plant(Effect.TIMED_OUT, route=PATIENTS)
    empty.run_after(minutes=(1,))
    assert empty.order().state is OrderState.CREATING
    assert empty.order().patient_id is None


# -- cases that close, and cases that never do


def test_a_voided_payment_is_not_put_away_by_calling_the_undo_off(voided: Ora):
    with pytest.raises(PermanentError, match="voided"):
        call_off_undo(voided.world.desk(), voided.order.id, actor="dana")
    assert voided.world.open_reasons() == [Reason.WRONG_PATIENT]


def test_an_undo_that_ends_with_a_payment_by_hand_leaves_no_case(posted: Ora):
    world = posted.world
    posted.begin()
    [record] = world.shop.orders.values()
    world.shop.change(record, grand_total="10.00", base_grand_total="10.00")
    world.run_after(minutes=(1,))
    assert posted.order.why is Reason.AMOUNT_CHANGED_AFTER_POSTING
    posted.void()
    what = {"amount_cents": 1000, "business_day": posted.order.business_day, "note": "moved"}
    payment_id = world.staff("hand-payment", patient_id=posted.right, **what)
    world.clock.advance(hours=25)
    accept_manual_entry(world.desk(), posted.order.id, payment_id, actor="dana", although_it_differs=True)
    assert posted.order.state is OrderState.CLOSED
    assert world.open_cases() == []


def test_a_refund_of_a_payment_that_was_voided_is_not_to_be_recorded(voided: Ora):
    world = voided.world
    [record] = world.shop.orders.values()
    refund(world.shop, record.entity_id)
    world.run_after(minutes=(1,))
    voided.post_to()
    world.run_after(minutes=(1,))
    assert voided.order.state is OrderState.NOTHING_TO_POST
    assert world.open_cases() == []


def test_a_payment_that_staff_moved_to_the_right_patient_themselves_is_taken_as_it_stands(posted: Ora):
    world = posted.world
    posted.begin()
    note = next(row.note for row in world.booked())
    posted.void()
    posted.look()
    what = {"amount_cents": posted.order.amount_cents, "business_day": posted.order.business_day, "note": note}
    world.staff("hand-payment", patient_id=posted.right, **what)
    posted.post_to()
    world.run_after(minutes=(1, 15))
    assert (posted.order.state, posted.order.patient_id) == (C, posted.right)
    assert (posted.live(), world.posts_seen()) == ([(posted.right, posted.order.amount_cents)], 1)


def test_a_choice_that_is_revoked_posts_no_other_order_that_still_waits_for_it(posted: Ora):
    world = posted.world
    world.place(ORA.buyer(), basket=(("DRM-CLEANSE-200", 1),))
    world.run(world.desk(nextech_wrap=without_payments))
    assert [(row.state, row.matched_by) for row in world.orders()] == [(C, "ellis"), (M, "remembered")]
    posted.begin()
    world.run_after(minutes=(1, 15))
    assert [row.state for row in world.orders()] == [C, Q]
    assert world.orders()[1].why is Reason.DUPLICATED_CUSTOMER
    assert world.posts_seen() == 1


def test_a_refund_that_was_recorded_on_the_wrong_chart_does_not_stay_there(posted: Ora):
    world = posted.world
    [record] = world.shop.orders.values()
    refund(world.shop, record.entity_id, adjustment=Decimal(5))
    world.run_after(minutes=(15,))
    note = f"refund {world.payment().marker}"
    given_back = world.staff("refund", patient_id=posted.wrong, amount_cents=500, note=note)
    world.clock.advance(minutes=5)
    settle_refunds(world.desk(), holder="a test")
    assert world.open_cases() == []
    posted.begin()
    posted.void()
    posted.look()
    with pytest.raises(PermanentError, match=f"payment {given_back} records a refund"):
        posted.post_to()
    world.staff("void", payment_id=given_back)
    posted.post_to()
    world.run_after(minutes=(1, 15))
    assert posted.live() == [(posted.right, posted.order.amount_cents)]
    settle_refunds(world.desk(), holder="a test")
    [case] = world.open_cases()
    assert (case.reason, case.amount_cents) == (Reason.REFUND_TO_RECORD, 500)
