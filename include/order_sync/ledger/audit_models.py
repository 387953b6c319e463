"""The audit trail's table: who looked at patient data, and who did what on the Orders pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from order_sync.ledger.columns import LedgerTable, UtcDateTime
from order_sync.ledger.models import ID


class AuditRow(LedgerTable):
    """One look or one deed of a person: append-only, held so by a trigger."""

    __tablename__ = "audit_trail"
    __table_args__ = (
        Index("ix_audit_trail_order_id", "order_id"),
        Index("ix_audit_trail_practice_id", "practice_id", "id"),
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(80))
    """The login of the person."""
    practice_id: Mapped[str] = mapped_column(String(40))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    action: Mapped[str] = mapped_column(String(40))
    """A code of audit.Action."""
    detail: Mapped[str | None] = mapped_column(String(255))
    """Our own words, ids and numbers; never what was searched for, never what was seen."""
