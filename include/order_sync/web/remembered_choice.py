"""Forget a decision that is used again for a customer of the store: his next order asks a person anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from order_sync.decisions import revoke_choice
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.models import RememberedPatient
from order_sync.web.forms import Sender
from order_sync.web.house import InHouse
from order_sync.web.order_in_hand import InHand
from order_sync.web.rendering import go_to
from order_sync.web.visitors import Acting

router = APIRouter(include_in_schema=False)


@router.post("/orders/{order_id:int}/forget")
def forget_choice(
    request: Request, house: InHouse, hand: InHand, sender: Sender, choice: Annotated[int, Form(ge=1, lt=2**63)]
) -> Response:
    """Revoke the decision that the visitor saw; one that somebody has made since is left alone."""
    order = hand.row
    with house.ledger.transaction() as tx:
        remembered = tx.session.get(RememberedPatient, choice)
        is_same = (
            remembered is not None
            and remembered.revoked_at is None
            and (remembered.practice_id, remembered.customer_key) == (order.practice_id, order.customer_key)
        )
        if remembered is not None and is_same:
            revoke_choice(tx, order, actor=sender.login)
            record_action(tx, Action.CHOICE_FORGOTTEN, actor=sender.login, practice_id=order.practice_id, order_id=order.id)
    return go_to(request, "orders", order.id, query=f"done={'forgotten' if is_same else 'not-forgotten'}")


@router.get("/orders/{order_id:int}/forget")
def go_back_to_order(request: Request, hand: InHand, _visitor: Acting) -> Response:
    """Lead somebody who opens the address of the form again to the order that it was sent from."""
    return go_to(request, "orders", hand.row.id)
