"""What the pages ask the ledger: every list, filter, sort and detail, each with other values every time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bench.pages_books import NOW, PRACTICES
from order_sync.ledger.audit import list_audit
from order_sync.ledger.cursors import Cursor
from order_sync.ledger.order_counts import counts_by_reason, counts_by_status
from order_sync.ledger.order_details import read_details
from order_sync.ledger.order_filters import OrderFilter, Sort, SortBy
from order_sync.ledger.order_lists import list_orders
from order_sync.ledger.queue_lists import CaseKind, QueueFilter, QueueSort, cases_by_reason, count_cases, list_cases
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus

ALL = tuple(PRACTICES)
MOST_ORDERS = 1_000_000
Question = Callable[[Transaction], object]
Asked = Callable[[random.Random], Question]
EVERYTHING = OrderFilter(ALL)


def _month(draw: random.Random) -> OrderFilter:
    first = (NOW - timedelta(days=draw.randint(31, 700))).date()
    return replace(EVERYTHING, first_day=first, last_day=first + timedelta(days=30))


def _day(draw: random.Random) -> OrderFilter:
    day = (NOW - timedelta(days=draw.randint(1, 700))).date()
    return replace(EVERYTHING, first_day=day, last_day=day)


def _year(draw: random.Random) -> OrderFilter:
    first = (NOW - timedelta(days=draw.randint(366, 700))).date()
    return replace(EVERYTHING, first_day=first, last_day=first + timedelta(days=365))


def _amount(draw: random.Random, width: int) -> OrderFilter:
    least = draw.randint(2_000, 40_000)
    return replace(EVERYTHING, least_cents=least, most_cents=least + width)


def _amount_of_a_month(draw: random.Random) -> OrderFilter:
    least = draw.randint(2_000, 40_000)
    return replace(_month(draw), least_cents=least, most_cents=least)


FILTERS: dict[str, Callable[[random.Random], OrderFilter]] = {
    "everything": lambda _: EVERYTHING,
    "one practice": lambda draw: OrderFilter((draw.choice(ALL),)),
    **{status.value: lambda _, status=status: replace(EVERYTHING, status=status) for status in PublicStatus},
    "Not Synced of a month": lambda draw: replace(_month(draw), status=PublicStatus.NOT_SYNCED),
    "a frequent reason": lambda _: replace(EVERYTHING, reason=Reason.CANCELLED),
    "a rare reason": lambda _: replace(EVERYTHING, reason=Reason.SUFFIX_DIFFERS),
    "a reason nobody has": lambda _: replace(EVERYTHING, reason=Reason.CURRENCY_UNKNOWN),
    "a reason of its status": lambda _: replace(EVERYTHING, reason=Reason.NAME_DIFFERS, status=PublicStatus.NOT_SYNCED),
    "a day": _day,
    "a month": _month,
    "a year": _year,
    "one amount": lambda draw: _amount(draw, 0),
    "a range of amounts": lambda draw: _amount(draw, 5_000),
    "a large amount": lambda _: replace(EVERYTHING, least_cents=400_000),
    "an amount nobody paid": lambda _: replace(EVERYTHING, least_cents=90_000_000),
    "an amount of a month": lambda draw: replace(
        _month(draw), least_cents=(cents := draw.randint(2_000, 40_000)), most_cents=cents
    ),
    "large amounts of a year": lambda draw: replace(_year(draw), least_cents=200_000),
    "new accounts": lambda _: replace(EVERYTHING, is_new_account=True),
    "new accounts of a month": lambda draw: replace(_month(draw), is_new_account=True),
    "a number": lambda draw: replace(EVERYTHING, number=f"{draw.randint(1, MOST_ORDERS):09}"),
    "a number without zeros": lambda draw: replace(EVERYTHING, number=str(draw.randint(1, MOST_ORDERS))),
    "how numbers begin": lambda draw: replace(EVERYTHING, number=f"{draw.randint(1, 9_999):06}"),
    "how all numbers begin": lambda _: replace(EVERYTHING, number="00"),
    "a number nobody has": lambda _: replace(EVERYTHING, number="777777777"),
    "Synced of a day, a range of amounts": lambda draw: replace(
        _day(draw), status=PublicStatus.SYNCED, least_cents=5_000, most_cents=9_000
    ),
}
_DEEP = {
    SortBy.PLACED: lambda draw: NOW - timedelta(days=draw.randint(1, 729)),
    SortBy.AMOUNT: lambda draw: draw.randint(1_000, 60_000),
    SortBy.NUMBER: lambda draw: f"{draw.randint(1, MOST_ORDERS):09}",
    SortBy.CHANGED: lambda draw: NOW - timedelta(days=draw.randint(1, 729)),
}


def _list(make: Callable[[random.Random], OrderFilter], sort: Sort) -> Asked:
    def ask(draw: random.Random) -> Question:
        wanted = make(draw)
        return lambda tx: list_orders(tx, wanted, sort)

    return ask


def _deep_page(make: Callable[[random.Random], OrderFilter], sort: Sort, *, is_backward: bool) -> Asked:
    def ask(draw: random.Random) -> Question:
        wanted = make(draw)
        cursor = Cursor(sort.name, is_backward, (_DEEP[sort.by](draw),), draw.randint(1, MOST_ORDERS)).encode()
        return lambda tx: list_orders(tx, wanted, sort, cursor)

    return ask


def _counts(make: Callable[[random.Random], OrderFilter]) -> Asked:
    def ask(draw: random.Random) -> Question:
        wanted = make(draw)
        return lambda tx: counts_by_status(tx, wanted)

    return ask


def _counts_of_reasons(make: Callable[[random.Random], OrderFilter]) -> Asked:
    def ask(draw: random.Random) -> Question:
        wanted = make(draw)
        return lambda tx: counts_by_reason(tx, wanted)

    return ask


def _details(draw: random.Random) -> Question:
    order_id = draw.randint(1, MOST_ORDERS)
    return lambda tx: read_details(tx, order_id, ALL)


def _queue(wanted: QueueFilter, sort: QueueSort) -> Asked:
    return lambda _: lambda tx: list_cases(tx, wanted, sort)


_QUEUES = {
    "all": QueueFilter(ALL),
    "mine": QueueFilter(ALL, assignee="dana"),
    "nobody's": QueueFilter(ALL, is_unassigned=True),
    "refunds": QueueFilter(ALL, kind=CaseKind.REFUND),
    "a reason": QueueFilter(ALL, reason=Reason.NAME_DIFFERS),
    "put off": QueueFilter(ALL, is_waiting=True),
}
SORTS = [Sort(by, is_descending) for by in SortBy for is_descending in (True, False)]

QUESTIONS: dict[str, Asked] = {
    **{f"list, {name}, by {sort.name}": _list(make, sort) for name, make in FILTERS.items() for sort in SORTS},
    **{
        f"deep page {'back' if is_backward else 'on'}, {name}, by {sort.name}": _deep_page(
            FILTERS[name], sort, is_backward=is_backward
        )
        for name in ("everything", "Not Synced", "a year", "new accounts")
        for sort in SORTS
        for is_backward in (False, True)
    },
    **{f"counts of statuses, {name}": _counts(make) for name, make in FILTERS.items()},
    **{f"counts of reasons, {name}": _counts_of_reasons(make) for name, make in FILTERS.items()},
    "details": _details,
    **{f"queue, {name}, {sort.value} first": _queue(wanted, sort) for name, wanted in _QUEUES.items() for sort in QueueSort},
    "queue, counts": lambda _: lambda tx: (count_cases(tx, ALL, "dana"), cases_by_reason(tx, QueueFilter(ALL))),
    "audit": lambda _: lambda tx: list_audit(tx, ALL),
    "audit of one practice": lambda _: lambda tx: list_audit(tx, ("desert",)),
    "audit of one person": lambda _: lambda tx: list_audit(tx, ALL, actor="nobody"),
}
