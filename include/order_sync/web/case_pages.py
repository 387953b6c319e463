"""One case of the queue: what it is about, who has it, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from order_sync.errors import LedgerBusyError, OrderSyncError
from order_sync.ledger.models import AttemptKind, CaseRow, CaseState
from order_sync.ledger.order_details import OrderDetails, read_details
from order_sync.ledger.queue_lists import CaseKind, case_of
from order_sync.practices import Practice
from order_sync.queue import assign_case, dismiss_case, dismiss_reasons, note_case, put_off_case
from order_sync.reasons import Reason
from order_sync.refund_decisions import suggestions_in, tie_refund
from order_sync.web.billing_tab import BillingTab, billing_tab_of
from order_sync.web.failures import status_of
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.order_actions import TO_BE_POSTED_AGAIN, Notice, actions_for, notice_of
from order_sync.web.order_in_hand import OrderInHand, take_order
from order_sync.web.rendering import go_to, page
from order_sync.web.visitors import Acting, Reading, Visitor

router = APIRouter(include_in_schema=False)

_LARGEST_ID = 2**63 - 1
_CLOSED = frozenset({CaseState.RESOLVED, CaseState.DISMISSED})


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with what its page shows around it."""

    row: CaseRow
    practice: Practice
    now: datetime
    order: OrderInHand | None
    details: OrderDetails | None

    @property
    def kind(self) -> CaseKind:
        """Return what it is about."""
        return CaseKind(self.row.cause.split(":", 1)[0])

    @property
    def is_open(self) -> bool:
        """Say whether it waits for a person."""
        return self.row.state not in _CLOSED


def case_view(house: InHouse, practices: Practices, case_id: int) -> CaseView:
    """Return the case of a path; raises `HTTPException` 404 when there is none that the visitor may see."""
    row, details = None, None
    if 0 < case_id <= _LARGEST_ID:
        with house.ledger.reading() as tx:
            row, now = case_of(tx, case_id, tuple(practices)), tx.now
            if row is not None and row.order_id is not None:
                details = read_details(tx, row.order_id, tuple(practices))
    if row is None:
        raise HTTPException(404, "There is no such case")
    order = take_order(house, practices, row.order_id) if row.order_id is not None else None
    return CaseView(row, practices[row.practice_id], now, order, details)


InView = Annotated[CaseView, Depends(case_view)]


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """What somebody wants done with a case that they saw at `version`."""

    request: Request
    house: House
    view: CaseView
    sender: Visitor
    version: int

    def carry_out(self, deed: Callable[[], str], *, note: str | None = None) -> Response:
        """Do it, and go to the case with the word for what was done; or show the case as it is now, and why it was not done."""
        try:
            done = deed()
        except OrderSyncError as refusal:
            practices = {self.view.practice.id: self.view.practice}
            now = case_view(self.house, practices, self.view.row.id)
            told = f"Not done: {_sentence(refusal, self.view)}"
            look = "care" if isinstance(refusal, LedgerBusyError) else "bad"
            said = Notice(told, look)
            return _case_page(self.request, self.house, now, self.sender, notice=said, note=note, status=status_of(refusal))
        return go_to(self.request, "queue", self.view.row.id, query=f"done={done}")


def decision_of(
    request: Request, house: InHouse, view: InView, sender: Sender, version: Annotated[int, Form()]
) -> CaseDecision:
    """Return what a form asks for."""
    return CaseDecision(request, house, view, sender, version)


Decided = Annotated[CaseDecision, Depends(decision_of)]


@router.get("/queue/{case_id:int}")
def show_case(request: Request, house: InHouse, view: InView, visitor: Reading) -> HTMLResponse:
    """Show one case."""
    return _case_page(request, house, view, visitor, notice=notice_of(request))


@router.post("/queue/{case_id:int}/assign")
def assign(decision: Decided, login: Annotated[str, Form(max_length=80)] = "") -> Response:
    """Give the case to a login, or to nobody."""
    to, by = login.strip() or None, decision.sender.login

    def deed() -> str:
        case_id, version = decision.view.row.id, decision.version
        assign_case(decision.house.ledger, decision.view.practice, case_id, assignee=to, actor=by, version=version)
        return "assigned" if to else "unassigned"

    return decision.carry_out(deed)


