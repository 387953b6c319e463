"""The list of orders: what each filter shows, in every order, page by page in both directions."""

from __future__ import annotations

import itertools
import random
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.exc import InternalError, OperationalError

from order_sync.ledger.cursors import CursorError
from order_sync.ledger.models import OrderRow
from order_sync.ledger.order_counts import Count, count_orders, counts_by_reason, counts_by_status
from order_sync.ledger.order_filters import OrderFilter, Sort, SortBy
from order_sync.ledger.order_lists import ListedOrder, export_orders, list_orders
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from tests.integration.ledger.rows import new_order

ALL = ("eastern", "central", "desert")
SORTS = [Sort(by, is_descending) for by in SortBy for is_descending in (True, False)]
FILTERS = {
    "everything": OrderFilter(ALL),
    "one practice": OrderFilter(("central",)),
    "no practice": OrderFilter(()),
    "Synced": OrderFilter(ALL, status=PublicStatus.SYNCED),
    "Not Synced": OrderFilter(ALL, status=PublicStatus.NOT_SYNCED),
    "a reason": OrderFilter(ALL, reason=Reason.NAME_DIFFERS),
    "a reason that its status has not": OrderFilter(ALL, status=PublicStatus.SYNCED, reason=Reason.NAME_DIFFERS),
    "a day": OrderFilter(ALL, first_day=date(2026, 3, 5), last_day=date(2026, 3, 5)),
    "from a day on": OrderFilter(ALL, first_day=date(2026, 3, 5)),
    "until a day": OrderFilter(ALL, last_day=date(2026, 3, 5)),
    "a period that never was": OrderFilter(ALL, first_day=date.max, last_day=date.min),
    "an amount": OrderFilter(ALL, least_cents=2_000, most_cents=2_000),
    "at least": OrderFilter(ALL, least_cents=2_000),
    "at most": OrderFilter(ALL, most_cents=2_000),
    "an amount beyond all bounds": OrderFilter(ALL, least_cents=10**30),
    "new accounts": OrderFilter(ALL, is_new_account=True),
    "a number": OrderFilter(ALL, number="000000017"),
    "a number without its zeros": OrderFilter(ALL, number=" 17 "),
    "how numbers begin": OrderFilter(ALL, number="00000001"),
    "how a number with letters begins": OrderFilter(ALL, number="E-"),
    "a number as no store has it": OrderFilter(ALL, number="17\0"),
    "a number with the search's own signs": OrderFilter(ALL, number="%"),
    "several": OrderFilter(
        ("eastern", "desert"), status=PublicStatus.NOT_SYNCED, least_cents=1_000, first_day=date(2026, 3, 3)
    ),
}


def _orders(ledger: Ledger, count: int = 80) -> list[OrderRow]:
    """Take in orders of every kind, with many that are alike in what a list is sorted by."""
    draw = random.Random(7)
    with ledger.transaction() as tx:
        rows = []
        for place in range(count):
            state, reason = draw.choice(
                [
                    (OrderState.CONFIRMED, None),
                    (OrderState.CONFIRMED, None),
                    (OrderState.QUEUED, Reason.NAME_DIFFERS),
                    (OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER),
                    (OrderState.WAITING, Reason.ON_HOLD),
                    (OrderState.DISABLED, Reason.INTEGRATION_INACTIVE),
                    (OrderState.NOTHING_TO_POST, Reason.AMOUNT_ZERO),
                ]
            )
            day = date(2026, 3, draw.randint(1, 9))
            facts = {
                "practice_id": draw.choice(ALL),
                "number": draw.choice(["{:09}", "{:09}", "E-{:05}", "{:09}-1"]).format(draw.randint(1, 40)),
                "business_day": day,
                "placed_at": datetime.fromisoformat(f"{day}T23:59:59.123456+00:00") - timedelta(hours=draw.randint(0, 3)),
                "amount_cents": draw.choice([None, 0, 1_000, 2_000, 2_000, 5_555]),
                "matched_by": draw.choice([None, "rule", "created"]),
                "entity_id": place,
            }
            row = new_order(tx, state, reason, **facts)
            row.changed_at = tx.now - timedelta(minutes=draw.randint(0, 5))
            rows.append(row)
        tx.session.flush()
    return rows


