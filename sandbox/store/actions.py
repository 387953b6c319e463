"""What happens to an order after it was placed: paid, held, cancelled, reviewed, edited, shipped, commented on.

Every action changes the rows that the real store changes, and `updated_at` only with the order's own row.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.store.complaints import StoreComplaint, bad_request
from sandbox.store.records import ZERO, OrderRecord, Row, add_amount, money
from sandbox.store.shop import Shop

OFFLINE_METHODS = frozenset({"checkmo", "banktransfer", "free"})
"""Methods without a gateway: no transactions, and their refunds move money elsewhere."""

STATUSES_OF_STATE: dict[str, frozenset[str]] = {
    "new": frozenset({"pending"}),
    "pending_payment": frozenset({"pending_payment"}),
    "payment_review": frozenset({"payment_review", "fraud"}),
    "processing": frozenset({"processing", "fraud"}),
    "complete": frozenset({"complete"}),
    "closed": frozenset({"closed"}),
    "canceled": frozenset({"canceled"}),
    "holded": frozenset({"holded"}),
}
_CANNOT_HOLD = frozenset({"canceled", "payment_review", "complete", "closed", "holded"})
_CANNOT_CANCEL = frozenset({"canceled", "payment_review", "complete", "closed", "holded"})
_CANNOT_CAPTURE = frozenset({"canceled", "closed", "holded"})


def hold(shop: Shop, order_id: int) -> None:
    """Put an order on hold; answers 400 in a state that cannot be held."""
    record = shop.order(order_id)
    if record.row["state"] in _CANNOT_HOLD:
        raise bad_request("A hold action is not available.")
    shop.begin(record)
    shop.change(
        record,
        hold_before_state=record.row["state"],
        hold_before_status=record.row.get("status"),
        state="holded",
        status="holded",
    )


def unhold(shop: Shop, order_id: int) -> None:
    """Release an order; answers 400 when it is not held."""
    record = shop.order(order_id)
    if record.row["state"] != "holded":
        raise bad_request("You cannot remove the hold.")
    shop.begin(record)
    shop.change(
        record,
        state=record.row["hold_before_state"],
        status=record.row["hold_before_status"],
        hold_before_state=None,
        hold_before_status=None,
    )


def review(shop: Shop, order_id: int) -> None:
    """Leave the payment to a fraud check."""
    record = shop.order(order_id)
    shop.begin(record)
    shop.change(record, state="payment_review", status="payment_review")


def cancel(shop: Shop, order_id: int) -> None:
    """Cancel an order that has no invoice; answers 400 otherwise."""
    record = shop.order(order_id)
    if record.row["state"] in _CANNOT_CANCEL or record.row.get("total_invoiced"):
        raise bad_request("The order can't be canceled.")
    shop.begin(record)
    for item in record.items:
        item["qty_canceled"] = item["qty_ordered"]
        item["tax_canceled"] = item.get("tax_amount", ZERO)
    shop.change(
        record,
        state="canceled",
        status="canceled",
        subtotal_canceled=record.row["subtotal"],
        tax_canceled=record.row["tax_amount"],
        shipping_canceled=record.row["shipping_amount"],
        discount_canceled=-record.row["discount_amount"],
        total_canceled=record.grand_total,
        total_due=ZERO,
    )


def capture(shop: Shop, order_id: int, amount: Decimal | None = None) -> Row:
    """Capture what is due, or a part of it: an invoice, a transaction, and the order's paid totals."""
    record = shop.order(order_id)
    row = record.row
    if row["state"] in _CANNOT_CAPTURE:
        raise bad_request("The order does not allow an invoice to be created.")
    due = record.grand_total - row.get("total_paid", ZERO)
    part = due if amount is None else min(money(amount), due)
    is_all = part == due
    shop.begin(record)
    invoice = _invoice(shop, record, part, is_all=is_all)
    if record.payment is not None:
        add_amount(record.payment, "amount_paid", part)
        if record.payment["method"] not in OFFLINE_METHODS:
            invoice["transaction_id"] = add_transaction(shop, record, "capture", part)
            shop.add_history(record, f"Captured amount of ${part:,.2f} online.", "invoice")
    paid = {name: row.get(name, ZERO) + value for name, value in {"total_paid": part, "total_invoiced": part}.items()}
    if is_all:
        _mark_invoiced(record)
        paid |= {
            "subtotal_invoiced": row["subtotal"],
            "tax_invoiced": row["tax_amount"],
            "shipping_invoiced": row["shipping_amount"],
            "discount_invoiced": row["discount_amount"],
        }
    is_over = is_all and row.get("is_virtual") == 1
    state = "complete" if is_over else "processing"
    shop.change(record, state=state, status=state, total_due=due - part, **paid)
    return invoice


