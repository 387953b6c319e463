"""The API's calls about the queue: what waits for a person."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import Field

from order_sync.ledger.models import CaseRow, CaseState
from order_sync.ledger.queue_lists import CaseKind, QueueFilter, QueueSort, case_of, list_cases
from order_sync.practices import Practice
from order_sync.queue import assign_case, note_case, put_off_case
from order_sync.reasons import Reason
from order_sync.web.api.answers import Answer, Instant, Question, failures, refuse_unknown
from order_sync.web.forms import Caller
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.visitors import Reading

router = APIRouter(prefix="/api/queue", tags=["Queue"])

_LARGEST_ID = 2**63 - 1
_KNOWN = frozenset({"practice", "reason", "kind", "assignee", "unassigned", "waiting", "sort", "cursor", "limit"})


class Case(Answer):
    """One case that waits, or waited, for a person."""

    id: int
    version: int
    """Grows by one with everything that a person does with it; a call that changes something names the one it saw."""
    practice_id: str
    kind: CaseKind
    state: CaseState
    order_id: int | None
    """Null when a whole practice is in trouble."""
    order_number: str | None
    amount_cents: int | None
    currency: str
    reason: Reason
    sentence: str
    next_step: str
    assignee: str | None
    opened_at: Instant
    last_seen_at: Instant
    times_seen: int
    has_note: bool
    """Somebody wrote a note, which the page shows; it is not part of the API."""
    wait_until: Instant | None
    """Until then the case stands below the others."""
    closed_at: Instant | None


class CasePage(Answer):
    """A page of the queue."""

    cases: list[Case]
    next_cursor: str | None
    """The parameter `cursor` of the page after this one; null at the end."""
    previous_cursor: str | None


class Assignment(Question):
    """Give a case to somebody."""

    version: int
    """The case's version that was read."""
    assignee: Annotated[str, Field(min_length=1, max_length=80)] | None
    """A login; null takes the case back from whoever has it."""


class Note(Question):
    """Write a note on a case."""

    version: int
    """The case's version that was read."""
    text: Annotated[str, Field(max_length=1000)]
    """At most 200 characters, without anything of a patient; empty takes the note away."""


class PuttingOff(Question):
    """Put a case off."""

    version: int
    """The case's version that was read."""
    until: date | None
    """The day on which it comes back, in the practice's own time zone; null takes that back."""


@router.get("", summary="List what waits for a person", responses=failures())
def list_queue(
    request: Request,
    house: InHouse,
    practices: Practices,
    *,
    practice: Annotated[str | None, Query(description="The id of a practice")] = None,
    reason: Annotated[Reason | None, Query(description="The code of a reason")] = None,
    kind: Annotated[CaseKind | None, Query(description="What a case is about")] = None,
    assignee: Annotated[str | None, Query(max_length=80, description="The login that has taken it")] = None,
    unassigned: Annotated[bool, Query(description="Only what nobody has taken")] = False,
    waiting: Annotated[bool | None, Query(description="true: only what was put off; false: none of it")] = None,
    sort: Annotated[QueueSort, Query(description="What comes first")] = QueueSort.OLDEST,
    cursor: Annotated[str | None, Query(max_length=600, description="next_cursor or previous_cursor of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Cases of a page")] = 50,
) -> CasePage:
    """Return a page of the open cases of the practices that the login may see; those that are put off come last."""
    refuse_unknown(request, _KNOWN)
    if practice is not None and practice not in practices:
        raise HTTPException(400, "There is no such practice")
    if assignee is not None and not assignee.isprintable():
        raise HTTPException(400, "The login cannot be read")
    wanted = QueueFilter(
        practice_ids=tuple(practices) if practice is None else (practice,),
        reason=reason,
        kind=kind,
        assignee=assignee,
        is_unassigned=unassigned,
        is_waiting=waiting,
    )
    with house.ledger.reading() as tx:
        page = list_cases(tx, wanted, sort, cursor or None, limit)
    return CasePage(
        cases=[_answer(one.case, practices) for one in page.cases],
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


@router.get("/{case_id}", summary="Show one case", responses=failures(404))
def show_case(house: InHouse, practices: Practices, _visitor: Reading, case_id: int) -> Case:
    """Return a case, open or closed."""
    return _answer(_read(house, practices, case_id), practices)


@router.post("/{case_id}/assign", summary="Give a case to somebody", responses=failures(404, 409))
def assign(house: InHouse, practices: Practices, caller: Caller, case_id: int, question: Assignment) -> Case:
    """Give an open case to a login, or to nobody.

    Answers `not_possible` for a login that may not see the practice.
    """
    practice = practices[_read(house, practices, case_id).practice_id]
    row = assign_case(house.ledger, practice, case_id, assignee=question.assignee, actor=caller.login, version=question.version)
    return _answer(row, practices)


@router.post("/{case_id}/note", summary="Write a note on a case", responses=failures(404, 409, 502))
def note(house: InHouse, practices: Practices, caller: Caller, case_id: int, question: Note) -> Case:
    """Write a note on an open case, in the place of the one before.

    Answers `not_possible` for a note that holds patient data, such as the customer's name or an e-mail address.
    """
    practice_id = _read(house, practices, case_id).practice_id
    with house.open_desk(practice_id) as desk:
        row = note_case(desk, case_id, text=question.text, actor=caller.login, version=question.version)
    return _answer(row, practices)


@router.post("/{case_id}/wait", summary="Put a case off", responses=failures(404, 409))
def wait(house: InHouse, practices: Practices, caller: Caller, case_id: int, question: PuttingOff) -> Case:
    """Let an open case stand below the others until a day, within a year."""
    practice = practices[_read(house, practices, case_id).practice_id]
    row = put_off_case(house.ledger, practice, case_id, until=question.until, actor=caller.login, version=question.version)
    return _answer(row, practices)


def _read(house: House, practices: dict[str, Practice], case_id: int) -> CaseRow:
    """Return a case; raises `HTTPException` 404 when there is none that the login may see."""
    row = None
    if 0 < case_id <= _LARGEST_ID:
        with house.ledger.reading() as tx:
            row = case_of(tx, case_id, tuple(practices))
    if row is None:
        raise HTTPException(404, "There is no such case")
    return row


def _answer(row: CaseRow, practices: dict[str, Practice]) -> Case:
    return Case(
        id=row.id,
        version=row.version,
        practice_id=row.practice_id,
        kind=CaseKind(row.cause.split(":", 1)[0]),
        state=row.state,
        order_id=row.order_id,
        order_number=row.order_number,
        amount_cents=row.amount_cents,
        currency=practices[row.practice_id].currency,
        reason=Reason(row.reason),
        sentence=row.sentence,
        next_step=row.next_step,
        assignee=row.assignee,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        times_seen=row.times_seen,
        has_note=row.note is not None,
        wait_until=row.wait_until,
        closed_at=row.closed_at,
    )
