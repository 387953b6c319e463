"""How many searches a batch of known patients costs, with and without comma lists."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from order_sync.extract import extract_orders
from order_sync.ledger.session import Ledger
from order_sync.match import match_patients
from order_sync.statuses import OrderState
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.worlds import Between, SmallWorld

_ORDERS = 100


class Counted:
    """A wire that counts the searches for patients, and may not know lists."""

    def __init__(self, *, knows_lists: bool) -> None:
        self.knows_lists, self.searches = knows_lists, 0

    def __call__(self, request: httpx.Request) -> httpx.Request:
        if request.method != "GET" or not request.url.path.endswith("/Patient"):
            return request
        self.searches += 1
        if self.knows_lists:
            return request
        pairs = [(key, value.replace(",", ";")) for key, value in parse_qsl(request.url.query.decode())]
        url = request.url.copy_with(query=urlencode(pairs).encode())
        return httpx.Request("GET", url, headers=request.headers, extensions=request.extensions)


@pytest.mark.parametrize(("knows_lists", "most_per_order"), [(True, 0.15), (False, 1.2)])
def test_known_patients_cost_few_searches(ledger: Ledger, clock: FakeClock, knows_lists: bool, most_per_order: float):
    world = SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": _ORDERS}))
    wire = Counted(knows_lists=knows_lists)
    desk = world.desk(nextech_wrap=lambda inner: Between(inner, wire))
    extract_orders(desk, holder="test")
    match_patients(desk)
    assert world.states() == [OrderState.MATCHED] * _ORDERS
    assert 0 < wire.searches <= most_per_order * _ORDERS
