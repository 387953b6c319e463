"""What people do about a report's differences: take one on, let it wait, settle it, open it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse

from order_sync import settling
from order_sync.ledger.differences import DifferenceChangedError, read_difference
from order_sync.ledger.report_models import DifferenceRow, DifferenceState, Resolution
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.rendering import go_to
from order_sync.web.report_reading import report_or_nothing

router = APIRouter(prefix="/reports/{report_id}/differences/{difference_id}", include_in_schema=False)

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form about one difference, of a report that its sender may see."""

    request: Request
    house: House
    report_id: str
    row: DifferenceRow
    actor: str
    seen: DifferenceState


def _read_form(  # noqa: PLR0917 - FastAPI names them
    request: Request,
    house: InHouse,
    practices: Practices,
    visitor: Sender,
    report_id: str,
    difference_id: int,
    seen: Annotated[DifferenceState, Form()],
) -> _Asked:
    with house.ledger.reading() as tx:
        report = report_or_nothing(tx, practices, report_id)
        row = read_difference(tx, difference_id) if 0 < difference_id <= _LARGEST else None
    if row is None or row.practice_id != report.practice_id:
        raise HTTPException(404, "There is no such page")
    return _Asked(request, house, report_id, row, visitor.login, seen)


Asked = Annotated[_Asked, Depends(_read_form)]
Reason = Annotated[str, Form(max_length=1000)]


@router.post("/take")
def take_difference_on(asked: Asked) -> RedirectResponse:
    """Let the visitor own a difference."""
    return _done(asked, lambda: settling.take_on(asked.house.ledger, asked.row.id, actor=asked.actor, seen=asked.seen))


@router.post("/wait")
def let_difference_wait(asked: Asked, reason: Reason = "") -> RedirectResponse:
    """Let a difference wait for somebody or something."""
    return _done_at_desk(asked, partial(settling.let_wait, reason=reason))


@router.post("/settle")
def settle_difference(asked: Asked, resolution: Annotated[Resolution, Form()], reason: Reason = "") -> RedirectResponse:
    """Settle a difference, with a reason."""
    return _done_at_desk(asked, partial(settling.settle, reason=reason, resolution=resolution))


@router.post("/reopen")
def reopen_difference(asked: Asked, reason: Reason = "") -> RedirectResponse:
    """Put a settled difference back among the open ones."""
    return _done_at_desk(asked, partial(settling.reopen, reason=reason))


def _done_at_desk(asked: _Asked, act: Callable[..., None]) -> RedirectResponse:
    """Act with both systems at hand: what is written as a reason is held against the customer's name."""
    with asked.house.open_desk(asked.row.practice_id) as desk:
        return _done(asked, lambda: act(desk, asked.row.id, actor=asked.actor, seen=asked.seen))


def _done(asked: _Asked, act: Callable[[], None]) -> RedirectResponse:
    """Act, and show the line; raises `HTTPException` 409 for the second of two people."""
    try:
        act()
    except DifferenceChangedError as error:
        msg = "Somebody has changed this meanwhile. Nothing was done: open the page again"
        raise HTTPException(409, msg) from error
    subject = asked.row.cause.rpartition(":")[0]
    return go_to(asked.request, "reports", asked.report_id, "lines", quote(subject, safe=""))
