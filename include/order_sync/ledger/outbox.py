"""The statuses that the store has still to be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Integer, bindparam, func, or_, select, update

from order_sync.ledger.columns import UtcDateTime, table_of
from order_sync.ledger.models import OrderRow, OutboxRow
from order_sync.ledger.session import Transaction

_RETRY_MINUTES = (5, 15, 60)

_OUTBOX, _ORDERS = table_of(OutboxRow), table_of(OrderRow)
_OF_PRACTICE = _OUTBOX.c.practice_id == bindparam("of_practice")
_IS_UNSENT = _OUTBOX.c.sent_at.is_(None)
_IS_RESTED = or_(_OUTBOX.c.not_before.is_(None), _OUTBOX.c.not_before <= bindparam("now", type_=UtcDateTime))
_AMONG = _OUTBOX.c.id.in_(bindparam("ids", expanding=True))
_UNSENT = (
    select(OutboxRow, OrderRow)
    .join(OrderRow, _ORDERS.c.id == _OUTBOX.c.order_id)
    .where(_OF_PRACTICE, _IS_UNSENT, _IS_RESTED)
    .order_by(_OUTBOX.c.id)
    .limit(bindparam("most", type_=Integer))
)
_UNSENT_LOCKED = _UNSENT.with_for_update(skip_locked=True, of=OutboxRow)
_LEASE = update(_OUTBOX).where(_AMONG).values(not_before=bindparam("leased_until"))
_STUCK = select(OutboxRow).where(_OF_PRACTICE, _IS_UNSENT, _OUTBOX.c.tries >= bindparam("so_often")).order_by(_OUTBOX.c.id)
_SEND = update(_OUTBOX).where(_AMONG, _IS_UNSENT).values(sent_at=bindparam("now"), last_error=bindparam("note"))
_OVERTAKEN = select(_OUTBOX.c.order_id).where(_AMONG, _OUTBOX.c.is_superseded)
_NEWEST = select(func.max(_OUTBOX.c.id)).where(_OUTBOX.c.order_id.in_(_OVERTAKEN)).group_by(_OUTBOX.c.order_id)
_TELL_AGAIN = update(_OUTBOX).where(_OUTBOX.c.id.in_(_NEWEST), ~_OUTBOX.c.is_superseded).values(sent_at=None, not_before=None)


def unsent_statuses(
    tx: Transaction, practice_id: str, *, limit: int, only: Collection[int] | None = None, is_exclusive: bool = False
) -> list[tuple[OutboxRow, OrderRow]]:
    """Return the practice's statuses that are due to be written, oldest first."""
    query = _UNSENT_LOCKED if is_exclusive else _UNSENT
    if only is not None:
        query = query.where(_OUTBOX.c.order_id.in_(only))
    due = tx.session.execute(query, {"of_practice": practice_id, "now": tx.now, "most": limit})
    return [(outbox, order) for outbox, order in due]


def lease_statuses(
    tx: Transaction, practice_id: str, *, limit: int, seconds: float, only: Collection[int] | None = None
) -> list[tuple[OutboxRow, OrderRow]]:
    """Return the statuses that are due to be written, and keep them from every other process for `seconds`.

    Two processes that wrote the same status as a comment would leave two comments.
    """
    leased = unsent_statuses(tx, practice_id, limit=limit, only=only, is_exclusive=True)
    if leased:
        until = tx.now + timedelta(seconds=seconds)
        tx.session.execute(_LEASE, {"ids": [outbox.id for outbox, _ in leased], "leased_until": until})
    return leased


def stuck_statuses(tx: Transaction, practice_id: str, *, tries: int) -> list[OutboxRow]:
    """Return the practice's statuses that could not be written in this many tries, oldest first."""
    return list(tx.session.scalars(_STUCK, {"of_practice": practice_id, "so_often": tries}))


def mark_sent(tx: Transaction, ids: Sequence[int], *, note: str | None = None) -> None:
    """Record that the store has these statuses; `note` says what is special, such as a status that staff had set."""
    tx.session.execute(_SEND, {"ids": list(ids), "now": tx.now, "note": note and note[:255]})


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
    tx.session.execute(_TELL_AGAIN, {"ids": list(written)})


def withdraw_statuses(tx: Transaction, order_id: int) -> None:
    """Leave an order's unsent statuses untold: the store has it from somebody else."""
    tx.session.execute(
        update(OutboxRow)
        .where(OutboxRow.order_id == order_id, OutboxRow.sent_at.is_(None))
        .values(sent_at=tx.now, is_superseded=True)
        .execution_options(synchronize_session=False)
    )
