"""What the pages are asked for: every list, filter, sort and detail, each with other values every time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from bench.pages_books import NOW, PRACTICES
from order_sync.health import read_health
from order_sync.ledger.cursors import Cursor
from order_sync.ledger.order_counts import counts_by_reason, counts_by_status
from order_sync.ledger.order_details import read_details
from order_sync.ledger.order_filters import OrderFilter, Sort, SortBy
from order_sync.ledger.order_lists import NEWEST_FIRST, list_orders
from order_sync.ledger.queue_lists import QueueFilter, QueueSort, cases_by_reason, list_cases
from order_sync.ledger.session import Transaction
from order_sync.practices import load_practices
from order_sync.reasons import Reason
from order_sync.resources import PRACTICES_FILE
from order_sync.statuses import PublicStatus
from order_sync.web.filters import Wanted

ALL = tuple(PRACTICES)
EVERYTHING = Wanted()
MOST_ORDERS = 1_000_000
_PRACTICES = {practice.id: practice for practice in load_practices(PRACTICES_FILE)}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, both ways."""

    read: Callable[[Transaction], object]
    """Of the ledger alone."""
    path: str
    """The page that answers it."""


Asks = Callable[[random.Random], Asked]
Makes = Callable[[random.Random], Wanted]


def _days(draw: random.Random, days: int) -> Wanted:
    first = (NOW - timedelta(days=draw.randint(days, 700))).date()
    return replace(EVERYTHING, first_day=first, last_day=first + timedelta(days=days - 1))


def _amount(draw: random.Random, width: int) -> Wanted:
    least = draw.randint(2_000, 40_000)
    return replace(EVERYTHING, least_cents=least, most_cents=least + width)


def _amount_of_a_month(draw: random.Random) -> Wanted:
    least = draw.randint(2_000, 40_000)
    return replace(_days(draw, 30), least_cents=least, most_cents=least)


def _crowded(draw: random.Random) -> Wanted:
    return replace(_days(draw, 1), status=PublicStatus.SYNCED, least_cents=5_000, most_cents=9_000)


def _of_number(make: Callable[[random.Random], str]) -> Makes:
    return lambda draw: replace(EVERYTHING, number=make(draw))


def _fixed(**narrowed: object) -> Makes:
    return lambda _: replace(EVERYTHING, **narrowed)  # type: ignore[arg-type]


FILTERS: dict[str, Makes] = {
    "everything": _fixed(),
    "one practice": lambda draw: replace(EVERYTHING, practice_id=draw.choice(ALL)),
    **{status.value: _fixed(status=status) for status in PublicStatus},
    "Not Synced of a month": lambda draw: replace(_days(draw, 30), status=PublicStatus.NOT_SYNCED),
    "a frequent reason": _fixed(reason=Reason.CANCELLED),
    "a rare reason": _fixed(reason=Reason.SUFFIX_DIFFERS),
    "a reason nobody has": _fixed(reason=Reason.CURRENCY_UNKNOWN),
    "a reason of its status": _fixed(reason=Reason.NAME_DIFFERS, status=PublicStatus.NOT_SYNCED),
    "a day": lambda draw: _days(draw, 1),
    "a month": lambda draw: _days(draw, 30),
    "half a year": lambda draw: _days(draw, 180),
    "a year": lambda draw: _days(draw, 365),
    "one amount": lambda draw: _amount(draw, 0),
    "a range of amounts": lambda draw: _amount(draw, 5_000),
    "a large amount": _fixed(least_cents=400_000),
    "an amount nobody paid": _fixed(least_cents=90_000_000),
    "an amount of a month": _amount_of_a_month,
    "large amounts of a year": lambda draw: replace(_days(draw, 365), least_cents=200_000),
    "new accounts": _fixed(is_new_account=True),
    "new accounts of a month": lambda draw: replace(_days(draw, 30), is_new_account=True),
    "a number": _of_number(lambda draw: f"{draw.randint(1, MOST_ORDERS):09}"),
    "a number without zeros": _of_number(lambda draw: str(draw.randint(1, MOST_ORDERS))),
    "how numbers begin": _of_number(lambda draw: f"{draw.randint(1, 9_999):06}"),
    "how many numbers begin": _of_number(lambda draw: f"{draw.randint(0, 99):05}"),
    "how all numbers begin": _of_number(lambda _: "00"),
    "a number nobody has": _of_number(lambda _: "777777777"),
    "Synced of a day, a range of amounts": _crowded,
}
_DEEP: dict[SortBy, Callable[[random.Random], object]] = {
    SortBy.PLACED: lambda draw: NOW - timedelta(days=draw.randint(1, 729)),
    SortBy.AMOUNT: lambda draw: draw.randint(1_000, 60_000),
    SortBy.NUMBER: lambda draw: f"{draw.randint(1, MOST_ORDERS):09}",
    SortBy.CHANGED: lambda draw: NOW - timedelta(days=draw.randint(1, 729)),
}


