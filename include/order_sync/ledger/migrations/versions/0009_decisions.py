"""Keep what a person let through, and which rows of a payment stand voided before it is posted to another patient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("orders", sa.Column("released", sa.JSON(none_as_null=True)))
    op.add_column("payments", sa.Column("voided_rows", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("payments", "voided_rows")
    op.drop_column("orders", "released")
