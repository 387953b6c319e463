"""Reports as a list: the newest version of each, page by page, and which of their lines speak of an order or a payment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Date, and_, literal, or_, select, tuple_

from order_sync.ledger.cursors import Cursor, CursorError, decode_cursor
from order_sync.ledger.differences import asks_for_a_person
from order_sync.ledger.models import OrderRow
from order_sync.ledger.report_models import DeliveryRow, DeliveryState, LineRow, ReportRow
from order_sync.ledger.session import Transaction
from order_sync.reconciliation.classes import TEXTS, DifferenceClass
from order_sync.reconciliation.periods import PeriodKind
from order_sync.reconciliation.statement import Line
from order_sync.reconciliation.statement_record import restore_line

PAGE_SIZE = 50
_SORT = "reports"
_FOR_A_PERSON = tuple(class_.value for class_ in DifferenceClass if asks_for_a_person(class_))
_SEARCHED_DAYS = 100
"""How far back an order is looked for that only a report knows: the ledger has none of that number."""


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports to list."""

    practice_ids: tuple[str, ...]
    """No report of another practice is shown."""
    kind: PeriodKind | None = None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page of the list, the latest period first."""

    rows: tuple[ReportRow, ...]
    next_cursor: str | None
    """Where the page of older ones begins; None at the end."""
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A line of a report that speaks of what was searched for."""

    report: ReportRow
    line: Line


def list_reports(tx: Transaction, wanted: ReportFilter, cursor: str | None = None, limit: int = PAGE_SIZE) -> ReportPage:
    """Return a page of the newest versions of the reports: the first one, or the one that a cursor names.

    Raises `CursorError` for a cursor that is none of this list's.
    """
    place = _decode(cursor) if cursor else None
    is_backward = place is not None and place.is_backward
    query = select(ReportRow).where(*_conditions(wanted), *([_beyond(place)] if place else []))
    order = (ReportRow.last_day, ReportRow.id) if is_backward else (ReportRow.last_day.desc(), ReportRow.id.desc())
    found = list(tx.session.scalars(query.order_by(*order).limit(limit + 1)))
    is_more, rows = len(found) > limit, found[:limit]
    if is_backward:
        rows.reverse()
    follows, precedes = (True, is_more) if is_backward else (is_more, place is not None)
    return ReportPage(
        tuple(rows),
        next_cursor=_cursor_at(rows[-1], is_backward=False) if rows and follows else None,
        previous_cursor=_cursor_at(rows[0], is_backward=True) if rows and precedes else None,
    )


def to_do_counts(tx: Transaction, reports: Sequence[ReportRow]) -> dict[int, int]:
    """Return how long the to-do list of each report is, by its key: as its page counts it, without reading its lines."""
    earlier = {
        row.id: {(line["subject"], TEXTS[DifferenceClass(line["class_"])].section) for line in row.statement["still_open"]}
        for row in reports
    }
    subjects = sorted({subject for pairs in earlier.values() for subject, _ in pairs})
    listed = _listed(tx, [row.id for row in reports if earlier[row.id]], subjects)
    return {
        row.id: len(earlier[row.id] - listed.get(row.id, set()))
        + sum(total["count"] for total in row.statement["classes"] if total["class_"] in _FOR_A_PERSON)
        for row in reports
    }


def letter_states(tx: Transaction, reports: Sequence[ReportRow]) -> dict[int, Counter[DeliveryState]]:
    """Return how many letters of each report are in which state, by the report's key."""
    states: dict[int, Counter[DeliveryState]] = {row.id: Counter() for row in reports}
    query = select(DeliveryRow.report_id, DeliveryRow.recipient, DeliveryRow.state)
    last: dict[tuple[int | None, str], DeliveryState] = {}
    for report_id, recipient, state in tx.session.execute(
        query.where(DeliveryRow.report_id.in_(states)).order_by(DeliveryRow.id)
    ):
        if last.get((report_id, recipient)) is not DeliveryState.ACCEPTED:
            last[report_id, recipient] = state
    for (report_id, _), state in last.items():
        if report_id is not None:
            states[report_id][state] += 1
    return states


def versions_of(tx: Transaction, report: ReportRow) -> list[ReportRow]:
    """Return the other versions of a report's period, the newest first."""
    query = select(ReportRow).where(
        ReportRow.practice_id == report.practice_id,
        ReportRow.first_day == report.first_day,
        ReportRow.last_day == report.last_day,
        ReportRow.id != report.id,
    )
    return list(tx.session.scalars(query.order_by(ReportRow.version.desc())))


