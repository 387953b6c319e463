"""The API's calls about orders."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import Field

from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.order_details import OrderDetails, read_details
from order_sync.ledger.order_filters import SortBy
from order_sync.ledger.order_lists import list_orders
from order_sync.practices import Practice
from order_sync.resolve import DismissReason, choose_patient, dismiss
from order_sync.retries import retry
from order_sync.web.api.answers import Question, failures, refuse_unknown
from order_sync.web.api.order_answers import (
    OrderChanged,
    OrderDetail,
    OrderHistory,
    OrderPage,
    detail_of,
    history_of,
    order_of,
)
from order_sync.web.filters import FILTER_NAMES, STATUS_WORDS, NamedPeriod, Wanted, read_wanted
from order_sync.web.forms import Caller
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.visitors import Reading, Visitor

router = APIRouter(prefix="/api/orders", tags=["Orders"])

_KNOWN = frozenset({*FILTER_NAMES, "sort", "cursor", "limit"})
_LARGEST_ID = 2**63 - 1
_SORTS = ", ".join(f"{way}{by.value}" for by in SortBy for way in ("", "-"))


def _words(values: object) -> str:
    return ", ".join(values)  # type: ignore[arg-type]


def _read_question(  # noqa: PLR0917 - the parameters of the address, described for the document
    request: Request,
    practices: Practices,
    number: Annotated[str, Query(description="The whole order number, or its beginning")] = "",
    status: Annotated[str, Query(description=f"One of {_words(STATUS_WORDS)}")] = "",
    reason: Annotated[str, Query(description="The code of a reason, such as duplicated_customer")] = "",
    practice: Annotated[str, Query(description="The id of a practice")] = "",
    period: Annotated[str, Query(description=f"One of {_words(NamedPeriod)}")] = "",
    from_: Annotated[str, Query(alias="from", description="The first business day, such as 2026-11-02")] = "",
    to: Annotated[str, Query(description="The last business day")] = "",
    least: Annotated[str, Query(description="The smallest amount, in units of the currency: 12.50")] = "",
    most: Annotated[str, Query(description="The largest amount")] = "",
    new: Annotated[str, Query(description="1: only orders for which we made the account")] = "",
    sort: Annotated[str, Query(description=f"One of {_SORTS}; - is downwards, -placed is usual")] = "",
    cursor: Annotated[str, Query(description="next_cursor or previous_cursor of another page")] = "",
) -> Wanted:
    """Read the filters, which are those of the page; raises `HTTPException` 400 for whatever cannot be read."""
    # The page's own reading is used; what stands above describes it.
    del number, status, reason, practice, period, from_, to, least, most, new, sort, cursor
    refuse_unknown(request, _KNOWN)
    wanted = read_wanted(request.query_params, practices)
    if wanted.problems:
        raise HTTPException(400, " ".join(wanted.problems))
    return wanted


@router.get("", summary="List orders", responses=failures())
def list_all_orders(
    house: InHouse,
    practices: Practices,
    wanted: Annotated[Wanted, Depends(_read_question)],
    limit: Annotated[int, Query(ge=1, le=200, description="Orders of a page")] = 50,
) -> OrderPage:
    """Return a page of the orders of the practices that the login may see, with the filters of the Orders page.

    Go on with `next_cursor` as the parameter `cursor`, all other parameters unchanged. Every order that is there all the
    time is on exactly one page.
    """
    asked = wanted.filter_for(practices, house.clock.now())
    with house.ledger.reading() as tx:
        page = list_orders(tx, asked, wanted.sort, wanted.cursor or None, limit)
    return OrderPage(
        orders=[order_of(row, practices[row.practice_id]) for row in page.orders],
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


@router.get("/{order_id}", summary="Show one order", responses=failures(404))
def show_order(house: InHouse, practices: Practices, visitor: Reading, order_id: int) -> OrderDetail:
    """Return all that the ledger has about an order.

    Chart ids are there for logins that may act, and that they were read is written to the audit trail.
    """
    details, practice = _read(house, practices, order_id)
    return _answer(house, details, practice, visitor)


@router.get("/{order_id}/history", summary="Show what happened to an order", responses=failures(404))
def show_history(house: InHouse, practices: Practices, order_id: int) -> OrderHistory:
    """Return the steps of an order, the latest first."""
    details, _ = _read(house, practices, order_id)
    return history_of(details.order, details.history)


class Retry(Question):
    """Try an order again."""

    version: int
    """The order's version that was read."""


