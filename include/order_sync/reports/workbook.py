"""Write a report as a workbook: a summary, and a sheet for every class that has lines, with real numbers and real dates.

Sums are formulas, and their values are stored beside them, because viewers on phones do not calculate. The same statement
gives the same bytes: the file's dates are the statement's cut-off.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from itertools import groupby

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from order_sync.money import exact_decimal
from order_sync.reconciliation.classes import TEXTS, DifferenceClass
from order_sync.reconciliation.statement import Line
from order_sync.reports.columns import LINE_COLUMNS, Kind
from order_sync.reports.contents import Bar, Contents
from order_sync.reports.spreadsheet_text import cell_text

_SHEET_ROWS = 1_000_000
"""Lines of one sheet; Excel ends at 1,048,576 rows."""
_FIRST_LINE = 4
"""The row, counted from 0, of a sheet's first line: name, meaning, sums and headings stand above it."""
_SUMMARY = "Summary"


@dataclass(frozen=True, slots=True)
class _Formats:
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
class _Part:
    """One sheet of lines."""

    name: str
    class_: DifferenceClass | None
    title: str
    note: str
    lines: Sequence[Line]


def workbook_of(report: Contents) -> bytes:
    """Return the XLSX file of a report."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "remove_timezone": True,
        },
    )
    statement = report.statement
    book.set_properties(
        {
            "title": cell_text(f"{report.practice_name}, {report.period_words}"),
            "comments": statement.report_id,
            "created": statement.cut_off.astimezone(UTC),
        }
    )
    formats = _formats(book, statement.currency)
    summary = book.add_worksheet(_SUMMARY)
    parts = list(_parts(report))
    for part in parts:
        _write_lines(book.add_worksheet(part.name), part, formats)
    if report.not_read:
        _write_not_read(book.add_worksheet("Not read"), report.not_read, formats)
    if report.days:
        _write_days(book.add_worksheet("Days"), report, formats)
    _write_summary(summary, report, parts, formats)
    book.close()
    return target.getvalue()


def _formats(book: xlsxwriter.Workbook, currency: str) -> _Formats:
    unit = '"$"' if currency == "USD" else f'"{currency} "'
    money = f"{unit}#,##0.00;-{unit}#,##0.00"
    return _Formats(
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


def _parts(report: Contents) -> Iterable[_Part]:
    """Yield the sheets: one a class, one for each further million of its lines, and those of earlier periods."""
    left_out = {row.class_ for row in report.left_out}
    listed = (line for line in report.statement.lines if line.class_ not in left_out)
    for class_, group in groupby(listed, key=lambda line: line.class_):
        lines, text = list(group), TEXTS[class_]
        for number, start in enumerate(range(0, len(lines), _SHEET_ROWS), start=1):
            name = text.title if number == 1 else f"{text.title} {number}"
            yield _Part(name[:31], class_, name, f"{text.meaning} {text.next_step}".strip(), lines[start : start + _SHEET_ROWS])
    if report.statement.still_open:
        note = "Of earlier periods, and not settled yet: not part of this report's sums."
        yield _Part("Still open", None, "Still open", note, report.statement.still_open)
    for reopening in report.statement.reopened:
        if reopening.lines:
            name = f"Changed {reopening.period.name}"
            note = f"What came, went or changed in a closed period, now version {reopening.version}; amounts are the changes."
            yield _Part(name[:31], None, name, note, reopening.lines)


def _amount(cents: int) -> float:
    """Return cents as the number that a workbook stores: the double nearest to it, which prints as these two decimals."""
    return float(exact_decimal(cents))


def _write_lines(sheet: Worksheet, part: _Part, formats: _Formats) -> None:
    sheet.write_string(0, 0, part.title, formats.title)
    sheet.write_string(1, 0, part.note, formats.note)
    last = _FIRST_LINE + len(part.lines) - 1
    sheet.write_string(2, 0, "Sum of what is shown", formats.sum_label)
    for index, column in enumerate(LINE_COLUMNS):
        is_number = column.kind in {Kind.CENTS, Kind.COUNT}
        sheet.set_column(index, index, column.width)
        sheet.write_string(_FIRST_LINE - 1, index, column.title, formats.head_right if is_number else formats.head)
        if column.kind is Kind.CENTS:
            letter = xl_col_to_name(index)
            total = sum(value for line in part.lines if isinstance(value := column.value(line), int))
            # 109: the sum of the rows that the filter shows.
            formula = f"=SUBTOTAL(109,{letter}{_FIRST_LINE + 1}:{letter}{last + 1})"
            sheet.write_formula(2, index, formula, formats.sum_money, _amount(total))
    for row, line in enumerate(part.lines, start=_FIRST_LINE):
        _write_line(sheet, row, line, formats)
    sheet.autofilter(_FIRST_LINE - 1, 0, last, len(LINE_COLUMNS) - 1)
    sheet.freeze_panes(_FIRST_LINE, 2)
    sheet.ignore_errors({"number_stored_as_text": f"A{_FIRST_LINE + 1}:{xl_col_to_name(len(LINE_COLUMNS) - 1)}{last + 1}"})
    _set_print(sheet, part.title)
    sheet.repeat_rows(_FIRST_LINE - 1)


def _write_line(sheet: Worksheet, row: int, line: Line, formats: _Formats) -> None:
    for index, column in enumerate(LINE_COLUMNS):
        match column.kind, column.value(line):
            case _, None | "":
                continue
            case Kind.CENTS, int() as amount_cents:
                sheet.write_number(row, index, _amount(amount_cents), formats.money)
            case Kind.COUNT, int() as count:
                sheet.write_number(row, index, count, formats.count)
            case Kind.DAY, date() as day:
                sheet.write_datetime(row, index, day, formats.day)
            case _, value:
                sheet.write_string(row, index, cell_text(str(value)), formats.text)


def _write_not_read(sheet: Worksheet, sentences: Sequence[str], formats: _Formats) -> None:
    sheet.write_string(0, 0, "Could not be read, and is in none of the sums", formats.title)
    for row, sentence in enumerate(sentences, start=2):
        sheet.write_string(row, 0, cell_text(sentence), formats.text)
    sheet.set_column(0, 0, 100)
    _set_print(sheet, "Not read")


def _write_days(sheet: Worksheet, report: Contents, formats: _Formats) -> None:
    sheet.write_string(0, 0, "Day by day", formats.title)
    for index, title in enumerate(("Day", "Store", "Nextech", "Difference")):
        sheet.write_string(2, index, title, formats.head_right if index else formats.head)
    days = report.statement.days
    for row, day in enumerate(days, start=3):
        sheet.write_datetime(row, 0, day.day, formats.day)
        sheet.write_number(row, 1, _amount(day.store_cents), formats.money)
        sheet.write_number(row, 2, _amount(day.nextech_cents), formats.money)
        sheet.write_formula(row, 3, f"=B{row + 1}-C{row + 1}", formats.money, _amount(day.store_cents - day.nextech_cents))
    last = 3 + len(days)
    store, nextech = sum(day.store_cents for day in days), sum(day.nextech_cents for day in days)
    sheet.write_string(last, 0, "All", formats.sum_label)
    for letter, index, total in (("B", 1, store), ("C", 2, nextech), ("D", 3, store - nextech)):
        sheet.write_formula(last, index, f"=SUM({letter}4:{letter}{last})", formats.sum_money, _amount(total))
    sheet.set_column(0, 3, 14)
    sheet.freeze_panes(3, 1)
    _set_print(sheet, "Day by day")


def _set_print(sheet: Worksheet, title: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(1)  # US Letter
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{title.replace('&', '&&')}&RPage &P of &N")


def _write_summary(sheet: Worksheet, report: Contents, parts: Sequence[_Part], formats: _Formats) -> None:
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
    _set_print(sheet, _SUMMARY)


def _write_sum(sheet: Worksheet, figures: Iterable[tuple[str, int]], label: str, formats: _Formats, row: int) -> int:
    """Write figures and below them their sum; return the row after it."""
    first = row
    total = 0
    for title, cents in figures:
        sheet.write_string(row, 0, title, formats.label)
        sheet.write_number(row, 2, _amount(cents), formats.money)
        total += cents
        row += 1
    sheet.write_string(row, 0, label, formats.sum_label)
    sheet.write_blank(row, 1, None, formats.sum_label)
    sheet.write_formula(row, 2, f"=SUM(C{first + 1}:C{row})", formats.sum_money, _amount(total))
    return row + 1


def _write_balance(sheet: Worksheet, report: Contents, formats: _Formats, row: int) -> int:
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
    sheet.write_formula(after_nextech, 2, formula, formats.sum_money, _amount(statement.variance_cents))
    return after_nextech + 1


def _write_classes(
    sheet: Worksheet, report: Contents, parts: Sequence[_Part], formats: _Formats, row: int, *, balance_row: int
) -> int:
    """Write the classes, each summed from its own sheet, and whether they make up the difference."""
    for index, title in enumerate(("Kind", "Lines", "Difference", "Meaning")):
        sheet.write_string(row, index, title, formats.head_right if index in {1, 2} else formats.head)
    first = row = row + 1
    difference = next(index for index, column in enumerate(LINE_COLUMNS) if column.title == "Difference")
    for part in (part for part in parts if part.class_ is not None):
        start = xl_rowcol_to_cell(_FIRST_LINE, difference)
        end = xl_rowcol_to_cell(_FIRST_LINE + len(part.lines) - 1, difference)
        where = f"'{part.name}'!{start}:{end}"
        sheet.write_url(row, 0, f"internal:'{part.name}'!A1", string=part.title)
        sheet.write_formula(row, 1, f"=ROWS({where})", formats.count, len(part.lines))
        explained = sum(line.explains_cents for line in part.lines)
        sheet.write_formula(row, 2, f"=SUM({where})", formats.money, _amount(explained))
        sheet.write_string(row, 3, part.note, formats.note)
        row += 1
    for left_out in report.left_out:
        sheet.write_string(row, 0, f"{left_out.title} (too long for this file)", formats.label)
        sheet.write_number(row, 1, left_out.count, formats.count)
        sheet.write_number(row, 2, _amount(left_out.explains_cents), formats.money)
        sheet.write_string(row, 3, left_out.meaning, formats.note)
        row += 1
    count, explained = len(report.statement.lines), report.statement.explained_cents
    sheet.write_string(row, 0, "All kinds", formats.sum_label)
    has_rows = row > first
    sheet.write_formula(row, 1, f"=SUM(B{first + 1}:B{row})" if has_rows else "=0", formats.sum_count, count)
    sheet.write_formula(row, 2, f"=SUM(C{first + 1}:C{row})" if has_rows else "=0", formats.sum_money, _amount(explained))
    check = f'=IF(ROUND(C{row + 1}-C{balance_row + 1},2)=0,"ties with the difference above","DOES NOT TIE")'
    sheet.write_formula(row, 3, check, formats.note, "ties with the difference above")
    return row + 1


def _write_bands(sheet: Worksheet, title: str, bars: Sequence[Bar], formats: _Formats, row: int) -> int:
    sheet.write_string(row, 0, title, formats.head)
    sheet.write_string(row, 1, "Count", formats.head_right)
    sheet.write_string(row, 2, "Amount", formats.head_right)
    first = row = row + 1
    for bar in bars:
        sheet.write_string(row, 0, bar.label, formats.label)
        sheet.write_number(row, 1, bar.count, formats.count)
        sheet.write_number(row, 2, _amount(bar.amount_cents), formats.money)
        row += 1
    sheet.write_string(row, 0, "All", formats.sum_label)
    sheet.write_formula(row, 1, f"=SUM(B{first + 1}:B{row})", formats.sum_count, sum(bar.count for bar in bars))
    sheet.write_formula(row, 2, f"=SUM(C{first + 1}:C{row})", formats.sum_money, _amount(sum(bar.amount_cents for bar in bars)))
    return row + 1
