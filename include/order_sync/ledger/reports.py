"""Reports in the ledger: kept as they were sent, found again, and replaced by a new version when their period changed."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import insert, select

from order_sync.ledger.report_models import LineRow, ReportRow
from order_sync.ledger.session import Transaction
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.statement import Statement
from order_sync.reconciliation.statement_record import hash_facts, record_line, record_statement, restore_statement

_LINES_AT_ONCE = 1000


def latest_report(tx: Transaction, practice_id: str, period: Period) -> ReportRow | None:
    """Return the newest version of a period's report, or None when it was never reported."""
    return tx.session.scalars(
        select(ReportRow)
        .where(
            ReportRow.practice_id == practice_id,
            ReportRow.first_day == period.first_day,
            ReportRow.last_day == period.last_day,
        )
        .order_by(ReportRow.version.desc())
        .limit(1)
    ).one_or_none()


def reports_within(tx: Transaction, practice_id: str, period: Period) -> list[ReportRow]:
    """Return the newest version of every report whose period lies within this one, or is it, earliest first."""
    return list(
        tx.session.scalars(
            select(ReportRow)
            .where(
                ReportRow.practice_id == practice_id,
                ReportRow.first_day >= period.first_day,
                ReportRow.last_day <= period.last_day,
                ReportRow.superseded_at.is_(None),
            )
            .order_by(ReportRow.first_day, ReportRow.last_day)
        )
    )


def confirm_report(tx: Transaction, report_id: int) -> None:
    """Note that both systems still say what the report says."""
    tx.session.get_one(ReportRow, report_id).checked_at = tx.now


def find_report(tx: Transaction, report_id: str) -> ReportRow | None:
    """Return the report with the id that a reader quotes, or None."""
    return tx.session.scalars(select(ReportRow).where(ReportRow.report_id == report_id)).one_or_none()


def last_reports(tx: Transaction, practice_id: str | None = None, *, limit: int = 60) -> list[ReportRow]:
    """Return the newest reports, the latest period first; of one practice, or of all."""
    query = select(ReportRow).where(ReportRow.superseded_at.is_(None))
    if practice_id is not None:
        query = query.where(ReportRow.practice_id == practice_id)
    return list(tx.session.scalars(query.order_by(ReportRow.last_day.desc(), ReportRow.id.desc()).limit(limit)))


def save_report(tx: Transaction, statement: Statement) -> ReportRow:
    """Keep a statement as a new version of its period's report; the version before it is superseded.

    `statement.version` must be one more than the version that is there; raises `IntegrityError` when two processes
    report the same period at once, and the second one's caller finds the first one's report.
    """
    before = latest_report(tx, statement.practice_id, statement.period)
    row = ReportRow(
        practice_id=statement.practice_id,
        report_id=statement.report_id,
        period_kind=statement.period.kind,
        first_day=statement.period.first_day,
        last_day=statement.period.last_day,
        version=statement.version,
        cut_off=statement.cut_off,
        store_in_cents=statement.store_in_cents,
        store_back_cents=statement.store_back_cents,
        posted_cents=statement.posted_cents,
        recorded_back_cents=statement.recorded_back_cents,
        variance_cents=statement.variance_cents,
        closing_gift_cards_cents=statement.gift_cards.closing_cents if statement.gift_cards else None,
        facts_sha256=hash_facts(statement),
        statement=record_statement(statement),
        created_at=tx.now,
        checked_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    if before is not None:
        before.superseded_at = tx.now
    values = [
        {
            "report_id": row.id,
            "position": position,
            "class_": line.class_.value,
            "subject": line.subject,
            "number": line.number,
            "explains_cents": line.explains_cents,
            "line": record_line(line),
        }
        for position, line in enumerate(statement.lines)
    ]
    for start in range(0, len(values), _LINES_AT_ONCE):
        tx.session.execute(insert(LineRow), values[start : start + _LINES_AT_ONCE])
    return row


def read_statement(tx: Transaction, row: ReportRow) -> Statement:
    """Return the statement of a report, exactly as it was kept."""
    lines = tx.session.scalars(select(LineRow.line).where(LineRow.report_id == row.id).order_by(LineRow.position))
    return restore_statement(row.statement, lines)


def reported_periods(tx: Transaction, practice_id: str) -> frozenset[Period]:
    """Return every period of a practice that has a report."""
    query = select(ReportRow.first_day, ReportRow.last_day).where(ReportRow.practice_id == practice_id).distinct()
    return frozenset(Period(first_day, last_day) for first_day, last_day in tx.session.execute(query))


def closing_gift_cards(tx: Transaction, practice_id: str, first_day: date) -> int | None:
    """Return what was owed to the holders of gift cards on the evening before a day; None when no report says so."""
    return tx.session.scalars(
        select(ReportRow.closing_gift_cards_cents)
        .where(
            ReportRow.practice_id == practice_id,
            ReportRow.last_day == first_day - timedelta(days=1),
            ReportRow.closing_gift_cards_cents.is_not(None),
            ReportRow.superseded_at.is_(None),
        )
        .order_by(ReportRow.first_day)
        .limit(1)
    ).one_or_none()
