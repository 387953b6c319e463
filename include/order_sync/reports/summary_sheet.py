"""The first sheet of a workbook: both sides, the classes summed from their own sheets, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from order_sync.reports.columns import LINE_COLUMNS
from order_sync.reports.contents import Bar, Contents
from order_sync.reports.sheets import FIRST_LINE, Formats, Part, amount, set_print
from order_sync.reports.spreadsheet_text import cell_text

SUMMARY = "Summary"
"""The sheet's name."""


def write_summary(sheet: Worksheet, report: Contents, parts: Sequence[Part], formats: Formats) -> None:
    """Write the summary; each class is summed by a formula over its own sheet."""
    statement = report.statement
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 16)
    sheet.set_column(3, 3, 70)
    sheet.write_string(0, 0, cell_text(f"{report.practice_name}, {report.period_words}"), formats.title)
    sheet.write_string(1, 0, cell_text(report.headline), formats.note)
    sheet.write_string(2, 0, statement.report_id, formats.note)
    row = _write_balance(sheet, report, formats, 4)
    row = _write_classes(sheet, report, parts, formats, row + 1, balance_row=row - 1)
    for title, bars in (("Refunds to record, by age", report.refunds), ("Unapplied payments, by age", report.unapplied)):
        if bars:
            row = _write_bands(sheet, title, bars, formats, row + 1)
    if statement.gift_cards:
        cards = statement.gift_cards
        figures = (
            ("Owed to holders of gift cards at the beginning", cards.opening_cents),
            ("Sold", cards.sold_cents),
            ("Used", -cards.used_cents),
            ("Refunded", -cards.refunded_cents),
        )
        row = _write_sum(sheet, figures, "Owed at the end", formats, row + 1)
    sheet.hide_gridlines(2)
    set_print(sheet, SUMMARY)


def _write_sum(sheet: Worksheet, figures: Iterable[tuple[str, int]], label: str, formats: Formats, row: int) -> int:
    """Write figures and below them their sum; return the row after it."""
    first = row
    total = 0
    for title, cents in figures:
        sheet.write_string(row, 0, title, formats.label)
        sheet.write_number(row, 2, amount(cents), formats.money)
        total += cents
        row += 1
    sheet.write_string(row, 0, label, formats.sum_label)
    sheet.write_blank(row, 1, None, formats.sum_label)
    sheet.write_formula(row, 2, f"=SUM(C{first + 1}:C{row})", formats.sum_money, amount(total))
    return row + 1


def _write_balance(sheet: Worksheet, report: Contents, formats: Formats, row: int) -> int:
    statement = report.statement
    store = (("Came in at the store", statement.store_in_cents), ("Given back by the store", -statement.store_back_cents))
    nextech = (
        ("Posted in Nextech", statement.posted_cents),
        ("Refunds recorded in Nextech", -statement.recorded_back_cents),
    )
    after_store = _write_sum(sheet, store, "Store", formats, row)
    after_nextech = _write_sum(sheet, nextech, "Nextech", formats, after_store)
    sheet.write_string(after_nextech, 0, "Difference", formats.sum_label)
    sheet.write_blank(after_nextech, 1, None, formats.sum_label)
    formula = f"=C{after_store}-C{after_nextech}"
    sheet.write_formula(after_nextech, 2, formula, formats.sum_money, amount(statement.variance_cents))
    return after_nextech + 1


def _write_classes(
    sheet: Worksheet, report: Contents, parts: Sequence[Part], formats: Formats, row: int, *, balance_row: int
) -> int:
    """Write the classes, each summed from its own sheet, and whether they make up the difference."""
    for index, title in enumerate(("Kind", "Lines", "Difference", "Meaning")):
        sheet.write_string(row, index, title, formats.head_right if index in {1, 2} else formats.head)
    first = row = row + 1
    difference = next(index for index, column in enumerate(LINE_COLUMNS) if column.title == "Difference")
    for part in (part for part in parts if part.class_ is not None):
        start = xl_rowcol_to_cell(FIRST_LINE, difference)
        end = xl_rowcol_to_cell(FIRST_LINE + len(part.lines) - 1, difference)
        where = f"'{part.name}'!{start}:{end}"
        sheet.write_url(row, 0, f"internal:'{part.name}'!A1", string=part.title)
        sheet.write_formula(row, 1, f"=ROWS({where})", formats.count, len(part.lines))
        explained = sum(line.explains_cents for line in part.lines)
        sheet.write_formula(row, 2, f"=SUM({where})", formats.money, amount(explained))
        sheet.write_string(row, 3, part.note, formats.note)
        row += 1
    for left_out in report.left_out:
        sheet.write_string(row, 0, f"{left_out.title} (too long for this file)", formats.label)
        sheet.write_number(row, 1, left_out.count, formats.count)
        sheet.write_number(row, 2, amount(left_out.explains_cents), formats.money)
        sheet.write_string(row, 3, left_out.meaning, formats.note)
        row += 1
    count, explained = len(report.statement.lines), report.statement.explained_cents
    sheet.write_string(row, 0, "All kinds", formats.sum_label)
    has_rows = row > first
    sheet.write_formula(row, 1, f"=SUM(B{first + 1}:B{row})" if has_rows else "=0", formats.sum_count, count)
    sheet.write_formula(row, 2, f"=SUM(C{first + 1}:C{row})" if has_rows else "=0", formats.sum_money, amount(explained))
    check = f'=IF(ROUND(C{row + 1}-C{balance_row + 1},2)=0,"ties with the difference above","DOES NOT TIE")'
    sheet.write_formula(row, 3, check, formats.note, "ties with the difference above")
    return row + 1


def _write_bands(sheet: Worksheet, title: str, bars: Sequence[Bar], formats: Formats, row: int) -> int:
    sheet.write_string(row, 0, title, formats.head)
    sheet.write_string(row, 1, "Count", formats.head_right)
    sheet.write_string(row, 2, "Amount", formats.head_right)
    first = row = row + 1
    for bar in bars:
        sheet.write_string(row, 0, bar.label, formats.label)
        sheet.write_number(row, 1, bar.count, formats.count)
        sheet.write_number(row, 2, amount(bar.amount_cents), formats.money)
        row += 1
    sheet.write_string(row, 0, "All", formats.sum_label)
    sheet.write_formula(row, 1, f"=SUM(B{first + 1}:B{row})", formats.sum_count, sum(bar.count for bar in bars))
    sheet.write_formula(row, 2, f"=SUM(C{first + 1}:C{row})", formats.sum_money, amount(sum(bar.amount_cents for bar in bars)))
    return row + 1
