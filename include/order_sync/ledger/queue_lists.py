"""The queue as a list: what waits for a person, the oldest or the largest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, func, literal, select, tuple_

from order_sync.ledger.columns import UtcDateTime, table_of
from order_sync.ledger.cursors import Cursor, Kind, decode_cursor
from order_sync.ledger.models import OPEN_CASE, CaseRow, OrderRow, PaymentRow
from order_sync.ledger.order_filters import Condition
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason

PAGE_SIZE = 50

_CASES = table_of(CaseRow)
_LARGEST_FIRST = -func.coalesce(func.abs(_CASES.c.amount_cents), -1)


class CaseKind(StrEnum):
    """What a case is about; the value begins its cause."""

    ORDER = "order"
    REFUND = "refund"
    PRACTICE = "practice"
    UNDO = "undo"
    """A payment on a wrong patient, which is to be voided and posted to the right one."""


class QueueSort(StrEnum):
    """The order of the queue; the value stands in URLs."""

    OLDEST = "oldest"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which open cases are shown; every field that is set narrows them."""

    practice_ids: tuple[str, ...]
    """The practices that the visitor may see, or those among them that were asked for. None: nothing is shown."""
    reason: Reason | None = None
    kind: CaseKind | None = None
    assignee: str | None = None
    """A login: those that this person took."""
    is_unassigned: bool = False
    """Only those that nobody took."""
    is_waiting: bool | None = None
    """True: only those that are put off to a later time; False: none of them; None: they stand below the others."""


@dataclass(frozen=True, slots=True)
class QueuedCase:
    """One open case. Rows are snapshots."""

    case: CaseRow
    is_waiting: bool
    """Somebody has put it off, and the time has not come."""
    order: OrderRow | None
    """None when the whole practice is in trouble."""
    payment: PaymentRow | None
    """What was, or was to be, posted for the order: its marker is what to look for."""

    @property
    def kind(self) -> CaseKind:
        """Return what it is about."""
        return CaseKind(self.case.cause.split(":", 1)[0])


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue; a cursor is None where the queue ends."""

    cases: tuple[QueuedCase, ...]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many open cases there are."""

    due: int
    waiting: int
    mine: int
    unassigned: int

    @property
    def open(self) -> int:
        """Return all of them."""
        return self.due + self.waiting


def list_cases(
    tx: Transaction,
    wanted: QueueFilter,
    sort: QueueSort = QueueSort.OLDEST,
    cursor: str | None = None,
    limit: int = PAGE_SIZE,
) -> QueuePage:
    """Return a page of the open cases that are wanted: the first one, or the one that a cursor names.

    Cases that are put off come last. Raises `CursorError` for a cursor that is none of this list's.
    """
    kind: Kind = datetime if sort is QueueSort.OLDEST else int
    place = decode_cursor(cursor, sort=sort.value, kinds=[int, kind]) if cursor else None
    key: ColumnElement[Any] = _CASES.c.opened_at if sort is QueueSort.OLDEST else _LARGEST_FIRST
    columns = (_is_put_off(tx), key, _CASES.c.id)
    is_backward = place is not None and place.is_backward
    query = select(CaseRow, *columns[:2]).where(*_conditions(tx, wanted)).limit(limit + 1)
    query = query.order_by(*(column.desc() if is_backward else column.asc() for column in columns))
    if place is not None:
        here, there = tuple_(*columns), _values(columns, place)
        query = query.where(here < there if is_backward else here > there)
    rows = list(tx.session.execute(query))
    is_more, rows = len(rows) > limit, rows[:limit]
    if is_backward:
        rows.reverse()
    ends = [Cursor(sort.value, backward, tuple(row[1:]), row[0].id).encode() for row, backward in _ends(rows)]
    follows, precedes = (True, is_more) if is_backward else (is_more, place is not None)
    return QueuePage(
        cases=_with_orders(tx, [(row[0], bool(row[1])) for row in rows]),
        next_cursor=ends[1] if rows and follows else None,
        previous_cursor=ends[0] if rows and precedes else None,
    )


