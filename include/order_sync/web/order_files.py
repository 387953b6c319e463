"""The list of orders as a file: what is shown, all of it, a piece at a time, and safe to open in a spreadsheet.

It begins with a byte order mark: without one Excel reads UTF-8 as the machine's old code page. Amounts are bare numbers
with a point, days and instants as ISO writes them in the practice's zone; a text that a spreadsheet could take for a
formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from order_sync.ledger.order_lists import ListedOrder
from order_sync.money import decimal_text
from order_sync.practices import Practice
from order_sync.reports.spreadsheet_text import delimited_text
from order_sync.web.order_columns import Column, store_state_words, waits_minutes

_ROWS_AT_ONCE = 500
_FILE_TITLES = {"age": "Waits, minutes"}


def csv_of_orders(
    orders: Iterable[ListedOrder], columns: Sequence[Column], practices: Mapping[str, Practice], now: datetime
) -> Iterator[bytes]:
    """Yield the file: a line of headings, then one line for each order."""
    has_amounts = any(column.is_amount for column in columns)
    titles = [_FILE_TITLES.get(column.name, column.title) for column in columns]
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([*titles, *(["Currency"] if has_amounts else [])])
    yield "\ufeff".encode()
    for count, order in enumerate(orders, start=1):
        practice = practices[order.practice_id]
        fields = [_field(column.name, order, practice, now) for column in columns]
        writer.writerow([*fields, *([practice.currency] if has_amounts else [])])
        if count % _ROWS_AT_ONCE == 0:
            yield _taken_from(target)
    yield _taken_from(target)


def _taken_from(target: io.StringIO) -> bytes:
    text = target.getvalue()
    target.seek(0)
    target.truncate()
    return text.encode()


def _field(name: str, order: ListedOrder, practice: Practice, now: datetime) -> str:  # noqa: PLR0911 - one for each column
    match name:
        case "placed":
            return _instant(order.placed_at, practice)
        case "changed":
            return _instant(order.changed_at, practice)
        case "day":
            return order.business_day.isoformat()
        case "amount":
            return "" if order.amount_cents is None else decimal_text(order.amount_cents)
        case "refunded":
            return decimal_text(order.refunded_cents)
        case "age":
            minutes = waits_minutes(order, now)
            return "" if minutes is None else str(minutes)
        case _:
            return delimited_text(_text(name, order, practice))


def _text(name: str, order: ListedOrder, practice: Practice) -> str:
    texts = {
        "number": order.number,
        "practice": practice.name,
        "store": store_state_words(order.store_state),
        "status": order.public_status.value,
        "reason": order.sentence or "",
        "next": order.next_step or "",
    }
    return texts[name]


def _instant(instant: datetime, practice: Practice) -> str:
    return instant.astimezone(practice.zone).isoformat(timespec="seconds")
