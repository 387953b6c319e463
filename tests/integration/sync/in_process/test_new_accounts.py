"""A customer whom Nextech does not know: at most one new chart, whatever becomes of the request (reliability K5)."""

from dataclasses import dataclass, replace

import httpx
import pytest

from order_sync.errors import OrderNotSyncedError
from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from tests.worlds import PATIENTS, Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
EXECUTED, NOT_EXECUTED, UNKNOWN = PostOutcome
C, Q, CR, R = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.CREATING, OrderState.RECEIVED


@dataclass(frozen=True)
class Case:
    effect: Effect
    proved: PostOutcome
    after_first_run: OrderState
    in_the_end: OrderState
    reason: Reason | None
    charts: int
    status: int | None = None


CASES = {
    "2xx with id": Case(Effect.CREATED, EXECUTED, C, C, None, 1),
    "2xx without id": Case(Effect.CREATED_WITHOUT_ID, UNKNOWN, CR, C, None, 1),
    "2xx malformed": Case(Effect.CREATED_MALFORMED, UNKNOWN, CR, C, None, 1),
    "2xx html": Case(Effect.CREATED_HTML, UNKNOWN, CR, C, None, 1),
    "2xx truncated": Case(Effect.CREATED_TRUNCATED, UNKNOWN, CR, C, None, 1),
    "redirect": Case(Effect.REDIRECTED, UNKNOWN, CR, Q, Reason.ACCOUNT_OUTCOME_UNKNOWN, 0),
    "400": Case(Effect.REJECTED, NOT_EXECUTED, Q, Q, Reason.ACCOUNT_REJECTED, 0),
    "422": Case(Effect.REJECTED, NOT_EXECUTED, Q, Q, Reason.ACCOUNT_REJECTED, 0, status=422),
    "401": Case(Effect.UNAUTHORIZED, NOT_EXECUTED, R, C, None, 1),
    "403": Case(Effect.UNAUTHORIZED, NOT_EXECUTED, R, C, None, 1, status=403),
    "404": Case(Effect.NOT_FOUND, NOT_EXECUTED, Q, Q, Reason.ACCOUNT_REJECTED, 0),
    "409": Case(Effect.CONFLICT, NOT_EXECUTED, Q, Q, Reason.ACCOUNT_NOT_FOUND_AGAIN, 0),
    "408 of a gateway": Case(Effect.GATEWAY_ERROR, UNKNOWN, CR, Q, Reason.ACCOUNT_OUTCOME_UNKNOWN, 0),
    "429": Case(Effect.RATE_LIMITED, NOT_EXECUTED, R, C, None, 1),
    "500 not executed": Case(Effect.FAILED, UNKNOWN, CR, Q, Reason.ACCOUNT_OUTCOME_UNKNOWN, 0),
    "500 executed": Case(Effect.FAILED_EXECUTED, UNKNOWN, CR, C, None, 1),
    "timeout before accept": Case(Effect.TIMED_OUT, UNKNOWN, CR, Q, Reason.ACCOUNT_OUTCOME_UNKNOWN, 0),
    "timeout after accept": Case(Effect.TIMED_OUT_EXECUTED, UNKNOWN, CR, C, None, 1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_outcome_of_a_new_account_ends_as_it_must_and_opens_one_chart_at_most(empty: SmallWorld, case: Case):
    empty.place(ORA.buyer())
    empty.plant(case.effect, route=PATIENTS, status=case.status)
    empty.run()
    assert empty.order().state is case.after_first_run
    assert empty.attempts()[0].outcome is case.proved
    empty.run_after(minutes=(2, 40, 20), hours=(12, 13))
    assert (empty.order().state, empty.order().why) == (case.in_the_end, case.reason)
    assert len(empty.charts()) == case.charts
    assert len(empty.booked()) == (1 if case.in_the_end is C else 0)
    assert empty.open_reasons() == ([case.reason] if case.reason else [])


def test_a_customer_who_exists_after_all_is_found_again_after_the_conflict(empty: SmallWorld):
    empty.place(ORA.buyer())

    def enter_first(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.rstrip("/").endswith("/Patient") and not empty.charts():
            empty.add_chart(ORA)
        return request

    empty.run(empty.desk(nextech_wrap=lambda inner: Between(inner, enter_first)))
    assert (empty.order().state, empty.order().matched_by) == (OrderState.CONFIRMED, "rule")
    assert [chart.origin for chart in empty.charts()] == ["seed"]


@pytest.mark.parametrize("is_first_answer_lost", [False, True])
def test_two_orders_of_one_new_customer_open_one_chart(empty: SmallWorld, is_first_answer_lost: bool):
    empty.place(ORA.buyer())
    empty.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    if is_first_answer_lost:
        empty.plant(Effect.TIMED_OUT_EXECUTED, route=PATIENTS)
    empty.run()
    empty.run_after(minutes=(2, 15))
    assert empty.states() == [OrderState.CONFIRMED] * 2
    assert len(empty.charts()) == 1
    assert len(empty.booked()) == 2


def test_a_second_order_does_not_open_the_chart_whose_first_creation_is_late(empty: SmallWorld):
    empty.place(ORA.buyer())
    empty.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    empty.plant(Effect.EXECUTED_LATE, route=PATIENTS, after_seconds=600)
    empty.run()
    assert empty.posts_seen(PATIENTS) == 1
    empty.run_after(minutes=(2, 10, 10))
    assert empty.states() == [OrderState.CONFIRMED] * 2
    assert len(empty.charts()) == 1


def test_an_account_of_unknown_outcome_is_not_created_again_by_the_rerun_that_follows_by_itself(empty: SmallWorld):
    record = empty.place(ORA.buyer())
    empty.plant(Effect.EXECUTED_LATE, route=PATIENTS, after_seconds=3 * 3600)
    empty.run()
    empty.run_after(minutes=(2, 40))
    assert empty.open_reasons() == [Reason.ACCOUNT_OUTCOME_UNKNOWN]
    with pytest.raises(OrderNotSyncedError, match="may or may not have been created"):
        sync_order(empty.desk(), record.number)
    assert empty.posts_seen(PATIENTS) == 1
    empty.clock.advance(hours=4)
    sync_order(empty.desk(), record.number)
    assert empty.order().state is OrderState.CONFIRMED
    assert len(empty.charts()) == 1


def test_an_account_of_unknown_outcome_may_be_created_by_a_rerun_a_day_later(empty: SmallWorld):
    record = empty.place(ORA.buyer())
    empty.plant(Effect.TIMED_OUT, route=PATIENTS)
    empty.run()
    empty.run_after(minutes=(2, 40), hours=(25,))
    assert empty.open_reasons() == [Reason.ACCOUNT_OUTCOME_UNKNOWN]
    sync_order(empty.desk(), record.number)
    assert empty.order().state is OrderState.CONFIRMED
    assert len(empty.charts()) == 1


def test_a_chart_with_the_same_last_name_and_birth_date_goes_to_a_person(empty: SmallWorld):
    known = empty.add_chart(ORA, first="Odette", email="odette.castellan@elsewhere.example", mobile="(305) 555-0199")
    empty.place(ORA.buyer())
    empty.run()
    [case] = empty.open_cases()
    assert (case.reason, case.candidate_ids) == (Reason.POSSIBLE_EXISTING_PATIENT, [known.patient_id])
    assert len(empty.charts()) == 1


@pytest.mark.parametrize("missing", ["email", "phone", "birth_date", "postal_code"])
def test_what_is_missing_for_an_account_is_named_and_never_invented(empty: SmallWorld, missing: str):
    empty.place(ORA.buyer(**{missing: None}))
    empty.run()
    words = {"email": "e-mail", "phone": "phone", "birth_date": "birth date", "postal_code": "ZIP"}
    [case] = empty.open_cases()
    assert case.sentence == f"Cannot create account: {words[missing]} missing"
    assert empty.charts() == []


def test_an_account_whose_order_vanished_from_the_store_does_not_stay_between_two_steps(empty: SmallWorld):
    record = empty.place(ORA.buyer())
    empty.plant(Effect.TIMED_OUT, route=PATIENTS)
    empty.run()
    assert empty.order().state is OrderState.CREATING
    del empty.shop.orders[record.entity_id]
    empty.run_after(minutes=(2, 40), hours=(24,))
    assert empty.open_reasons() == [Reason.ACCOUNT_OUTCOME_UNKNOWN]


def test_one_customer_whose_search_is_refused_does_not_hold_up_the_others(ten: SmallWorld):
    victim = ten.charts()[3].patient_id
    [email] = [row.email for row in ten.nextech.offices["eastern"].chart.patients.values() if row.guid == victim]

    def refuse(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method == "GET" and str(email).split("@")[0] in str(request.url):
            body = {"resourceType": "OperationOutcome", "issue": []}
            return httpx.Response(400, json=body, request=request)
        return request

    desk = ten.desk(nextech_wrap=lambda inner: Between(inner, refuse))
    ten.run(desk)
    ten.run_after(desk, minutes=(15,))
    assert sorted(ten.states()) == sorted([OrderState.CONFIRMED] * 9 + [OrderState.RECEIVED])
    ten.run_after(minutes=(15,))
    assert ten.states() == [OrderState.CONFIRMED] * 10


def test_a_recovery_that_cannot_read_one_customer_does_not_hold_up_the_others(empty: SmallWorld):
    world = SmallWorld(empty.ledger, empty.clock, replace(empty.options, load={"eastern": 3}))
    world.place(ORA.buyer())
    world.plant(Effect.TIMED_OUT, route=PATIENTS)
    world.run()
    world.place(Person(EASTERN, 72, "Ivo", "Tarrant").buyer())

    def refuse(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method == "GET" and "castellan" in str(request.url).lower():
            return httpx.Response(400, json={"resourceType": "OperationOutcome", "issue": []}, request=request)
        return request

    world.run_after(world.desk(nextech_wrap=lambda inner: Between(inner, refuse)), minutes=(2, 15))
    assert sorted(world.states()) == sorted([OrderState.CONFIRMED] * 4 + [OrderState.CREATING])