def case_of(tx: Transaction, case_id: int, practice_ids: tuple[str, ...]) -> CaseRow | None:
    """Return a case, open or closed; None when there is none, or when it is of none of these practices."""
    return tx.session.scalars(select(CaseRow).where(CaseRow.id == case_id, CaseRow.practice_id.in_(practice_ids))).one_or_none()


def cases_by_reason(tx: Transaction, wanted: QueueFilter) -> dict[Reason, int]:
    """Return how many open cases each reason has under the other filters, the most first."""
    query = (
        select(_CASES.c.reason, func.count())
        .where(*_conditions(tx, replace(wanted, reason=None)))
        .group_by(_CASES.c.reason)
        .order_by(func.count().desc(), _CASES.c.reason)
    )
    return {Reason(reason): count for reason, count in tx.session.execute(query)}


def count_cases(tx: Transaction, practice_ids: tuple[str, ...], login: str) -> QueueCounts:
    """Return how many open cases these practices have, and how many of them this person took."""
    put_off = _is_put_off(tx)
    query = select(
        func.count(),
        func.coalesce(func.sum(put_off), 0),
        func.coalesce(func.sum(case((_CASES.c.assignee == login, 1), else_=0)), 0),
        func.coalesce(func.sum(case((_CASES.c.assignee.is_(None), 1), else_=0)), 0),
    ).where(_CASES.c.practice_id.in_(practice_ids), OPEN_CASE)
    total, waiting, mine, unassigned = (int(count) for count in tx.session.execute(query).one())
    return QueueCounts(due=total - waiting, waiting=waiting, mine=mine, unassigned=unassigned)


def _is_put_off(tx: Transaction) -> ColumnElement[int]:
    return case((_CASES.c.wait_until > literal(tx.now, UtcDateTime), 1), else_=0)


def _conditions(tx: Transaction, wanted: QueueFilter) -> list[Condition]:
    conditions: list[Condition] = [_CASES.c.practice_id.in_(wanted.practice_ids), OPEN_CASE]
    if wanted.reason is not None:
        conditions.append(_CASES.c.reason == wanted.reason.value)
    if wanted.kind is not None:
        conditions.append(_CASES.c.cause.startswith(f"{wanted.kind.value}:"))
    if wanted.assignee is not None:
        conditions.append(_CASES.c.assignee == wanted.assignee)
    if wanted.is_unassigned:
        conditions.append(_CASES.c.assignee.is_(None))
    if wanted.is_waiting is not None:
        conditions.append(_is_put_off(tx) == int(wanted.is_waiting))
    return conditions


def _values(columns: Sequence[ColumnElement[Any]], place: Cursor) -> ColumnElement[Any]:
    put_off, key = place.key
    return tuple_(literal(put_off, Integer), literal(key, columns[1].type), literal(place.id, _CASES.c.id.type))


def _ends(rows: Sequence[Any]) -> list[tuple[Any, bool]]:
    return [(rows[0], True), (rows[-1], False)] if rows else []


def _with_orders(tx: Transaction, cases: Sequence[tuple[CaseRow, bool]]) -> tuple[QueuedCase, ...]:
    ids = [row.order_id for row, _ in cases if row.order_id is not None]
    if not ids:
        return tuple(QueuedCase(row, is_waiting, None, None) for row, is_waiting in cases)
    orders = {order.id: order for order in tx.session.scalars(select(OrderRow).where(OrderRow.id.in_(ids)))}
    payments = {row.order_id: row for row in tx.session.scalars(select(PaymentRow).where(PaymentRow.order_id.in_(ids)))}
    return tuple(
        QueuedCase(
            row,
            is_waiting,
            orders.get(row.order_id) if row.order_id else None,
            payments.get(row.order_id) if row.order_id else None,
        )
        for row, is_waiting in cases
    )
