"""The list of orders: a page of it, the page before and after, and all of it for a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Row, Select, bindparam, func, literal, select, tuple_, union_all

from order_sync.follow_ups import FollowUp, next_step_of
from order_sync.ledger.columns import table_of
from order_sync.ledger.cursors import Cursor, Kind, decode_cursor
from order_sync.ledger.models import OPEN_CASE, CaseRow
from order_sync.ledger.order_filters import ORDERS, OrderFilter, Sort, SortBy
from order_sync.ledger.order_indexes import OF_DAYS, Way, along, by_bytes, way_of
from order_sync.ledger.session import Ledger, Transaction
from order_sync.reasons import Reason, next_step, sentence
from order_sync.statuses import OrderState, PublicStatus

PAGE_SIZE = 50
_EXPORTED_AT_ONCE = 5_000
NEWEST_FIRST = Sort()

_GO_WITH_DAYS = frozenset({SortBy.NUMBER, SortBy.CHANGED})
"""Days are gone through in the same direction: what comes later then mostly stands behind, and need not be kept."""

_KEYS: dict[SortBy, tuple[Column[Any], Kind]] = {
    SortBy.PLACED: (ORDERS.c.placed_at, datetime),
    SortBy.AMOUNT: (ORDERS.c.amount_cents, (int, type(None))),
    SortBy.NUMBER: (ORDERS.c.number, str),
    SortBy.CHANGED: (ORDERS.c.changed_at, datetime),
}
_SHOWN = tuple(
    ORDERS.c[name]
    for name in (
        *("id", "number", "practice_id", "placed_at", "business_day", "amount_cents", "refunded_cents", "store_state"),
        *("public_status", "reason", "detail", "follow_up", "state", "changed_at", "version", "matched_by"),
    )
)
_BY_ID = select(*_SHOWN).where(ORDERS.c.id.in_(bindparam("ids", expanding=True)))
_CASES = table_of(CaseRow)


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """One row of the list. Instants are UTC, amounts whole cents."""

    id: int
    number: str
    practice_id: str
    placed_at: datetime
    business_day: date
    amount_cents: int | None
    refunded_cents: int
    refund_to_record_cents: int
    """What has to be recorded in Nextech by a person; 0 when nothing has."""
    store_state: str
    public_status: PublicStatus
    reason: Reason | None
    detail: str | None
    next_step: str | None
    """None when the order goes on by itself, or is settled."""
    state: OrderState
    changed_at: datetime
    """Since when it stands where it stands."""
    version: int
    is_new_account: bool

    @property
    def sentence(self) -> str | None:
        """Return the reason in the front desk's words, or None when there is nothing to say."""
        return sentence(self.reason, self.detail) if self.reason else self.detail


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of the list; a cursor is None where the list ends."""

    orders: tuple[ListedOrder, ...]
    next_cursor: str | None
    previous_cursor: str | None


def list_orders(
    tx: Transaction, wanted: OrderFilter, sort: Sort = NEWEST_FIRST, cursor: str | None = None, limit: int = PAGE_SIZE
) -> OrderPage:
    """Return a page of the orders that are wanted: the first one, or the one that a cursor names.

    Raises `CursorError` for a cursor that is none of this list's.
    """
    place = _decode(cursor, sort) if cursor else None
    rows = _rows(tx, wanted, sort, place, limit + 1)
    is_more, rows = len(rows) > limit, rows[:limit]
    is_backward = place is not None and place.is_backward
    if is_backward:
        rows.reverse()
    follows, precedes = (True, is_more) if is_backward else (is_more, place is not None)
    return OrderPage(
        orders=tuple(_listed(tx, rows)),
        next_cursor=_cursor_at(rows[-1], sort, is_backward=False) if rows and follows else None,
        previous_cursor=_cursor_at(rows[0], sort, is_backward=True) if rows and precedes else None,
    )


def export_orders(ledger: Ledger, wanted: OrderFilter, sort: Sort = NEWEST_FIRST) -> Iterator[ListedOrder]:
    """Yield all orders that are wanted, some at a time: however many there are, few are in memory.

    Each piece is read in a transaction of its own, so that a slow reader keeps nothing from the database. An order that
    is moved in between can come twice, or not at all, when the list is sorted by what changes with it.
    """
    place: Cursor | None = None
    while True:
        with ledger.reading() as tx:
            rows = _rows(tx, wanted, sort, place, _EXPORTED_AT_ONCE)
            listed = list(_listed(tx, rows))
        yield from listed
        if len(rows) < _EXPORTED_AT_ONCE:
            return
        place = _place_of(rows[-1], sort, is_backward=False)


def _decode(text: str, sort: Sort) -> Cursor:
    return decode_cursor(text, sort=sort.name, kinds=[_KEYS[sort.by][1]])


def _place_of(row: Row[Any], sort: Sort, *, is_backward: bool) -> Cursor:
    key = getattr(row, _KEYS[sort.by][0].name)
    return Cursor(sort.name, is_backward, (key,), row.id)


def _cursor_at(row: Row[Any], sort: Sort, *, is_backward: bool) -> str:
    return _place_of(row, sort, is_backward=is_backward).encode()


def _rows(tx: Transaction, wanted: OrderFilter, sort: Sort, place: Cursor | None, limit: int) -> list[Row[Any]]:
    """Read up to `limit` rows behind a place, in the direction that it looks.

    First which they are, from the indexes alone; then these few rows. Each practice is asked for its own first ones, which
    its indexes hold in this order, and what comes back is merged.
    """
    if not wanted.practice_ids:
        return []
    is_descending = sort.is_descending != (place is not None and place.is_backward)
    way = way_of(tx, wanted, sort)
    query = select(ORDERS.c.id, _KEYS[sort.by][0]).where(*wanted.conditions(is_in_order_of_placing=sort.by is SortBy.PLACED))
    if way.index == OF_DAYS and sort.by in _GO_WITH_DAYS:
        query = query.order_by(ORDERS.c.business_day.desc() if is_descending else ORDERS.c.business_day)
    pieces = [
        _first_ones(
            along(query.where(ORDERS.c.practice_id == practice_id, *number, *piece), way.index),
            *(way, limit),
            lambda source: _in_order(tx, source, sort, is_descending),
        )
        for practice_id in wanted.practice_ids
        for number in wanted.number_conditions(by_bytes(tx))
        for piece in _pieces(tx, sort, place, is_descending)
    ]
    merged = union_all(*(select(piece.subquery()) for piece in pieces)).subquery()
    # Within a piece nothing is said of NULLs, because its index has them elsewhere; each piece has all of them, or none.
    has_key = merged.c[_KEYS[sort.by][0].name].is_not(None)
    in_order = [has_key.desc() if is_descending else has_key, *_in_order(tx, merged, sort, is_descending)]
    ids = list(tx.session.scalars(select(merged.c.id).order_by(*in_order).limit(limit)))
    rows = {row.id: row for row in tx.session.execute(_BY_ID, {"ids": ids})} if ids else {}
    return [rows[row_id] for row_id in ids if row_id in rows]


def _first_ones(
    query: Select[Any], way: Way, limit: int, in_order: Callable[[FromClause], list[ColumnElement[Any]]]
) -> Select[Any]:
    if not way.finds_all:
        return query.order_by(*in_order(ORDERS)).limit(limit)
    found = query.offset(0).subquery()  # neither database looks into it for an order
    return select(found).order_by(*in_order(found)).limit(limit)


def _key(tx: Transaction, source: FromClause, sort: Sort) -> ColumnElement[Any]:
    return by_bytes(tx, source) if sort.by is SortBy.NUMBER else source.c[_KEYS[sort.by][0].name]


def _in_order(tx: Transaction, source: FromClause, sort: Sort, is_descending: bool) -> list[ColumnElement[Any]]:
    key, row_id = _key(tx, source, sort), source.c.id
    return [key.desc(), row_id.desc()] if is_descending else [key.asc(), row_id.asc()]


def _pieces(tx: Transaction, sort: Sort, place: Cursor | None, is_descending: bool) -> list[tuple[ColumnElement[bool], ...]]:
    """Return what lies behind a place. Orders without an amount are a piece of their own: nothing compares with NULL."""
    key, row_id = _key(tx, ORDERS, sort), ORDERS.c.id
    if sort.by is not SortBy.AMOUNT:
        return [() if place is None else (_behind(key, place, is_descending),)]
    without, with_amount = key.is_(None), key.is_not(None)
    if place is None:
        return [(without,), (with_amount,)]
    if place.key[0] is None:
        rest = (without, row_id < place.id if is_descending else row_id > place.id)
        return [rest] if is_descending else [rest, (with_amount,)]
    behind = (with_amount, _behind(key, place, is_descending))
    return [behind, (without,)] if is_descending else [behind]


def _behind(key: ColumnElement[Any], place: Cursor, is_descending: bool) -> ColumnElement[bool]:
    here, there = tuple_(key, ORDERS.c.id), tuple_(literal(place.key[0], key.type), literal(place.id, ORDERS.c.id.type))
    return here < there if is_descending else here > there


def _listed(tx: Transaction, rows: Sequence[Row[Any]]) -> Iterator[ListedOrder]:
    owed = _refunds_to_record(tx, [row.id for row in rows])
    for row in rows:
        reason = Reason(row.reason) if row.reason else None
        step = FollowUp(row.follow_up) if row.follow_up else None
        refund_cents = owed.get(row.id, 0)
        yield ListedOrder(
            id=row.id,
            number=row.number,
            practice_id=row.practice_id,
            placed_at=row.placed_at,
            business_day=row.business_day,
            amount_cents=row.amount_cents,
            refunded_cents=row.refunded_cents,
            refund_to_record_cents=refund_cents,
            store_state=row.store_state,
            public_status=row.public_status,
            reason=reason,
            detail=row.detail,
            next_step=(
                next_step(Reason.REFUND_TO_RECORD) if refund_cents else next_step_of(row.state, reason, row.detail, step)
            ),
            state=row.state,
            changed_at=row.changed_at,
            version=row.version,
            is_new_account=row.matched_by == "created",
        )


def _refunds_to_record(tx: Transaction, order_ids: Sequence[int]) -> dict[int, int]:
    if not order_ids:
        return {}
    query = (
        select(_CASES.c.order_id, func.sum(_CASES.c.amount_cents))
        .where(_CASES.c.order_id.in_(order_ids), _CASES.c.reason == Reason.REFUND_TO_RECORD.value, OPEN_CASE)
        .group_by(_CASES.c.order_id)
    )
    return {order_id: int(cents or 0) for order_id, cents in tx.session.execute(query)}
