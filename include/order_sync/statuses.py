"""Where an order can stand, which steps are allowed, and which of the four public words staff see for it."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """Where an order stands in the ledger."""

    RECEIVED = "received"
    """Recorded and due; its patient has not been looked for yet."""
    WAITING = "waiting"
    """Not due yet: on hold, not paid, partly paid, under review."""
    CREATING = "creating"
    """A new account was asked for and the answer is not known yet."""
    MATCHED = "matched"
    """One patient is chosen; ready to post."""
    INTENT = "intent"
    """The intent to post is committed; the answer is not known yet."""
    UNKNOWN = "unknown"
    """A POST was sent, or may have been, and its outcome is being looked for. Never posted again by the machine."""
    CONFIRMED = "confirmed"
    """Nextech has the payment; its id is recorded."""
    QUEUED = "queued"
    """A person has to decide; an open row of the manual resolution queue says what."""
    NOTHING_TO_POST = "nothing_to_post"
    """Nothing is owed to Nextech: amount 0, cancelled or refunded before it was posted."""
    DISABLED = "disabled"
    """The integration was not active when the order was placed."""
    CLOSED = "closed"
    """A person decided that there is nothing to post, and said why."""
    CLOSED_VOIDED = "closed_voided"
    """It was posted, and staff voided it in Nextech."""


class PublicStatus(StrEnum):
    """The four words of design section 1, exactly."""

    SYNCED = "Synced"
    NOT_SYNCED = "Not Synced"
    DISABLED = "Disabled"
    WAITING = "Waiting for Sync"


_PUBLIC_STATUS = {
    OrderState.RECEIVED: PublicStatus.WAITING,
    OrderState.WAITING: PublicStatus.WAITING,
    OrderState.CREATING: PublicStatus.WAITING,
    OrderState.MATCHED: PublicStatus.WAITING,
    OrderState.INTENT: PublicStatus.WAITING,
    OrderState.UNKNOWN: PublicStatus.WAITING,
    OrderState.CONFIRMED: PublicStatus.SYNCED,
    OrderState.QUEUED: PublicStatus.NOT_SYNCED,
    OrderState.NOTHING_TO_POST: PublicStatus.SYNCED,
    OrderState.DISABLED: PublicStatus.DISABLED,
    OrderState.CLOSED: PublicStatus.NOT_SYNCED,
    OrderState.CLOSED_VOIDED: PublicStatus.NOT_SYNCED,
}

_R, _W, _CR, _M = OrderState.RECEIVED, OrderState.WAITING, OrderState.CREATING, OrderState.MATCHED
_I, _U, _C, _Q = OrderState.INTENT, OrderState.UNKNOWN, OrderState.CONFIRMED, OrderState.QUEUED
_N, _D, _X, _V = OrderState.NOTHING_TO_POST, OrderState.DISABLED, OrderState.CLOSED, OrderState.CLOSED_VOIDED

ALLOWED_STEPS: frozenset[tuple[OrderState, OrderState]] = frozenset(
    [
        # The store's own news about an order that has not been posted.
        *((old, new) for old in (_R, _W, _M) for new in (_R, _W, _N, _Q) if old != new),
        (_N, _R),  # an order that was cancelled or at amount 0 and is due after all
        (_N, _W),
        (_N, _Q),
        # Matching.
        (_R, _M),
        (_R, _CR),
        (_CR, _M),
        (_CR, _R),
        (_CR, _Q),
        # Posting (reliability 3.2).
        (_M, _I),
        (_M, _C),  # the look before the post found the payment: a restored ledger, a late booking
        (_M, _V),
        (_I, _C),
        (_I, _M),  # proven not executed
        (_I, _Q),
        (_I, _U),
        (_U, _C),
        (_U, _V),
        (_U, _Q),
        (_C, _V),
        (_C, _Q),  # a later read disagrees with what was posted
        # A person, or a rerun of the order.
        (_Q, _R),
        (_Q, _W),
        (_Q, _M),
        (_Q, _N),
        (_Q, _D),  # it could not be read, and now shows that it was placed before the integration
        (_Q, _C),
        (_Q, _V),
        (_Q, _X),
        (_X, _R),
        (_V, _M),  # the wrong patient was picked and the void has been re-read
    ]
)
"""Every step that an order may take. The ledger's one `move` function and a database trigger both hold to it."""


def public_status(state: OrderState) -> PublicStatus:
    """Return the word that staff see for a state; an unknown outcome is *Waiting*, never *Not Synced* (design section 1)."""
    return _PUBLIC_STATUS[state]
