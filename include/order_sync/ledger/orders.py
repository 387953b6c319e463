"""The orders' lives: take one in, claim some, move one a step. Every step writes history, queue and outbox with it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, bindparam, insert, or_, select, update

from order_sync import reasons
from order_sync.crash_points import Point, reach
from order_sync.errors import LedgerBusyError, PermanentError
from order_sync.ledger.cases import close_case, close_refunds, open_case, open_refund, order_cause
from order_sync.ledger.columns import UtcDateTime, table_of
from order_sync.ledger.models import CaseState, HistoryRow, OrderRow, OutboxRow
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason
from order_sync.statuses import ALLOWED_STEPS, OrderState, PublicStatus, public_status

SYNC = "sync"
"""The actor of everything that no person did."""

_STILL_WANTED = frozenset({OrderState.RECEIVED, OrderState.CREATING})
"""Until its account is made, or somebody has to decide anew, an order remembers that a person wants a new account."""

_HANDED_OUT = frozenset({OrderState.QUEUED, OrderState.CLOSED_VOIDED})
"""An order that comes here without a person's doing became Not Synced, and the run says so (design section 4)."""

_RUN_KEYS = uuid.UUID("5b0c4f6e-0d8d-5d2b-9a53-1c1f7b0f4a10")

# Statements are built once, and mostly on the tables: building one anew costs several times what executing it does.
_ORDERS, _HISTORY, _OUTBOX = table_of(OrderRow), table_of(HistoryRow), table_of(OutboxRow)
_OF_PRACTICE = _ORDERS.c.practice_id == bindparam("of_practice")
_IN_STATES = _ORDERS.c.state.in_(bindparam("in_states", type_=_ORDERS.c.state.type, expanding=True))
_NOW = bindparam("now", type_=UtcDateTime)
_IS_FREE = or_(_ORDERS.c.claimed_until.is_(None), _ORDERS.c.claimed_until < _NOW)
_IS_RESTED = or_(_ORDERS.c.not_before.is_(None), _ORDERS.c.not_before <= _NOW)
_OLDEST_FIRST = (_ORDERS.c.placed_at, _ORDERS.c.id)
_BY_ID = select(OrderRow).where(_ORDERS.c.id == bindparam("order_id")).execution_options(populate_existing=True)
_BY_ENTITY_ID = select(OrderRow).where(_OF_PRACTICE, _ORDERS.c.entity_id.in_(bindparam("entity_ids", expanding=True)))
_BY_NUMBER = select(OrderRow).where(_OF_PRACTICE, _ORDERS.c.number == bindparam("of_number")).order_by(_ORDERS.c.id)
_BY_STATE = select(OrderRow).where(_OF_PRACTICE, _IN_STATES).order_by(*_OLDEST_FIRST)
_QUEUED_BECAUSE = _BY_STATE.where(_ORDERS.c.reason.in_(bindparam("reasons", expanding=True)))
_FIRST = select(_ORDERS.c.id).where(_OF_PRACTICE, _IN_STATES).limit(1)
_MOVE = update(_ORDERS).where(_ORDERS.c.id == bindparam("known_id"), _ORDERS.c.version == bindparam("known_version"))
_UPDATE = update(_ORDERS).where(_ORDERS.c.id == bindparam("known_id"))
_ADD_HISTORY, _ADD_STATUS = insert(_HISTORY), insert(_OUTBOX)
_SUPERSEDE = (
    update(_OUTBOX)
    .where(_OUTBOX.c.order_id == bindparam("known_id"), _OUTBOX.c.sent_at.is_(None))
    .values(sent_at=bindparam("now"), is_superseded=True)
)
_CLAIMABLE = (
    select(_ORDERS.c.id)
    .where(_OF_PRACTICE, _IN_STATES, _IS_FREE)
    .order_by(*_OLDEST_FIRST)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_CLAIMABLE_AND_RESTED = _CLAIMABLE.where(_IS_RESTED)
_CLAIM = (
    update(_ORDERS)
    .where(_ORDERS.c.id.in_(bindparam("ids", expanding=True)), _OF_PRACTICE, _IN_STATES, _IS_FREE)
    .values(claimed_by=bindparam("token"), claimed_until=bindparam("until"))
)
_CLAIMED = (
    select(OrderRow)
    .where(_ORDERS.c.id.in_(bindparam("ids", expanding=True)), _ORDERS.c.claimed_by == bindparam("token"))
    .order_by(*_OLDEST_FIRST)
    .execution_options(populate_existing=True)
)
_RELEASE = _MOVE.where(_ORDERS.c.claimed_by.is_not_distinct_from(bindparam("known_claim")))
_IS_NOT_HANDED_OUT = or_(_ORDERS.c.handed_out_at.is_(None), _ORDERS.c.handed_out_at < _ORDERS.c.failed_at)
_EVER_FAILED = (
    select(OrderRow).where(_OF_PRACTICE, _ORDERS.c.failed_at.is_not(None)).order_by(_ORDERS.c.failed_at, _ORDERS.c.id)
)
_FAILED = _EVER_FAILED.where(_IS_NOT_HANDED_OUT)
_FAILED_OR_LOST = _EVER_FAILED.where(or_(_IS_NOT_HANDED_OUT, _ORDERS.c.handed_out_at >= bindparam("since", type_=UtcDateTime)))
_HAND_OUT = update(_ORDERS).where(_ORDERS.c.id.in_(bindparam("ids", expanding=True))).values(handed_out_at=bindparam("now"))


@dataclass(frozen=True, slots=True)
class Step:
    """Where an order goes, and why."""

    to: OrderState
    reason: Reason | None = None
    detail: str | None = None
    actor: str = SYNC
    candidate_ids: Sequence[str] | None = None
    """For a case in which a person chooses among patients."""


def find_orders(tx: Transaction, practice_id: str, entity_ids: Iterable[int]) -> dict[int, OrderRow]:
    """Return the known orders among these of the store, by entity id."""
    known = tx.session.scalars(_BY_ENTITY_ID, {"of_practice": practice_id, "entity_ids": list(entity_ids)})
    return {row.entity_id: row for row in known}


def find_orders_by_number(tx: Transaction, practice_id: str, number: str) -> list[OrderRow]:
    """Return the practice's orders of this number; usually one (the store's numbers are unique per store view only)."""
    return list(tx.session.scalars(_BY_NUMBER, {"of_practice": practice_id, "of_number": number}))


def read_order(tx: Transaction, order_id: int) -> OrderRow:
    """Return the order as it stands now."""
    return tx.session.scalars(_BY_ID, {"order_id": order_id}).one()


def orders_in(
    tx: Transaction, practice_id: str, states: Collection[OrderState], *, only: Collection[int] | None = None
) -> list[OrderRow]:
    """Return the practice's orders in these states, oldest first; `only` narrows it to some order ids."""
    query = _BY_STATE if only is None else _BY_STATE.where(_ORDERS.c.id.in_(only))
    return list(tx.session.scalars(query, {"of_practice": practice_id, "in_states": list(states)}))


def queued_orders(
    tx: Transaction, practice_id: str, because: Collection[Reason], *, only: Collection[int] | None = None
) -> list[OrderRow]:
    """Return the practice's orders that wait for a person for one of these reasons, oldest first."""
    query = _QUEUED_BECAUSE if only is None else _QUEUED_BECAUSE.where(_ORDERS.c.id.in_(only))
    reasons_for_it = [reason.value for reason in because]
    asked = {"of_practice": practice_id, "in_states": [OrderState.QUEUED], "reasons": reasons_for_it}
    return list(tx.session.scalars(query, asked))


def has_orders_in(
    tx: Transaction, practice_id: str, states: Collection[OrderState], *, only: Collection[int] | None = None
) -> bool:
    """Say whether the practice has an order in one of these states; `only` narrows it to some order ids."""
    query = _FIRST if only is None else _FIRST.where(_ORDERS.c.id.in_(only))
    return tx.session.scalar(query, {"of_practice": practice_id, "in_states": list(states)}) is not None


def add_order(tx: Transaction, row: OrderRow, step: Step) -> OrderRow:
    """Record an order that is new to the ledger, in the state of `step`."""
    row.state, row.public_status = step.to, public_status(step.to)
    row.reason, row.detail = step.reason and step.reason.value, step.detail and step.detail[:255]
    row.version = 0
    row.changed_at = row.first_seen_at = tx.now
    if step.to is OrderState.QUEUED:
        row.failed_at = tx.now
    tx.session.add(row)
    tx.session.flush()
    _write_along(tx, row, None, step)
    return row


def move(tx: Transaction, order: OrderRow, step: Step, **changes: object) -> OrderRow:
    """Move an order one step if nobody moved it since it was read; return it as it is now.

    In the same transaction: the history row, the status for the store when the public word or its reason changed, the
    opening of a case when the step leads to a person and the closing of it when the step leads away, and the case of a
    refund that was made before the payment was posted (design sections 4 and 6).
    Raises `LedgerBusyError` when the order was moved meanwhile, and `PermanentError` for a step that does not exist.
    """
    if (order.state, step.to) not in ALLOWED_STEPS and order.state is not step.to:
        msg = f"order {order.number} of practice {order.practice_id}: no step leads from {order.state} to {step.to}"
        raise PermanentError(msg)
    before, shown_before = order.state, (order.public_status, order.reason, order.detail)
    reason, detail = step.reason and step.reason.value, step.detail and step.detail[:255]
    values: dict[str, Any] = {
        "state": step.to,
        "public_status": public_status(step.to),
        "reason": reason,
        "detail": detail,
        "version": order.version + 1,
        "changed_at": tx.now,
        "claimed_by": None,
        "claimed_until": None,
        "not_before": None,
        **changes,
    }
    if order.account_wanted_by is not None and step.to not in _STILL_WANTED:
        values["account_wanted_by"] = None
    if step.to in _HANDED_OUT and (order.state is not step.to or reason != order.reason):
        values["failed_at"] = tx.now
    done = tx.session.execute(_MOVE, {"known_id": order.id, "known_version": order.version, **values})
    if not done.rowcount:  # type: ignore[attr-defined]
        msg = f"order {order.number} of practice {order.practice_id}: changed meanwhile; the next run takes it up again"
        raise LedgerBusyError(msg)
    moved = read_order(tx, order.id)
    _write_along(tx, moved, before, step, shown_before)
    return moved


def _write_along(
    tx: Transaction,
    row: OrderRow,
    before: OrderState | None,
    step: Step,
    shown_before: tuple[PublicStatus, str | None, str | None] | None = None,
) -> None:
    taken = {
        "order_id": row.id,
        "at": tx.now,
        "from_state": before,
        "to_state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "actor": step.actor[:80],
    }
    tx.session.execute(_ADD_HISTORY, taken)
    if row.state is OrderState.QUEUED and step.reason is not None:
        open_case(
            tx,
            practice_id=row.practice_id,
            cause=order_cause(row.id),
            reason=step.reason,
            detail=step.detail,
            order=row,
            candidate_ids=step.candidate_ids,
        )
        reach(Point.CASE_WRITTEN)
    elif before is OrderState.QUEUED:
        state = CaseState.DISMISSED if row.state is OrderState.CLOSED else CaseState.RESOLVED
        close_case(tx, order_cause(row.id), by=step.actor, resolution=f"order is {row.state.value}", state=state)
    if row.state is OrderState.CONFIRMED and row.refunded_cents:
        open_refund(tx, row, row.refunded_cents)
    if row.state is OrderState.NOTHING_TO_POST and before is not None:  # it was posted before, voided, and refunded since
        close_refunds(tx, row.id, by=step.actor, resolution="nothing is posted for it")
    if shown_before != (row.public_status, row.reason, row.detail):
        _tell_store(tx, row)
    tx.session.flush()


def _tell_store(tx: Transaction, row: OrderRow) -> None:
    tx.session.execute(_SUPERSEDE, {"known_id": row.id, "now": tx.now})
    message = reasons.sentence(Reason(row.reason), row.detail) if row.reason else ""
    key = uuid.uuid5(_RUN_KEYS, f"{row.practice_id}|{row.entity_id}|{row.version}|{row.public_status}|{message}")
    told = {
        "practice_id": row.practice_id,
        "order_id": row.id,
        "run_key": str(key),
        "status": row.public_status,
        "message": message[:255],
        "created_at": tx.now,
    }
    tx.session.execute(_ADD_STATUS, told)


def update_store_facts(tx: Transaction, order: OrderRow, **facts: object) -> None:
    """Record what the store says of an order without moving it; a posting that is under way keeps its version."""
    tx.session.execute(_UPDATE, {"known_id": order.id, **facts})


def claim_orders(
    tx: Transaction,
    practice_id: str,
    states: Collection[OrderState],
    *,
    seconds: float,
    limit: int,
    only: Collection[int] | None = None,
) -> list[OrderRow]:
    """Claim up to `limit` free orders in these states for `seconds`, oldest first, and return them.

    The claim keeps two runs, a rerun and a person's Send from working on one order at once. It is a convenience: what
    makes a second posting impossible is the comparison of versions in `move` (reliability 2.4).
    """
    at_them = {"of_practice": practice_id, "in_states": list(states), "now": tx.now}
    # A rerun that was asked for does not wait until an order is rested.
    wanted = _CLAIMABLE_AND_RESTED if only is None else _CLAIMABLE.where(_ORDERS.c.id.in_(only))
    ids = list(tx.session.scalars(wanted, {**at_them, "most": limit}))
    if not ids:
        return []
    token = str(uuid.uuid4())
    until = tx.now + timedelta(seconds=seconds)
    tx.session.execute(_CLAIM, {**at_them, "ids": ids, "token": token, "until": until})
    return list(tx.session.scalars(_CLAIMED, {"ids": ids, "token": token}))


def release_orders(tx: Transaction, orders: Iterable[OrderRow], *, failure: str | None = None) -> None:
    """Give claimed orders back where they stand.

    With `failure`, a sentence without patient data, the run hands them out one by one, and sweeps leave them alone for
    a minute, so that a sweep ends although some of its orders cannot be done.
    """
    for order in orders:
        values: dict[str, Any] = {"claimed_by": None, "claimed_until": None}
        if failure is not None:
            values |= {"failed_at": tx.now, "detail": failure[:255], "not_before": tx.now + timedelta(minutes=1)}
        mine = {"known_id": order.id, "known_version": order.version, "known_claim": order.claimed_by}
        tx.session.execute(_RELEASE, {**mine, **values})


def failed_orders(tx: Transaction, practice_id: str, *, handed_out_since: datetime | None = None) -> list[OrderRow]:
    """Return the orders that failed, or became Not Synced, since they were last handed out; oldest first.

    Those that were handed out since an instant are returned again when it is given: nobody may have got them.
    """
    if handed_out_since is None:
        return list(tx.session.scalars(_FAILED, {"of_practice": practice_id}))
    return list(tx.session.scalars(_FAILED_OR_LOST, {"of_practice": practice_id, "since": handed_out_since}))


def mark_handed_out(tx: Transaction, order_ids: Collection[int]) -> None:
    """Note that these orders have been given a task of their own."""
    if order_ids:
        tx.session.execute(_HAND_OUT, {"ids": list(order_ids), "now": tx.now})
