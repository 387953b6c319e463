"""The reads of a reconciliation over real sockets: what the faults of both systems do to the facts is nothing, or an error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from order_sync.collect import Collected, collect_facts
from order_sync.desk import Desk
from order_sync.errors import OrderSyncError
from order_sync.ledger.session import Ledger, open_engine
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period
from sandbox.nextech.faults import Effect, Fault
from sandbox.server import RunningSandbox
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.faults import Fault as StoreFault
from sandbox.store.refunds import refund
from sandbox.world import SandboxOptions
from tests.desks import open_desk, sync

PRACTICE = "eastern"
PAYMENTS = "/PaymentReconciliation"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(load={PRACTICE: 60})) as running:
        yield running


@pytest.fixture(scope="module")
def desk(sandbox: RunningSandbox, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose orders are posted, and a tenth of them refunded in part; the ledger is read only."""
    path = tmp_path_factory.mktemp("collecting") / "ledger.db"
    path.write_bytes(_migrated_sqlite.read_bytes())
    ledger = Ledger(open_engine(f"sqlite:///{path}"))
    with open_desk(sandbox, ledger, PRACTICE) as opened:
        sync(opened)
        shop = sandbox.shops[PRACTICE]
        for record in list(shop.orders.values())[::10]:
            if record.row["state"] == "processing":
                refund(shop, record.entity_id, adjustment=Decimal(1))
        yield opened
    ledger.close()


@pytest.fixture
def period(desk: Desk) -> Period:
    today = desk.practice.business_day(datetime.now(UTC))
    return Period(date(today.year, today.month, 1), today)


@pytest.fixture(autouse=True)
def _healthy(sandbox: RunningSandbox) -> Iterator[None]:
    switches, shop = sandbox.nextech.switches, sandbox.shops[PRACTICE]
    before = shop.switches
    yield
    sandbox.nextech.switches, shop.switches = switches, before
    sandbox.nextech.faults.clear()
    shop.faults.clear()


def assert_same(found: Collected, expected: Collected) -> None:
    assert found.not_read == expected.not_read
    for one in fields(Facts):
        left, right = getattr(found.facts, one.name), getattr(expected.facts, one.name)
        if isinstance(right, pd.DataFrame):
            pd.testing.assert_frame_equal(left, right)
        else:
            assert left == right


def test_everything_that_was_booked_and_sold_is_collected(desk: Desk, period: Period, sandbox: RunningSandbox):
    facts = collect_facts(desk, period).facts
    shop = sandbox.shops[PRACTICE]
    begin = f"{period.begins_at(desk.practice):%Y-%m-%d %H:%M:%S}"
    placed = {record.entity_id for record in shop.orders.values() if record.row["created_at"] >= begin}
    assert placed <= set(facts.orders["entity_id"])
    assert set(facts.memos["memo_id"]) == set(shop.memos)
    assert len(shop.memos) > 5
    assert len(facts.entries) > 60
    assert facts.entries["marker"].isin(facts.orders["marker"]).sum() > 60


@pytest.mark.parametrize(
    "changes",
    [
        {"is_total_sent": False},
        {"are_links_sent": False},
        {"sort_order": "shuffled"},
        {"sort_order": "descending", "is_last_page_overlapping": True},
        {"search_day": "utc"},
        {"amount_form": "noisy"},
        {"amount_form": "text"},
        {"empty_search_status": 404},
        {"unknown_parameter": "reject"},
        {"card_type_on_read": "creditcard-type"},
    ],
    ids=str,
)
def test_every_nextech_gives_the_same_facts(changes: dict, desk: Desk, period: Period, sandbox: RunningSandbox):
    expected = collect_facts(desk, period)
    sandbox.nextech.switches = sandbox.nextech.switches.changed_by(changes)
    try:
        found = collect_facts(desk, period)
    except OrderSyncError:
        # Rows that come in another order each time, without a count, can prove nothing: then there is no report.
        assert changes == {"sort_order": "shuffled"}
    else:
        assert_same(found, expected)


@pytest.mark.parametrize(
    "switches",
    [{"page_overflow": "last"}, {"float_17": True}, {"extattrs_in_list": False}, {"child_price": "copy"}],
    ids=str,
)
def test_every_version_of_the_store_gives_the_same_facts(switches: dict, desk: Desk, period: Period, sandbox: RunningSandbox):
    expected = collect_facts(desk, period)
    shop = sandbox.shops[PRACTICE]
    shop.switches = shop.switches.model_copy(update=switches)
    assert_same(collect_facts(desk, period), expected)


@contextmanager
def struck(sandbox: RunningSandbox, fault: Fault | StoreFault) -> Iterator[None]:
    if isinstance(fault, Fault):
        sandbox.nextech.faults.plant(fault)
    else:
        shop = sandbox.shops[PRACTICE]
        shop.faults.add(fault, shop.clock())
    yield


FAULTS = [
    *(
        Fault(effect, method="GET", route=PAYMENTS, remaining=1)
        for effect in (Effect.FAILED, Effect.RATE_LIMITED, Effect.GATEWAY_ERROR, Effect.UNAVAILABLE, Effect.UNAUTHORIZED)
    ),
    *(
        StoreFault(effect=effect, method="GET", route=route, requests=(number,))
        for effect in (StoreEffect.MASKED_500, StoreEffect.TRUNCATED, StoreEffect.RESET, StoreEffect.MESSAGE_200)
        for route, number in (("/V1/orders", 1), ("/V1/creditmemos", 1), ("/V1/creditmemos", 3))
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.effect.value} {fault.route}")
def test_a_passing_fault_changes_nothing(fault: Fault | StoreFault, desk: Desk, period: Period, sandbox: RunningSandbox):
    expected = collect_facts(desk, period)
    with struck(sandbox, fault):
        assert_same(collect_facts(desk, period), expected)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Effect.FAILED, method="GET", route=PAYMENTS, remaining=None),
        Fault(Effect.NOT_FOUND, method="GET", route=PAYMENTS, remaining=None),
        StoreFault(effect=StoreEffect.MASKED_500, method="GET", route="/V1/creditmemos"),
        StoreFault(effect=StoreEffect.MAINTENANCE, method="GET"),
    ],
    ids=lambda fault: f"{fault.effect.value} {fault.route}",
)
def test_a_lasting_fault_is_no_report(fault: Fault | StoreFault, desk: Desk, period: Period, sandbox: RunningSandbox):
    with struck(sandbox, fault), pytest.raises(OrderSyncError):
        collect_facts(desk, period)


def test_orders_that_change_between_two_pages_hide_no_other(desk: Desk, period: Period, sandbox: RunningSandbox):
    expected = collect_facts(desk, period)
    shop = sandbox.shops[PRACTICE]
    for number, order_id in enumerate(random.Random(4).sample(sorted(shop.orders), 5), start=1):
        fault = StoreFault(effect=StoreEffect.TOUCH, order_id=order_id, requests=(number,))
        shop.faults.add(fault, shop.clock())
    assert_same(collect_facts(desk, period), expected)
