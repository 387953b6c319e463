"""One order that a visitor works on: what the pages of its actions say of it, and what they answer when it cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from order_sync import reasons
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, OrderSyncError, RemoteError
from order_sync.ledger.decisions import find_order, steps_since
from order_sync.ledger.models import AttemptKind, AttemptRow, HistoryRow, OrderRow, PaymentRow
from order_sync.ledger.postings import find_payment, latest_attempt
from order_sync.practices import Practice
from order_sync.web.failures import status_of
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse, Practices, practice_or_nothing
from order_sync.web.order_actions import sent_query
from order_sync.web.rendering import go_to, page

_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OrderInHand:
    """An order with what its pages always show of it."""

    row: OrderRow
    practice: Practice
    payment: PaymentRow | None
    attempt: AttemptRow | None
    """The last one to post the payment."""
    now: datetime

    @property
    def sentence(self) -> str:
        """Return why it stands where it stands, in the front desk's words."""
        return reasons.sentence(self.row.why, self.row.detail) if self.row.why else (self.row.detail or "")

    @property
    def currency(self) -> str:
        """Return the currency of its amounts."""
        return self.practice.currency


def take_order(house: House, practices: dict[str, Practice], order_id: int) -> OrderInHand:
    """Return the order; raises `HTTPException` 404 when there is none that the visitor may see."""
    if not 0 < order_id <= _LARGEST_ID:
        raise HTTPException(404, "There is no such order")
    with house.ledger.reading() as tx:
        row = find_order(tx, order_id)
        if row is None:
            raise HTTPException(404, "There is no such order")
        practice = practice_or_nothing(practices, row.practice_id)
        return OrderInHand(row, practice, find_payment(tx, row.id), latest_attempt(tx, row.id, AttemptKind.PAYMENT), tx.now)


def order_in_hand(house: InHouse, practices: Practices, order_id: int) -> OrderInHand:
    """Return the order of a path."""
    return take_order(house, practices, order_id)


InHand = Annotated[OrderInHand, Depends(order_in_hand)]
"""What the page of one order takes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody has decided about an order, by sending a form that we gave them."""

    request: Request
    house: House
    hand: OrderInHand
    actor: str
    version: int
    """The order's version that they saw."""

    def carry_out(self, deed: Callable[[Desk], Response]) -> Response:
        """Do it, and return its answer; or the page that says why it was not done: who was first, what stands in the way."""
        try:
            with self.house.open_desk(self.hand.practice.id) as desk:
                return deed(desk)
        except OrderSyncError as refusal:
            return _refused(self, refusal)

    def answer(self, query: str) -> Response:
        """Go to the order's page, which says what was done."""
        return go_to(self.request, "orders", self.hand.row.id, query=query)

    def answer_with_sync(self) -> Response:
        """Start the sync, and go to the order's page, which shows what comes of it."""
        return self.answer(sent_query(self.house.start_sync(self.actor)))


def decision_of(request: Request, house: InHouse, hand: InHand, sender: Sender, version: Annotated[int, Form()]) -> Decision:
    """Return the decision that a form carries."""
    return Decision(request, house, hand, sender.login, version)


Decided = Annotated[Decision, Depends(decision_of)]
"""What every form about an order is answered with."""


def _refused(decision: Decision, refusal: OrderSyncError) -> HTMLResponse:
    """Say it with the order beside it."""
    hand, steps = decision.hand, list[HistoryRow]()
    with decision.house.ledger.reading() as tx:
        row = find_order(tx, hand.row.id) or hand.row
        if isinstance(refusal, LedgerBusyError):
            steps = steps_since(tx, row.id, decision.version)
    told = {"title": _title(refusal, steps), "hand": hand, "order": row, "steps": steps, "sentence": _sentence(refusal, hand)}
    return page(decision.request, "refused.html", told, menu="orders", status=status_of(refusal))


def _title(refusal: OrderSyncError, steps: list[HistoryRow]) -> str:
    match refusal:
        case LedgerBusyError() if any(step.actor != "sync" for step in steps):
            return "Somebody was first"
        case LedgerBusyError():
            return "The order has changed since you opened the page" if steps else "Busy just now"
        case RemoteError():
            system = "The store" if refusal.system == "store" else "Nextech"
            return f"{system} does not answer"
        case _:
            return "That cannot be done"


def _sentence(refusal: OrderSyncError, hand: OrderInHand) -> str:
    """Return what the error says, without the order's name in front: the page has it already."""
    if isinstance(refusal, RemoteError):
        return f"{refusal.reason[:1].upper()}{refusal.reason[1:]}. Nothing was done; try again in a minute."
    told = str(refusal)
    for prefix in (f"order {hand.row.number} of practice {hand.practice.id}: ", f"practice {hand.practice.id}: "):
        told = told.removeprefix(prefix)
    return f"{told[:1].upper()}{told[1:]}."
