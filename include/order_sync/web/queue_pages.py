"""The queue: what needs a person, the oldest or the largest first, and what may be done with many cases at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from order_sync.ledger.queue_lists import CaseKind, QueuedCase, QueueFilter, QueueSort, cases_by_reason, count_cases, list_cases
from order_sync.practices import Practice
from order_sync.reasons import EXPLANATIONS, Reason
from order_sync.resolve import PATIENT_TO_PICK
from order_sync.statuses import OrderState
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.order_actions import notice_of
from order_sync.web.queue_filters import QueueView, Wait, Whose
from order_sync.web.rendering import page
from order_sync.web.visitors import Reading, Visitor

router = APIRouter()

_MOST_TROUBLES = 20


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one of the cases that were ticked."""

    subject: str
    sentence: str
    is_done: bool


@router.get("/queue", include_in_schema=False)
def show_queue(request: Request, house: InHouse, practices: Practices, visitor: Reading) -> HTMLResponse:
    """Show the open cases, the practice-wide troubles on top."""
    return queue_page(request, house, practices, visitor, view=QueueView.of(request.query_params, practices))


def queue_page(
    request: Request,
    house: House,
    practices: dict[str, Practice],
    visitor: Visitor,
    *,
    view: QueueView,
    results: Sequence[BulkResult] = (),
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
