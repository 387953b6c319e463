"""Periods: which instants are in one, what it is called, and which are to be reported on a morning."""

from __future__ import annotations

from collections.abc import Iterable
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


def due(today: date, reported: Iterable[Period], look_back_days: int = 31) -> list[str]:
    return [period.name for period in due_periods(today, set(reported), look_back_days=look_back_days)]


def days_to(last: date, count: int = 40) -> list[Period]:
    """Return this many days up to one, and the two months before its own, as if all of them had been reported."""
    last_month = month_of(last.replace(day=1) - timedelta(days=1))
    months = [month_of(last_month.first_day - timedelta(days=1)), last_month]
    return [*(day_of(last - timedelta(days=number)) for number in range(count)), *months]


def test_every_morning_yesterday_is_due():
    assert due(date(2026, 11, 22), days_to(date(2026, 11, 20))) == ["2026-11-21"]


def test_the_month_is_due_once_its_last_day_is():
    assert due(date(2026, 12, 1), days_to(date(2026, 11, 29))) == ["2026-11-30", "2026-11"]
    assert due(date(2026, 12, 2), [*days_to(date(2026, 11, 30)), NOVEMBER]) == ["2026-12-01"]


def test_days_that_nobody_reported_are_made_up_for_with_the_month_that_ended_meanwhile():
    assert due(date(2026, 12, 2), days_to(date(2026, 11, 29))) == ["2026-11-30", "2026-12-01", "2026-11"]


def test_a_day_that_could_not_be_made_is_made_up_for_after_later_ones_were():
    reported = {*days_to(date(2026, 11, 21))} - {day_of(date(2026, 11, 18))}
    assert due(date(2026, 11, 22), reported) == ["2026-11-18"]


def test_a_last_day_that_somebody_asked_for_early_does_not_cost_its_month():
    assert due(date(2026, 12, 1), days_to(date(2026, 11, 30))) == ["2026-11"]


def test_a_month_that_ended_while_the_machine_was_off_is_made_up_for_though_another_ended_since():
    periods = due(date(2026, 3, 1), days_to(date(2026, 1, 30)))
    assert periods[0] == "2026-01-31"
    assert periods[-2:] == ["2026-01", "2026-02"]


def test_a_machine_that_was_off_for_long_makes_up_for_the_last_days_and_the_last_month_alone():
    missed = due(date(2026, 11, 22), days_to(date(2026, 9, 20)), look_back_days=3)
    assert missed == ["2026-11-19", "2026-11-20", "2026-11-21", "2026-10"]


def test_a_practice_that_was_never_reported_gets_the_last_days_and_the_last_month():
    assert due(date(2026, 11, 22), [], look_back_days=2) == ["2026-11-20", "2026-11-21", "2026-10"]


def test_nothing_before_the_first_report_of_a_practice_is_due():
    assert due(date(2026, 11, 22), [*days_to(date(2026, 11, 20), count=2), month_of(date(2026, 10, 1))]) == ["2026-11-21"]


def test_nothing_is_due_twice_on_one_day():
    assert due(date(2026, 11, 22), days_to(date(2026, 11, 21))) == []
    assert due(date(2026, 12, 1), [*days_to(date(2026, 11, 30)), NOVEMBER]) == []
