"""Build the rows of one order so that they agree with each other, unless the draft asks for a mistake.

The totals identity of store contract section 3 holds to the last digit: amounts are rounded per row, as the store does.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.demo.catalog import PRODUCTS, Product
from sandbox.demo.drafts import Draft
from sandbox.store.records import ZERO, OrderRecord, Row, money, store_time
from sandbox.store.shop import Ids, Shop

_HUNDRED = Decimal(100)
_SHIPPING = Decimal("7.95")
_CARD_DIGITS = {"VI": "1111", "MC": "4444", "AE": "0005", "DI": "1117"}


def build_order(shop: Shop, draft: Draft) -> OrderRecord:
    """Return the rows of a new order with keys of this shop; nothing is captured yet."""
    ids, order_id = shop.ids, shop.ids.next("order")
    items = _items(ids, order_id, draft)
    parents = [item for item in items if item.get("parent_item_id") is None]
    is_virtual = all(item["is_virtual"] for item in parents)
    billing = _address(ids, order_id, draft, "billing")
    row = _order_row(shop, order_id, draft, parents, is_virtual=is_virtual)
    row["billing_address_id"] = billing["entity_id"]
    extension = _extension(draft, row, items)
    payment = _payment(ids, order_id, draft, row) if draft.has_payment else None
    extension["payment_additional_info"] = (
        [{"key": "method_title", "value": "Credit Card"}, {"key": "processorResponseText", "value": "Approved"}]
        if payment is not None
        else []
    )
    return OrderRecord(
        row=row,
        items=items,
        billing=billing,
        shipping=None if is_virtual else _address(ids, order_id, draft, "shipping"),
        payment=payment,
        extension=extension,
    )


def _items(ids: Ids, order_id: int, draft: Draft) -> list[Row]:
    rows: list[Row] = []
    for index, (sku, quantity) in enumerate(draft.basket):
        product = PRODUCTS[sku]
        row = _item(ids, order_id, draft, product, quantity)
        if index < len(draft.product_names):
            row["name"] = draft.product_names[index]
        rows.append(row)
        rows += [_child(ids, row, PRODUCTS[part]) for part in product.parts]
        if product.parts:
            _name_after_parts(row, product)
    return rows


def _item(ids: Ids, order_id: int, draft: Draft, product: Product, quantity: int) -> Row:
    row_total = product.price * quantity
    discount = money(row_total * draft.coupon_percent / _HUNDRED)
    percent = Decimal(draft.practice.tax_percent) if product.is_taxed else ZERO
    tax = money((row_total - discount) * percent / _HUNDRED)
    row: Row = {
        "item_id": ids.next("item"),
        "order_id": order_id,
        "product_id": product.product_id,
        "product_type": product.product_type,
        "sku": product.sku,
        "name": product.name,
        "is_virtual": int(product.is_virtual),
        "store_id": 1,
        "qty_ordered": Decimal(quantity),
        "qty_invoiced": ZERO,
        "qty_shipped": ZERO,
        "qty_refunded": ZERO,
        "qty_canceled": ZERO,
        "price": product.price,
        "original_price": product.price,
        "price_incl_tax": money(product.price * (1 + percent / _HUNDRED)),
        "row_total": row_total,
        "row_total_incl_tax": row_total + tax,
        "discount_percent": Decimal(draft.coupon_percent),
        "discount_amount": discount,
        "tax_percent": percent,
        "tax_amount": tax,
        "created_at": store_time(draft.placed_at),
        "updated_at": store_time(draft.placed_at),
    }
    if product.product_type == "giftcard":
        row["product_option"] = {
            "extension_attributes": {
                "giftcard_item_option": {
                    "giftcard_amount": f"{product.price:.4f}",
                    "giftcard_sender_name": "Sample Sender",
                    "giftcard_sender_email": "sender@giving.example",
                    "giftcard_recipient_name": "Sample Recipient",
                    "giftcard_recipient_email": "recipient@giving.example",
                }
            }
        }
    return row


def _child(ids: Ids, parent: Row, product: Product) -> Row:
    """Return the row of a part: named and counted, with no money of its own (fixed price bundle, or a variant)."""
    money_columns = (
        "price",
        "original_price",
        "price_incl_tax",
        "row_total",
        "row_total_incl_tax",
        "discount_amount",
        "tax_amount",
        "tax_percent",
        "discount_percent",
    )
    return (
        parent
        | dict.fromkeys(money_columns, ZERO)
        | {
            "item_id": ids.next("item"),
            "parent_item_id": parent["item_id"],
            "product_id": product.product_id,
            "product_type": product.product_type,
            "sku": product.sku,
            "name": product.name,
        }
    )


def _name_after_parts(row: Row, product: Product) -> None:
    """Give the parent the SKU that the store shows: the variant's own, or the concatenation of the parts."""
    if product.product_type == "configurable":
        row["sku"] = product.parts[0]
        option: Row = {"configurable_item_options": [{"option_id": "144", "option_value": 91}]}
    else:
        row["sku"] = "-".join((product.sku, *product.parts))
        option = {
            "bundle_options": [
                {"option_id": number, "option_qty": 1, "option_selections": [number * 10]}
                for number, _ in enumerate(product.parts, start=1)
            ]
        }
    row["product_option"] = {"extension_attributes": option}


