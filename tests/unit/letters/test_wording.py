from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.reasons import Reason
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.reports.wording import (
    age_words,
    count_words,
    day_words,
    moment_words,
    one_line,
    period_words,
    reason_words,
    short_day,
    short_moment,
    span_words,
    state_words,
)
from order_sync.statuses import OrderState


def test_days_are_said_in_words():
    assert day_words(date(2026, 11, 2)) == "Monday, November 2"
    assert day_words(date(2028, 2, 29)) == "Tuesday, February 29"
    assert short_day(date(2026, 11, 8)) == "Sun, Nov 8"


@pytest.mark.parametrize(
    ("period", "words", "with_year"),
    [
        (day_of(date(2026, 11, 2)), "Monday, November 2", "Monday, November 2, 2026"),
        (month_of(date(2026, 2, 10)), "February 2026", "February 2026"),
        (Period(date(2026, 11, 2), date(2026, 11, 8)), "November 2 to November 8", "November 2, 2026 to November 8, 2026"),
        (
            Period(date(2026, 12, 28), date(2027, 1, 3)),
            "December 28, 2026 to January 3, 2027",
            "December 28, 2026 to January 3, 2027",
        ),
    ],
)
def test_a_period_is_said_in_words(period: Period, words: str, with_year: str):
    assert (period_words(period), period_words(period, with_year=True)) == (words, with_year)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("America/New_York", "Sunday, November 1, 2026, 1:30 AM EST"),
        ("America/Phoenix", "Saturday, October 31, 2026, 11:30 PM MST"),
        ("UTC", "Sunday, November 1, 2026, 6:30 AM UTC"),
    ],
)
def test_a_moment_is_said_in_the_practices_own_time(zone: str, words: str):
    assert moment_words(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), ZoneInfo(zone)) == words


def test_noon_and_midnight_are_twelve():
    noon = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    assert moment_words(noon, ZoneInfo("UTC")).endswith("12:00 PM UTC")
    assert moment_words(noon.replace(hour=0), ZoneInfo("UTC")).endswith("12:00 AM UTC")


def test_counts_and_ages_are_said_in_words():
    assert [age_words(days) for days in (None, -1, 0, 1, 12)] == ["", "new", "new", "1 day old", "12 days old"]
    assert [count_words(count, "order") for count in (0, 1, 5000)] == ["0 orders", "1 order", "5,000 orders"]
    assert count_words(2, "entry", "entries") == "2 entries"


@given(st.text(max_size=400))
def test_any_text_comes_out_on_one_line_that_can_be_written(text: str):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert len(line) <= 300
    assert line == line.strip() == one_line(line)
    line.encode()


def test_what_turns_text_around_or_hides_is_left_out():
    assert one_line("a\u202eb\u200bc\x00d\r\ne\u2028f\ud800g") == "abc d e f g"


@pytest.mark.parametrize(
    ("gone_by", "words"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(seconds=-5), "under a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_how_long_something_waits_is_said_in_its_largest_unit(gone_by: timedelta, words: str):
    now = datetime(2026, 11, 2, 20, 5, tzinfo=UTC)
    assert span_words(now - gone_by, now) == words


def test_a_moment_in_a_table_is_the_practices_own():
    assert short_moment(datetime(2026, 11, 3, 0, 5, tzinfo=UTC), ZoneInfo("America/Chicago")) == "Nov 2, 2026, 6:05 PM"


def test_every_state_has_words_of_its_own():
    words = [state_words(state) for state in (None, *OrderState)]
    assert len(set(words)) == len(OrderState) + 1


def test_a_reason_is_said_with_its_detail():
    assert reason_words(Reason.CANNOT_CREATE_ACCOUNT, "birth date missing") == "Cannot create account: birth date missing"
    assert reason_words(None, "patient picked") == "patient picked"
    assert reason_words(None, None) == ""
