"""The period that a report is about: a day, a month, or any run of days of one practice's own calendar."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from order_sync.practices import Practice


class PeriodKind(StrEnum):
    """What a reader calls it."""

    DAY = "day"
    MONTH = "month"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a practice, both ends included: every instant belongs to exactly one day of the practice's own calendar."""

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.last_day < self.first_day:
            msg = f"the period ends ({self.last_day}) before it begins ({self.first_day})"
            raise ValueError(msg)

    @property
    def kind(self) -> PeriodKind:
        """Return what a reader calls it: one day, one calendar month, or neither."""
        if self.first_day == self.last_day:
            return PeriodKind.DAY
        is_month = self.first_day.day == 1 and self.last_day == month_of(self.first_day).last_day
        return PeriodKind.MONTH if is_month else PeriodKind.RANGE

    @property
    def name(self) -> str:
        """Return its short name, as in file names and report ids: "2026-11-02", "2026-11", "2026-11-02_2026-11-08"."""
        match self.kind:
            case PeriodKind.DAY:
                return self.first_day.isoformat()
            case PeriodKind.MONTH:
                return f"{self.first_day:%Y-%m}"
            case PeriodKind.RANGE:
                return f"{self.first_day.isoformat()}_{self.last_day.isoformat()}"

    @property
    def days(self) -> tuple[date, ...]:
        """Return its days in order."""
        return tuple(self.first_day + timedelta(days=number) for number in range((self.last_day - self.first_day).days + 1))

    def contains(self, day: date) -> bool:
        """Say whether a practice-local day is in it."""
        return self.first_day <= day <= self.last_day

    def begins_at(self, practice: Practice) -> datetime:
        """Return the UTC instant at which its first day begins in the practice."""
        return datetime.combine(self.first_day, time.min, practice.zone).astimezone(UTC)

    def cut_off(self, practice: Practice) -> datetime:
        """Return the UTC instant at which its last day ends in the practice: ages are counted up to it, whenever it is run."""
        return datetime.combine(self.last_day + timedelta(days=1), time.min, practice.zone).astimezone(UTC)


def day_of(day: date) -> Period:
    """Return the period of one day."""
    return Period(day, day)


def month_of(day: date) -> Period:
    """Return the calendar month that a day is in."""
    first = day.replace(day=1)
    next_first = (first + timedelta(days=31)).replace(day=1)
    return Period(first, next_first - timedelta(days=1))


def parse_period(text: str) -> Period:
    """Read a period as people write it: "2026-11-02", "2026-11", "2026-11-02/2026-11-08", or as `Period.name` does.

    Raises `ValueError` with one sentence that says what is accepted.
    """
    first, _, last = text.strip().replace("_", "/").partition("/")
    try:
        if not last and len(first) == len("2026-11"):
            return month_of(date.fromisoformat(f"{first}-01"))
        return Period(date.fromisoformat(first), date.fromisoformat(last or first))
    except ValueError:
        msg = f"{text!r} is no period: write a day (2026-11-02), a month (2026-11) or two days (2026-11-02/2026-11-08)"
        raise ValueError(msg) from None


def due_periods(today: date, reported: Collection[Period], *, look_back_days: int) -> tuple[Period, ...]:
    """Return what is to be reported on a practice's own day: days first, then months, the earliest first.

    Every day of the last `look_back_days` that was not `reported`, but none before the first that was: what the machine
    missed because it was off, or what could not be made, is made up for. Every month that ended in these days, and the
    last one in any case. A practice that was never reported gets all of these days.
    """
    known = [period.first_day for period in reported if period.kind is PeriodKind.DAY]
    first = max(today - timedelta(days=look_back_days), min(known, default=date.min))
    days = [day_of(first + timedelta(days=number)) for number in range((today - first).days)]
    months = [month_of(today.replace(day=1) - timedelta(days=1))]
    while months[0].first_day > first:
        months.insert(0, month_of(months[0].first_day - timedelta(days=1)))
    return tuple(period for period in (*days, *months) if period not in reported)
