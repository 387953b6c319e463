"""The store's JSON into our orders.

Adobe leaves out what is null, prints money as floats of up to four decimals (or, on some hosts, of seventeen digits),
writes instants as UTC without a suffix, and lets modules add what they like (store contract section 3). So: what is
absent is unknown or 0, money is quantised `Decimal`, unknown keys are ignored, and text is data whatever it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from order_sync.clients.store_values import (
    Row,
    UnreadableError,
    read_day,
    read_instant,
    read_instant_or_none,
    read_money,
    read_object,
    read_objects,
    read_text,
    read_whole,
)
from order_sync.orders import Customer, Order, OrderLine, OrderProblem, OrderTotals, StoreState, Tender

_TOLERANCE = Decimal("0.01")
_NOT_CONTENT = ("updated_at", "store_status", "content_hash")
_OWN_BALANCES = ("gift_cards_amount", "customer_balance_amount", "reward_currency_amount")
_GIFT_WRAP = ("gw_price", "gw_items_price", "gw_card_price")
_TAX_COMPENSATION = (
    "discount_tax_compensation_amount",
    "shipping_discount_tax_compensation_amount",
    "shipping_discount_tax_compensation_amnt",
)


def read_order(row: Row) -> Order | OrderProblem:
    """Read one row of the store's answer; a row that makes no sense becomes a problem of its own.

    Raises `UnreadableError` when not even its `entity_id` can be told.
    """
    order_id = entity_id(row)
    try:
        return _order(row, order_id)
    except UnreadableError as error:
        return OrderProblem(
            entity_id=order_id,
            sentence=f"The store's order cannot be understood: {error}",
            number=read_text(row.get("increment_id")),
            placed_at=read_instant_or_none(row.get("created_at")),
            updated_at=read_instant_or_none(row.get("updated_at")),
            store_id=read_whole(row.get("store_id")),
        )


def entity_id(row: object) -> int:
    """Return a row's `entity_id`; raises `UnreadableError` when it has none."""
    found = read_whole(row.get("entity_id")) if isinstance(row, Mapping) else None
    if found is None or found <= 0:
        msg = "it has no entity_id"
        raise UnreadableError(msg)
    return found


def is_row(value: object) -> bool:
    """Say whether something in a list of orders can be told by its `entity_id`."""
    try:
        return entity_id(value) > 0
    except UnreadableError:
        return False


def instant_of(row: Row, column: str) -> datetime | None:
    """Return an instant that a row shows, such as its `updated_at`, in UTC; None when that cannot be told."""
    return read_instant_or_none(row.get(column))


def lacks_balances(order: Order, row: Row) -> bool:
    """Say whether the store's own balances seem to be left out of a list (store contract section 7: 4414, 10449).

    True when none of them is there and the rest does not add up to the grand total; the single order may have them.
    """
    extra = read_object(row.get("extension_attributes"))
    if any(name in extra for name in _OWN_BALANCES):
        return False
    totals = order.totals
    parts = totals.subtotal + totals.discount + totals.shipping + totals.tax + totals.extras
    return abs(parts - totals.grand_total) > _TOLERANCE * (len(order.lines) + 1)


def content_hash(order: Order) -> str:
    """Return the SHA-256 of what we read of an order, without what changes by itself or by our own writing.

    What we do not read is no content: a module that writes something else into every answer would otherwise have the order
    decided anew for ever (store contract section 4).
    """
    content = {name: value for name, value in _fields_of(order).items() if name not in _NOT_CONTENT}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain(value: object) -> object:
    # Not `asdict`, which copies everything deeply before it is written.
    return _fields_of(value) if is_dataclass(value) else str(value)


def _fields_of(value: object) -> dict[str, object]:
    return {field.name: getattr(value, field.name) for field in fields(value)}  # type: ignore[arg-type]


def store_time(instant: datetime) -> str:
    """Write an instant as the store's search compares it: UTC, whole seconds, no suffix (store contract section 2)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _order(row: Row, order_id: int) -> Order:
    number = read_text(row.get("increment_id"))
    if number is None:
        msg = "it has no number"
        raise UnreadableError(msg)
    try:
        state = StoreState(str(row.get("state")))
    except ValueError:
        msg = "its state is not one of Adobe Commerce"
        raise UnreadableError(msg) from None
    if row.get("grand_total") is None:
        msg = "it has no grand total"
        raise UnreadableError(msg)
    order = Order(
        entity_id=order_id,
        number=number,
        store_id=read_whole(row.get("store_id")) or 0,
        state=state,
        store_status=read_text(row.get("status")) or "",
        placed_at=read_instant(row.get("created_at"), "created_at"),
        updated_at=read_instant(row.get("updated_at"), "updated_at"),
        currency=read_text(row.get("order_currency_code")),
        totals=_totals(row),
        lines=tuple(_lines(row)),
        customer=_customer(row),
        tender=_tender(row),
        original_number=read_text(row.get("original_increment_id")),
        replaced_by_id=read_whole(row.get("relation_child_id")),
    )
    return replace(order, content_hash=content_hash(order))


def _totals(row: Row) -> OrderTotals:
    extra = read_object(row.get("extension_attributes"))
    fees = (read_money(fee, "custom_fee_amount") for fee in read_objects(extra.get("custom_fees")))
    wrap = (read_money(extra, name) for name in _GIFT_WRAP)
    compensation = (read_money(row, name) for name in _TAX_COMPENSATION)
    return OrderTotals(
        subtotal=read_money(row, "subtotal"),
        discount=read_money(row, "discount_amount"),
        shipping=read_money(row, "shipping_amount"),
        tax=read_money(row, "tax_amount"),
        extras=sum((*fees, *wrap, *compensation), Decimal(0)),
        gift_cards=read_money(extra, "gift_cards_amount"),
        store_credit=read_money(extra, "customer_balance_amount"),
        reward_points=read_money(extra, "reward_currency_amount"),
        grand_total=read_money(row, "grand_total"),
        paid=read_money(row, "total_paid"),
        refunded=read_money(row, "total_refunded"),
        refunded_offline=read_money(row, "total_offline_refunded"),
    )


def _lines(row: Row) -> Iterator[OrderLine]:
    """Yield the rows that carry money: those without a parent (configurables and bundles, store contract section 3)."""
    for item in read_objects(row.get("items")):
        if item.get("parent_item_id") is None:
            yield OrderLine(
                sku=read_text(item.get("sku")) or "",
                name=read_text(item.get("name")) or "",
                quantity=read_money(item, "qty_ordered"),
                product_type=read_text(item.get("product_type")) or "",
                row_total=read_money(item, "row_total"),
            )


def _customer(row: Row) -> Customer:
    billing = read_object(row.get("billing_address"))
    customer_id = read_whole(row.get("customer_id")) or None
    return Customer(
        customer_id=customer_id,
        is_guest=customer_id is None or read_whole(row.get("customer_is_guest")) == 1,
        first=read_text(row.get("customer_firstname")) or read_text(billing.get("firstname")),
        last=read_text(row.get("customer_lastname")) or read_text(billing.get("lastname")),
        suffix=read_text(row.get("customer_suffix")) or read_text(billing.get("suffix")),
        email=read_text(row.get("customer_email")) or read_text(billing.get("email")),
        phone=read_text(billing.get("telephone")),
        birth_date=read_day(row.get("customer_dob")),
        postal_code=read_text(billing.get("postcode")),
        city=read_text(billing.get("city")),
    )


def _tender(row: Row) -> Tender | None:
    payment = read_object(row.get("payment"))
    method = read_text(payment.get("method"))
    return Tender(method, read_text(payment.get("cc_type"))) if method else None
