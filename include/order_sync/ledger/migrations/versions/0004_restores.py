"""Remember when an older copy of the ledger was put back, and who said so (reliability, top)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from order_sync.ledger.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "restores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("practice_id", sa.String(40), nullable=False),
        sa.Column("declared_at", UtcDateTime, nullable=False),
        sa.Column("declared_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_restores"),
    )
    op.create_index("ix_restores_practice_id", "restores", ["practice_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("restores")