def _mark_invoiced(record: OrderRecord) -> None:
    for item in record.items:
        item["qty_invoiced"] = item["qty_ordered"]
        item["row_invoiced"] = item["row_total"]
        item["tax_invoiced"] = item.get("tax_amount", ZERO)
        item["discount_invoiced"] = item.get("discount_amount", ZERO)
    for name in ("gift_cards", "customer_balance"):
        if f"{name}_amount" in record.extension:
            record.extension[f"{name}_invoiced"] = record.extension[f"{name}_amount"]


def _invoice(shop: Shop, record: OrderRecord, amount: Decimal, *, is_all: bool) -> Row:
    row = record.row
    invoice_id = shop.ids.next("invoice")
    invoice: Row = {
        "entity_id": invoice_id,
        "increment_id": f"{shop.number_prefix}{invoice_id:08d}",
        "order_id": record.entity_id,
        "store_id": row["store_id"],
        "state": 2,
        "billing_address_id": row["billing_address_id"],
        "base_currency_code": row["base_currency_code"],
        "order_currency_code": row["order_currency_code"],
        "subtotal": row["subtotal"] if is_all else amount,
        "discount_amount": row["discount_amount"] if is_all else ZERO,
        "tax_amount": row["tax_amount"] if is_all else ZERO,
        "shipping_amount": row["shipping_amount"] if is_all else ZERO,
        "grand_total": amount,
        "total_qty": row["total_qty_ordered"],
        "is_used_for_refund": 0,
        "created_at": shop.now_text(),
        "updated_at": shop.now_text(),
        "items": [
            {
                "entity_id": shop.ids.next("invoice_item"),
                "parent_id": invoice_id,
                "order_item_id": item["item_id"],
                "product_id": item["product_id"],
                "sku": item["sku"],
                "name": item["name"],
                "qty": item["qty_ordered"],
                "price": item["price"],
                "row_total": item["row_total"],
                "tax_amount": item.get("tax_amount", ZERO),
            }
            for item in record.items
        ],
    }
    shop.invoices[invoice_id] = invoice
    return invoice


def add_transaction(shop: Shop, record: OrderRecord, kind: str, amount: Decimal) -> str:
    """Write a payment transaction and return the gateway's id, which ends in the kind."""
    transaction_id = shop.ids.next("transaction")
    txn_id = f"txn_{shop.practice_id}_{record.entity_id}_{transaction_id}-{kind}"
    payment = record.payment or {}
    shop.transactions[transaction_id] = {
        "transaction_id": transaction_id,
        "order_id": record.entity_id,
        "payment_id": payment.get("entity_id", record.entity_id),
        "txn_id": txn_id,
        "txn_type": kind,
        "is_closed": 1,
        "additional_information": [f"{amount:.2f}"],
        "created_at": shop.now_text(),
        "child_transactions": [],
    }
    payment["last_trans_id"] = txn_id
    return txn_id


def ship(shop: Shop, order_id: int) -> None:
    """Ship a paid order: complete."""
    record = shop.order(order_id)
    shop.begin(record)
    for item in record.items:
        item["qty_shipped"] = item["qty_ordered"]
    shop.change(record, state="complete", status="complete")