def _matches(row: OrderRow, wanted: OrderFilter) -> bool:
    """Say what the database should, in the plainest way."""
    number = (wanted.number or "").strip()
    return (
        row.practice_id in wanted.practice_ids
        and wanted.status in {None, row.public_status}
        and wanted.reason in {None, row.why}
        and (wanted.first_day is None or row.business_day >= wanted.first_day)
        and (wanted.last_day is None or row.business_day <= wanted.last_day)
        and (wanted.least_cents is None or (row.amount_cents is not None and row.amount_cents >= wanted.least_cents))
        and (wanted.most_cents is None or (row.amount_cents is not None and row.amount_cents <= wanted.most_cents))
        and (not wanted.is_new_account or row.matched_by == "created")
        and (row.number.startswith(number) or (number.isdigit() and row.number == number.zfill(9)))
    )


def _key(row: OrderRow, sort: Sort) -> tuple[object, ...]:
    match sort.by:
        case SortBy.PLACED:
            return (row.placed_at, row.id)
        case SortBy.AMOUNT:
            return (row.amount_cents is not None, row.amount_cents or 0, row.id)
        case SortBy.NUMBER:
            return (row.number, row.id)
        case SortBy.CHANGED:
            return (row.changed_at, row.id)


def _expected(rows: list[OrderRow], wanted: OrderFilter, sort: Sort) -> list[int]:
    found = sorted((row for row in rows if _matches(row, wanted)), key=lambda row: _key(row, sort), reverse=sort.is_descending)
    return [row.id for row in found]


def _ids(orders: tuple[ListedOrder, ...]) -> list[int]:
    return [order.id for order in orders]


def _page_through(ledger: Ledger, filters: dict[str, OrderFilter]) -> None:
    rows = _orders(ledger)
    with ledger.reading() as tx:
        for (name, wanted), sort in itertools.product(filters.items(), SORTS):
            page = list_orders(tx, wanted, sort, limit=30)
            assert page.previous_cursor is None
            pages = [page]
            while page.next_cursor:
                page = list_orders(tx, wanted, sort, page.next_cursor, limit=30)
                pages.append(page)
            assert [row for page in pages for row in _ids(page.orders)] == _expected(rows, wanted, sort), (name, sort)
            for before in reversed(pages[:-1]):
                assert page.previous_cursor is not None
                page = list_orders(tx, wanted, sort, page.previous_cursor, limit=30)
                assert page.orders == before.orders, (name, sort)
                assert page.next_cursor == before.next_cursor
            assert page.previous_cursor is None


def test_paging_forward_and_back_shows_every_order_once_under_every_filter_and_sort(ledger: Ledger):
    _page_through(ledger, FILTERS)


def test_paging_shows_every_order_once_where_many_are_met_on_the_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    for few in ("_FEW_NUMBERS", "_FEW_AMOUNTS", "_LONG_PERIOD_DAYS", "_VERY_LONG_PERIOD_DAYS"):
        monkeypatch.setattr(f"order_sync.ledger.order_indexes.{few}", -1)
    _page_through(
        ledger, {name: each for name, each in FILTERS.items() if each.has_number or each.has_amount or each.has_period}
    )


def test_the_filters_of_the_test_before_show_something(ledger: Ledger):
    rows = _orders(ledger)
    empty = {name for name, wanted in FILTERS.items() if not any(_matches(row, wanted) for row in rows)}
    assert empty == {
        *("no practice", "a reason that its status has not", "a period that never was", "an amount beyond all bounds"),
        *("a number as no store has it", "a number with the search's own signs"),
    }


