"""Write the Nextech status back to the store, with whichever means the store has.

Both writers may be repeated: the module's route sets a value under our key, and the comment writer looks for our key
before it adds anything (store contract section 4). Neither notifies a customer, and neither saves an order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from order_sync.clients.http import Answer
from order_sync.clients.store_requests import LIST_ROUTE, Column, Condition, Filter, search_query
from order_sync.clients.store_wire import store_time
from order_sync.crash_points import Point, reach
from order_sync.errors import RemoteError, RequestRejectedError, SourceUnavailableError, TransientError

MOST_STATUSES_PER_CALL = 100
MESSAGE_CHARACTERS = 255
_WORDS = {
    "synced": "Synced",
    "not_synced": "Not Synced",
    "disabled": "Disabled",
    "waiting_for_sync": "Waiting for Sync",
}
BULK_ROUTE = "PUT /V1/nextech/orders/sync-status"
_READ_ORDER = "GET /V1/orders/{id}"
_POST_COMMENT = "POST /V1/orders/{id}/comments"
_FIELDS = "entity_id,status,status_histories[comment]"
_CONFLICT = 409
_TRIES = 2
_UNANSWERED_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What one order is to show in the store."""

    order_id: int
    """The store's entity id."""
    status: str
    """synced, not_synced, disabled or waiting_for_sync."""
    message: str
    """For staff, without patient data; cut at 255 characters."""
    run_key: str
    """The same for the same order, content and status: a repeated write changes nothing."""
    source_updated_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a status that the store's module does not know."""
        if self.status not in _WORDS:
            msg = f"unknown status {self.status!r}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class StatusResult:
    """What became of one update."""

    order_id: int
    is_written: bool
    conflict: bool = False
    """Staff set another status by hand meanwhile; theirs stays."""
    reason: str = ""


class StatusCalls(Protocol):
    """The requests that writers need; errors are those of `errors`."""

    def read(self, route: str, path: str, *, body: bytes | None = None) -> Answer:
        """Send a GET, or a PUT when there is a body; both may be repeated."""
        ...

    def post_once(self, route: str, path: str, document: object) -> Answer:
        """Send a POST exactly once."""
        ...


def write_by_module(call: Callable[[object], Answer], updates: Sequence[StatusUpdate]) -> list[StatusResult]:
    """Set up to 100 statuses with one call of the store's module; one bad entry never fails the others.

    When the whole call is refused, it is halved until only the bad entry is left.
    """
    if not updates:
        return []
    try:
        answer = call({"syncStatuses": [_entry(update) for update in updates]})
    except RequestRejectedError as error:
        if len(updates) == 1 or error.status == 404:  # noqa: PLR2004 - the route itself is missing: every half is too
            return [_failed(update, str(error)) for update in updates]
        middle = len(updates) // 2
        return write_by_module(call, updates[:middle]) + write_by_module(call, updates[middle:])
    except TransientError as error:
        return [_failed(update, str(error)) for update in updates]
    results: Any = answer.document
    if not isinstance(results, list) or len(results) != len(updates):
        return [_failed(update, "the store's module did not answer entry by entry") for update in updates]
    return [_module_result(update, result) for update, result in zip(updates, results, strict=True)]


def write_by_comments(calls: StatusCalls, updates: Sequence[StatusUpdate]) -> list[StatusResult]:
    """Add each status as a comment, unless our key is there already; up to 100 orders are looked at in one read.

    Two updates in a row that the store does not answer end the attempt: the rest would only wait for it one by one.
    """
    seen = _read_orders(calls, [update.order_id for update in updates])
    results: list[StatusResult] = []
    unanswered = 0
    for update in updates:
        if unanswered == _UNANSWERED_IN_A_ROW:
            results.append(_failed(update, results[-1].reason))
            continue
        try:
            results.append(_write_by_comment(calls, update, seen.get(update.order_id)))
            unanswered = 0
        except TransientError as error:
            results.append(_failed(update, str(error)))
            unanswered += 1
    return results


