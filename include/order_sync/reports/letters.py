"""Write the letters: the report of a day or a month, and the alarm that says why there is none.

The same statement always gives the same bytes. A letter holds order numbers, payment ids and amounts, and nothing of a
patient: `Statement` has no place for it (docs/letters.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from order_sync.reconciliation.periods import Period, PeriodKind, day_of
from order_sync.reconciliation.statement import Statement
from order_sync.reports.contents import Contents, contents_of
from order_sync.reports.csv_file import csv_of
from order_sync.reports.items import LONGEST_NAME
from order_sync.reports.looks import letter_sheet, look_inline
from order_sync.reports.rendering import render
from order_sync.reports.wording import moment_words, one_line, period_words
from order_sync.reports.workbook import workbook_of

ROWS_OF_THE_TO_DO_LIST = 25
"""More are in the workbook: a letter that is too long is cut off by mail programs, and not read by people."""

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be sent: subject on one line, the same in plain text and in HTML, and the files."""

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Links:
    """Where the pages are, as absolute addresses; a letter without them has no links."""

    reports_url: str | None = None
    """The list of reports; a report is one step below it, under its id."""

    def __post_init__(self) -> None:
        """Refuse what is no address of a web page."""
        if self.reports_url is not None:
            parts = urlsplit(self.reports_url)
            if parts.scheme not in {"http", "https"} or not parts.netloc or self.reports_url != one_line(self.reports_url):
                msg = "reports_url must be an http or https address"
                raise ValueError(msg)

    @property
    def reports(self) -> str | None:
        """Return the address of the list of reports."""
        return self.reports_url.rstrip("/") if self.reports_url else None

    def report(self, report_id: str) -> str | None:
        """Return the address of a report."""
        return f"{self.reports}/{report_id}" if self.reports else None


NO_LINKS = Links()


class AlarmKind(StrEnum):
    """Why there is no report."""

    STORE_UNREADABLE = "store_unreadable"
    NEXTECH_UNREADABLE = "nextech_unreadable"
    NOT_TIED = "not_tied"
    """The classes do not explain the difference: our own mistake, and nobody may book by it."""
    FAILED = "failed"
    """Anything else that kept the report from being made."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A report that could not be made."""

    kind: AlarmKind
    practice_name: str
    time_zone: str
    period: Period
    at: datetime
    """When it was noticed."""
    message: str = ""
    """The error's own sentence: it holds no patient data (order_sync.errors)."""
    currency: str = "USD"
    variance_cents: int | None = None
    explained_cents: int | None = None


@dataclass(frozen=True, slots=True)
class _AlarmText:
    outcome: str
    headline: str
    what_happened: str
    steps: tuple[str, ...]


_READ_AGAIN = "Nothing has to be done today if a report follows: it is made again by itself, and then mailed."
_ASK = "If no report has come by tomorrow, tell the data team: they see below what was said."
_NOTHING_LOST = "No order and no payment is lost by this: only the report is missing."

_ALARM_TEXTS: dict[AlarmKind, _AlarmText] = {
    AlarmKind.STORE_UNREADABLE: _AlarmText(
        "the store could not be read",
        "There is no report of {period}: the store could not be read.",
        f"The online store did not give a complete answer, and half of the orders would make a wrong report. {_NOTHING_LOST}",
        (_READ_AGAIN, _ASK),
    ),
    AlarmKind.NEXTECH_UNREADABLE: _AlarmText(
        "Nextech could not be read",
        "There is no report of {period}: Nextech could not be read.",
        f"Nextech did not give a complete answer, and half of the payments would make a wrong report. {_NOTHING_LOST}",
        (_READ_AGAIN, _ASK),
    ),
    AlarmKind.NOT_TIED: _AlarmText(
        "the report does not tie",
        "There is no report of {period}: its figures do not add up.",
        "Both sides were read, but the kinds of difference do not add up to the difference between them."
        " That is a mistake of the report, not of your books, and so it is not sent.",
        (
            "Book and correct nothing by this letter.",
            "Tell the data team today: they have to look at it before the report can be sent.",
        ),
    ),
    AlarmKind.FAILED: _AlarmText(
        "it could not be made",
        "There is no report of {period}: it could not be made.",
        f"Something else than the store or Nextech kept the report from being made. {_NOTHING_LOST}",
        (_READ_AGAIN, _ASK),
    ),
}


