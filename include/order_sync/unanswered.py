"""Orders about which Nextech gives no complete answer: nothing is decided or sent, and after a day a person hears of it."""

from __future__ import annotations

import logging
from datetime import timedelta

from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, move, release_orders
from order_sync.ledger.postings import may_be_booked
from order_sync.reasons import Reason
from order_sync.statuses import OrderState

logger = logging.getLogger(__name__)

_REST = timedelta(minutes=1)
_TRIED_AGAIN = "tried again"
_STANDS_AT = {Reason.PAYMENTS_UNREADABLE: OrderState.MATCHED, Reason.CUSTOMER_UNSEARCHABLE: OrderState.RECEIVED}


def step_to_try_again(reason: Reason | None, otherwise: OrderState) -> Step:
    """Return how a queued order is taken up again.

    One of these had its day: it keeps its reason, so that the next answer that is not complete gives it back at once.
    """
    if reason in _STANDS_AT:
        return Step(_STANDS_AT[reason], reason, _TRIED_AGAIN)
    return Step(otherwise)


def leave_unread(desk: Desk, row: OrderRow, failure: str) -> None:
    """Leave a matched order whose payments cannot be read completely; give it to a person when that has gone on for a day."""
    _leave(desk, row, Reason.PAYMENTS_UNREADABLE, failure)


def leave_unsearched(desk: Desk, row: OrderRow) -> None:
    """Leave an order whose customer cannot be searched for completely; give it to a person when that has gone on for a day."""
    _leave(desk, row, Reason.CUSTOMER_UNSEARCHABLE, "Nextech's answers are incomplete")


def _leave(desk: Desk, row: OrderRow, reason: Reason, failure: str) -> None:
    """Leave the order where it stands, or ask a person.

    The first failed question marks the order, so that a day without runs is no day of failed questions. How long a day is, is
    the practice's `cannot_verify_after_hours`. Nothing is raised when somebody else moved the order meanwhile.
    """
    logger.warning("practice %s: order %s: %s: %s", row.practice_id, row.number, reason.value, failure)
    limit = timedelta(hours=desk.practice.posting.cannot_verify_after_hours)
    try:
        with desk.ledger.transaction() as tx:
            if row.why is not reason:
                move(tx, row, Step(row.state, reason, failure), failed_at=tx.now, not_before=tx.now + _REST)
            elif row.detail == _TRIED_AGAIN or row.changed_at + limit <= tx.now:
                # What a person had posted again may still arrive: that is watched, not only waited for.
                why = Reason.CANNOT_VERIFY if may_be_booked(tx, row.id) else reason
                move(tx, row, Step(OrderState.QUEUED, why, failure))
            else:
                release_orders(tx, [row], failure=failure)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", row.practice_id, error)
