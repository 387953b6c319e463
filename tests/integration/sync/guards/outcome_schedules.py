"""Days on which a server or a gateway gives one class of answer, and what really happened is something else."""

from __future__ import annotations

import httpx

from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from sandbox.nextech.faults import Effect
from tests.integration.sync.guards.ground import Ground, Schedule, a_gateway_says, is_posting
from tests.integration.sync.guards.posting_schedules import HALF_AN_HOUR, is_booked_once
from tests.worlds import Between

GATEWAY_PAGE = {"content": b"<html>Bad gateway</html>", "headers": {"content-type": "text/html"}}


def executed_late_behind(status: int, **answer: object) -> Schedule:
    """Book half an hour late, while a gateway gives this answer at once."""

    def schedule(ground: Ground) -> None:
        one = ground.world()
        one.plant(Effect.EXECUTED_LATE, after_seconds=HALF_AN_HOUR)
        one.run(one.desk(nextech_wrap=a_gateway_says(status, **answer)))
        one.run_after(minutes=(15, 20, 20))
        is_booked_once(one)
        assert one.order().state is OrderState.CONFIRMED, "wrong state"

    return schedule


def executed_late_without_an_answer(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=HALF_AN_HOUR)
    one.run()
    one.run_after(minutes=(15, 20, 20))
    is_booked_once(one)


def a_201_for_nothing(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.TIMED_OUT)
    one.run(one.desk(nextech_wrap=a_gateway_says(201, json={"resourceType": "PaymentReconciliation"})))
    assert one.order().public_status is PublicStatus.WAITING, "wrong status: Synced, and nothing is booked"


def booked_with_another_amount(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.OTHER_AMOUNT)
    one.run()
    assert one.order().public_status is not PublicStatus.SYNCED, "wrong status: Synced, and another amount is booked"


def refused(effect: Effect, state: OrderState, reason: Reason | None = None, status: int | None = None) -> Schedule:
    """Refuse the first post with proof that nothing was booked; the next run must know that."""

    def schedule(ground: Ground) -> None:
        one = ground.world()
        one.plant(effect, status=status)
        one.run()
        one.run_after(minutes=(15,))
        found = (one.order().state, one.order().why)
        assert found == (state, reason), f"wrong state: {found}"

    return schedule


def no_connection(ground: Ground) -> None:
    one = ground.world()

    def refuse(request: httpx.Request) -> httpx.Request:
        if is_posting(request):
            msg = "refused"
            raise httpx.ConnectError(msg)
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, refuse)))
    one.run_after(minutes=(15,))
    assert one.order().state is OrderState.CONFIRMED, f"wrong state: {one.order().state}"
    is_booked_once(one)
