"""The pages of the reports: list, report, class, line, and the files of a report."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.report_lists import ReportFilter, find_lines, list_reports
from order_sync.ledger.reports import read_statement
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import PeriodKind
from order_sync.reports.contents import contents_of
from order_sync.reports.letters import files_of
from order_sync.reports.looks import page_sheet
from order_sync.reports.pages import (
    FoundLine,
    Frame,
    NoSuchPageError,
    Selection,
    class_page,
    found_page,
    line_page,
    pages_of,
    report_page,
    reports_page,
)
from order_sync.web.house import InHouse, Practices
from order_sync.web.rendering import frame_values, path_to
from order_sync.web.report_reading import (
    header_of,
    headers_of,
    history_of_line,
    letters_of,
    other_versions,
    page_of_class,
    report_or_nothing,
    statement_about,
    statement_without_lines,
    work_on,
)
from order_sync.web.visitors import Reading

router = APIRouter(include_in_schema=False)

_NO_PAGE = "There is no such page"


@router.get("/reports")
def show_reports(
    request: Request,
    house: InHouse,
    practices: Practices,
    *,
    practice: str = "",
    kind: str = "",
    number: Annotated[str, Query(max_length=100)] = "",
    cursor: str = "",
) -> HTMLResponse:
    """Answer with the list of reports, or with the lines that speak of an order or a payment."""
    number = number.strip().removeprefix("#").strip()
    wanted = ReportFilter(_chosen(practice, tuple(practices)), _kind(kind))
    selection = Selection(
        practices=tuple((one.id, one.name) for one in practices.values()), practice_id=practice, kind=kind, number=number
    )
    frame = _frame(request)
    with house.ledger.reading() as tx:
        if number:
            lines = find_lines(tx, wanted.practice_ids, number) if number.isprintable() else []
            found = [FoundLine(header_of(practices, one.report), one.line) for one in lines]
        else:
            listed = list_reports(tx, wanted, cursor or None)
            headers = headers_of(tx, practices, listed.rows)
    if number:
        return HTMLResponse(found_page(frame, found, selection))

    def further(place: str | None) -> str | None:
        asked = {"practice": practice, "kind": kind, "cursor": place}
        return f"{frame.path()}?{urlencode({name: value for name, value in asked.items() if value})}" if place else None

    around = {"newer_href": further(listed.previous_cursor), "older_href": further(listed.next_cursor)}
    selection = Selection(selection.practices, practice, kind, "", **around)
    return HTMLResponse(reports_page(frame, headers, selection))


@router.get("/reports/look.css")
def serve_look() -> Response:
    """Answer with what the shared tables and charts of letters and pages look like."""
    return Response(page_sheet(), media_type="text/css; charset=utf-8")


@router.get("/reports/{report_id}")
def show_report(request: Request, house: InHouse, practices: Practices, visitor: Reading, report_id: str) -> HTMLResponse:
    """Answer with one report."""
    with house.ledger.reading() as tx:
        row = report_or_nothing(tx, practices, report_id)
        statement = read_statement(tx, row)
        letters, versions = letters_of(tx, row, visitor), other_versions(tx, practices, row)
        work = work_on(tx, row.practice_id, (*statement.lines, *statement.still_open), visitor)
    return HTMLResponse(report_page(_frame(request), statement, letters=letters, versions=versions, work=work))


@router.get("/reports/{report_id}/files/{name}")
def serve_report_file(house: InHouse, practices: Practices, visitor: Reading, report_id: str, name: str) -> Response:
    """Answer with a file of a report, the one that was mailed; who took it is written down."""
    if name not in {f"{report_id}.xlsx", f"{report_id}.csv"}:
        raise HTTPException(404, _NO_PAGE)
    with house.ledger.reading() as tx:
        row = report_or_nothing(tx, practices, report_id)
        statement = read_statement(tx, row)
    file = next(file for file in files_of(contents_of(statement)) if file.name == name)
    with house.ledger.transaction() as tx:
        record_action(tx, Action.REPORT_DOWNLOADED, actor=visitor.login, practice_id=row.practice_id, detail=name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


@router.get("/reports/{report_id}/lines/{subject:path}")
def show_line(
    request: Request, house: InHouse, practices: Practices, visitor: Reading, *, report_id: str, subject: str
) -> HTMLResponse:
    """Answer with what a report says of one order or payment, and what became of it."""
    if not subject.isprintable():
        raise HTTPException(404, _NO_PAGE)
    with house.ledger.reading() as tx:
        row = report_or_nothing(tx, practices, report_id)
        statement = statement_about(tx, row, subject)
        lines = [line for line in (*statement.lines, *statement.still_open) if line.subject == subject]
        history, order_key = history_of_line(tx, row.practice_id, lines)
        work = work_on(tx, row.practice_id, lines, visitor)
    try:
        shown = line_page(_frame(request), statement, subject, history=history, order_key=order_key, work=work)
    except NoSuchPageError as error:
        raise HTTPException(404, _NO_PAGE) from error
    return HTMLResponse(shown)


@router.get("/reports/{report_id}/{class_name}")
def show_class(
    request: Request, house: InHouse, practices: Practices, *, report_id: str, class_name: str, page: int = 1
) -> HTMLResponse:
    """Answer with a page of the lines of one class."""
    try:
        class_ = DifferenceClass(class_name)
    except ValueError as error:
        raise HTTPException(404, _NO_PAGE) from error
    with house.ledger.reading() as tx:
        row = report_or_nothing(tx, practices, report_id)
        statement = statement_without_lines(row)
        if not 1 <= page <= pages_of(statement, class_):
            raise HTTPException(404, _NO_PAGE)
        lines = page_of_class(tx, row, class_, page)
    return HTMLResponse(class_page(_frame(request), statement, class_, page=page, lines=lines))


def _frame(request: Request) -> Frame:
    return Frame(path_to(request, "reports"), frame_values(request, menu="reports"))


def _chosen(practice_id: str, open_ones: tuple[str, ...]) -> tuple[str, ...]:
    if not practice_id:
        return open_ones
    if practice_id not in open_ones:
        raise HTTPException(400, "There is no such practice")
    return (practice_id,)


def _kind(text: str) -> PeriodKind | None:
    try:
        return PeriodKind(text) if text else None
    except ValueError as error:
        raise HTTPException(400, "There is no such kind of period") from error
