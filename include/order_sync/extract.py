"""Extract: read what changed in a practice's store and bring it into the ledger."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from order_sync.crash_points import Point, reach
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError
from order_sync.intake import belongs_here, let_go, take_in
from order_sync.ledger.claims import drop_claim, move_watermark, progress_of, renew_claim, take_claim
from order_sync.ledger.orders import queued_orders
from order_sync.ledger.session import Transaction
from order_sync.orders import Order, OrderProblem
from order_sync.reasons import Reason
from order_sync.trouble import watching

logger = logging.getLogger(__name__)

_CLAIM_SECONDS = 300.0
_UNREADABLE_TRIED_A_RUN = 20


@dataclass(slots=True)
class ExtractCounts:
    """What an extraction met."""

    seen: int = 0
    unreadable: int = 0
    is_busy: bool = False
    """Another run is reading this practice's store; nothing was done here."""


def extract_orders(desk: Desk, *, holder: str) -> ExtractCounts:
    """Read the orders that changed since the watermark and take them in; return what was met.

    It reads up to now and moves the watermark only to now minus lag, so that the usual order waits for one tick and a row
    that was committed late is still found (design section 4). The watermark moves after a slice is in the ledger,
    never before. `holder` names this run; only one run reads a practice's store at a time.
    """
    claim = f"extract:{desk.practice.id}"
    with desk.ledger.transaction() as tx:
        if not take_claim(tx, claim, holder=holder, seconds=_CLAIM_SECONDS):
            logger.info("practice %s: another run is reading the store", desk.practice.id)
            return ExtractCounts(is_busy=True)
        watermark = progress_of(tx, desk.practice.id).watermark
        now = tx.now
    try:
        with watching(desk, "store"):
            counts = _read(desk, claim, holder, watermark, now)
            _read_unreadable_again(desk)
    finally:
        with desk.ledger.transaction() as tx:
            drop_claim(tx, claim, holder=holder)
    logger.info("practice %s: %d changed orders read, %d unreadable", desk.practice.id, counts.seen, counts.unreadable)
    return counts


def _read(desk: Desk, claim: str, holder: str, watermark: datetime | None, now: datetime) -> ExtractCounts:
    rules = desk.practice.extraction
    since = desk.practice.reads_from if watermark is None else watermark - timedelta(minutes=rules.overlap_minutes)
    counts = ExtractCounts()
    # A minute beyond our own clock: the store's may be ahead, and an order of this second must not wait for a tick.
    for page in desk.store.read_changes(since, now + timedelta(minutes=1), page_size=rules.page_size):
        reach(Point.PAGE_READ)
        with desk.ledger.transaction() as tx:
            if not renew_claim(tx, claim, holder=holder, seconds=_CLAIM_SECONDS):
                msg = f"practice {desk.practice.id}: this run was too slow and another has taken over the reading"
                raise LedgerBusyError(msg)
            everything: tuple[Order | OrderProblem, ...] = (*page.orders, *page.problems)
            for seen in everything:
                if belongs_here(desk, seen):
                    _take_in_alone(tx, desk, seen)
            let_go(tx, desk, [seen for seen in page.orders if not belongs_here(desk, seen)])
            if page.is_slice_end:
                move_watermark(tx, desk.practice.id, min(page.slice_until, _settled_until(desk, now)))
            reach(Point.PAGE_STAGED)
        reach(Point.PAGE_COMMITTED)
        counts.seen += len(page.orders)
        counts.unreadable += len(page.problems)
        desk.progress("orders read", len(page.orders) + len(page.problems))
        if desk.is_out_of_time:
            break
    return counts


def _read_unreadable_again(desk: Desk) -> None:
    """Try again what could not be read: a store that was in trouble heals without changing its orders.

    For a day, and some orders a run: one that is broken for good costs several requests each time.
    """
    with desk.ledger.transaction() as tx:
        since = tx.now - timedelta(days=1)
        queued = queued_orders(tx, desk.practice.id, [Reason.ORDER_UNREADABLE])
        rows = [row for row in queued if row.changed_at > since]
    rows = rows[-_UNREADABLE_TRIED_A_RUN:]
    if not rows:
        return
    seen = desk.store.read_orders([row.entity_id for row in rows])
    with desk.ledger.transaction() as tx:
        for row in rows:
            order = seen.get(row.entity_id)
            if isinstance(order, Order):
                _take_in_alone(tx, desk, order)


def _take_in_alone(tx: Transaction, desk: Desk, seen: Order | OrderProblem) -> None:
    """Take one order in; one that breaks a rule nobody thought of becomes a case, and the page goes on without it."""
    try:
        with tx.session.begin_nested():
            take_in(tx, desk, seen)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", desk.practice.id, error)
    except OperationalError:  # the database is in trouble, not the order
        raise
    except Exception as error:
        if isinstance(seen, OrderProblem):
            raise
        kind = type(error).__name__  # its text may hold what the order holds
        logger.warning("practice %s: order %s cannot be taken in: %s", desk.practice.id, seen.number, kind)
        problem = OrderProblem(seen.entity_id, f"it breaks a rule of the ledger ({kind})", seen.number, seen.placed_at)
        take_in(tx, desk, problem)


def _settled_until(desk: Desk, now: datetime) -> datetime:
    """Return the instant, on the store's own clock, before which no row is still being committed."""
    skew_seconds = desk.store.clock_skew_seconds or 0.0
    return now + timedelta(seconds=skew_seconds - desk.practice.extraction.lag_seconds)