def _order_row(shop: Shop, order_id: int, draft: Draft, parents: list[Row], *, is_virtual: bool) -> Row:
    buyer, practice = draft.buyer, draft.practice
    totals = _totals(draft, parents, is_virtual=is_virtual)
    placed = store_time(draft.placed_at)
    weight = sum((item["qty_ordered"] for item in parents if not item["is_virtual"]), ZERO)
    row: Row = {
        "entity_id": order_id,
        "increment_id": f"{practice.number_prefix}{order_id:08d}",
        "state": "new",
        "status": "pending",
        "created_at": placed,
        "updated_at": placed,
        "store_id": 1,
        "store_name": f"Main Website\n{practice.name}\nDefault Store View",
        "quote_id": order_id + 900,
        "remote_ip": "192.0.2.44",
        "protect_code": f"{shop.rng.getrandbits(128):032x}",
        "is_virtual": int(is_virtual),
        "email_sent": 1,
        "customer_id": buyer.customer_id,
        "customer_is_guest": int(buyer.customer_id is None),
        "customer_group_id": 0 if buyer.customer_id is None else 1,
        "customer_email": buyer.email,
        "order_currency_code": draft.currency,
        "base_currency_code": draft.currency,
        "global_currency_code": draft.currency,
        "store_currency_code": draft.currency,
        "base_to_order_rate": Decimal(1),
        "base_to_global_rate": Decimal(1),
        "store_to_base_rate": ZERO,
        "store_to_order_rate": ZERO,
        "total_item_count": len(parents),
        "total_qty_ordered": sum((item["qty_ordered"] for item in parents), ZERO),
        "weight": weight,
        **totals,
    }
    if not is_virtual:
        row["shipping_description"] = "Flat Rate - Fixed"
    if buyer.customer_id is not None:
        row |= {"customer_firstname": buyer.first, "customer_lastname": buyer.last, "customer_suffix": buyer.suffix}
        if buyer.birth_date is not None:
            row["customer_dob"] = f"{buyer.birth_date} 00:00:00"
    if draft.coupon_percent:
        row |= {"coupon_code": f"SAVE{draft.coupon_percent}", "discount_description": f"SAVE{draft.coupon_percent}"}
        row["applied_rule_ids"] = "3"
    return row


