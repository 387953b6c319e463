"""The list of orders, and the same as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from order_sync.intake import RELEASED_BY_A_PERSON
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.cursors import CursorError
from order_sync.ledger.order_counts import REASONS_OF_ORDERS, Count, counts_by_reason, counts_by_status
from order_sync.ledger.order_filters import OrderFilter, Sort
from order_sync.ledger.order_lists import ListedOrder, OrderPage, export_orders, list_orders
from order_sync.ledger.session import Transaction
from order_sync.practices import Practice
from order_sync.reasons import Reason, sentence
from order_sync.resolve import PATIENT_TO_PICK
from order_sync.statuses import OrderState, PublicStatus
from order_sync.web.filters import (
    FILTER_NAMES,
    STATUS_WORDS,
    NamedPeriod,
    Wanted,
    filter_words,
    is_in_one_form,
    read_wanted,
)
from order_sync.web.house import InHouse, Practices
from order_sync.web.order_actions import TO_RELEASE, TO_RESOLVE, OrderAction
from order_sync.web.order_columns import COLUMNS, Column, columns_named, store_state_words, usual_columns, waits_minutes
from order_sync.web.order_files import csv_of_orders
from order_sync.web.rendering import page, path_to
from order_sync.web.visitors import Reading, Visitor

router = APIRouter()

_COOKIE = "orders_columns"
_A_YEAR = 365 * 24 * 3600
_SHOWN_FIRST = (PublicStatus.NOT_SYNCED, PublicStatus.WAITING, PublicStatus.SYNCED, PublicStatus.DISABLED)


@router.get("/", include_in_schema=False)
def show_orders(request: Request, house: InHouse, practices: Practices, visitor: Reading) -> Response:
    """Answer with a page of the list; a form that leaves fields empty is sent on to the short address."""
    wanted = read_wanted(request.query_params, practices)
    if not wanted.problems and not is_in_one_form(request.query_params):
        answer: Response = RedirectResponse(path_to(request) + wanted.query(), 303)
    else:
        answer = _list_page(request, house, practices, visitor, wanted)
    if wanted.columns is not None:
        names = ".".join(column.name for column in wanted.columns)
        answer.set_cookie(_COOKIE, names, max_age=_A_YEAR, path=path_to(request), httponly=True, samesite="lax")
    return answer


@router.get("/orders.csv", include_in_schema=False)
def send_file(request: Request, house: InHouse, practices: Practices, visitor: Reading) -> Response:
    """Answer with everything that the list shows, as a file; raises `HTTPException` 400 rather than leave a filter out."""
    wanted = read_wanted(request.query_params, practices)
    if wanted.problems:
        raise HTTPException(400, " ".join(wanted.problems))
    now = house.clock.now()
    asked = wanted.filter_for(practices, now)
    with house.ledger.transaction() as tx:
        for practice_id in asked.practice_ids:
            # A number that was searched for may be anything that somebody typed: it is not kept.
            detail = f"orders{wanted.but(number='', columns=None).query()}{' by number' if wanted.number else ''}"
            record_action(tx, Action.EXPORTED, actor=visitor.login, practice_id=practice_id, detail=detail)
    columns = _columns(request, wanted, practices)
    lines = csv_of_orders(export_orders(house.ledger, asked, wanted.sort), columns, practices, now)
    name = f"orders-{now:%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _list_page(
    request: Request, house: InHouse, practices: Mapping[str, Practice], visitor: Visitor, wanted: Wanted
) -> Response:
    now = house.clock.now()
    asked = wanted.filter_for(practices, now)
    problems = list(wanted.problems)
    with house.ledger.reading() as tx:
        found = _page_or_first(tx, asked, wanted, problems)
        statuses = counts_by_status(tx, asked)
        reasons = counts_by_reason(tx, asked)
    columns = _columns(request, wanted, practices)
    root = path_to(request)
    values: dict[str, Any] = {
        "title": "Orders",
        "now": now,
        "practices": list(practices.values()),
        "problems": problems,
        "wanted": wanted,
        "given": wanted.values(),
        "filters": [{"text": text, "href": root + rest.query()} for text, rest in filter_words(wanted, practices)],
        "more_filters": sum(1 for name in FILTER_NAMES[2:] if wanted.values()[name]),
        "status_links": _status_links(wanted, statuses, root),
        "reasons": _reason_choices(wanted.reason, reasons),
        "periods": [(period.value, period.text) for period in NamedPeriod],
        "columns": [_heading(column, wanted, root) for column in columns],
        "all_columns": [(column.name, column.title, column in columns) for column in COLUMNS[1:]],
        "rows": [_row(order, practices[order.practice_id], now, visitor) for order in found.orders],
        "clear_href": root + Wanted(sort=wanted.sort, columns=wanted.columns).query(),
        "file_href": path_to(request, "orders.csv") + wanted.but(columns=columns).query(),
        "next_href": root + wanted.but(cursor=found.next_cursor).query() if found.next_cursor else None,
        "previous_href": root + wanted.but(cursor=found.previous_cursor).query() if found.previous_cursor else None,
    }
    return page(request, "orders.html", values, menu="orders")


def _page_or_first(tx: Transaction, asked: OrderFilter, wanted: Wanted, problems: list[str]) -> OrderPage:
    try:
        return list_orders(tx, asked, wanted.sort, wanted.cursor or None)
    except CursorError:
        problems.append("The place in the list cannot be found any more: this is the first page.")
        return list_orders(tx, asked, wanted.sort)


def _columns(request: Request, wanted: Wanted, practices: Mapping[str, Practice]) -> Sequence[Column]:
    """Return the columns that the address names, else those that were chosen last in this browser, else the usual ones."""
    if wanted.columns is not None:
        return wanted.columns
    chosen = request.cookies.get(_COOKIE, "").split(".")
    if len(columns_named(chosen)) > 1:
        return columns_named(chosen)
    return usual_columns(practice_count=len(practices))


def _status_links(wanted: Wanted, counts: Mapping[PublicStatus, Count], root: str) -> list[dict[str, object]]:
    words = {status: word for word, status in STATUS_WORDS.items()}
    links: list[dict[str, object]] = [
        {
            "text": status.value,
            "class": words[status],
            "count": str(counts[status]),
            "href": root + wanted.but(status=status).query(),
            "is_here": wanted.status is status,
        }
        for status in _SHOWN_FIRST
    ]
    everything = {"text": "All", "class": "", "count": "", "href": root + wanted.but(status=None).query()}
    return [{**everything, "is_here": wanted.status is None}, *links]


def _reason_choices(chosen: Reason | None, counts: Mapping[Reason, Count]) -> list[tuple[str, str]]:
    """Return the reasons that some order has under the other filters, the most first, and the one that is chosen."""
    named = [*counts, *([chosen] if chosen and chosen not in counts else [])]
    return [
        (reason.value, f"{sentence(reason)} ({counts.get(reason, Count(0))})")
        for reason in named
        if reason in REASONS_OF_ORDERS
    ]


def _heading(column: Column, wanted: Wanted, root: str) -> dict[str, object]:
    if column.sort is None:
        return {"name": column.name, "title": column.title, "is_amount": column.is_amount, "href": None, "sorted": ""}
    is_sorted = wanted.sort.by is column.sort
    # A first click shows what people look for: the newest, the largest, but numbers from the first one on.
    descends = not wanted.sort.is_descending if is_sorted else column.name != "number"
    sort = Sort(column.sort, is_descending=descends)
    direction = ("descending" if wanted.sort.is_descending else "ascending") if is_sorted else ""
    href = root + wanted.but(sort=sort).query()
    return {"name": column.name, "title": column.title, "is_amount": column.is_amount, "href": href, "sorted": direction}


def _row(order: ListedOrder, practice: Practice, now: datetime, visitor: Visitor) -> dict[str, object]:
    return {
        "order": order,
        "practice": practice,
        "status_class": order.public_status.value.casefold().replace(" ", "-"),
        "store": store_state_words(order.store_state),
        "waits": waits_minutes(order, now) is not None,
        "action": _main_action(order) if visitor.can_act else None,
    }


def _main_action(order: ListedOrder) -> OrderAction | None:
    """Return what the next step asks for, where it is done on a page of ours."""
    if order.state is not OrderState.QUEUED:
        return None
    if order.reason in RELEASED_BY_A_PERSON:
        return TO_RELEASE
    return TO_RESOLVE if order.reason in PATIENT_TO_PICK else None
