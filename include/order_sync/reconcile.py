"""Reconcile: read both sides anew, put every order and entry into its class, and keep the reports that come of it.

One reading serves all: the periods that are due, and every earlier report that lies within the days that were read. One of
these that says something else by now is re-opened: it gets a new version, and the newest day's letter says what changed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from order_sync.alarms import report_cause
from order_sync.collect import Collected, collect_facts
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, OrderSyncError, ReconciliationError
from order_sync.ledger.cases import close_case, open_case
from order_sync.ledger.claims import drop_claim, take_claim
from order_sync.ledger.differences import cause_of, open_differences, owners_of, record_differences
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
from order_sync.reconciliation.classify import Rules, reconcile
from order_sync.reconciliation.periods import Period, PeriodKind
from order_sync.reconciliation.reopening import find_reopening
from order_sync.reconciliation.statement import Line, Reopening, Statement
from order_sync.reconciliation.statement_record import hash_facts, restore_line
from order_sync.reconciliation.summary import summarize
from order_sync.refund_debt import settle_refunds
from order_sync.trouble import watching

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=31)
"""How far back earlier reports are looked at again every morning; a month is, as a whole, when the next one begins."""
_CLAIM_SECONDS = 900.0
_ACTOR = "reconciliation"


def reconcile_periods(desk: Desk, periods: Sequence[Period]) -> list[str]:
    """Make and keep the report of each period, days before months; return their ids.

    A period that was reported before and has not changed keeps its report: the letter and its files are the same to the
    byte. Raises what reading raises, `ReconciliationError` for sums that do not tie, and `LedgerBusyError` while another run
    reconciles this practice; the queue then has a row for each period, and an alarm can say why.
    """
    holder, claim = str(uuid.uuid4()), f"reconcile:{desk.practice.id}"
    with desk.ledger.transaction() as tx:
        if not take_claim(tx, claim, holder=holder, seconds=_CLAIM_SECONDS):
            msg = f"practice {desk.practice.id}: another run is reconciling; it makes the report"
            raise LedgerBusyError(msg)
    try:
        return _reconcile(desk, holder, sorted(periods, key=lambda period: (len(period.days), period.first_day)))
    except OrderSyncError as error:
        _keep_failure(desk, periods, error)
        raise
    finally:
        with desk.ledger.transaction() as tx:
            drop_claim(tx, claim, holder=holder)


def _reconcile(desk: Desk, holder: str, periods: Sequence[Period]) -> list[str]:
    span = _span(desk, periods)
    with watching(desk, "store", "nextech"):
        settle_refunds(desk, holder=holder)
        collected = collect_facts(desk, span)
    with desk.ledger.transaction() as tx:
        again = [row for row in reports_within(tx, desk.practice.id, span) if _period_of(row) not in periods]
    reopened = [found for row in again if (found := _look_again(desk, collected, _period_of(row))) is not None]
    newest = max((period for period in periods if period.kind is PeriodKind.DAY), default=periods[-1], key=_end_of)
    report_ids = []
    for period in periods:
        statement = _report(desk, collected, period, tuple(reopened) if period == newest else ())
        report_ids.append(statement.report_id)
        desk.progress("reports made", 1)
    return report_ids


def _span(desk: Desk, periods: Sequence[Period]) -> Period:
    """Return the days to read: the periods, and, when a day is among them, those before it that may have changed."""
    first, last = min(period.first_day for period in periods), max(period.last_day for period in periods)
    yesterday = desk.practice.business_day(desk.clock.now()) - timedelta(days=1)
    if any(period.kind is PeriodKind.DAY and period.last_day == yesterday for period in periods):
        began_on = desk.practice.business_day(min(active.since for active in desk.practice.active))
        first = min(first, max(last - LOOK_BACK, began_on))
    return Period(first, last)


def _report(desk: Desk, collected: Collected, period: Period, reopened: tuple[Reopening, ...]) -> Statement:
    """Make a period's report, keep it unless it says what the last one said, and open and close its differences."""
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
                reopened=(*((own,) if own else ()), *reopened),
            )
            save_report(tx, statement)
        record_differences(tx, desk.practice.id, made.lines)
        for reason in (Reason.REPORT_NOT_MADE, Reason.REPORT_NOT_TIED):
            close_case(tx, report_cause(desk.practice.id, reason, period), by=_ACTOR, resolution=statement.report_id)
    logger.info(
        "practice %s: report %s: %d lines, difference %d cents, all of it explained",
        desk.practice.id,
        statement.report_id,
        len(statement.lines),
        statement.variance_cents,
    )
    return statement


def _look_again(desk: Desk, collected: Collected, period: Period) -> Reopening | None:
    """Compare an earlier report with what both sides say now; keep a new version and say what changed, if anything did."""
    made = _make(desk, collected, period)
    with desk.ledger.transaction() as tx:
        row = latest_report(tx, desk.practice.id, period)
        reopening = _reopening_of(tx, row, made)
        if row is None or reopening is None:
            return None
        save_report(tx, replace(_with_owners(tx, made), version=row.version + 1, reopened=(reopening,)))
        record_differences(tx, desk.practice.id, made.lines)
    logger.info("practice %s: %s is re-opened: %d lines changed", desk.practice.id, period.name, len(reopening.lines))
    return reopening


def _make(desk: Desk, collected: Collected, period: Period) -> Statement:
    practice = desk.practice
    rules = Rules(tolerance_cents=practice.reports.tolerance_cents)
    lines = reconcile(collected.facts, period, practice_id=practice.id, as_of=collected.read_at, rules=rules)
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
        notes={unread.subject: unread.sentence for unread in collected.not_read},
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


def _period_of(row: ReportRow) -> Period:
    return Period(row.first_day, row.last_day)


def _end_of(period: Period) -> date:
    return period.last_day
