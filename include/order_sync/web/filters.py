"""What an address asks the list of orders for: read strictly, written in one form, shared by the page, its file and the API.

What cannot be read is never guessed: it is left out and named, and whoever answers decides whether to go on without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from order_sync.ledger.order_counts import REASONS_OF_ORDERS
from order_sync.ledger.order_filters import OrderFilter, Sort, SortBy
from order_sync.ledger.order_lists import NEWEST_FIRST
from order_sync.money import AmountError, cents, decimal_text
from order_sync.practices import Practice
from order_sync.reasons import Reason, sentence
from order_sync.reports.wording import short_day
from order_sync.statuses import PublicStatus
from order_sync.web.order_columns import Column, columns_named, is_column

T = TypeVar("T")

STATUS_WORDS = {status.value.casefold().replace(" ", "-"): status for status in PublicStatus}
"""The statuses as they stand in an address, and as classes of the style sheet."""
_WORD_OF_STATUS = {status: word for word, status in STATUS_WORDS.items()}
_LONGEST_NUMBER = 64
_LONGEST_CURSOR = 600
_AMOUNT = re.compile(r"\$?\s?(\d{1,3}(?:,\d{3})+|\d{1,12})(\.\d{1,2})?", re.ASCII)
_YES = frozenset({"1", "true", "on", "yes"})
_NO = frozenset({"0", "false", "off", "no"})
FILTER_NAMES = ("number", "status", "reason", "practice", "period", "from", "to", "least", "most", "new")
NAMES = (*FILTER_NAMES, "sort", "columns", "cursor")
"""What an address may ask for; anything else in it is passed over."""


class NamedPeriod(StrEnum):
    """A period that moves with the day; the value stands in addresses."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last-7-days"
    LAST_30_DAYS = "last-30-days"
    THIS_MONTH = "this-month"

    @property
    def text(self) -> str:
        """Return what a list of choices says."""
        return self.value.replace("-", " ").capitalize()

    def days(self, today: date) -> tuple[date, date]:
        """Return its first and last day, seen from one."""
        match self:
            case NamedPeriod.TODAY:
                return today, today
            case NamedPeriod.YESTERDAY:
                return today - timedelta(days=1), today - timedelta(days=1)
            case NamedPeriod.LAST_7_DAYS:
                return today - timedelta(days=6), today
            case NamedPeriod.LAST_30_DAYS:
                return today - timedelta(days=29), today
            case NamedPeriod.THIS_MONTH:
                return today.replace(day=1), today


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for. None, "" and False ask for nothing."""

    number: str = ""
    status: PublicStatus | None = None
    reason: Reason | None = None
    practice_id: str | None = None
    period: NamedPeriod | None = None
    first_day: date | None = None
    last_day: date | None = None
    """Beside a named period they narrow it further."""
    least_cents: int | None = None
    most_cents: int | None = None
    is_new_account: bool = False
    sort: Sort = NEWEST_FIRST
    columns: tuple[Column, ...] | None = None
    """None: the usual ones."""
    cursor: str = ""
    problems: tuple[str, ...] = field(default=(), compare=False)
    """What could not be read, as sentences."""

    @property
    def is_narrowed(self) -> bool:
        """Say whether any filter is set."""
        return replace(self, sort=NEWEST_FIRST, columns=None, cursor="") != Wanted()

    def filter_for(self, practices: Mapping[str, Practice], now: datetime) -> OrderFilter:
        """Return what the ledger is asked: never more than these practices, in days of their own.

        Where practices of several time zones are shown, a named period holds the day of each of them.
        """
        shown = [practice for practice in practices.values() if self.practice_id in (None, practice.id)]
        first_day, last_day = self.first_day, self.last_day
        if self.period and shown:
            each = [self.period.days(practice.business_day(now)) for practice in shown]
            first_day = max(day for day in (first_day, min(first for first, _ in each)) if day)
            last_day = min(day for day in (last_day, max(last for _, last in each)) if day)
        return OrderFilter(
            practice_ids=tuple(practice.id for practice in shown),
            status=self.status,
            reason=self.reason,
            first_day=first_day,
            last_day=last_day,
            least_cents=self.least_cents,
            most_cents=self.most_cents,
            is_new_account=self.is_new_account,
            number=self.number or None,
        )

    def query(self) -> str:
        """Return the one query that asks for this, with a question mark where there is anything to ask."""
        pairs = [(name, value) for name, value in self.values().items() if value]
        return f"?{urlencode(pairs)}" if pairs else ""

    def values(self) -> dict[str, str]:
        """Return what stands in the address, by name; nothing is ""."""
        return {
            "number": self.number,
            "status": _WORD_OF_STATUS[self.status] if self.status else "",
            "reason": self.reason.value if self.reason else "",
            "practice": self.practice_id or "",
            "period": self.period.value if self.period else "",
            "from": self.first_day.isoformat() if self.first_day else "",
            "to": self.last_day.isoformat() if self.last_day else "",
            "least": _amount_text(self.least_cents),
            "most": _amount_text(self.most_cents),
            "new": "1" if self.is_new_account else "",
            "sort": "" if self.sort == NEWEST_FIRST else f"{'-' if self.sort.is_descending else ''}{self.sort.by.value}",
            "columns": "" if self.columns is None else ".".join(column.name for column in self.columns),
            "cursor": self.cursor,
        }

    def but(self, **changes: object) -> Wanted:
        """Return the same with changes, from its first page on."""
        return replace(self, **{"cursor": "", "problems": (), **changes})  # type: ignore[arg-type]


def read_wanted(params: QueryParams, practices: Collection[str]) -> Wanted:
    """Read what an address asks for; `practices` are the ids that the visitor may see.

    What cannot be read is left out, and a sentence of `problems` says so. A practice that is closed to the visitor is
    not known, like one that does not exist.
    """
    reader = _Reader(params)
    least = reader.read("least", "the smallest amount", _cents)
    most = reader.read("most", "the largest amount", _cents)
    first = reader.read("from", "the first day", date.fromisoformat)
    last = reader.read("to", "the last day", date.fromisoformat)
    if least is not None and most is not None and least > most:
        reader.problems.append("The smallest amount is larger than the largest one.")
    if first is not None and last is not None and first > last:
        reader.problems.append("The first day is later than the last one.")
    return Wanted(
        number=reader.read("number", "the order number", _number) or "",
        status=reader.read("status", "the status", lambda text: STATUS_WORDS[text.casefold().replace(" ", "-")]),
        reason=reader.read("reason", "the reason", _reason),
        practice_id=reader.read("practice", "the practice", lambda text: _one_of(text, practices)),
        period=reader.read("period", "the period", NamedPeriod),
        first_day=first,
        last_day=last,
        least_cents=least,
        most_cents=most,
        is_new_account=reader.read("new", "new accounts", _is_yes) or False,
        sort=reader.read("sort", "the order of the list", _sort) or NEWEST_FIRST,
        columns=reader.read_columns(),
        cursor=reader.read("cursor", "the place in the list", _cursor) or "",
        problems=tuple(reader.problems),
    )


def is_in_one_form(params: QueryParams) -> bool:
    """Say whether an address is as ours are: without the empty fields and the repeated columns that a form sends."""
    return len(params.getlist("columns")) < 2 and all(params[name] for name in NAMES if name in params)  # noqa: PLR2004


class _Reader:
    """Read one parameter after another, and keep what was wrong."""

    def __init__(self, params: QueryParams) -> None:
        self._params = params
        self.problems: list[str] = []

    def read(self, name: str, what: str, reading: Callable[[str], T]) -> T | None:
        given = {text.strip() for text in self._params.getlist(name)} - {""}
        if not given:
            return None
        if len(given) > 1:
            self.problems.append(f"{what.capitalize()} is there more than once.")
            return None
        try:
            return reading(given.pop())
        except (ValueError, KeyError, OverflowError):
            self.problems.append(f"{what.capitalize()} cannot be read.")
            return None

    def read_columns(self) -> tuple[Column, ...] | None:
        """Read the columns: a form sends one name for each box that is ticked, an address of ours all of them in one."""
        names = [name for text in self._params.getlist("columns") for name in text.split(".") if name]
        if not all(map(is_column, names)):
            self.problems.append("A column is not known.")
        return columns_named(names) if names else None


def _number(text: str) -> str:
    number = text.removeprefix("#").strip()
    if len(number) > _LONGEST_NUMBER or not number.isprintable():
        raise ValueError
    return number


def _reason(text: str) -> Reason:
    reason = Reason(text)
    if reason not in REASONS_OF_ORDERS:
        raise ValueError
    return reason


def _one_of(text: str, known: Collection[str]) -> str:
    if text not in known:
        raise ValueError
    return text


def _cents(text: str) -> int:
    """Read "12", "12.50", "$1,234.50": as people type it, and nothing that could mean two things."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError
    try:
        return cents(Decimal(match[1].replace(",", "") + (match[2] or "")))
    except (AmountError, InvalidOperation) as error:
        raise ValueError from error


