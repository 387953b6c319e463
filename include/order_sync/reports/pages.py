"""Write the pages of the reports: the list, one report, one of its classes, one order or payment with its history.

The same contents and the same parts of templates as in the letters. Pure functions: who may see them, and from where the
statements come, is decided by whoever mounts them. The pages need no script; their style stands in one element with the
nonce of the response, so that `style-src 'nonce-…'` is all that the content security policy has to allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from order_sync.reconciliation.classes import TEXTS, DifferenceClass
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.statement import Statement
from order_sync.reports.contents import contents_of
from order_sync.reports.items import Item, item_of
from order_sync.reports.looks import look_by_class, page_sheet
from order_sync.reports.rendering import render
from order_sync.reports.wording import moment_words, one_line, period_words

LINES_OF_A_PAGE = 200
_TO_DO_OF_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page of one response needs: where the pages are mounted, and the response's nonce."""

    root: str
    """The path of the list of reports, such as "/orders/reports"."""
    nonce: str

    def path(self, *parts: str) -> str:
        """Return the path of a page below the list, each part quoted."""
        return "/".join((self.root.rstrip("/"), *(quote(part, safe="") for part in parts)))


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """One report in the list."""

    report_id: str
    practice_name: str
    period: Period
    version: int
    variance_cents: int
    currency: str = "USD"
    to_do_count: int | None = None
    """What is on its to-do list, where that is known."""
    delivery: str = ""
    """Whether it was mailed, in a few words."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: to an order, a difference or a letter."""

    at: datetime
    what: str
    who: str = ""


class NoSuchPageError(LookupError):
    """A page number, a class or a subject that the report does not have."""


def reports_page(frame: Frame, headers: Sequence[ReportHeader], *, practice_name: str | None = None) -> str:
    """Return the list of reports, in the order in which they are given; of one practice or of all."""
    rows = [
        {
            "href": frame.path(header.report_id),
            "words": period_words(header.period, with_year=True),
            "practice_name": one_line(header.practice_name),
            "version": header.version,
            "variance_cents": header.variance_cents,
            "currency": header.currency,
            "to_do_count": header.to_do_count,
            "delivery": one_line(header.delivery),
        }
        for header in headers
    ]
    title = f"Reports of {one_line(practice_name)}" if practice_name else "Reports"
    return _page(frame, "list", title, {"rows": rows, "currency": "USD"})


def report_page(
    frame: Frame, statement: Statement, *, letters: Sequence[Step] = (), versions: Sequence[ReportHeader] = ()
) -> str:
    """Return the page of one report; `letters` says when it was mailed, `versions` which other reports the period has."""
    report = contents_of(statement)
    values = _about(frame, statement) | {
        "report": report,
        "row_limit": _TO_DO_OF_A_PAGE,
        "letters": _steps(letters, statement),
        "versions": [(frame.path(one.report_id), one.version, one.variance_cents) for one in versions],
        "files": [
            (frame.path(statement.report_id, "files", f"{statement.report_id}.{kind}"), kind.upper())
            for kind in ("xlsx", "csv")
        ],
    }
    return _page(frame, "report", f"{report.practice_name}, {values['period_in_full']}", values)


def class_page(frame: Frame, statement: Statement, class_: DifferenceClass, *, page: int = 1) -> str:
    """Return a page of the lines of one class; raises `NoSuchPageError` for a class without lines or a page beyond them."""
    lines = [line for line in statement.lines if line.class_ is class_]
    pages = -(-len(lines) // LINES_OF_A_PAGE)
    if not 1 <= page <= pages:
        msg = f"report {statement.report_id} has no page {page} of {class_}"
        raise NoSuchPageError(msg)
    shown = lines[(page - 1) * LINES_OF_A_PAGE : page * LINES_OF_A_PAGE]
    path = frame.path(statement.report_id, class_.value)
    values = _about(frame, statement) | {
        "text": TEXTS[class_],
        "count": len(lines),
        "explains_cents": sum(line.explains_cents for line in lines),
        "rows": [(item_of(line), line) for line in shown],
        "page": page,
        "pages": pages,
        "before": f"{path}?page={page - 1}" if page > 1 else None,
        "after": f"{path}?page={page + 1}" if page < pages else None,
    }
    return _page(frame, "class", f"{TEXTS[class_].title}, {values['period_in_full']}", values)


def line_page(frame: Frame, statement: Statement, subject: str, *, history: Sequence[Step] = ()) -> str:
    """Return the page of one order or payment: what the report says of it, and what happened to it, latest first.

    Raises `NoSuchPageError` for a subject that the report does not name.
    """
    lines = [line for line in (*statement.lines, *statement.still_open) if line.subject == subject]
    if not lines:
        msg = f"report {statement.report_id} does not name this subject"
        raise NoSuchPageError(msg)
    items = [item_of(line) for line in lines]
    values = _about(frame, statement) | {
        "rows": [
            (item, line, TEXTS[line.class_], ", ".join(map(one_line, line.payment_ids)), one_line(line.marker or ""))
            for item, line in zip(items, lines, strict=True)
        ],
        "history": _steps(sorted(history, key=lambda step: step.at, reverse=True), statement),
    }
    return _page(frame, "line", f"{items[0].label}, {values['period_in_full']}", values)


def _about(frame: Frame, statement: Statement) -> dict[str, Any]:
    """Return what every page of a report shows."""

    def item_link(item: Item) -> str | None:
        return None if item.is_elsewhere else frame.path(statement.report_id, "lines", item.subject)

    return {
        "statement": statement,
        "currency": statement.currency,
        "practice_name": one_line(statement.practice_name),
        "period_in_full": period_words(statement.period, with_year=True),
        "report_href": frame.path(statement.report_id),
        "class_link": lambda class_: frame.path(statement.report_id, class_.value),
        "item_link": item_link,
    }


def _steps(steps: Sequence[Step], statement: Statement) -> list[tuple[str, str, str]]:
    zone = ZoneInfo(statement.time_zone)
    return [(moment_words(step.at, zone), one_line(step.what), one_line(step.who)) for step in steps]


def _page(frame: Frame, name: str, title: str, values: Mapping[str, Any]) -> str:
    page = {
        **values,
        "title": title,
        "look": look_by_class,
        "sheet": page_sheet(),
        "nonce": frame.nonce,
        "root_href": frame.path(),
        "more_are": "on the pages of their kinds",
    }
    return render(f"pages/reports/{name}.html", page).strip() + "\n"
