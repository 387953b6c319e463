"""The ledger's tables.

They hold order numbers, amounts, Nextech ids and decisions; never a name, an address, a birth date or a contact
(design section 8). A test names every text column and what may stand in it.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from order_sync.ledger.columns import LedgerTable, UtcDateTime, text_enum
from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus

OPEN_CASE = text("state IN ('open', 'assigned', 'waiting')")
"""Spelt out wherever open cases are looked up: with bound values SQLite would not use the index of the open ones."""

IS_NOT_SYNCED = text("public_status <> 'Synced'")
HAS_REASON = text("reason IS NOT NULL")
IS_NEW_ACCOUNT = text("matched_by = 'created'")
"""Spelt out, too, wherever the orders of a partial index are looked up."""
SHOWN_BY_INDEX = ("business_day", "amount_cents", "changed_at", "number", "matched_by")
"""What a list is filtered and sorted by: with these in an index nobody fetches ten thousand rows to show fifty."""

ID = BigInteger().with_variant(Integer, "sqlite")


class CaseState(StrEnum):
    """How far a row of the manual resolution queue is."""

    OPEN = "open"
    ASSIGNED = "assigned"
    WAITING = "waiting"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


class AttemptKind(StrEnum):
    """What an attempt tried to create in Nextech."""

    PAYMENT = "payment"
    PATIENT = "patient"


class PracticeProgress(LedgerTable):
    """How far a practice has been read, and whether its posting is held back."""

    __tablename__ = "practice_progress"

    practice_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    watermark: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Everything that changed in the store before this is in the ledger."""
    unknown_in_a_row: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    """Unclear POST outcomes since the last clear one; three open the breaker (reliability 3.7)."""
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a whole run last went through."""


class OrderRow(LedgerTable):
    """One order of the store and where it stands."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("practice_id", "entity_id"),
        Index("ix_orders_practice_id_state", "practice_id", "state"),
        Index("ix_orders_practice_id_number", "practice_id", "number"),
        # On PostgreSQL it compares numbers by their bytes, which SQLAlchemy does not see: revision 0008.
        Index("ix_orders_practice_id_number_bytewise", "practice_id", "number", "id", "business_day"),
        Index("ix_orders_practice_id_placed_at", "practice_id", "placed_at", "id"),
        Index("ix_orders_practice_id_amount_cents", "practice_id", "amount_cents", "id"),
        Index("ix_orders_practice_id_changed_at", "practice_id", "changed_at", "id", "business_day"),
        Index(
            "ix_orders_practice_id_business_day",
            *("practice_id", "business_day", "public_status", "amount_cents", "changed_at", "number", "id"),
        ),
        Index(
            "ix_orders_practice_id_public_status",
            *("practice_id", "public_status", "placed_at", "id", "reason", *SHOWN_BY_INDEX),
            postgresql_where=IS_NOT_SYNCED,
            sqlite_where=IS_NOT_SYNCED,
        ),
        Index(
            "ix_orders_practice_id_reason",
            *("practice_id", "reason", "placed_at", "id", "public_status", *SHOWN_BY_INDEX),
            postgresql_where=HAS_REASON,
            sqlite_where=HAS_REASON,
        ),
        Index(
            "ix_orders_new_accounts",
            *("practice_id", "placed_at", "id", "public_status", "reason", *SHOWN_BY_INDEX),
            postgresql_where=IS_NEW_ACCOUNT,
            sqlite_where=IS_NEW_ACCOUNT,
        ),
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    entity_id: Mapped[int] = mapped_column(BigInteger)
    """The store's key; `number` may repeat across stores and documents (store contract section 3)."""
    number: Mapped[str] = mapped_column(String(64))
    store_id: Mapped[int] = mapped_column(Integer, default=0)
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    business_day: Mapped[date] = mapped_column(Date)
    """The practice-local day of `placed_at`."""
    store_updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    store_state: Mapped[str] = mapped_column(String(40))
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    """The grand total; None when it is no payable amount."""
    refunded_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    customer_key: Mapped[str | None] = mapped_column(String(64))
    """Keyed hash that a person's decision is remembered under."""
    follow_up: Mapped[str | None] = mapped_column(String(40))
    """What the front desk makes of it once posted: a bill, or a bill or quote."""

    state: Mapped[OrderState] = mapped_column(text_enum(OrderState, "state"))
    public_status: Mapped[PublicStatus] = mapped_column(text_enum(PublicStatus, "public_status"))
    reason: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(255))
    version: Mapped[int] = mapped_column(Integer, default=0)
    """Grows by one with every step; every step compares it first."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)

    patient_id: Mapped[str | None] = mapped_column(String(64))
    match_level: Mapped[int | None] = mapped_column(Integer)
    match_evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Agreement per field, rule version, number of candidates: no values."""
    matched_by: Mapped[str | None] = mapped_column(String(80))
    """rule, remembered, created, or the person who picked."""

    account_wanted_by: Mapped[str | None] = mapped_column(String(80))
    """The person who decided that none of the patients is the customer: a new account is to be made."""

    claimed_by: Mapped[str | None] = mapped_column(String(80))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Do not take the order up again before this."""
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it last failed, or last became Not Synced."""
    handed_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the DAG last gave it a `sync_order` task of its own."""

    released: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Reasons (`reasons.Reason`) that a person has looked at and let through; none once the store changes the order."""

    @property
    def let_through(self) -> frozenset[Reason]:
        """Return what a person has released of the order as it stands in the store."""
        return frozenset(Reason(reason) for reason in self.released or ())

    @property
    def why(self) -> Reason | None:
        """Return the reason as a member of its closed set."""
        return Reason(self.reason) if self.reason else None


