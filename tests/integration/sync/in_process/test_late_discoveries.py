"""What is found out about a payment long after it was sent."""

import httpx
from sqlalchemy import update

from order_sync.ledger.models import OrderRow
from order_sync.orders import OrderProblem
from order_sync.post import post_payments
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import post_again
from order_sync.statuses import OrderState
from order_sync.verify import verify_payments
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from tests.worlds import PAYMENTS, Between, SmallWorld


def enter_by_hand(world: SmallWorld) -> None:
    payment = world.payment()
    world.staff(
        "hand-payment",
        patient_id=payment.patient_id,
        amount_cents=payment.amount_cents,
        business_day=payment.business_day.isoformat(),
        note="typed in at the desk",
    )


def test_a_payment_that_arrives_after_staff_entered_it_by_hand_is_a_case_and_not_silently_doubled(one: SmallWorld):
    one.plant(Effect.EXECUTED_LATE, after_seconds=20 * 3600)
    one.run()
    one.run_after(minutes=(2, 35, 20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    enter_by_hand(one)
    one.run_after(hours=(21, 10, 15, 10))
    [case] = one.open_cases()
    assert case.reason == Reason.DUPLICATE_POSTING
    assert one.booked()[0].payment_id in case.sentence


def test_a_late_booking_is_noticed_beside_an_entry_that_was_taken_for_it(one: SmallWorld):
    one.plant(Effect.EXECUTED_LATE, after_seconds=20 * 3600)
    one.run()
    enter_by_hand(one)
    one.run_after(minutes=(2, 35, 20, 20))
    assert one.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]
    one.run_after(hours=(21, 10, 15, 10))
    assert one.open_reasons() == [Reason.DUPLICATE_POSTING]
    assert one.posts_seen() == 1


def test_an_amount_that_staff_corrected_to_the_orders_new_one_ends_the_case(one: SmallWorld):
    one.run()
    [booked] = one.booked()
    with one.ledger.transaction() as tx:
        tx.session.execute(
            update(OrderRow).values(
                state=OrderState.QUEUED,
                public_status="Not Synced",
                reason=Reason.AMOUNT_CHANGED_AFTER_POSTING,
                amount_cents=booked.amount_cents + 500,
                version=OrderRow.version + 1,
            )
        )
    one.run_after(hours=(25,))
    assert one.order().why is Reason.AMOUNT_CHANGED_AFTER_POSTING
    one.staff("void-and-correct", payment_id=booked.payment_id, amount_cents=booked.amount_cents + 500)
    one.run_after(hours=(25,))
    assert one.order().state is OrderState.CONFIRMED
    assert one.payment().amount_cents == booked.amount_cents + 500
    assert one.posts_seen() == 1


def test_an_order_that_could_not_be_read_and_proves_older_than_the_integration_is_disabled(one: SmallWorld):
    [record] = one.shop.orders.values()
    from order_sync.intake import take_in

    with one.ledger.transaction() as tx:
        take_in(tx, one.desk(), OrderProblem(record.entity_id, "it cannot be read"))
    assert one.order().state is OrderState.QUEUED
    started = one.desk().practice.active[0].model_copy(update={"since": one.clock.now()})
    desk = one.desk(settings={"active": (started,)})
    sync_order(desk, one.order().number)
    assert (one.order().state, one.open_cases()) == (OrderState.DISABLED, [])


def test_an_order_that_could_not_be_read_for_a_while_is_synced_when_the_store_has_healed(ten: SmallWorld):
    victim = min(ten.shop.orders)
    ten.plant_in_store(StoreEffect.POISON, order_id=victim)
    ten.run()
    assert ten.open_reasons() == [Reason.ORDER_UNREADABLE]
    ten.heal()
    ten.run_after(minutes=(60,))
    assert ten.states() == [OrderState.CONFIRMED] * 10
    assert ten.open_cases() == []


def test_the_ledger_holds_no_hash_that_could_be_tested_against_guesses(one: SmallWorld):
    [record] = one.shop.orders.values()
    plain = one.seen_in_store(record).content_hash
    one.run()
    assert len(one.order().content_hash) == 64
    assert one.order().content_hash != plain


def test_an_absence_that_was_read_before_a_new_attempt_does_not_count_for_it(one: SmallWorld):
    one.plant(Effect.TIMED_OUT, remaining=2)
    one.run()
    one.run_after(minutes=(2, 35, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    one.clock.advance(hours=25)
    pressed = []

    def press(request: httpx.Request) -> httpx.Request:
        if not pressed and request.method == "GET" and request.url.path.endswith(PAYMENTS):
            pressed.append(post_again(one.desk(), one.order().id, actor="dana"))
            post_payments(one.desk())
        return request

    verify_payments(one.desk(nextech_wrap=lambda inner: Between(inner, press)))
    assert pressed
    assert (one.order().state, one.payment().absent_reads) == (OrderState.UNKNOWN, 0)
    one.run_after(minutes=(16,))
    assert one.order().state is OrderState.UNKNOWN, "the new attempt has not settled"
    one.run_after(minutes=(20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
