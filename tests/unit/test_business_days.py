"""Each payment in exactly one business day: at every change of the clocks, every month's end and whatever a clock shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.clients.nextech_wire import read_payment
from order_sync.markers import make_marker, posting_key
from order_sync.posting_rules import Mismatch, Posted, payment_instant, payment_request, read_evidence
from order_sync.practices import Practice
from tests.unit.situations import MARKER_KEY, PATIENT_ID, a_practice, an_entry, an_order

MARKER = make_marker(MARKER_KEY, posting_key(an_order(), a_practice()))
FIRST_YEAR, LAST_YEAR = 2025, 2030
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
)
WITHOUT_CHANGES = {"America/Phoenix", "Pacific/Honolulu"}
PRACTICES = {zone: a_practice(time_zone=zone) for zone in ZONES}
DAYS = [
    date(FIRST_YEAR, 1, 1) + timedelta(days=number)
    for number in range((date(LAST_YEAR + 1, 1, 2) - date(FIRST_YEAR, 1, 1)).days)
]
every_zone = pytest.mark.parametrize("practice", PRACTICES.values(), ids=PRACTICES.keys())
practices = st.sampled_from(list(PRACTICES.values()))
instants = st.datetimes(
    datetime(FIRST_YEAR, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
    datetime(LAST_YEAR, 12, 31, 23, 59, 59),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def begins(day: date, practice: Practice) -> datetime:
    """Return a day's first instant, found by asking for the day and not by arithmetic on midnights."""
    low = datetime.combine(day, time(0), tzinfo=UTC) - DAY
    high = low + 3 * DAY
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        low, high = (low, middle) if practice.business_day(middle) >= day else (middle, high)
    return high


@cache
def changes(zone: str) -> list[datetime]:
    """Return every instant at which a zone's clocks are put forward or back, 2025 to 2030; all of them are whole hours."""
    hours = (datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) + number * HOUR for number in range(24 * len(DAYS)))
    shown = ((hour, hour.astimezone(ZoneInfo(zone)).utcoffset()) for hour in hours)
    return [hour for (_, before), (hour, after) in pairwise(shown) if before != after]


def remarkable_days() -> list[date]:
    """Return the first and last days of every month, with 29 February, and the days around them."""
    firsts = [date(year, month, 1) for year in range(FIRST_YEAR, LAST_YEAR + 1) for month in range(1, 13)]
    around = {first + timedelta(days=shift) for first in (*firsts, date(LAST_YEAR + 1, 1, 1)) for shift in (-2, -1, 0, 1)}
    return sorted(day for day in around if DAYS[0] <= day <= DAYS[-1])


