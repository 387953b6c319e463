"""The store's rows: one dictionary per row of a table, money as `Decimal`, instants as the text that the store shows."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
"""Column to value; a missing column is NULL."""

ZERO = Decimal(0)
CENT = Decimal("0.01")


def money(amount: Decimal | str | int) -> Decimal:
    """Round an amount half up to cents, as the store's totals do."""
    return Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP)


def store_time(instant: datetime) -> str:
    """Write an instant as the store does: UTC, one second's resolution, no zone (contract section 3, rule 5)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def parse_store_time(text: str) -> datetime:
    """Read an instant that `store_time` wrote."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def add_amount(row: Row, column: str, amount: Decimal) -> None:
    """Add to a column that is NULL until the first invoice or refund."""
    row[column] = row.get(column, ZERO) + amount


@dataclass(slots=True)
class OrderRecord:
    """One order with the rows of the other tables that hang on it."""

    row: Row
    """`sales_order`."""
    items: list[Row]
    billing: Row
    shipping: Row | None = None
    """None for a virtual order."""
    payment: Row | None = None
    """None for a migrated order."""
    histories: list[Row] = field(default_factory=list)
    """Newest first."""
    extension: Row = field(default_factory=dict)
    """What the gift card, balance, reward, tax and coupon modules keep about the order."""
    version: int = 0
    """Counts every change of any row, for the cache of rendered answers."""

    @property
    def entity_id(self) -> int:
        """Return the primary key."""
        return int(self.row["entity_id"])

    @property
    def number(self) -> str:
        """Return the number that people see."""
        return str(self.row["increment_id"])

    @property
    def grand_total(self) -> Decimal:
        """Return what outside tenders have to pay."""
        return Decimal(self.row["grand_total"])

    def copy(self) -> OrderRecord:
        """Return a copy that shares nothing."""
        return copy.deepcopy(self)


@dataclass(slots=True)
class Books:
    """Everything that a store holds: what a shop is loaded with and what it exports."""

    orders: list[OrderRecord] = field(default_factory=list)
    invoices: list[Row] = field(default_factory=list)
    memos: list[Row] = field(default_factory=list)
    transactions: list[Row] = field(default_factory=list)

    def copy(self) -> Books:
        """Return a copy that shares nothing."""
        return copy.deepcopy(self)


def by_id(rows: Iterable[Row], key: str = "entity_id") -> dict[int, Row]:
    """Index rows by their primary key."""
    return {row[key]: row for row in rows}
