"""Reconcile: read both sides anew, put every order and entry into its class, and keep the reports that come of it.

One reading serves all: the periods that are due, and every earlier report that lies within the days that were read. One of
these that says something else by now is re-opened: it gets a new version, and the newest day's letter says what changed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import TypeVar

from order_sync.alarms import report_cause
from order_sync.collect import Collected, collect_facts
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, OrderSyncError, ReconciliationError
from order_sync.ledger.cases import close_case, open_case
from order_sync.ledger.claims import drop_claim, take_claim
from order_sync.ledger.differences import (
    asks_for_a_person,
    cause_of,
    open_differences,
    owners_of,
    record_differences,
    resolve_over,
)
from order_sync.ledger.refunds import open_debts
from order_sync.ledger.report_models import ReportRow
from order_sync.ledger.reports import (
    closing_gift_cards,
    confirm_report,
    latest_report,
    read_statement,
    reports_within,
    save_report,
)
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason
from order_sync.reconciliation.classes import DifferenceClass, Section
from order_sync.reconciliation.classify import Rules, reconcile
from order_sync.reconciliation.periods import Period, PeriodKind, month_of
from order_sync.reconciliation.reopening import find_reopening
from order_sync.reconciliation.statement import Line, Reopening, Statement
from order_sync.reconciliation.statement_record import hash_facts, restore_line
from order_sync.reconciliation.summary import summarize
from order_sync.refund_debt import settle_refunds
from order_sync.trouble import watching

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_BACK = timedelta(days=31)
"""How far back earlier reports are looked at again every morning, and on to the first of that month."""
_CLAIM_SECONDS = 900.0
_ACTOR = "reconciliation"


@dataclass(frozen=True, slots=True)
class _Changed:
    """An earlier report that says something else by now, not kept yet."""

    statement: Statement
    reopening: Reopening


def reconcile_periods(desk: Desk, periods: Sequence[Period], *, holder: str | None = None) -> list[str]:
    """Make and keep the report of each period, days before months; return their ids.

    A period that was reported before and has not changed keeps its report: the letter and its files are the same to the
    byte. `holder` names who works: a second try of the same name takes over from a first one that died.

    Raises what reading raises, `ReconciliationError` for sums that do not tie, after all other periods have their report, and
    `LedgerBusyError` while another run reconciles this practice. The queue has a row for each period without a report then,
    but for the last: that run makes it.
    """
    holder, claim = holder or str(uuid.uuid4()), f"reconcile:{desk.practice.id}"
    with desk.ledger.transaction() as tx:
        if not take_claim(tx, claim, holder=holder, seconds=_CLAIM_SECONDS):
            msg = f"practice {desk.practice.id}: another run is reconciling; it makes the report"
            raise LedgerBusyError(msg)
    try:
        span = _span(desk, periods)
        try:
            with watching(desk, "store", "nextech"):
                settle_refunds(desk, holder=holder)
                collected = collect_facts(desk, span)
        except OrderSyncError as error:
            _keep_failure(desk, periods, error)
            raise
        return _report_all(desk, collected, span, sorted(periods, key=lambda period: (len(period.days), period.first_day)))
    finally:
        with desk.ledger.transaction() as tx:
            drop_claim(tx, claim, holder=holder)


def _report_all(desk: Desk, collected: Collected, span: Period, periods: Sequence[Period]) -> list[str]:
    """Make every report that ties; raise for the first one that does not, once the others are kept."""
    failures: list[ReconciliationError] = []

    def attempt(work: Callable[[Period], T], period: Period) -> T | None:
        try:
            return work(period)
        except ReconciliationError as error:
            _keep_failure(desk, [period], error)
            failures.append(error)
            return None

    _resolve_what_is_over(desk, collected, span)
    with desk.ledger.transaction() as tx:
        again = [_period_of(row) for row in reports_within(tx, desk.practice.id, span) if _period_of(row) not in periods]
    changed = [found for period in again if (found := attempt(partial(_look_again, desk, collected), period))]
    newest = max((period for period in periods if period.kind is PeriodKind.DAY), default=periods[-1], key=_end_of)
    report_ids = []
    for period in periods:
        news = changed if period == newest else ()
        statement = attempt(partial(_report, desk, collected, news), period)
        if statement is not None:
            report_ids.append(statement.report_id)
            desk.progress("reports made", 1)
    if failures:
        raise failures[0]
    return report_ids


def _span(desk: Desk, periods: Sequence[Period]) -> Period:
    """Return the days to read: the periods, and, when yesterday is among them, those before it that may have changed.

    They begin with a month, so that a month is looked at again, as a whole, for as long as its last day is.
    """
    first, last = min(period.first_day for period in periods), max(period.last_day for period in periods)
    yesterday = desk.practice.business_day(desk.clock.now()) - timedelta(days=1)
    if any(period.kind is PeriodKind.DAY and period.last_day == yesterday for period in periods):
        began_on = desk.practice.business_day(min(active.since for active in desk.practice.active))
        first = min(first, max(month_of(last - LOOK_BACK).first_day, began_on))
    return Period(first, last)


def _report(desk: Desk, collected: Collected, changed: Sequence[_Changed], period: Period) -> Statement:
    """Make a period's report, keep it unless it says what the last one said, and open and close its differences.

    The earlier reports that have `changed` are kept in the same transaction: their news is told by this report or, when it
    stays as it was, by the next one.
    """
    made = _make(desk, collected, period)
    with desk.ledger.transaction() as tx:
        row = latest_report(tx, desk.practice.id, period)
        if row is not None and row.facts_sha256 == hash_facts(made):
            statement = read_statement(tx, row)
            confirm_report(tx, row.id)
        else:
            own = _reopening_of(tx, row, made)
            statement = replace(
                _with_owners(tx, made),
                version=row.version + 1 if row else 1,
                still_open=_still_open(tx, made) if period.kind is PeriodKind.DAY else (),
                reopened=(*((own,) if own else ()), *(one.reopening for one in changed)),
            )
            for one in changed:
                save_report(tx, one.statement)
            save_report(tx, statement)
        record_differences(tx, desk.practice.id, made.lines)
        _end_failure(tx, desk.practice.id, period, statement.report_id)
    logger.info(
        "practice %s: report %s: %d lines, difference %d cents, all of it explained",
        desk.practice.id,
        statement.report_id,
        len(statement.lines),
        statement.variance_cents,
    )
    return statement


def _look_again(desk: Desk, collected: Collected, period: Period) -> _Changed | None:
    """Compare an earlier report with what both sides say now; return what it says now, if that is something else."""
    made = _make(desk, collected, period)
    with desk.ledger.transaction() as tx:
        row = latest_report(tx, desk.practice.id, period)
        _end_failure(tx, desk.practice.id, period, "looked at again")
        reopening = _reopening_of(tx, row, made)
        if row is None or reopening is None:
            return None
        record_differences(tx, desk.practice.id, made.lines)
        statement = replace(_with_owners(tx, made), version=reopening.version, reopened=(reopening,))
    logger.info("practice %s: %s is re-opened: %d lines changed", desk.practice.id, period.name, len(reopening.lines))
    return _Changed(statement, reopening)


def _resolve_what_is_over(desk: Desk, collected: Collected, span: Period) -> None:
    """Resolve the differences of these days that are none any more, whether a report of their day is made again or not.

    An entry that was voided has no line at all; what could not be read is not gone.
    """
    with desk.ledger.transaction() as tx:
        known = [row for row in open_differences(tx, desk.practice.id) if _lies_within(restore_line(row.line), span)]
    if not known:
        return
    try:
        lines = reconcile(collected.facts, span, practice_id=desk.practice.id, as_of=collected.read_at, rules=_rules(desk))
    except ReconciliationError as error:
        logger.warning("practice %s: nothing is resolved: %s", desk.practice.id, error)
        return
    is_refund = lines["section"].eq(Section.REFUND.name).map({True: "refund", False: "payment"})
    shown = dict(zip(lines["subject"] + ":" + is_refund, lines["class_"].map(DifferenceClass), strict=True))
    unread = {one.subject for one in collected.not_read}
    is_memo_unread = any(subject.startswith("memo:") for subject in unread)
    over = [
        row.cause
        for row in known
        if (row.cause not in shown or not asks_for_a_person(shown[row.cause]))
        and restore_line(row.line).subject not in unread
        and not (is_memo_unread and row.cause.endswith(":refund"))
    ]
    with desk.ledger.transaction() as tx:
        resolve_over(tx, desk.practice.id, over)


def _lies_within(line: Line, span: Period) -> bool:
    days = [day for day in (line.store_day, line.nextech_day) if day is not None]
    return bool(days) and all(span.contains(day) for day in days)


def _rules(desk: Desk) -> Rules:
    return Rules(tolerance_cents=desk.practice.reports.tolerance_cents)


def _make(desk: Desk, collected: Collected, period: Period) -> Statement:
    practice = desk.practice
    lines = reconcile(collected.facts, period, practice_id=practice.id, as_of=collected.read_at, rules=_rules(desk))
    with desk.ledger.transaction() as tx:
        opening_cents = closing_gift_cards(tx, practice.id, period.first_day)
        owed = [(practice.business_day(made_at), cents) for made_at, cents in open_debts(tx, practice.id)]
    statement = summarize(
        lines,
        collected.facts,
        period,
        practice=practice,
        opening_gift_cards_cents=opening_cents,
        open_refunds=[(day, cents) for day, cents in owed if day <= period.last_day],
        notes={one.subject: one.sentence for one in collected.not_read if one.day is None or period.contains(one.day)},
    )
    if not statement.is_tied:
        msg = (
            f"practice {practice.id}: {period.name}: the classes explain {statement.explained_cents} cents"
            f" of a difference of {statement.variance_cents} cents"
        )
        raise ReconciliationError(msg)
    return statement


def _reopening_of(tx: Transaction, row: ReportRow | None, made: Statement) -> Reopening | None:
    if row is None:
        return None
    return find_reopening(made.period, row.version + 1, read_statement(tx, row).lines, made.lines)


def _with_owners(tx: Transaction, statement: Statement) -> Statement:
    owners = owners_of(tx, statement.practice_id, [cause_of(line) for line in statement.lines])
    lines = tuple(
        replace(line, owner=owners[cause]) if (cause := cause_of(line)) in owners else line for line in statement.lines
    )
    return replace(statement, lines=lines)


def _still_open(tx: Transaction, statement: Statement) -> tuple[Line, ...]:
    """Return what earlier periods left to do, oldest first, aged up to this report's cut-off."""
    own = {cause_of(line) for line in statement.lines}
    earlier = [
        row
        for row in open_differences(tx, statement.practice_id)
        if row.cause not in own and row.since is not None and row.since < statement.cut_off
    ]
    return tuple(
        replace(restore_line(row.line), owner=row.owner, age_days=(statement.cut_off - row.since).days)
        for row in earlier
        if row.since is not None
    )


def _keep_failure(desk: Desk, periods: Sequence[Period], error: OrderSyncError) -> None:
    reason = Reason.REPORT_NOT_TIED if isinstance(error, ReconciliationError) else Reason.REPORT_NOT_MADE
    practice_id = desk.practice.id
    with desk.ledger.transaction() as tx:
        for period in periods:
            cause = report_cause(practice_id, reason, period)
            open_case(tx, practice_id=practice_id, cause=cause, reason=reason, detail=f"{period.name}: {error}")


def _end_failure(tx: Transaction, practice_id: str, period: Period, resolution: str) -> None:
    for reason in (Reason.REPORT_NOT_MADE, Reason.REPORT_NOT_TIED):
        close_case(tx, report_cause(practice_id, reason, period), by=_ACTOR, resolution=resolution)


def _period_of(row: ReportRow) -> Period:
    return Period(row.first_day, row.last_day)


def _end_of(period: Period) -> date:
    return period.last_day
