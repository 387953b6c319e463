"""All payments of a practice over some days, whoever's they are: asked for a week at a time, by payment date.

How the border of a day is meant is not documented (contract section 5 #15), so each week is asked for with a day more at
both ends, and what lies outside is dropped here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from order_sync.clients.nextech_paging import Params
from order_sync.payments import PaymentEntry, PeriodRead

WINDOW_DAYS = 7
"""A search of so many days stays far below the pages that a search may have, and a retry costs little."""
_DAY = timedelta(days=1)

ReadWindow = Callable[[Params], Iterable[PaymentEntry]]
"""Return every payment that a search finds, proved complete; raise when it cannot be proved."""


def read_period(read: ReadWindow, first_day: date, last_day: date, *, zone: tzinfo, as_of: datetime) -> PeriodRead:
    """Return every payment dated from `first_day` to `last_day` (both included) in `zone`.

    A payment without a readable date is returned too: it may be of these days. Raises `ValueError` for a period that
    ends before it begins, and whatever `read` raises.
    """
    if last_day < first_day:
        msg = "a period ends before it begins"
        raise ValueError(msg)
    entries: dict[str, PaymentEntry] = {}
    for params in _windows(first_day, last_day):
        for entry in read(params):
            if entry.payment_instant is None or first_day <= entry.payment_instant.astimezone(zone).date() <= last_day:
                entries[entry.payment_id] = entry
    return PeriodRead(first_day, last_day, tuple(entries.values()), as_of)


def _windows(first_day: date, last_day: date) -> Iterator[Params]:
    begin = first_day
    while begin <= last_day:
        end = min(begin + (WINDOW_DAYS - 1) * _DAY, last_day)
        yield ("payment-date", f"ge{begin - _DAY}"), ("payment-date", f"lt{end + 2 * _DAY}")
        begin = end + _DAY


def read_changed(read: ReadWindow, since: datetime, until: datetime) -> tuple[PaymentEntry, ...]:
    """Return every payment that was entered or changed in `[since, until)`, whatever its date, a week at a time.

    A row that does not say when it was changed is returned too. Bare days are matched exactly or not at all (contract
    section 5 #16), so each window has a lower and an upper end, and what lies outside is dropped here.
    """
    entries: dict[str, PaymentEntry] = {}
    begin, last = since.astimezone(UTC).date() - _DAY, until.astimezone(UTC).date() + _DAY
    while begin <= last:
        end = begin + WINDOW_DAYS * _DAY
        for entry in read((("_lastUpdated", f"ge{begin}"), ("_lastUpdated", f"lt{end}"))):
            if entry.updated_at is None or since <= entry.updated_at < until:
                entries[entry.payment_id] = entry
        begin = end
    return tuple(entries.values())