def _write_by_comment(calls: StatusCalls, update: StatusUpdate, seen: _Seen | None) -> StatusResult:
    """Add one comment. A lost answer is settled by looking for the key again; only then is it sent a second time."""
    reason = ""
    try:
        for _ in range(_TRIES):
            seen = seen or _read_order(calls, update.order_id)
            if any(update.run_key in comment for comment in seen.comments):
                return StatusResult(update.order_id, is_written=True)
            reason = _add_comment(calls, update, seen.status)
            reach(Point.COMMENT_ADDED)
            if not reason:
                return StatusResult(update.order_id, is_written=True)
            seen = None
        if any(update.run_key in comment for comment in _read_order(calls, update.order_id).comments):
            return StatusResult(update.order_id, is_written=True)
    except RequestRejectedError as error:
        reason = str(error)
    return _failed(update, reason)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a comment depends on: the order's own status, and the comments that are there."""

    status: str
    comments: tuple[str, ...]


def _read_orders(calls: StatusCalls, order_ids: Sequence[int]) -> dict[int, _Seen]:
    """Read many orders' statuses and comments at once; an order that is not told in full is left out."""
    wanted = Filter(Column.ENTITY_ID, Condition.IN, ",".join(map(str, order_ids)))
    path = f"/orders?{search_query([wanted], page_size=len(order_ids))}&fields={quote(f'items[{_FIELDS}],total_count')}"
    try:
        answer = calls.read(LIST_ROUTE, path)
    except (TransientError, RequestRejectedError):
        return {}
    items = answer.document.get("items") if isinstance(answer.document, dict) else None
    seen = {}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("entity_id"), int) and (told := _seen(item)) is not None:
            seen[item["entity_id"]] = told
    return seen


def _read_order(calls: StatusCalls, order_id: int) -> _Seen:
    answer = calls.read(_READ_ORDER, f"/orders/{order_id}?fields={quote(_FIELDS)}")
    told = _seen(answer.document) if isinstance(answer.document, dict) else None
    if told is None:
        reason = "the order's own status and comments cannot be read"
        raise SourceUnavailableError(reason, system="store", route=_READ_ORDER, status=answer.status)
    return told


def _seen(order: dict[str, Any]) -> _Seen | None:
    status, histories = order.get("status"), order.get("status_histories")
    if not isinstance(status, str) or not status or not isinstance(histories, list):
        return None
    return _Seen(status, tuple(str(row.get("comment")) for row in histories if isinstance(row, dict)))


def _entry(update: StatusUpdate) -> dict[str, object]:
    entry: dict[str, object] = {
        "order_id": update.order_id,
        "status": update.status,
        "message": update.message[:MESSAGE_CHARACTERS],
        "run_key": update.run_key,
    }
    if update.source_updated_at is not None:
        entry["source_updated_at"] = store_time(update.source_updated_at)
    return entry


def _module_result(update: StatusUpdate, result: object) -> StatusResult:
    if not isinstance(result, dict) or str(result.get("order_id")) != str(update.order_id):
        return _failed(update, "the store's module answered for another order")
    error = result.get("error")
    if error is None:
        is_ours = result.get("status") == update.status
        return StatusResult(update.order_id, is_ours, reason="" if is_ours else "the store shows another status")
    code = error.get("code") if isinstance(error, dict) else None
    known = code if isinstance(code, int) else "without a code"
    return StatusResult(
        update.order_id, is_written=False, conflict=code == _CONFLICT, reason=f"the store's module refuses: error {known}"
    )


def _add_comment(calls: StatusCalls, update: StatusUpdate, status: str) -> str:
    """Send the comment; return "" when the store said true, else why it is not known to be there.

    The order's own status is sent unchanged: older stores set it to NULL when it is left out, 2.4.7 refuses any other,
    later ones allow those of the same state (store contract section 4).
    """
    text = f"Nextech Status: {_WORDS[update.status]}. {update.message[:MESSAGE_CHARACTERS]} [{update.run_key}]"
    document = {
        "statusHistory": {
            "comment": text,
            "parent_id": update.order_id,
            "is_customer_notified": 0,
            "is_visible_on_front": 0,
            "status": status,
        }
    }
    try:
        answer = calls.post_once(_POST_COMMENT, f"/orders/{update.order_id}/comments", document)
    except RemoteError as error:
        return error.reason
    return "" if answer.is_success and answer.document is True else f"the store answers with status {answer.status}"


def _failed(update: StatusUpdate, reason: str) -> StatusResult:
    return StatusResult(update.order_id, is_written=False, reason=reason)
