"""The store's credit memos: their JSON into our type, a span of time or the memos of some orders at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from order_sync.clients.store_reading import RawPage, SlicePage
from order_sync.clients.store_requests import MEMOS_ROUTE, Column, Condition, Filter
from order_sync.clients.store_values import (
    Row,
    UnreadableError,
    read_instant,
    read_money,
    read_object,
    read_objects,
    read_text,
    read_whole,
)
from order_sync.clients.store_wire import entity_id
from order_sync.credit_memos import CreditMemo, MemoLine, MemoProblem, MemoState
from order_sync.errors import IncompleteReadError, SourceUnavailableError

ORDERS_PER_SEARCH = 100
_PAGE_SIZE = 100
_BREAKS_THE_STORE = "The store fails whenever this credit memo is asked for."

Search = Callable[[Sequence[Filter], int], RawPage]


@dataclass(frozen=True, slots=True)
class MemosPage:
    """Some credit memos of a slice of time; when `is_slice_end`, everything before `slice_until` has been delivered."""

    memos: tuple[CreditMemo, ...]
    problems: tuple[MemoProblem, ...]
    slice_until: datetime
    is_slice_end: bool


@dataclass(slots=True)
class MemosRead:
    """All credit memos of some orders."""

    memos: list[CreditMemo] = field(default_factory=list)
    problems: list[MemoProblem] = field(default_factory=list)

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows as they came."""
        for row in rows:
            memo = read_memo(row)
            if isinstance(memo, CreditMemo):
                self.memos.append(memo)
            else:
                self.problems.append(memo)


def read_memo(row: Row) -> CreditMemo | MemoProblem:
    """Read one row; one that makes no sense becomes a problem of its own.

    Raises `UnreadableError` when not even its `entity_id` can be told.
    """
    memo_id = entity_id(row)
    order_id = read_whole(row.get("order_id")) or None
    try:
        return _memo(row, memo_id, order_id)
    except UnreadableError as error:
        return MemoProblem(f"The store's credit memo cannot be understood: {error}", memo_id, order_id)


def memos_page(page: SlicePage) -> MemosPage:
    """Understand one page of a slice."""
    read = MemosRead()
    read.add(page.rows)
    broken = [MemoProblem(_BREAKS_THE_STORE, memo_id) for memo_id in page.broken_ids]
    return MemosPage(tuple(read.memos), (*read.problems, *broken), page.slice_until, page.is_slice_end)


def memos_of_orders(search: Search, is_answering: Callable[[], bool], entity_ids: Iterable[int]) -> MemosRead:
    """Return every credit memo of these orders; an order whose memos break the store becomes a problem.

    Raises `IncompleteReadError` when an answer is not what was asked for, and the errors of every read.
    """
    found = MemosRead()
    wanted = sorted(set(entity_ids))
    pending = [wanted[start : start + ORDERS_PER_SEARCH] for start in range(0, len(wanted), ORDERS_PER_SEARCH)]
    while pending:
        asked = pending.pop()
        try:
            rows = _rows_of(search, asked)
        except SourceUnavailableError:
            if not is_answering():
                raise
            if len(asked) > 1:
                middle = len(asked) // 2
                pending += [asked[middle:], asked[:middle]]
            else:
                found.problems.append(
                    MemoProblem("The store fails whenever this order's credit memos are asked for.", None, *asked)
                )
            continue
        found.add(rows)
    return found


def _rows_of(search: Search, asked: Sequence[int]) -> list[Row]:
    """Page through a keyset until the store shows nothing more; its count comes from another moment than its rows."""
    rows: list[Row] = []
    last = 0
    listed = ",".join(map(str, asked))
    while True:
        filters = [
            Filter(Column.ORDER_ID, Condition.IN, listed),
            Filter(Column.ENTITY_ID, Condition.ABOVE, str(last)),
        ]
        page = search(filters, _PAGE_SIZE)
        for row in page.rows:
            memo_id, order_id = entity_id(row), read_whole(row.get("order_id"))
            if memo_id <= last or order_id not in asked:
                raise _incomplete("a credit memo that was not asked for: the sort or a filter was ignored")
            last = memo_id
        rows += page.rows
        if not page.rows:
            if page.total_count:
                raise _incomplete("the store counts more credit memos than it shows")
            return rows


def _memo(row: Row, memo_id: int, order_id: int | None) -> CreditMemo:
    if order_id is None:
        msg = "it names no order"
        raise UnreadableError(msg)
    state = read_whole(row.get("state"))
    if state is not None and state not in set(MemoState):
        msg = "its state is not one of Adobe Commerce"
        raise UnreadableError(msg)
    if row.get("grand_total") is None:
        msg = "it has no grand total"
        raise UnreadableError(msg)
    extra = read_object(row.get("extension_attributes"))
    grand_total = read_money(row, "grand_total")
    if grand_total < 0:
        msg = "its grand total is below zero"
        raise UnreadableError(msg)
    created_at = read_instant(row.get("created_at"), "created_at")
    return CreditMemo(
        memo_id=memo_id,
        number=read_text(row.get("increment_id")) or f"id {memo_id}",
        entity_id=order_id,
        store_id=read_whole(row.get("store_id")),
        state=MemoState(state or MemoState.REFUNDED),
        created_at=created_at,
        updated_at=read_instant(row.get("updated_at") or row.get("created_at"), "updated_at"),
        grand_total=grand_total,
        has_transaction=read_text(row.get("transaction_id")) is not None,
        gift_cards=abs(read_money(extra, "gift_cards_amount")),
        store_credit=abs(read_money(extra, "customer_balance_amount")),
        adjustment=read_money(row, "adjustment_positive") - abs(read_money(row, "adjustment_negative")),
        lines=tuple(
            MemoLine(read_text(item.get("sku")) or "", read_money(item, "qty"), read_money(item, "row_total"))
            for item in read_objects(row.get("items"))
        ),
    )


def _incomplete(reason: str) -> IncompleteReadError:
    return IncompleteReadError(reason, system="store", route=MEMOS_ROUTE, status=200)