def _filter(wanted: Wanted) -> OrderFilter:
    return wanted.filter_for(_PRACTICES, NOW)


def _list(make: Makes, sort: Sort) -> Asks:
    def ask(draw: random.Random) -> Asked:
        wanted = replace(make(draw), sort=sort)
        return Asked(lambda tx: list_orders(tx, _filter(wanted), sort), f"/{wanted.query()}")

    return ask


def _deep_page(make: Makes, sort: Sort, *, is_backward: bool) -> Asks:
    def ask(draw: random.Random) -> Asked:
        cursor = Cursor(sort.name, is_backward, (_DEEP[sort.by](draw),), draw.randint(1, MOST_ORDERS)).encode()  # type: ignore[arg-type]
        wanted = replace(make(draw), sort=sort, cursor=cursor)
        return Asked(lambda tx: list_orders(tx, _filter(wanted), sort, cursor), f"/{wanted.query()}")

    return ask


def _counts(make: Makes) -> Asks:
    def ask(draw: random.Random) -> Asked:
        wanted = make(draw)
        return Asked(
            lambda tx: (counts_by_status(tx, _filter(wanted)), counts_by_reason(tx, _filter(wanted))), f"/{wanted.query()}"
        )

    return ask


def _details(draw: random.Random) -> Asked:
    order_id = draw.randint(1, MOST_ORDERS)
    return Asked(lambda tx: read_details(tx, order_id, ALL), f"/orders/{order_id}")


def _queue(wanted: QueueFilter, sort: QueueSort, **asked: str) -> Asks:
    path = f"/queue?{urlencode({**asked, 'sort': sort.value})}"
    return lambda _: Asked(lambda tx: (list_cases(tx, wanted, sort), cases_by_reason(tx, wanted)), path)


def _health(tx: Transaction) -> object:
    return [read_health(tx, practice) for practice in _PRACTICES.values()]


_QUEUES: dict[str, tuple[QueueFilter, dict[str, str]]] = {
    "all": (QueueFilter(ALL), {}),
    "mine": (QueueFilter(ALL, assignee="dana"), {"whose": "mine"}),
    "nobody's": (QueueFilter(ALL, is_unassigned=True), {"whose": "nobody"}),
    "a reason": (QueueFilter(ALL, reason=Reason.NAME_DIFFERS), {"reason": Reason.NAME_DIFFERS.value}),
    "put off": (QueueFilter(ALL, is_waiting=True), {"wait": "only"}),
}
SORTS = [Sort(by, is_descending) for by in SortBy for is_descending in (True, False)]
_DEEP_IN = ("everything", "Not Synced", "a year", "new accounts")

QUESTIONS: dict[str, Asks] = {
    **{f"list, {name}, by {sort.name}": _list(make, sort) for name, make in FILTERS.items() for sort in SORTS},
    **{
        f"deep page {'back' if is_backward else 'on'}, {name}, by {sort.name}": _deep_page(
            FILTERS[name], sort, is_backward=is_backward
        )
        for name in _DEEP_IN
        for sort in SORTS
        for is_backward in (False, True)
    },
    **{f"counts, {name}": _counts(make) for name, make in FILTERS.items()},
    "details": _details,
    **{
        f"queue, {name}, {sort.value} first": _queue(wanted, sort, **asked)
        for name, (wanted, asked) in _QUEUES.items()
        for sort in QueueSort
    },
    "health": lambda _: Asked(_health, "/health"),
}
"""Asked of the ledger: the counts of a page are questions of their own."""

ONLY_PAGES: dict[str, str] = {
    "audit": "/audit",
    "audit of one person": "/audit?actor=nobody",
    "audit of one order": f"/audit?number={MOST_ORDERS // 2:09}",
    "reports": "/reports",
    "reports of a number": f"/reports?number={MOST_ORDERS // 2:09}",
}
PAGES: dict[str, Asks] = {
    **{name: asks for name, asks in QUESTIONS.items() if not name.startswith("counts")},
    **{name: lambda _, path=path: Asked(lambda _: None, path) for name, path in ONLY_PAGES.items()},  # type: ignore[misc]
}
"""Asked of the pages over HTTP: each answers with its counts and its menus."""

assert NEWEST_FIRST in SORTS