@router.post("/queue/{case_id:int}/note")
def write_note(decision: Decided, note: Annotated[str, Form(max_length=1000)] = "") -> Response:
    """Keep a note, unless it holds patient data."""

    def deed() -> str:
        with decision.house.open_desk(decision.view.practice.id) as desk:
            note_case(desk, decision.view.row.id, text=note, actor=decision.sender.login, version=decision.version)
        return "noted"

    return decision.carry_out(deed, note=note)


@router.post("/queue/{case_id:int}/wait")
def put_off(decision: Decided, until: Annotated[str, Form(max_length=10)] = "") -> Response:
    """Put the case off to a day, or take that back."""
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError as error:
        raise HTTPException(400, "That is no day: choose one, or leave it empty") from error

    def deed() -> str:
        case_id, by, version = decision.view.row.id, decision.sender.login, decision.version
        put_off_case(decision.house.ledger, decision.view.practice, case_id, until=day, actor=by, version=version)
        return "put-off" if day else "taken-up"

    return decision.carry_out(deed)


@router.post("/queue/{case_id:int}/dismiss")
def dismiss(decision: Decided, why: Annotated[str, Form(max_length=80)]) -> Response:
    """Close the case for a reason of its kind's list."""

    def deed() -> str:
        with decision.house.open_desk(decision.view.practice.id) as desk:
            dismiss_case(desk, decision.view.row.id, why=why, actor=decision.sender.login, version=decision.version)
        return "case-dismissed"

    return decision.carry_out(deed)


@router.post("/queue/{case_id:int}/refund")
def tie(decision: Decided, payment_id: Annotated[str, Form(max_length=64)]) -> Response:
    """Record that a payment in Nextech is the refund."""

    def deed() -> str:
        with decision.house.open_desk(decision.view.practice.id) as desk:
            by, version = decision.sender.login, decision.version
            tied = tie_refund(desk, decision.view.row.id, payment_id, actor=by, version=version)
        return "refund-tied" if not tied.left_cents else "refund-partly-tied"

    return decision.carry_out(deed)


@router.get("/queue/{case_id:int}/{deed}")
def go_back_to_case(request: Request, view: InView, _visitor: Acting, deed: str) -> Response:
    """Lead somebody who opens the address of a form again to the case that it was sent from."""
    if deed not in {"assign", "note", "wait", "dismiss", "refund"}:
        raise HTTPException(404, "There is no such page")
    return go_to(request, "queue", view.row.id)


def _case_page(
    request: Request,
    house: House,
    view: CaseView,
    visitor: Visitor,
    *,
    notice: Notice | None,
    note: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    row, may_act = view.row, visitor.can_act and view.is_open
    is_of_order, is_refund = view.kind is CaseKind.ORDER, view.kind is CaseKind.REFUND
    shows_evidence = is_of_order and Reason(row.reason) in TO_BE_POSTED_AGAIN
    has_tab = may_act and view.order is not None and (shows_evidence or is_refund)
    told = {
        "view": view,
        "case": row,
        "practice": view.practice,
        "now": view.now,
        "notice": notice,
        "may_act": may_act,
        "actions": actions_for(view.order.row, visitor) if view.order and is_of_order and view.is_open else None,
        "hand": view.order,
        "shows_evidence": shows_evidence,
        "tab": billing_tab_of(house, view.order, visitor) if view.order and has_tab else BillingTab(),
        "attempts": [one for one in (view.details.attempts if view.details else ()) if one.kind is AttemptKind.PAYMENT],
        "is_undo": view.kind is CaseKind.UNDO,
        "refunds": view.details.refunds if view.details and is_refund else (),
        "is_refund": is_refund,
        "suggestions": suggestions_in(row.sentence) if is_refund else (),
        "dismiss_reasons": _reasons(view.kind),
        "note": row.note or "" if note is None else note,
        "tomorrow": (view.practice.business_day(view.now) + timedelta(days=1)).isoformat(),
    }
    return page(request, "case.html", told, menu="queue", status=status)


def _reasons(kind: CaseKind) -> tuple[StrEnum, ...]:
    """Return the reasons that the case's own form offers; an order's case is dismissed on a page of its own."""
    return () if kind is CaseKind.ORDER else dismiss_reasons(kind)


def _sentence(refusal: OrderSyncError, view: CaseView) -> str:
    told = str(refusal).removeprefix(f"case {view.row.id}: ")
    return told if told.endswith(".") else f"{told}."
