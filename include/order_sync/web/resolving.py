"""Resolve: a person says whose order it is, and Send takes effect at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from order_sync.desk import Desk
from order_sync.reasons import next_step
from order_sync.resolve import ACCOUNT_TO_CREATE, PATIENT_TO_PICK, choose_patient, create_account
from order_sync.statuses import OrderState
from order_sync.web.choosing import NEW_ACCOUNT, Asked, Search, Searched, choices_page
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse
from order_sync.web.order_in_hand import Decided, InHand, OrderInHand
from order_sync.web.rendering import go_to
from order_sync.web.visitors import Acting, Visitor

router = APIRouter(include_in_schema=False)


@router.get("/orders/{order_id:int}/resolve")
def show_choices(request: Request, house: InHouse, hand: InHand, visitor: Acting) -> Response:
    """Show the customer and the charts that may be his."""
    return _resolve_page(request, house, hand, visitor)


@router.post("/orders/{order_id:int}/resolve")
def search_beyond(request: Request, house: InHouse, hand: InHand, sender: Sender, search: Searched) -> Response:
    """Show what a search has found below them; a search is a POST, so that no name stands in an address."""
    return _resolve_page(request, house, hand, sender, search)


@router.post("/orders/{order_id:int}/send")
def send(
    decision: Decided,
    patient: Annotated[str, Form(max_length=64)],
    remember: Annotated[bool, Form()] = False,
    shown: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Give the order to the chart that was picked, or have a new account made, and start the sync."""

    def deed(desk: Desk) -> Response:
        order_id, actor, version = decision.hand.row.id, decision.actor, decision.version
        if patient == NEW_ACCOUNT:
            create_account(desk, order_id, actor=actor, version=version, shown=[one[:64] for one in shown or ()])
        else:
            choose_patient(desk, order_id, patient, actor=actor, version=version, remember=remember)
        return decision.answer_with_sync()

    return decision.carry_out(deed)


@router.get("/orders/{order_id:int}/send")
def go_back_to_choices(request: Request, hand: InHand, _visitor: Acting) -> Response:
    """Lead somebody who opens the address of a Send again to the page that it was sent from."""
    return go_to(request, "orders", hand.row.id, "resolve")


def _resolve_page(
    request: Request, house: House, hand: OrderInHand, visitor: Visitor, search: Search | None = None
) -> Response:
    why = hand.row.why
    if hand.row.state is not OrderState.QUEUED or why not in PATIENT_TO_PICK:
        return go_to(request, "orders", hand.row.id, query="done=no-choice")
    may_create = why in ACCOUNT_TO_CREATE and hand.practice.matching.create_accounts
    asked = Asked("resolve.html", "send", "resolve", may_create, told={"next_step": next_step(why)})
    return choices_page(request, house, hand, visitor, asked=asked, search=search)
