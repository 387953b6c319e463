"""The API's calls about the reports."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from order_sync.ledger.report_lists import ReportFilter, list_reports, order_keys_of, to_do_counts
from order_sync.ledger.report_models import ReportRow
from order_sync.ledger.reports import read_statement
from order_sync.reconciliation.classes import TEXTS, DifferenceClass
from order_sync.reconciliation.periods import PeriodKind
from order_sync.reconciliation.statement import Line
from order_sync.reports.contents import contents_of
from order_sync.reports.items import item_of, needs_a_person
from order_sync.web.api.answers import Answer, Instant, failures, refuse_unknown
from order_sync.web.house import InHouse, Practices
from order_sync.web.report_reading import report_or_nothing, work_on
from order_sync.web.visitors import Reading

router = APIRouter(prefix="/api/reports", tags=["Reports"])

_KNOWN = frozenset({"practice", "kind", "cursor", "limit"})


class Report(Answer):
    """The figures of one report of one practice and period. All amounts are cents of `currency`."""

    report_id: str
    """What a reader quotes: "eastern-2026-11-02-v1"."""
    practice_id: str
    period_kind: PeriodKind
    first_day: date
    last_day: date
    version: int
    """1 for the first report of the period; one more each time it was re-opened."""
    is_current: bool
    """No later version has taken its place."""
    currency: str
    store_in_cents: int
    """Captured by outside tenders in the period."""
    store_back_cents: int
    """Returned through the gateway in the period."""
    posted_cents: int
    """Payments in Nextech dated in the period."""
    recorded_back_cents: int
    """Refunds in Nextech dated in the period."""
    variance_cents: int
    """What the store says less what Nextech says."""
    to_do_count: int
    """How long its to-do list is."""
    created_at: Instant
    checked_at: Instant
    """When both systems were last read anew and still said this."""


class ReportPage(Answer):
    """A page of reports."""

    reports: list[Report]
    next_cursor: str | None
    """The parameter `cursor` of the page after this one; null at the end."""
    previous_cursor: str | None


class ClassFigures(Answer):
    """All lines of one class."""

    class_name: DifferenceClass
    title: str
    meaning: str
    count: int
    store_cents: int
    nextech_cents: int
    explains_cents: int
    """How much of the variance these lines make up; over all classes, all of it."""


class ToDo(Answer):
    """A line of the to-do list: an order or a payment that somebody has to act on."""

    subject: str
    """"order:" with the store's key, or "entry:" with Nextech's payment id."""
    class_name: DifferenceClass
    order_id: int | None
    """The ledger's number of the order, where it knows it."""
    order_number: str | None
    payment_ids: list[str]
    amount_cents: int
    explains_cents: int
    age_days: int | None
    next_step: str
    is_earlier: bool
    """It belongs to an earlier period."""
    now: str
    """How far people are with it by now, in words; empty when nobody has begun."""


class ReportDetail(Report):
    """One report with its classes and its to-do list; every line of it is in the CSV file of its page."""

    headline: str
    classes: list[ClassFigures]
    to_do: list[ToDo]


@router.get("", summary="List reports", responses=failures())
def list_all_reports(
    request: Request,
    house: InHouse,
    practices: Practices,
    *,
    practice: Annotated[str | None, Query(description="The id of a practice")] = None,
    kind: Annotated[PeriodKind | None, Query(description="Days, months, or any other period")] = None,
    cursor: Annotated[str | None, Query(max_length=600, description="next_cursor or previous_cursor of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Reports of a page")] = 50,
) -> ReportPage:
    """Return a page of the newest version of each report, the latest period first."""
    refuse_unknown(request, _KNOWN)
    if practice is not None and practice not in practices:
        raise HTTPException(400, "There is no such practice")
    wanted = ReportFilter(tuple(practices) if practice is None else (practice,), kind)
    with house.ledger.reading() as tx:
        page = list_reports(tx, wanted, cursor or None, limit)
        to_do = to_do_counts(tx, page.rows)
    return ReportPage(
        reports=[Report(**_figures(row, to_do[row.id])) for row in page.rows],
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


@router.get("/{report_id}", summary="Show one report", responses=failures(404))
def show_report(house: InHouse, practices: Practices, visitor: Reading, report_id: str) -> ReportDetail:
    """Return a report with its classes, which add up to the difference, and what there is to do."""
    with house.ledger.reading() as tx:
        row = report_or_nothing(tx, practices, report_id)
        statement = read_statement(tx, row)
        contents = contents_of(statement)
        by_item = {(line.subject, line.class_): line for line in (*statement.still_open, *statement.lines)}
        asked = [by_item[item.subject, item.class_] for item in contents.to_do]
        keys = order_keys_of(tx, row.practice_id, asked)
        work = work_on(tx, row.practice_id, asked, visitor)
    shown = {(line.subject, line.class_) for line in statement.lines if needs_a_person(line)}
    return ReportDetail(
        **_figures(row, len(asked)),
        headline=contents.headline,
        classes=[
            ClassFigures(
                class_name=total.class_,
                title=TEXTS[total.class_].title,
                meaning=TEXTS[total.class_].meaning,
                count=total.count,
                store_cents=total.store_cents,
                nextech_cents=total.nextech_cents,
                explains_cents=total.explains_cents,
            )
            for total in statement.classes
        ],
        to_do=[
            _to_do(
                line,
                keys,
                is_earlier=(line.subject, line.class_) not in shown,
                now=work[line.subject, line.class_].words if (line.subject, line.class_) in work else "",
            )
            for line in asked
        ],
    )


def _figures(row: ReportRow, to_do_count: int) -> dict[str, Any]:
    return {
        "report_id": row.report_id,
        "practice_id": row.practice_id,
        "period_kind": row.period_kind,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "version": row.version,
        "is_current": row.superseded_at is None,
        "currency": row.statement["currency"],
        "store_in_cents": row.store_in_cents,
        "store_back_cents": row.store_back_cents,
        "posted_cents": row.posted_cents,
        "recorded_back_cents": row.recorded_back_cents,
        "variance_cents": row.variance_cents,
        "to_do_count": to_do_count,
        "created_at": row.created_at,
        "checked_at": row.checked_at,
    }


def _to_do(line: Line, keys: dict[int, int], *, is_earlier: bool, now: str) -> ToDo:
    item = item_of(line)
    return ToDo(
        subject=line.subject,
        class_name=line.class_,
        order_id=keys.get(line.entity_id) if line.entity_id is not None else None,
        order_number=line.number,
        payment_ids=list(line.payment_ids),
        amount_cents=line.at_stake_cents,
        explains_cents=line.explains_cents,
        age_days=line.age_days,
        next_step=item.next_step,
        is_earlier=is_earlier,
        now=now,
    )
