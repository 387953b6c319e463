"""Write the pages of the reports: the list, one report, one of its classes, one order or payment with its history.

The same contents and the same parts of templates as in the letters. Pure functions: who may see them, and from where the
statements come, is decided by whoever mounts them. They stand in the frame that every page shares, and their style is a
file of its own (`looks.page_sheet`): no inline style and no script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from order_sync.reconciliation.classes import TEXTS, DifferenceClass
from order_sync.reconciliation.periods import Period, PeriodKind
from order_sync.reconciliation.statement import Line, Statement
from order_sync.reports.contents import contents_of
from order_sync.reports.items import Item, item_of
from order_sync.reports.looks import look_by_class
from order_sync.reports.rendering import render
from order_sync.reports.wording import moment_words, one_line, period_words

LINES_OF_A_PAGE = 200
_TO_DO_OF_A_PAGE = 200
KIND_WORDS = {PeriodKind.DAY: "Days", PeriodKind.MONTH: "Months", PeriodKind.RANGE: "Other periods"}
RESOLUTIONS = (
    ("not_an_error", "Not an error: both sides are right"),
    ("carried_forward", "Carried forward: it is settled in another period"),
    ("written_off", "Written off"),
    ("fixed_at_source", "Corrected in the store or in Nextech"),
)
"""How a person may settle a difference: the ledger's code, and what the form says."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page of one response needs: where the pages are mounted, and what stands around each of them."""

    root: str
    """The path of the list of reports, such as "/orders/reports"."""
    around: Mapping[str, Any] = field(default_factory=dict)
    """What `pages/layout.html` shows: menu, visitor, paths. A page without it stands alone."""

    def path(self, *parts: str) -> str:
        """Return the path of a page below the list, each part quoted."""
        return "/".join((self.root.rstrip("/"), *(quote(part, safe="") for part in parts)))

    def beside(self, *parts: object) -> str:
        """Return the path of another page of ours: the list of reports is one step below the orders."""
        return "/".join((self.root.rstrip("/").rpartition("/")[0], *(str(part) for part in parts)))


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
class Selection:
    """What the list shows of all reports, and where it goes on."""

    practices: tuple[tuple[str, str], ...] = ()
    """Id and name of each practice to choose from."""
    practice_id: str = ""
    kind: str = ""
    number: str = ""
    """The order number that was searched for."""
    newer_href: str | None = None
    older_href: str | None = None


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that speaks of what was searched for, and its report."""

    report: ReportHeader
    line: Line


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: to an order, a difference or a letter."""

    at: datetime
    what: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """How far people are with a difference now, whatever the report says of it."""

    key: int
    state: str
    """Its code, which a form sends back: who changed it meanwhile was first."""
    words: str
    """ "Taken on by front.desk", "Settled by billing: not an error"; empty when nobody has begun."""
    is_settled: bool = False
    acts: tuple[str, ...] = ()
    """What the visitor may do: take, wait, settle, reopen."""


class NoSuchPageError(LookupError):
    """A page number, a class or a subject that the report does not have."""


def reports_page(frame: Frame, headers: Sequence[ReportHeader], selection: Selection = Selection()) -> str:
    """Return the list of reports, in the order in which they are given."""
    values = {"title": "Reports", "rows": [_row_of(frame, header) for header in headers]}
    return _page(frame, "list", values | _selected(selection))


def found_page(frame: Frame, found: Sequence[FoundLine], selection: Selection) -> str:
    """Return what the reports say of the number that was searched for, the latest period first."""
    rows = []
    for one in found:
        item = item_of(one.line)
        rows.append(
            _row_of(frame, one.report)
            | {"item": item, "line": one.line, "line_href": frame.path(one.report.report_id, "lines", item.subject)}
        )
    return _page(frame, "found", {"title": "Reports", "rows": rows} | _selected(selection))


def report_page(
    frame: Frame,
    statement: Statement,
    *,
    letters: Sequence[Step] = (),
    versions: Sequence[ReportHeader] = (),
    work: Mapping[tuple[str, DifferenceClass], Work] | None = None,
) -> str:
    """Return the page of one report.

    `letters` says when it was mailed, `versions` which other reports the period has, `work` how far people are with what
    is on its to-do list, by subject and class.
    """
    report = contents_of(statement)
    known = work or {}
    values = _about(frame, statement) | {
        "report": report,
        "row_limit": _TO_DO_OF_A_PAGE,
        "letters": _steps(letters, statement),
        "versions": [(frame.path(one.report_id), one.version, one.variance_cents) for one in versions],
        "item_work": lambda item: _sentence(known.get(_key(item))),
        "files": [
            (frame.path(statement.report_id, "files", f"{statement.report_id}.{kind}"), name)
            for kind, name in (("xlsx", "Excel workbook"), ("csv", "CSV file"))
        ],
    }
    return _page(frame, "report", values | {"title": f"{report.practice_name}, {values['period_in_full']}"})


