"""The queue: what needs a person, the oldest or the largest first, and what may be done with many cases at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from order_sync.errors import OrderSyncError, PermanentError
from order_sync.ledger.queue_lists import (
    CaseKind,
    QueuedCase,
    QueueFilter,
    QueueSort,
    case_of,
    cases_by_reason,
    count_cases,
    list_cases,
)
from order_sync.practices import Practice
from order_sync.queue import MOST_AT_ONCE, CaseOutcome, assign_cases
from order_sync.reasons import EXPLANATIONS, Reason
from order_sync.resolve import PATIENT_TO_PICK
from order_sync.retries import retry
from order_sync.statuses import OrderState
from order_sync.web.forms import Sender
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.order_actions import notice_of
from order_sync.web.queue_filters import QueueView, Wait, Whose
from order_sync.web.rendering import go_to, page
from order_sync.web.visitors import Acting, Reading, Visitor

router = APIRouter(include_in_schema=False)

_MOST_TROUBLES = 20
_TICK = re.compile(r"(\d{1,18}):(\d{1,9})", re.ASCII)

Login = Annotated[str, Form(max_length=80)]


@dataclass(frozen=True, slots=True)
class Ticked:
    """The cases that were ticked, and the page that they were ticked on."""

    seen: dict[int, int]
    """The version of each case by its id."""
    shown: str


def ticked_of(case: Annotated[list[str] | None, Form()] = None, shown: Annotated[str, Form(max_length=1000)] = "") -> Ticked:
    """Return what a form has ticked; raises `HTTPException` 400 for what is no case of ours, or none at all."""
    pairs = [_TICK.fullmatch(one) for one in case or ()]
    if not pairs or None in pairs:
        raise HTTPException(400, "Tick at least one case first. Nothing was done")
    return Ticked({int(pair[1]): int(pair[2]) for pair in pairs if pair}, shown)


Ticks = Annotated[Ticked, Depends(ticked_of)]


@router.get("/queue")
def show_queue(request: Request, house: InHouse, practices: Practices, visitor: Reading) -> HTMLResponse:
    """Show the open cases, the practice-wide troubles on top."""
    return queue_page(request, house, practices, visitor, view=QueueView.of(request.query_params, practices))


@router.post("/queue/assign")
def assign_ticked(
    request: Request, house: InHouse, practices: Practices, sender: Sender, *, ticked: Ticks, login: Login = ""
) -> Response:
    """Give the ticked cases to somebody, or to nobody, and say of each what became of it."""
    results = assign_cases(house.ledger, practices, ticked.seen, assignee=login.strip() or None, actor=sender.login)
    return queue_page(request, house, practices, sender, view=QueueView.of_text(ticked.shown, practices), results=results)


@router.post("/queue/retry")
def retry_ticked(request: Request, house: InHouse, practices: Practices, sender: Sender, *, ticked: Ticks) -> Response:
    """Let the next run take up the orders of the ticked cases, start it, and say of each what became of it."""
    if len(ticked.seen) > MOST_AT_ONCE:
        msg = f"at most {MOST_AT_ONCE} cases at once"
        raise PermanentError(msg)
    results = tuple(_retry_one(house, practices, sender.login, case_id) for case_id in ticked.seen)
    is_started = house.start_sync(sender.login) if any(one.is_done for one in results) else None
    view = QueueView.of_text(ticked.shown, practices)
    return queue_page(request, house, practices, sender, view=view, results=results, is_started=is_started)


def _retry_one(house: House, practices: dict[str, Practice], login: str, case_id: int) -> CaseOutcome:
    with house.ledger.reading() as tx:
        row = case_of(tx, case_id, tuple(practices))
    if row is None:
        return CaseOutcome(case_id, f"case {case_id}", "there is no such case", is_done=False)
    subject = f"order {row.order_number}" if row.order_number else practices[row.practice_id].name
    if row.order_id is None or not row.cause.startswith(f"{CaseKind.ORDER.value}:"):
        return CaseOutcome(case_id, subject, "there is nothing that could be tried again", is_done=False)
    try:
        retry(house.ledger, row.order_id, actor=login, practice_id=row.practice_id)
    except OrderSyncError as refusal:
        told = str(refusal).removeprefix(f"order {row.order_number} of practice {row.practice_id}: ")
        return CaseOutcome(case_id, subject, told, is_done=False)
    return CaseOutcome(case_id, subject, "the next run takes it up", is_done=True)


@router.get("/queue/assign")
@router.get("/queue/retry")
def go_back_to_queue(request: Request, _visitor: Acting) -> Response:
    """Lead somebody who opens the address of a form again to the queue."""
    return go_to(request, "queue")


def queue_page(
    request: Request,
    house: House,
    practices: dict[str, Practice],
    visitor: Visitor,
    *,
    view: QueueView,
    results: Sequence[CaseOutcome] = (),
    is_started: bool | None = None,
) -> HTMLResponse:
    """Return the queue's page, with what became of each case when many were worked on."""
    wanted = view.wanted(practices, visitor.login)
    with house.ledger.reading() as tx:
        shown = list_cases(tx, wanted, view.sort, view.cursor)
        counts = cases_by_reason(tx, wanted)
        open_counts = count_cases(tx, wanted.practice_ids, visitor.login)
        everywhere = QueueFilter(practice_ids=tuple(practices), kind=CaseKind.PRACTICE)
        troubles = list_cases(tx, everywhere, limit=_MOST_TROUBLES).cases
        now = tx.now
    return page(
        request,
        "queue.html",
        {
            "view": view,
            "cases": shown.cases,
            "next_cursor": shown.next_cursor,
            "previous_cursor": shown.previous_cursor,
            "reasons": [(reason, EXPLANATIONS[reason].sentence, count) for reason, count in counts.items()],
            "total": sum(counts.values()),
            "whose": _whose(open_counts.open, open_counts.mine, open_counts.unassigned),
            "waits": _waits(open_counts.waiting),
            "sorts": ((QueueSort.OLDEST, "Oldest"), (QueueSort.LARGEST, "Largest amount")),
            "troubles": troubles,
            "practices": practices,
            "can_resolve": can_resolve,
            "now": now,
            "notice": notice_of(request),
            "results": results,
            "is_started": is_started,
        },
        menu="queue",
    )


def can_resolve(case: QueuedCase) -> bool:
    """Say whether picking a patient is what the case asks for."""
    is_queued = case.order is not None and case.order.state is OrderState.QUEUED
    return is_queued and case.kind is CaseKind.ORDER and Reason(case.case.reason) in PATIENT_TO_PICK


def _whose(total: int, mine: int, nobodys: int) -> tuple[tuple[Whose, str], ...]:
    return (
        (Whose.ANYBODY, f"Anybody's ({total})"),
        (Whose.MINE, f"Mine ({mine})"),
        (Whose.NOBODY, f"Nobody's yet ({nobodys})"),
    )


def _waits(waiting: int) -> tuple[tuple[Wait, str], ...]:
    return ((Wait.LAST, "Below the others"), (Wait.WITHOUT, "Not shown"), (Wait.ONLY, f"Only these ({waiting})"))
