"""What the store does to an order before and after its payment was posted, and what becomes of it here."""

from datetime import timedelta
from decimal import Decimal

import pytest

from order_sync.errors import OrderNotSyncedError, PermanentError
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import choose_patient, post_again
from order_sync.statuses import OrderState, PublicStatus
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store import actions
from sandbox.store.records import OrderRecord
from sandbox.store.refunds import refund
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")


@pytest.fixture
def known(empty: SmallWorld) -> SmallWorld:
    """Ora's chart, no order yet."""
    empty.add_chart(ORA)
    return empty


def test_an_order_on_hold_waits_and_is_posted_when_it_is_released(known: SmallWorld):
    record = known.place(ORA.buyer(), steps=("capture", "hold"))
    known.run()
    assert (known.order().state, known.order().why) == (OrderState.WAITING, Reason.ON_HOLD)
    assert known.order().public_status is PublicStatus.WAITING
    actions.unhold(known.shop, record.entity_id)
    known.run_after(minutes=(15,))
    assert known.order().state is OrderState.CONFIRMED


def test_an_order_that_is_paid_in_parts_is_posted_once_and_whole(known: SmallWorld):
    record = known.place(ORA.buyer(), steps=("capture_part",), basket=(("DRM-VITC-30", 1),))
    known.run()
    assert known.order().why is Reason.PARTLY_PAID
    actions.capture(known.shop, record.entity_id)
    known.run_after(minutes=(15, 15))
    assert [row.amount_cents for row in known.booked()] == [int(record.grand_total * 100)]


def test_an_order_cancelled_before_the_posting_owes_nothing(known: SmallWorld):
    record = known.place(ORA.buyer(), steps=())
    known.run()
    actions.cancel(known.shop, record.entity_id)
    known.run_after(minutes=(15,))
    assert (known.order().state, known.order().why) == (OrderState.NOTHING_TO_POST, Reason.CANCELLED)
    assert known.posts_seen() == 0


