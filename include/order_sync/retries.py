"""Retry: a person has the next run take up a queued order at once, as a task of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from order_sync.decisions import deciding, named
from order_sync.errors import OrderSyncError, PermanentError
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.decisions import try_again
from order_sync.ledger.models import OrderRow
from order_sync.ledger.session import Ledger
from order_sync.rerun import MATCH_AGAIN, POST_AGAIN
from order_sync.statuses import OrderState
from order_sync.verify import WATCHED_REASONS

RETRY_HELPS = MATCH_AGAIN | POST_AGAIN | WATCHED_REASONS
"""Reasons for which another look may end otherwise: the order is matched anew, looked for, or posted after a look."""

_GOES_ON = frozenset({OrderState.RECEIVED, OrderState.MATCHED, OrderState.CREATING, OrderState.INTENT, OrderState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one order of many."""

    order_id: int
    is_taken_up: bool
    sentence: str
    """What happened, or why nothing did."""


def retry(ledger: Ledger, order_id: int, *, actor: str, version: int | None = None, practice_id: str | None = None) -> OrderRow:
    """Let the next run give a queued order a task of its own; its case stays open until that has ended otherwise.

    Raises `PermanentError` where a retry changes nothing: the message says why.
    """
    with deciding(ledger, order_id, version, practice_id=practice_id) as (tx, order):
        if order.state is not OrderState.QUEUED or order.why not in RETRY_HELPS:
            msg = f"{named(order)}: {_why_not(order)}"
            raise PermanentError(msg)
        tried = try_again(tx, order, actor=actor)
        record_action(tx, Action.RETRIED, actor=actor, practice_id=order.practice_id, order_id=order.id, detail=order.reason)
    return tried


def retry_each(ledger: Ledger, order_ids: Iterable[int], *, actor: str, practice_id: str | None = None) -> list[Retried]:
    """Retry many orders, each by itself; return for each what happened, in their order."""
    done = []
    for order_id in dict.fromkeys(order_ids):
        try:
            order = retry(ledger, order_id, actor=actor, practice_id=practice_id)
        except OrderSyncError as error:
            done.append(Retried(order_id, is_taken_up=False, sentence=str(error)))
        else:
            done.append(Retried(order_id, is_taken_up=True, sentence=f"{named(order)} is taken up by the next run"))
    return done


def _why_not(order: OrderRow) -> str:
    if order.state in _GOES_ON:
        return "the next run takes it up by itself"
    if order.state is OrderState.QUEUED:
        return "a retry changes nothing; a person has to decide"
    return "there is nothing to retry"
