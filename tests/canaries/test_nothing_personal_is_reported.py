"""Reports, letters, attachments, alarms and pages name orders and amounts, and nobody (design section 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Column, String, Table, func, literal, literal_column, select, update

from order_sync.ledger.columns import table_of
from order_sync.ledger.models import CaseRow
from order_sync.ledger.refund_models import RefundPaymentRow, RefundRow
from order_sync.ledger.report_models import (
    DeliveryRow,
    DifferenceHistoryRow,
    DifferenceRow,
    LineRow,
    ReportRow,
)
from order_sync.ledger.reports import read_statement
from order_sync.reconciliation.periods import day_of
from order_sync.reconciliation.statement import Statement
from order_sync.reports.letters import Alarm, AlarmKind, Letter, compose_alarm, compose_letter
from order_sync.reports.pages import report_page
from sandbox.store.refunds import refund
from tests.canaries.leaks import leaks
from tests.canaries.morning_scenes import MORNINGS, sell
from tests.canaries.mornings import FRAME, PostOffice, lines_of, mails, morning, post
from tests.canaries.people import EVERYBODY, TOKENS
from tests.canaries.scanner import Scanner
from tests.canaries.stage import Stage
from tests.worlds import WEDNESDAY_NOON

NEW_TABLES = (ReportRow, LineRow, DifferenceRow, DifferenceHistoryRow, DeliveryRow, RefundRow, RefundPaymentRow)
NAME = EVERYBODY[0].last


def shown(stage: Stage) -> set[str]:
    """Return every class of a line, every reason of the queue, and what became of which kind of letter."""
    with stage.world.ledger.transaction() as tx:
        found = {*tx.session.scalars(select(LineRow.class_)), *tx.session.scalars(select(CaseRow.reason))}
        return found | {f"{row.kind} {row.state}" for row in tx.session.scalars(select(DeliveryRow))}


@pytest.mark.parametrize("name", MORNINGS)
def test_a_morning_reports_no_patient_data(name: str, stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    MORNINGS[name].play(stage)
    assert MORNINGS[name].shows <= shown(stage)
    assert leaks(stage, capsys, tmp_path) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_report_of_answers_of_wrong_shapes_names_nobody(
    seed: int, stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    sell(stage, *stage.people[:4])
    shares = ((0.05, 0), (0, 0.1), (0.01, 0.01), (0.2, 0.1))[seed]
    misshaping = stage.desk(misshape=shares, seed=seed)
    for _ in range(2):
        morning(stage, misshaping)
    assert stage.watch.errors or len(shown(stage)) > 3, "nobody minded the shapes"
    assert leaks(stage, capsys, tmp_path) == []


# -- the scene would find a leak


@pytest.fixture
def reported(stage: Stage) -> Stage:
    """A stage with a morning behind it, and a row in each of the new tables."""
    person = stage.people[0]
    sell(stage, person)
    (order,) = stage.world.shop.orders
    patient_id = stage.world.booked()[0].patient_id
    refund(stage.world.shop, order, adjustment=Decimal(7))
    stage.write("refund", "given back", patient_id=patient_id, amount_cents=700)
    stage.write("hand-payment", person.last, patient_id=patient_id, amount_cents=500)
    morning(stage)
    return stage


def statement_of(stage: Stage) -> Statement:
    with stage.world.ledger.transaction() as tx:
        return read_statement(tx, tx.session.scalars(select(ReportRow)).first() or pytest.fail("there is no report"))


def telling(stage: Stage) -> Letter:
    """Return a letter with a name in each of its files and texts."""
    statement = statement_of(stage)
    (first, *rest) = statement.lines
    return compose_letter(replace(statement, lines=(replace(first, owner=NAME), *rest), practice_name=NAME))


def clean(**changes: object) -> Letter:
    return replace(Letter("Both sides agree", "Both sides agree.", "<p>Both sides agree.</p>"), **changes)  # type: ignore[arg-type]


def alarming() -> Letter:
    period = day_of(WEDNESDAY_NOON.date())
    said = f"asked for {NAME}"
    return compose_alarm(
        Alarm(AlarmKind.FAILED, "Biscayne Dermatology", "America/New_York", period, WEDNESDAY_NOON, message=said)
    )


def attached(stage: Stage, kind: str) -> Letter:
    return clean(attachments=tuple(file for file in telling(stage).attachments if file.name.endswith(kind)))


LETTERS: dict[str, tuple[str, Callable[[Stage], Letter]]] = {
    "the subject": ("headers of part 0", lambda _: clean(subject=f"Report about {NAME}")),
    "the plain text": ("part 1", lambda stage: clean(text=telling(stage).text)),
    "the HTML": ("part 2", lambda stage: clean(html=telling(stage).html)),
    "the workbook": ("sharedStrings.xml", lambda stage: attached(stage, ".xlsx")),
    "the CSV file": ("part 4", lambda stage: attached(stage, ".csv")),
    "an alarm": ("part 1", lambda _: alarming()),
}


@pytest.mark.parametrize("sink", LETTERS)
def test_a_leak_into_a_letter_is_noticed_where_it_is(
    sink: str, reported: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    place, write = LETTERS[sink]
    practice = reported.desk().practice
    post(reported, practice, write(reported), PostOffice(reported.world.sandbox.mailbox))
    number = mails(reported)[0].mail_id
    places = {hit.where for hit in leaks(reported, capsys, tmp_path) if hit.token == NAME}
    assert any(where.startswith(f"mail {number}") and place in where for where in places)


def test_a_leak_into_a_page_is_noticed(reported: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    reported.pages |= lines_of([report_page(FRAME, replace(statement_of(reported), practice_name=NAME))])
    assert {hit.where for hit in leaks(reported, capsys, tmp_path)} == {"pages"}


def text_columns() -> list[tuple[Table, Column[Any]]]:
    tables = [table_of(row) for row in NEW_TABLES]
    return [(table, column) for table in tables for column in table.columns if isinstance(column.type, String | JSON)]


def test_a_leak_into_any_column_of_the_new_tables_is_noticed_there(reported: Stage):
    engine = reported.world.ledger.engine
    planted = []
    rowid = literal_column("rowid")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        for trigger in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        for table, column in text_columns():
            told = literal(f'"{NAME}"' if isinstance(column.type, JSON) else NAME, String())
            first = connection.scalar(select(func.min(rowid)).select_from(table))  # one row: some columns are unique
            connection.execute(update(table).where(rowid == first).values({column.name: told}))
            planted.append(f"main.{table.name}.{column.name}")
    found = {hit.where for hit in Scanner(TOKENS).in_database(engine) if hit.token == NAME}
    assert len(planted) > 25
    assert found == set(planted)
