"""The 14 outcomes of a payment POST (reliability 4.3), each played to its end, which is the one of reliability 3.4."""

from dataclasses import dataclass

import pytest

from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from sandbox.nextech.faults import Effect
from tests.worlds import SmallWorld

EXECUTED, NOT_EXECUTED, UNKNOWN = PostOutcome


@dataclass(frozen=True)
class Case:
    """One outcome: what the server does, what the first run makes of it, and how it ends a day later."""

    effect: Effect
    proved: PostOutcome
    after_first_run: OrderState
    in_the_end: OrderState
    reason: Reason | None
    booked: int
    status: int | None = None


C, Q, U, M = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.UNKNOWN, OrderState.MATCHED
CASES = {
    "2xx with id": Case(Effect.CREATED, EXECUTED, C, C, None, 1),
    "2xx without id": Case(Effect.CREATED_WITHOUT_ID, UNKNOWN, U, C, None, 1),
    "2xx malformed": Case(Effect.CREATED_MALFORMED, UNKNOWN, U, C, None, 1),
    "2xx html": Case(Effect.CREATED_HTML, UNKNOWN, U, C, None, 1),
    "2xx truncated": Case(Effect.CREATED_TRUNCATED, UNKNOWN, U, C, None, 1),
    "redirect": Case(Effect.REDIRECTED, UNKNOWN, U, Q, Reason.OUTCOME_UNKNOWN, 0),
    "400": Case(Effect.REJECTED, NOT_EXECUTED, Q, Q, Reason.PAYMENT_REJECTED, 0),
    "422": Case(Effect.REJECTED, NOT_EXECUTED, Q, Q, Reason.PAYMENT_REJECTED, 0, status=422),
    "413": Case(Effect.REJECTED, NOT_EXECUTED, Q, Q, Reason.PAYMENT_REJECTED, 0, status=413),
    "401": Case(Effect.UNAUTHORIZED, NOT_EXECUTED, M, C, None, 1),
    "523": Case(Effect.UNAUTHORIZED, NOT_EXECUTED, M, C, None, 1, status=523),
    "403": Case(Effect.UNAUTHORIZED, NOT_EXECUTED, M, C, None, 1, status=403),
    "404": Case(Effect.NOT_FOUND, NOT_EXECUTED, Q, Q, Reason.PATIENT_GONE, 0),
    "409": Case(Effect.CONFLICT, NOT_EXECUTED, Q, Q, Reason.PAYMENT_REJECTED, 0),
    "408 of a gateway": Case(Effect.GATEWAY_ERROR, UNKNOWN, U, Q, Reason.OUTCOME_UNKNOWN, 0),
    "400 of a gateway": Case(Effect.GATEWAY_ERROR, UNKNOWN, U, Q, Reason.OUTCOME_UNKNOWN, 0, status=400),
    "429": Case(Effect.RATE_LIMITED, NOT_EXECUTED, C, C, None, 1),
    "500 not executed": Case(Effect.FAILED, UNKNOWN, U, Q, Reason.OUTCOME_UNKNOWN, 0),
    "503 not executed": Case(Effect.UNAVAILABLE, UNKNOWN, U, Q, Reason.OUTCOME_UNKNOWN, 0),
    "500 executed": Case(Effect.FAILED_EXECUTED, UNKNOWN, U, C, None, 1),
    "timeout before accept": Case(Effect.TIMED_OUT, UNKNOWN, U, Q, Reason.OUTCOME_UNKNOWN, 0),
    "timeout after accept": Case(Effect.TIMED_OUT_EXECUTED, UNKNOWN, U, C, None, 1),
    "dripped": Case(Effect.DRIPPED, UNKNOWN, U, C, None, 1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_outcome_of_a_post_ends_as_it_must_and_doubles_nothing(one: SmallWorld, case: Case):
    one.plant(case.effect, status=case.status)
    one.run()
    assert one.order().state is case.after_first_run
    assert one.attempts()[0].outcome is case.proved
    if case.after_first_run in (U, M):
        assert one.order().public_status is PublicStatus.WAITING
    one.run_after(minutes=(1, 30, 20, 20, 600, 900))
    ended = one.order()
    assert (ended.state, ended.why) == (case.in_the_end, case.reason)
    assert len(one.booked()) == case.booked
    assert one.open_reasons() == ([case.reason] if case.reason else [])
    assert one.posts_seen() == (2 if case.proved is NOT_EXECUTED and case.in_the_end is C else 1)
    assert not any(attempt.outcome is None for attempt in one.attempts())


@pytest.mark.parametrize("hours", [0.01, 2, 20])
def test_a_payment_that_is_executed_late_is_found_and_never_posted_again(one: SmallWorld, hours: float):
    one.plant(Effect.EXECUTED_LATE, after_seconds=hours * 3600)
    one.run()
    assert one.order().state is OrderState.UNKNOWN
    one.run_after(minutes=(2, 35, 20, 20))
    late = hours > 1
    assert one.order().state is (OrderState.QUEUED if late else OrderState.CONFIRMED)
    assert one.open_reasons() == ([Reason.OUTCOME_UNKNOWN] if late else [])
    one.run_after(hours=(20, 10, 15, 10))
    assert one.order().state is OrderState.CONFIRMED
    assert one.open_reasons() == []
    assert [row.payment_id for row in one.booked()] == [one.payment().payment_id]
    assert one.posts_seen() == 1


def test_an_unknown_outcome_waits_for_two_reads_apart_after_settling_and_then_names_the_marker(one: SmallWorld):
    one.plant(Effect.TIMED_OUT)
    desk = one.desk()
    one.run(desk)
    rules = desk.practice.posting
    settled_at = one.payment().settle_at
    assert settled_at is not None
    while one.order().state is OrderState.UNKNOWN:
        assert one.order().public_status is PublicStatus.WAITING
        one.run_after(desk, minutes=[5])
    queued_after = (one.order().changed_at - settled_at).total_seconds() / 60
    assert rules.absent_reads_apart_minutes <= queued_after < rules.absent_reads_apart_minutes * 3
    [case] = one.open_cases()
    assert one.payment().marker in case.sentence
    assert "marker" in case.next_step


def test_three_more_runs_after_a_success_send_nothing(ten: SmallWorld):
    ten.run()
    assert ten.states() == [OrderState.CONFIRMED] * 10
    ten.run_after(hours=(0.25, 1, 25))
    assert ten.posts_seen() == 10
    assert len(ten.booked()) == 10