def _amount_text(amount_cents: int | None) -> str:
    return "" if amount_cents is None else decimal_text(amount_cents)


def _is_yes(text: str) -> bool:
    if text.casefold() in _NO:
        return False
    if text.casefold() not in _YES:
        raise ValueError
    return True


def _sort(text: str) -> Sort:
    return Sort(SortBy(text.removeprefix("-")), is_descending=text.startswith("-"))


def _cursor(text: str) -> str:
    if len(text) > _LONGEST_CURSOR or not text.isascii():
        raise ValueError
    return text


def filter_words(wanted: Wanted, practices: Mapping[str, Practice]) -> list[tuple[str, Wanted]]:
    """Return each filter that is set in words, with what remains without it."""
    practice = practices.get(wanted.practice_id or "")
    words = (
        (wanted.number and f"number {wanted.number}…", {"number": ""}),
        (wanted.status and wanted.status.value, {"status": None}),
        (wanted.reason and sentence(wanted.reason), {"reason": None}),
        (practice and practice.name, {"practice_id": None}),
        (wanted.period and wanted.period.text.casefold(), {"period": None}),
        (wanted.first_day and f"from {short_day(wanted.first_day)}, {wanted.first_day.year}", {"first_day": None}),
        (wanted.last_day and f"to {short_day(wanted.last_day)}, {wanted.last_day.year}", {"last_day": None}),
        (_said_cents("at least", wanted.least_cents), {"least_cents": None}),
        (_said_cents("at most", wanted.most_cents), {"most_cents": None}),
        (wanted.is_new_account and "new accounts", {"is_new_account": False}),
    )
    return [(text, wanted.but(**change)) for text, change in words if text]


def _said_cents(what: str, amount_cents: int | None) -> str:
    return "" if amount_cents is None else f"{what} {decimal_text(amount_cents)}"
