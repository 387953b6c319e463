"""Periods: which instants are in one, what it is called, and which are to be reported on a morning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.reconciliation.periods import Period, PeriodKind, day_of, due_periods, month_of, parse_period
from tests.unit.situations import a_practice

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("written", "period", "kind", "name"),
    [
        ("2026-11-02", day_of(date(2026, 11, 2)), PeriodKind.DAY, "2026-11-02"),
        ("2026-11", NOVEMBER, PeriodKind.MONTH, "2026-11"),
        ("2026-11-01/2026-11-30", NOVEMBER, PeriodKind.MONTH, "2026-11"),
        ("2028-02", Period(date(2028, 2, 1), date(2028, 2, 29)), PeriodKind.MONTH, "2028-02"),
        (" 2026-11-02/2026-11-08 ", Period(date(2026, 11, 2), date(2026, 11, 8)), PeriodKind.RANGE, "2026-11-02_2026-11-08"),
        ("2026-11-02_2026-11-08", Period(date(2026, 11, 2), date(2026, 11, 8)), PeriodKind.RANGE, "2026-11-02_2026-11-08"),
    ],
)
def test_a_period_is_read_as_people_write_it(written: str, period: Period, kind: PeriodKind, name: str):
    assert parse_period(written) == period
    assert (period.kind, period.name) == (kind, name)
    assert parse_period(name) == period


@pytest.mark.parametrize("written", ["", "yesterday", "2026-13", "2026-02-30", "2026-11-08/2026-11-02", "11/2026"])
def test_what_is_no_period_is_refused_with_what_would_be_one(written: str):
    with pytest.raises(ValueError, match=r"write a day \(2026-11-02\), a month"):
        parse_period(written)


def test_a_day_of_the_practice_ends_where_the_next_one_begins_also_when_the_clocks_change():
    eastern = a_practice(time_zone="America/New_York")
    for day in (date(2026, 3, 8), date(2026, 11, 1), date(2028, 2, 29), date(2026, 12, 31)):
        assert day_of(day).cut_off(eastern) == day_of(day + timedelta(days=1)).begins_at(eastern)
    spring, autumn = day_of(date(2026, 3, 8)), day_of(date(2026, 11, 1))
    assert spring.cut_off(eastern) - spring.begins_at(eastern) == timedelta(hours=23)
    assert autumn.cut_off(eastern) - autumn.begins_at(eastern) == timedelta(hours=25)
    assert day_of(date(2026, 11, 2)).cut_off(eastern) == datetime(2026, 11, 3, 5, tzinfo=UTC)


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_a_month_is_the_sum_of_its_days(day: date):
    month = month_of(day)
    assert month.days[0].day == 1
    assert (month.last_day + timedelta(days=1)).day == 1
    assert len(set(month.days)) == len(month.days) == month.last_day.day
    assert day in month.days
    assert all(month.contains(each) for each in month.days)


def test_every_morning_yesterday_is_due():
    assert due_periods(date(2026, 11, 22), date(2026, 11, 20), look_back_days=7) == (day_of(date(2026, 11, 21)),)


def test_the_month_is_due_once_its_last_day_is():
    assert due_periods(date(2026, 12, 1), date(2026, 11, 29), look_back_days=7) == (day_of(date(2026, 11, 30)), NOVEMBER)
    assert due_periods(date(2026, 12, 2), date(2026, 11, 30), look_back_days=7) == (day_of(date(2026, 12, 1)),)


def test_days_that_nobody_reported_are_made_up_for_with_the_month_that_ended_meanwhile():
    periods = due_periods(date(2026, 12, 2), date(2026, 11, 29), look_back_days=7)
    assert periods == (day_of(date(2026, 11, 30)), day_of(date(2026, 12, 1)), NOVEMBER)


def test_a_machine_that_was_off_for_long_makes_up_for_the_last_days_alone():
    assert due_periods(date(2026, 11, 22), date(2026, 10, 1), look_back_days=3)[:3] == tuple(
        day_of(date(2026, 11, number)) for number in (19, 20, 21)
    )


def test_a_practice_that_was_never_reported_gets_the_last_days_and_the_last_month():
    periods = due_periods(date(2026, 11, 22), None, look_back_days=2)
    assert [period.name for period in periods] == ["2026-11-20", "2026-11-21", "2026-10"]


def test_nothing_is_due_twice_on_one_day():
    assert due_periods(date(2026, 11, 22), date(2026, 11, 21), look_back_days=7) == ()
    assert due_periods(date(2026, 12, 1), date(2026, 11, 30), look_back_days=7) == ()
