"""Letters in the ledger: written down before they leave, and what the mail server said of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from order_sync.ledger.report_models import DeliveryRow, DeliveryState, LetterKind
from order_sync.ledger.session import Transaction


def begin_delivery(
    tx: Transaction,
    *,
    practice_id: str,
    recipient: str,
    message_id: str,
    kind: LetterKind,
    report_id: int | None = None,
    is_repeat: bool = False,
) -> DeliveryRow:
    """Write down that a letter is about to leave (reliability K21, K22: what is not known to be accepted is sent again)."""
    row = DeliveryRow(
        practice_id=practice_id,
        report_id=report_id,
        kind=kind,
        recipient=recipient,
        message_id=message_id,
        is_repeat=is_repeat,
        state=DeliveryState.PENDING,
        created_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def finish_delivery(tx: Transaction, delivery_id: int, *, accepted_by: str | None, error: str | None = None) -> None:
    """Record that the server `accepted_by` took the letter over, or why none did."""
    row = tx.session.get_one(DeliveryRow, delivery_id)
    row.state = DeliveryState.ACCEPTED if accepted_by else DeliveryState.FAILED
    row.accepted_at = tx.now if accepted_by else None
    row.accepted_by, row.last_error = accepted_by, error


def has_left(tx: Transaction, report_id: int, recipient: str) -> bool:
    """Say whether this report has, or may have, gone to this address before: a letter without an outcome may have left."""
    return _is_there(tx, report_id, recipient, DeliveryRow.state != DeliveryState.FAILED)


def was_accepted_since(tx: Transaction, report_id: int, recipient: str, since: datetime) -> bool:
    """Say whether a mail server has taken this report over for this address at, or after, an instant."""
    return _is_there(tx, report_id, recipient, DeliveryRow.accepted_at >= since)


def _is_there(tx: Transaction, report_id: int, recipient: str, condition: ColumnElement[bool]) -> bool:
    asked = select(func.count()).where(DeliveryRow.report_id == report_id, DeliveryRow.recipient == recipient, condition)
    return bool(tx.session.scalar(asked))


def deliveries_of(tx: Transaction, report_id: int) -> list[DeliveryRow]:
    """Return every letter of a report, oldest first."""
    return list(tx.session.scalars(select(DeliveryRow).where(DeliveryRow.report_id == report_id).order_by(DeliveryRow.id)))