def class_page(
    frame: Frame, statement: Statement, class_: DifferenceClass, *, page: int = 1, lines: Sequence[Line] | None = None
) -> str:
    """Return a page of the lines of one class.

    `lines` are those of this page, where the statement was read without its lines. Raises `NoSuchPageError` for a class
    without lines, or a page beyond them.
    """
    total = next((total for total in statement.classes if total.class_ is class_), None)
    pages = pages_of(statement, class_)
    if total is None or not 1 <= page <= pages:
        msg = f"report {statement.report_id} has no page {page} of {class_}"
        raise NoSuchPageError(msg)
    if lines is None:
        begin = (page - 1) * LINES_OF_A_PAGE
        lines = [line for line in statement.lines if line.class_ is class_][begin : begin + LINES_OF_A_PAGE]
    path = frame.path(statement.report_id, class_.value)
    values = _about(frame, statement) | {
        "text": TEXTS[class_],
        "count": total.count,
        "explains_cents": total.explains_cents,
        "rows": [(item_of(line), line) for line in lines],
        "page": page,
        "pages": pages,
        "before": f"{path}?page={page - 1}" if page > 1 else None,
        "after": f"{path}?page={page + 1}" if page < pages else None,
    }
    return _page(frame, "class", values | {"title": f"{TEXTS[class_].title}, {values['period_in_full']}"})


def pages_of(statement: Statement, class_: DifferenceClass) -> int:
    """Return how many pages the lines of a class fill."""
    return -(-sum(total.count for total in statement.classes if total.class_ is class_) // LINES_OF_A_PAGE)


def line_page(
    frame: Frame,
    statement: Statement,
    subject: str,
    *,
    history: Sequence[Step] = (),
    order_key: int | None = None,
    work: Mapping[tuple[str, DifferenceClass], Work] | None = None,
) -> str:
    """Return the page of one order or payment: what the report says of it, and what happened to it, latest first.

    `order_key` is the order's own in the ledger: its page is linked. Raises `NoSuchPageError` for a subject that the
    report does not name.
    """
    lines = [line for line in (*statement.lines, *statement.still_open) if line.subject == subject]
    if not lines:
        msg = f"report {statement.report_id} does not name this subject"
        raise NoSuchPageError(msg)
    items = [item_of(line) for line in lines]
    values = _about(frame, statement) | {
        "rows": [
            {
                "item": item,
                "line": line,
                "text": TEXTS[line.class_],
                "payments": ", ".join(map(one_line, line.payment_ids)),
                "marker": one_line(line.marker or ""),
                "work": (work or {}).get(_key(item)),
            }
            for item, line in zip(items, lines, strict=True)
        ],
        "resolutions": RESOLUTIONS,
        "order_href": frame.beside("orders", order_key) if order_key is not None else None,
        "work_href": lambda key, act: frame.path(statement.report_id, "differences", str(key), act),
        "history": _steps(sorted(history, key=lambda step: step.at, reverse=True), statement),
    }
    return _page(frame, "line", values | {"title": f"{items[0].label}, {values['period_in_full']}"})


def _key(item: Item) -> tuple[str, DifferenceClass]:
    return item.subject, item.class_


def _sentence(work: Work | None) -> str:
    return f"{one_line(work.words)}." if work and work.words else ""


def _row_of(frame: Frame, header: ReportHeader) -> dict[str, Any]:
    return {
        "href": frame.path(header.report_id),
        "words": period_words(header.period, with_year=True),
        "practice_name": one_line(header.practice_name),
        "version": header.version,
        "variance_cents": header.variance_cents,
        "currency": header.currency,
        "to_do_count": header.to_do_count,
        "delivery": one_line(header.delivery),
    }


def _selected(selection: Selection) -> dict[str, Any]:
    return {
        "selection": selection,
        "kinds": [(kind.value, words) for kind, words in KIND_WORDS.items()],
        "is_narrowed": bool(selection.practice_id or selection.kind or selection.number),
        "currency": "USD",
    }


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
        "item_work": None,
    }


def _steps(steps: Sequence[Step], statement: Statement) -> list[tuple[str, str, str]]:
    zone = ZoneInfo(statement.time_zone)
    return [(moment_words(step.at, zone), one_line(step.what), one_line(step.who)) for step in steps]


def _page(frame: Frame, name: str, values: Mapping[str, Any]) -> str:
    alone = {"path": frame.beside, "menu": (), "visitor": None, "form_token": ""}
    page = {
        **alone,
        **frame.around,
        "look": look_by_class,
        "root_href": frame.path(),
        "sheet_href": frame.path("look.css"),
        "more_are": "on the pages of their kinds",
        **values,
    }
    return render(f"pages/reports/{name}.html", page).strip() + "\n"
