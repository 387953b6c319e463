"""Undo: what was posted to the wrong patient is voided by staff and posted to the right one, once, under the same marker."""

import httpx
import pytest

from order_sync.errors import OrderSyncError, PermanentError
from order_sync.ledger.remembered import remembered_patients
from order_sync.reasons import Reason
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.rerun import sync_order
from order_sync.resolve import choose_patient, create_account
from order_sync.statuses import OrderState, PublicStatus
from order_sync.undo import begin_undo, is_undo_begun
from sandbox.nextech.faults import Effect
from tests.integration.sync.in_process.ora import Ora
from tests.worlds import PAYMENTS, Between

C, Q, M, V = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.MATCHED, OrderState.CLOSED_VOIDED


def test_the_whole_way_ends_with_one_payment_on_the_right_chart(posted: Ora):
    world = posted.world
    undo = begin_undo(world.desk(), posted.order.id, actor="dana", version=posted.order.version)
    payment = world.payment()
    assert (undo.payment_id, undo.marker, undo.patient_id) == (payment.payment_id, payment.marker, posted.wrong)
    assert (posted.order.state, posted.order.public_status, is_undo_begun(posted.order)) == (C, PublicStatus.SYNCED, True)
    [case] = world.open_cases()
    assert (case.reason, case.sentence) == (
        Reason.WRONG_PATIENT,
        f"The wrong patient was picked: payment {payment.payment_id}",
    )
    posted.void()
    assert posted.look().state is V
    assert world.open_reasons() == [Reason.WRONG_PATIENT], "it is not done yet"
    assert posted.post_to().state is M
    assert world.open_cases() == []
    world.run_after(minutes=(1, 15), hours=(25,))
    assert (posted.order.state, posted.order.patient_id, posted.order.detail) == (C, posted.right, None)
    assert posted.live() == [(posted.right, posted.order.amount_cents)]
    assert world.payment().marker == payment.marker
    assert world.payment().verified_at is not None
    assert posted.classes() == {DifferenceClass.MATCHED: 0}


def test_the_remembered_choice_is_revoked_at_once_and_the_new_one_is_remembered(posted: Ora):
    key = str(posted.order.customer_key)

    def remembered() -> list[str]:
        with posted.world.ledger.transaction() as tx:
            return list(remembered_patients(tx, "eastern", [key]).values())

    assert remembered() == [posted.wrong]
    posted.begin()
    assert remembered() == []
    posted.void()
    posted.look()
    posted.post_to()
    assert remembered() == [posted.right]


def test_an_order_that_was_not_sent_yet_goes_back_to_the_queue(picked: Ora):
    undo = begin_undo(picked.world.desk(), picked.order.id, actor="dana")
    assert (undo.payment_id, picked.order.state, picked.order.why) == (None, Q, Reason.WRONG_PATIENT)
    [case] = picked.world.open_cases()
    assert case.candidate_ids == sorted([picked.wrong, picked.right])
    picked.world.run_after(minutes=(15,))
    with pytest.raises(OrderSyncError, match="The wrong patient was picked"):
        sync_order(picked.world.desk(), picked.order.number)
    assert picked.world.booked() == []
    choose_patient(picked.world.desk(), picked.order.id, picked.right, actor="dana")
    picked.world.run_after(minutes=(15,))
    assert picked.live() == [(picked.right, picked.order.amount_cents)]


def test_an_order_that_was_not_sent_yet_may_get_an_account_instead(picked: Ora):
    begin_undo(picked.world.desk(), picked.order.id, actor="dana")
    create_account(picked.world.desk(), picked.order.id, actor="dana")
    picked.world.run_after(minutes=(15,))
    assert picked.order.state is C
    assert {row.patient_id for row in picked.world.booked()}.isdisjoint({picked.wrong, picked.right})


def test_a_run_that_has_taken_the_order_up_already_does_not_send_it(picked: Ora):
    """Between the look at the payments and the claim, the person says that it is the wrong patient."""
    world, came = picked.world, list[str]()

    def come(request: httpx.Request) -> httpx.Request:
        if request.url.path.endswith(PAYMENTS) and request.method == "GET" and not came:
            came.append("dana")
            begin_undo(world.desk(), picked.order.id, actor="dana")
        return request

    world.run_after(world.desk(nextech_wrap=lambda inner: Between(inner, come)), minutes=(15,))
    assert came
    assert (picked.order.state, picked.order.why) == (Q, Reason.WRONG_PATIENT)
    assert world.posts_seen() == 0


@pytest.mark.parametrize("effect", [Effect.TIMED_OUT, Effect.TIMED_OUT_EXECUTED])
def test_an_order_whose_payment_is_being_verified_cannot_be_undone_yet(picked: Ora, effect: Effect):
    picked.world.plant(effect)
    picked.world.run_after(minutes=(15,))
    assert picked.order.state is OrderState.UNKNOWN
    with pytest.raises(PermanentError, match="on its way; wait"):
        begin_undo(picked.world.desk(), picked.order.id, actor="dana")


def test_while_it_stands_no_void_is_found_and_it_is_posted_to_nobody_else(posted: Ora):
    posted.begin()
    payment_id = posted.world.payment().payment_id
    with pytest.raises(PermanentError, match=f"payment {payment_id} stands; void it in Nextech first"):
        posted.look()
    with pytest.raises(PermanentError, match="its payment is not voided"):
        posted.post_to()
    posted.world.run_after(minutes=(15,))
    assert posted.order.state is C


def test_a_corrected_copy_on_the_old_chart_is_no_void(posted: Ora):
    posted.begin()
    copy = posted.world.staff("void-and-correct", payment_id=posted.world.payment().payment_id)
    with pytest.raises(PermanentError, match=f"payment {copy} stands"):
        posted.look()


def test_a_correction_that_lost_its_note_is_asked_about(posted: Ora):
    posted.begin()
    copy = posted.world.staff("void-and-correct", payment_id=posted.world.payment().payment_id, note="corrected")
    with pytest.raises(PermanentError, match=f"payment {copy} has the same amount and day"):
        posted.look()
    assert posted.look(unrelated_payment_id=copy).state is V
    posted.post_to()
    posted.world.run_after(minutes=(15,))
    assert posted.live() == [(posted.right, posted.order.amount_cents)]
