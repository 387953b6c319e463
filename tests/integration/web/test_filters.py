"""What an address asks the list of orders for: read strictly, and written in one form."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from order_sync.ledger.order_filters import Sort, SortBy
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus
from order_sync.web.filters import NAMES, NamedPeriod, Wanted, read_wanted
from tests.desks import demo_practices
from tests.houses import SmallHouse, browser_of

PRACTICES = ("eastern", "central", "arizona")


def wanted_by(query: str) -> Wanted:
    return read_wanted(QueryParams(query), PRACTICES)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(number="E-12 x", status=PublicStatus.NOT_SYNCED, reason=Reason.NAME_DIFFERS, practice_id="central"),
        Wanted(period=NamedPeriod.LAST_7_DAYS, is_new_account=True, sort=Sort(SortBy.AMOUNT, is_descending=False)),
        Wanted(first_day=date(2026, 11, 1), last_day=date(2026, 11, 30), least_cents=0, most_cents=123_450),
    ],
    ids=["nothing", "words", "choices", "spans"],
)
def test_an_address_asks_for_what_it_was_written_for(wanted: Wanted) -> None:
    read = wanted_by(wanted.query().removeprefix("?"))
    assert read == wanted
    assert read.problems == ()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=synced-ish", "The status cannot be read."),
        ("reason=because", "The reason cannot be read."),
        ("reason=refund_to_record", "The reason cannot be read."),
        ("practice=western", "The practice cannot be read."),
        ("period=tomorrow", "The period cannot be read."),
        ("from=2026-13-01", "The first day cannot be read."),
        ("to=yesterday", "The last day cannot be read."),
        ("least=twelve", "The smallest amount cannot be read."),
        ("least=1e9", "The smallest amount cannot be read."),
        ("most=-3", "The largest amount cannot be read."),
        ("most=1.234", "The largest amount cannot be read."),
        ("most=1,23", "The largest amount cannot be read."),
        ("new=perhaps", "New accounts cannot be read."),
        ("sort=name", "The order of the list cannot be read."),
        ("number=%00", "The order number cannot be read."),
        (f"number={'9' * 65}", "The order number cannot be read."),
        ("columns=number.password", "A column is not known."),
        ("status=synced&status=disabled", "The status is there more than once."),
        ("least=9&most=3", "The smallest amount is larger than the largest one."),
        ("from=2026-11-02&to=2026-11-01", "The first day is later than the last one."),
        (f"cursor={'A' * 601}", "The place in the list cannot be read."),
    ],
)
def test_what_cannot_be_read_is_left_out_and_said(house: SmallHouse, query: str, sentence: str) -> None:
    assert sentence in wanted_by(query).problems
    browser = browser_of(house)
    shown = browser.get(f"/?{query}")
    assert shown.status_code == 200
    assert sentence in shown.text
    file = browser.get(f"/orders.csv?{query}")
    assert file.status_code == 400, "a file without a filter that was asked for would be wrong, and nobody would see it"
    assert sentence in file.text


@pytest.mark.parametrize(("typed", "amount_cents"), [("12", 1200), ("12.5", 1250), ("$1,234.50", 123_450), (" 0.01 ", 1)])
def test_amounts_are_read_as_people_type_them(typed: str, amount_cents: int) -> None:
    read = read_wanted(QueryParams({"least": typed}), PRACTICES)
    assert (read.least_cents, read.problems) == (amount_cents, ())


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (NamedPeriod.TODAY, (date(2026, 11, 18), date(2026, 11, 18))),
        (NamedPeriod.YESTERDAY, (date(2026, 11, 17), date(2026, 11, 17))),
        (NamedPeriod.LAST_7_DAYS, (date(2026, 11, 12), date(2026, 11, 18))),
        (NamedPeriod.LAST_30_DAYS, (date(2026, 10, 20), date(2026, 11, 18))),
        (NamedPeriod.THIS_MONTH, (date(2026, 11, 1), date(2026, 11, 18))),
    ],
)
def test_a_named_period_counts_the_practices_own_days(house: SmallHouse, period: NamedPeriod, days: tuple[date, date]) -> None:
    evening = datetime(2026, 11, 19, 1, 30, tzinfo=UTC)  # half past eight on the 18th in New York
    asked = Wanted(period=period, practice_id="eastern").filter_for(house.all_practices, evening)
    assert (asked.first_day, asked.last_day) == days
    assert asked.practice_ids == ("eastern",)


def test_today_is_the_day_of_each_practice_that_is_shown(house: SmallHouse) -> None:
    past_midnight_in_new_york = datetime(2026, 11, 19, 5, 30, tzinfo=UTC)
    asked = Wanted(period=NamedPeriod.TODAY).filter_for(house.all_practices, past_midnight_in_new_york)
    assert (asked.first_day, asked.last_day) == (date(2026, 11, 18), date(2026, 11, 19))


def test_days_beside_a_named_period_narrow_it(house: SmallHouse) -> None:
    now = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    asked = Wanted(period=NamedPeriod.LAST_7_DAYS, first_day=date(2026, 11, 15)).filter_for(house.all_practices, now)
    assert (asked.first_day, asked.last_day) == (date(2026, 11, 15), date(2026, 11, 18))


_VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["1", "-amount", "not-synced", "eastern", "2026-11-02", "0001-01-01", "9999-12-31", "999999999999.99"]),
)


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "other"]), _VALUES), max_size=8))
def test_whatever_an_address_says_it_asks_for_something_and_says_it_again(pairs: list[tuple[str, str]]) -> None:
    read = read_wanted(QueryParams(pairs), PRACTICES)
    asked = read.filter_for(demo_practices(), datetime(2026, 11, 18, 17, 0, tzinfo=UTC))
    assert set(asked.practice_ids) <= set(PRACTICES)
    again = read_wanted(QueryParams(read.query().removeprefix("?")), PRACTICES)
    assert again == read
