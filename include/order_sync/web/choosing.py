"""Choosing a patient: the store's customer beside the charts that may be his, and a search beyond them.

Two pages ask for a patient: Resolve, and the last step of a reversal. Each look is written to the audit trail before anything
of it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse

from order_sync.answers import Trouble
from order_sync.choices import Choices, choices_for
from order_sync.desk import Desk
from order_sync.ledger.audit import Action, record_action
from order_sync.patient_lookup import FoundPatients, read_query, search_patients
from order_sync.patient_views import Candidate
from order_sync.web.house import House
from order_sync.web.order_in_hand import OrderInHand
from order_sync.web.rendering import page
from order_sync.web.visitors import Visitor

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


Searched = Annotated[Search, Depends(search_of)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks, and where its two forms go: paths below the order's."""

    template: str
    send_to: str
    search_at: str
    may_create: bool
    voided_on: str | None = None
    """The chart on which the order's payment stands voided: hardly the right one."""
    told: dict[str, object] = field(default_factory=dict)


def choices_page(
    request: Request, house: House, hand: OrderInHand, visitor: Visitor, *, asked: Asked, search: Search | None = None
) -> HTMLResponse:
    """Show the customer, the charts that may be his, and whom a search has found beside them."""
    with house.open_desk(hand.practice.id) as desk:
        choices = choices_for(desk, hand.row)
        found = _found(desk, hand, search) if search else None
    beyond = _not_among(choices, found) if isinstance(found, FoundPatients) else ()
    shown = [*choices.candidates, *beyond]
    _write_down(house, hand, visitor, Action.CANDIDATES_VIEWED, choices.candidates)
    if search:
        _write_down(house, hand, visitor, Action.PATIENTS_SEARCHED, beyond)
    told = {
        "hand": hand,
        "order": hand.row,
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
        "may_create": asked.may_create,
        "may_remember": hand.row.customer_key is not None,
        "voided_on": asked.voided_on,
        "opens_search": search is not None or all(one.patient_id == asked.voided_on for one in choices.candidates),
        "send_to": asked.send_to,
        "search_at": asked.search_at,
    }
    return page(request, asked.template, {**told, **asked.told}, menu="orders")


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
