"""Reports, differences and letters in the ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from order_sync.ledger.deliveries import begin_delivery, deliveries_of, finish_delivery, has_left, was_accepted_since
from order_sync.ledger.differences import (
    DifferenceChangedError,
    assign_difference,
    history_of,
    open_differences,
    park_difference,
    record_differences,
    resolve_difference,
)
from order_sync.ledger.report_models import (
    DeliveryState,
    DifferenceHistoryRow,
    DifferenceState,
    LetterKind,
    Resolution,
)
from order_sync.ledger.reports import (
    closing_gift_cards,
    find_report,
    last_reports,
    latest_report,
    read_statement,
    reports_within,
    save_report,
)
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import day_of, month_of
from order_sync.reconciliation.statement import (
    AgeBand,
    ClassTotal,
    DayTotal,
    GiftCards,
    Line,
    Reopening,
    Statement,
)
from order_sync.reconciliation.statement_record import hash_facts

DAY = date(2026, 11, 2)
AT = datetime(2026, 11, 3, 5, tzinfo=UTC)
MATCHED = Line("order:1", DifferenceClass.MATCHED, 5_000, 5_000, 0, 5_000, entity_id=1, number="000000001", payment_ids=("7",))
SHORT = Line(
    "order:2",
    DifferenceClass.SHORT,
    2_000,
    1_999,
    1,
    1,
    entity_id=2,
    number="000000002",
    store_day=DAY,
    nextech_day=DAY,
    since=AT,
)


def statement(*lines: Line, version: int = 1, **others: object) -> Statement:
    store, posted = sum(line.store_cents for line in lines), sum(line.nextech_cents for line in lines)
    totals = tuple(ClassTotal(line.class_, 1, line.store_cents, line.nextech_cents, line.explains_cents) for line in lines)
    made = Statement(
        practice_id="eastern",
        practice_name="Biscayne Dermatology",
        currency="USD",
        time_zone="America/New_York",
        period=day_of(DAY),
        version=version,
        cut_off=AT,
        store_in_cents=store,
        store_back_cents=0,
        posted_cents=posted,
        recorded_back_cents=0,
        classes=totals,
        lines=lines,
        days=(DayTotal(DAY, store, posted),),
        gift_cards=GiftCards(0, 10_000, 2_500, 500, is_opening_known=False),
        unapplied=(AgeBand("0-7 days", 1, 2_000),),
        reopened=(Reopening(day_of(DAY), 2, 5, 0, (MATCHED,)),),
    )
    return replace(made, **others)  # type: ignore[arg-type]


def test_a_report_comes_back_exactly_as_it_was_kept(ledger: Ledger):
    made = statement(MATCHED, SHORT)
    with ledger.transaction() as tx:
        save_report(tx, made)
    with ledger.transaction() as tx:
        row = find_report(tx, "eastern-2026-11-02-v1")
        assert row is not None
        assert read_statement(tx, row) == made
        assert (row.variance_cents, row.facts_sha256) == (1, hash_facts(made))


def test_a_period_that_changed_gets_a_new_version_and_the_old_one_stays_readable(ledger: Ledger):
    first, second = statement(MATCHED), statement(MATCHED, SHORT, version=2)
    with ledger.transaction() as tx:
        save_report(tx, first)
    with ledger.transaction() as tx:
        save_report(tx, second)
    with ledger.transaction() as tx:
        latest = latest_report(tx, "eastern", day_of(DAY))
        old = find_report(tx, "eastern-2026-11-02-v1")
        assert latest is not None
        assert old is not None
        assert (latest.version, latest.superseded_at) == (2, None)
        assert old.superseded_at is not None
        assert read_statement(tx, old) == first
        assert [row.report_id for row in last_reports(tx, "eastern")] == ["eastern-2026-11-02-v2"]
        assert [row.version for row in reports_within(tx, "eastern", month_of(DAY))] == [2]
        assert reports_within(tx, "central", month_of(DAY)) == []


def test_two_processes_cannot_keep_the_same_version_twice(ledger: Ledger):
    with ledger.transaction() as tx:
        save_report(tx, statement(MATCHED))
    with pytest.raises(IntegrityError), ledger.transaction() as tx:
        save_report(tx, statement(MATCHED))


@pytest.mark.parametrize(
    ("changed", "is_reopened"),
    [
        ({"reason": "Name differs"}, False),
        ({"owner": "billing"}, False),
        ({"age_days": 9}, False),
        ({"nextech_cents": 2_000, "explains_cents": 0}, True),
        ({"class_": DifferenceClass.OVER}, True),
        ({"payment_ids": ("8",)}, True),
        ({"nextech_day": date(2026, 11, 3)}, True),
    ],
)
def test_only_what_is_said_of_money_re_opens_a_period(changed: dict[str, object], is_reopened: bool):
    before, after = statement(MATCHED, SHORT), statement(MATCHED, replace(SHORT, **changed))  # type: ignore[arg-type]
    assert (hash_facts(before) != hash_facts(after)) is is_reopened


def test_the_order_of_the_lines_re_opens_nothing():
    assert hash_facts(statement(MATCHED, SHORT)) == hash_facts(statement(SHORT, MATCHED))


def test_what_is_owed_on_gift_cards_is_handed_to_the_next_day(ledger: Ledger):
    with ledger.transaction() as tx:
        save_report(tx, statement(MATCHED))
        assert closing_gift_cards(tx, "eastern", date(2026, 11, 3)) == 7_000
        assert closing_gift_cards(tx, "eastern", date(2026, 11, 4)) is None
        assert closing_gift_cards(tx, "central", date(2026, 11, 3)) is None


def test_a_difference_opens_once_and_is_resolved_when_it_is_gone(ledger: Ledger):
    for lines in ([MATCHED, SHORT], [MATCHED, SHORT], [MATCHED, replace(SHORT, class_=DifferenceClass.MATCHED)]):
        with ledger.transaction() as tx:
            record_differences(tx, "eastern", lines)
            shown = [(row.cause, row.class_, row.state) for row in open_differences(tx, "eastern")]
            assert shown in ([("order:2:payment", "short", DifferenceState.OPEN)], [])
    with ledger.transaction() as tx:
        assert open_differences(tx) == []
        record_differences(tx, "eastern", [SHORT])
        (row,) = open_differences(tx)
        assert row.state is DifferenceState.REOPENED
        assert [step.to_state for step in history_of(tx, row.id)] == ["open", "resolved", "reopened"]


def test_a_line_that_is_not_spoken_of_keeps_its_difference(ledger: Ledger):
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT])
        record_differences(tx, "eastern", [MATCHED])
        record_differences(tx, "central", [replace(SHORT, class_=DifferenceClass.MATCHED)])
        assert [row.cause for row in open_differences(tx)] == ["order:2:payment"]


def test_an_order_and_its_refund_are_two_differences(ledger: Ledger):
    refund = replace(SHORT, class_=DifferenceClass.REFUND_TO_RECORD)
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT, refund])
        assert [row.cause for row in open_differences(tx)] == ["order:2:payment", "order:2:refund"]


def test_what_a_person_wrote_off_stays_so_until_its_amount_changes(ledger: Ledger):
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT])
        (row,) = open_differences(tx)
        assign_difference(tx, row.id, owner="pat", by="lee", seen=DifferenceState.OPEN)
        park_difference(tx, row.id, by="pat", reason="asked the bank", seen=DifferenceState.ASSIGNED)
        resolve_difference(
            tx, row.id, resolution=Resolution.WRITTEN_OFF, by="pat", reason="one cent", seen=DifferenceState.WAITING
        )
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT])
        assert open_differences(tx) == []
        assert [(step.actor, step.reason) for step in history_of(tx, row.id)] == [
            ("reconciliation", None),
            ("lee", "assigned to pat"),
            ("pat", "asked the bank"),
            ("pat", "written_off: one cent"),
        ]
        record_differences(tx, "eastern", [replace(SHORT, at_stake_cents=300)])
        assert [row.amount_cents for row in open_differences(tx)] == [300]


def test_the_second_of_two_people_is_told_that_it_has_changed(ledger: Ledger):
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT])
        (row,) = open_differences(tx)
        assign_difference(tx, row.id, owner="pat", by="pat", seen=DifferenceState.OPEN)
    with pytest.raises(DifferenceChangedError, match="assigned by now"), ledger.transaction() as tx:
        assign_difference(tx, row.id, owner="lee", by="lee", seen=DifferenceState.OPEN)


def test_nobody_resolves_without_a_reason(ledger: Ledger):
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT])
        (row,) = open_differences(tx)
        with pytest.raises(ValueError, match="needs a reason"):
            resolve_difference(tx, row.id, resolution=Resolution.NOT_AN_ERROR, by="pat", reason=" ", seen=DifferenceState.OPEN)


@pytest.mark.parametrize("change", [update(DifferenceHistoryRow).values(actor="nobody"), delete(DifferenceHistoryRow)])
def test_the_history_of_a_difference_cannot_be_changed(ledger: Ledger, change: object):
    with ledger.transaction() as tx:
        record_differences(tx, "eastern", [SHORT])
    with pytest.raises(DBAPIError, match="only ever added"), ledger.transaction() as tx:
        tx.session.execute(change)  # type: ignore[call-overload]


def test_a_letter_is_written_down_before_it_leaves_and_known_as_accepted_after(ledger: Ledger):
    with ledger.transaction() as tx:
        report = save_report(tx, statement(MATCHED))
        asked = {"practice_id": "eastern", "kind": LetterKind.REPORT, "report_id": report.id}
        first = begin_delivery(tx, recipient="books@biscayne.example", message_id="<1@x>", **asked)  # type: ignore[arg-type]
        second = begin_delivery(tx, recipient="owner@biscayne.example", message_id="<2@x>", **asked)  # type: ignore[arg-type]
        begun_at = tx.now
        assert has_left(tx, report.id, "owner@biscayne.example")  # nobody knows yet
        assert not was_accepted_since(tx, report.id, "books@biscayne.example", begun_at)
    with ledger.transaction() as tx:
        finish_delivery(tx, first.id, accepted_by="mail.biscayne.example")
        finish_delivery(tx, second.id, accepted_by=None, error="the mail server does not answer")
    with ledger.transaction() as tx:
        assert has_left(tx, report.id, "books@biscayne.example")
        assert was_accepted_since(tx, report.id, "books@biscayne.example", begun_at)
        assert not was_accepted_since(tx, report.id, "books@biscayne.example", tx.now + timedelta(days=1))
        assert not has_left(tx, report.id, "owner@biscayne.example")
        assert [(row.state, row.accepted_by, row.last_error) for row in deliveries_of(tx, report.id)] == [
            (DeliveryState.ACCEPTED, "mail.biscayne.example", None),
            (DeliveryState.FAILED, None, "the mail server does not answer"),
        ]
