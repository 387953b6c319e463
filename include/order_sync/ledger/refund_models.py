"""The tables of the refund debt: what the store gave back for posted orders, and which payments of Nextech record it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from order_sync.ledger.columns import LedgerTable, UtcDateTime
from order_sync.ledger.models import ID


class RefundRow(LedgerTable):
    """One credit memo of an order that was posted."""

    __tablename__ = "refunds"
    __table_args__ = (UniqueConstraint("practice_id", "memo_id"), Index("ix_refunds_order_id", "order_id"))

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    memo_id: Mapped[int] = mapped_column(BigInteger)
    """The store's key of the credit memo."""
    memo_number: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    is_offline: Mapped[bool] = mapped_column(Boolean)
    """The store gave nothing back itself: no money moved through the gateway."""


class RefundPaymentRow(LedgerTable):
    """So much of a refund is recorded in Nextech by this payment; the row goes when staff void the payment."""

    __tablename__ = "refund_payments"
    __table_args__ = (Index("ix_refund_payments_practice_id_payment_id", "practice_id", "payment_id"),)

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    payment_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    settled_cents: Mapped[int] = mapped_column(BigInteger)
    is_by_name: Mapped[bool] = mapped_column(Boolean)
    """It names the order; else it has the same patient and the exact amount, and nothing else fitted."""
    settled_at: Mapped[datetime] = mapped_column(UtcDateTime)