def compose_letter(statement: Statement, *, is_repeat: bool = False, links: Links = NO_LINKS) -> Letter:
    """Return the letter of a report, with its workbook and its CSV file.

    `is_repeat` says in subject and text that this report was sent before. Raises `ReconciliationError` when the statement
    does not tie: then `compose_alarm` is what may leave.
    """
    report = contents_of(statement)
    attachments = files_of(report)
    folder = "daily_reconciliation" if statement.period.kind is PeriodKind.DAY else "monthly_reconciliation"
    return _written(
        folder,
        {
            "report": report,
            "statement": statement,
            "currency": statement.currency,
            "period_in_full": period_words(statement.period, with_year=True),
            "last_day": period_words(day_of(statement.period.last_day)),
            "zone": statement.cut_off.astimezone(ZoneInfo(statement.time_zone)).tzname(),
            "is_monthly": statement.period.kind is not PeriodKind.DAY,
            "is_repeat": is_repeat,
            "links": {"report": links.report(statement.report_id)},
            "row_limit": ROWS_OF_THE_TO_DO_LIST,
            "attachment_names": [attachment.name for attachment in attachments],
            "mood": "critical" if report.has_critical else "fine" if report.is_calm else "action",
        },
        attachments,
    )


def files_of(report: Contents) -> tuple[Attachment, ...]:
    """Return the workbook and the CSV file of a report."""
    name = report.statement.report_id
    return (
        Attachment(f"{name}.xlsx", _XLSX, workbook_of(report)),
        Attachment(f"{name}.csv", _CSV, csv_of(report)),
    )


def compose_alarm(alarm: Alarm, *, is_repeat: bool = False, links: Links = NO_LINKS) -> Letter:
    """Return the letter that says which report is missing, why, and what to do."""
    text = _ALARM_TEXTS[alarm.kind]
    period = period_words(alarm.period)
    return _written(
        "alarm",
        {
            "alarm": {
                "practice_name": one_line(alarm.practice_name, longest=LONGEST_NAME),
                "outcome": text.outcome,
                "headline": text.headline.format(period=period),
                "what_happened": text.what_happened,
                "steps": text.steps,
                "sums": _sums(alarm),
                "message": one_line(alarm.message),
            },
            "currency": alarm.currency,
            "period_words": period,
            "period_in_full": period_words(alarm.period, with_year=True),
            "written_at": moment_words(alarm.at, ZoneInfo(alarm.time_zone)),
            "is_repeat": is_repeat,
            "links": {"reports": links.reports},
            "mood": "critical" if alarm.kind is AlarmKind.NOT_TIED else "action",
        },
    )


def _sums(alarm: Alarm) -> tuple[tuple[str, int], ...]:
    """Return what does not add up, where it is known."""
    if alarm.variance_cents is None or alarm.explained_cents is None:
        return ()
    return (
        ("Difference between both sides", alarm.variance_cents),
        ("Explained by the kinds of difference", alarm.explained_cents),
        ("Left over", alarm.variance_cents - alarm.explained_cents),
    )


def _written(folder: str, values: Mapping[str, Any], attachments: tuple[Attachment, ...] = ()) -> Letter:
    subject = one_line(render(f"{folder}/subject.txt", values))
    medium = {
        **values,
        "subject": subject,
        "look": look_inline,
        "sheet": letter_sheet(),
        "class_link": None,
        "item_link": None,
        "item_work": None,
        "more_are": "in the attached workbook",
    }
    return Letter(
        subject=subject,
        text=render(f"{folder}/body.txt", medium).strip() + "\n",
        html=render(f"{folder}/body.html", medium).strip() + "\n",
        attachments=attachments,
    )
