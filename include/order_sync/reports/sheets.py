"""What the sheets of a workbook share: formats, amounts, printing, and where their lines begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from order_sync.money import exact_decimal
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.statement import Line

FIRST_LINE = 4
"""The row, counted from 0, of a sheet's first line: name, meaning, sums and headings stand above it."""


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of a workbook's cells."""

    title: Format
    note: Format
    head: Format
    head_right: Format
    text: Format
    day: Format
    count: Format
    money: Format
    label: Format
    sum_label: Format
    sum_money: Format
    sum_count: Format


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet of lines."""

    name: str
    class_: DifferenceClass | None
    title: str
    note: str
    lines: Sequence[Line]


def make_formats(book: xlsxwriter.Workbook, currency: str) -> Formats:
    """Return the formats of a workbook; amounts are in the currency."""
    unit = '"$"' if currency == "USD" else f'"{currency} "'
    money = f"{unit}#,##0.00;-{unit}#,##0.00"
    return Formats(
        title=book.add_format({"bold": True, "font_size": 14}),
        note=book.add_format({"font_color": "#55605a"}),
        head=book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#eceeec"}),
        head_right=book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "align": "right", "bg_color": "#eceeec"}
        ),
        text=book.add_format({"num_format": "@", "quote_prefix": True, "valign": "top", "text_wrap": True}),
        day=book.add_format({"num_format": "yyyy-mm-dd", "align": "left", "valign": "top"}),
        count=book.add_format({"num_format": "#,##0", "valign": "top"}),
        money=book.add_format({"num_format": money, "valign": "top"}),
        label=book.add_format({"valign": "top"}),
        sum_label=book.add_format({"bold": True, "top": 1}),
        sum_money=book.add_format({"bold": True, "top": 1, "num_format": money}),
        sum_count=book.add_format({"bold": True, "top": 1, "num_format": "#,##0"}),
    )


def amount(cents: int) -> float:
    """Return cents as the number that a workbook stores: the double nearest to it, which prints as these two decimals."""
    return float(exact_decimal(cents))


def set_print(sheet: Worksheet, title: str) -> None:
    """Let a sheet be printed on US Letter, as wide as the paper, under its title."""
    sheet.set_landscape()
    sheet.set_paper(1)  # US Letter
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{title.replace('&', '&&')}&RPage &P of &N")
