"""Reading the store: no row is lost, no broken order holds up the rest, no nonsense is believed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from order_sync.clients.store import StoreClient
from order_sync.clients.store_reading import OrdersPage
from order_sync.clients.store_requests import api_root
from order_sync.errors import IncompleteReadError, LoginRefusedError, RateLimitedError, SettingsError, SourceUnavailableError
from order_sync.orders import Order, OrderProblem
from tests.clocks import FakeClock
from tests.unit.clients.scripted import asked, json_answer, store_client

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)
MASKED = {"message": "Internal Error. Details are available in Magento log file. Report ID: webapi-5f3a1c"}


def row(order_id: int, at: datetime = SINCE, **changes: object) -> dict[str, Any]:
    return {
        "entity_id": order_id,
        "increment_id": f"{order_id:09d}",
        "state": "processing",
        "created_at": f"{at:%Y-%m-%d %H:%M:%S}",
        "updated_at": f"{at:%Y-%m-%d %H:%M:%S}",
        "grand_total": 10,
        "subtotal": 10,
        "items": [],
    } | changes


class MiniStore:
    """A store in a few lines: the search that we use, and orders that break the page they are on."""

    def __init__(self, rows: list[dict[str, Any]], *, poison: set[int] = frozenset(), singles: dict | None = None) -> None:
        self.rows = rows
        self.poison = poison
        self.singles = singles or {}
        self.searches: list[dict[str, str]] = []
        self.failure: Callable[[list[dict]], httpx.Response | None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if single := re.fullmatch(r"/rest/V1/orders/(\d+)", request.url.path):
            return json_answer(200, self.singles[int(single[1])])
        assert request.url.path == "/rest/V1/orders"
        params = asked(request)
        self.searches.append(params)
        filters = self._filters(params)
        found = [row for row in self.rows if all(self._fits(row, *one) for one in filters)]
        page = sorted(found, key=lambda row: row["entity_id"])[: int(params["searchCriteria[pageSize]"])]
        assert params["searchCriteria[currentPage]"] == "1"
        assert params["searchCriteria[sortOrders][0][field]"] == "entity_id"
        assert params["searchCriteria[sortOrders][0][direction]"] == "ASC"
        if any(row["entity_id"] in self.poison for row in page):
            return json_answer(500, MASKED)
        return self.failure(page) or json_answer(200, {"items": page, "search_criteria": {}, "total_count": len(found)})

    @staticmethod
    def _filters(params: dict[str, str]) -> list[tuple[str, str, str]]:
        groups = {key.split("[")[2].rstrip("]") for key in params if "filter_groups" in key}
        prefix = "searchCriteria[filter_groups][{}][filters][0][{}]"
        return [tuple(params[prefix.format(group, part)] for part in ("field", "condition_type", "value")) for group in groups]

    @staticmethod
    def _fits(row: dict[str, Any], field: str, condition: str, value: str) -> bool:
        own = row[field]
        if condition == "in":
            return str(own) in value.split(",")
        other = int(value) if isinstance(own, int) else value
        return {"eq": own == other, "gt": own > other, "gteq": own >= other, "lt": own < other, "lteq": own <= other}[condition]


def ids(pages: list[OrdersPage]) -> list[int]:
    return [order.entity_id for page in pages for order in page.orders]


def broken(pages: list[OrdersPage]) -> list[int]:
    return [problem.entity_id for page in pages for problem in page.problems]


def read(store: Callable, clock: FakeClock, page_size: int = 100) -> list[OrdersPage]:
    return list(store_client(store, clock).read_changes(SINCE, UNTIL, page_size))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_every_order_of_the_span_is_read_once(count: int, clock: FakeClock) -> None:
    store = MiniStore([row(number) for number in range(1, count + 1)] + [row(9_000, UNTIL), row(9_001, SINCE - timedelta(1))])
    pages = read(store, clock)
    assert ids(pages) == list(range(1, count + 1))
    assert [page.is_slice_end for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].slice_until == UNTIL


def test_the_search_is_the_documented_one(clock: FakeClock) -> None:
    store = MiniStore([row(5)])
    read(store, clock)
    group = "searchCriteria[filter_groups][{}][filters][0][{}]".format
    first = store.searches[0]
    assert [first[group(n, "field")] for n in range(3)] == ["updated_at", "updated_at", "entity_id"]
    assert [first[group(n, "condition_type")] for n in range(3)] == ["gteq", "lt", "gt"]
    assert [first[group(n, "value")] for n in range(3)] == ["2026-03-01 00:00:00", "2026-03-02 00:00:00", "0"]


def test_an_order_that_changes_while_we_read_hides_no_other(clock: FakeClock) -> None:
    store = MiniStore([row(number) for number in range(1, 31)])

    def touch(page: list[dict]) -> None:
        if page and page[0]["entity_id"] == 11:
            store.rows[0]["updated_at"] = f"{UNTIL:%Y-%m-%d %H:%M:%S}"
            store.rows[24]["updated_at"] = f"{UNTIL:%Y-%m-%d %H:%M:%S}"

    store.failure = touch
    # 25 has left the span; a later one has it. Offset paging would have lost 11 as well.
    assert ids(read(store, clock, page_size=10)) == [number for number in range(1, 31) if number != 25]


def test_a_large_span_is_cut_into_slices_in_order_of_time(clock: FakeClock) -> None:
    rows = [row(5_000 - number, SINCE + timedelta(seconds=15 * number)) for number in range(4_500)]
    pages = read(MiniStore(rows), clock, page_size=300)
    assert sorted(ids(pages)) == sorted(entry["entity_id"] for entry in rows)
    ends = [page.slice_until for page in pages if page.is_slice_end]
    assert len(ends) >= 3
    assert ends == sorted(ends)
    assert ends[-1] == UNTIL
    seen_until = SINCE
    for page in pages:
        assert all(seen_until <= order.updated_at < page.slice_until for order in page.orders)
        seen_until = page.slice_until if page.is_slice_end else seen_until


@pytest.mark.parametrize("poison", [{1}, {37}, {100}, {101}, {250}, {36, 37, 38}, {1, 250}, {5, 170}])
@pytest.mark.parametrize("page_size", [1, 7, 100])
def test_a_broken_order_is_found_by_its_id_and_the_rest_goes_on(poison: set[int], page_size: int, clock: FakeClock) -> None:
    store = MiniStore([row(number * 3) for number in range(1, 251)], poison={number * 3 for number in poison})
    pages = read(store, clock, page_size)
    assert broken(pages) == sorted(store.poison)
    assert ids(pages) == [number * 3 for number in range(1, 251) if number not in poison]
    assert pages[-1].is_slice_end


@pytest.mark.parametrize(
    "failure",
    [
        json_answer(500, {"messages": {"error": [{"code": 500}]}}),
        json_answer(200, {"message": "The product was deleted"}),
        json_answer(200, {"items": []}),
        json_answer(200, {"items": [{"increment_id": "1"}], "total_count": 1}),
        json_answer(200, []),
        httpx.Response(502, content=b"<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, content=b'{"items": [', headers={"content-type": "application/json"}),
    ],
)
def test_every_way_of_breaking_a_page_leads_to_the_order(failure: httpx.Response, clock: FakeClock) -> None:
    store = MiniStore([row(number) for number in range(1, 21)])
    store.failure = lambda page: failure if any(entry["entity_id"] == 13 for entry in page) else None
    pages = read(store, clock)
    assert broken(pages) == [13]
    assert len(ids(pages)) == 19


def test_a_page_that_takes_too_long_is_asked_for_in_pieces(clock: FakeClock) -> None:
    store = MiniStore([row(number, SINCE + timedelta(minutes=number)) for number in range(1, 201)])

    def tire(page: list[dict]) -> None:
        if len(page) > 30:
            raise httpx.ReadTimeout("slow")

    store.failure = tire
    pages = read(store, clock)
    assert sorted(ids(pages)) == list(range(1, 201))
    assert broken(pages) == []


def test_a_store_that_is_down_is_not_searched_for_broken_orders(clock: FakeClock) -> None:
    sent = []

    def down(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(503, content=b"<html>maintenance", headers={"content-type": "text/html"})

    with pytest.raises(SourceUnavailableError):
        read(down, clock)
    assert len(sent) <= 3


def test_a_store_that_fails_now_and_then_is_no_broken_order(clock: FakeClock) -> None:
    store = MiniStore([row(number) for number in range(1, 51)])
    failures = iter([True, True, False, True, True] + [False] * 500)
    store.failure = lambda page: json_answer(500, MASKED) if page and next(failures) else None
    pages = read(store, clock, page_size=10)
    assert ids(pages) == list(range(1, 51))
    assert broken(pages) == []


@pytest.mark.parametrize(
    "rows",
    [
        [row(2), row(1)],
        [row(1), row(1)],
        [row(1, UNTIL)],
        [row(1, SINCE - timedelta(seconds=1))],
    ],
)
def test_a_page_that_is_not_what_was_asked_for_is_refused(rows: list[dict], clock: FakeClock) -> None:
    with pytest.raises(IncompleteReadError):
        read(lambda _: json_answer(200, {"items": rows, "total_count": len(rows)}), clock)


def test_a_row_that_makes_no_sense_spoils_only_itself(clock: FakeClock) -> None:
    pages = read(MiniStore([row(1), row(2, state="?"), row(3)]), clock)
    assert (ids(pages), broken(pages)) == ([1, 3], [2])


def test_login_trouble_and_429_are_not_mistaken_for_a_broken_order(clock: FakeClock) -> None:
    denied = {"message": "The consumer isn't authorized to access %resources.", "parameters": {"resources": "Magento_Sales::x"}}
    with pytest.raises(LoginRefusedError):
        read(lambda _: json_answer(401, denied), clock)
    with pytest.raises(RateLimitedError):
        read(lambda _: httpx.Response(429, content=b"<html>"), clock)


def test_orders_are_read_again_by_id_and_missing_ones_are_left_out(clock: FakeClock) -> None:
    store = MiniStore([row(number) for number in range(1, 260)], poison={77})
    found = store_client(store, clock).read_orders([*range(1, 251), 5, 9_999])
    assert set(found) == set(range(1, 251))
    assert isinstance(found[77], OrderProblem)
    assert sum(isinstance(entry, Order) for entry in found.values()) == 249
    assert store_client(store, clock).read_orders([]) == {}


def test_an_ignored_id_filter_is_noticed(clock: FakeClock) -> None:
    with pytest.raises(IncompleteReadError):
        store_client(lambda _: json_answer(200, {"items": [row(1), row(2)], "total_count": 2}), clock).read_orders([1])


def test_an_order_is_found_by_its_number(clock: FakeClock) -> None:
    store = MiniStore([row(1), row(2), row(3, increment_id="000000001", store_id=2)])
    client = store_client(store, clock)
    assert [order.entity_id for order in client.find_order("000000001")] == [1, 3]
    assert client.find_order("nope") == []


def test_balances_that_the_list_leaves_out_are_read_from_the_single_order(clock: FakeClock) -> None:
    listed = row(1, subtotal=30, extension_attributes={"shipping_assignments": []})
    store = MiniStore([listed, row(2)], singles={1: {**listed, "extension_attributes": {"gift_cards_amount": 20}}})
    [page] = read(store, clock)
    assert [order.totals.gift_cards for order in page.orders] == [20, 0]


def test_the_stores_clock_is_compared_with_ours(clock: FakeClock) -> None:
    client = store_client(
        lambda _: json_answer(200, {"items": [], "total_count": 0}, date="Tue, 10 Mar 2026 15:02:00 GMT"), clock
    )
    assert client.clock_skew_seconds is None
    client.check()
    assert client.clock_skew_seconds == 120


def test_the_report_id_is_kept_and_the_body_is_not(clock: FakeClock) -> None:
    body = {"message": MASKED["message"] + " body-canary"}
    with pytest.raises(SourceUnavailableError) as caught:
        store_client(lambda _: json_answer(500, body), clock).find_order("query-canary")
    assert caught.value.request_id == "webapi-5f3a1c"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://store.example", "https://store.example/rest/V1"),
        ("https://store.example/store/eastern", "https://store.example/store/eastern/rest/V1"),
        ("https://store.example/rest/default", "https://store.example/rest/default/V1"),
        ("https://store.example/rest/V1", "https://store.example/rest/V1"),
    ],
)
def test_the_api_is_found_below_every_usual_base_url(base: str, root: str) -> None:
    assert api_root(base) == root


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.example",
        "ftp://store.example",
        "http://store.example",
        "https://user:secret-canary@store.example",
        "https://store.example?token=secret-canary",
        "https://store.example#x",
        "https://",
        "https://store.example:99999",
        "http://169.254.169.254/latest",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "http://10.0.0.7",
        "https://store.example@169.254.169.254",
        "https://[::1",
    ],
)
def test_a_base_url_that_could_leak_the_token_is_refused(url: str) -> None:
    from order_sync.clients.store import Bearer, StoreConnection

    with pytest.raises(SettingsError) as caught:
        StoreClient(StoreConnection(url, Bearer("t")), transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    assert "canary" not in str(caught.value)
