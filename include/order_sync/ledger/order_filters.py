"""Which orders a list shows, and in which order, as conditions that the ledger's indexes can answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import ColumnElement, TextClause

from order_sync.ledger.columns import table_of
from order_sync.ledger.models import HAS_REASON, IS_NEW_ACCOUNT, IS_NOT_SYNCED, OrderRow
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus

ORDERS = table_of(OrderRow)

Condition: TypeAlias = ColumnElement[bool] | TextClause

_LONGEST_NUMBER = 64
_USUAL_DIGITS = 9
"""The store fills its numbers up with zeros to this length, which nobody types."""
_BEHIND_EVERYTHING = "\U0010ffff"
_MOST_CENTS = 10**15
_FARTHEST_ZONE = timedelta(hours=14)
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(9000, 1, 1)


class SortBy(StrEnum):
    """What a list can be sorted by; the value stands in URLs."""

    PLACED = "placed"
    AMOUNT = "amount"
    NUMBER = "number"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list. Orders without an amount count as smaller than every amount."""

    by: SortBy = SortBy.PLACED
    is_descending: bool = True

    @property
    def name(self) -> str:
        """Return what a cursor calls it."""
        return f"{self.by.value}-{'desc' if self.is_descending else 'asc'}"


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What a list shows; every field that is set narrows it."""

    practice_ids: tuple[str, ...]
    """The practices that the visitor may see, or those among them that were asked for. None: nothing is shown."""
    status: PublicStatus | None = None
    reason: Reason | None = None
    first_day: date | None = None
    """The practice's own day on which an order was placed; both ends belong to the period."""
    last_day: date | None = None
    least_cents: int | None = None
    most_cents: int | None = None
    is_new_account: bool = False
    """Only orders for which we made the account: somebody has to look whether the patient was there before."""
    number: str | None = None
    """The whole number, its beginning, or all of it but the zeros in front."""

    @property
    def has_period(self) -> bool:
        """Say whether it is about some days."""
        return self.first_day is not None or self.last_day is not None

    @property
    def days(self) -> int:
        """Return how many days it is about; very many when one end is open."""
        return ((self.last_day or _LAST_DAY) - (self.first_day or _FIRST_DAY)).days + 1

    @property
    def has_amount(self) -> bool:
        """Say whether it is about some amounts."""
        return self.least_cents is not None or self.most_cents is not None

    @property
    def has_number(self) -> bool:
        """Say whether it is about some numbers."""
        return bool(self.number and self.number.strip())

    def conditions(self, *, is_in_order_of_placing: bool = False) -> list[Condition]:
        """Return the conditions, but those of the practice and of the number."""
        return [
            *self._about_status(),
            *self._about_reason(),
            *self._about_period(),
            *(self._about_placing() if is_in_order_of_placing else ()),
            *self._about_amount(),
            *([IS_NEW_ACCOUNT] if self.is_new_account else []),
        ]

    def number_conditions(self, number: ColumnElement[str]) -> list[tuple[Condition, ...]]:
        """Return the ways in which a number can be meant, none of which holds for an order of another.

        One after the other they have an index, and "or" has none. `number` is the column as it is compared by bytes.
        """
        if not self.has_number:
            return [()]
        wanted = (self.number or "").strip()
        if len(wanted) > _LONGEST_NUMBER or not wanted.isprintable():
            return [(number.is_(None),)]  # no number is; a plain "false" would leave no question to have an index
        begins_so = (number >= wanted, number < wanted + _BEHIND_EVERYTHING)
        padded = wanted.zfill(_USUAL_DIGITS)
        if not (wanted.isascii() and wanted.isdigit()) or padded.startswith(wanted):
            return [begins_so]
        return [begins_so, (number == padded,)]

    def _about_status(self) -> Iterator[Condition]:
        if self.status is not None:
            yield ORDERS.c.public_status == self.status
            if self.status is not PublicStatus.SYNCED:
                yield IS_NOT_SYNCED

    def _about_reason(self) -> Iterator[Condition]:
        if self.reason is not None:
            yield ORDERS.c.reason == self.reason.value
            yield HAS_REASON

    def _about_period(self) -> Iterator[Condition]:
        if self.first_day is not None:
            yield ORDERS.c.business_day >= self.first_day
        if self.last_day is not None:
            yield ORDERS.c.business_day <= self.last_day

    def _about_placing(self) -> Iterator[Condition]:
        """Say the period once more, wider: the instant tells nothing new, but its index has the list's order."""
        if self.first_day is not None:
            yield ORDERS.c.placed_at >= _midnight(self.first_day) - _FARTHEST_ZONE
        if self.last_day is not None:
            yield ORDERS.c.placed_at < _midnight(self.last_day) + timedelta(days=1) + _FARTHEST_ZONE

    def _about_amount(self) -> Iterator[Condition]:
        if self.least_cents is not None:
            yield ORDERS.c.amount_cents >= min(self.least_cents, _MOST_CENTS)
        if self.most_cents is not None:
            yield ORDERS.c.amount_cents <= max(self.most_cents, -_MOST_CENTS)


def _midnight(day: date) -> datetime:
    return datetime.combine(min(max(day, _FIRST_DAY), _LAST_DAY), time(), UTC)
