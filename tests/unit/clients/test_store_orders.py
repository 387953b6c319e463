"""The store's JSON into orders: what is absent, what is odd, and what is hostile."""

from __future__ import annotations

import copy
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.clients.store_values import UnreadableError
from order_sync.clients.store_wire import lacks_balances, read_order
from order_sync.orders import Order, OrderProblem, StoreState, Tender

ROW: dict[str, Any] = {
    "entity_id": 4127,
    "increment_id": "000004127",
    "state": "processing",
    "status": "processing",
    "created_at": "2026-03-02 18:41:07",
    "updated_at": "2026-03-03 09:15:32",
    "store_id": 1,
    "customer_id": 812,
    "customer_is_guest": 0,
    "customer_email": "pat.doe@mail.example",
    "customer_firstname": "Pat",
    "customer_lastname": "Doe",
    "customer_suffix": "Jr",
    "customer_dob": "1988-07-14 00:00:00",
    "order_currency_code": "USD",
    "subtotal": 155,
    "discount_amount": -15.5,
    "shipping_amount": 7.95,
    "tax_amount": 9.65,
    "grand_total": 122.1,
    "total_paid": 122.1,
    "total_refunded": 36.02,
    "total_offline_refunded": 36.02,
    "items": [
        {"sku": "DRM-SPF50", "name": "Sunscreen", "qty_ordered": 2, "product_type": "simple", "row_total": 76},
        {"sku": "DRM-RET", "name": "Cream", "qty_ordered": 1, "product_type": "configurable", "row_total": 54, "item_id": 2},
        {
            "sku": "DRM-RET",
            "name": "Cream 30 g",
            "qty_ordered": 1,
            "product_type": "simple",
            "parent_item_id": 2,
            "row_total": 54,
        },
        {"sku": "DRM-CONSULT", "name": "Consultation", "qty_ordered": 1, "product_type": "virtual", "row_total": 25},
    ],
    "billing_address": {
        "firstname": "Patricia",
        "lastname": "Doe",
        "telephone": "555-0142",
        "postcode": "78701",
        "city": "Austin",
    },
    "payment": {"method": "braintree", "cc_type": "VI", "account_status": None},
    "status_histories": [{"comment": "Captured"}],
    "extension_attributes": {"gift_cards_amount": 20, "customer_balance_amount": 10, "reward_currency_amount": 5},
}


def row(**changes: object) -> dict[str, Any]:
    """Return the sample with these changes, through text, as the client sees it; `...` removes a key."""
    changed = {key: value for key, value in {**copy.deepcopy(ROW), **changes}.items() if value is not ...}
    return json.loads(json.dumps(changed), parse_float=Decimal)


def order(**changes: object) -> Order:
    read = read_order(row(**changes))
    assert isinstance(read, Order), read
    return read


def test_the_documented_order_is_read_whole() -> None:
    read = order()
    assert (read.entity_id, read.number, read.store_id) == (4127, "000004127", 1)
    assert (read.state, read.store_status, read.currency) == (StoreState.PROCESSING, "processing", "USD")
    assert read.placed_at == datetime(2026, 3, 2, 18, 41, 7, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 3, 3, 9, 15, 32, tzinfo=UTC)
    totals = read.totals
    assert (totals.subtotal, totals.discount, totals.shipping, totals.tax) == tuple(
        map(Decimal, ("155", "-15.5", "7.95", "9.65"))
    )
    assert (totals.gift_cards, totals.store_credit, totals.reward_points) == (20, 10, 5)
    assert (totals.grand_total, totals.paid) == (Decimal("122.1"), Decimal("122.1"))
    assert (totals.refunded, totals.refunded_offline) == (Decimal("36.02"), Decimal("36.02"))
    assert read.tender == Tender("braintree", "VI")
    customer = read.customer
    assert (customer.customer_id, customer.is_guest) == (812, False)
    assert (customer.first, customer.last, customer.suffix) == ("Pat", "Doe", "Jr")
    assert (customer.email, customer.phone) == ("pat.doe@mail.example", "555-0142")
    assert (customer.birth_date, customer.postal_code, customer.city) == (date(1988, 7, 14), "78701", "Austin")


def test_only_rows_without_a_parent_are_lines() -> None:
    assert [line.name for line in order().lines] == ["Sunscreen", "Cream", "Consultation"]


def test_what_is_absent_is_nothing_or_unknown() -> None:
    read = order(
        total_paid=..., total_refunded=..., extension_attributes=..., payment=..., billing_address=..., customer_dob=...
    )
    assert (read.totals.paid, read.totals.refunded, read.totals.gift_cards, read.totals.extras) == (0, 0, 0, 0)
    assert read.tender is None
    assert (read.customer.phone, read.customer.birth_date, read.customer.postal_code) == (None, None, None)
    assert order(payment=None).tender is None