def test_an_export_has_every_order_that_the_list_shows(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("order_sync.ledger.order_lists._EXPORTED_AT_ONCE", 11)
    rows = _orders(ledger)
    for wanted in FILTERS.values():
        sort = Sort(SortBy.AMOUNT, is_descending=False)
        assert [order.id for order in export_orders(ledger, wanted, sort)] == _expected(rows, wanted, sort)


def test_counts_say_how_many_each_status_has_under_the_other_filters(ledger: Ledger):
    rows = _orders(ledger)
    with ledger.reading() as tx:
        for name, wanted in FILTERS.items():
            for status, count in counts_by_status(tx, wanted).items():
                narrowed = [row for row in rows if row.public_status is status and _matches(row, _without_status(wanted))]
                assert count == Count(len(narrowed)), (name, status)
            assert count_orders(tx, wanted) == Count(len(_expected(rows, wanted, SORTS[0])))


def _without_status(wanted: OrderFilter) -> OrderFilter:
    return OrderFilter(
        *(wanted.practice_ids, None, wanted.reason, wanted.first_day, wanted.last_day, wanted.least_cents, wanted.most_cents),
        *(wanted.is_new_account, wanted.number),
    )


def test_counts_of_reasons_come_with_the_most_first(ledger: Ledger):
    with ledger.transaction() as tx:
        for reason in (Reason.NAME_DIFFERS, Reason.DUPLICATED_CUSTOMER, Reason.DUPLICATED_CUSTOMER):
            new_order(tx, OrderState.QUEUED, reason)
        new_order(tx, OrderState.NOTHING_TO_POST, Reason.CANCELLED)
    with ledger.reading() as tx:
        found = counts_by_reason(tx, OrderFilter(ALL, status=PublicStatus.NOT_SYNCED))
    assert list(found.items()) == [(Reason.DUPLICATED_CUSTOMER, Count(2)), (Reason.NAME_DIFFERS, Count(1))]


def test_reasons_are_counted_one_by_one_where_very_many_orders_have_one(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    _orders(ledger)
    with ledger.reading() as tx:
        for wanted in FILTERS.values():
            at_once = counts_by_reason(tx, wanted)
            with monkeypatch.context() as few:
                few.setattr("order_sync.ledger.order_counts.MOST_GONE_THROUGH", 0)
                assert list(counts_by_reason(tx, wanted).items()) == list(at_once.items())


def test_nobody_counts_beyond_ten_thousand(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("order_sync.ledger.order_counts.MOST_COUNTED", 3)
    with ledger.transaction() as tx:
        for state in [OrderState.CONFIRMED] * 4 + [OrderState.WAITING] * 3:
            new_order(tx, state)
    with ledger.reading() as tx:
        found = counts_by_status(tx, OrderFilter(ALL))
    assert found[PublicStatus.SYNCED] == Count(3, is_more=True)
    assert found[PublicStatus.WAITING] == Count(3)
    assert (str(Count(10_000, is_more=True)), str(Count(1_234))) == ("10,000+", "1,234")


def test_an_order_that_is_moved_between_two_pages_hides_no_other(ledger: Ledger):
    rows = _orders(ledger)
    wanted = OrderFilter(ALL)
    with ledger.reading() as tx:
        first = list_orders(tx, wanted, limit=10)
    with ledger.transaction() as tx:
        new_order(tx, placed_at=tx.now + timedelta(days=30))  # would stand at the top, and push the others down
    with ledger.reading() as tx:
        assert first.next_cursor is not None
        second = list_orders(tx, wanted, cursor=first.next_cursor, limit=10)
    assert _ids(first.orders) + _ids(second.orders) == _expected(rows, wanted, Sort())[:20]


@pytest.mark.parametrize(
    "garbage",
    [
        "x",
        "%%%",
        "bnVsbA",
        "W10",
        "WzEsMiwzLDRd",
        "eyJhIjoxfQ",
        "W1sxXSwyLDMsNF0",
        "é",
        "A" * 700,
        "[]",
        "a b",
        "WyJwbGFjZWQtZGVzYyIs",
    ],
)
def test_a_cursor_that_is_none_is_refused_in_plain_words(ledger: Ledger, garbage: str):
    with ledger.reading() as tx, pytest.raises(CursorError, match="start again at the first page"):
        list_orders(tx, OrderFilter(ALL), cursor=garbage)


def test_a_cursor_of_another_sort_is_refused(ledger: Ledger):
    _orders(ledger, 20)
    with ledger.reading() as tx:
        page = list_orders(tx, OrderFilter(ALL), Sort(SortBy.AMOUNT), limit=5)
        for sort in (Sort(SortBy.AMOUNT, is_descending=False), Sort(SortBy.PLACED), Sort(SortBy.NUMBER)):
            with pytest.raises(CursorError):
                list_orders(tx, OrderFilter(ALL), sort, page.next_cursor)


def test_whoever_only_reads_waits_for_no_writer_and_cannot_write(ledger: Ledger):
    _orders(ledger, 20)
    with ledger.transaction() as writing:
        new_order(writing)
        with ledger.reading() as tx:
            assert count_orders(tx, OrderFilter(ALL)) == Count(20)
    with pytest.raises((OperationalError, InternalError), match=r"(?i)read.?only"), ledger.reading() as tx:
        new_order(tx)
    with ledger.transaction() as tx:
        new_order(tx)  # and the connection can write again
    with ledger.reading() as tx:
        assert count_orders(tx, OrderFilter(ALL)) == Count(22)
