"""Write a report as a workbook: a summary, and a sheet for every class that has lines, with real numbers and real dates.

Sums are formulas, and their values are stored beside them, because viewers on phones do not calculate. The same statement
gives the same bytes: the file's dates are the statement's cut-off.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date
from itertools import groupby

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from order_sync.reconciliation.classes import TEXTS
from order_sync.reconciliation.statement import Line
from order_sync.reports.columns import LINE_COLUMNS, Kind
from order_sync.reports.contents import Contents
from order_sync.reports.sheets import FIRST_LINE, Formats, Part, amount, make_formats, set_print
from order_sync.reports.spreadsheet_text import cell_text
from order_sync.reports.summary_sheet import SUMMARY, write_summary

_SHEET_ROWS = 1_000_000
"""Lines of one sheet; Excel ends at 1,048,576 rows."""


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
    formats = make_formats(book, statement.currency)
    summary = book.add_worksheet(SUMMARY)
    parts = list(_parts(report))
    for part in parts:
        _write_lines(book.add_worksheet(part.name), part, formats)
    if report.not_read:
        _write_not_read(book.add_worksheet("Not read"), report.not_read, formats)
    if report.days:
        _write_days(book.add_worksheet("Days"), report, formats)
    write_summary(summary, report, parts, formats)
    book.close()
    return target.getvalue()


def _parts(report: Contents) -> Iterable[Part]:
    """Yield the sheets: one a class, one for each further million of its lines, and those of earlier periods."""
    left_out = {row.class_ for row in report.left_out}
    listed = (line for line in report.statement.lines if line.class_ not in left_out)
    for class_, group in groupby(listed, key=lambda line: line.class_):
        lines, text = list(group), TEXTS[class_]
        for number, start in enumerate(range(0, len(lines), _SHEET_ROWS), start=1):
            name = text.title if number == 1 else f"{text.title} {number}"
            yield Part(name[:31], class_, name, f"{text.meaning} {text.next_step}".strip(), lines[start : start + _SHEET_ROWS])
    if report.statement.still_open:
        note = "Of earlier periods, and not settled yet: not part of this report's sums."
        yield Part("Still open", None, "Still open", note, report.statement.still_open)
    for reopening in report.statement.reopened:
        if reopening.lines:
            name = f"Changed {reopening.period.name} v{reopening.version}"
            note = f"What came, went or changed in a closed period, now version {reopening.version}; amounts are the changes."
            yield Part(name[:31], None, name, note, reopening.lines)


def _write_lines(sheet: Worksheet, part: Part, formats: Formats) -> None:
    sheet.write_string(0, 0, part.title, formats.title)
    sheet.write_string(1, 0, part.note, formats.note)
    last = FIRST_LINE + len(part.lines) - 1
    sheet.write_string(2, 0, "Sum of what is shown", formats.sum_label)
    for index, column in enumerate(LINE_COLUMNS):
        is_number = column.kind in {Kind.CENTS, Kind.COUNT}
        sheet.set_column(index, index, column.width)
        sheet.write_string(FIRST_LINE - 1, index, column.title, formats.head_right if is_number else formats.head)
        if column.kind is Kind.CENTS:
            letter = xl_col_to_name(index)
            total = sum(value for line in part.lines if isinstance(value := column.value(line), int))
            # 109: the sum of the rows that the filter shows.
            formula = f"=SUBTOTAL(109,{letter}{FIRST_LINE + 1}:{letter}{last + 1})"
            sheet.write_formula(2, index, formula, formats.sum_money, amount(total))
    for row, line in enumerate(part.lines, start=FIRST_LINE):
        _write_line(sheet, row, line, formats)
    sheet.autofilter(FIRST_LINE - 1, 0, last, len(LINE_COLUMNS) - 1)
    sheet.freeze_panes(FIRST_LINE, 2)
    sheet.ignore_errors({"number_stored_as_text": f"A{FIRST_LINE + 1}:{xl_col_to_name(len(LINE_COLUMNS) - 1)}{last + 1}"})
    set_print(sheet, part.title)
    sheet.repeat_rows(FIRST_LINE - 1)


def _write_line(sheet: Worksheet, row: int, line: Line, formats: Formats) -> None:
    for index, column in enumerate(LINE_COLUMNS):
        match column.kind, column.value(line):
            case _, None | "":
                continue
            case Kind.CENTS, int() as amount_cents:
                sheet.write_number(row, index, amount(amount_cents), formats.money)
            case Kind.COUNT, int() as count:
                sheet.write_number(row, index, count, formats.count)
            case Kind.DAY, date() as day:
                sheet.write_datetime(row, index, day, formats.day)
            case _, value:
                sheet.write_string(row, index, cell_text(str(value)), formats.text)


def _write_not_read(sheet: Worksheet, sentences: Sequence[str], formats: Formats) -> None:
    sheet.write_string(0, 0, "Could not be read, and is in none of the sums", formats.title)
    for row, sentence in enumerate(sentences, start=2):
        sheet.write_string(row, 0, cell_text(sentence), formats.text)
    sheet.set_column(0, 0, 100)
    set_print(sheet, "Not read")


def _write_days(sheet: Worksheet, report: Contents, formats: Formats) -> None:
    sheet.write_string(0, 0, "Day by day", formats.title)
    for index, title in enumerate(("Day", "Store", "Nextech", "Difference")):
        sheet.write_string(2, index, title, formats.head_right if index else formats.head)
    days = report.statement.days
    for row, day in enumerate(days, start=3):
        sheet.write_datetime(row, 0, day.day, formats.day)
        sheet.write_number(row, 1, amount(day.store_cents), formats.money)
        sheet.write_number(row, 2, amount(day.nextech_cents), formats.money)
        sheet.write_formula(row, 3, f"=B{row + 1}-C{row + 1}", formats.money, amount(day.store_cents - day.nextech_cents))
    last = 3 + len(days)
    store, nextech = sum(day.store_cents for day in days), sum(day.nextech_cents for day in days)
    sheet.write_string(last, 0, "All", formats.sum_label)
    for letter, index, total in (("B", 1, store), ("C", 2, nextech), ("D", 3, store - nextech)):
        sheet.write_formula(last, index, f"=SUM({letter}4:{letter}{last})", formats.sum_money, amount(total))
    sheet.set_column(0, 3, 14)
    sheet.freeze_panes(3, 1)
    set_print(sheet, "Day by day")
