"""Refunds: a credit memo, what it takes from the order's rows, and a transaction when the money goes back online."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.store.actions import OFFLINE_METHODS, add_transaction
from sandbox.store.complaints import bad_request
from sandbox.store.records import ZERO, OrderRecord, Row, add_amount, money
from sandbox.store.shop import Shop


def refund(
    shop: Shop,
    order_id: int,
    *,
    quantities: Mapping[int, int] | None = None,
    adjustment: Decimal = ZERO,
    is_offline: bool = False,
) -> Row:
    """Refund an order and return the credit memo.

    `quantities` says how many of which item rows; None with no `adjustment` means all that is left, which closes the
    order. `adjustment` alone makes a memo without items.
    """
    record = shop.order(order_id)
    left = record.row.get("total_paid", ZERO) - record.row.get("total_refunded", ZERO)
    is_full = quantities is None and adjustment == 0
    if record.row.get("total_paid") is None or record.row["state"] in {"closed", "canceled"}:
        raise bad_request("The order does not allow creation of creditmemo")
    is_offline = is_offline or record.payment is None or record.payment["method"] in OFFLINE_METHODS
    gap = shop.switches.refund_gap_seconds
    is_memo_first = shop.switches.refund_order == "memo_first"
    shop.begin(record, gap if is_memo_first else 0)
    items = _memo_items(shop, record, {} if quantities is None else quantities, is_full=is_full)
    memo = _memo(shop, record, items, adjustment, is_full=is_full)
    if memo["grand_total"] > left:
        raise bad_request("The most money available to refund is %1.", [f"{left:.2f}"])
    if not is_offline:
        memo["transaction_id"] = add_transaction(shop, record, "refund", memo["grand_total"])
    shop.memos[memo["entity_id"]] = memo
    shop.hide_memo(memo["entity_id"], shop.switches.commit_lag_seconds + (0 if is_memo_first else gap))
    _take_from_order(shop, record, memo, is_offline=is_offline)
    return memo


def _memo_items(shop: Shop, record: OrderRecord, quantities: Mapping[int, int], *, is_full: bool) -> list[Row]:
    """Return the memo's rows: rows without a quantity are left out, children follow their parent with no money."""
    chosen = {
        item["item_id"]: item["qty_ordered"] - item.get("qty_refunded", ZERO)
        if is_full
        else Decimal(quantities[item["item_id"]])
        for item in record.items
        if is_full or item["item_id"] in quantities
    }
    rows = []
    for item in record.items:
        is_child = item.get("parent_item_id") is not None
        quantity = chosen.get(item["parent_item_id"] if is_child else item["item_id"], ZERO)
        if quantity <= 0:
            continue
        share = quantity / item["qty_ordered"]
        rows.append(
            {
                "entity_id": shop.ids.next("memo_item"),
                "order_item_id": item["item_id"],
                "product_id": item["product_id"],
                "sku": item["sku"],
                "name": item["name"],
                "qty": quantity,
                "price": ZERO if is_child else item["price"],
                "base_cost": None,
                "row_total": ZERO if is_child else money(item["row_total"] * share),
                "discount_amount": ZERO if is_child else money(item.get("discount_amount", ZERO) * share),
                "tax_amount": ZERO if is_child else money(item.get("tax_amount", ZERO) * share),
            }
        )
    return rows


def _memo(shop: Shop, record: OrderRecord, items: list[Row], adjustment: Decimal, *, is_full: bool) -> Row:
    row = record.row
    memo_id = shop.ids.next("memo")
    amounts = _remaining(record) if is_full else _shares(items)
    total = amounts["subtotal"] + amounts["discount_amount"] + amounts["tax_amount"] + amounts["shipping_amount"] + adjustment
    extension: Row = {}
    if is_full:
        for name in ("gift_cards", "customer_balance"):
            if amount := record.extension.get(f"{name}_amount"):
                extension[f"{name}_amount"] = extension[f"base_{name}_amount"] = amount
        total = row["total_paid"] - row.get("total_refunded", ZERO)
    for item in items:
        item["parent_id"] = memo_id
    return {
        "entity_id": memo_id,
        "increment_id": f"{shop.number_prefix}{memo_id:08d}",
        "order_id": record.entity_id,
        "store_id": row["store_id"],
        "state": 2,
        "billing_address_id": row["billing_address_id"],
        "base_currency_code": row["base_currency_code"],
        "order_currency_code": row["order_currency_code"],
        **amounts,
        "adjustment_positive": adjustment,
        "adjustment_negative": ZERO,
        "adjustment": adjustment,
        "grand_total": total,
        "created_at": shop.now_text(),
        "updated_at": shop.now_text(),
        "items": items,
        "comments": [],
        "extension_attributes": extension,
    }


def _remaining(record: OrderRecord) -> dict[str, Decimal]:
    row = record.row
    return {
        "subtotal": row["subtotal"] - row.get("subtotal_refunded", ZERO),
        "discount_amount": row["discount_amount"] + row.get("discount_refunded", ZERO),
        "tax_amount": row["tax_amount"] - row.get("tax_refunded", ZERO),
        "shipping_amount": row["shipping_amount"] - row.get("shipping_refunded", ZERO),
    }


def _shares(items: list[Row]) -> dict[str, Decimal]:
    return {
        "subtotal": sum((item["row_total"] for item in items), ZERO),
        "discount_amount": -sum((item["discount_amount"] for item in items), ZERO),
        "tax_amount": sum((item["tax_amount"] for item in items), ZERO),
        "shipping_amount": ZERO,
    }


def _take_from_order(shop: Shop, record: OrderRecord, memo: Row, *, is_offline: bool) -> None:
    row, amount = record.row, memo["grand_total"]
    by_item = {item["item_id"]: item for item in record.items}
    for part in memo["items"]:
        item = by_item[part["order_item_id"]]
        add_amount(item, "qty_refunded", part["qty"])
        add_amount(item, "amount_refunded", part["row_total"])
        add_amount(item, "tax_refunded", part["tax_amount"])
        add_amount(item, "discount_refunded", part["discount_amount"])
    if record.payment is not None:
        add_amount(record.payment, "amount_refunded", amount)
    for name in ("gift_cards", "customer_balance"):
        if f"{name}_amount" in memo["extension_attributes"]:
            record.extension[f"{name}_refunded"] = memo["extension_attributes"][f"{name}_amount"]
    where = "total_offline_refunded" if is_offline else "total_online_refunded"
    added = {
        "total_refunded": amount,
        where: amount,
        "subtotal_refunded": memo["subtotal"],
        "discount_refunded": -memo["discount_amount"],
        "tax_refunded": memo["tax_amount"],
        "shipping_refunded": memo["shipping_amount"],
        "adjustment_positive": memo["adjustment_positive"],
    }
    columns: dict[str, object] = {name: row.get(name, ZERO) + value for name, value in added.items()}
    if columns["total_refunded"] == row["total_paid"]:
        columns |= {"state": "closed", "status": "closed"}
    way = "offline" if is_offline else "online"
    shop.add_history(record, f"We refunded ${amount:,.2f} {way}.", "creditmemo")
    shop.change(record, **columns)
