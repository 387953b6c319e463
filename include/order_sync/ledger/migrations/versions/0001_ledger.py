"""Create the ledger's tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from order_sync.ledger.columns import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ORDER_STATES = (
    "received",
    "waiting",
    "creating",
    "matched",
    "intent",
    "unknown",
    "confirmed",
    "queued",
    "nothing_to_post",
    "disabled",
    "closed",
    "closed_voided",
)
PUBLIC_STATUSES = ("Synced", "Not Synced", "Disabled", "Waiting for Sync")
OPEN_CASE = sa.text("state IN ('open', 'assigned', 'waiting')")
CURRENT = sa.text("revoked_at IS NULL")


def _one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    """Create every table with its indexes."""
    _create_orders()
    _create_postings()
    _create_history()
    _create_queue()
    _create_outbox()
    _create_remembered()
    _create_coordination()


def downgrade() -> None:
    """Drop every table, those that point to others first."""
    for table in (
        "sweeps",
        "rate_slots",
        "claims",
        "practice_progress",
        "remembered_patients",
        "status_outbox",
        "manual_resolution_queue",
        "order_history",
        "attempts",
        "payments",
        "orders",
    ):
        op.drop_table(table)


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("entity_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("placed_at", UtcDateTime, nullable=False),
        sa.Column("business_day", sa.Date, nullable=False),
        sa.Column("store_updated_at", UtcDateTime, nullable=False),
        sa.Column("store_state", sa.String(40), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("amount_cents", sa.BigInteger),
        sa.Column("refunded_cents", sa.BigInteger, nullable=False),
        sa.Column("customer_key", sa.String(64)),
        sa.Column("follow_up", sa.String(40)),
        sa.Column("state", _one_of(ORDER_STATES, "state"), nullable=False),
        sa.Column("public_status", _one_of(PUBLIC_STATUSES, "public_status"), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("detail", sa.String(255)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("first_seen_at", UtcDateTime, nullable=False),
        sa.Column("patient_id", sa.String(64)),
        sa.Column("match_level", sa.Integer),
        sa.Column("match_evidence", sa.JSON),
        sa.Column("matched_by", sa.String(80)),
        sa.Column("claimed_by", sa.String(80)),
        sa.Column("claimed_until", UtcDateTime),
        sa.Column("not_before", UtcDateTime),
        sa.Column("failed_at", UtcDateTime),
        sa.Column("handed_out_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("practice_id", "entity_id", name="uq_orders_practice_id_entity_id"),
    )
    op.create_index("ix_orders_practice_id_state", "orders", ["practice_id", "state"])
    op.create_index("ix_orders_practice_id_number", "orders", ["practice_id", "number"])


def _create_postings() -> None:
    op.create_table(
        "payments",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("posting_key", sa.String(160), nullable=False),
        sa.Column("marker", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(64), nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("business_day", sa.Date, nullable=False),
        sa.Column("request_sha256", sa.String(64)),
        sa.Column("payment_id", sa.String(64)),
        sa.Column("settle_at", UtcDateTime),
        sa.Column("absent_reads", sa.Integer, nullable=False),
        sa.Column("last_absent_at", UtcDateTime),
        sa.Column("unrelated_payment_ids", sa.JSON),
        sa.Column("posted_at", UtcDateTime),
        sa.Column("verified_at", UtcDateTime),
        sa.PrimaryKeyConstraint("order_id", name="pk_payments"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payments_order_id_orders"),
        sa.UniqueConstraint("posting_key", name="uq_payments_posting_key"),
        sa.UniqueConstraint("marker", name="uq_payments_marker"),
    )
    for column in ("practice_id", "patient_id", "payment_id"):
        op.create_index(f"ix_payments_{column}", "payments", [column])
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.String(36), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("kind", _one_of(("payment", "patient"), "kind"), nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("intended_at", UtcDateTime, nullable=False),
        sa.Column("deadline", UtcDateTime, nullable=False),
        sa.Column("outcome", _one_of(("executed", "not_executed", "unknown"), "outcome")),
        sa.Column("http_status", sa.Integer),
        sa.Column("request_id", sa.String(120)),
        sa.Column("reason", sa.String(255)),
        sa.Column("finished_at", UtcDateTime),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_attempts_order_id_orders"),
    )
    op.create_index("ix_attempts_order_id", "attempts", ["order_id"])


def _create_history() -> None:
    op.create_table(
        "order_history",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("from_state", sa.String(40)),
        sa.Column("to_state", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("detail", sa.String(255)),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_history"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_history_order_id_orders"),
    )
    op.create_index("ix_order_history_order_id", "order_history", ["order_id"])


def _create_queue() -> None:
    op.create_table(
        "manual_resolution_queue",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("order_id", ID),
        sa.Column("order_number", sa.String(64)),
        sa.Column("amount_cents", sa.BigInteger),
        sa.Column("cause", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("sentence", sa.String(400), nullable=False),
        sa.Column("next_step", sa.String(255), nullable=False),
        sa.Column("state", _one_of(("open", "assigned", "waiting", "resolved", "dismissed"), "state"), nullable=False),
        sa.Column("assignee", sa.String(80)),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("last_seen_at", UtcDateTime, nullable=False),
        sa.Column("times_seen", sa.Integer, nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("closed_by", sa.String(80)),
        sa.Column("resolution", sa.String(255)),
        sa.Column("candidate_ids", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_manual_resolution_queue"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_manual_resolution_queue_order_id_orders"),
    )
    op.create_index(
        "uq_manual_resolution_queue_open_cause",
        "manual_resolution_queue",
        ["cause"],
        unique=True,
        postgresql_where=OPEN_CASE,
        sqlite_where=OPEN_CASE,
    )
    op.create_index("ix_manual_resolution_queue_practice_id_state", "manual_resolution_queue", ["practice_id", "state"])
    op.create_index("ix_manual_resolution_queue_order_id", "manual_resolution_queue", ["order_id"])


def _create_outbox() -> None:
    op.create_table(
        "status_outbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("run_key", sa.String(36), nullable=False),
        sa.Column("status", _one_of(PUBLIC_STATUSES, "status"), nullable=False),
        sa.Column("message", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime),
        sa.Column("is_superseded", sa.Boolean, server_default=sa.text("false"), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("not_before", UtcDateTime),
        sa.Column("last_error", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_status_outbox"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_status_outbox_order_id_orders"),
        sa.UniqueConstraint("run_key", name="uq_status_outbox_run_key"),
    )
    op.create_index("ix_status_outbox_order_id", "status_outbox", ["order_id"])
    op.create_index("ix_status_outbox_practice_id_sent_at", "status_outbox", ["practice_id", "sent_at"])


def _create_remembered() -> None:
    op.create_table(
        "remembered_patients",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("customer_key", sa.String(64), nullable=False),
        sa.Column("patient_id", sa.String(64), nullable=False),
        sa.Column("decided_by", sa.String(80), nullable=False),
        sa.Column("decided_at", UtcDateTime, nullable=False),
        sa.Column("revoked_by", sa.String(80)),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_remembered_patients"),
    )
    op.create_index(
        "uq_remembered_patients_current",
        "remembered_patients",
        ["practice_id", "customer_key"],
        unique=True,
        postgresql_where=CURRENT,
        sqlite_where=CURRENT,
    )


def _create_coordination() -> None:
    op.create_table(
        "practice_progress",
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("watermark", UtcDateTime),
        sa.Column("unknown_in_a_row", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("synced_at", UtcDateTime),
        sa.PrimaryKeyConstraint("practice_id", name="pk_practice_progress"),
    )
    op.create_table(
        "claims",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("holder", sa.String(80), nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_claims"),
    )
    op.create_table(
        "rate_slots",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("next_free_epoch", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_slots"),
    )
    op.create_table(
        "sweeps",
        sa.Column("run_id", sa.String(250), nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("finished_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "practice_id", name="pk_sweeps"),
    )
