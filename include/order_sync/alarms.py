"""Alarms: say why a period has no report, from what the run left in the queue."""

from __future__ import annotations

from order_sync.ledger.cases import open_cases, open_cases_of, practice_cause
from order_sync.ledger.models import CaseRow
from order_sync.ledger.session import Transaction
from order_sync.practices import Practice
from order_sync.reasons import Reason
from order_sync.reconciliation.periods import Period
from order_sync.reports.letters import Alarm, AlarmKind

_UNKNOWN = "The reconciliation ended without saying why; the log of its task does."


def alarm_for(tx: Transaction, practice: Practice, period: Period) -> Alarm:
    """Return the alarm for a period that could not be reported: which side, or which sum, and what the error said."""
    cases = {case.cause: case for case in open_cases(tx, practice.id) if case.order_id is None}
    kind, case = _first(cases, practice.id, period)
    return Alarm(
        kind=kind,
        practice_name=practice.name,
        time_zone=practice.time_zone,
        period=period,
        at=tx.now,
        message=case.sentence if case else _UNKNOWN,
        currency=practice.currency,
    )


def has_failed(tx: Transaction, practice_id: str, period: Period) -> bool:
    """Say whether the last try to make a period's report failed: making it closes what an earlier failure left."""
    failures = (Reason.REPORT_NOT_MADE, Reason.REPORT_NOT_TIED)
    return bool(open_cases_of(tx, [report_cause(practice_id, reason, period) for reason in failures]))


def report_cause(practice_id: str, reason: Reason, period: Period) -> str:
    """Return the cause under which it is kept that a period's report is missing, or did not leave."""
    return f"{practice_cause(practice_id, reason)}:{period.name}"


def _first(cases: dict[str, CaseRow], practice_id: str, period: Period) -> tuple[AlarmKind, CaseRow | None]:
    """Return the cause that says most: sums that do not tie, then a side that cannot be read, then anything else."""
    not_tied = cases.get(report_cause(practice_id, Reason.REPORT_NOT_TIED, period))
    if not_tied is not None:
        return AlarmKind.NOT_TIED, not_tied
    for kind, system in ((AlarmKind.STORE_UNREADABLE, "store"), (AlarmKind.NEXTECH_UNREADABLE, "nextech")):
        for cause, case in cases.items():
            if cause.endswith(f":{system}"):
                return kind, case
    return AlarmKind.FAILED, cases.get(report_cause(practice_id, Reason.REPORT_NOT_MADE, period))