def _totals(draft: Draft, parents: list[Row], *, is_virtual: bool) -> Row:
    subtotal = sum((item["row_total"] for item in parents), ZERO)
    discount = sum((item["discount_amount"] for item in parents), ZERO)
    tax = sum((item["tax_amount"] for item in parents), ZERO) + draft.extra_tax
    shipping = ZERO if is_virtual or draft.is_free else _SHIPPING
    owed = subtotal - discount + tax + shipping
    gift_card = min(draft.gift_card, owed)
    credit = min(draft.store_credit, owed - gift_card)
    reward = min(draft.reward, owed - gift_card - credit)
    total = owed - gift_card - credit - reward - draft.overdrawn
    return {
        "subtotal": subtotal,
        "subtotal_incl_tax": subtotal + tax,
        "discount_amount": -discount,
        "tax_amount": tax,
        "shipping_amount": shipping,
        "shipping_tax_amount": ZERO,
        "shipping_incl_tax": shipping,
        "shipping_discount_amount": ZERO,
        "discount_tax_compensation_amount": ZERO,
        "grand_total": total + draft.totals_error,
        "total_due": total + draft.totals_error,
    }


def _extension(draft: Draft, row: Row, items: list[Row]) -> Row:
    """Return what the modules keep: how much of each balance was used, taxes, coupons."""
    owed = row["subtotal"] + row["discount_amount"] + row["tax_amount"] + row["shipping_amount"]
    gift_card = min(draft.gift_card, owed)
    credit = min(draft.store_credit, owed - gift_card)
    reward = min(draft.reward, owed - gift_card - credit)
    extension: Row = {"applied_taxes": [], "item_applied_taxes": []}
    if gift_card:
        extension["gift_cards_amount"] = gift_card
        extension["gift_cards"] = [
            {"id": 31, "code": f"GC-{row['increment_id']}", "amount": gift_card, "base_amount": gift_card}
        ]
    if credit or draft.overdrawn:
        extension["customer_balance_amount"] = credit + draft.overdrawn
    if reward:
        extension |= {"reward_points_balance": int(reward * _HUNDRED), "reward_currency_amount": reward}
    if draft.coupon_percent:
        extension["coupon_codes"] = [row["coupon_code"]]
    if row["tax_amount"]:
        percent = Decimal(draft.practice.tax_percent)
        tax = {
            "code": f"US-{draft.practice.region_code}-*-Rate 1",
            "title": f"{draft.practice.region_code} {percent}",
            "percent": percent,
            "amount": row["tax_amount"],
            "base_amount": row["tax_amount"],
        }
        extension["applied_taxes"] = [tax]
        extension["item_applied_taxes"] = [
            {
                "type": "product",
                "item_id": item["item_id"],
                "applied_taxes": [tax | {"amount": item["tax_amount"], "base_amount": item["tax_amount"]}],
            }
            for item in items
            if item["tax_amount"]
        ]
    return extension


def _address(ids: Ids, order_id: int, draft: Draft, kind: str) -> Row:
    buyer, practice = draft.buyer, draft.practice
    return {
        "entity_id": ids.next("address"),
        "parent_id": order_id,
        "address_type": kind,
        "firstname": buyer.first,
        "lastname": buyer.last,
        "suffix": buyer.suffix,
        "street": list(draft.street),
        "city": practice.city,
        "region": practice.region,
        "region_code": practice.region_code,
        "region_id": practice.region_id,
        "postcode": buyer.postal_code,
        "country_id": "US",
        "telephone": buyer.phone,
        "email": buyer.email,
    }


def _payment(ids: Ids, order_id: int, draft: Draft, row: Row) -> Row:
    payment: Row = {
        "entity_id": ids.next("payment"),
        "parent_id": order_id,
        "method": "free" if row["grand_total"] == 0 else draft.method,
        "additional_information": ["Credit Card"],
        "amount_ordered": row["grand_total"],
        "shipping_amount": row["shipping_amount"],
    }
    if payment["method"] == draft.method and draft.card is not None:
        payment |= {"cc_type": draft.card, "cc_last4": _CARD_DIGITS[draft.card]}
        payment["amount_authorized"] = row["grand_total"]
    return payment
