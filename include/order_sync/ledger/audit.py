"""The audit trail: who looked at patient data, and who did what on the Orders pages."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import insert, select

from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.columns import table_of
from order_sync.ledger.session import Transaction

_ADD = insert(table_of(AuditRow))


class Action(StrEnum):
    """The closed set of what is written down; the value is what is stored."""

    # Patient data was shown.
    PATIENT_VIEWED = "patient_viewed"
    CANDIDATES_VIEWED = "candidates_viewed"
    PATIENTS_SEARCHED = "patients_searched"
    # An order was decided about.
    PATIENT_CHOSEN = "patient_chosen"
    ACCOUNT_CREATED = "account_created"
    POSTED_AGAIN = "posted_again"
    POSTED_BY_HAND_CONFIRMED = "posted_by_hand_confirmed"
    DISMISSED = "dismissed"
    RELEASED = "released"
    RETRIED = "retried"
    UNDO_BEGUN = "undo_begun"
    VOID_LOOKED_FOR = "void_looked_for"
    POSTED_ELSEWHERE = "posted_elsewhere"
    CHOICE_FORGOTTEN = "choice_forgotten"
    # The queue was worked on.
    ASSIGNED = "assigned"
    NOTED = "noted"
    WAIT_SET = "wait_set"
    CASE_DISMISSED = "case_dismissed"
    REFUND_TIED = "refund_tied"
    REFUND_LEFT = "refund_left"
    # The reports' differences were worked on.
    DIFFERENCE_CHANGED = "difference_changed"
    # Something left by a file.
    EXPORTED = "exported"
    REPORT_DOWNLOADED = "report_downloaded"


def record_action(
    tx: Transaction, action: Action, *, actor: str, practice_id: str, order_id: int | None = None, detail: str | None = None
) -> None:
    """Write down what a person did or saw; `detail` holds our own words and ids, never patient data."""
    written = {
        "at": tx.now,
        "actor": actor[:80],
        "practice_id": practice_id,
        "order_id": order_id,
        "action": action.value,
        "detail": detail and detail[:255],
    }
    tx.session.execute(_ADD, written)


def audit_of_order(tx: Transaction, order_id: int, *, limit: int = 200) -> list[AuditRow]:
    """Return what people did with an order and saw of it, newest first."""
    query = select(AuditRow).where(AuditRow.order_id == order_id).order_by(AuditRow.id.desc()).limit(limit)
    return list(tx.session.scalars(query))


def list_audit(
    tx: Transaction, practice_ids: Collection[str], *, before_id: int | None = None, actor: str | None = None, limit: int = 100
) -> list[AuditRow]:
    """Return the trail of these practices, newest first; `before_id` is the last id of the page before."""
    query = select(AuditRow).where(AuditRow.practice_id.in_(practice_ids)).order_by(AuditRow.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AuditRow.id < before_id)
    if actor is not None:
        query = query.where(AuditRow.actor == actor)
    return list(tx.session.scalars(query))
