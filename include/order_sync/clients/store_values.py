"""The values in the store's JSON: numbers, texts, instants and what holds them, read without trust.

What is absent is None or 0; what is there and makes no sense is an `UnreadableError` where it matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]

_FOUR_DECIMALS = Decimal("0.0001")
_LARGEST = Decimal(10) ** 12
_DATE_CHARACTERS = 10
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""What lies outside is a system's way to say that it does not know, and may have no day in a practice's zone."""


class UnreadableError(ValueError):
    """A row that is not what it should be; the text is one of ours and fit for a person."""


def _number(value: object) -> Decimal | None:
    """Return a number quantised to four decimals, or None for what is no number that money can be."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
        return number.quantize(_FOUR_DECIMALS) if abs(number) < _LARGEST else None
    except InvalidOperation:
        return None


def read_money(row: Row, name: str) -> Decimal:
    """Return an amount of a row, 0 when it is absent; raises `UnreadableError` for what is no number."""
    value = row.get(name)
    if value is None or value == "":
        return Decimal(0)
    number = _number(value)
    if number is None:
        msg = f"its {name} is no number"
        raise UnreadableError(msg)
    return number


def read_whole(value: object) -> int | None:
    """Return a whole number, also one that is written as text; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:  # noqa: PLR2004 - 64 bits
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_text(value: object) -> str | None:
    """Return a text without the blanks around it; None for an empty one and for anything else."""
    return (value.strip() or None) if isinstance(value, str) else None


def read_object(value: object) -> Row:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def read_objects(value: object) -> Iterator[Row]:
    """Yield the objects of a list."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            yield entry


def read_day(value: object) -> date | None:
    """Read `customer_dob`: a DATETIME column, cut to its day and never shifted by a zone (store contract section 3)."""
    try:
        return date.fromisoformat(value[:_DATE_CHARACTERS]) if isinstance(value, str) else None
    except ValueError:
        return None


def read_instant(value: object, name: str) -> datetime:
    """Return an instant in UTC; raises `UnreadableError`, which names the column, for what is none."""
    instant = read_instant_or_none(value)
    if instant is None:
        msg = f"its {name} is no instant"
        raise UnreadableError(msg)
    return instant


def read_instant_or_none(value: object) -> datetime | None:
    """Return an instant in UTC: the store writes it without a suffix; None for what is none."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is None or not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
