"""Mark: tell the store where its orders stand, from the outbox, many at a time where the store's module takes many."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from order_sync.clients.store import StatusUpdate
from order_sync.crash_points import Point, reach
from order_sync.desk import Desk
from order_sync.ledger.cases import close_case, open_case, practice_cause
from order_sync.ledger.models import OrderRow, OutboxRow
from order_sync.ledger.orders import SYNC
from order_sync.ledger.outbox import lease_statuses, mark_sent, postpone, stuck_statuses, tell_again
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus
from order_sync.trouble import watching

logger = logging.getLogger(__name__)

_BATCH = 100
_LEASE_SECONDS = 300.0
_TRIES_BEFORE_A_CASE = 3
_SLUGS = {
    PublicStatus.SYNCED: "synced",
    PublicStatus.NOT_SYNCED: "not_synced",
    PublicStatus.DISABLED: "disabled",
    PublicStatus.WAITING: "waiting_for_sync",
}


@dataclass(slots=True)
class MarkCounts:
    """What the store was told."""

    written: int = 0
    kept_by_staff: int = 0
    """The store's staff had set another status, which stays."""
    postponed: int = 0


def mark_status(desk: Desk, *, only: list[int] | None = None) -> MarkCounts:
    """Write every status that the store does not have yet; return how many were written.

    A write sets a value under a key of its own, so one whose answer was lost is made again without harm. One bad entry
    never holds up the others: it is tried again later (design section 4).
    """
    counts = MarkCounts()
    while not desk.is_out_of_time:
        with desk.ledger.transaction() as tx:
            unsent = lease_statuses(tx, desk.practice.id, limit=_BATCH, seconds=_LEASE_SECONDS, only=only)
        if not unsent:
            break
        with watching(desk, "store"):
            tried = _write(desk, unsent, counts)
        desk.progress("statuses written", len(unsent))
        if not tried or len(unsent) < _BATCH:
            break
    if only is None:
        _report_unwritten(desk)
    logger.info(
        "practice %s: %d statuses written, %d kept by staff, %d postponed",
        desk.practice.id,
        counts.written,
        counts.kept_by_staff,
        counts.postponed,
    )
    return counts


def _write(desk: Desk, unsent: list[tuple[OutboxRow, OrderRow]], counts: MarkCounts) -> int:
    """Write one batch; return how many entries left the outbox."""
    reach(Point.STATUSES_LEASED)
    results = desk.store.write_statuses([_update(outbox, order) for outbox, order in unsent])
    reach(Point.STATUSES_TOLD)
    left = 0
    with desk.ledger.transaction() as tx:
        for (outbox, _), result in zip(unsent, results, strict=True):
            if result.is_written:
                mark_sent(tx, [outbox.id])
                counts.written += 1
                left += 1
            elif result.conflict:
                mark_sent(tx, [outbox.id], note=result.reason)
                counts.kept_by_staff += 1
                left += 1
            else:
                postpone(tx, outbox, result.reason)
                counts.postponed += 1
        tell_again(tx, [outbox.id for outbox, _ in unsent])
    return left


def _report_unwritten(desk: Desk) -> None:
    """Keep one case open while the store refuses statuses again and again; orders and payments do not wait for it."""
    cause = practice_cause(desk.practice.id, Reason.STATUS_NOT_WRITTEN)
    with desk.ledger.transaction() as tx:
        stuck = stuck_statuses(tx, desk.practice.id, tries=_TRIES_BEFORE_A_CASE)
        if stuck:
            detail = f"{len(stuck)} orders, the oldest: {stuck[0].last_error}"
            open_case(tx, practice_id=desk.practice.id, cause=cause, reason=Reason.STATUS_NOT_WRITTEN, detail=detail)
        else:
            close_case(tx, cause, by=SYNC, resolution="every status is written")


def _update(outbox: OutboxRow, order: OrderRow) -> StatusUpdate:
    return StatusUpdate(
        order_id=order.entity_id,
        status=_SLUGS[outbox.status],
        message=outbox.message,
        run_key=outbox.run_key,
        source_updated_at=order.store_updated_at,
    )
