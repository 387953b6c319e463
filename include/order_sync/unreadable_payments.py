"""Orders whose payments in Nextech cannot be read: nothing is sent for them, and after a day a person hears of it."""

from __future__ import annotations

import logging
from datetime import timedelta

from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, move, release_orders
from order_sync.ledger.postings import may_be_booked
from order_sync.ledger.session import Transaction
from order_sync.reasons import Reason
from order_sync.statuses import OrderState

logger = logging.getLogger(__name__)

_REST = timedelta(minutes=1)
_TRIED_AGAIN = "tried again"
LOOK_AGAIN = Step(OrderState.MATCHED, Reason.PAYMENTS_UNREADABLE, _TRIED_AGAIN)
"""How a queued order is taken up again: it had its day, so the next read that fails gives it back at once."""


def leave_unread(desk: Desk, row: OrderRow, failure: str) -> None:
    """Leave a matched order that cannot be looked for where it stands; give it to a person when that has gone on for a day.

    The first failed read marks the order, so that a day without runs is no day of failed reads. How long a day is, is the
    practice's `cannot_verify_after_hours`. Raises nothing when somebody else moved the order meanwhile.
    """
    logger.warning("practice %s: order %s: %s", row.practice_id, row.number, failure)
    limit = timedelta(hours=desk.practice.posting.cannot_verify_after_hours)
    try:
        with desk.ledger.transaction() as tx:
            if row.why is not Reason.PAYMENTS_UNREADABLE:
                first = Step(OrderState.MATCHED, Reason.PAYMENTS_UNREADABLE, failure)
                move(tx, row, first, failed_at=tx.now, not_before=tx.now + _REST)
            elif row.detail == _TRIED_AGAIN or row.changed_at + limit <= tx.now:
                move(tx, row, Step(OrderState.QUEUED, _reason(tx, row), failure))
            else:
                release_orders(tx, [row], failure=failure)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", row.practice_id, error)


def _reason(tx: Transaction, row: OrderRow) -> Reason:
    """Return why a person is asked: one that a person had posted again may still arrive, and is to be watched."""
    return Reason.CANNOT_VERIFY if may_be_booked(tx, row.id) else Reason.PAYMENTS_UNREADABLE
