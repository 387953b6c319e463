"""One hard day each for the guards of a declared restore: what an older ledger forgot must not be done again."""

from __future__ import annotations

import contextlib

import httpx

from order_sync.errors import OrderSyncError
from order_sync.resolve import choose_patient
from sandbox.nextech.faults import Effect
from tests.integration.sync.backups import back_up, put_back
from tests.integration.sync.guards.ground import IVO, ORA, Ground
from tests.integration.sync.guards.looking_schedules import has_charts
from tests.integration.sync.guards.posting_schedules import is_booked_once
from tests.worlds import PATIENTS, Between, SmallWorld, Wrap

FIVE_HOURS = 5 * 3_600


def a_booking_under_way_when_an_older_ledger_is_put_back(ground: Ground) -> None:
    one = ground.world()
    copy = back_up(one, ground.new_ledger)
    one.plant(Effect.EXECUTED_LATE, after_seconds=FIVE_HOURS)
    one.run()
    put_back(one, copy)
    one.run_after(hours=(1, 5, 12, 12, 1))
    is_booked_once(one)


def _picked_anew(ground: Ground, nextech_wrap: Wrap) -> SmallWorld:
    """Post an order to one of two charts, forget it, and let a person pick the other one; another payment is known."""
    world = ground.world(0)
    world.add_chart(IVO)
    world.place(IVO.buyer())
    first, second = (world.add_chart(ORA, key).patient_id for key in ("one", "two"))
    order = world.place(ORA.buyer())
    world.run()
    copy = back_up(world, ground.new_ledger)
    choose_patient(world.desk(), world.order(order.number).id, first, actor="dana")
    world.run_after(minutes=(15, 20))
    put_back(world, copy)
    choose_patient(world.desk(), world.order(order.number).id, second, actor="ellis")
    world.run_after(world.desk(nextech_wrap=nextech_wrap), hours=(1, 24, 1))
    return world


def a_payment_on_another_chart_than_the_one_that_is_picked_anew(ground: Ground) -> None:
    is_booked_once(_picked_anew(ground, lambda inner: inner), 2)


def a_search_by_date_that_is_not_understood(ground: Ground) -> None:
    """The server finds nothing by `ge` and `lt`, not even a payment that is known to be there."""

    def look(request: httpx.Request) -> httpx.Request | httpx.Response:
        is_by_date = request.method == "GET" and "payment-date" in request.url.params
        return httpx.Response(200, json={"resourceType": "Bundle", "total": 0}) if is_by_date else request

    is_booked_once(_picked_anew(ground, lambda inner: Between(inner, look)), 2)


def an_account_under_way_when_an_older_ledger_is_put_back(ground: Ground) -> None:
    """The customer orders again, with another ZIP, which Nextech's own check for duplicates lets pass."""
    empty = ground.world(0)
    empty.place(ORA.buyer())
    copy = back_up(empty, ground.new_ledger)
    empty.plant(Effect.EXECUTED_LATE, route=PATIENTS, after_seconds=FIVE_HOURS)
    with contextlib.suppress(OrderSyncError):
        empty.run()
    put_back(empty, copy)
    empty.place(ORA.buyer(postal_code="33101"))
    empty.run_after(hours=(1, 5, 12, 12))
    has_charts(empty, 1)
