"""What `reconcile_payments` calls: one function a task. Returns counts, practice ids and the names of periods only."""

from __future__ import annotations

import logging
import os
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import TypedDict

from order_sync import reconcile
from order_sync.alarms import alarm_for, has_failed
from order_sync.bootstrap.desks import load_all_practices, load_practice, open_desk, open_ledger
from order_sync.bootstrap.mail import open_mail
from order_sync.bootstrap.runs import current_run
from order_sync.bootstrap.start_up import LARGEST_SKEW, assert_ready
from order_sync.deliver import deliver_alarm, deliver_report
from order_sync.errors import LetterNotSentError, PermanentError, ReconciliationError, SettingsError
from order_sync.ledger.reports import latest_report, reported_periods
from order_sync.practices import Practice
from order_sync.reconciliation.periods import Period, PeriodKind, due_periods, parse_period
from order_sync.reports.letters import Links, compose_alarm

logger = logging.getLogger(__name__)

FIRST_LOOK_BACK_DAYS = 2
"""A practice that was never reported gets yesterday and the day before, and the last month."""
LONGEST_GAP_DAYS = 31
"""Days that are made up for when the scheduler was off, or when their report could not be made."""


class DueReports(TypedDict):
    """What one practice's tasks are told; it labels them in the UI."""

    practice_id: str
    periods: list[str]


class FailedReportsError(PermanentError):
    """Some task of this run is red."""


def list_reports() -> list[DueReports]:
    """Return, for each practice, what is to be reported; raises `SettingsError` for params that name nothing."""
    assert_ready()
    params = current_run().params
    practices = [practice for practice in load_all_practices() if params.get("practice", "") in {"", practice.id}]
    if not practices:
        msg = f"param practice: there is no practice {params.get('practice')}"
        raise SettingsError(msg)
    asked = str(params.get("period") or "")
    now = datetime.now(UTC)
    with open_ledger() as ledger, ledger.transaction() as tx:
        due = {
            practice.id: _asked(asked, practice, now) if asked else _due(practice, now, reported_periods(tx, practice.id))
            for practice in practices
        }
    return [
        DueReports(practice_id=practice_id, periods=[period.name for period in periods])
        for practice_id, periods in due.items()
        if periods
    ]


def _asked(text: str, practice: Practice, now: datetime) -> tuple[Period, ...]:
    try:
        period = parse_period(text)
    except ValueError as error:
        msg = f"param period: {error}"
        raise SettingsError(msg) from error
    if period.last_day >= practice.business_day(now):
        msg = f"param period: {text} is not over yet for practice {practice.id}"
        raise SettingsError(msg)
    return (period,)


def _due(practice: Practice, now: datetime, reported: frozenset[Period]) -> tuple[Period, ...]:
    is_new = not any(period.kind is PeriodKind.DAY for period in reported)
    days = FIRST_LOOK_BACK_DAYS if is_new else LONGEST_GAP_DAYS
    return due_periods(practice.business_day(now), reported, look_back_days=days)


def reconcile_periods(practice_id: str, periods: list[str]) -> int:
    """Make and keep the reports of these periods; return how many there are now."""
    # The same name for every try, so that the next one takes over from one whose process died.
    holder = str(uuid.uuid5(uuid.NAMESPACE_OID, current_run().run_id))
    with open_desk(practice_id, progress=_LogProgress()) as desk:
        return len(reconcile.reconcile_periods(desk, [parse_period(name) for name in periods], holder=holder))


def send_letters(practice_id: str, periods: list[str]) -> int:
    """Mail the report of each period, or an alarm where there is none; return how many letters were accepted."""
    run, practice = current_run(), load_practice(practice_id)
    if not run.params.get("send", True):
        return 0
    accepted, failures = 0, []
    with open_ledger() as ledger, open_mail() as mailer:
        for period in map(parse_period, periods):
            with ledger.transaction() as tx:
                row = latest_report(tx, practice_id, period)
                is_made = row is not None and row.checked_at >= run.asked_at - LARGEST_SKEW
                is_made = is_made and not has_failed(tx, practice_id, period)
                alarm = None if is_made else alarm_for(tx, practice, period)
            try:
                if alarm is None and row is not None:
                    accepted += deliver_report(
                        ledger, practice, row.report_id, mailer, links=_links(), not_again_since=run.asked_at
                    )
                elif alarm is not None:
                    letter = compose_alarm(alarm, links=_links())
                    accepted += deliver_alarm(ledger, practice, period, letter, mailer)
            except (LetterNotSentError, ReconciliationError) as error:
                failures.append(str(error))  # the letters of the other periods leave all the same
    if failures:
        raise LetterNotSentError("; ".join(failures))
    return accepted


def report_failures() -> None:
    """Raise: called only when a task of the run has failed."""
    msg = "a practice could not be reported, or a letter did not leave; the red tasks say which, why, and what to do"
    raise FailedReportsError(msg)


class _LogProgress:
    """Say in the task's log how far a long read is."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._done: Counter[str] = Counter()

    def __call__(self, step: str, done: int, /) -> None:
        """Note that `done` more went through `step`."""
        self._done[step] += done
        if done:
            logger.info("%s: %d so far", step, self._done[step])


def _links() -> Links:
    """Return where the pages are: ORDER_SYNC_REPORTS_URL, or no links in the letters."""
    return Links(os.environ.get("ORDER_SYNC_REPORTS_URL") or None)