class PatientChoice(Question):
    """Whose order it is."""

    version: int
    """The order's version that was read."""
    patient_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    """The id of the chart in Nextech."""
    remember: bool = True
    """Whether the store customer's next orders go to the same chart."""


class Dismissal(Question):
    """Close an order without posting it."""

    version: int
    """The order's version that was read."""
    why: DismissReason


@router.post("/{order_id}/retry", summary="Try an order again", responses=failures(404, 409))
def retry_order(house: InHouse, practices: Practices, caller: Caller, order_id: int, question: Retry) -> OrderChanged:
    """Let the next run take up a queued order, and start it.

    Answers `not_possible` where another try changes nothing.
    """
    _, practice = _read(house, practices, order_id)
    retry(house.ledger, order_id, actor=caller.login, version=question.version, practice_id=practice.id)
    return _changed(house, practices, order_id, caller, is_sync_started=house.start_sync(caller.login))


@router.post("/{order_id}/patient", summary="Choose the patient of an order", responses=failures(404, 409, 502))
def choose_patient_of_order(
    house: InHouse, practices: Practices, caller: Caller, order_id: int, question: PatientChoice
) -> OrderChanged:
    """Give a queued order to a chart in Nextech, and start the sync, which posts it there.

    Answers `somebody_was_first` when the order is not as it was read, and `not_possible` when it does not wait for a patient
    or the chart is not there.
    """
    _, practice = _read(house, practices, order_id)
    with house.open_desk(practice.id) as desk:
        choose_patient(
            desk,
            order_id,
            question.patient_id,
            actor=caller.login,
            version=question.version,
            remember=question.remember,
        )
    return _changed(house, practices, order_id, caller, is_sync_started=house.start_sync(caller.login))


@router.post("/{order_id}/dismiss", summary="Close an order without posting it", responses=failures(404, 409))
def dismiss_order(house: InHouse, practices: Practices, caller: Caller, order_id: int, question: Dismissal) -> OrderChanged:
    """Close a queued order for a reason that is kept; nothing is posted."""
    _, practice = _read(house, practices, order_id)
    with house.open_desk(practice.id) as desk:
        dismiss(desk, order_id, actor=caller.login, why=question.why, version=question.version)
    return _changed(house, practices, order_id, caller, is_sync_started=False)


def _read(house: House, practices: dict[str, Practice], order_id: int) -> tuple[OrderDetails, Practice]:
    """Return an order and its practice; raises `HTTPException` 404 when there is none that the login may see."""
    details = None
    if 0 < order_id <= _LARGEST_ID:
        with house.ledger.reading() as tx:
            details = read_details(tx, order_id, tuple(practices))
    if details is None:
        raise HTTPException(404, "There is no such order")
    return details, practices[details.order.practice_id]


def _changed(
    house: House, practices: dict[str, Practice], order_id: int, caller: Visitor, *, is_sync_started: bool
) -> OrderChanged:
    details, practice = _read(house, practices, order_id)
    return OrderChanged(order=_answer(house, details, practice, caller), is_sync_started=is_sync_started)


def _answer(house: House, details: OrderDetails, practice: Practice, visitor: Visitor) -> OrderDetail:
    """Return the answer; that chart ids are in it is written down before it leaves."""
    answer = detail_of(details, practice, may_act=visitor.can_act)
    charts = (answer.patient_id, *(case.candidate_ids for case in answer.cases))
    if any(charts):
        with house.ledger.transaction() as tx:
            record_action(
                tx,
                Action.PATIENT_VIEWED,
                actor=visitor.login,
                practice_id=practice.id,
                order_id=answer.id,
                detail="chart ids, by the API",
            )
    return answer
