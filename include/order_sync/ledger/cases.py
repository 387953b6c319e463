"""The manual resolution queue: open a case, see it again, close it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from order_sync.ledger.models import CaseRow, CaseState, OrderRow
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason, next_step, sentence

OPEN_STATES = (CaseState.OPEN, CaseState.ASSIGNED, CaseState.WAITING)


def order_cause(order_id: int) -> str:
    """Return the cause under which an order's own case is open."""
    return f"order:{order_id}"


def refund_cause(order_id: int) -> str:
    """Return the cause under which an order's refund waits to be recorded."""
    return f"refund:{order_id}"


def practice_cause(practice_id: str, reason: Reason) -> str:
    """Return the cause of a whole practice's trouble."""
    return f"practice:{practice_id}:{reason.value}"


def open_case(
    tx: Transaction,
    *,
    practice_id: str,
    cause: str,
    reason: Reason,
    detail: str | None = None,
    order: OrderRow | None = None,
    amount_cents: int | None = None,
    candidate_ids: Sequence[str] | None = None,
) -> int:
    """Open a case, or refresh the one that is open for this cause; return its id.

    A cause has one open row at most: the row of a trouble that goes on keeps its age and its assignee.
    """
    text, step = sentence(reason, detail)[:400], next_step(reason)
    row = tx.session.scalars(select(CaseRow).where(CaseRow.cause == cause, CaseRow.state.in_(OPEN_STATES))).one_or_none()
    if row is None:
        row = CaseRow(
            practice_id=practice_id,
            order_id=order.id if order else None,
            order_number=order.number if order else None,
            cause=cause,
            opened_at=tx.now,
            state=CaseState.OPEN,
            times_seen=0,
        )
        tx.session.add(row)
    row.reason, row.sentence, row.next_step = reason.value, text, step
    row.amount_cents = amount_cents if amount_cents is not None else (order.amount_cents if order else None)
    row.candidate_ids = list(candidate_ids) if candidate_ids is not None else None
    row.last_seen_at = tx.now
    row.times_seen += 1
    tx.session.flush()
    return row.id


def close_case(tx: Transaction, cause: str, *, by: str, resolution: str, state: CaseState = CaseState.RESOLVED) -> bool:
    """Close the case that is open for this cause; return whether there was one."""
    closed = tx.session.execute(
        update(CaseRow)
        .where(CaseRow.cause == cause, CaseRow.state.in_(OPEN_STATES))
        .values(state=state, closed_at=tx.now, closed_by=by, resolution=resolution[:255])
        .execution_options(synchronize_session="fetch")
    )
    return bool(closed.rowcount)  # type: ignore[attr-defined]


def open_cases(tx: Transaction, practice_id: str | None = None) -> list[CaseRow]:
    """Return the open cases, oldest first."""
    query = select(CaseRow).where(CaseRow.state.in_(OPEN_STATES)).order_by(CaseRow.opened_at, CaseRow.id)
    if practice_id is not None:
        query = query.where(CaseRow.practice_id == practice_id)
    return list(tx.session.scalars(query))
