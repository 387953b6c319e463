"""A whole practice in trouble: one row of the queue per cause while it lasts, closed when it is over."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from order_sync.desk import Desk
from order_sync.errors import LoginRefusedError, RemoteError, SettingsError
from order_sync.ledger.cases import close_case, open_case, open_cases_of, practice_cause
from order_sync.ledger.claims import progress_of
from order_sync.ledger.orders import SYNC
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason

logger = logging.getLogger(__name__)

_JUST_MET = timedelta(minutes=10)
_UNAVAILABLE = {"store": Reason.STORE_UNAVAILABLE, "nextech": Reason.NEXTECH_UNAVAILABLE}


def _cause(practice_id: str, reason: Reason, system: str) -> str:
    return f"{practice_cause(practice_id, reason)}:{system}"


def _causes(practice_id: str, system: str) -> list[str]:
    return [_cause(practice_id, reason, system) for reason in (Reason.LOGIN_REFUSED, _UNAVAILABLE[system])]


def report_trouble(ledger: Ledger, practice_id: str, error: RemoteError | SettingsError) -> None:
    """Open, or refresh, the practice's case for what this error says."""
    if isinstance(error, SettingsError):
        system, reason, detail = "settings", Reason.SETTINGS_WRONG, str(error)
    else:
        system, detail = error.system, str(error)
        reason = Reason.LOGIN_REFUSED if isinstance(error, LoginRefusedError) else _UNAVAILABLE[error.system]
    logger.warning("practice %s: %s: %s", practice_id, reason.value, detail)
    with ledger.transaction() as tx:
        open_case(tx, practice_id=practice_id, cause=_cause(practice_id, reason, system), reason=reason, detail=detail)


def end_trouble(desk: Desk, *systems: str) -> None:
    """Close the practice's cases about these systems ("store", "nextech"): they have just answered as they should."""
    practice_id = desk.practice.id
    over = {_cause(practice_id, Reason.SETTINGS_WRONG, "settings"): "settings are read again"}
    over |= {cause: f"{system} answers again" for system in systems for cause in _causes(practice_id, system)}
    with desk.ledger.transaction() as tx:
        for case in open_cases_of(tx, over):
            if close_case(tx, case.cause, by=SYNC, resolution=over[case.cause]):
                logger.info("practice %s: %s", practice_id, over[case.cause])


def look_whether_it_is_over(desk: Desk, system: str) -> None:
    """Ask a system that was in trouble whether it answers, when no order gives a reason to: an old case must not stand.

    A case that this run has just met is left alone: one cheap read that works does not say that the others do.
    """
    with desk.ledger.transaction() as tx:
        cases = open_cases_of(tx, _causes(desk.practice.id, system))
        if not any(case.last_seen_at < tx.now - _JUST_MET for case in cases):
            return
    client = desk.nextech if system == "nextech" else desk.store
    try:
        client.check()
    except RemoteError as error:
        logger.info("practice %s: still in trouble: %s", desk.practice.id, error)
        return
    end_trouble(desk, system)


def note_good_run(desk: Desk) -> bool:
    """Note that a run has just taken all steps of the practice; not while its settings or a whole system are in trouble."""
    practice_id = desk.practice.id
    settings = _cause(practice_id, Reason.SETTINGS_WRONG, "settings")
    causes = [settings, *(cause for system in _UNAVAILABLE for cause in _causes(practice_id, system))]
    with desk.ledger.transaction() as tx:
        is_good = not open_cases_of(tx, causes)
        if is_good:
            progress_of(tx, practice_id).synced_at = tx.now
    return is_good


@contextmanager
def watching(desk: Desk, *systems: str) -> Iterator[None]:
    """Turn a failure of the whole practice into a case, and close that case when the block goes through.

    The error is raised on, so that the task is red and the retry policy can sort it.
    """
    try:
        yield
    except (RemoteError, SettingsError) as error:
        report_trouble(desk.ledger, desk.practice.id, error)
        raise
    end_trouble(desk, *systems)
