"""Credit memos, orders by the day they were placed, and orders by number: complete, or an error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from order_sync.clients.store_memos import read_memo
from order_sync.clients.store_values import UnreadableError
from order_sync.credit_memos import CreditMemo, MemoProblem, MemoState
from order_sync.errors import IncompleteReadError, SourceUnavailableError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import asked, json_answer, store_client
from tests.unit.clients.test_store_reading import MASKED, MiniStore, row

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)


def memo_row(memo_id: int, order_id: int = 7, at: datetime = SINCE, **changes: object) -> dict[str, Any]:
    return {
        "entity_id": memo_id,
        "increment_id": f"{memo_id:09d}",
        "order_id": order_id,
        "state": 2,
        "store_id": 1,
        "created_at": f"{at:%Y-%m-%d %H:%M:%S}",
        "updated_at": f"{at:%Y-%m-%d %H:%M:%S}",
        "grand_total": 36,
        "items": [],
    } | changes


class MiniMemos(MiniStore):
    """The same few lines of a store, with credit memos beside the orders."""

    def __init__(self, memos: list[dict[str, Any]], *, poison_order: int = 0, total: Callable[[int], int] = int) -> None:
        super().__init__([])
        self.memos = memos
        self.poison_order = poison_order
        self.total = total

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/rest/V1/creditmemos":
            return super().__call__(request)
        params = asked(request)
        self.searches.append(params)
        filters = self._filters(params)
        found = [entry for entry in self.memos if all(self._fits(entry, *one) for one in filters)]
        page = sorted(found, key=lambda entry: entry["entity_id"])[: int(params["searchCriteria[pageSize]"])]
        if any(entry["order_id"] == self.poison_order for entry in page):
            return json_answer(500, MASKED)
        return json_answer(200, {"items": page, "search_criteria": {}, "total_count": self.total(len(found))})


def read_memos(store: Callable[..., Any], clock: FakeClock, *, is_by_change: bool = False) -> list[CreditMemo]:
    pages = store_client(store, clock).read_memos(SINCE, UNTIL, is_by_change=is_by_change, page_size=10)
    return [memo for page in pages for memo in page.memos]


def test_a_memo_says_what_was_given_back_and_how():
    memo = read_memo(
        memo_row(
            12,
            transaction_id="txn-9-refund",
            grand_total=Decimal("36.0200"),
            adjustment_positive=5,
            adjustment_negative=Decimal("1.5"),
            extension_attributes={"gift_cards_amount": 20, "customer_balance_amount": 3},
            items=[{"sku": "DRM-SPF50", "qty": 1, "row_total": Decimal("33.98")}],
        )
    )
    assert isinstance(memo, CreditMemo)
    assert (memo.memo_id, memo.entity_id, memo.state, memo.has_transaction) == (12, 7, MemoState.REFUNDED, True)
    assert (memo.grand_total, memo.gift_cards, memo.store_credit) == (Decimal("36.02"), 20, 3)
    assert (memo.adjustment, memo.is_adjustment_only) == (Decimal("3.5"), False)
    assert memo.lines[0].row_total == Decimal("33.98")


def test_a_memo_without_items_is_an_adjustment_and_one_without_a_transaction_names_none():
    memo = read_memo(memo_row(12, items=[], adjustment_positive=10))
    assert isinstance(memo, CreditMemo)
    assert (memo.is_adjustment_only, memo.has_transaction) == (True, False)


def test_a_memo_that_shows_no_state_counts():
    memo = read_memo(memo_row(12, state=None))
    assert isinstance(memo, CreditMemo)
    assert memo.is_refunded


@pytest.mark.parametrize(
    "changes",
    [{"order_id": None}, {"state": 9}, {"grand_total": None}, {"grand_total": -5}, {"grand_total": "much"}, {"created_at": ""}],
    ids=str,
)
def test_a_memo_that_makes_no_sense_is_a_problem_of_its_own(changes: dict):
    problem = read_memo(memo_row(12, **changes))
    assert isinstance(problem, MemoProblem)
    assert (problem.memo_id, problem.sentence[:40]) == (12, "The store's credit memo cannot be unders")


def test_a_row_without_a_key_is_no_memo():
    with pytest.raises(UnreadableError):
        read_memo({"order_id": 7})


@pytest.mark.parametrize("count", [0, 1, 10, 11, 35])
def test_every_memo_of_the_span_is_read_once(count: int, clock: FakeClock):
    outside = [memo_row(900, at=UNTIL), memo_row(901, at=SINCE - timedelta(seconds=1))]
    store = MiniMemos([memo_row(number) for number in range(1, count + 1)] + outside)
    assert [memo.memo_id for memo in read_memos(store, clock)] == list(range(1, count + 1))


def test_memos_are_found_by_their_change_too(clock: FakeClock):
    late = memo_row(5, at=SINCE - timedelta(days=9)) | {"updated_at": f"{SINCE:%Y-%m-%d %H:%M:%S}"}
    store = MiniMemos([late])
    assert [memo.memo_id for memo in read_memos(store, clock, is_by_change=True)] == [5]
    assert read_memos(store, clock) == []


def test_a_count_that_comes_late_ends_nothing(clock: FakeClock):
    store = MiniMemos([memo_row(number) for number in range(1, 36)], total=lambda count: min(count, 10))
    assert len(read_memos(store, clock)) == 35


def test_a_store_that_counts_more_than_it_shows_proves_nothing(clock: FakeClock):
    store = MiniMemos([memo_row(1)], total=lambda count: count + 1)
    with pytest.raises(IncompleteReadError):
        read_memos(store, clock)
    with pytest.raises(IncompleteReadError):
        store_client(store, clock).read_memos_of([7])


def test_the_memos_of_some_orders_are_all_of_theirs(clock: FakeClock):
    store = MiniMemos([memo_row(number, order_id=number % 3) for number in range(3, 400)])
    read = store_client(store, clock).read_memos_of([1, 2, 2])
    assert {memo.entity_id for memo in read.memos} == {1, 2}
    assert len(read.memos) == 264
    assert store_client(store, clock).read_memos_of([]).memos == []


def test_an_order_whose_memos_break_the_store_is_named_and_the_others_are_read(clock: FakeClock):
    store = MiniMemos([memo_row(number, order_id=number) for number in range(1, 40)], poison_order=17)
    read = store_client(store, clock).read_memos_of(range(1, 40))
    assert [problem.entity_id for problem in read.problems] == [17]
    assert {memo.entity_id for memo in read.memos} == set(range(1, 40)) - {17}


def test_a_store_that_fails_on_every_memo_is_down(clock: FakeClock):
    def fail_on_memos(request: httpx.Request) -> httpx.Response:
        return json_answer(500, MASKED) if "creditmemos" in request.url.path else MiniStore([])(request)

    with pytest.raises(SourceUnavailableError):
        read_memos(fail_on_memos, clock)
    with pytest.raises(SourceUnavailableError):
        store_client(fail_on_memos, clock).read_memos_of([7])


def test_a_memo_that_breaks_the_store_is_named_and_stepped_over(clock: FakeClock):
    store = MiniMemos([memo_row(number, order_id=number) for number in range(1, 40)], poison_order=17)
    pages = list(store_client(store, clock).read_memos(SINCE, UNTIL, page_size=10))
    assert [problem.memo_id for page in pages for problem in page.problems] == [17]
    assert {memo.memo_id for page in pages for memo in page.memos} == set(range(1, 40)) - {17}


def test_a_foreign_memo_is_an_ignored_filter(clock: FakeClock):
    store = MiniMemos([memo_row(1, order_id=8)])
    store._fits = lambda *_: True  # type: ignore[method-assign]
    with pytest.raises(IncompleteReadError):
        store_client(store, clock).read_memos_of([7])


def test_orders_are_read_by_the_day_they_were_placed(clock: FakeClock):
    early = row(3, SINCE - timedelta(days=3)) | {"updated_at": f"{SINCE:%Y-%m-%d %H:%M:%S}"}
    late = row(4, SINCE) | {"updated_at": f"{UNTIL + timedelta(days=9):%Y-%m-%d %H:%M:%S}"}
    store = MiniStore([early, late, *(row(number) for number in range(10, 250))])
    pages = list(store_client(store, clock).read_placed(SINCE, UNTIL))
    assert [order.entity_id for page in pages for order in page.orders] == [4, *range(10, 250)]
    assert pages[-1].is_slice_end


def test_numbers_are_found_absent_or_broken(clock: FakeClock):
    store = MiniStore([row(number) for number in range(1, 120)], poison={50})
    read = store_client(store, clock).find_orders([f"{number:09d}" for number in range(1, 125)])
    assert {order.entity_id for order in read.found} == set(range(1, 120)) - {50}
    assert sorted(read.absent) == [f"{number:09d}" for number in range(120, 125)]
    assert read.broken == ["000000050"]


def test_a_number_is_absent_only_when_it_was_asked_for_alone(clock: FakeClock):
    store = MiniStore([row(number) for number in range(1, 4)])
    store.failure = lambda page: json_answer(200, {"items": page[:1], "total_count": 1}) if len(page) > 1 else None
    read = store_client(store, clock).find_orders(["000000001", "000000002", "000000003"])
    assert (len(read.found), read.absent) == (3, [])


def test_a_store_that_is_down_proves_nothing_about_a_number(clock: FakeClock):
    with pytest.raises(SourceUnavailableError):
        store_client(lambda _: json_answer(503, MASKED), clock).find_orders(["000000001"])
