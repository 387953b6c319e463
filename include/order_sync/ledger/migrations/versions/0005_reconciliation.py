"""Create the reconciliation's tables; what a person did with a difference is never changed or removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from order_sync.ledger.columns import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HISTORY_MESSAGE = "difference_history: rows are only ever added"
TABLES = (
    "report_deliveries",
    "difference_history",
    "reconciliation_differences",
    "reconciliation_lines",
    "reconciliation_reports",
)


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    """Create the tables, their indexes and the guard of the history."""
    _create_reports()
    _create_differences()
    _create_deliveries()
    _guard_history()


def downgrade() -> None:
    """Drop the tables, those that point to others first."""
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION difference_history_is_append_only()")


def _create_reports() -> None:
    op.create_table(
        "reconciliation_reports",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("report_id", sa.String(100), nullable=False),
        sa.Column("period_kind", _one_of("period_kind", "day", "month", "range"), nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("cut_off", UtcDateTime, nullable=False),
        sa.Column("store_in_cents", sa.BigInteger, nullable=False),
        sa.Column("store_back_cents", sa.BigInteger, nullable=False),
        sa.Column("posted_cents", sa.BigInteger, nullable=False),
        sa.Column("recorded_back_cents", sa.BigInteger, nullable=False),
        sa.Column("variance_cents", sa.BigInteger, nullable=False),
        sa.Column("closing_gift_cards_cents", sa.BigInteger),
        sa.Column("facts_sha256", sa.String(64), nullable=False),
        sa.Column("statement", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("checked_at", UtcDateTime, nullable=False),
        sa.Column("superseded_at", UtcDateTime),
        sa.UniqueConstraint("practice_id", "first_day", "last_day", "version", name="uq_reconciliation_reports_version"),
        sa.UniqueConstraint("report_id"),
    )
    op.create_table(
        "reconciliation_lines",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("report_id", ID, sa.ForeignKey("reconciliation_reports.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("class", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("number", sa.String(64)),
        sa.Column("explains_cents", sa.BigInteger, nullable=False),
        sa.Column("line", sa.JSON, nullable=False),
    )
    op.create_index("ix_reconciliation_lines_report_id_class", "reconciliation_lines", ["report_id", "class"])
    op.create_index("ix_reconciliation_lines_subject", "reconciliation_lines", ["subject"])


def _create_differences() -> None:
    states = _one_of("state", "open", "assigned", "waiting", "resolved", "reopened")
    resolutions = _one_of("resolution", "fixed_at_source", "carried_forward", "written_off", "not_an_error")
    op.create_table(
        "reconciliation_differences",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("cause", sa.String(140), nullable=False),
        sa.Column("number", sa.String(64)),
        sa.Column("class", sa.String(40), nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("owner", sa.String(80)),
        sa.Column("line", sa.JSON, nullable=False),
        sa.Column("since", UtcDateTime),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("last_seen_at", UtcDateTime, nullable=False),
        sa.Column("resolution", resolutions),
        sa.Column("resolved_at", UtcDateTime),
        sa.UniqueConstraint("practice_id", "cause"),
    )
    op.create_index("ix_reconciliation_differences_practice_id_state", "reconciliation_differences", ["practice_id", "state"])
    op.create_table(
        "difference_history",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("difference_id", ID, sa.ForeignKey("reconciliation_differences.id"), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("from_state", sa.String(40)),
        sa.Column("to_state", sa.String(40), nullable=False),
        sa.Column("class", sa.String(40), nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(255)),
    )
    op.create_index("ix_difference_history_difference_id", "difference_history", ["difference_id"])


def _create_deliveries() -> None:
    op.create_table(
        "report_deliveries",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("report_id", ID, sa.ForeignKey("reconciliation_reports.id")),
        sa.Column("kind", _one_of("kind", "report", "alarm"), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("message_id", sa.String(120), nullable=False),
        sa.Column("is_repeat", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("state", _one_of("state", "pending", "accepted", "failed"), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("accepted_at", UtcDateTime),
        sa.Column("accepted_by", sa.String(254)),
        sa.Column("last_error", sa.String(255)),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("ix_report_deliveries_practice_id_state", "report_deliveries", ["practice_id", "state"])
    op.create_index("ix_report_deliveries_report_id", "report_deliveries", ["report_id"])


def _guard_history() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION difference_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN RAISE EXCEPTION '{HISTORY_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER difference_history_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON difference_history "
            "FOR EACH STATEMENT EXECUTE FUNCTION difference_history_is_append_only()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER difference_history_is_append_only_{event.lower()} BEFORE {event} ON difference_history "
            f"FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{HISTORY_MESSAGE}'); END"
        )
