"""Undo, wrong patient picked: staff void the payment in Nextech, we read the void, and the right patient is picked.

One address shows whichever step the order is at; an order that nothing was sent for goes back to the queue at once.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from order_sync.desk import Desk
from order_sync.errors import PermanentError
from order_sync.statuses import OrderState
from order_sync.undo import begin_undo, call_off_undo, is_undo_begun, look_for_void, post_to
from order_sync.web.billing_tab import BillingTab, billing_tab_of
from order_sync.web.choosing import Asked, Search, Searched, choices_page
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse
from order_sync.web.order_in_hand import Decided, InHand, OrderInHand
from order_sync.web.rendering import go_to, page
from order_sync.web.visitors import Acting, Visitor, visitor_of

router = APIRouter(include_in_schema=False)

_LOOKS_LIKE_IT = re.compile(r"payment (\S{1,64}) has the same amount and day")
"""What `undo` says of a payment that may be a correction, or another one: the person knows."""


@router.get("/orders/{order_id:int}/undo")
def show_step(request: Request, house: InHouse, hand: InHand, visitor: Acting) -> Response:
    """Show the step that the order is at."""
    return _step_page(request, house, hand, visitor)


@router.post("/orders/{order_id:int}/undo")
def begin(decision: Decided) -> Response:
    """Begin: a posted payment is to be voided; an order that nothing was sent for goes back to the queue."""

    def deed(desk: Desk) -> Response:
        undo = begin_undo(desk, decision.hand.row.id, actor=decision.actor, version=decision.version)
        return go_to(decision.request, "orders", undo.order.id, "undo" if undo.payment_id else "resolve")

    return decision.carry_out(deed)


@router.post("/orders/{order_id:int}/undo/call-off")
def call_off(decision: Decided) -> Response:
    """Take it back: the payment is on the right patient after all."""

    def deed(desk: Desk) -> Response:
        call_off_undo(desk, decision.hand.row.id, actor=decision.actor, version=decision.version)
        return decision.answer("done=called-off")

    return decision.carry_out(deed)


@router.post("/orders/{order_id:int}/undo/look")
def look(decision: Decided, unrelated: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Read the payments again: when the void is there, the right patient can be picked."""
    order_id, other = decision.hand.row.id, unrelated.strip() or None
    if decision.hand.payment is None:
        return go_to(decision.request, "orders", order_id, "undo")

    def deed(desk: Desk) -> Response:
        by, version = decision.actor, decision.version
        try:
            look_for_void(desk, order_id, actor=by, version=version, unrelated_payment_id=other)
        except PermanentError as refusal:
            tab = billing_tab_of(decision.house, decision.hand, visitor_of(decision.request))
            return _void_page(decision.request, decision.hand, tab, str(refusal))
        return go_to(decision.request, "orders", order_id, "undo")

    return decision.carry_out(deed)


@router.post("/orders/{order_id:int}/undo/search")
def search_beyond(request: Request, house: InHouse, hand: InHand, sender: Sender, search: Searched) -> Response:
    """Show whom a search has found beside the charts that may be meant."""
    return _step_page(request, house, hand, sender, search)


@router.post("/orders/{order_id:int}/undo/post")
def post(
    decision: Decided,
    patient: Annotated[str, Form(max_length=64)],
    remember: Annotated[bool, Form()] = False,
    unrelated: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Let the order be posted to the right patient, and start the sync."""
    order_id, other = decision.hand.row.id, unrelated.strip() or None

    def deed(desk: Desk) -> Response:
        by, version = decision.actor, decision.version
        try:
            post_to(desk, order_id, patient, actor=by, version=version, remember=remember, unrelated_payment_id=other)
        except PermanentError as refusal:
            similar = _LOOKS_LIKE_IT.search(str(refusal))
            if similar is None:
                raise
            visitor = visitor_of(decision.request)
            return _choose_page(decision.request, decision.house, decision.hand, visitor, similar=similar[1])
        return decision.answer_with_sync()

    return decision.carry_out(deed)


@router.get("/orders/{order_id:int}/undo/{step}")
def go_back_to_step(request: Request, hand: InHand, _visitor: Acting, step: str) -> Response:  # noqa: ARG001 - any of them
    """Lead somebody who opens the address of a form again to the step that the order is at."""
    return go_to(request, "orders", hand.row.id, "undo")


def _step_page(request: Request, house: House, hand: OrderInHand, visitor: Visitor, search: Search | None = None) -> Response:
    row = hand.row
    if row.state is OrderState.CLOSED_VOIDED:
        return _choose_page(request, house, hand, visitor, search=search)
    if is_undo_begun(row):
        return _void_page(request, hand, billing_tab_of(house, hand, visitor))
    if row.state in (OrderState.CONFIRMED, OrderState.MATCHED):
        told = {"hand": hand, "order": row, "is_posted": row.state is OrderState.CONFIRMED}
        return page(request, "undo_begin.html", told, menu="orders")
    return go_to(request, "orders", row.id, query="done=no-undo")


def _choose_page(
    request: Request, house: House, hand: OrderInHand, visitor: Visitor, *, search: Search | None = None, similar: str = ""
) -> HTMLResponse:
    """Ask for the right patient; `similar` is a payment there that may be the order's already, entered by hand."""
    voided = hand.payment.patient_id if hand.payment else None
    asked = Asked("undo_post.html", "undo/post", "undo/search", may_create=False, told={"similar": similar}, voided_on=voided)
    return choices_page(request, house, hand, visitor, asked=asked, search=search)


def _void_page(request: Request, hand: OrderInHand, tab: BillingTab, refusal: str = "") -> HTMLResponse:
    similar = _LOOKS_LIKE_IT.search(refusal)
    sentence = refusal.removeprefix(f"order {hand.row.number} of practice {hand.practice.id}: ")
    told = {"hand": hand, "order": hand.row, "tab": tab, "refusal": sentence, "similar": similar[1] if similar else ""}
    return page(request, "undo_void.html", told, menu="orders", status=422 if refusal else 200)
