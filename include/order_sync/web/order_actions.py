"""What a visitor may do with an order, where it stands now: the buttons of its page, and what was done last."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from order_sync.intake import RELEASED_BY_A_PERSON
from order_sync.ledger.models import OrderRow
from order_sync.reasons import Reason
from order_sync.resolve import PATIENT_TO_PICK
from order_sync.retries import RETRY_HELPS
from order_sync.statuses import OrderState
from order_sync.undo import is_undo_begun
from order_sync.web.visitors import Visitor

TO_BE_POSTED_AGAIN = frozenset({Reason.OUTCOME_UNKNOWN, Reason.CANNOT_VERIFY, Reason.POSSIBLE_MANUAL_ENTRY})
"""A payment may be in Nextech: a person looks, and then says so or lets it be posted."""


@dataclass(frozen=True, slots=True)
class OrderAction:
    """One thing that may be done now."""

    name: str
    """The last part of its path: `/orders/{id}/{name}`."""
    text: str
    """What the button says."""
    meaning: str
    """What comes of it, in one sentence."""
    asks_first: bool = True
    """It has a page of its own, which says the consequences; else the button does it."""
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class OrderActions:
    """What may be done with one order: the template `pages/parts/actions.html` shows it, under the name `actions`."""

    order_id: int
    version: int
    """What the visitor saw: who acts on an older one is told that somebody was first."""
    offered: tuple[OrderAction, ...]


TO_RESOLVE = OrderAction(
    "resolve", "Resolve", "See the possible patients beside the store's customer, pick one and send.", is_main=True
)
TO_RETRY = OrderAction(
    "retry", "Try again", "The next run takes the order up at once, with whatever has been mended.", asks_first=False
)
TO_POST_AGAIN = OrderAction("post-again", "Post it again", "For when it is certain that the payment is not in Nextech.")
TO_POSTED_BY_HAND = OrderAction(
    "posted-by-hand", "Already posted by hand", "Name the payment in Nextech: it is read again, checked, and tied to the order."
)
TO_RELEASE = OrderAction(
    "release", "Release for posting", "For when the order was checked and may be posted as it is.", is_main=True
)
TO_UNDO = OrderAction(
    "undo", "Wrong patient", "The payment is on somebody else's billing tab: void it, then post it to the right patient."
)
TO_TAKE_BACK = OrderAction(
    "undo", "Wrong patient", "Nothing was sent yet: the order goes back to the queue, and the patient is picked again."
)
TO_GO_ON_UNDOING = OrderAction("undo", "Go on with the reversal", "The payment is to be voided in Nextech.", is_main=True)
TO_POST_ELSEWHERE = OrderAction(
    "undo", "Post it to the right patient", "The payment was voided: pick the patient whom it belongs to.", is_main=True
)
TO_LEAVE_VOIDED = OrderAction("dismiss", "Leave it", "Nothing more is posted for this order, for a reason that is kept.")
TO_DISMISS = OrderAction("dismiss", "Dismiss", "Close the order without posting it, for a reason that is kept.")


def actions_for(order: OrderRow, visitor: Visitor) -> OrderActions:
    """Return what the visitor may do with an order; nothing for one who may only look."""
    return OrderActions(order.id, order.version, _offered(order) if visitor.can_act else ())


def _offered(order: OrderRow) -> tuple[OrderAction, ...]:
    match order.state:
        case OrderState.QUEUED:
            return tuple(action for action, is_open in _of_queued(order.why) if is_open)
        case OrderState.CONFIRMED:
            return (TO_GO_ON_UNDOING,) if is_undo_begun(order) else (TO_UNDO,)
        case OrderState.MATCHED:
            return (TO_TAKE_BACK,)
        case OrderState.CLOSED_VOIDED:
            return TO_POST_ELSEWHERE, TO_LEAVE_VOIDED
        case _:
            return ()


def _of_queued(why: Reason | None) -> tuple[tuple[OrderAction, bool], ...]:
    return (
        (TO_RESOLVE, why in PATIENT_TO_PICK - RELEASED_BY_A_PERSON),
        (TO_RELEASE, why in RELEASED_BY_A_PERSON),
        (TO_RETRY, why in RETRY_HELPS),
        (TO_POST_AGAIN, why in TO_BE_POSTED_AGAIN),
        (TO_POSTED_BY_HAND, True),
        (TO_DISMISS, True),
    )


@dataclass(frozen=True, slots=True)
class Notice:
    """What was just done, said once on the page that follows."""

    text: str
    look: str = "fine"
    """A class of the style sheet: fine, care or bad."""


_RUN_NOW = "The sync was started: this takes some seconds."
_RUN_LATER = "The sync could not be started just now; the next run takes it, in 15 minutes at most."

DONE = {
    "assigned": "The case is assigned.",
    "unassigned": "The case is nobody's now.",
    "noted": "The note is kept.",
    "put-off": "The case stands below the others until then.",
    "taken-up": "The case is not put off any more.",
    "case-dismissed": "The case is closed.",
    "refund-tied": "The payment was found in Nextech: it records the refund, and the case is closed.",
    "refund-partly-tied": "The payment was found in Nextech: it records a part of the refund.",
    "not-now": "That cannot be done with this order as it stands now: see below.",
    "no-undo": "There is nothing to undo for this order as it stands now: see below.",
    "called-off": "The reversal is called off: the payment stays where it is.",
    "no-choice": "This order does not wait for a patient to be picked any more: see below where it stands.",
    "forgotten": "The decision is forgotten: the customer's next order is matched anew.",
    "not-forgotten": "The decision was changed or forgotten since you opened the page: nothing was done.",
    "dismissed": "The order is closed without a payment.",
    "by-hand": "The payment was found in Nextech and tied to the order.",
    "looked": "A fresh look at the payments has settled it, and nothing was posted again: the history says what was found.",
}
"""What the pages may say of a deed, by the word that stands in the URL."""


def sent_query(is_started: bool) -> str:
    """Return the query of the page that follows a Send: whether the sync was started, or the next run takes it."""
    return "sent=1" if is_started else "sent=later"


def notice_of(request: Request) -> Notice | None:
    """Return what was just done, by the page's URL: `sent` after what the sync goes on with, `done` after the rest."""
    match request.query_params.get("sent"):
        case "1":
            return Notice(f"Sent. {_RUN_NOW}")
        case "later":
            return Notice(f"Your decision is kept. {_RUN_LATER}", "care")
    done = DONE.get(request.query_params.get("done", ""))
    return Notice(done) if done else None
