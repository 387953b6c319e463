"""What stands between an order and a second posting: the look, the intent, the budget, the fence (reliability 3.3)."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from order_sync.desk import Desk
from order_sync.ledger.models import AttemptRow
from order_sync.ledger.session import Ledger
from order_sync.payments import PostOutcome
from order_sync.post import post_payments
from order_sync.reasons import Reason
from order_sync.resolve import post_again
from order_sync.statuses import OrderState
from order_sync.verify import verify_payments
from sandbox.nextech.faults import Effect
from tests.worlds import PAYMENTS, Between, SmallWorld


def test_a_ledger_that_lost_its_memory_posts_nothing_and_confirms_everything(ten: SmallWorld, new_ledger: Callable[[], Ledger]):
    ten.run()
    booked = ten.booked()
    restored = new_ledger()
    ten.run(ten.desk(ledger=restored))
    assert [row.state for row in ten.orders(restored)] == [OrderState.CONFIRMED] * 10
    assert ten.posts_seen() == 10
    assert ten.booked() == booked


def test_a_payment_that_staff_voided_is_not_posted_again_by_a_ledger_that_lost_its_memory(
    one: SmallWorld, new_ledger: Callable[[], Ledger]
):
    one.run()
    one.staff("void", payment_id=one.booked()[0].payment_id)
    restored = new_ledger()
    desk = one.desk(ledger=restored)
    one.run(desk)
    one.run_after(desk, hours=(1, 30))
    [order] = one.orders(restored)
    assert (order.state, order.why) == (OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED)
    assert one.posts_seen() == 1


def test_a_payment_that_staff_voided_while_it_was_being_verified_is_not_posted_again(one: SmallWorld):
    one.plant(Effect.TIMED_OUT_EXECUTED)
    one.run()
    one.staff("void", payment_id=one.booked()[0].payment_id)
    one.run_after(minutes=(1, 40, 20), hours=(30,))
    assert (one.order().state, one.order().why) == (OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED)
    assert one.posts_seen() == 1
    assert one.booked() == []


def test_voided_and_corrected_by_staff_is_one_posting(one: SmallWorld):
    one.plant(Effect.TIMED_OUT_EXECUTED)
    one.run()
    corrected = one.staff("void-and-correct", payment_id=one.booked()[0].payment_id)
    one.run_after(minutes=(1, 40, 20), hours=(30,))
    assert one.order().state is OrderState.CONFIRMED
    assert one.payment().payment_id == corrected
    assert one.posts_seen() == 1


def test_a_correction_to_another_amount_is_a_mismatch_and_not_a_reason_to_post(one: SmallWorld):
    one.plant(Effect.TIMED_OUT_EXECUTED)
    one.run()
    booked = one.booked()[0]
    one.staff("void-and-correct", payment_id=booked.payment_id, amount_cents=booked.amount_cents - 100)
    one.run_after(minutes=(1, 40, 20))
    assert one.open_reasons() == [Reason.PAYMENT_MISMATCH]
    assert one.posts_seen() == 1


def test_a_payment_that_staff_entered_before_us_is_not_posted_on_top(one: SmallWorld):
    chart, record = one.charts()[0], next(iter(one.shop.orders.values()))
    one.staff("hand-payment", patient_id=chart.patient_id, amount_cents=int(record.grand_total * 100))
    one.run()
    one.run_after(hours=(1, 30))
    assert one.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]
    assert one.posts_seen() == 0


@pytest.mark.parametrize(("effect", "field"), [(Effect.OTHER_AMOUNT, "amount"), (Effect.OTHER_DAY, "day")])
def test_what_is_booked_otherwise_than_asked_is_a_mismatch_until_staff_correct_it(one: SmallWorld, effect: Effect, field: str):
    one.plant(effect)
    one.run()
    one.run_after(minutes=(1, 40, 20))
    assert (one.order().state, one.order().why) == (OrderState.QUEUED, Reason.PAYMENT_MISMATCH)
    assert field in (one.order().detail or "")
    plan = one.payment()
    one.staff(
        "void-and-correct",
        payment_id=one.booked()[0].payment_id,
        amount_cents=plan.amount_cents,
        business_day=plan.business_day,
    )
    one.run_after(hours=(25,))
    assert one.order().state is OrderState.CONFIRMED
    assert one.open_cases() == []
    assert one.posts_seen() == 1


def test_what_a_gateway_executed_twice_is_a_duplicate_until_staff_void_one(one: SmallWorld):
    one.plant(Effect.EXECUTED_TWICE)
    one.run()
    assert one.open_reasons() == [Reason.DUPLICATE_POSTING]
    one.staff("void", payment_id=one.booked()[1].payment_id)
    one.run_after(hours=(25,))
    assert one.order().state is OrderState.CONFIRMED
    assert one.open_cases() == []
    assert one.posts_seen() == 1


def test_a_patient_who_was_merged_before_the_posting_is_gone_and_the_order_waits_for_a_person(empty: SmallWorld):
    one = SmallWorld(empty.ledger, empty.clock, replace(empty.options, load={"eastern": 2}))
    first, second = one.charts()

    def merge_first(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and first.patient_id in str(request.url) and not one.posts_seen():
            one.staff("merge", patient_id=first.patient_id, into=second.patient_id)
        return request

    desk = one.desk(nextech_wrap=lambda inner: Between(inner, merge_first))
    one.run(desk)
    assert sorted(row.state for row in one.orders()) == sorted([OrderState.QUEUED, OrderState.CONFIRMED])
    assert one.open_reasons() == [Reason.PATIENT_GONE]


@contextmanager
def at_commit_of_an_intent(desk: Desk, happen: Callable[[], None]):
    """Let something happen when the first transaction that began an attempt is committed."""
    began: list[int] = []

    def see(_connection, _cursor, statement, *_rest):
        if "INSERT INTO attempts" in statement:
            began.append(1)

    def commit(_connection):
        if began == [1]:
            began.append(2)
            happen()

    event.listen(desk.ledger.engine, "before_cursor_execute", see)
    event.listen(desk.ledger.engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(desk.ledger.engine, "before_cursor_execute", see)
        event.remove(desk.ledger.engine, "commit", commit)


def test_a_commit_that_took_longer_than_the_send_budget_sends_nothing_and_the_next_run_posts(one: SmallWorld):
    desk = one.desk()
    with at_commit_of_an_intent(desk, lambda: one.clock.advance(seconds=6)):
        one.run(desk)
    assert one.posts_seen() == 0
    assert one.order().state is OrderState.MATCHED
    assert one.attempts()[0].outcome is PostOutcome.NOT_EXECUTED
    one.run_after(desk, minutes=[15])
    assert one.order().state is OrderState.CONFIRMED
    assert len(one.booked()) == 1


def test_a_commit_that_is_refused_sends_nothing_and_the_next_run_posts(one: SmallWorld):
    desk = one.desk()

    def refuse() -> None:
        raise OperationalError("COMMIT", {}, OSError("disk full"))

    with at_commit_of_an_intent(desk, refuse), pytest.raises(OperationalError):
        one.run(desk)
    assert one.posts_seen() == 0
    assert one.attempts() == []
    one.run_after(desk, minutes=[15])
    assert one.order().state is OrderState.CONFIRMED
    assert len(one.booked()) == 1


def test_an_intent_whose_process_died_is_looked_for_and_not_sent_again(one: SmallWorld):
    def die(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.endswith("PaymentReconciliation"):
            raise KeyboardInterrupt
        return request

    with pytest.raises(KeyboardInterrupt):
        one.run(one.desk(nextech_wrap=lambda inner: Between(inner, die)))
    assert one.order().state is OrderState.INTENT
    one.run()
    assert one.order().state is OrderState.INTENT, "nobody touches an intent before its deadline"
    one.run_after(minutes=[2])
    assert one.order().state is OrderState.UNKNOWN
    one.run_after(minutes=(40, 20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    assert one.posts_seen() == 0


def test_an_answer_after_the_deadline_confirms_its_own_attempt_when_the_look_has_not(one: SmallWorld):
    other = one.desk()

    def be_late(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.endswith("PaymentReconciliation"):
            one.clock.advance(minutes=3)
            verify_payments(other)  # the row is not booked yet
            assert one.order().state is OrderState.UNKNOWN
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, be_late)))
    assert one.order().state is OrderState.CONFIRMED
    assert one.payment().payment_id == one.booked()[0].payment_id
    one.run_after(minutes=(20, 40, 20))
    assert one.order().state is OrderState.CONFIRMED
    assert one.payment().verified_at is not None


def test_a_late_answer_of_an_older_attempt_is_a_duplicate_to_look_at(one: SmallWorld):
    """A process frozen for a day wakes up after a person has let the order be posted again (reliability 2.4)."""
    one.switch(token_lifetime_seconds=500_000)
    other = one.desk()
    seen: list[str] = []

    def freeze(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.endswith("PaymentReconciliation") and not seen:
            seen.append("first")
            one.run_after(other, minutes=(3, 40, 20, 20))
            assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
            one.clock.advance(hours=25)
            post_again_and_run(one, other)
            assert one.order().state is OrderState.CONFIRMED
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, freeze)))
    assert one.order().state is OrderState.QUEUED
    assert one.open_reasons() == [Reason.DUPLICATE_POSTING]


def post_again_and_run(one: SmallWorld, desk: Desk) -> None:
    post_again(desk, one.order().id, actor="dana")
    one.run(desk)


def test_reads_that_never_succeed_for_a_day_hand_the_order_to_a_person(one: SmallWorld):
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.plant(Effect.UNAVAILABLE, method="GET", route=PAYMENTS, remaining=None)
    one.run_after(hours=(1, 22))
    assert one.order().state is OrderState.UNKNOWN
    one.run_after(hours=(3,))
    assert (one.order().state, one.order().why) == (OrderState.QUEUED, Reason.CANNOT_VERIFY)
    one.heal()
    one.run_after(hours=(25,))
    assert one.posts_seen() == 1
    assert one.order().why in {Reason.CANNOT_VERIFY, Reason.OUTCOME_UNKNOWN}


def test_a_day_without_runs_is_no_day_of_failed_reads(one: SmallWorld):
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(hours=(30,))
    assert one.order().state is OrderState.UNKNOWN
    one.run_after(minutes=[20])
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]


def test_an_order_with_an_unsettled_attempt_is_left_alone_and_the_sweep_ends(one: SmallWorld):
    one.plant(Effect.UNAUTHORIZED)
    one.run()
    order_id = one.order().id
    with one.ledger.transaction() as tx:
        tx.session.add(
            AttemptRow(
                attempt_id="left by another version",
                order_id=order_id,
                kind="payment",
                fence=99,
                request_sha256="0" * 64,
                intended_at=one.clock.now(),
                deadline=one.clock.now(),
            )
        )
    one.clock.advance(minutes=15)
    post_payments(one.desk())
    assert one.order().state is OrderState.MATCHED
    assert one.order().failed_at == one.clock.now()
    assert one.posts_seen() == 1


def test_a_plan_is_not_overwritten_by_a_desk_that_slept_past_its_claim(one: SmallWorld):
    """The slow desk read the order as ready; meanwhile another one has posted it."""
    other = one.desk()
    seen: list[str] = []

    def sleep_first(request: httpx.Request) -> httpx.Request:
        if request.method == "GET" and not seen and one.states() == [OrderState.MATCHED]:
            seen.append("slept")
            one.clock.advance(minutes=6)
            post_payments(other)
            assert one.order().state is OrderState.CONFIRMED
        return request

    one.run(one.desk(store_wrap=lambda inner: Between(inner, sleep_first)))
    assert seen
    assert one.payment().payment_id == one.booked()[0].payment_id
    assert one.payment().verified_at is not None
    assert one.posts_seen() == 1


def test_a_post_is_preceded_by_a_read_of_the_same_patients_payments(one: SmallWorld):
    order: list[str] = []

    def listen(request: httpx.Request) -> httpx.Request:
        order.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, listen)))
    assert order[-3:] == ["GET PaymentReconciliation", "POST PaymentReconciliation", "GET PaymentReconciliation"]