def edit(shop: Shop, order_id: int) -> OrderRecord:
    """Edit an order in Admin: the old one is cancelled, and a `-1` successor with its rows is placed; returns that."""
    old = shop.order(order_id)
    new = old.copy()
    cancel(shop, order_id)
    new_id = shop.ids.next("order")
    edits = old.row.get("edit_increment", 0) + 1
    original = old.row.get("original_increment_id", old.number)
    new.row |= {
        "entity_id": new_id,
        "increment_id": f"{original}-{edits}",
        "original_increment_id": original,
        "edit_increment": edits,
        "relation_parent_id": str(old.entity_id),
        "relation_parent_real_id": old.number,
        "created_at": shop.now_text(),
        "updated_at": shop.now_text(),
    }
    _renumber(shop, new)
    shop.change(old, relation_child_id=str(new_id), relation_child_real_id=new.number)
    shop.add(new)
    return new


def _renumber(shop: Shop, record: OrderRecord) -> None:
    """Give the copied rows of other tables keys of their own."""
    order_id = record.entity_id
    item_ids = {item["item_id"]: shop.ids.next("item") for item in record.items}
    for item in record.items:
        item |= {"item_id": item_ids[item["item_id"]], "order_id": order_id}
        if item.get("parent_item_id") is not None:
            item["parent_item_id"] = item_ids[item["parent_item_id"]]
    for address in (record.billing, record.shipping):
        if address is not None:
            address |= {"entity_id": shop.ids.next("address"), "parent_id": order_id}
    record.row["billing_address_id"] = record.billing["entity_id"]
    if record.payment is not None:
        record.payment |= {"entity_id": shop.ids.next("payment"), "parent_id": order_id}
    record.histories = []


def comment(shop: Shop, order_id: int, history: Row) -> None:
    """Add a comment as the store's version does; `status` follows the switch `comment_policy` (contract section 4)."""
    record = shop.order(order_id)
    text = history.get("comment")
    if not isinstance(text, str) or not text:
        raise bad_request('"%fieldName" is required. Enter and try again.', {"fieldName": "comment"})
    asked, current = history.get("status"), record.row.get("status")
    policy = shop.switches.comment_policy
    if asked is not None and asked != current:
        _refuse_status(record, str(asked), policy)
    shop.add_history(
        record,
        text,
        is_customer_notified=int(history.get("is_customer_notified") or 0),
        is_visible_on_front=int(history.get("is_visible_on_front") or 0),
        status=asked or current,
    )
    if policy == "null_status" or asked is not None:
        shop.change(record, status=asked)


def _refuse_status(record: OrderRecord, asked: str, policy: str) -> None:
    is_refused = policy == "refuse_change" or (policy == "same_state" and asked not in STATUSES_OF_STATE[record.row["state"]])
    if is_refused:
        raise bad_request('Unable to add comment: The status "%1" is not part of the order status history.', [asked])


def touch(shop: Shop, order_id: int) -> None:
    """Change something without meaning, as the e-mail cron does: `updated_at` moves."""
    record = shop.orders.get(order_id)
    if record is None:
        return
    shop.begin(record)
    shop.change(record, email_sent=1 - int(record.row.get("email_sent", 0)))
    record.row["updated_at"] = shop.now_text()


def save_entity(shop: Shop, entity: Row) -> OrderRecord:
    """Save an order as `POST /V1/orders` does: a whole-row update, not a patch; answers 400 without a known entity id."""
    order_id = entity.get("entity_id")
    if not isinstance(order_id, int):
        raise bad_request('"%fieldName" is required. Enter and try again.', {"fieldName": "entity_id"})
    record = shop.order(order_id)
    columns = {
        name: Decimal(str(value)) if isinstance(value, float) else value
        for name, value in entity.items()
        if name not in {"items", "billing_address", "payment", "status_histories", "extension_attributes"}
    }
    if str(columns.get("state", record.row["state"])) not in STATUSES_OF_STATE:
        raise StoreComplaint(400, "The state is not known.")
    shop.begin(record)
    shop.change(record, **columns)
    return record
