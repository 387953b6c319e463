"""Payments that are never shown completely: for a day the order is Waiting, then a person hears of it."""

from __future__ import annotations

import httpx

from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from tests.integration.sync.guards.ground import Ground
from tests.integration.sync.guards.posting_schedules import is_booked_once
from tests.worlds import PAYMENTS, Between

ROWS_ARE_MISSING = {"resourceType": "Bundle", "type": "searchset", "total": 3, "entry": []}


def _is_incomplete(inner: httpx.BaseTransport) -> httpx.BaseTransport:
    def look(request: httpx.Request) -> httpx.Request | httpx.Response:
        is_read = request.method == "GET" and request.url.path.endswith(PAYMENTS)
        return httpx.Response(200, json=ROWS_ARE_MISSING, request=request) if is_read else request

    return Between(inner, look)


def a_day_of_incomplete_reads(ground: Ground) -> None:
    one = ground.world()
    blind = one.desk(nextech_wrap=_is_incomplete)
    one.run(blind)
    one.run_after(blind, hours=(12, 13))
    found = (one.order().state, one.open_reasons())
    assert found == (OrderState.QUEUED, [Reason.PAYMENTS_UNREADABLE]), f"stuck: {found}"
    is_booked_once(one, 0)


def an_hour_of_incomplete_reads(ground: Ground) -> None:
    one = ground.world()
    blind = one.desk(nextech_wrap=_is_incomplete)
    one.run(blind)
    one.run_after(blind, minutes=(15, 15, 15))
    assert one.open_cases() == [], "wrong status: Not Synced, while it is tried again"
    one.run_after(minutes=(15,))
    assert one.order().public_status is PublicStatus.SYNCED, f"wrong status: {one.order().public_status}"
    is_booked_once(one)
