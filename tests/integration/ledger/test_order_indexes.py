"""Which index answers what: on SQLite, which has no statistics, it must never be chance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from order_sync.ledger.order_counts import counts_by_reason, counts_by_status
from order_sync.ledger.order_filters import OrderFilter, Sort, SortBy
from order_sync.ledger.order_indexes import way_of
from order_sync.ledger.order_lists import list_orders
from order_sync.ledger.session import Ledger, Transaction
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from tests.integration.ledger.rows import new_order
from tests.integration.ledger.test_order_lists import ALL, FILTERS, SORTS

only_sqlite = pytest.mark.parametrize("database", ["sqlite"])


@contextmanager
def _plans(ledger: Ledger) -> Iterator[Callable[[Transaction], list[str]]]:
    """Listen to what is asked; hand out how SQLite goes about it."""
    asked: list[tuple[str, object]] = []

    def listen(_connection: object, _cursor: object, statement: str, values: object, _context: object, _many: object) -> None:
        if " orders" in statement and not statement.startswith("EXPLAIN"):
            asked.append((statement, values))

    def explain(tx: Transaction) -> list[str]:
        driver = tx.session.connection().connection
        plans = []
        for statement, values in asked:
            cursor = driver.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans += [row[3] for row in cursor.fetchall() if " orders" in row[3]]
        asked.clear()
        return plans

    event.listen(ledger.engine, "before_cursor_execute", listen)
    yield explain
    event.remove(ledger.engine, "before_cursor_execute", listen)


@only_sqlite
def test_no_list_and_no_count_goes_through_the_whole_table(ledger: Ledger):
    with ledger.transaction() as tx:
        new_order(tx, OrderState.QUEUED, Reason.NAME_DIFFERS)
    with ledger.reading() as tx, _plans(ledger) as explain:
        for (name, wanted), sort in itertools.product(FILTERS.items(), SORTS):
            list_orders(tx, wanted, sort)
            assert all(plan.startswith("SEARCH orders USING") for plan in explain(tx)), (name, sort)
        for name, wanted in FILTERS.items():
            counts_by_status(tx, wanted)
            counts_by_reason(tx, wanted)
            assert all("USING COVERING INDEX" in plan or "_amount_" in plan or "_number_" in plan for plan in explain(tx)), name


@only_sqlite
@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: sort.name)
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (OrderFilter(ALL, status=PublicStatus.NOT_SYNCED), "ix_orders_practice_id_public_status"),
        (OrderFilter(ALL, reason=Reason.CANCELLED), "ix_orders_practice_id_reason"),
        (OrderFilter(ALL, is_new_account=True), "ix_orders_new_accounts"),
    ],
    ids=["status", "reason", "new accounts"],
)
def test_what_few_orders_are_is_found_without_reading_the_others(ledger: Ledger, wanted: OrderFilter, index: str, sort: Sort):
    with ledger.reading() as tx, _plans(ledger) as explain:
        list_orders(tx, wanted, sort)
        plans = [plan for plan in explain(tx) if "PRIMARY KEY" not in plan]
        assert plans
        assert all(f"COVERING INDEX {index} " in plan for plan in plans)


def _way(ledger: Ledger, wanted: OrderFilter, by: SortBy) -> tuple[str, bool]:
    with ledger.reading() as tx:
        way = way_of(tx, wanted, Sort(by))
    return way.index.removeprefix("ix_orders_practice_id_"), way.finds_all


def test_an_old_month_is_found_whole_rather_than_walked_to(ledger: Ledger):
    month = OrderFilter(ALL, first_day=FILTERS["a day"].first_day, last_day=FILTERS["a day"].last_day)
    assert _way(ledger, month, SortBy.CHANGED) == ("business_day", True)
    assert _way(ledger, month, SortBy.PLACED) == ("placed_at", False)
    for by, index in ((SortBy.AMOUNT, "amount_cents"), (SortBy.CHANGED, "changed_at"), (SortBy.NUMBER, "number_bytewise")):
        assert _way(ledger, OrderFilter(ALL, first_day=month.first_day), by) == (index, False)


def test_few_amounts_are_found_whole_and_many_are_met_on_the_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    with ledger.transaction() as tx:
        for _ in range(3):
            new_order(tx, amount_cents=5_000)
    wanted = OrderFilter(ALL, least_cents=5_000)
    assert _way(ledger, wanted, SortBy.PLACED) == ("amount_cents", True)
    monkeypatch.setattr("order_sync.ledger.order_indexes._FEW_AMOUNTS", 2)
    assert _way(ledger, wanted, SortBy.PLACED) == ("placed_at", False)


def test_few_numbers_are_found_whole_and_many_are_met_on_the_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    with ledger.transaction() as tx:
        for number in ("000000041", "41-A", "41-B"):
            new_order(tx, number=number)
    wanted = OrderFilter(ALL, number="41")
    assert _way(ledger, wanted, SortBy.PLACED) == ("number_bytewise", True)
    assert _way(ledger, wanted, SortBy.NUMBER) == ("number_bytewise", False)
    monkeypatch.setattr("order_sync.ledger.order_indexes._FEW_NUMBERS", 2)
    assert _way(ledger, wanted, SortBy.PLACED) == ("placed_at", False)