@every_zone
def test_the_clocks_change_when_the_law_says(practice: Practice) -> None:
    """Or the tests below would look at the wrong instants: second Sunday of March, first of November, 2 o'clock local."""
    found = changes(practice.time_zone)
    if practice.time_zone in WITHOUT_CHANGES:
        assert found == []
        return
    assert len(found) == 2 * (LAST_YEAR - FIRST_YEAR + 1)
    for spring, autumn in zip(found[::2], found[1::2], strict=True):
        before, after = ((instant - HOUR / 3600).astimezone(practice.zone) for instant in (spring, autumn))
        assert (before.month, before.weekday(), before.hour, (before.day - 1) // 7) == (3, 6, 1, 1)
        assert (after.month, after.weekday(), after.hour, (after.day - 1) // 7) == (11, 6, 1, 0)


@every_zone
def test_every_second_around_a_change_of_the_clocks_has_one_day_and_days_never_step_back(practice: Practice) -> None:
    for change in changes(practice.time_zone):
        local_day = practice.business_day(change)
        begin, end = begins(local_day, practice), begins(local_day + DAY, practice)
        assert end - begin in (23 * HOUR, 25 * HOUR)
        around = [
            moment + timedelta(seconds=second)
            for moment in (change, begin, end, change - HOUR, change + HOUR)
            for second in range(-120, 121)
        ]
        days = [practice.business_day(instant) for instant in sorted(around)]
        assert days == sorted(days)
        assert set(days) == {local_day - DAY, local_day, local_day + DAY}


@every_zone
def test_days_follow_each_other_without_a_gap_or_an_overlap(practice: Practice) -> None:
    """A day ends at the very instant at which the next one begins, and a payment of that instant is the next one's."""
    for day in {*remarkable_days(), *(practice.business_day(change) for change in changes(practice.time_zone))}:
        begin, end = begins(day, practice), begins(day + DAY, practice)
        tick = timedelta(microseconds=1)
        assert practice.business_day(begin - tick) == day - DAY
        assert practice.business_day(begin) == practice.business_day(end - tick) == day
        assert practice.business_day(end) == day + DAY
        assert begin.astimezone(practice.zone).time() == time(0)


@every_zone
def test_six_years_of_payments_every_quarter_of_an_hour_fill_every_day_once(practice: Practice) -> None:
    first, end = begins(DAYS[0], practice), begins(DAYS[-1] + DAY, practice)
    changing = {practice.business_day(change): change for change in changes(practice.time_zone)}
    counts: dict[date, int] = {}
    instant = first
    while instant < end:
        day = practice.business_day(instant)
        counts[day] = counts.get(day, 0) + 1
        instant += HOUR / 4
    assert list(counts) == DAYS
    assert {day for day, count in counts.items() if count != 96} == set(changing)
    assert {counts[day] for day in changing} == ({92, 100} if changing else set())


@every_zone
def test_noon_reads_back_as_the_same_day_in_the_practice_and_in_utc(practice: Practice) -> None:
    """Nextech may cut the date to the day in UTC or in the practice's own zone (Nextech contract section 5 #14)."""
    for day in DAYS:
        noon = payment_instant(day, practice)
        assert noon.utcoffset() == timedelta(0)
        assert practice.business_day(noon) == noon.date() == day
        assert noon.astimezone(practice.zone).time() == time(12)


def shown(instant: datetime, practice: Practice, reading: str) -> str:
    """Return the date as Nextech gives it back, under one reading of contract section 5 #14."""
    match reading:
        case "as sent":
            return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "midnight of the practice":
            midnight = datetime.combine(instant.astimezone(practice.zone).date(), time(0), tzinfo=practice.zone)
            return midnight.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        case "midnight of the practice, with its offset":
            return datetime.combine(instant.astimezone(practice.zone).date(), time(0), tzinfo=practice.zone).isoformat()
        case _:
            return instant.date().isoformat()


READINGS = ("as sent", "midnight of the practice", "midnight of the practice, with its offset", "bare day")


@every_zone
@pytest.mark.parametrize("reading", READINGS)
def test_a_payment_is_found_again_on_its_day_whatever_nextech_makes_of_the_date(practice: Practice, reading: str) -> None:
    for day in {*remarkable_days(), *(practice.business_day(change) for change in changes(practice.time_zone))}:
        order = an_order(placed_at=begins(day + DAY, practice) - timedelta(seconds=1))
        request = payment_request(order, practice, PATIENT_ID, MARKER)
        assert request.business_day == day
        date_shown = shown(request.payment_instant, practice, reading)
        verdict = evidence(practice, request.business_day, date_shown)
        assert isinstance(verdict, Posted), (day, date_shown)
        for other in (day - DAY, day + DAY):
            assert isinstance(evidence(practice, other, date_shown), Mismatch)


@every_zone
def test_a_date_that_nextech_keeps_as_midnight_in_utc_is_told_and_not_taken_for_right(practice: Practice) -> None:
    """The practice would see the day before: a person must hear of it, and nothing may be posted again."""
    for day in remarkable_days():
        assert evidence(practice, day, f"{day}T00:00:00Z") == Mismatch("88213", ("day",))


def evidence(practice: Practice, business_day: date, date_shown: str) -> object:
    row = read_payment(
        {
            "id": "88213",
            "status": "active",
            "total": {"value": 1},
            "extension": [{"url": "payment-date", "valueDateTime": date_shown}],
        }
    )
    entry = an_entry(note=f"{MARKER} #000004127", payment_instant=row.payment_instant)
    return read_evidence(
        marker=MARKER,
        amount_cents=12210,
        business_day=business_day,
        patient_id=PATIENT_ID,
        entries=[entry],
        practice=practice,
    )


@given(practice=practices, instant=instants, skew=st.timedeltas(-DAY, DAY))
def test_a_wrong_clock_moves_no_payment_to_another_day(practice: Practice, instant: datetime, skew: timedelta) -> None:
    """The day is the store's word on when the order was placed; neither clock that shows something else has a say."""
    order = an_order(placed_at=instant)
    late = an_order(placed_at=instant, updated_at=instant + skew)
    request, again = (payment_request(one, practice, PATIENT_ID, MARKER) for one in (order, late))
    assert request == again
    assert request.business_day == instant.astimezone(ZoneInfo(practice.time_zone)).date()


@given(practice=practices, placed=instants, skew=st.timedeltas(-DAY, DAY))
def test_a_store_whose_clock_is_wrong_still_puts_each_payment_into_one_day(
    practice: Practice, placed: datetime, skew: timedelta
) -> None:
    """A clock that is a day wrong shifts a payment by at most the days between; it never loses or doubles it."""
    said = placed + skew
    day = practice.business_day(said)
    assert begins(day, practice) <= said < begins(day + DAY, practice)
    # A day of 23 hours lies between two others in less than 24.
    assert abs((day - practice.business_day(placed)).days) <= (2 if abs(skew) > 23 * HOUR else 1)


@given(practice=practices, first=instants, second=instants)
def test_days_keep_the_order_of_the_instants(practice: Practice, first: datetime, second: datetime) -> None:
    early, late = sorted((first, second))
    assert practice.business_day(early) <= practice.business_day(late)


@given(practice=practices, instant=instants, offset_hours=st.integers(-12, 14))
def test_the_day_depends_on_the_instant_and_not_on_how_it_is_written(
    practice: Practice, instant: datetime, offset_hours: int
) -> None:
    written = instant.astimezone(ZoneInfo(f"Etc/GMT{-offset_hours:+d}"))
    assert practice.business_day(written) == practice.business_day(instant)


@given(practice=practices, payments=st.lists(instants, max_size=60))
def test_any_payments_are_divided_among_the_days_whole_and_once(practice: Practice, payments: list[datetime]) -> None:
    days = {practice.business_day(payment) for payment in payments}
    bounds = {day: (begins(day, practice), begins(day + DAY, practice)) for day in days}
    for payment in payments:
        assert sum(begin <= payment < end for begin, end in bounds.values()) == 1
