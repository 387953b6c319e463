"""What the store answers, against Adobe's own schema, an independent client, and the totals identity."""

from __future__ import annotations

import copy
import json
import os
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft4Validator
from magento import Magento

from sandbox.demo.practices import EASTERN, PRACTICES
from sandbox.demo.story import Demo, open_shops
from sandbox.store.shop import Shop
from sandbox.store.switches import StoreSwitches
from sandbox.store.transport import StoreTransport
from tests.integration.sandbox_store.conftest import NOW, criteria

ALLOWED_EXTRAS = {"sales-data-order-extension-interface": {"nextech_status": {"type": "string"}}}
"""The status module's own attribute; no other key may be unknown to Adobe's schema."""


@pytest.fixture(scope="session")
def schema() -> dict:
    folder = os.environ.get("ORDER_SYNC_REFERENCE")
    if not folder:
        pytest.skip("ORDER_SYNC_REFERENCE is not set: no contract schema to hold the answers against")
    document = json.loads((Path(folder) / "contracts" / "store-sales-schema-2.4.8.json").read_text(encoding="utf-8"))
    definitions = copy.deepcopy(document["definitions"])
    for name, definition in definitions.items():
        properties = definition.get("properties")
        if properties is None:
            continue
        properties |= ALLOWED_EXTRAS.get(name, {})
        definition["additionalProperties"] = False
        for key in definition.get("required", []):  # required may be null (contract section 3, rule 2)
            properties[key] = {"anyOf": [properties[key], {"type": "null"}]}
    return definitions


def problems(definitions: dict, name: str, answer: object) -> list[str]:
    validator = Draft4Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:120]}" for error in validator.iter_errors(answer)]


def shop_client(shop: Shop, practice_id: str) -> httpx.Client:
    return httpx.Client(
        transport=StoreTransport(shop),
        base_url="http://store.example/rest/V1/",
        headers={"Authorization": f"Bearer {PRACTICES[practice_id].store_token}"},
    )


@pytest.mark.reference
@pytest.mark.parametrize("practice_id", sorted(PRACTICES))
@pytest.mark.parametrize("child_price", ["zero", "copy"])
def test_every_demo_answer_fits_the_published_schema(demo: Demo, schema: dict, practice_id: str, child_price: str):
    shop = open_shops(demo, lambda: NOW)[practice_id]
    shop.switches = StoreSwitches(child_price=child_price)
    first = next(iter(shop.orders))
    shop.sync_rows[first] = {"order_id": first, "status": "synced"}
    answers = {
        "orders": "sales-data-order-search-result-interface",
        "creditmemos": "sales-data-creditmemo-search-result-interface",
        "invoices": "sales-data-invoice-search-result-interface",
        "transactions": "sales-data-transaction-search-result-interface",
        f"orders/{first}": "sales-data-order-interface",
        f"orders/{first}/comments": "sales-data-order-status-history-search-result-interface",
    }
    with shop_client(shop, practice_id) as client:
        for path, name in answers.items():
            answer = client.get(path, params=criteria(sort=None, size=500)).raise_for_status().json()
            assert problems(schema, name, answer) == []
            assert answer.get("items") != [] or path.endswith("comments")


@pytest.mark.reference
def test_the_schema_check_would_notice_an_unknown_key_and_a_wrong_type(demo: Demo, schema: dict):
    shop = open_shops(demo, lambda: NOW)["eastern"]
    record = next(iter(shop.orders.values()))
    record.row |= {"invented_key": 1, "state": 5}
    answer = json.loads(shop.order_text(record))
    assert len(problems(schema, "sales-data-order-interface", answer)) == 2


def test_an_independent_client_reads_the_same_orders(shop: Shop, store_url: str):
    client = Magento(token=EASTERN.store_token, base_url=store_url, scope="all", batch_page_size=5)
    read = {order["entity_id"] for order in client.get_orders(query={"searchCriteria[sortOrders][0][field]": "entity_id"})}
    assert read == set(shop.orders)
    assert client.get_total_orders_count() == len(shop.orders)
    one = client.get_order(str(min(shop.orders)))
    assert one["increment_id"] == shop.orders[min(shop.orders)].number
    client.close()


@pytest.mark.parametrize("practice_id", sorted(PRACTICES))
def test_the_totals_of_every_demo_order_add_up_but_for_the_one_made_wrong(demo: Demo, practice_id: str):
    wrong = []
    for record in demo.orders[practice_id]:
        row, extension = record.row, record.extension
        parts = row["subtotal"] + row["discount_amount"] + row["shipping_amount"] + row["tax_amount"]
        for balance in ("gift_cards_amount", "customer_balance_amount", "reward_currency_amount"):
            parts -= extension.get(balance, Decimal(0))
        if parts != row["grand_total"]:
            wrong.append(record.number)
    expected = [
        one.order_numbers[0] for one in demo.situations if one.name == "totals-wrong" and one.practice_id == practice_id
    ]
    assert wrong == expected


def test_rows_without_a_parent_carry_all_the_money(demo: Demo):
    for records in demo.orders.values():
        for record in records:
            parents = [item for item in record.items if item.get("parent_item_id") is None]
            assert sum(item["row_total"] for item in parents) == record.row["subtotal"]
            assert -sum(item["discount_amount"] for item in parents) == record.row["discount_amount"]


def test_a_child_row_nests_its_parent_and_shows_its_price_only_in_the_other_version(shop: Shop, demo: Demo):
    number = next(one.order_numbers[0] for one in demo.situations if one.name == "configurable")
    record = next(record for record in shop.orders.values() if record.number == number)
    child = shop.order_answer(record, is_list=True)["items"][1]
    assert (child["price"], child["parent_item"]["sku"]) == (0, child["sku"])
    shop.switches = StoreSwitches(child_price="copy")
    assert shop.order_answer(record, is_list=True)["items"][1]["price"] == 54


def test_nulls_are_left_out_except_where_the_schema_requires_the_key(client: httpx.Client, demo: Demo, find):
    number = next(one.order_numbers[0] for one in demo.situations if one.name == "guest")
    [guest] = find(("increment_id", number, "eq"))
    order = client.get(f"orders/{guest}").json()
    assert "customer_id" not in order
    assert "customer_firstname" not in order
    assert order["payment"]["account_status"] is None
    assert order["billing_address"]["firstname"] == "Priya"


def test_a_host_with_17_digits_prints_the_same_amounts_differently(client: httpx.Client, shop: Shop):
    plain = client.get("orders", params=criteria(size=100))
    shop.switches = StoreSwitches(float_17=True)
    long = client.get("orders", params=criteria(size=100))
    assert "48.609999999999999" in long.text
    assert "48.609999999999999" not in plain.text
    assert long.json() == plain.json()


def test_extension_attributes_may_be_missing_from_lists(client: httpx.Client, shop: Shop, demo: Demo):
    number = next(one.order_numbers[0] for one in demo.situations if one.name == "reward-points")
    shop.switches = StoreSwitches(extattrs_in_list=False)
    [listed] = client.get("orders", params=criteria(("increment_id", number, "eq"))).json()["items"]
    single = client.get(f"orders/{listed['entity_id']}").json()
    assert "reward_currency_amount" not in listed["extension_attributes"]
    assert single["extension_attributes"]["reward_currency_amount"] == 12.5
