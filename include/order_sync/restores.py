"""Restores: after an older copy of the ledger was put back, hold the orders that it may have forgotten, then look everywhere.

Between the copy and the restore, orders from before it may have been posted, even to another patient, and a booking may
still be under way. So a restore is declared; older orders are held until every booking has arrived; then they are looked
for by their markers in all of the practice's payments (reliability, top).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from order_sync.desk import Desk
from order_sync.errors import IncompleteReadError, LedgerBusyError, LoginRefusedError, RemoteError
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import SYNC, Step, move, orders_in
from order_sync.ledger.restores import add_restore, last_restore, older_order_without_patient, payments_seen_between
from order_sync.ledger.session import Ledger, Transaction
from order_sync.markers import find_markers
from order_sync.orders import Order
from order_sync.payments import PaymentEntry, PeriodRead
from order_sync.practices import Practice
from order_sync.statuses import OrderState

logger = logging.getLogger(__name__)

_ON_THEIR_WAY = (OrderState.RECEIVED, OrderState.MATCHED)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hold:
    """What the latest declared restore of a practice holds, and until when; all instants in UTC."""

    placed_before: datetime
    """Orders placed before this, by the store's clock, may have been posted without the ledger knowing."""
    until: datetime

    def concerns(self, placed_at: datetime) -> bool:
        """Say whether an order is from before the restore: held at first, and looked for everywhere after that."""
        return placed_at < self.placed_before

    def keeps(self, placed_at: datetime, now: datetime) -> bool:
        """Say whether an order is held now."""
        return self.concerns(placed_at) and now < self.until

    @property
    def sentence(self) -> str:
        """Say until when, as staff read it beside *Waiting for Sync*."""
        return f"held after a restore until {self.until:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class DeclaredRestore:
    """What a declaration did."""

    until: datetime
    held: int
    """Orders that were on their way and now wait; others from before are held when they become due."""


def declare_restore(ledger: Ledger, practice: Practice, *, actor: str) -> DeclaredRestore:
    """Record that an older copy of the ledger was put back, and hold the practice's orders that are on their way.

    Declared twice, the later one holds. A run that has taken such an order up loses it here.
    """
    held = 0
    with ledger.transaction() as tx:
        add_restore(tx, practice.id, by=actor)
        hold = Hold(tx.now, tx.now + _wait(practice))
        for row in orders_in(tx, practice.id, _ON_THEIR_WAY):
            if hold.concerns(row.placed_at):
                held += _keep(tx, row, hold, actor=actor)
    logger.info("practice %s: a restore was declared by %s; %d orders are held", practice.id, actor, held)
    return DeclaredRestore(hold.until, held)


def hold_of(tx: Transaction, desk: Desk) -> Hold | None:
    """Return what the practice's latest restore holds, None when none was ever declared.

    The wait is that of *post again*: the longest that a booking may be late. A store whose clock is ahead dates its
    orders later than we do; what it is ahead is added.
    """
    declared_at = last_restore(tx, desk.practice.id)
    if declared_at is None:
        return None
    ahead = timedelta(seconds=max(0.0, desk.store.clock_skew_seconds or 0.0))
    return Hold(declared_at + ahead, declared_at + _wait(desk.practice))


def hold_back(desk: Desk, orders: list[tuple[OrderRow, Order]]) -> list[tuple[OrderRow, Order]]:
    """Return the orders that may go on; those from before a restore wait where they stand while it holds them."""
    with desk.ledger.transaction() as tx:
        hold = hold_of(tx, desk)
        if hold is None or tx.now >= hold.until:
            return orders
        for row, _ in orders:
            if hold.concerns(row.placed_at):
                _keep(tx, row, hold)
    return [(row, order) for row, order in orders if not hold.concerns(row.placed_at)]


def hold_on_account(tx: Transaction, desk: Desk, row: OrderRow) -> Hold | None:
    """Return the hold that forbids to create an account for this order's customer, if there is one.

    An account may have been asked for on behalf of an older order of the same customer, and may still be created.
    """
    hold = hold_of(tx, desk)
    if hold is None or tx.now >= hold.until:
        return None
    older = older_order_without_patient(tx, row, placed_before=hold.placed_before)
    return hold if older is not None or hold.concerns(row.placed_at) else None


def _wait(practice: Practice) -> timedelta:
    return timedelta(hours=practice.posting.post_again_after_hours)


def _keep(tx: Transaction, row: OrderRow, hold: Hold, *, actor: str = SYNC) -> bool:
    """Let an order wait where it stands; the step takes it from whoever has just taken it up."""
    try:
        with tx.session.begin_nested():
            move(tx, row, Step(row.state, detail=hold.sentence, actor=actor), not_before=hold.until)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", row.practice_id, error)
        return False
    return True


@dataclass(slots=True)
class LookEverywhere:
    """All payments of the practice since the oldest order in question: read once in a sweep, when one first needs it."""

    _hold: Hold | None = None
    _read: PeriodRead | None = None
    _by_marker: dict[str, list[PaymentEntry]] = field(default_factory=dict)
    _has_failed: bool = False

    def read_for(self, desk: Desk, hold: Hold | None, rows: Iterable[OrderRow]) -> None:
        """Read what these orders need, unless it has been read, or could not be, in this sweep."""
        self._hold = hold
        days = [row.business_day for row in rows if hold is not None and hold.concerns(row.placed_at)]
        if not days or self._has_failed:
            return
        first_day = min(days) - _DAY
        if self._read is not None and self._read.first_day <= first_day:
            return
        last_day = desk.practice.business_day(desk.clock.now()) + _DAY
        try:
            self._read = desk.nextech.read_payments_between(first_day, last_day, zone=desk.practice.zone, ends_at=desk.ends_at)
            _require_witness(desk, self._read)
        except LoginRefusedError:
            raise
        except RemoteError as error:
            # No evidence: the orders from before wait, and those of today are not held up by that.
            logger.warning("practice %s: orders from before the restore wait: %s", desk.practice.id, error)
            self._has_failed = True
            return
        self._by_marker = {}
        for entry in self._read.entries:
            for marker in find_markers(entry.note):
                self._by_marker.setdefault(marker, []).append(entry)

    def entries_of(self, row: OrderRow, marker: str) -> tuple[PaymentEntry, ...] | None:
        """Return the payments with this marker, whichever patient's; None when that is needed and not known.

        Of an order that is not from before a restore, nothing needs to be known.
        """
        if self._hold is None or not self._hold.concerns(row.placed_at):
            return ()
        if self._has_failed or self._read is None or self._read.first_day > row.business_day:
            return None
        return tuple(self._by_marker.get(marker, ()))


def _require_witness(desk: Desk, read: PeriodRead) -> None:
    """Raise unless the read shows some payment that is known to be there: a search by date may not mean what we think."""
    with desk.ledger.transaction() as tx:
        known = payments_seen_between(tx, desk.practice.id, read.first_day + _DAY, read.last_day - _DAY)
    if known and known.isdisjoint(entry.payment_id for entry in read.entries):
        reason = "a search by payment date shows none of the payments that are known to be there"
        raise IncompleteReadError(reason, system="nextech", route="GET /PaymentReconciliation")
