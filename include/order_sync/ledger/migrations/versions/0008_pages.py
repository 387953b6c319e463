"""Let the Orders pages ask: notes and waits in the queue, the audit trail, and an index for each order of the list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from order_sync.ledger.columns import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
AUDIT_MESSAGE = "audit_trail: rows are only ever added"
QUEUE_COLUMNS = ("note", "noted_by", "noted_at", "wait_until", "version")
SORTED_BY = {"placed_at": ("id",), "amount_cents": ("id",), "changed_at": ("id", "business_day")}
BY_INDEX = ("business_day", "amount_cents", "changed_at", "number", "matched_by")
SOME_ORDERS = (
    # index, columns after the practice's, which orders are in it
    (
        "ix_orders_practice_id_public_status",
        ("public_status", "placed_at", "id", "reason", *BY_INDEX),
        "public_status <> 'Synced'",
    ),
    ("ix_orders_practice_id_reason", ("reason", "placed_at", "id", "public_status", *BY_INDEX), "reason IS NOT NULL"),
    ("ix_orders_new_accounts", ("placed_at", "id", "public_status", "reason", *BY_INDEX), "matched_by = 'created'"),
)
OF_DAYS = ("practice_id", "business_day", "public_status", "amount_cents", "changed_at", "number", "id")


def upgrade() -> None:
    """Add columns, indexes and the audit trail with its guard."""
    op.add_column("orders", sa.Column("account_wanted_by", sa.String(80)))
    op.add_column("manual_resolution_queue", sa.Column("note", sa.String(255)))
    op.add_column("manual_resolution_queue", sa.Column("noted_by", sa.String(80)))
    op.add_column("manual_resolution_queue", sa.Column("noted_at", UtcDateTime))
    op.add_column("manual_resolution_queue", sa.Column("wait_until", UtcDateTime))
    op.add_column("manual_resolution_queue", sa.Column("version", sa.Integer, server_default=sa.text("0"), nullable=False))
    op.create_index("ix_reconciliation_lines_number", "reconciliation_lines", ["number"])
    _index_orders()
    _create_audit_trail()


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("audit_trail")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_trail_is_append_only()")
    op.drop_index("ix_reconciliation_lines_number", "reconciliation_lines")
    for name in ("ix_orders_practice_id_number_bytewise", "ix_orders_practice_id_business_day"):
        op.drop_index(name, "orders")
    for name, *_ in SOME_ORDERS:
        op.drop_index(name, "orders")
    for column in SORTED_BY:
        op.drop_index(f"ix_orders_practice_id_{column}", "orders")
    for column in QUEUE_COLUMNS:
        op.drop_column("manual_resolution_queue", column)
    op.drop_column("orders", "account_wanted_by")


def _index_orders() -> None:
    for column, others in SORTED_BY.items():
        op.create_index(f"ix_orders_practice_id_{column}", "orders", ["practice_id", column, *others])
    op.create_index("ix_orders_practice_id_business_day", "orders", list(OF_DAYS))
    for name, columns, which in SOME_ORDERS:
        only = sa.text(which)
        op.create_index(name, "orders", ["practice_id", *columns], postgresql_where=only, sqlite_where=only)
    # A prefix is a range of bytes, which an index in PostgreSQL's own collation cannot find; SQLite has no other order.
    number = 'number COLLATE "C"' if op.get_bind().dialect.name == "postgresql" else "number"
    op.execute(f"CREATE INDEX ix_orders_practice_id_number_bytewise ON orders (practice_id, {number}, id, business_day)")


def _create_audit_trail() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("order_id", ID, sa.ForeignKey("orders.id")),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("detail", sa.String(255)),
    )
    op.create_index("ix_audit_trail_order_id", "audit_trail", ["order_id"])
    op.create_index("ix_audit_trail_practice_id", "audit_trail", ["practice_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN RAISE EXCEPTION '{AUDIT_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_trail_is_append_only()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_trail_is_append_only_{event.lower()} BEFORE {event} ON audit_trail "
            f"FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{AUDIT_MESSAGE}'); END"
        )
