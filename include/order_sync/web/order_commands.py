"""What a person decides about one order apart from its patient: post again, posted by hand, release, dismiss.

What moves money, or keeps it from being posted, asks on a page of its own and says there what comes of it.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from order_sync.decisions import latest_booking
from order_sync.desk import Desk
from order_sync.errors import PaymentDiffersError
from order_sync.ledger.models import AttemptKind
from order_sync.ledger.order_details import read_details
from order_sync.manual_entries import accept_manual_entry
from order_sync.payments import PostOutcome
from order_sync.resolve import DismissReason, dismiss, post_again, release
from order_sync.retries import retry
from order_sync.statuses import OrderState
from order_sync.web.billing_tab import BillingTab, billing_tab_of
from order_sync.web.house import InHouse
from order_sync.web.order_actions import actions_for
from order_sync.web.order_in_hand import Decided, InHand, OrderInHand
from order_sync.web.rendering import go_to, page
from order_sync.web.visitors import Acting, visitor_of

router = APIRouter(include_in_schema=False)

_NAMED_PAYMENT = re.compile(r"\bpayment ([0-9A-Za-z-]{1,64})\b")


@router.get("/orders/{order_id:int}/post-again")
def ask_to_post_again(request: Request, house: InHouse, hand: InHand, visitor: Acting) -> Response:
    """Show the evidence, the marker to look for, and from when on it may be posted again."""
    with house.ledger.reading() as tx:
        details = read_details(tx, hand.row.id, (hand.practice.id,))
    attempts = [one for one in (details.attempts if details else ()) if one.kind is AttemptKind.PAYMENT]
    tab = billing_tab_of(house, hand, visitor) if hand.row.state is OrderState.QUEUED else BillingTab()
    return _ask(request, "post_again.html", hand, attempts=attempts, not_before=_late_until(hand), tab=tab)


def _late_until(hand: OrderInHand) -> object:
    """Return until when what was sent may still be booked; None when that time is over, or nothing may have been booked."""
    if hand.attempt is None or hand.attempt.outcome is PostOutcome.NOT_EXECUTED:
        return None
    until = latest_booking(hand.practice, hand.attempt.deadline)
    return until if hand.now < until else None


@router.post("/orders/{order_id:int}/post-again")
def do_post_again(decision: Decided) -> Response:
    """Let the payment be posted again, after a fresh look that does not show it."""

    def deed(desk: Desk) -> Response:
        order = post_again(desk, decision.hand.row.id, actor=decision.actor, version=decision.version)
        return decision.answer_with_sync() if order.state is OrderState.MATCHED else decision.answer("done=looked")

    return decision.carry_out(deed)


@router.get("/orders/{order_id:int}/posted-by-hand")
def ask_for_payment(request: Request, hand: InHand, _visitor: Acting) -> Response:
    """Ask which payment in Nextech is the order's."""
    named = _NAMED_PAYMENT.search(hand.row.detail or "")
    return _ask(request, "posted_by_hand.html", hand, payment_id=named[1] if named else "", differs="")


@router.post("/orders/{order_id:int}/posted-by-hand")
def do_accept_payment(
    decision: Decided, payment_id: Annotated[str, Form(max_length=64)], although: Annotated[bool, Form()] = False
) -> Response:
    """Tie the payment to the order; where it differs, say so and ask again."""

    def deed(desk: Desk) -> Response:
        try:
            accept_manual_entry(
                desk,
                decision.hand.row.id,
                payment_id,
                actor=decision.actor,
                version=decision.version,
                although_it_differs=although,
            )
        except PaymentDiffersError as error:
            told = {"payment_id": payment_id.strip(), "differs": error.sentence}
            return _ask(decision.request, "posted_by_hand.html", decision.hand, status=422, **told)
        return decision.answer("done=by-hand")

    return decision.carry_out(deed)


@router.get("/orders/{order_id:int}/dismiss")
def ask_to_dismiss(request: Request, hand: InHand, _visitor: Acting) -> Response:
    """Ask for the reason, and say what comes of it."""
    return _ask(request, "dismiss.html", hand, reasons=tuple(DismissReason))


@router.post("/orders/{order_id:int}/dismiss")
def do_dismiss(decision: Decided, why: Annotated[DismissReason, Form()]) -> Response:
    """Close the order without a payment."""

    def deed(desk: Desk) -> Response:
        dismiss(desk, decision.hand.row.id, actor=decision.actor, why=why, version=decision.version)
        return decision.answer("done=dismissed")

    return decision.carry_out(deed)


@router.post("/orders/{order_id:int}/retry")
def do_retry(decision: Decided) -> Response:
    """Let the next run take the order up, and start it."""

    def deed(desk: Desk) -> Response:
        retry(desk.ledger, decision.hand.row.id, actor=decision.actor, version=decision.version)
        return decision.answer_with_sync()

    return decision.carry_out(deed)


@router.get("/orders/{order_id:int}/retry")
def go_back_to_order(request: Request, hand: InHand, _visitor: Acting) -> Response:
    """Lead somebody who opens the address of the button again to the order."""
    return go_to(request, "orders", hand.row.id)


@router.get("/orders/{order_id:int}/release")
def ask_to_release(request: Request, hand: InHand, _visitor: Acting) -> Response:
    """Say what is let through."""
    return _ask(request, "release.html", hand)


@router.post("/orders/{order_id:int}/release")
def do_release(decision: Decided) -> Response:
    """Let the order go on, and start the sync."""

    def deed(desk: Desk) -> Response:
        release(desk, decision.hand.row.id, actor=decision.actor, version=decision.version)
        return decision.answer_with_sync()

    return decision.carry_out(deed)


def _ask(request: Request, template: str, hand: OrderInHand, *, status: int = 200, **told: object) -> Response:
    """Ask on a page; what the order does not offer as it stands now leads to its own page, which says where it stands."""
    deed = request.url.path.rsplit("/", 1)[-1]
    if deed not in {action.name for action in actions_for(hand.row, visitor_of(request)).offered}:
        return go_to(request, "orders", hand.row.id, query="done=not-now")
    return page(request, template, {"hand": hand, "order": hand.row, **told}, menu="orders", status=status)
