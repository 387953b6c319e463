"""Nextech refuses, limits or fails: posting is held back, nothing is lost, and it ends by itself (reliability 3.7)."""

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from order_sync.clients.limiter import SharedLimiter
from order_sync.desk import Desk
from order_sync.errors import OrderNotSyncedError
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.models import OrderRow
from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
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


def hold_back(world: SmallWorld) -> OrderRow:
    """Let three outcomes be unclear; return the order that is the next to be posted."""
    world.plant(Effect.FAILED, remaining=None)
    world.run()
    assert world.posts_seen() == 3
    return next(row for row in world.orders() if row.state is OrderState.MATCHED)


def test_an_order_that_waits_for_a_person_stays_in_the_queue_while_posting_is_held_back(ten: SmallWorld):
    order = hold_back(ten)
    ten.staff("hand-payment", patient_id=order.patient_id, amount_cents=order.amount_cents, note="paid online")
    ten.run_after(minutes=[15])
    version = ten.order(order.number).version
    for _ in range(4):  # as the run hands it out, and as somebody presses it
        with pytest.raises(OrderNotSyncedError, match="entered by hand"):
            sync_order(ten.desk(), order.number)
        ten.run_after(minutes=[15])
    assert Reason.POSSIBLE_MANUAL_ENTRY in ten.open_reasons()
    assert ten.order(order.number).version == version
    ten.heal()
    ten.run_after(minutes=[15])
    assert len(ten.booked()) == 10 - 3 - 5 - 1  # three unclear, five more that showed it, one with a person


def test_an_order_that_sends_nothing_does_not_keep_the_next_one_from_showing_that_nextech_is_itself_again(ten: SmallWorld):
    order = hold_back(ten)
    desk = unreadable(ten, str(order.patient_id))
    ten.run_after(desk, minutes=[15])
    assert (ten.posts_seen(), ten.order(order.number).state) == (4, OrderState.MATCHED)
    ten.heal()
    ten.run_after(desk, minutes=[15])
    assert len(ten.booked()) == 5
    ten.run_after(minutes=[15])
    assert ten.order(order.number).state is OrderState.CONFIRMED


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


def unreadable(world: SmallWorld, patient_id: str) -> Desk:
    """Return a desk to which Nextech's lists of this patient's payments make no sense."""

    def spoil(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method == "GET" and request.url.path.endswith(PAYMENTS) and patient_id in str(request.url):
            entry = {"resourceType": "PaymentReconciliation", "id": "1"}
            bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": entry}]}
            return httpx.Response(200, json=bundle, request=request)
        return request

    return world.desk(nextech_wrap=lambda inner: Between(inner, spoil))


def test_one_patient_whose_payments_cannot_be_read_does_not_hold_up_the_others(ten: SmallWorld):
    desk = unreadable(ten, ten.charts()[4].patient_id)
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
