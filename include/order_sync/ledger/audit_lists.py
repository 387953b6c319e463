"""The audit trail as a list: by order, person and day, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, union_all

from order_sync.ledger.audit import Action
from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.cursors import Cursor, decode_cursor
from order_sync.ledger.models import OrderRow
from order_sync.ledger.session import Transaction

PAGE_SIZE = 100
_SORT = "audit"


@dataclass(frozen=True, slots=True)
class Span:
    """A time in one practice: a day of a practice's own begins where it is."""

    practice_id: str
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which part of the trail is shown; every field that is set narrows it."""

    spans: tuple[Span, ...]
    """The practices that the visitor may see, each with the time that is asked for."""
    order_number: str | None = None
    actor: str | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One look or one deed, and the number of the order that it was about."""

    row: AuditRow
    order_number: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the trail, newest first; a cursor is None where the trail ends."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None
    previous_cursor: str | None


def list_entries(tx: Transaction, wanted: AuditFilter, cursor: str | None = None, limit: int = PAGE_SIZE) -> AuditPage:
    """Return a page of the trail, newest first: the first one, or the one that a cursor names.

    Raises `CursorError` for a cursor that is none of this list's.
    """
    place = decode_cursor(cursor, sort=_SORT, kinds=[]) if cursor else None
    is_backward = place is not None and place.is_backward
    query = select(AuditRow, OrderRow.number).outerjoin(OrderRow, AuditRow.order_id == OrderRow.id)
    order = AuditRow.id.asc() if is_backward else AuditRow.id.desc()
    beyond = [] if place is None else [AuditRow.id > place.id if is_backward else AuditRow.id < place.id]
    if wanted.spans and wanted.order_number is None:
        # Each practice is asked for its own first ones, which its index holds in this order: no database sorts the others.
        first = (
            select(AuditRow.id).where(_within(span), *_others(wanted), *beyond).order_by(order).limit(limit + 1).subquery()
            for span in wanted.spans
        )
        query = query.where(AuditRow.id.in_(union_all(*(select(piece) for piece in first))))
    else:
        query = query.where(*_conditions(wanted), *beyond)
    found = [AuditEntry(row, number) for row, number in tx.session.execute(query.order_by(order).limit(limit + 1))]
    is_more, entries = len(found) > limit, found[:limit]
    if is_backward:
        entries.reverse()
    follows, precedes = (True, is_more) if is_backward else (is_more, place is not None)
    return AuditPage(
        tuple(entries),
        next_cursor=Cursor(_SORT, is_backward=False, key=(), id=entries[-1].row.id).encode() if entries and follows else None,
        previous_cursor=Cursor(_SORT, is_backward=True, key=(), id=entries[0].row.id).encode()
        if entries and precedes
        else None,
    )


def _within(span: Span) -> ColumnElement[bool]:
    return and_(
        AuditRow.practice_id == span.practice_id,
        *([AuditRow.at >= span.begins] if span.begins else []),
        *([AuditRow.at < span.ends] if span.ends else []),
    )


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    spans = [_within(span) for span in wanted.spans]
    conditions: list[ColumnElement[bool]] = [or_(*spans)] if spans else [AuditRow.practice_id.is_(None)]
    if wanted.order_number is not None:
        # The number may be long gone from the store's list, and stands in several practices: the order's own id decides.
        of_number = select(OrderRow.id).where(
            OrderRow.practice_id.in_([span.practice_id for span in wanted.spans]), OrderRow.number == wanted.order_number
        )
        conditions.append(AuditRow.order_id.in_(of_number))
    return [*conditions, *_others(wanted)]


def _others(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    """Return what is neither about practices nor about orders."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        conditions.append(AuditRow.actor == wanted.actor)
    if wanted.action is not None:
        conditions.append(AuditRow.action == wanted.action.value)
    return conditions
