"""Undo where something comes between: copies, other voids, a merge, a refund, a death, a restore, another person."""

from datetime import timedelta

import httpx
import pytest

from order_sync.errors import OrderSyncError, PermanentError, SomebodyWasFirstError
from order_sync.manual_entries import accept_manual_entry
from order_sync.reasons import Reason
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, dismiss, post_again
from order_sync.restores import declare_restore
from order_sync.statuses import OrderState
from order_sync.undo import begin_undo, call_off_undo
from sandbox.nextech.faults import Effect
from sandbox.store.refunds import refund
from tests.integration.sync.guards.ground import dies_after_the_post
from tests.integration.sync.in_process.ora import ORA, Ora
from tests.worlds import PAYMENTS, WEDNESDAY_NOON, Between

C, Q, M, V = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.MATCHED, OrderState.CLOSED_VOIDED


def test_a_copy_that_appears_on_the_old_chart_later_is_not_posted_beside(voided: Ora):
    world, payment_id = voided.world, voided.world.payment().payment_id
    voided.post_to()
    copy = world.staff("void-and-correct", payment_id=payment_id)
    world.run_after(minutes=(1,))
    assert (voided.order.state, voided.order.why, voided.order.detail) == (Q, Reason.PAYMENT_MISMATCH, "patient")
    assert voided.live() == [(voided.wrong, voided.order.amount_cents)]
    world.staff("void", payment_id=copy)
    with pytest.raises(OrderSyncError, match="voided"):
        sync_order(world.desk(), voided.order.number)
    assert voided.order.state is V
    voided.post_to()
    world.run_after(minutes=(1,))
    assert voided.live() == [(voided.right, voided.order.amount_cents)]


def test_a_copy_on_the_old_chart_beside_the_new_posting_is_seen_when_it_is_read_back(voided: Ora):
    world, payment_id = voided.world, voided.world.payment().payment_id
    voided.post_to()

    def copied(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.endswith("PaymentReconciliation"):
            world.staff("void-and-correct", payment_id=payment_id)
        return request

    world.run_after(world.desk(nextech_wrap=lambda inner: Between(inner, copied)), minutes=(1,))
    assert (voided.order.state, voided.order.why) == (Q, Reason.DUPLICATE_POSTING)


def test_it_may_be_posted_to_the_same_chart_again(voided: Ora):
    voided.post_to(voided.wrong)
    voided.world.run_after(minutes=(1, 15))
    assert voided.live() == [(voided.wrong, voided.order.amount_cents)]
    assert voided.order.state is C
    voided.begin()
    voided.void()
    assert voided.look().state is V, "the second void is not taken for the first"
    voided.post_to()
    voided.world.run_after(minutes=(1, 15))
    assert voided.live() == [(voided.right, voided.order.amount_cents)]
    assert voided.classes() == {DifferenceClass.MATCHED: 0}


def test_a_second_wrong_patient_is_undone_as_the_first_was(voided: Ora):
    third = voided.world.add_chart(ORA, "third", birth_date=None).patient_id
    for patient_id in (third, voided.right):
        voided.post_to(patient_id)
        voided.world.run_after(minutes=(1,))
        assert voided.live() == [(patient_id, voided.order.amount_cents)]
        if patient_id == third:
            voided.begin()
            voided.void()
            voided.look()
    assert set(voided.world.payment().voided_rows or ()) == {voided.wrong, third}


def test_what_staff_voided_by_themselves_is_posted_to_the_right_patient_too(picked: Ora):
    world = picked.world
    world.plant(Effect.TIMED_OUT_EXECUTED)
    world.run_after(minutes=(15,))
    world.staff("void", payment_id=world.booked()[0].payment_id)
    world.run_after(minutes=(1,))
    assert (picked.order.state, picked.order.why) == (V, Reason.PAYMENT_VOIDED)
    picked.post_to()
    world.run_after(minutes=(1, 15))
    assert picked.live() == [(picked.right, picked.order.amount_cents)]


def test_what_staff_voided_may_be_left_as_it_is(voided: Ora):
    left = dismiss(voided.world.desk(), voided.order.id, actor="dana", why=DismissReason.SETTLED_OTHERWISE)
    assert (left.state, left.why, left.detail) == (V, Reason.PAYMENT_VOIDED, "settled otherwise")
    assert voided.world.open_cases() == []
    voided.world.run_after(minutes=(15,), hours=(25,))
    assert voided.live() == []


def test_of_two_payments_that_may_be_under_way_the_one_that_was_voided_says_nothing_of_the_other(picked: Ora):
    world = picked.world
    world.plant(Effect.EXECUTED_LATE, after_seconds=26 * 3600)
    world.run_after(minutes=(15, 40, 20, 20))
    assert world.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    world.clock.advance(hours=24)
    world.plant(Effect.EXECUTED_LATE, after_seconds=3 * 3600)
    post_again(world.desk(), picked.order.id, actor="dana")
    world.run()
    world.clock.advance(hours=2)
    world.staff("void", payment_id=world.booked()[0].payment_id)
    world.run()
    assert picked.order.state is V
    with pytest.raises(PermanentError, match="may still be booked late"):
        picked.post_to()
    world.clock.advance(hours=25)
    with pytest.raises(PermanentError, match="stands; void it"):
        picked.post_to()


def test_a_payment_that_staff_entered_on_the_right_chart_meanwhile_is_asked_about(voided: Ora):
    order = voided.order
    what = {"amount_cents": order.amount_cents, "business_day": order.business_day, "note": "moved here"}
    payment_id = voided.world.staff("hand-payment", patient_id=voided.right, **what)
    voided.post_to()
    voided.world.run_after(minutes=(1,))
    assert voided.world.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]
    accept_manual_entry(voided.world.desk(), order.id, payment_id, actor="dana")
    assert voided.classes() == {DifferenceClass.MATCHED: 0}


