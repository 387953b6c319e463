"""Create the views that a BI tool may read; docs/tables.md describes them column by column.

They show no patient: neither a Nextech patient id nor the keyed hash of a customer.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VIEWS = {
    "order_status": """
        SELECT
            orders.practice_id,
            orders.number,
            orders.placed_at,
            orders.business_day,
            orders.amount_cents,
            orders.refunded_cents,
            orders.public_status,
            orders.reason,
            orders.detail,
            orders.state,
            orders.changed_at,
            {minutes_since_placed} AS age_minutes
        FROM orders
    """,
    "posted_payments": """
        SELECT
            payments.practice_id,
            orders.number,
            payments.payment_id,
            payments.marker,
            payments.business_day,
            payments.amount_cents,
            payments.posted_at,
            payments.verified_at,
            (orders.state = 'closed_voided') AS is_voided
        FROM payments
        INNER JOIN orders ON payments.order_id = orders.id
        WHERE
            payments.payment_id IS NOT NULL
            AND orders.state IN ('confirmed', 'queued', 'closed', 'closed_voided')
    """,
    "open_cases": """
        SELECT
            id,
            practice_id,
            order_number,
            amount_cents,
            reason,
            sentence,
            next_step,
            state,
            assignee,
            opened_at,
            last_seen_at,
            times_seen,
            {minutes_since_opened} AS age_minutes
        FROM manual_resolution_queue
        WHERE state IN ('open', 'assigned', 'waiting')
    """,
    "payment_attempts": """
        SELECT
            attempts.attempt_id,
            orders.practice_id,
            orders.number,
            attempts.intended_at,
            attempts.deadline,
            attempts.finished_at,
            attempts.outcome,
            attempts.http_status,
            attempts.request_id,
            attempts.reason
        FROM attempts
        INNER JOIN orders ON attempts.order_id = orders.id
        WHERE attempts.kind = 'payment'
    """,
}

MINUTES_SINCE = {
    "postgresql": "CAST(FLOOR(EXTRACT(EPOCH FROM (NOW() - {column})) / 60) AS bigint)",
    "sqlite": "CAST((JULIANDAY('now') - JULIANDAY({column})) * 1440 AS integer)",
}


def upgrade() -> None:
    """Create the views, each in the database's own words for an age."""
    minutes = MINUTES_SINCE[op.get_bind().dialect.name]
    ages = {
        "minutes_since_placed": minutes.format(column="orders.placed_at"),
        "minutes_since_opened": minutes.format(column="opened_at"),
    }
    for name, question in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {question.format(**ages)}")


def downgrade() -> None:
    """Drop the views."""
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
