"""The columns of a report's lines, in the workbook and in the CSV file alike (docs/report-columns.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from order_sync.reconciliation.classes import TEXTS
from order_sync.reconciliation.statement import Line
from order_sync.reports.items import item_of


class Kind(Enum):
    """What a column holds."""

    TEXT = auto()
    DAY = auto()
    COUNT = auto()
    CENTS = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its kind, its width in characters and where its value comes from."""

    title: str
    kind: Kind
    width: int
    value: Callable[[Line], str | int | date | None]


def _next_step(line: Line) -> str:
    return line.next_step or TEXTS[line.class_].next_step


LINE_COLUMNS: tuple[Column, ...] = (
    Column("Kind", Kind.TEXT, 22, lambda line: TEXTS[line.class_].title),
    Column("Order", Kind.TEXT, 14, lambda line: line.number),
    Column("Payments in Nextech", Kind.TEXT, 20, lambda line: ", ".join(line.payment_ids)),
    Column("Day in the store", Kind.DAY, 13, lambda line: line.store_day),
    Column("Day in Nextech", Kind.DAY, 13, lambda line: line.nextech_day),
    Column("Store", Kind.CENTS, 13, lambda line: line.store_cents),
    Column("Nextech", Kind.CENTS, 13, lambda line: line.nextech_cents),
    Column("Difference", Kind.CENTS, 13, lambda line: line.explains_cents),
    Column("Whole amount", Kind.CENTS, 13, lambda line: line.at_stake_cents),
    Column("Age in days", Kind.COUNT, 8, lambda line: line.age_days),
    Column("Remark", Kind.TEXT, 44, lambda line: item_of(line).explanation),
    Column("Next step", Kind.TEXT, 52, _next_step),
    Column("Taken on by", Kind.TEXT, 16, lambda line: line.owner),
    Column("Marker", Kind.TEXT, 20, lambda line: line.marker),
)
"""Every column; amounts are those of the period, except the whole amount, which is the order's or the payment's own."""
