"""Settle: what people do about the differences that the reports show; who, when and why is kept.

The first one wins: whoever acts on what has changed meanwhile gets `DifferenceChangedError`. What they give as a reason is
kept for ever, so it may hold no patient data (`note_rules`): `PermanentError` says what has to be left out.
"""

from __future__ import annotations

from sqlalchemy import select

from order_sync.answers import Trouble
from order_sync.choices import customer_of
from order_sync.desk import Desk
from order_sync.errors import PermanentError
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.differences import (
    assign_difference,
    park_difference,
    read_difference,
    reopen_difference,
    resolve_difference,
)
from order_sync.ledger.models import OrderRow
from order_sync.ledger.report_models import DifferenceRow, DifferenceState, Resolution
from order_sync.ledger.session import Ledger, Transaction
from order_sync.note_rules import clean_note, what_is_wrong
from order_sync.reconciliation.statement_record import restore_line


def take_on(ledger: Ledger, difference_id: int, *, actor: str, seen: DifferenceState) -> None:
    """Let the actor own a difference."""
    with ledger.transaction() as tx:
        assign_difference(tx, difference_id, owner=actor, by=actor, seen=seen)
        _keep(tx, difference_id, actor, "taken on")


def let_wait(desk: Desk, difference_id: int, *, actor: str, reason: str, seen: DifferenceState) -> None:
    """Let a difference wait for somebody or something, which `reason` names."""
    said = _checked(desk, difference_id, reason)
    with desk.ledger.transaction() as tx:
        park_difference(tx, difference_id, by=actor, reason=said, seen=seen)
        _keep(tx, difference_id, actor, "waits")


def settle(desk: Desk, difference_id: int, *, actor: str, resolution: Resolution, reason: str, seen: DifferenceState) -> None:
    """Settle a difference; a later report opens it again when its class or its amount is another one by then."""
    said = _checked(desk, difference_id, reason)
    with desk.ledger.transaction() as tx:
        resolve_difference(tx, difference_id, resolution=resolution, by=actor, reason=said, seen=seen)
        _keep(tx, difference_id, actor, f"settled: {resolution.value}")


def reopen(desk: Desk, difference_id: int, *, actor: str, reason: str, seen: DifferenceState) -> None:
    """Put a settled difference back among the open ones."""
    said = _checked(desk, difference_id, reason)
    with desk.ledger.transaction() as tx:
        reopen_difference(tx, difference_id, by=actor, reason=said, seen=seen)
        _keep(tx, difference_id, actor, "opened again")


def _checked(desk: Desk, difference_id: int, reason: str) -> str:
    """Return the reason on one line; raises `PermanentError` when it is empty or holds patient data."""
    said = clean_note(reason)
    if said is None:
        msg = "please say why"
        raise PermanentError(msg)
    with desk.ledger.reading() as tx:
        row = read_difference(tx, difference_id)
        order = _order_of(tx, row) if row is not None else None
        today = desk.practice.business_day(tx.now)
    if row is None or row.practice_id != desk.practice.id:
        msg = "there is no such difference in this practice"
        raise PermanentError(msg)
    line = restore_line(row.line)
    ours = (row.number, line.marker, *line.payment_ids)
    wrong = what_is_wrong(said, today=today, ours=ours)
    if wrong is None and order is not None:
        customer = customer_of(desk, order)
        if isinstance(customer, Trouble):
            wrong = f"The reason cannot be checked for the customer's name. {customer.sentence}"
        else:
            wrong = what_is_wrong(said, today=today, customer=customer, ours=ours)
    if wrong is not None:
        raise PermanentError(wrong.rstrip("."))
    return said


def _order_of(tx: Transaction, row: DifferenceRow) -> OrderRow | None:
    entity_id = row.line.get("entity_id")
    if entity_id is None:
        return None
    query = select(OrderRow).where(OrderRow.practice_id == row.practice_id, OrderRow.entity_id == entity_id)
    return tx.session.scalars(query).one_or_none()


def _keep(tx: Transaction, difference_id: int, actor: str, what: str) -> None:
    row = read_difference(tx, difference_id)
    if row is not None:
        order = _order_of(tx, row)
        record_action(
            tx,
            Action.DIFFERENCE_CHANGED,
            actor=actor,
            practice_id=row.practice_id,
            order_id=order.id if order else None,
            detail=f"difference {difference_id}, {row.cause}: {what}",
        )
