"""Nextech refuses, limits or fails: posting is held back, nothing is lost, and it ends by itself (reliability 3.7)."""

import httpx
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from order_sync.clients.limiter import SharedLimiter
from order_sync.ledger.claims import LedgerSlots
from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect, Fault
from tests.worlds import PAYMENTS, Between, SmallWorld


def test_the_breaker_opens_after_three_unclear_outcomes_and_lets_one_through_each_run(ten: SmallWorld):
    ten.plant(Effect.FAILED, remaining=None)
    ten.run()
    assert ten.posts_seen() == 3
    assert ten.states().count(OrderState.MATCHED) == 7
    ten.run_after(minutes=[15])
    assert ten.posts_seen() == 4
    ten.run_after(minutes=[15])
    assert ten.posts_seen() == 5
    ten.heal()
    ten.run_after(minutes=[15])
    assert ten.posts_seen() == 10
    assert len(ten.booked()) == 5


def test_a_refused_login_stops_the_run_and_is_one_case_that_closes_by_itself(ten: SmallWorld):
    ten.switch(are_logins_refused=True)
    ten.run()
    ten.run_after(minutes=(15, 15))
    assert ten.open_reasons() == [Reason.LOGIN_REFUSED]
    assert ten.posts_seen() == 0
    assert set(ten.states()) == {OrderState.RECEIVED}
    assert ten.nextech.traffic.answers[("POST /oauth2/token", "200")] == 0
    ten.switch(are_logins_refused=False)
    ten.run_after(minutes=(15,))
    assert ten.open_cases() == []
    assert ten.states() == [OrderState.CONFIRMED] * 10


def test_rights_refused_for_posting_stop_the_run_after_the_first_answer_and_lose_nothing(ten: SmallWorld):
    ten.plant(Effect.UNAUTHORIZED, status=403, remaining=None)
    ten.run()
    assert ten.posts_seen() == 1
    assert Reason.LOGIN_REFUSED in ten.open_reasons()
    ten.heal()
    ten.run_after(minutes=(15,))
    assert ten.open_cases() == []
    assert len(ten.booked()) == 10


def test_a_storm_of_429_loses_nothing(ten: SmallWorld):
    fault = ten.nextech.faults.plant(Fault(Effect.RATE_LIMITED, probability=0.5, retry_after="2"))
    ten.run()
    ten.run_after(minutes=(15,) * 6)
    assert fault.struck > 3
    ten.heal()
    ten.run_after(minutes=(15, 15))
    assert ten.states() == [OrderState.CONFIRMED] * 10
    assert len(ten.booked()) == 10


def test_one_patient_whose_payments_cannot_be_read_does_not_hold_up_the_others(ten: SmallWorld):
    broken = ten.charts()[4].patient_id

    def spoil(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method == "GET" and request.url.path.endswith(PAYMENTS) and broken in str(request.url):
            entry = {"resourceType": "PaymentReconciliation", "id": "1"}
            bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": entry}]}
            return httpx.Response(200, json=bundle, request=request)
        return request

    desk = ten.desk(nextech_wrap=lambda inner: Between(inner, spoil))
    ten.run(desk)
    ten.run_after(desk, minutes=(15, 15))
    assert sorted(ten.states()) == sorted([OrderState.CONFIRMED] * 9 + [OrderState.MATCHED])
    assert len(ten.booked()) == 9
    ten.run_after(minutes=(15,))
    assert ten.states() == [OrderState.CONFIRMED] * 10


def test_an_outage_of_nextech_is_one_case_of_the_practice_and_ends_by_itself(ten: SmallWorld):
    for route in (PAYMENTS, "/Patient"):
        ten.plant(Effect.UNAVAILABLE, method="GET", route=route, remaining=None)
    ten.run()
    ten.run_after(minutes=(15, 15, 15))
    assert ten.open_reasons() == [Reason.NEXTECH_UNAVAILABLE]
    assert ten.open_cases()[0].times_seen >= 4
    ten.heal()
    ten.run_after(minutes=(15,))
    assert ten.open_cases() == []
    assert len(ten.booked()) == 10


def test_a_database_that_gives_no_slot_to_send_in_leaves_the_payment_unsent_and_not_in_doubt(one: SmallWorld):
    desk, failed = one.desk(), []
    desk.nextech._limiter = SharedLimiter(LedgerSlots(one.ledger), 1_000, one.clock)

    def fail_once(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        if not failed and "rate_slots" in statement and "POST" in str(values):
            failed.append(statement)
            raise OperationalError(statement, {}, OSError("server closed the connection"))

    event.listen(one.ledger.engine, "before_cursor_execute", fail_once)
    one.run(desk)
    assert failed
    assert (one.order().state, one.attempts()[0].outcome) == (OrderState.MATCHED, PostOutcome.NOT_EXECUTED)
    one.run_after(desk, minutes=(15,))
    assert one.order().state is OrderState.CONFIRMED
    assert len(one.booked()) == 1