def test_a_guest_takes_the_names_of_the_billing_address() -> None:
    read = order(customer_id=..., customer_is_guest=1, customer_firstname=..., customer_lastname=None)
    assert (read.customer.customer_id, read.customer.is_guest) == (None, True)
    assert (read.customer.first, read.customer.last) == ("Patricia", "Doe")


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (122.09999999999999, "122.1"),
        (38, "38"),
        (0.6003, "0.6003"),
        ("122.1000", "122.1"),
        (-5, "-5"),
        (1e-9, "0"),
        (10.005, "10.005"),
    ],
)
def test_money_is_an_exact_decimal_of_four_places(value: object, amount: str) -> None:
    assert order(grand_total=value).totals.grand_total == Decimal(amount)


def test_wrapping_fees_and_tax_compensation_are_extras() -> None:
    extra = {"gw_price": "2.50", "gw_items_price": "1", "custom_fees": [{"custom_fee_amount": 3.25}, {"custom_fee_amount": 1}]}
    read = order(extension_attributes=extra, discount_tax_compensation_amount=0.75)
    assert read.totals.extras == Decimal("8.5")


def test_the_birth_date_is_cut_and_never_shifted() -> None:
    assert order(customer_dob="1988-07-14 23:59:59").customer.birth_date == date(1988, 7, 14)
    assert order(customer_dob="0000-00-00 00:00:00").customer.birth_date is None


def test_an_edited_order_names_its_relatives() -> None:
    assert order(original_increment_id="000004127").original_number == "000004127"
    assert order(relation_child_id="4200").replaced_by_id == 4200


@pytest.mark.parametrize(
    "change",
    [
        {"state": "frobnicated"},
        {"state": ...},
        {"grand_total": None},
        {"grand_total": "many"},
        {"grand_total": True},
        {"grand_total": 10**15},
        {"tax_amount": [1]},
        {"increment_id": ...},
        {"created_at": "yesterday"},
        {"updated_at": None},
    ],
)
def test_a_row_that_makes_no_sense_is_a_problem_of_its_own(change: dict[str, object]) -> None:
    problem = read_order(row(**change))
    assert isinstance(problem, OrderProblem)
    assert problem.entity_id == 4127
    assert "Pat" not in problem.sentence


@pytest.mark.parametrize("entity_id", [..., None, "x", 0, -1, True, 1.5])
def test_a_row_without_an_entity_id_cannot_even_be_a_problem(entity_id: object) -> None:
    with pytest.raises(UnreadableError):
        read_order(row(entity_id=entity_id))


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "=HYPERLINK(1)", "{{7*7}}", "'; DROP", "a\r\nb", "x" * 10_000, "a\x00b", "🧴", "\ud800"],
)
def test_hostile_text_is_data(text: str) -> None:
    read = order(customer_firstname=text, items=[{"sku": text, "name": text, "qty_ordered": 1, "product_type": "simple"}])
    assert read.customer.first == text
    assert read.lines[0].name == text
    assert len(read.content_hash) == 64


def hash_of(seen: dict[str, object]) -> str:
    read = read_order(seen)
    assert isinstance(read, Order)
    return read.content_hash


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": "2026-03-04 00:00:00"},
        {"status_histories": []},
        {"email_sent": 1},
        {"protect_code": "abc"},
        {"served_in_ms": 12},
        {"extension_attributes": {**ROW["extension_attributes"], "nextech_status": "synced"}},
        {"custom_attributes": []},
        {"grand_total": 122.09999999999999},
    ],
)
def test_what_changes_by_itself_or_by_us_is_no_content(change: dict[str, object]) -> None:
    before = hash_of(row(custom_attributes=[{"attribute_code": "nextech_status", "value": "x"}]))
    if "custom_attributes" not in change:
        change = {"custom_attributes": [], **change}
    assert hash_of(row(**change)) == before


@pytest.mark.parametrize("change", [{"grand_total": 122.11}, {"state": "holded"}, {"customer_firstname": "Sam"}, {"items": []}])
def test_what_matters_changes_the_hash(change: dict[str, object]) -> None:
    assert hash_of(row(**change)) != hash_of(row())


def test_the_order_of_keys_does_not_matter() -> None:
    assert hash_of(dict(reversed(row().items()))) == hash_of(row())


def test_balances_that_a_list_leaves_out_are_noticed_by_the_totals() -> None:
    without = row(extension_attributes={})
    assert lacks_balances(order(extension_attributes={}), without)
    assert not lacks_balances(order(), row())
    assert not lacks_balances(order(extension_attributes={}, grand_total=157.1), row(extension_attributes={}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(ROW)), JSON, max_size=6))
def test_no_row_crashes_its_page(changes: dict[str, Any]) -> None:
    changes.pop("entity_id", None)
    assert isinstance(read_order(row(**changes)), Order | OrderProblem)


def test_infinity_is_no_number_for_python_either() -> None:
    assert math.isinf(float("1e999"))
    assert isinstance(read_order(row(grand_total=...) | {"grand_total": Decimal("1e999")}), OrderProblem)
