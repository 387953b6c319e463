"""Settle: what people do about the differences that the reports show; who, when and why is kept.

The first one wins: whoever acts on what has changed meanwhile gets `DifferenceChangedError`.
"""

from __future__ import annotations

from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.differences import (
    assign_difference,
    park_difference,
    read_difference,
    reopen_difference,
    resolve_difference,
)
from order_sync.ledger.report_models import DifferenceState, Resolution
from order_sync.ledger.session import Ledger, Transaction


def take_on(ledger: Ledger, difference_id: int, *, actor: str, seen: DifferenceState) -> None:
    """Let the actor own a difference."""
    with ledger.transaction() as tx:
        assign_difference(tx, difference_id, owner=actor, by=actor, seen=seen)
        _keep(tx, difference_id, actor, "taken on")


def let_wait(ledger: Ledger, difference_id: int, *, actor: str, reason: str, seen: DifferenceState) -> None:
    """Let a difference wait for somebody or something, which `reason` names."""
    with ledger.transaction() as tx:
        park_difference(tx, difference_id, by=actor, reason=reason, seen=seen)
        _keep(tx, difference_id, actor, "waits")


def settle(
    ledger: Ledger, difference_id: int, *, actor: str, resolution: Resolution, reason: str, seen: DifferenceState
) -> None:
    """Settle a difference; a later report opens it again when its class or its amount is another one by then."""
    with ledger.transaction() as tx:
        resolve_difference(tx, difference_id, resolution=resolution, by=actor, reason=reason, seen=seen)
        _keep(tx, difference_id, actor, f"settled: {resolution.value}")


def reopen(ledger: Ledger, difference_id: int, *, actor: str, reason: str, seen: DifferenceState) -> None:
    """Put a settled difference back among the open ones."""
    with ledger.transaction() as tx:
        reopen_difference(tx, difference_id, by=actor, reason=reason, seen=seen)
        _keep(tx, difference_id, actor, "opened again")


def _keep(tx: Transaction, difference_id: int, actor: str, what: str) -> None:
    row = read_difference(tx, difference_id)
    if row is not None:
        record_action(
            tx,
            Action.DIFFERENCE_CHANGED,
            actor=actor,
            practice_id=row.practice_id,
            detail=f"difference {difference_id}, {row.cause}: {what}",
        )