def lines_of_class(tx: Transaction, report: ReportRow, class_: DifferenceClass, *, offset: int, limit: int) -> list[Line]:
    """Return some lines of one class, in the report's own order."""
    query = select(LineRow.line).where(LineRow.report_id == report.id, LineRow.class_ == class_.value)
    return [restore_line(line) for line in tx.session.scalars(query.order_by(LineRow.position).offset(offset).limit(limit))]


def lines_of_subject(tx: Transaction, report: ReportRow, subject: str) -> list[Line]:
    """Return what a report says of one order or payment: one line, or its payment's and its refund's."""
    query = select(LineRow.line).where(LineRow.report_id == report.id, LineRow.subject == subject)
    return [restore_line(line) for line in tx.session.scalars(query.order_by(LineRow.position))]


def find_lines(tx: Transaction, practice_ids: Collection[str], number: str, *, limit: int = 60) -> list[NamedLine]:
    """Return the lines about an order's number or a payment's id, the latest period first.

    What only a report knows, an order that the sync has never seen or an entry that names it, is looked for in the reports
    of the last hundred days.
    """
    orders = tx.session.execute(
        select(OrderRow.practice_id, OrderRow.entity_id).where(
            OrderRow.practice_id.in_(practice_ids), OrderRow.number == number
        )
    )
    subjects = [
        *(and_(ReportRow.practice_id == practice_id, LineRow.subject == f"order:{key}") for practice_id, key in orders),
        LineRow.subject == f"entry:{number}",
    ]
    since = (tx.now - timedelta(days=_SEARCHED_DAYS)).date()
    found = {
        line.id: (line, report)
        for condition in (or_(*subjects), and_(ReportRow.last_day >= since, LineRow.number == number))
        for line, report in tx.session.execute(
            select(LineRow, ReportRow)
            .join(ReportRow, LineRow.report_id == ReportRow.id)
            .where(condition, *_conditions(ReportFilter(tuple(practice_ids))))
            .order_by(ReportRow.last_day.desc(), LineRow.id.desc())
            .limit(limit)
        )
    }
    latest = sorted(found.values(), key=lambda pair: (pair[1].last_day, pair[0].id), reverse=True)
    return [NamedLine(report, restore_line(line.line)) for line, report in latest[:limit]]


def order_keys_of(tx: Transaction, practice_id: str, lines: Collection[Line]) -> dict[int, int]:
    """Return the ledger's keys of the orders that these lines are about, by the store's; what it does not know is missing."""
    entity_ids = {line.entity_id for line in lines if line.entity_id is not None}
    query = select(OrderRow.entity_id, OrderRow.id).where(
        OrderRow.practice_id == practice_id, OrderRow.entity_id.in_(entity_ids)
    )
    return {row.entity_id: row.id for row in tx.session.execute(query)}


def _conditions(wanted: ReportFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ReportRow.practice_id.in_(wanted.practice_ids), ReportRow.superseded_at.is_(None)]
    return conditions if wanted.kind is None else [*conditions, ReportRow.period_kind == wanted.kind]


def _decode(text: str) -> Cursor:
    cursor = decode_cursor(text, sort=_SORT, kinds=[str])
    try:
        date.fromisoformat(str(cursor.key[0]))
    except ValueError:
        raise CursorError from None
    return cursor


def _cursor_at(row: ReportRow, *, is_backward: bool) -> str:
    return Cursor(_SORT, is_backward, (row.last_day.isoformat(),), row.id).encode()


def _beyond(place: Cursor) -> ColumnElement[bool]:
    day = date.fromisoformat(str(place.key[0]))
    here, there = tuple_(ReportRow.last_day, ReportRow.id), tuple_(literal(day, Date), literal(place.id, ReportRow.id.type))
    return here > there if place.is_backward else here < there


def _listed(tx: Transaction, report_keys: Sequence[int], subjects: Sequence[str]) -> dict[int, set[tuple[str, object]]]:
    """Return which of these subjects are on the to-do lists of these reports by their own lines."""
    listed: dict[int, set[tuple[str, object]]] = {}
    query = select(LineRow.report_id, LineRow.subject, LineRow.class_).where(
        LineRow.report_id.in_(report_keys), LineRow.class_.in_(_FOR_A_PERSON), LineRow.subject.in_(subjects)
    )
    for report_key, subject, class_ in tx.session.execute(query):
        listed.setdefault(report_key, set()).add((subject, TEXTS[DifferenceClass(class_)].section))
    return listed
