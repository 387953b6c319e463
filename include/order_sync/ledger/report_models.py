"""The reconciliation's tables: reports, their lines, the differences that people work off, and the letters that left.

Order numbers, amounts, Nextech payment ids and decisions; never a patient (design section 8).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from order_sync.ledger.columns import LedgerTable, UtcDateTime, text_enum
from order_sync.ledger.models import ID
from order_sync.reconciliation.periods import PeriodKind

OPEN_DIFFERENCE = text("state <> 'resolved'")
"""Spelt out wherever open differences are looked up, so that both databases use the index of the open ones."""


class DifferenceState(StrEnum):
    """How far a difference is (reconciliation, workflow)."""

    OPEN = "open"
    ASSIGNED = "assigned"
    WAITING = "waiting"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Resolution(StrEnum):
    """How a difference was settled."""

    FIXED_AT_SOURCE = "fixed_at_source"
    CARRIED_FORWARD = "carried_forward"
    WRITTEN_OFF = "written_off"
    NOT_AN_ERROR = "not_an_error"


class LetterKind(StrEnum):
    """What was mailed."""

    REPORT = "report"
    ALARM = "alarm"


class DeliveryState(StrEnum):
    """How far a letter is on its way."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    """The mail server has taken it over."""
    FAILED = "failed"


class ReportRow(LedgerTable):
    """One report of one practice and period; a period that changed later has several versions."""

    __tablename__ = "reconciliation_reports"
    __table_args__ = (
        UniqueConstraint("practice_id", "first_day", "last_day", "version", name="uq_reconciliation_reports_version"),
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    report_id: Mapped[str] = mapped_column(String(100), unique=True)
    """What a reader quotes: "eastern-2026-11-02-v1"."""
    period_kind: Mapped[PeriodKind] = mapped_column(text_enum(PeriodKind, "period_kind"))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer)
    cut_off: Mapped[datetime] = mapped_column(UtcDateTime)
    store_in_cents: Mapped[int] = mapped_column(BigInteger)
    store_back_cents: Mapped[int] = mapped_column(BigInteger)
    posted_cents: Mapped[int] = mapped_column(BigInteger)
    recorded_back_cents: Mapped[int] = mapped_column(BigInteger)
    variance_cents: Mapped[int] = mapped_column(BigInteger)
    closing_gift_cards_cents: Mapped[int | None] = mapped_column(BigInteger)
    """What was owed to the holders of gift cards at the end: the next period's opening."""
    facts_sha256: Mapped[str] = mapped_column(String(64))
    """Over what each line says of money: the same hash is the same report."""
    statement: Mapped[dict[str, Any]] = mapped_column(JSON)
    """All that the letter says, without its lines."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When both systems were last read anew and still said this."""
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a later version took its place: the period was re-opened."""


class LineRow(LedgerTable):
    """One line of a report: an order or an entry in its class."""

    __tablename__ = "reconciliation_lines"
    __table_args__ = (Index("ix_reconciliation_lines_report_id_class", "report_id", "class"),)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_reports.id"))
    position: Mapped[int] = mapped_column(Integer)
    """Its place in the report, from 0."""
    class_: Mapped[str] = mapped_column("class", String(40))
    """A code of reconciliation.classes.DifferenceClass."""
    subject: Mapped[str] = mapped_column(String(120), index=True)
    """`order:` with the store's key, or `entry:` with Nextech's payment id."""
    number: Mapped[str | None] = mapped_column(String(64), index=True)
    explains_cents: Mapped[int] = mapped_column(BigInteger)
    line: Mapped[dict[str, Any]] = mapped_column(JSON)
    """All that the report says of it."""


class DifferenceRow(LedgerTable):
    """A difference that a person works off: it outlives the reports that show it."""

    __tablename__ = "reconciliation_differences"
    __table_args__ = (
        UniqueConstraint("practice_id", "cause"),
        Index("ix_reconciliation_differences_practice_id_state", "practice_id", "state"),
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(140))
    """The subject, and whether it is about its payment or its refund: one row for each, for ever."""
    number: Mapped[str | None] = mapped_column(String(64))
    class_: Mapped[str] = mapped_column("class", String(40))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[DifferenceState] = mapped_column(text_enum(DifferenceState, "state"))
    owner: Mapped[str | None] = mapped_column(String(80))
    line: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the last report that showed it said of it."""
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """From when its age counts: the order's, the memo's or the entry's own time."""
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolution: Mapped[Resolution | None] = mapped_column(text_enum(Resolution, "resolution"))
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DifferenceHistoryRow(LedgerTable):
    """One step of a difference: who, when and why; append-only, held so by a trigger."""

    __tablename__ = "difference_history"

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    difference_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_differences.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_state: Mapped[str | None] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    class_: Mapped[str] = mapped_column("class", String(40))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str] = mapped_column(String(80))
    """`reconciliation`, or the login of the person who acted."""
    reason: Mapped[str | None] = mapped_column(String(255))


class DeliveryRow(LedgerTable):
    """One letter to one address: whether it left, when, and who took it over."""

    __tablename__ = "report_deliveries"
    __table_args__ = (Index("ix_report_deliveries_practice_id_state", "practice_id", "state"),)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    report_id: Mapped[int | None] = mapped_column(ForeignKey("reconciliation_reports.id"), index=True)
    """None for an alarm without a report."""
    kind: Mapped[LetterKind] = mapped_column(text_enum(LetterKind, "kind"))
    recipient: Mapped[str] = mapped_column(String(254))
    """An address of the practice's staff, from practices.yaml."""
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    is_repeat: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """The same report was accepted for this address before; the subject says so."""
    state: Mapped[DeliveryState] = mapped_column(text_enum(DeliveryState, "state"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_by: Mapped[str | None] = mapped_column(String(254))
    """The mail server that took it over."""
    last_error: Mapped[str | None] = mapped_column(String(255))
