"""The statuses that the store has still to be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import func, or_, select, update

from order_sync.ledger.models import OrderRow, OutboxRow
from order_sync.ledger.session import Transaction

_RETRY_MINUTES = (5, 15, 60)


def unsent_statuses(
    tx: Transaction, practice_id: str, *, limit: int, only: Collection[int] | None = None, is_exclusive: bool = False
) -> list[tuple[OutboxRow, OrderRow]]:
    """Return the practice's statuses that are due to be written, oldest first."""
    query = (
        select(OutboxRow, OrderRow)
        .join(OrderRow, OrderRow.id == OutboxRow.order_id)
        .where(
            OutboxRow.practice_id == practice_id,
            OutboxRow.sent_at.is_(None),
            or_(OutboxRow.not_before.is_(None), OutboxRow.not_before <= tx.now),
        )
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    if only is not None:
        query = query.where(OutboxRow.order_id.in_(only))
    if is_exclusive:
        query = query.with_for_update(skip_locked=True, of=OutboxRow)
    return [(outbox, order) for outbox, order in tx.session.execute(query)]


def lease_statuses(
    tx: Transaction, practice_id: str, *, limit: int, seconds: float, only: Collection[int] | None = None
) -> list[tuple[OutboxRow, OrderRow]]:
    """Return the statuses that are due to be written, and keep them from every other process for `seconds`.

    Two processes that wrote the same status as a comment would leave two comments.
    """
    leased = unsent_statuses(tx, practice_id, limit=limit, only=only, is_exclusive=True)
    tx.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_([outbox.id for outbox, _ in leased]))
        .values(not_before=tx.now + timedelta(seconds=seconds))
        .execution_options(synchronize_session=False)
    )
    return leased


def stuck_statuses(tx: Transaction, practice_id: str, *, tries: int) -> list[OutboxRow]:
    """Return the practice's statuses that could not be written in this many tries, oldest first."""
    query = (
        select(OutboxRow)
        .where(OutboxRow.practice_id == practice_id, OutboxRow.sent_at.is_(None), OutboxRow.tries >= tries)
        .order_by(OutboxRow.id)
    )
    return list(tx.session.scalars(query))


def mark_sent(tx: Transaction, ids: Sequence[int], *, note: str | None = None) -> None:
    """Record that the store has these statuses; `note` says what is special, such as a status that staff had set."""
    tx.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(ids), OutboxRow.sent_at.is_(None))
        .values(sent_at=tx.now, last_error=note and note[:255])
        .execution_options(synchronize_session=False)
    )


def postpone(tx: Transaction, row: OutboxRow, reason: str) -> None:
    """Record that a status could not be written, and when to try again."""
    wait = _RETRY_MINUTES[min(row.tries, len(_RETRY_MINUTES) - 1)]
    tx.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row.id, OutboxRow.sent_at.is_(None))
        .values(tries=row.tries + 1, last_error=reason[:255], not_before=tx.now + timedelta(minutes=wait))
        .execution_options(synchronize_session=False)
    )


def tell_again(tx: Transaction, written: Sequence[int]) -> None:
    """Tell the store the newest status of each order once more whose older one was overtaken while it was written.

    The two writes may have arrived in either order.
    """
    overtaken = select(OutboxRow.order_id).where(OutboxRow.id.in_(written), OutboxRow.is_superseded)
    newest = select(func.max(OutboxRow.id)).where(OutboxRow.order_id.in_(overtaken)).group_by(OutboxRow.order_id)
    tx.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(newest), ~OutboxRow.is_superseded)
        .values(sent_at=None, not_before=None)
        .execution_options(synchronize_session=False)
    )


def withdraw_statuses(tx: Transaction, order_id: int) -> None:
    """Leave an order's unsent statuses untold: the store has it from somebody else."""
    tx.session.execute(
        update(OutboxRow)
        .where(OutboxRow.order_id == order_id, OutboxRow.sent_at.is_(None))
        .values(sent_at=tx.now, is_superseded=True)
        .execution_options(synchronize_session=False)
    )
