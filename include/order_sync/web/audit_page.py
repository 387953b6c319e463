"""The audit page: who looked at patient data, and who did what; for those who may act themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from order_sync.ledger.audit import Action
from order_sync.ledger.audit_lists import AuditFilter, Span, list_entries
from order_sync.practices import Practice
from order_sync.reconciliation.periods import day_of
from order_sync.web.house import InHouse, Practices
from order_sync.web.rendering import page, path_to
from order_sync.web.visitors import Acting

router = APIRouter(include_in_schema=False)

ACTION_WORDS = {
    Action.PATIENT_VIEWED: "saw the patient",
    Action.CANDIDATES_VIEWED: "saw the candidates",
    Action.PATIENTS_SEARCHED: "searched for patients",
    Action.PATIENT_CHOSEN: "picked the patient",
    Action.ACCOUNT_CREATED: "had the account created",
    Action.POSTED_AGAIN: "had it posted again",
    Action.POSTED_BY_HAND_CONFIRMED: "said that it was posted by hand",
    Action.DISMISSED: "dismissed the order",
    Action.RELEASED: "released the order",
    Action.RETRIED: "had it tried again",
    Action.UNDO_BEGUN: "began to undo a posting",
    Action.VOID_LOOKED_FOR: "had the void looked for",
    Action.POSTED_ELSEWHERE: "had it posted to another patient",
    Action.CHOICE_FORGOTTEN: "had a remembered choice forgotten",
    Action.ASSIGNED: "assigned a case",
    Action.NOTED: "noted something",
    Action.WAIT_SET: "put a case off",
    Action.CASE_DISMISSED: "dismissed a case",
    Action.REFUND_TIED: "tied a refund",
    Action.REFUND_LEFT: "left a refund unrecorded",
    Action.DIFFERENCE_CHANGED: "worked on a difference",
    Action.EXPORTED: "exported a list",
    Action.REPORT_DOWNLOADED: "downloaded a report",
}


@router.get("/audit")
def show_audit(
    request: Request,
    house: InHouse,
    practices: Practices,
    visitor: Acting,
    *,
    number: Annotated[str, Query(max_length=64)] = "",
    actor: Annotated[str, Query(max_length=80)] = "",
    action: str = "",
    day: str = "",
    cursor: str = "",
) -> HTMLResponse:
    """Answer with the trail of the practices that the visitor may see, newest first."""
    number, actor = number.strip().removeprefix("#"), actor.strip()
    if not (number + actor).isprintable():
        raise HTTPException(400, "The order number or the login cannot be read")
    wanted = AuditFilter(_spans(practices, _day(day)), number or None, actor or None, _action(action))
    with house.ledger.reading() as tx:
        shown = list_entries(tx, wanted, cursor or None)

    def further(place: str | None) -> str | None:
        asked = {"number": number, "actor": actor, "action": action, "day": day, "cursor": place}
        kept = urlencode({name: value for name, value in asked.items() if value})
        return f"{path_to(request, 'audit')}?{kept}" if place else None

    values = {
        "entries": shown.entries,
        "practices": practices,
        "words": {known.value: words for known, words in ACTION_WORDS.items()},
        "asked": {"number": number, "actor": actor, "action": action, "day": day},
        "is_narrowed": bool(number or actor or action or day),
        "me": visitor.login,
        "newer_href": further(shown.previous_cursor),
        "older_href": further(shown.next_cursor),
    }
    return page(request, "audit.html", values, menu="health")


def _spans(practices: Mapping[str, Practice], day: date | None) -> tuple[Span, ...]:
    """Return the practices, each with the day as it was there."""
    if day is None:
        return tuple(Span(practice_id) for practice_id in practices)
    period = day_of(day)
    return tuple(Span(one.id, period.begins_at(one), period.cut_off(one)) for one in practices.values())


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise HTTPException(400, "The day cannot be read") from error
    if day is not None and not 1970 <= day.year <= 9000:  # noqa: PLR2004 - what a calendar of ours can be asked for
        raise HTTPException(400, "The day cannot be read")
    return day


def _action(text: str) -> Action | None:
    try:
        return Action(text) if text else None
    except ValueError as error:
        raise HTTPException(400, "There is no such action") from error
