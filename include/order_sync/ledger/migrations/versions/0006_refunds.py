"""Remember which credit memos are to be recorded in Nextech, and which payments record them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from order_sync.ledger.columns import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "refunds",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("order_id", ID, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("memo_id", sa.BigInteger, nullable=False),
        sa.Column("memo_number", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("is_offline", sa.Boolean, nullable=False),
        sa.UniqueConstraint("practice_id", "memo_id"),
    )
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"])
    op.create_table(
        "refund_payments",
        sa.Column("refund_id", ID, sa.ForeignKey("refunds.id"), primary_key=True),
        sa.Column("payment_id", sa.String(64), primary_key=True),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("settled_cents", sa.BigInteger, nullable=False),
        sa.Column("is_by_name", sa.Boolean, nullable=False),
        sa.Column("settled_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_refund_payments_practice_id_payment_id", "refund_payments", ["practice_id", "payment_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("refund_payments")
    op.drop_table("refunds")
