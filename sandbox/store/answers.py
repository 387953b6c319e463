"""Turn rows into the answers that the store gives (store contract section 3).

Nulls are left out unless the schema requires the key; numbers are floats in their shortest form with at most four
decimals; flags are 0 and 1; `parent_item` and the shipping assignment's items are whole copies.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

from sandbox.store.columns import REQUIRED, TWINS
from sandbox.store.records import OrderRecord, Row
from sandbox.store.switches import StoreSwitches

_LONG_NUMBER = re.compile(r'"@17@([^"]*)"')
_PLAIN_EXTENSIONS = ("shipping_assignments", "payment_additional_info")


def write_json(answer: object, *, float_17: bool = False) -> str:
    """Write an answer as the store does; with `float_17` as a host with `serialize_precision=17`."""
    if not float_17:
        return json.dumps(answer, default=_shortest, separators=(",", ":"), ensure_ascii=True)
    return _LONG_NUMBER.sub(r"\1", json.dumps(answer, default=_seventeen_digits, separators=(",", ":")))


def _shortest(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return int(value) if value == value.to_integral_value() else float(round(value, 4))


def _seventeen_digits(value: object) -> int | str:
    number = _shortest(value)
    return number if isinstance(number, int) else f"@17@{number:.17g}"


def present(kind: str, row: Row) -> Row:
    """Return a row as an answer: nulls left out, required keys kept, `base_` twins added."""
    answer = {key: value for key, value in row.items() if value is not None}
    for column in TWINS.get(kind, ()):
        if column in answer:
            answer[f"base_{column}"] = answer[column]
    for column in REQUIRED.get(kind, ()):
        answer.setdefault(column, None)
    return answer


def render_order(record: OrderRecord, switches: StoreSwitches, sync_status: str | None, *, is_list: bool) -> Row:
    """Return one order as `GET /V1/orders` (`is_list`) or `GET /V1/orders/{id}` shows it."""
    items = render_items(record, switches)
    order = present("order", record.row)
    order["items"] = items
    order["billing_address"] = present("address", record.billing)
    if record.payment is not None:
        order["payment"] = present("payment", record.payment)
    order["status_histories"] = [present("history", row) for row in record.histories]
    extension = _extension(record, items, sync_status)
    if is_list and not switches.extattrs_in_list:
        extension = {key: extension[key] for key in _PLAIN_EXTENSIONS if key in extension}
    order["extension_attributes"] = extension
    return order


def render_items(record: OrderRecord, switches: StoreSwitches) -> list[Row]:
    """Return the order's item rows, children with a whole copy of their parent."""
    parents = {row["item_id"]: present("item", row) for row in record.items if row.get("parent_item_id") is None}
    answers = []
    for row in record.items:
        parent = parents.get(row.get("parent_item_id"))
        if parent is None:
            answers.append(parents[row["item_id"]])
            continue
        child = present("item", row)
        if switches.child_price == "copy" and parent["product_type"] == "configurable":
            child |= {column: parent[column] for column in ("price", "row_total", "base_price", "base_row_total")}
        child["parent_item"] = parent
        answers.append(child)
    return answers


def _extension(record: OrderRecord, items: list[Row], sync_status: str | None) -> Row:
    extension = present("extension", record.extension)
    total = {column: value for column, value in present("order", record.row).items() if "shipping_" in column and value != 0}
    total.pop("shipping_description", None)
    shipping: Row = {"total": total}
    if record.shipping is not None:
        shipping = {
            "address": present("address", record.shipping),
            "method": "flatrate_flatrate",
            "total": total,
        }
    extension["shipping_assignments"] = [{"shipping": shipping, "items": items}]
    if sync_status is not None:
        extension["nextech_status"] = sync_status
    return extension


def render_document(kind: str, row: Row) -> Row:
    """Return a credit memo or an invoice (`kind` is `memo` or `invoice`)."""
    answer = present(kind, row)
    answer["items"] = [present(f"{kind}_item", item) for item in row.get("items", [])]
    answer["comments"] = [present("history", comment) for comment in row.get("comments", [])]
    return answer


def render_transaction(row: Row) -> Row:
    """Return a payment transaction."""
    answer = present("transaction", row)
    answer["child_transactions"] = answer["child_transactions"] or []
    return answer
