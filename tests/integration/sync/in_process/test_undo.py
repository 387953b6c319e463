"""Undo: what was posted to the wrong patient is voided by staff and posted to the right one, once, under the same marker."""

from datetime import timedelta

import httpx
import pytest

from order_sync.collect import collect_facts
from order_sync.errors import OrderSyncError, PermanentError, SomebodyWasFirstError
from order_sync.ledger.models import OrderRow
from order_sync.ledger.remembered import remembered_patients
from order_sync.manual_entries import accept_manual_entry
from order_sync.reasons import Reason
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.periods import month_of
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, create_account, dismiss, post_again
from order_sync.restores import declare_restore
from order_sync.statuses import OrderState, PublicStatus
from order_sync.undo import begin_undo, call_off_undo, is_undo_begun, look_for_void, post_to
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.refunds import refund
from tests.integration.sync.guards.ground import dies_after_the_post
from tests.worlds import PAYMENTS, WEDNESDAY_NOON, Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
C, Q, M, V = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.MATCHED, OrderState.CLOSED_VOIDED


class Ora:
    """Ora has two charts; her order was sent to the wrong one."""

    def __init__(self, world: SmallWorld) -> None:
        self.world = world
        world.add_chart(ORA, "wrong", birth_date=None)
        world.add_chart(ORA, "right", birth_date=None)
        self.wrong, self.right = (chart.patient_id for chart in world.charts())
        world.place(ORA.buyer())
        world.run()
        choose_patient(world.desk(), self.order.id, self.wrong, actor="ellis")

    @property
    def order(self) -> OrderRow:
        return self.world.orders()[0]

    def live(self) -> list[tuple[str, int]]:
        """Return on whom so many cents stand under the order's marker."""
        marker = self.world.payment().marker
        rows = self.world.nextech.offices["eastern"].chart.payments.values()
        return [(row.patient_guid, row.amount_cents) for row in rows if row.marker == marker and row.status == "active"]

    def void(self) -> None:
        self.world.staff("void", payment_id=self.world.payment().payment_id)

    def begin(self) -> None:
        begin_undo(self.world.desk(), self.order.id, actor="dana", version=self.order.version)

    def look(self, **how: object) -> OrderRow:
        return look_for_void(self.world.desk(), self.order.id, actor="dana", **how)

    def post_to(self, patient_id: str | None = None, **how: object) -> OrderRow:
        return post_to(self.world.desk(), self.order.id, patient_id or self.right, actor="dana", **how)

    def classes(self) -> dict[str, int]:
        desk, period = self.world.desk(), month_of(WEDNESDAY_NOON.date())
        lines = reconcile(collect_facts(desk, period).facts, period, practice_id="eastern", as_of=self.world.clock.now())
        return {row["class_"]: int(row["explains_cents"]) for row in lines.to_dict("records")}


@pytest.fixture
def picked(empty: SmallWorld) -> Ora:
    """Sent to the wrong chart by a person; no run has posted it yet."""
    return Ora(empty)


@pytest.fixture
def posted(picked: Ora) -> Ora:
    """Posted to the wrong chart."""
    picked.world.run_after(minutes=(15,))
    assert picked.order.state is C
    return picked


@pytest.fixture
def voided(posted: Ora) -> Ora:
    """Posted to the wrong chart, and voided there."""
    posted.begin()
    posted.void()
    posted.look()
    return posted


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
