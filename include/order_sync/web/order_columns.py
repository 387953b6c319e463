"""The columns of the list of orders: which there are, which are usual, and what some of them say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from order_sync.ledger.order_filters import SortBy
from order_sync.ledger.order_lists import ListedOrder
from order_sync.reports.wording import one_line
from order_sync.statuses import OrderState, PublicStatus

_STORE_STATES = {
    "new": "New",
    "pending_payment": "Pending payment",
    "processing": "Processing",
    "complete": "Complete",
    "closed": "Closed",
    "canceled": "Cancelled",
    "holded": "On hold",
    "payment_review": "Payment review",
}
"""The store's own words are for its programmers (store contract section 3)."""


def store_state_words(state: str) -> str:
    """Return what staff call a state of the store; one that the practice has added is shown as it is."""
    return _STORE_STATES.get(state) or one_line(state.replace("_", " "), longest=40).capitalize()


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    """What it is called in an address."""
    title: str
    sort: SortBy | None = None
    is_usual: bool = True
    is_amount: bool = False


COLUMNS = (
    Column("number", "Order", SortBy.NUMBER),
    Column("practice", "Practice"),
    Column("placed", "Placed", SortBy.PLACED),
    Column("day", "Payment date", is_usual=False),
    Column("amount", "Amount", SortBy.AMOUNT, is_amount=True),
    Column("refunded", "Refunded", is_usual=False, is_amount=True),
    Column("store", "Store"),
    Column("status", "Nextech Status"),
    Column("reason", "Reason"),
    Column("age", "Waits"),
    Column("changed", "Last change", SortBy.CHANGED, is_usual=False),
    Column("next", "Next step"),
)
"""In the order in which they are shown."""
_ALWAYS = COLUMNS[0]
_CLOSED = frozenset({OrderState.CLOSED, OrderState.CLOSED_VOIDED})


def usual_columns(*, practice_count: int) -> tuple[Column, ...]:
    """Return the columns for one who has chosen none; which practice it is says something only where there are several."""
    return tuple(column for column in COLUMNS if column.is_usual and (practice_count > 1 or column.name != "practice"))


def columns_named(names: Collection[str]) -> tuple[Column, ...]:
    """Return the columns with these names, in their usual order; the order's number is always there, an unknown name never."""
    return tuple(column for column in COLUMNS if column is _ALWAYS or column.name in names)


def is_column(name: str) -> bool:
    """Say whether there is a column of this name."""
    return any(column.name == name for column in COLUMNS)


def waits_minutes(order: ListedOrder, now: datetime) -> int | None:
    """Return for how many minutes an order has waited since it was placed; None for one that is settled."""
    if order.public_status in {PublicStatus.SYNCED, PublicStatus.DISABLED} or order.state in _CLOSED:
        return None
    return max(0, int((now - order.placed_at).total_seconds()) // 60)
