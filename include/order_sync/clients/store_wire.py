"""The store's JSON into our orders.

Adobe leaves out what is null, prints money as floats of up to four decimals (or, on some hosts, of seventeen digits),
writes instants as UTC without a suffix, and lets modules add what they like (store contract section 3). So: what is
absent is unknown or 0, money is quantised `Decimal`, unknown keys are ignored, and text is data whatever it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from order_sync.orders import Customer, Order, OrderLine, OrderProblem, OrderTotals, StoreState, Tender

Row = Mapping[str, Any]

_FOUR_DECIMALS = Decimal("0.0001")
_LARGEST = Decimal(10) ** 12
_TOLERANCE = Decimal("0.01")
_DATE_CHARACTERS = 10
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""What lies outside is a system's way to say that it does not know, and may have no day in a practice's zone."""
_NOT_CONTENT = ("updated_at", "store_status", "content_hash")
_OWN_BALANCES = ("gift_cards_amount", "customer_balance_amount", "reward_currency_amount")
_GIFT_WRAP = ("gw_price", "gw_items_price", "gw_card_price")
_TAX_COMPENSATION = (
    "discount_tax_compensation_amount",
    "shipping_discount_tax_compensation_amount",
    "shipping_discount_tax_compensation_amnt",
)


class UnreadableError(ValueError):
    """A row that is no order; the text is one of ours and fit for a person."""


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
            number=_text(row.get("increment_id")),
            placed_at=_instant_or_none(row.get("created_at")),
            updated_at=_instant_or_none(row.get("updated_at")),
            store_id=_whole(row.get("store_id")),
        )


def entity_id(row: object) -> int:
    """Return a row's `entity_id`; raises `UnreadableError` when it has none."""
    found = _whole(row.get("entity_id")) if isinstance(row, Mapping) else None
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


def updated_at(row: Row) -> datetime | None:
    """Return when the store last changed a row, UTC, or None when that cannot be told."""
    return _instant_or_none(row.get("updated_at"))


def lacks_balances(order: Order, row: Row) -> bool:
    """Say whether the store's own balances seem to be left out of a list (store contract section 7: 4414, 10449).

    True when none of them is there and the rest does not add up to the grand total; the single order may have them.
    """
    extra = _object(row.get("extension_attributes"))
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
    content = asdict(order)
    for name in _NOT_CONTENT:
        del content[name]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def store_time(instant: datetime) -> str:
    """Write an instant as the store's search compares it: UTC, whole seconds, no suffix (store contract section 2)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _order(row: Row, order_id: int) -> Order:
    number = _text(row.get("increment_id"))
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
        store_id=_whole(row.get("store_id")) or 0,
        state=state,
        store_status=_text(row.get("status")) or "",
        placed_at=_instant(row.get("created_at"), "created_at"),
        updated_at=_instant(row.get("updated_at"), "updated_at"),
        currency=_text(row.get("order_currency_code")),
        totals=_totals(row),
        lines=tuple(_lines(row)),
        customer=_customer(row),
        tender=_tender(row),
        original_number=_text(row.get("original_increment_id")),
        replaced_by_id=_whole(row.get("relation_child_id")),
    )
    return replace(order, content_hash=content_hash(order))


def _totals(row: Row) -> OrderTotals:
    extra = _object(row.get("extension_attributes"))
    fees = (_money(fee, "custom_fee_amount") for fee in _objects(extra.get("custom_fees")))
    wrap = (_money(extra, name) for name in _GIFT_WRAP)
    compensation = (_money(row, name) for name in _TAX_COMPENSATION)
    return OrderTotals(
        subtotal=_money(row, "subtotal"),
        discount=_money(row, "discount_amount"),
        shipping=_money(row, "shipping_amount"),
        tax=_money(row, "tax_amount"),
        extras=sum((*fees, *wrap, *compensation), Decimal(0)),
        gift_cards=_money(extra, "gift_cards_amount"),
        store_credit=_money(extra, "customer_balance_amount"),
        reward_points=_money(extra, "reward_currency_amount"),
        grand_total=_money(row, "grand_total"),
        paid=_money(row, "total_paid"),
        refunded=_money(row, "total_refunded"),
        refunded_offline=_money(row, "total_offline_refunded"),
    )


def _lines(row: Row) -> Iterator[OrderLine]:
    """Yield the rows that carry money: those without a parent (configurables and bundles, store contract section 3)."""
    for item in _objects(row.get("items")):
        if item.get("parent_item_id") is None:
            yield OrderLine(
                sku=_text(item.get("sku")) or "",
                name=_text(item.get("name")) or "",
                quantity=_money(item, "qty_ordered"),
                product_type=_text(item.get("product_type")) or "",
                row_total=_money(item, "row_total"),
            )


def _customer(row: Row) -> Customer:
    billing = _object(row.get("billing_address"))
    customer_id = _whole(row.get("customer_id")) or None
    return Customer(
        customer_id=customer_id,
        is_guest=customer_id is None or _whole(row.get("customer_is_guest")) == 1,
        first=_text(row.get("customer_firstname")) or _text(billing.get("firstname")),
        last=_text(row.get("customer_lastname")) or _text(billing.get("lastname")),
        suffix=_text(row.get("customer_suffix")) or _text(billing.get("suffix")),
        email=_text(row.get("customer_email")) or _text(billing.get("email")),
        phone=_text(billing.get("telephone")),
        birth_date=_day(row.get("customer_dob")),
        postal_code=_text(billing.get("postcode")),
        city=_text(billing.get("city")),
    )


def _tender(row: Row) -> Tender | None:
    payment = _object(row.get("payment"))
    method = _text(payment.get("method"))
    return Tender(method, _text(payment.get("cc_type"))) if method else None


def _number(value: object) -> Decimal | None:
    """Return a number quantised to four decimals, or None for what is no number that money can be."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
        return number.quantize(_FOUR_DECIMALS) if abs(number) < _LARGEST else None
    except InvalidOperation:
        return None


def _money(row: Row, name: str) -> Decimal:
    value = row.get(name)
    if value is None or value == "":
        return Decimal(0)
    number = _number(value)
    if number is None:
        msg = f"its {name} is no number"
        raise UnreadableError(msg)
    return number


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:  # noqa: PLR2004 - 64 bits
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _object(value: object) -> Row:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[Row]:
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            yield entry


def _day(value: object) -> date | None:
    """Read `customer_dob`: a DATETIME column, cut to its day and never shifted by a zone (store contract section 3)."""
    try:
        return date.fromisoformat(value[:_DATE_CHARACTERS]) if isinstance(value, str) else None
    except ValueError:
        return None


def _instant(value: object, name: str) -> datetime:
    instant = _instant_or_none(value)
    if instant is None:
        msg = f"its {name} is no instant"
        raise UnreadableError(msg)
    return instant


def _instant_or_none(value: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is None or not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
