"""What the DAG files call: one function a task, in the DAG's own words. Returns counts and order numbers only."""

from __future__ import annotations

import logging
import os
import uuid
from datetime import timedelta
from typing import TypedDict

from order_sync import extract, mark, match, post, preview, reasons, rerun
from order_sync.bootstrap.desks import load_all_practices, open_desk, open_ledger
from order_sync.bootstrap.runs import current_run
from order_sync.bootstrap.start_up import assert_ready
from order_sync.errors import PermanentError
from order_sync.ledger.claims import finish_sweep, finished_sweeps
from order_sync.ledger.orders import failed_orders, mark_handed_out
from order_sync.trouble import note_good_run

logger = logging.getLogger(__name__)

MOST_ORDERS_A_RUN = 200
"""`sync_order` tasks of one run; Airflow maps 1,024 at most, and nobody reads more (design section 4)."""


class FailedOrder(TypedDict):
    """What one `sync_order` task is told; the reason labels it in the UI."""

    practice_id: str
    order_number: str
    reason: str


class FailedTasksError(PermanentError):
    """Some task of this run is red."""


def list_practices() -> list[str]:
    """Return the ids of the practices that are configured; raises `SettingsError` when a run would not be safe."""
    assert_ready()
    return _practice_ids()


def _practice_ids() -> list[str]:
    return [practice.id for practice in load_all_practices()]


def extract_orders(practice_id: str) -> int:
    """Extract; return how many changed orders were seen. In a dry run, say in the log what a run would do."""
    run = current_run()
    with open_desk(practice_id) as desk:
        if not run.is_dry:
            return extract.extract_orders(desk, holder=str(uuid.uuid4())).seen
        planned = preview.preview_orders(desk)
        for posting in planned:
            logger.info("dry run: practice %s: %s", practice_id, posting)
        logger.info("dry run: practice %s: %d orders are due; nothing was written", practice_id, len(planned))
        return len(planned)


def match_patients(practice_id: str) -> int:
    """Match; return how many orders got their patient."""
    if current_run().is_dry:
        return 0
    with open_desk(practice_id) as desk:
        return match.match_patients(desk).matched


def post_payments(practice_id: str) -> int:
    """Post; return how many payments were posted."""
    if current_run().is_dry:
        return 0
    with open_desk(practice_id) as desk:
        return post.post_payments(desk).posted


def mark_status(practice_id: str) -> int:
    """Tell the store; note that the run is through with this practice, also when the store cannot be told.

    That it went well is noted, too: the health page says when it last did.
    """
    run = current_run()
    if run.is_dry:
        return 0
    try:
        with open_desk(practice_id) as desk:
            written = mark.mark_status(desk).written
            note_good_run(desk)
            return written
    finally:
        with open_ledger() as ledger, ledger.transaction() as tx:
            finish_sweep(tx, run.run_id, practice_id)


def list_failed_orders() -> list[FailedOrder] | None:
    """Return the orders to be run alone, or None while the run's practices are still at work.

    After ORDER_SYNC_WAIT_FOR_PRACTICES_SECONDS (120) it goes on without the practices that hang: their trouble must not
    hold up the others' failed orders (design section 4). What is listed once is not listed again until it fails anew, save
    by a later try of this task: the earlier one may have died before Airflow had its list.
    """
    run, practice_ids = current_run(), _practice_ids()
    if run.is_dry:
        return []
    with open_ledger() as ledger, ledger.transaction() as tx:
        missing = set(practice_ids) - finished_sweeps(tx, run.run_id)
        if missing and tx.now - run.started_at < _longest_wait():
            return None
        if missing:
            logger.warning("not waiting any longer for: %s", ", ".join(sorted(missing)))
        lost_since = run.started_at if run.try_number > 1 else None
        failed = [row for practice_id in practice_ids for row in failed_orders(tx, practice_id, handed_out_since=lost_since)]
        chosen = failed[:MOST_ORDERS_A_RUN]
        mark_handed_out(tx, [row.id for row in chosen])
        if len(failed) > len(chosen):
            logger.warning("%d more failed orders wait for the next run", len(failed) - len(chosen))
        return [
            FailedOrder(
                practice_id=row.practice_id,
                order_number=row.number,
                reason=reasons.sentence(row.why, row.detail) if row.why else (row.detail or "failed"),
            )
            for row in chosen
        ]


def sync_order(practice_id: str, order_number: str, reason: str) -> None:
    """Take one order through all steps; raises with the reason and the next step when it is not Synced."""
    logger.info("practice %s: order %s was: %s", practice_id, order_number, reason)
    with open_desk(practice_id) as desk:
        rerun.sync_order(desk, order_number)


def report_failures() -> None:
    """Raise: called only when a task of the run has failed."""
    msg = "a practice or an order of this run failed; the red tasks say which, why, and what to do"
    raise FailedTasksError(msg)


def _longest_wait() -> timedelta:
    return timedelta(seconds=float(os.environ.get("ORDER_SYNC_WAIT_FOR_PRACTICES_SECONDS", "120")))
