"""The store client against the sandbox store, in one process: every switch and fault, compared with the store's own books."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from order_sync.clients.store import Bearer, OAuth1, StatusUpdate, StoreClient, StoreConnection
from order_sync.errors import LoginRefusedError, OrderSyncError
from order_sync.orders import Order, OrderProblem
from sandbox.demo.practices import EASTERN
from sandbox.demo.story import Demo, build_demo, open_shop
from sandbox.store.faults import Effect, Fault
from sandbox.store.shop import Shop
from sandbox.store.switches import InputLimits
from sandbox.store.sync_status import disable_by_staff, sync_status
from sandbox.store.transport import StoreTransport
from tests.clocks import FakeClock
from tests.unit.clients.scripted import NoLimit

NOW = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
SINCE = NOW - timedelta(days=60)
UNTIL = NOW + timedelta(minutes=1)
BEARER = Bearer(EASTERN.store_token)
OAUTH = OAuth1(EASTERN.store_consumer_key, EASTERN.store_consumer_secret, EASTERN.store_token, EASTERN.store_token_secret)


@pytest.fixture(scope="module")
def demo() -> Demo:
    return build_demo(7, NOW)


@pytest.fixture
def store_clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def shop(demo: Demo, store_clock: FakeClock) -> Shop:
    opened = open_shop(EASTERN, clock=store_clock.now, rng=random.Random(3))
    opened.load(demo.books["eastern"])
    return opened


def open_client(shop: Shop, clock: FakeClock, *, auth: Bearer | OAuth1 = BEARER, writer: str = "module") -> StoreClient:
    return StoreClient(
        StoreConnection("https://store.example/store/eastern", auth, writer),  # type: ignore[arg-type]
        transport=StoreTransport(shop, base_path="/store/eastern", sleep=clock.sleep),
        limiter=NoLimit(),
        clock=clock,
        rng=random.Random(5),
    )


def read(client: StoreClient, page_size: int = 7) -> dict[int, Order | OrderProblem]:
    found: dict[int, Order | OrderProblem] = {}
    for page in client.read_changes(SINCE, UNTIL, page_size):
        for entry in (*page.orders, *page.problems):
            assert entry.entity_id not in found
            found[entry.entity_id] = entry
    return found


def test_the_demo_is_read_whole_and_every_order_is_understood(shop: Shop, store_clock: FakeClock) -> None:
    found = read(open_client(shop, store_clock))
    assert set(found) == set(shop.orders)
    assert all(isinstance(entry, Order) for entry in found.values())
    for entity_id, entry in found.items():
        assert entry.number == shop.orders[entity_id].number


@pytest.mark.parametrize(
    "switches",
    [
        {"page_overflow": "last"},
        {"input_limits": InputLimits()},
        {"child_price": "copy"},
        {"float_17": True},
        {"unknown_field": 400},
        {"extattrs_in_list": False},
        {"latency_seconds": 2.0},
    ],
    ids=str,
)
def test_every_version_of_the_store_gives_the_same_orders(switches: dict, shop: Shop, store_clock: FakeClock) -> None:
    before = read(open_client(shop, store_clock))
    shop.switches = shop.switches.model_copy(update=switches)
    after = read(open_client(shop, store_clock))
    assert set(after) == set(before)
    for entity_id, entry in before.items():
        other = after[entity_id]
        assert isinstance(entry, Order)
        assert isinstance(other, Order)
        assert (other.totals, other.lines, other.customer) == (entry.totals, entry.lines, entry.customer)


def test_seventeen_digits_are_no_change_of_content(shop: Shop, store_clock: FakeClock) -> None:
    before = read(open_client(shop, store_clock))
    shop.switches = shop.switches.model_copy(update={"float_17": True})
    after = read(open_client(shop, store_clock))
    assert [entry.content_hash for entry in after.values()] == [entry.content_hash for entry in before.values()]


def test_requests_may_be_signed_instead_of_carrying_the_token(shop: Shop, store_clock: FakeClock) -> None:
    shop.switches = shop.switches.model_copy(update={"bearer_integration": False})
    with pytest.raises(LoginRefusedError):
        open_client(shop, store_clock).check()
    for writer in ("module", "comment"):
        client = open_client(shop, store_clock, auth=OAUTH, writer=writer)
        assert client.check()
        order_id = next(iter(shop.orders))
        [result] = client.write_statuses([StatusUpdate(order_id, "synced", "Posted.", "run-key-1")])
        assert result.is_written, result
    assert set(read(open_client(shop, store_clock, auth=OAUTH))) == set(shop.orders)


def test_a_wrong_signature_is_refused(shop: Shop, store_clock: FakeClock) -> None:
    wrong = OAuth1(EASTERN.store_consumer_key, "wrong", EASTERN.store_token, EASTERN.store_token_secret)
    with pytest.raises(OrderSyncError) as caught:
        open_client(shop, store_clock, auth=wrong).check()
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("effect", [effect for effect in Effect if effect not in (Effect.POISON, Effect.TOUCH, Effect.LATENCY)])
def test_a_passing_fault_loses_nothing(effect: Effect, shop: Shop, store_clock: FakeClock) -> None:
    shop.faults.add(Fault(effect=effect, method="GET", requests=(2, 5), seconds=1), store_clock.now())
    try:
        found = read(open_client(shop, store_clock))
    except LoginRefusedError:
        assert effect in (Effect.EXPIRED, Effect.FORBIDDEN)
    else:
        assert {key for key, entry in found.items() if isinstance(entry, Order)} == set(shop.orders)


@pytest.mark.parametrize("page_size", [5, 100])
def test_a_poisoned_order_is_named_and_the_others_are_read(page_size: int, shop: Shop, store_clock: FakeClock) -> None:
    poisoned = sorted(shop.orders)[10]
    shop.faults.add(Fault(effect=Effect.POISON, order_id=poisoned), store_clock.now())
    client = open_client(shop, store_clock)
    found = read(client, page_size)
    assert set(found) == set(shop.orders)
    assert [key for key, entry in found.items() if isinstance(entry, OrderProblem)] == [poisoned]
    again = client.read_orders(sorted(shop.orders))
    assert [key for key, entry in again.items() if isinstance(entry, OrderProblem)] == [poisoned]


def test_an_order_touched_between_two_pages_hides_no_other(shop: Shop, store_clock: FakeClock) -> None:
    ids = sorted(shop.orders)
    shop.faults.add(Fault(effect=Effect.TOUCH, order_id=ids[0], requests=(2,)), store_clock.now())
    store_clock.advance(hours=1)
    assert set(read(open_client(shop, store_clock))) == set(ids)


def test_orders_read_by_id_are_those_of_the_list(shop: Shop, store_clock: FakeClock) -> None:
    client = open_client(shop, store_clock)
    assert client.read_orders([*shop.orders, 999_999_999]) == read(client)
    number = next(iter(shop.orders.values())).number
    assert [order.number for order in client.find_order(number)] == [number]


def test_the_stores_clock_is_known(shop: Shop, store_clock: FakeClock) -> None:
    shop.switches = shop.switches.model_copy(update={"clock_skew_seconds": 90})
    client = open_client(shop, store_clock)
    client.check()
    assert client.clock_skew_seconds == pytest.approx(90, abs=1)


def updates(shop: Shop) -> list[StatusUpdate]:
    return [StatusUpdate(order_id, "synced", "Posted.", f"key-{order_id}") for order_id in shop.orders]


def test_statuses_arrive_and_staff_keep_theirs(shop: Shop, store_clock: FakeClock) -> None:
    kept, *others = sorted(shop.orders)
    disable_by_staff(shop, kept)
    client = open_client(shop, store_clock)
    results = {
        result.order_id: result for result in client.write_statuses([*updates(shop), StatusUpdate(1, "synced", "x", "k")])
    }
    assert not results[1].is_written
    assert (results[kept].is_written, results[kept].conflict) == (False, True)
    assert all(results[order_id].is_written for order_id in others)
    assert {sync_status(shop, order_id)["status"] for order_id in others} == {"synced"}


def test_our_own_writing_is_no_news_when_we_read_it_again(shop: Shop, store_clock: FakeClock) -> None:
    for writer in ("module", "comment"):
        client = open_client(shop, store_clock, writer=writer)
        before = read(client)
        store_clock.advance(minutes=1)
        client.write_statuses(updates(shop))
        after = read(client)
        assert [entry.content_hash for entry in after.values()] == [entry.content_hash for entry in before.values()]


@pytest.mark.parametrize("is_executed", [True, False])
@pytest.mark.parametrize("effect", [Effect.RESET, Effect.HANG, Effect.MASKED_500, Effect.BAD_GATEWAY])
@pytest.mark.parametrize("writer", ["module", "comment"])
def test_a_status_whose_answer_was_lost_is_written_once(
    writer: str, effect: Effect, *, is_executed: bool, shop: Shop, store_clock: FakeClock
) -> None:
    method = "PUT" if writer == "module" else "POST"
    shop.faults.add(Fault(effect=effect, method=method, requests=(1,), is_executed=is_executed, seconds=1), store_clock.now())
    [update, *_] = updates(shop)
    [result] = open_client(shop, store_clock, writer=writer).write_statuses([update])
    assert result.is_written
    comments = [row for row in shop.orders[update.order_id].histories if update.run_key in str(row.get("comment"))]
    assert len(comments) == (1 if writer == "comment" else 0)


@pytest.mark.parametrize("policy", ["null_status", "refuse_change", "same_state"])
def test_a_comment_never_notifies_and_never_changes_the_status(policy: str, shop: Shop, store_clock: FakeClock) -> None:
    shop.switches = shop.switches.model_copy(update={"comment_policy": policy})
    before = {order_id: record.row["status"] for order_id, record in shop.orders.items()}
    results = open_client(shop, store_clock, writer="comment").write_statuses(updates(shop))
    assert all(result.is_written for result in results), [result for result in results if not result.is_written][:3]
    assert {order_id: record.row["status"] for order_id, record in shop.orders.items()} == before
    ours = [row for record in shop.orders.values() for row in record.histories if "Nextech Status" in str(row.get("comment"))]
    assert len(ours) == len(shop.orders)
    assert {row["is_customer_notified"] for row in ours} == {0}
