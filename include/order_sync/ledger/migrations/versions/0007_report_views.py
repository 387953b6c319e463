"""Create the views of reports, differences and letters that a BI tool may read; docs/tables.md describes them."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VIEWS = {
    "reconciliation_classes": """
        SELECT
            reconciliation_reports.practice_id,
            reconciliation_reports.report_id,
            reconciliation_reports.period_kind,
            reconciliation_reports.first_day,
            reconciliation_reports.last_day,
            reconciliation_reports.version,
            (reconciliation_reports.superseded_at IS NULL) AS is_current,
            reconciliation_lines.class,
            COUNT(*) AS line_count,
            CAST(SUM(reconciliation_lines.explains_cents) AS bigint) AS explains_cents
        FROM reconciliation_reports
        INNER JOIN reconciliation_lines ON reconciliation_lines.report_id = reconciliation_reports.id
        GROUP BY
            reconciliation_reports.practice_id,
            reconciliation_reports.report_id,
            reconciliation_reports.period_kind,
            reconciliation_reports.first_day,
            reconciliation_reports.last_day,
            reconciliation_reports.version,
            reconciliation_reports.superseded_at,
            reconciliation_lines.class
    """,
    "open_differences": """
        SELECT
            id,
            practice_id,
            number,
            class,
            amount_cents,
            state,
            owner,
            since,
            opened_at,
            last_seen_at,
            {days_since} AS age_days
        FROM reconciliation_differences
        WHERE state <> 'resolved'
    """,
    "report_letters": """
        SELECT
            report_deliveries.practice_id,
            reconciliation_reports.report_id,
            report_deliveries.kind,
            report_deliveries.state,
            report_deliveries.is_repeat,
            report_deliveries.created_at,
            report_deliveries.accepted_at,
            report_deliveries.accepted_by,
            report_deliveries.last_error
        FROM report_deliveries
        LEFT JOIN reconciliation_reports ON report_deliveries.report_id = reconciliation_reports.id
    """,
}

DAYS_SINCE = {
    "postgresql": "CAST(FLOOR(EXTRACT(EPOCH FROM (NOW() - COALESCE(since, opened_at))) / 86400) AS bigint)",
    "sqlite": "CAST(JULIANDAY('now') - JULIANDAY(COALESCE(since, opened_at)) AS integer)",
}


def upgrade() -> None:
    """Create the views, each in the database's own words for an age."""
    days_since = DAYS_SINCE[op.get_bind().dialect.name]
    for name, question in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {question.format(days_since=days_since)}")


def downgrade() -> None:
    """Drop the views."""
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
