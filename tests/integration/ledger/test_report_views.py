"""What others may ask of the reports, and what the bookkeeper's questions answer, on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from order_sync.ledger.deliveries import begin_delivery, finish_delivery
from order_sync.ledger.differences import open_differences, record_differences, resolve_difference
from order_sync.ledger.report_models import DifferenceState, LetterKind, Resolution
from order_sync.ledger.reports import save_report
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import month_of
from order_sync.reconciliation.statement import Line
from order_sync.report_overview import days_without_a_report, open_classes, unsent_letters
from order_sync.statuses import OrderState
from tests.integration.ledger.rows import saved_order
from tests.integration.reports.samples import DAY, MATCHED, a_statement

SHORT = Line("order:2", DifferenceClass.SHORT, 2_000, 1_999, 1, 2_000, number="000000002")
REFUND = Line("order:3", DifferenceClass.REFUND_TO_RECORD, -900, 0, -900, -900, number="000000003")


def test_the_classes_of_every_version_are_there_and_the_current_one_is_marked(ledger: Ledger):
    with ledger.transaction() as tx:
        save_report(tx, a_statement())
        save_report(tx, a_statement(version=2, lines=(MATCHED, SHORT, replace(SHORT, subject="order:4"))))
    with ledger.transaction() as tx:
        rows = tx.session.execute(text("SELECT * FROM reconciliation_classes ORDER BY version, class")).mappings().all()
    assert [
        (row["report_id"], bool(row["is_current"]), row["class"], row["line_count"], row["explains_cents"]) for row in rows
    ] == [
        ("eastern-2026-11-02-v1", False, "matched", 1, 0),
        ("eastern-2026-11-02-v2", True, "matched", 1, 0),
        ("eastern-2026-11-02-v2", True, "short", 2, 2),
    ]


def test_open_differences_show_their_age_until_they_are_settled(ledger: Ledger):
    own_time = Ledger(ledger.engine)
    with own_time.transaction() as tx:
        record_differences(tx, "eastern", [replace(SHORT, since=tx.now - timedelta(days=9, hours=1)), REFUND])
        short, refund = sorted(open_differences(tx), key=lambda row: row.cause)
        resolve_difference(
            tx, refund.id, resolution=Resolution.CARRIED_FORWARD, by="pat", reason="next month", seen=DifferenceState.OPEN
        )
    with ledger.transaction() as tx:
        (row,) = tx.session.execute(text("SELECT * FROM open_differences")).mappings()
    assert (row["id"], row["class"], row["amount_cents"], row["state"], row["age_days"]) == (
        short.id,
        "short",
        2_000,
        "open",
        9,
    )


def test_the_view_of_letters_shows_no_address(ledger: Ledger):
    with ledger.transaction() as tx:
        report = save_report(tx, a_statement())
        for number, report_key in enumerate((report.id, None)):
            begin_delivery(
                tx,
                practice_id="eastern",
                recipient="books@biscayne.example",
                message_id=f"<{number}@x>",
                kind=LetterKind.REPORT if report_key else LetterKind.ALARM,
                report_id=report_key,
            )
    with ledger.transaction() as tx:
        rows = [dict(row) for row in tx.session.execute(text("SELECT * FROM report_letters ORDER BY kind")).mappings()]
    assert [(row["kind"], row["report_id"], row["state"]) for row in rows] == [
        ("alarm", None, "pending"),
        ("report", "eastern-2026-11-02-v1", "pending"),
    ]
    assert "books@" not in str(rows)


def test_differences_are_counted_by_class_and_age(ledger: Ledger):
    with ledger.transaction() as tx:
        record_differences(
            tx,
            "eastern",
            [
                replace(SHORT, since=tx.now - timedelta(days=8)),
                replace(SHORT, subject="order:5", since=tx.now - timedelta(days=31)),
                replace(REFUND, since=tx.now - timedelta(days=1)),
            ],
        )
        record_differences(tx, "central", [SHORT])
        found = open_classes(tx, "eastern")
    assert [
        (row.class_, row.differences, row.amount_cents, row.older_than_a_week, row.older_than_a_month) for row in found
    ] == [
        (DifferenceClass.SHORT, 2, 4_000, 2, 1),
        (DifferenceClass.REFUND_TO_RECORD, 1, 900, 0, 0),
    ]


def test_a_letter_did_not_leave_until_the_same_one_did(ledger: Ledger):
    def send(number: int, *, is_accepted: bool, recipient: str = "books@biscayne.example") -> None:
        with ledger.transaction() as tx:
            row = begin_delivery(
                tx,
                practice_id="eastern",
                recipient=recipient,
                message_id=f"<{number}@x>",
                kind=LetterKind.REPORT,
                report_id=report.id,
            )
            finish_delivery(tx, row.id, accepted_by="mail" if is_accepted else None, error=None if is_accepted else "away")

    with ledger.transaction() as tx:
        report = save_report(tx, a_statement())
        since = tx.now - timedelta(days=1)
    send(1, is_accepted=False)
    send(2, is_accepted=True, recipient="owner@biscayne.example")
    with ledger.transaction() as tx:
        (unsent,) = unsent_letters(tx, since=since)
        assert (unsent.report_id, unsent.kind, unsent.state, unsent.last_error) == (
            report.report_id,
            "report",
            "failed",
            "away",
        )
        assert unsent.created_at.tzinfo is UTC
        assert unsent_letters(tx, since=tx.now + timedelta(minutes=1)) == []
    send(3, is_accepted=True)
    with ledger.transaction() as tx:
        assert unsent_letters(tx, since=since) == []


def test_a_day_with_orders_and_no_report_is_found(ledger: Ledger):
    saved_order(ledger, OrderState.CONFIRMED, business_day=DAY)
    for _ in range(2):
        saved_order(ledger, OrderState.RECEIVED, business_day=date(2026, 11, 5))
    saved_order(ledger, OrderState.DISABLED, business_day=date(2026, 11, 6))
    saved_order(ledger, OrderState.CONFIRMED, business_day=date(2026, 12, 1), placed_at=datetime(2026, 12, 1, 17, tzinfo=UTC))
    with ledger.transaction() as tx:
        save_report(tx, a_statement())
        assert days_without_a_report(tx, "eastern", month_of(DAY)) == {date(2026, 11, 5): 2}
        assert days_without_a_report(tx, "central", month_of(DAY)) == {}
