"""The search: its grammar, its traps, and why a client pages by key (store contract section 2)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from sandbox.store import actions
from sandbox.store.shop import Shop
from sandbox.store.switches import InputLimits, StoreSwitches
from tests.integration.sandbox_store.conftest import HandClock, criteria

Find = Callable[..., list[int]]


def test_snake_case_camel_case_and_encoded_brackets_mean_the_same(client: httpx.Client):
    camel = (
        "searchCriteria[filterGroups][0][filters][0][field]=entity_id&searchCriteria[filterGroups][0][filters][0][value]=4003"
    )
    snake = camel.replace("searchCriteria", "search_criteria").replace("filterGroups", "filter_groups")
    answers = [client.get(f"orders?{query}").json()["items"] for query in (camel, snake, quote(camel, safe="=&"))]
    assert [[order["entity_id"] for order in items] for items in answers] == [[4003]] * 3


def test_filters_in_a_group_are_alternatives_and_groups_are_joined(client: httpx.Client):
    query = (
        "searchCriteria[filter_groups][0][filters][0][field]=entity_id&searchCriteria[filter_groups][0][filters][0][value]=4003"
        "&searchCriteria[filter_groups][0][filters][1][field]=entity_id&searchCriteria[filter_groups][0][filters][1][value]=4005"
        "&searchCriteria[filter_groups][1][filters][0][field]=entity_id&searchCriteria[filter_groups][1][filters][0][value]=4004"
        "&searchCriteria[filter_groups][1][filters][0][condition_type]=gt"
    )
    assert [order["entity_id"] for order in client.get(f"orders?{query}").json()["items"]] == [4005]


@pytest.mark.parametrize(
    ("field", "value", "condition", "expected"),
    [
        ("entity_id", "4003", "eq", {4003}),
        ("entity_id", "4001,4003", "in", {4001, 4003}),
        ("entity_id", "4003", "lteq", {4001, 4002, 4003}),
        ("entity_id", "4003", "to", {4001, 4002, 4003}),
        ("entity_id", "4003", "lt", {4001, 4002}),
        ("increment_id", "%4002", "like", {4002}),
        ("increment_id", "10000400_", "like", set(range(4001, 4010))),
        ("customer_email", "MAYA.TRENT@mailbox.example", "eq", {4022}),
        ("state", "PAYMENT_REVIEW", "eq", {4023}),
        ("customer_id", "", "null", {4012}),
        ("coupon_code", "", "notnull", set()),
        ("customer_email", "x", "null", {4005}),
        ("order_currency_code", "EUR", "finset", {4015}),
        ("base_grand_total", "212.70", "gt", {4016}),
    ],
)
def test_conditions(find: Find, field: str, value: str, condition: str, expected: set[int]):
    assert set(find((field, value, condition))) == expected


def test_an_unknown_condition_silently_means_equal(find: Find, shop: Shop):
    assert find(("entity_id", "4003", "moreq")) == [4003]
    assert len(find(("entity_id", "4003", "gteq"))) == len(shop.orders) - 2


def test_null_meets_no_comparison_not_even_unequal(find: Find):
    assert 4005 not in find(("customer_email", "nobody@mailbox.example", "neq"))


@pytest.mark.parametrize("status", [500, 400])
def test_an_unknown_field_is_a_masked_error(client: httpx.Client, shop: Shop, status: int):
    shop.switches = StoreSwitches(unknown_field=status)
    answer = client.get("orders", params=criteria(("nextech_status", "synced", "eq")))
    assert answer.status_code == status
    assert "Report ID: webapi-" in answer.json()["message"]


def test_a_search_without_criteria_is_refused_and_an_empty_one_means_everything(client: httpx.Client, shop: Shop):
    refused = client.get("orders")
    assert (refused.status_code, refused.json()["parameters"]) == (400, {"fieldName": "searchCriteria"})
    everything = client.get("orders?searchCriteria=").json()
    assert len(everything["items"]) == everything["total_count"] == len(shop.orders)
    assert "page_size" not in everything["search_criteria"]


def test_without_a_sort_order_the_rows_come_in_another_order_each_time(find: Find):
    assert find(sort=None) != find(sort=None)
    assert find() == sorted(find(sort=None))


def test_a_missing_direction_means_descending_and_a_wrong_one_is_refused(client: httpx.Client, shop: Shop):
    field = "searchCriteria[sortOrders][0][field]=entity_id"
    newest_first = client.get(f"orders?{field}").json()["items"]
    assert newest_first[0]["entity_id"] == max(shop.orders)
    assert client.get(f"orders?{field}&searchCriteria[sortOrders][0][direction]=up").status_code == 400


def test_page_zero_is_page_one(find: Find):
    assert find(size=3, page=0) == find(size=3, page=1) == [4001, 4002, 4003]


@pytest.mark.parametrize(("overflow", "expected"), [("empty", []), ("last", [4021, 4022, 4023, 4024])])
def test_beyond_the_last_page_stands_nothing_or_the_last_page_again(find: Find, shop: Shop, overflow: str, expected: list[int]):
    shop.switches = StoreSwitches(page_overflow=overflow)
    assert find(size=5, page=99) == expected


def test_input_limits_give_a_default_and_refuse_big_pages(client: httpx.Client, shop: Shop):
    shop.switches = StoreSwitches(input_limits=InputLimits(default=4, max=10))
    assert len(client.get("orders", params=criteria()).json()["items"]) == 4
    refused = client.get("orders", params=criteria(size=11))
    assert (refused.status_code, refused.json()["parameters"]) == (400, {"max": 10})


def read_by_offset(find: Find, between_pages: Callable[[], object]) -> list[int]:
    seen: list[int] = []
    for page in range(1, 100):
        found = find(("updated_at", "2026-01-01 00:00:00", "gteq"), sort="updated_at", size=10, page=page)
        if not found:
            return seen
        seen += found
        if page == 1:
            between_pages()
    raise AssertionError("the pages do not end")


def read_by_key(find: Find, until: str, between_pages: Callable[[], object]) -> list[int]:
    """The loop of contract section 2: a closed time slice, always page 1, ended by an empty page."""
    seen: list[int] = []
    last = 0
    for number in range(100):
        found = find(
            ("updated_at", "2026-01-01 00:00:00", "gteq"), ("updated_at", until, "lt"), ("entity_id", last, "gt"), size=10
        )
        if not found:
            return seen
        seen += found
        last = found[-1]
        if number == 0:
            between_pages()
    raise AssertionError("the pages do not end")


def test_offset_paging_loses_a_row_when_an_order_changes_between_two_pages(find: Find, shop: Shop):
    seen = read_by_offset(find, lambda: actions.touch(shop, find(sort="updated_at", size=1)[0]))
    assert len(set(shop.orders) - set(seen)) == 1


@pytest.mark.parametrize("overflow", ["empty", "last"])
def test_keyset_paging_ends_and_loses_none_but_the_changed_one_which_the_next_slice_has(
    find: Find, shop: Shop, hand_clock: HandClock, overflow: str
):
    shop.switches = StoreSwitches(page_overflow=overflow)
    until = shop.now_text()
    changed = 4020
    hand_clock.advance(60)
    seen = read_by_key(find, until, lambda: actions.touch(shop, changed))
    assert set(seen) == set(shop.orders) - {changed}
    assert len(seen) == len(set(seen))
    assert find(("updated_at", until, "gteq")) == [changed]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("items[entity_id],total_count", {"items": [{"entity_id": 4001}], "total_count": 1}),
        ("items[entity_id]", {"items": [{"entity_id": 4001}]}),
        ("items[entity_id,unknown]", {"items": [{"entity_id": 4001}]}),
        ("items[extension_attributes[converting_from_quote]]", {"items": [{"extension_attributes": {}}]}),
        ("items[entity_id", []),
        ("items[entity_id]]", []),
        ("items[entity id]", []),
        ("items.entity_id", []),
    ],
)
def test_projection_keeps_what_is_named_and_answers_an_empty_array_when_malformed(
    client: httpx.Client, fields: str, expected: object
):
    answer = client.get("orders", params=criteria(("entity_id", 4001, "eq")) | {"fields": fields})
    assert (answer.status_code, answer.json()) == (200, expected)


def test_many_rows_in_one_second_all_belong_to_the_slice(find: Find, shop: Shop, hand_clock: HandClock):
    hand_clock.advance(60)
    second = shop.now_text()
    placed = {shop.place("everyday").entity_id for _ in range(30)}
    for order_id in placed:
        actions.touch(shop, order_id)
    assert set(find(("updated_at", second, "gteq"), ("updated_at", second, "lteq"))) == placed


def test_items_can_be_searched_by_themselves(client: httpx.Client):
    answer = client.get("orders/items", params=criteria(("sku", "DRM-MEM%", "like"), sort="item_id")).json()
    assert {item["sku"] for item in answer["items"]} == {"DRM-MEM-GLOW"}
    assert answer["total_count"] == 2
