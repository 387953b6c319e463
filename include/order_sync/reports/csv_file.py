"""Write a report's lines as CSV: RFC 4180, UTF-8, and safe to open in a spreadsheet.

It begins with a byte order mark: without one Excel reads UTF-8 as the machine's old code page. Amounts and counts are
bare numbers with a point, days are ISO dates; texts that a spreadsheet could take for a formula get an apostrophe.
"""

from __future__ import annotations

import csv
import io
from datetime import date

from order_sync.money import decimal_text
from order_sync.reconciliation.statement import Line
from order_sync.reports.columns import LINE_COLUMNS, Column, Kind
from order_sync.reports.contents import Contents
from order_sync.reports.spreadsheet_text import delimited_text

_CLASS = "Class"
_PERIOD = "Period"


def csv_of(report: Contents) -> bytes:
    """Return the lines of a report, in their order, under a line of headings; then what earlier periods left to do."""
    statement, left_out = report.statement, {row.class_ for row in report.left_out}
    lines = [line for line in statement.lines if line.class_ not in left_out]
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([_PERIOD, _CLASS, *(column.title for column in LINE_COLUMNS)])
    for period, members in ((statement.period.name, lines), ("earlier", statement.still_open)):
        writer.writerows([period, line.class_.value, *(_field(column, line) for column in LINE_COLUMNS)] for line in members)
    return target.getvalue().encode("utf-8-sig")


def _field(column: Column, line: Line) -> str:
    match column.kind, column.value(line):
        case _, None:
            return ""
        case Kind.CENTS, int() as amount_cents:
            return decimal_text(amount_cents)
        case Kind.DAY, date() as day:
            return day.isoformat()
        case Kind.COUNT, int() as count:
            return str(count)
        case _, value:
            return delimited_text(str(value))
