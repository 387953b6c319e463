"""One hard day each for what people decide: while a payment is under way, and on a page that is no longer true."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import httpx
from sqlalchemy.exc import IntegrityError

from order_sync.errors import LedgerBusyError, OrderSyncError
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, dismiss, post_again
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect
from tests.integration.sync.guards.ground import ORA, Ground, dies_after_the_post, is_posting
from tests.integration.sync.guards.posting_schedules import HALF_AN_HOUR, is_booked_once
from tests.worlds import PAYMENTS, Between, SmallWorld

NOBODY = "00000000-0000-4000-8000-00000000dead"


# -- R9: while a payment is under way, nobody else decides about its order


def _is_told_no(world: SmallWorld, decide: Callable[[], object]) -> None:
    """Let a person, or a rerun, come while a payment is being sent; the payment must end as if nobody had come."""

    def come(request: httpx.Request) -> httpx.Request:
        if is_posting(request):
            with contextlib.suppress(OrderSyncError, IntegrityError):
                decide()
        return request

    world.run(world.desk(nextech_wrap=lambda inner: Between(inner, come)))
    world.run_after(minutes=(15,))
    is_booked_once(world)
    open_attempts = [attempt for attempt in world.attempts() if attempt.outcome is None]
    assert open_attempts == [], "stuck: nobody recorded what became of the payment"
    assert world.order().state is OrderState.CONFIRMED, f"wrong state: {world.order().state}"


def sent_while_it_is_posted(ground: Ground) -> None:
    one = ground.world()
    chart = one.charts()[0].patient_id
    _is_told_no(one, lambda: choose_patient(one.desk(), one.order().id, chart, actor="dana"))


def posted_again_while_it_is_posted(ground: Ground) -> None:
    one = ground.world()
    _is_told_no(one, lambda: post_again(one.desk(), one.order().id, actor="dana"))


def rerun_while_it_is_posted(ground: Ground) -> None:
    one = ground.world()
    _is_told_no(one, lambda: sync_order(one.desk(), one.order().number))


def dismissed_while_it_is_posted(ground: Ground) -> None:
    one = ground.world()
    why = DismissReason.POSTED_BY_HAND
    _is_told_no(one, lambda: dismiss(one.desk(), one.order().id, actor="dana", why=why))


def rerun_while_it_is_refused(ground: Ground) -> None:
    """A rerun looks at an order whose payment is being refused: the refusal must not be lost."""
    one = ground.world()
    one.plant(Effect.REJECTED)

    def come(request: httpx.Request) -> httpx.Request:
        if is_posting(request):
            with contextlib.suppress(OrderSyncError):
                sync_order(one.desk(), one.order().number)
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, come)))
    assert one.open_reasons() == [Reason.PAYMENT_REJECTED], "wrong text: the proved rejection is lost"


# -- R10: a page that is no longer true


def _duplicated(ground: Ground) -> SmallWorld:
    empty = ground.world(0)
    for key in ("", "second"):
        empty.add_chart(ORA, key)
    empty.place(ORA.buyer())
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER], "the ground: a person has to pick"
    return empty


def sent_from_a_page_on_which_it_waited_for_something_else(ground: Ground) -> None:
    empty = _duplicated(ground)
    seen = empty.order()
    first, second = (chart.patient_id for chart in empty.charts())
    choose_patient(empty.desk(), seen.id, first, actor="eli")
    empty.plant(Effect.NOT_FOUND)
    empty.run()
    assert empty.open_reasons() == [Reason.PATIENT_GONE], "the ground: the chart is gone"
    with contextlib.suppress(LedgerBusyError):
        choose_patient(empty.desk(), seen.id, second, actor="dana", version=seen.version)
    empty.run()
    assert empty.open_reasons() == [Reason.PATIENT_GONE], "wrong patient: picked for a case that nobody had read"


def _unknown(ground: Ground) -> SmallWorld:
    one = ground.world()
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN], "the ground: nobody knows whether it was booked"
    return one


def _enter_by_hand(world: SmallWorld) -> None:
    plan = world.payment()
    what = {"patient_id": plan.patient_id, "amount_cents": plan.amount_cents, "business_day": plan.business_day}
    world.staff("hand-payment", note="web order", **what)


def posted_again_from_a_page_before_it_was_entered_by_hand(ground: Ground) -> None:
    one = _unknown(ground)
    seen = one.order()
    one.clock.advance(hours=25)
    _enter_by_hand(one)
    post_again(one.desk(), seen.id, actor="eli")
    assert one.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY], "the ground: the fresh read sees what was entered"
    with contextlib.suppress(LedgerBusyError):
        post_again(one.desk(), seen.id, actor="dana", version=seen.version)
    one.run()
    assert one.booked() == [], "doubled: posted beside an entry by hand of which nobody was told"


def entered_by_hand_just_before_it_is_posted_again(ground: Ground) -> None:
    one = _unknown(ground)
    one.clock.advance(hours=25)
    _enter_by_hand(one)
    post_again(one.desk(), one.order().id, actor="dana")
    one.run()
    assert one.booked() == [], "doubled: posted beside an entry by hand of which nobody was told"


def posted_again_by_two_people(ground: Ground) -> None:
    """While Dana's press reads the payments, Eli's is through, and the run that posts dies behind the POST."""
    one = _unknown(ground)
    one.clock.advance(hours=25)
    order_id, came = one.order().id, list[str]()

    def come(request: httpx.Request) -> httpx.Request:
        if request.url.path.endswith(PAYMENTS) and not came:
            came.append("eli")
            post_again(one.desk(), order_id, actor="eli")
            one.plant(Effect.EXECUTED_LATE, after_seconds=HALF_AN_HOUR)
            with contextlib.suppress(KeyboardInterrupt):
                one.run(one.desk(nextech_wrap=dies_after_the_post))
        return request

    with contextlib.suppress(LedgerBusyError):
        post_again(one.desk(nextech_wrap=lambda inner: Between(inner, come)), order_id, actor="dana")
    one.run_after(minutes=(15, 20, 20), hours=(25,))
    assert [attempt for attempt in one.attempts() if attempt.outcome is None] == [], "stuck: an attempt without an outcome"
    is_booked_once(one)


# -- what a decision needs


def sent_with_an_unknown_outcome(ground: Ground) -> None:
    """Somebody picks a patient, long before 24 hours are over, for an order whose booking is still under way."""
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=3 * 3_600)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    with contextlib.suppress(OrderSyncError):
        choose_patient(one.desk(), one.order().id, one.charts()[0].patient_id, actor="dana")
    one.run()
    one.run_after(hours=(3, 25))
    is_booked_once(one)


def rerun_with_an_unknown_outcome(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=3 * 3_600)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    with contextlib.suppress(OrderSyncError):
        sync_order(one.desk(), one.order().number)
    one.run_after(hours=(3, 25))
    is_booked_once(one)


def a_chart_is_picked_that_does_not_exist(ground: Ground) -> None:
    empty = _duplicated(ground)
    with contextlib.suppress(OrderSyncError):
        choose_patient(empty.desk(), empty.order().id, NOBODY, actor="dana")
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER], "wrong text: the case no longer says who is to be picked"
