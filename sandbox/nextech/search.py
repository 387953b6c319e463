"""What a search means: strings by their beginning, dates by interval, OR by comma, AND by repetition (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from functools import lru_cache
from typing import Generic, TypeVar

from sandbox.nextech.exchange import RefusedError
from sandbox.nextech.switches import NextechSwitches

Row = TypeVar("Row")
Test = Callable[[Row], bool]

_OPERATORS = ("gt", "ge", "lt", "le", "eq", "ne")


class Kind(Enum):
    """How a field is compared."""

    STRING = auto()
    PHONE = auto()
    TOKEN = auto()
    """Equal without regard to case: ids, GUIDs, status codes."""
    REFERENCE = auto()
    """A token that may be written `Patient/x`."""
    NUMBER = auto()
    DATE = auto()
    UPDATED = auto()


@dataclass(frozen=True, slots=True)
class SearchField(Generic[Row]):
    """One search parameter of a resource."""

    kind: Kind
    values: Callable[[Row], Iterable[str | datetime | Decimal]]
    zone: tzinfo | None = None
    """Where a bare date's day begins when it is not up to the switch: UTC for a birth date."""


@dataclass(frozen=True, slots=True)
class SearchRules:
    """The switches and the zone that the meaning of a parameter hangs on."""

    switches: NextechSwitches
    zone: tzinfo

    @property
    def day_zone(self) -> tzinfo:
        """Return the zone in which a named day begins (section 5 #15)."""
        return self.zone if self.switches.search_day == "local" else UTC


def compiled(name: str, raw: str, field: SearchField[Row], rules: SearchRules) -> Test[Row]:
    """Turn one parameter into a test of a row; raise `RefusedError` 400 when it makes no sense."""
    _, _, modifier = name.partition(":")
    if field.kind in {Kind.DATE, Kind.UPDATED}:
        return _date_test(raw, field, rules)
    choices = [part.strip().casefold() for part in raw.split(",") if part.strip()]
    if field.kind is Kind.NUMBER:
        return _number_test(choices, field)
    if field.kind in {Kind.TOKEN, Kind.REFERENCE}:
        wanted = frozenset(part.rpartition("/")[2] if field.kind is Kind.REFERENCE else part for part in choices)
        return lambda row: any(str(value).casefold() in wanted for value in field.values(row))
    if field.kind is Kind.PHONE and rules.switches.phone_comparison == "digits":
        choices = [digits for part in choices if (digits := _digits(part))]
        return _string_test(choices, _modifier(modifier, rules), lambda row: map(_digits, map(str, field.values(row))))
    return _string_test(
        choices, _modifier(modifier, rules), lambda row: (str(value).strip().casefold() for value in field.values(row))
    )


def _modifier(modifier: str, rules: SearchRules) -> str:
    if not modifier or rules.switches.modifiers == "ignored":
        return ""
    if rules.switches.modifiers == "rejected" or modifier not in {"exact", "contains"}:
        raise RefusedError(400, "The modifier is not supported.")
    return modifier


def _string_test(choices: Sequence[str], modifier: str, values: Callable[[Row], Iterable[str]]) -> Test[Row]:
    if modifier == "exact":
        wanted = frozenset(choices)
        return lambda row: any(value in wanted for value in values(row))
    if modifier == "contains":
        return lambda row: any(part in value for value in values(row) for part in choices)
    beginnings = tuple(choices)
    return lambda row: any(value.startswith(beginnings) for value in values(row))


@lru_cache(maxsize=65_536)
def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _operator(raw: str) -> tuple[str, str]:
    return (raw[:2], raw[2:]) if raw[:2] in _OPERATORS else ("eq", raw)


def _number_test(choices: Sequence[str], field: SearchField[Row]) -> Test[Row]:
    bounds: list[tuple[str, Decimal]] = []
    for choice in choices:
        operator, text = _operator(choice)
        try:
            bounds.append((operator, Decimal(text)))
        except InvalidOperation as error:
            raise RefusedError(400, "A number was expected.") from error

    def is_hit(row: Row) -> bool:
        return any(
            isinstance(value, Decimal) and _compares(value, operator, bound, bound)
            for value in field.values(row)
            for operator, bound in bounds
        )

    return is_hit


Comparable = TypeVar("Comparable", Decimal, datetime)


def _compares(value: Comparable, operator: str, begin: Comparable, end: Comparable) -> bool:
    """Compare with the closed interval from `begin` to `end`."""
    return {
        "eq": begin <= value <= end,
        "ne": not begin <= value <= end,
        "gt": value > end,
        "ge": value >= begin,
        "lt": value < begin,
        "le": value <= end,
    }[operator]


def _date_test(raw: str, field: SearchField[Row], rules: SearchRules) -> Test[Row]:
    if "," in raw:
        raise RefusedError(400, "A date field takes one value.")
    operator, text = _operator(raw.strip())
    begin, end = _interval(text, field.zone or rules.day_zone)
    if field.kind is Kind.UPDATED and operator == "eq" and rules.switches.last_updated_day == "since":
        operator = "ge"

    def is_hit(row: Row) -> bool:
        return any(isinstance(value, datetime) and _compares(value, operator, begin, end) for value in field.values(row))

    return is_hit


def _interval(text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first and the last instant that a date or a dateTime stands for."""
    try:
        if len(text) == len("2026-01-05"):
            day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day without a zone
            begin = datetime.combine(day, time.min, tzinfo=zone)
            end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
            return begin.astimezone(UTC), end.astimezone(UTC) - timedelta(microseconds=1)
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(400, "A date or a dateTime was expected.") from error
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    width = timedelta(0) if "." in text else timedelta(microseconds=999_999)
    return instant, instant + width
