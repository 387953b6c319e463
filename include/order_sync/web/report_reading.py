"""What the pages of the reports show beside the reports themselves: letters, versions, histories, and who works on what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from fastapi import HTTPException
from sqlalchemy import select

from order_sync.ledger.deliveries import deliveries_of
from order_sync.ledger.differences import cause_of, find_differences, history_of, is_difference
from order_sync.ledger.models import HistoryRow
from order_sync.ledger.report_lists import (
    letter_states,
    lines_of_class,
    lines_of_subject,
    order_keys_of,
    to_do_counts,
    versions_of,
)
from order_sync.ledger.report_models import DeliveryRow, DeliveryState, DifferenceRow, DifferenceState, ReportRow, Resolution
from order_sync.ledger.reports import find_report
from order_sync.ledger.session import Transaction
from order_sync.practices import Practice
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.statement import Line, Statement
from order_sync.reconciliation.statement_record import restore_statement
from order_sync.reports.pages import LINES_OF_A_PAGE, ReportHeader, Step, Work
from order_sync.reports.wording import reason_words, state_words
from order_sync.web.house import practice_or_nothing
from order_sync.web.visitors import Visitor

_SETTLED_AS = {
    Resolution.FIXED_AT_SOURCE: "corrected",
    Resolution.CARRIED_FORWARD: "carried forward",
    Resolution.WRITTEN_OFF: "written off",
    Resolution.NOT_AN_ERROR: "not an error",
}
_STEPS_SHOWN = 200


def report_or_nothing(tx: Transaction, practices: Mapping[str, Practice], report_id: str) -> ReportRow:
    """Return a report of a practice that the visitor may see; raises `HTTPException` 404."""
    row = find_report(tx, report_id) if report_id.isprintable() else None
    if row is None:
        raise HTTPException(404, "There is no such report")
    practice_or_nothing(dict(practices), row.practice_id)
    return row


def headers_of(tx: Transaction, practices: Mapping[str, Practice], rows: Sequence[ReportRow]) -> list[ReportHeader]:
    """Return what the list says of each report."""
    to_do, letters = to_do_counts(tx, rows), letter_states(tx, rows)
    return [
        replace(header_of(practices, row), to_do_count=to_do[row.id], delivery=delivery_words(letters[row.id])) for row in rows
    ]


def header_of(practices: Mapping[str, Practice], row: ReportRow) -> ReportHeader:
    """Return what can be said of a report without asking further."""
    practice = practices[row.practice_id]
    period = Period(row.first_day, row.last_day)
    return ReportHeader(row.report_id, practice.name, period, row.version, row.variance_cents, practice.currency)


def delivery_words(letters: Counter[DeliveryState]) -> str:
    """Say whether the letters of a report have left."""
    failed, sent = letters[DeliveryState.FAILED] + letters[DeliveryState.PENDING], letters[DeliveryState.ACCEPTED]
    if not failed:
        return "mailed" if sent else "not mailed"
    return f"{failed} of {failed + sent} not sent"


def statement_without_lines(row: ReportRow) -> Statement:
    """Return a report's statement without its lines: all that a page of some lines needs."""
    return restore_statement(row.statement, ())


def page_of_class(tx: Transaction, row: ReportRow, class_: DifferenceClass, page: int) -> list[Line]:
    """Return the lines on one page of a class."""
    return lines_of_class(tx, row, class_, offset=(page - 1) * LINES_OF_A_PAGE, limit=LINES_OF_A_PAGE)


def statement_about(tx: Transaction, row: ReportRow, subject: str) -> Statement:
    """Return a report's statement with the lines of one subject alone."""
    return replace(statement_without_lines(row), lines=tuple(lines_of_subject(tx, row, subject)))


def letters_of(tx: Transaction, row: ReportRow, visitor: Visitor) -> list[Step]:
    """Return what became of the letters of a report; who gets them is told to those who may act."""
    return [
        Step(one.accepted_at or one.created_at, _letter_words(one), one.recipient if visitor.can_act else "")
        for one in deliveries_of(tx, row.id)
    ]


def _letter_words(letter: DeliveryRow) -> str:
    match letter.state:
        case DeliveryState.ACCEPTED:
            return "Sent again" if letter.is_repeat else "Sent"
        case DeliveryState.PENDING:
            return "Not known to have left"
        case DeliveryState.FAILED:
            return f"Not sent: {letter.last_error or 'no reason is known'}"


def other_versions(tx: Transaction, practices: Mapping[str, Practice], row: ReportRow) -> list[ReportHeader]:
    """Return the other versions of a report."""
    return [header_of(practices, other) for other in versions_of(tx, row)]


def work_on(
    tx: Transaction, practice_id: str, lines: Iterable[Line], visitor: Visitor
) -> dict[tuple[str, DifferenceClass], Work]:
    """Return how far people are with what these lines ask of them, by subject and class."""
    by_cause = {cause_of(line): line for line in lines if is_difference(line)}
    known = find_differences(tx, practice_id, sorted(by_cause))
    return {(line.subject, line.class_): _work(known[cause], visitor) for cause, line in by_cause.items() if cause in known}


def _work(row: DifferenceRow, visitor: Visitor) -> Work:
    is_settled = row.state is DifferenceState.RESOLVED
    is_mine = row.state is DifferenceState.ASSIGNED and row.owner == visitor.login
    acts = ("reopen",) if is_settled else ("settle", "wait") if is_mine else ("take", "settle", "wait")
    return Work(row.id, row.state.value, _work_words(row), is_settled, acts if visitor.can_act else ())


def _work_words(row: DifferenceRow) -> str:
    owner = f"taken on by {row.owner}" if row.owner else ""
    match row.state:
        case DifferenceState.RESOLVED:
            return f"Settled: {_SETTLED_AS[row.resolution]}" if row.resolution else "Settled"
        case DifferenceState.WAITING:
            return f"Waits; {owner}" if owner else "Waits"
        case DifferenceState.REOPENED:
            return f"Open again; {owner}" if owner else "Open again"
        case _:
            return owner.capitalize() if owner == "" else f"{owner[0].upper()}{owner[1:]}"


def history_of_line(tx: Transaction, practice_id: str, lines: Sequence[Line]) -> tuple[list[Step], int | None]:
    """Return what happened to an order or payment and its differences, and the order's key where the ledger knows it."""
    keys = order_keys_of(tx, practice_id, lines)
    order_key = next(iter(keys.values()), None)
    steps = [] if order_key is None else _order_steps(tx, order_key)
    differences = find_differences(tx, practice_id, sorted({cause_of(line) for line in lines}))
    return [*steps, *_difference_steps(tx, differences.values())], order_key


def _order_steps(tx: Transaction, order_key: int) -> list[Step]:
    query = select(HistoryRow).where(HistoryRow.order_id == order_key).order_by(HistoryRow.id.desc()).limit(_STEPS_SHOWN)
    return [
        Step(
            row.at,
            ": ".join(filter(None, (_begun(state_words(row.to_state)), reason_words(row.reason, row.detail)))),
            row.actor,
        )
        for row in tx.session.scalars(query)
    ]


def _difference_steps(tx: Transaction, rows: Collection[DifferenceRow]) -> list[Step]:
    return [
        Step(step.at, ": ".join(filter(None, (f"Difference {step.to_state}", step.reason))), step.actor)
        for row in rows
        for step in history_of(tx, row.id)[-_STEPS_SHOWN:]
    ]


def _begun(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
