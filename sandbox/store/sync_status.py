"""The store's small module for the Nextech Status: an own table with own routes (store contract section 4).

Writing it moves no order row, is idempotent by `run_key`, and is refused where staff have set `disabled`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from sandbox.store.complaints import StoreComplaint, bad_request
from sandbox.store.records import Row
from sandbox.store.shop import Shop

STATUSES = ("synced", "not_synced", "disabled", "waiting_for_sync")
MESSAGE_CHARS = 255
BULK_ENTRIES = 100


def sync_status(shop: Shop, order_id: int) -> Row:
    """Return the status of an order; answers 404 when the order does not exist."""
    shop.order(order_id)
    row = shop.sync_rows.get(order_id, {})
    return {
        "order_id": order_id,
        "status": row.get("status"),
        "run_key": row.get("run_key"),
        "changed": False,
        "updated_at": row.get("updated_at"),
    }


def write_status(shop: Shop, order_id: int, entry: dict[str, Any]) -> Row:
    """Write the status of one order; answers 400, 404 or 409."""
    record = shop.order(order_id)
    status, run_key, message = entry.get("status"), entry.get("run_key"), entry.get("message") or ""
    if status not in STATUSES:
        raise bad_request("Sync status %1 is not known.", [status])
    if not isinstance(run_key, str) or not run_key:
        raise bad_request('"%fieldName" is required. Enter and try again.', {"fieldName": "run_key"})
    if not isinstance(message, str) or len(message) > MESSAGE_CHARS:
        raise bad_request("The message is longer than %1 characters.", [MESSAGE_CHARS])
    row = shop.sync_rows.get(order_id, {})
    if row.get("run_key") == run_key:
        return sync_status(shop, order_id)
    expected = entry.get("expected_status")
    if row.get("is_by_staff") or (expected is not None and row.get("status") not in {None, expected}):
        raise StoreComplaint(HTTPStatus.CONFLICT, "Sync status is %1.", [row.get("status")])
    is_changed = (row.get("status"), row.get("message")) != (status, message)
    shop.sync_rows[order_id] = {
        "order_id": order_id,
        "status": status,
        "message": message,
        "run_key": run_key,
        "source_updated_at": entry.get("source_updated_at"),
        "updated_at": shop.now_text() if is_changed else row.get("updated_at"),
    }
    record.version += 1
    return sync_status(shop, order_id) | {"changed": is_changed}


def write_statuses(shop: Shop, entries: object) -> list[Row]:
    """Write many at once; one bad entry never fails the others."""
    if not isinstance(entries, list) or len(entries) > BULK_ENTRIES:
        raise bad_request("At most %1 entries are accepted.", [BULK_ENTRIES])
    results: list[Row] = []
    for entry in entries:
        order_id = entry.get("order_id") if isinstance(entry, dict) else None
        try:
            if not isinstance(order_id, int):
                raise bad_request('"%fieldName" is required. Enter and try again.', {"fieldName": "order_id"})
            results.append(write_status(shop, order_id, entry))
        except StoreComplaint as complaint:
            error = {"code": int(complaint.status)} | complaint.body()
            results.append({"order_id": order_id, "error": error})
    return results


def disable_by_staff(shop: Shop, order_id: int) -> None:
    """Set `disabled` as a person in the store's Admin does; the integration may not overwrite it."""
    record = shop.order(order_id)
    shop.sync_rows[order_id] = {
        "order_id": order_id,
        "status": "disabled",
        "run_key": None,
        "updated_at": shop.now_text(),
        "is_by_staff": True,
    }
    record.version += 1