class PaymentRow(LedgerTable):
    """What is posted, or is to be posted, for an order: one row at most."""

    __tablename__ = "payments"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    practice_id: Mapped[str] = mapped_column(String(40), index=True)
    posting_key: Mapped[str] = mapped_column(String(160), unique=True)
    marker: Mapped[str] = mapped_column(String(40), unique=True)
    patient_id: Mapped[str] = mapped_column(String(64), index=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    business_day: Mapped[date] = mapped_column(Date)
    request_sha256: Mapped[str | None] = mapped_column(String(64))
    payment_id: Mapped[str | None] = mapped_column(String(64), index=True)
    """Nextech's id, once it is known."""
    settle_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Before this, an absent payment is not yet believed to be absent."""
    absent_reads: Mapped[int] = mapped_column(Integer, default=0)
    last_absent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a complete read last showed it as it should be."""
    unrelated_payment_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Payments of the same amount and day that a person has said are something else."""
    voided_rows: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True))
    """Before it was posted anew: the patients who had it, each with the rows that stood voided there."""


class AttemptRow(LedgerTable):
    """One attempt to create something in Nextech, written before the call; its outcome is set once, after it."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_order_id", "order_id"),)

    attempt_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[AttemptKind] = mapped_column(text_enum(AttemptKind, "kind"))
    fence: Mapped[int] = mapped_column(Integer)
    """The order's version under this attempt; only a holder of it may record the outcome."""
    request_sha256: Mapped[str] = mapped_column(String(64))
    intended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline: Mapped[datetime] = mapped_column(UtcDateTime)
    """After this the attempt can no longer be under way, and recovery may look for its result."""
    outcome: Mapped[PostOutcome | None] = mapped_column(text_enum(PostOutcome, "outcome"))
    http_status: Mapped[int | None] = mapped_column(Integer)
    request_id: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(String(255))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HistoryRow(LedgerTable):
    """One step of an order: append-only, held so by a trigger."""

    __tablename__ = "order_history"
    __table_args__ = (Index("ix_order_history_order_id", "order_id"),)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_state: Mapped[str | None] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(255))
    actor: Mapped[str] = mapped_column(String(80))
    """`sync`, or the login of the person who acted."""


class CaseRow(LedgerTable):
    """What a person has to decide or do: about an order, or about a whole practice."""

    __tablename__ = "manual_resolution_queue"
    __table_args__ = (
        Index(
            "uq_manual_resolution_queue_open_cause",
            "cause",
            unique=True,
            postgresql_where=OPEN_CASE,
            sqlite_where=OPEN_CASE,
        ),
        Index("ix_manual_resolution_queue_practice_id_state", "practice_id", "state"),
        Index("ix_manual_resolution_queue_order_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    """None when the whole practice is in trouble."""
    order_number: Mapped[str | None] = mapped_column(String(64))
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    cause: Mapped[str] = mapped_column(String(120))
    """At most one case per cause is open."""
    reason: Mapped[str] = mapped_column(String(40))
    sentence: Mapped[str] = mapped_column(String(400))
    next_step: Mapped[str] = mapped_column(String(255))
    state: Mapped[CaseState] = mapped_column(text_enum(CaseState, "state"), default=CaseState.OPEN)
    assignee: Mapped[str | None] = mapped_column(String(80))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the cause was last met: a practice's trouble that goes on keeps its one row."""
    times_seen: Mapped[int] = mapped_column(Integer, default=1)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(String(80))
    resolution: Mapped[str | None] = mapped_column(String(255))
    candidate_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """The Nextech patients among whom a person has to choose; their details are fetched live."""
    note: Mapped[str | None] = mapped_column(String(255))
    """What a member of staff wrote for the others; it is checked for patient data before it is kept."""
    noted_by: Mapped[str | None] = mapped_column(String(80))
    noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    wait_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then the case stands below the others."""
    version: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    """Grows by one with everything that a person does with the case; who acts compares it first."""


class OutboxRow(LedgerTable):
    """A status that the store has still to be told."""

    __tablename__ = "status_outbox"
    __table_args__ = (Index("ix_status_outbox_practice_id_sent_at", "practice_id", "sent_at"),)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    run_key: Mapped[str] = mapped_column(String(36), unique=True)
    """Makes the write repeatable: the same change carries the same key."""
    status: Mapped[PublicStatus] = mapped_column(text_enum(PublicStatus, "status"))
    message: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was written, or superseded by a later one."""
    is_superseded: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(255))


class RememberedPatient(LedgerTable):
    """A person's decision that a store customer is a patient: reused, shown, and revocable."""

    __tablename__ = "remembered_patients"
    __table_args__ = (
        Index(
            "uq_remembered_patients_current",
            "practice_id",
            "customer_key",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
            sqlite_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    customer_key: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str] = mapped_column(String(64))
    decided_by: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(80))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ClaimRow(LedgerTable):
    """Who works on something that only one process may do at a time."""

    __tablename__ = "claims"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class RateSlot(LedgerTable):
    """The next free instant for requests of one API user to one endpoint, shared by all processes (reliability R13)."""

    __tablename__ = "rate_slots"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    next_free_epoch: Mapped[float] = mapped_column(Float)
    """Seconds since 1970 on the database's clock."""


class SweepRow(LedgerTable):
    """That a run has finished its steps for a practice, so that the fan-out need not wait for a hanging one."""

    __tablename__ = "sweeps"

    run_id: Mapped[str] = mapped_column(String(250), primary_key=True)
    practice_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RestoreRow(LedgerTable):
    """That somebody put an older copy of the ledger back: rows are only ever added, and a practice's latest one holds."""

    __tablename__ = "restores"
    __table_args__ = (Index("ix_restores_practice_id", "practice_id"),)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    practice_id: Mapped[str] = mapped_column(String(40))
    declared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    declared_by: Mapped[str] = mapped_column(String(80))
