"""Days, ages, counts and foreign text in words: English whatever the machine's locale, and always on one line."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

from order_sync import reasons
from order_sync.reasons import Reason
from order_sync.reconciliation.periods import Period, PeriodKind
from order_sync.statuses import OrderState

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_STATES = {
    OrderState.RECEIVED: "due",
    OrderState.WAITING: "not due yet",
    OrderState.CREATING: "new account asked for",
    OrderState.MATCHED: "patient known",
    OrderState.INTENT: "being posted",
    OrderState.UNKNOWN: "outcome being looked for",
    OrderState.CONFIRMED: "posted",
    OrderState.QUEUED: "needs a person",
    OrderState.NOTHING_TO_POST: "nothing to post",
    OrderState.DISABLED: "disabled",
    OrderState.CLOSED: "closed without posting",
    OrderState.CLOSED_VOIDED: "voided in Nextech",
}
_LONGEST_TEXT = 300
"""Characters of a text that came from elsewhere; longer ones are cut, so that none can push a letter out of shape."""


def one_line(text: str, *, longest: int = _LONGEST_TEXT) -> str:
    """Return a text that came from elsewhere on one line, without control, direction and half characters, and cut to length."""
    if len(text) <= longest and text.isprintable() and "  " not in text and text == text.strip():
        return text
    visible = "".join(
        "" if category == "Cf" else " " if category[0] in "CZ" else character
        for character in text
        for category in (unicodedata.category(character),)
    )
    line = " ".join(visible.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def day_words(day: date) -> str:
    """Return "Monday, November 2"."""
    return f"{_WEEKDAYS[day.weekday()]}, {_MONTHS[day.month - 1]} {day.day}"


def short_day(day: date) -> str:
    """Return "Mon, Nov 2", for the rows of a table."""
    return f"{_WEEKDAYS[day.weekday()][:3]}, {_MONTHS[day.month - 1][:3]} {day.day}"


def moment_words(instant: datetime, zone: ZoneInfo) -> str:
    """Return "Monday, November 2, 2026, 3:05 PM EST", in the practice's zone."""
    local = instant.astimezone(zone)
    hour = local.hour % 12 or 12
    half = "AM" if local.hour < 12 else "PM"  # noqa: PLR2004 - noon
    return f"{day_words(local.date())}, {local.year}, {hour}:{local.minute:02d} {half} {local.tzname()}"


def short_moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return "Nov 2, 2026, 3:05 PM", in the practice's zone, for the rows of a table."""
    local = instant.astimezone(zone)
    half = "AM" if local.hour < 12 else "PM"  # noqa: PLR2004 - noon
    return f"{_MONTHS[local.month - 1][:3]} {local.day}, {local.year}, {local.hour % 12 or 12}:{local.minute:02d} {half}"


def span_words(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit: "under a minute", "12 min", "5 h", "3 days"."""
    minutes = int((now - since).total_seconds()) // 60
    if minutes < 1:
        return "under a minute"
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else count_words(hours // 24, "day")  # noqa: PLR2004 - two days


def period_words(period: Period, *, with_year: bool = False) -> str:
    """Return "Monday, November 2" for a day, "November 2026" for a month, "November 2 to November 8" for anything else."""
    first, last = period.first_day, period.last_day
    match period.kind:
        case PeriodKind.DAY:
            return f"{day_words(first)}, {first.year}" if with_year else day_words(first)
        case PeriodKind.MONTH:
            return f"{_MONTHS[first.month - 1]} {first.year}"
        case PeriodKind.RANGE:
            years = (f", {first.year}", f", {last.year}") if with_year or first.year != last.year else ("", "")
            return f"{_MONTHS[first.month - 1]} {first.day}{years[0]} to {_MONTHS[last.month - 1]} {last.day}{years[1]}"


def state_words(state: str | None) -> str:
    """Return where an order stands as staff would say it: "needs a person"; "new" for what comes before the first state."""
    return _STATES[OrderState(state)] if state else "new"


def reason_words(reason: str | None, detail: str | None) -> str:
    """Return a reason's code and its detail as one sentence; the detail alone where there is no reason."""
    return reasons.sentence(Reason(reason), detail) if reason else (detail or "")


def count_words(count: int, one: str, many: str | None = None) -> str:
    """Return "1 order", "2 orders", "5,000 orders"."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def age_words(age_days: int | None) -> str:
    """Return "new", "1 day old", "12 days old"; nothing where no age is known."""
    if age_days is None:
        return ""
    return "new" if age_days <= 0 else f"{count_words(age_days, 'day')} old"