def test_a_merged_chart_takes_its_voided_payment_along(posted: Ora):
    posted.begin()
    posted.void()
    posted.world.staff("merge", patient_id=posted.wrong, into=posted.right)
    assert posted.look().state is V
    posted.post_to()
    posted.world.run_after(minutes=(1, 15))
    assert posted.live() == [(posted.right, posted.order.amount_cents)]


def test_an_order_that_was_refunded_meanwhile_is_posted_to_nobody(voided: Ora):
    [record] = voided.world.shop.orders.values()
    refund(voided.world.shop, record.entity_id)
    voided.world.run_after(minutes=(1,))
    voided.post_to()
    voided.world.run_after(minutes=(1,))
    assert voided.order.state is OrderState.NOTHING_TO_POST
    assert voided.live() == []


def test_an_order_that_changes_before_it_is_posted_anew_is_not_matched_to_the_wrong_patient_again(voided: Ora):
    voided.post_to(remember=False)
    [record] = voided.world.shop.orders.values()
    voided.world.shop.change(record, customer_suffix="III")
    voided.world.run_after(minutes=(1,))
    assert (voided.order.state, voided.order.why) == (Q, Reason.WRONG_PATIENT)
    choose_patient(voided.world.desk(), voided.order.id, voided.right, actor="dana")
    voided.world.run_after(minutes=(1,))
    assert voided.live() == [(voided.right, voided.order.amount_cents)]


def test_a_run_that_dies_while_it_posts_anew_is_finished_by_the_next(voided: Ora):
    voided.post_to()
    with pytest.raises(KeyboardInterrupt):
        voided.world.run_after(voided.world.desk(nextech_wrap=dies_after_the_post), minutes=(1,))
    voided.world.run_after(minutes=(2, 15))
    assert (voided.order.state, voided.order.patient_id) == (C, voided.right)
    assert voided.live() == [(voided.right, voided.order.amount_cents)]


def test_a_restore_holds_what_was_to_be_posted_anew(voided: Ora):
    declare_restore(voided.world.ledger, voided.world.desk().practice, actor="dana")
    with pytest.raises(PermanentError, match="held after a restore"):
        voided.post_to()
    voided.world.clock.advance(hours=25)
    voided.post_to()
    voided.world.run_after(minutes=(1, 15))
    assert voided.live() == [(voided.right, voided.order.amount_cents)]


def test_reads_that_prove_nothing_record_no_void_and_post_nothing(voided: Ora):
    voided.world.plant(Effect.SHIFTED_PAGE, method="GET", route=PAYMENTS, remaining=None)
    with pytest.raises(OrderSyncError) as told:
        voided.post_to()
    assert not isinstance(told.value, PermanentError)
    assert voided.order.state is V


def test_an_undo_is_called_off(posted: Ora):
    posted.begin()
    called_off = call_off_undo(posted.world.desk(), posted.order.id, actor="dana")
    assert (called_off.state, called_off.detail) == (C, None)
    assert posted.world.open_cases() == []
    with pytest.raises(PermanentError, match="no undo is begun"):
        call_off_undo(posted.world.desk(), posted.order.id, actor="dana")


def test_of_two_people_who_undo_the_second_is_told(posted: Ora):
    seen = posted.order.version
    posted.begin()
    with pytest.raises(SomebodyWasFirstError, match="dana"):
        begin_undo(posted.world.desk(), posted.order.id, actor="ellis", version=seen)
    posted.void()
    posted.look()
    seen = posted.order.version
    posted.post_to(version=seen)
    with pytest.raises(SomebodyWasFirstError, match="dana"):
        posted.post_to(posted.wrong, version=seen)


def test_the_practice_day_of_the_new_posting_is_still_the_orders(voided: Ora):
    voided.world.clock.advance(hours=72)
    voided.post_to()
    voided.world.run_after(minutes=(1,))
    assert {row.business_day for row in voided.world.booked()} == {voided.order.business_day}
    assert voided.order.business_day < (WEDNESDAY_NOON + timedelta(hours=72)).date()
