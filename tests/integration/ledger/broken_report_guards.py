"""The table goes on: triggers and unique keys of reports, differences, letters, refunds and the audit trail."""

from __future__ import annotations

from datetime import date

from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.differences import RECONCILIATION
from order_sync.ledger.refund_models import RefundRow
from order_sync.ledger.report_models import (
    DeliveryRow,
    DeliveryState,
    DifferenceHistoryRow,
    DifferenceRow,
    DifferenceState,
    LetterKind,
    ReportRow,
)
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.periods import PeriodKind
from tests.integration.ledger.broken_guards import DatabaseGuard
from tests.integration.ledger.rows import new_order

DAY = date(2026, 11, 2)


def _two_reports(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for version in (1, 2):
            report = ReportRow(practice_id="eastern", report_id=f"v{version}", period_kind=PeriodKind.DAY, version=version)
            report.first_day = report.last_day = DAY
            report.store_in_cents = report.store_back_cents = report.posted_cents = 0
            report.recorded_back_cents = report.variance_cents = 0
            report.facts_sha256, report.statement = "0" * 64, {}
            report.cut_off = report.created_at = report.checked_at = tx.now
            tx.session.add(report)


def _two_differences(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for cause in ("first", "second"):
            row = DifferenceRow(practice_id="eastern", cause=cause, class_="short", amount_cents=1, line={})
            row.state, row.opened_at, row.last_seen_at = DifferenceState.OPEN, tx.now, tx.now
            tx.session.add(row)
            tx.session.flush()
            step = DifferenceHistoryRow(difference_id=row.id, at=tx.now, to_state="open", class_="short", amount_cents=1)
            step.actor = RECONCILIATION
            tx.session.add(step)


def _two_letters(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for message_id in ("first", "second"):
            letter = DeliveryRow(practice_id="eastern", recipient="dana@practice.example", message_id=message_id)
            letter.kind, letter.state, letter.is_repeat, letter.created_at = (
                LetterKind.ALARM,
                DeliveryState.PENDING,
                False,
                tx.now,
            )
            tx.session.add(letter)


def _two_refunds(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        order = new_order(tx)
        for memo_id in (1, 2):
            refund = RefundRow(practice_id="eastern", order_id=order.id, memo_id=memo_id, memo_number=f"{memo_id:09}")
            refund.made_at, refund.amount_cents, refund.is_offline = tx.now, 500, False
            tx.session.add(refund)


def _two_looks(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for actor in ("dana", "sam"):
            record_action(tx, Action.PATIENT_VIEWED, actor=actor, practice_id="eastern")


REPORT_GUARDS: dict[str, DatabaseGuard] = {
    "another name is put under a difference's step": DatabaseGuard(
        "difference_history_is_append_only_update",
        _two_differences,
        "UPDATE difference_history SET actor = 'dana'",
        "SELECT actor FROM difference_history ORDER BY id",
        "lost: who wrote it off",
        postgres_name="difference_history_is_append_only",
    ),
    "a difference's step is removed": DatabaseGuard(
        "difference_history_is_append_only_delete",
        _two_differences,
        "DELETE FROM difference_history",
        "SELECT to_state FROM difference_history ORDER BY id",
        "lost: that it ever differed",
        postgres_name="difference_history_is_append_only",
    ),
    "another name is put under a look at a patient": DatabaseGuard(
        "audit_trail_is_append_only_update",
        _two_looks,
        "UPDATE audit_trail SET actor = 'dana'",
        "SELECT actor FROM audit_trail ORDER BY id",
        "lost: who looked",
        postgres_name="audit_trail_is_append_only",
    ),
    "a look at a patient is removed": DatabaseGuard(
        "audit_trail_is_append_only_delete",
        _two_looks,
        "DELETE FROM audit_trail",
        "SELECT action FROM audit_trail ORDER BY id",
        "lost: that anybody looked",
        postgres_name="audit_trail_is_append_only",
    ),
    "a subject has two differences": DatabaseGuard(
        "uq_reconciliation_differences_practice_id_cause",
        _two_differences,
        "UPDATE reconciliation_differences SET cause = 'first'",
        "SELECT cause FROM reconciliation_differences ORDER BY id",
        "doubled: two people work on one difference",
    ),
    "a period has one version twice": DatabaseGuard(
        "uq_reconciliation_reports_version",
        _two_reports,
        "UPDATE reconciliation_reports SET version = 1",
        "SELECT version FROM reconciliation_reports ORDER BY id",
        "doubled: two reports of one period, and neither replaces the other",
    ),
    "two reports have one id": DatabaseGuard(
        "uq_reconciliation_reports_report_id",
        _two_reports,
        "UPDATE reconciliation_reports SET report_id = 'v1'",
        "SELECT report_id FROM reconciliation_reports ORDER BY id",
        "wrong report: what a reader quotes names two",
    ),
    "two letters have one id": DatabaseGuard(
        "uq_report_deliveries_message_id",
        _two_letters,
        "UPDATE report_deliveries SET message_id = 'first'",
        "SELECT message_id FROM report_deliveries ORDER BY id",
        "lost: a mail server takes the second for the first",
    ),
    "a credit memo is kept twice": DatabaseGuard(
        "uq_refunds_practice_id_memo_id",
        _two_refunds,
        "UPDATE refunds SET memo_id = 1",
        "SELECT memo_id FROM refunds ORDER BY id",
        "doubled: recorded twice",
    ),
}
"""Both databases have these."""