def test_a_refund_between_the_match_and_the_post_posts_nothing(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.plant(Effect.UNAUTHORIZED)
    known.run()
    assert known.order().state is OrderState.MATCHED
    refund(known.shop, record.entity_id)
    from order_sync.post import post_payments

    known.clock.advance(minutes=15)
    post_payments(known.desk())  # without an extraction: the order is read again right before the claim
    assert (known.order().state, known.order().why) == (OrderState.NOTHING_TO_POST, Reason.REFUNDED_BEFORE_POSTING)
    assert known.booked() == []


def test_refunds_after_the_posting_are_a_case_with_the_amount_that_grows(known: SmallWorld):
    record = known.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    known.run()
    refund(known.shop, record.entity_id, adjustment=Decimal(10))
    known.run_after(minutes=(15,))
    [case] = known.open_cases()
    assert (case.reason, case.amount_cents, case.order_number) == (Reason.REFUND_TO_RECORD, 1_000, record.number)
    known.clock.advance(minutes=5)
    refund(known.shop, record.entity_id, adjustment=Decimal(15))
    known.run_after(minutes=(15, 15))
    [case] = known.open_cases()
    assert case.amount_cents == 2_500
    assert known.order().state is OrderState.CONFIRMED
    assert known.posts_seen() == 1


def test_a_refund_while_the_outcome_is_being_verified_is_a_case_once_the_payment_is_found(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.plant(Effect.TIMED_OUT_EXECUTED)
    known.run()
    refund(known.shop, record.entity_id)
    known.run_after(minutes=(15,))
    assert known.order().state is OrderState.CONFIRMED
    assert known.open_reasons() == [Reason.REFUND_TO_RECORD]


def raise_amount(world: SmallWorld, record: OrderRecord) -> None:
    record = world.shop.orders[record.entity_id]
    more = {name: record.row[name] + 5 for name in ("grand_total", "total_paid", "subtotal")}
    world.shop.change(record, **more)


def test_an_amount_that_changes_after_the_posting_is_a_case_and_no_second_posting(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.run()
    known.clock.advance(minutes=1)
    raise_amount(known, record)
    known.run_after(minutes=(15, 15))
    assert known.open_reasons() == [Reason.AMOUNT_CHANGED_AFTER_POSTING]
    assert known.posts_seen() == 1


def test_an_amount_that_changes_while_the_outcome_is_unknown_is_a_case_once_the_payment_is_found(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.plant(Effect.TIMED_OUT_EXECUTED)
    known.run()
    known.clock.advance(minutes=1)
    raise_amount(known, record)
    known.run_after(minutes=(15, 15))
    assert known.open_reasons() == [Reason.AMOUNT_CHANGED_AFTER_POSTING]


def test_an_order_edited_after_it_was_posted_is_not_posted_a_second_time(known: SmallWorld):
    record = known.place(ORA.buyer(), steps=())
    known.run()
    new = actions.edit(known.shop, record.entity_id)
    actions.capture(known.shop, new.entity_id)
    known.run_after(minutes=(15,))
    by_number = {row.number: row for row in known.orders()}
    assert by_number[record.number].why is Reason.CANCELLED
    assert by_number[new.number].why is Reason.EDITED_ORDER
    assert known.posts_seen() == 0


def test_a_birth_date_that_the_customer_adds_takes_the_order_out_of_the_queue_by_itself(empty: SmallWorld):
    record = empty.place(ORA.buyer(birth_date=None))
    empty.run()
    assert empty.open_reasons() == [Reason.CANNOT_CREATE_ACCOUNT]
    empty.clock.advance(minutes=5)
    shown = empty.shop.orders[record.entity_id]
    empty.shop.change(shown, customer_dob=f"{ORA.birth_date} 00:00:00")
    empty.run_after(minutes=(15,))
    assert empty.order().state is OrderState.CONFIRMED
    assert empty.open_cases() == []


def test_what_means_nothing_changes_nothing(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.run()
    version = known.order().version
    known.clock.advance(minutes=5)
    actions.touch(known.shop, record.entity_id)
    known.run_after(minutes=(15,))
    assert known.order().version == version


@pytest.mark.parametrize("effect", [Effect.REJECTED, Effect.NOT_FOUND])
def test_an_order_refunded_while_it_was_queued_is_not_posted_by_a_rerun(known: SmallWorld, effect: Effect):
    record = known.place(ORA.buyer())
    known.plant(effect)
    known.run()
    assert known.order().state is OrderState.QUEUED
    known.clock.advance(minutes=5)
    refund(known.shop, record.entity_id)
    known.run_after(minutes=(15,))
    sync_order(known.desk(), record.number)
    assert (known.order().state, known.order().why) == (OrderState.NOTHING_TO_POST, Reason.REFUNDED_BEFORE_POSTING)
    assert known.booked() == []


def test_an_order_refunded_while_it_was_queued_is_not_posted_when_a_person_picks_the_patient(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.plant(Effect.NOT_FOUND)
    known.run()
    refund(known.shop, record.entity_id)
    known.run_after(minutes=(15,))
    choose_patient(known.desk(), known.order().id, known.charts()[0].patient_id, actor="dana")
    known.run_after(minutes=(15,))
    assert known.order().state is OrderState.NOTHING_TO_POST
    assert known.booked() == []


def test_an_order_refunded_while_its_outcome_was_unknown_is_not_posted_again_by_a_person(known: SmallWorld):
    record = known.place(ORA.buyer())
    known.plant(Effect.TIMED_OUT)
    known.run()
    known.run_after(minutes=(40, 20, 20))
    refund(known.shop, record.entity_id)
    known.run_after(hours=(25,))
    post_again(known.desk(), known.order().id, actor="dana")
    known.run_after(minutes=(15,))
    assert known.order().state is OrderState.NOTHING_TO_POST
    assert known.booked() == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"currency": "CAD"}, Reason.CURRENCY_UNKNOWN),
        ({"totals_error": Decimal(3)}, Reason.TOTALS_DISAGREE),
        ({"has_payment": False}, Reason.PAYMENT_MISSING),
        ({"extra_tax": Decimal("0.0004")}, Reason.AMOUNT_INVALID),
    ],
)
def test_picking_a_patient_does_not_post_an_amount_that_nobody_knows(known: SmallWorld, options: dict, reason: Reason):
    record = known.place(ORA.buyer(), **options)
    known.run()
    assert known.open_reasons() == [reason]
    with pytest.raises(PermanentError, match="does not wait for a patient"):
        choose_patient(known.desk(), known.order().id, known.charts()[0].patient_id, actor="dana")
    with pytest.raises(OrderNotSyncedError):
        sync_order(known.desk(), record.number)
    assert known.open_reasons() == [reason]
    assert known.booked() == []


def test_an_order_above_the_limit_is_posted_when_a_person_has_released_it(known: SmallWorld):
    known.place(ORA.buyer(), basket=(("DRM-SVC-LASER", 11),))
    known.run()
    assert known.open_reasons() == [Reason.AMOUNT_LIMIT]
    choose_patient(known.desk(), known.order().id, known.charts()[0].patient_id, actor="dana")
    known.run_after(minutes=(15,))
    assert known.order().state is OrderState.CONFIRMED


def test_an_integration_that_is_switched_off_afterwards_does_not_stop_the_reading(known: SmallWorld):
    """The end of the active period is set back behind an order that waits: it stays, and the others go on."""
    held = known.place(ORA.buyer(), steps=("capture", "hold"))
    known.run()
    [period] = known.desk().practice.active
    until = known.order().placed_at - timedelta(minutes=1)
    desk = known.desk(settings={"active": (period.model_copy(update={"until": until}),)})
    actions.unhold(known.shop, held.entity_id)
    known.place(ORA.buyer())
    failures = known.run(desk)
    assert failures == []
    assert sorted(known.states()) == sorted([OrderState.WAITING, OrderState.DISABLED])
    assert known.booked() == []
