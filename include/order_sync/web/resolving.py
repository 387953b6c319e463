"""Resolve: the store's customer beside the charts that may be his, a search beyond them, and Send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from order_sync.answers import Trouble
from order_sync.choices import Choices, choices_for
from order_sync.desk import Desk
from order_sync.ledger.audit import Action, record_action
from order_sync.patient_lookup import FoundPatients, read_query, search_patients
from order_sync.patient_views import Candidate
from order_sync.reasons import next_step
from order_sync.resolve import ACCOUNT_TO_CREATE, PATIENT_TO_PICK, choose_patient, create_account
from order_sync.statuses import OrderState
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse
from order_sync.web.order_in_hand import Decided, InHand, OrderInHand
from order_sync.web.rendering import go_to, page
from order_sync.web.visitors import Acting, Visitor

router = APIRouter(include_in_schema=False)

NEW_ACCOUNT = "new"
"""What the form sends instead of a patient's id."""
_IDS_IN_A_ROW = 6
"""Of the audit trail: a Nextech id has 36 characters."""
_MARKS = {"same": "✓", "similar": "≈", "different": "✕", "not known": "?"}

Typed = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed into the search; it goes back into the form, and nowhere else."""

    last: str = field(default="", repr=False)
    first: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    chart_number: str = field(default="", repr=False)


def search_of(
    *,
    last: Typed = "",
    first: Typed = "",
    birth_date: Typed = "",
    email: Typed = "",
    phone: Typed = "",
    chart_number: Typed = "",
) -> Search:
    """Return what a form searches for."""
    return Search(last, first, birth_date, email, phone, chart_number)


@router.get("/orders/{order_id:int}/resolve")
def show_choices(request: Request, house: InHouse, hand: InHand, visitor: Acting) -> Response:
    """Show the customer and the charts that may be his."""
    return _resolve_page(request, house, hand, visitor)


@router.post("/orders/{order_id:int}/resolve")
def search_beyond(
    request: Request, house: InHouse, hand: InHand, sender: Sender, search: Annotated[Search, Depends(search_of)]
) -> Response:
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
    row = hand.row
    if row.state is not OrderState.QUEUED or row.why not in PATIENT_TO_PICK:
        return go_to(request, "orders", row.id, query="done=no-choice")
    with house.open_desk(hand.practice.id) as desk:
        choices = choices_for(desk, row)
        found = _found(desk, hand, search) if search else None
    beyond = _not_among(choices, found) if isinstance(found, FoundPatients) else ()
    shown = [*choices.candidates, *beyond]
    _write_down(house, hand, visitor, Action.CANDIDATES_VIEWED, choices.candidates)
    if search:
        _write_down(house, hand, visitor, Action.PATIENTS_SEARCHED, beyond)
    told = {
        "hand": hand,
        "order": row,
        "choices": choices,
        "columns": _columns(shown),
        "search": search or Search(),
        "is_searched": search is not None,
        "search_trouble": found.sentence if isinstance(found, Trouble) else "",
        "known_count": len(found.candidates) - len(beyond) if isinstance(found, FoundPatients) else 0,
        "beyond": beyond,
        "shown": shown,
        "marks": _MARKS,
        "new_account": NEW_ACCOUNT,
        "may_create": row.why in ACCOUNT_TO_CREATE and hand.practice.matching.create_accounts,
        "may_remember": row.customer_key is not None,
        "next_step": next_step(row.why),
    }
    return page(request, "resolve.html", told, menu="orders")


def _found(desk: Desk, hand: OrderInHand, search: Search) -> FoundPatients | Trouble:
    query = read_query(
        last=search.last,
        first=search.first,
        birth_date=search.birth_date,
        email=search.email,
        phone=search.phone,
        chart_number=search.chart_number,
    )
    return query if isinstance(query, Trouble) else search_patients(desk, hand.row, query)


def _not_among(choices: Choices, found: FoundPatients) -> tuple[Candidate, ...]:
    known = {one.patient_id for one in choices.candidates}
    return tuple(one for one in found.candidates if one.patient_id not in known)


def _columns(shown: Iterable[Candidate]) -> dict[str, str | None]:
    """Return the fields that the tables compare, in their order, with what the store says of each."""
    columns: dict[str, str | None] = {}
    for candidate in shown:
        columns |= {one.name: one.ours for one in candidate.fields}
    return columns


def _write_down(house: House, hand: OrderInHand, visitor: Visitor, action: Action, seen: Sequence[Candidate]) -> None:
    """Write into the audit trail whose data is about to be shown, by the charts' ids."""
    ids = [one.patient_id for one in seen]
    rows = [" ".join(ids[start : start + _IDS_IN_A_ROW]) for start in range(0, len(ids), _IDS_IN_A_ROW)]
    with house.ledger.transaction() as tx:
        for detail in rows or ["the store's customer alone" if action is Action.CANDIDATES_VIEWED else "nobody found"]:
            record_action(tx, action, actor=visitor.login, practice_id=hand.practice.id, order_id=hand.row.id, detail=detail)
