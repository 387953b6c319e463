"""What happens in the morning: both sides are read again, reported, mailed to the sandbox's box, and shown as pages."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from email import policy
from email.message import EmailMessage

from sqlalchemy import select

from order_sync.alarms import alarm_for
from order_sync.deliver import deliver_alarm, deliver_report
from order_sync.desk import Desk
from order_sync.ledger.deliveries import deliveries_of
from order_sync.ledger.differences import cause_of, history_of
from order_sync.ledger.report_models import DifferenceRow, ReportRow
from order_sync.ledger.reports import latest_report, read_statement
from order_sync.ledger.session import Transaction
from order_sync.practices import Practice
from order_sync.reconcile import reconcile_periods
from order_sync.reconciliation.periods import Period, day_of
from order_sync.report_overview import open_classes, unsent_letters
from order_sync.reports.letters import Letter, Links, compose_alarm
from order_sync.reports.pages import Frame, ReportHeader, Step, class_page, line_page, report_page, reports_page
from sandbox.mail import Mail, Mailbox
from tests.canaries.pages import shown_without_patients
from tests.canaries.people import SENTENCE
from tests.canaries.stage import Stage
from tests.worlds import WEDNESDAY_NOON

LINKS = Links("https://airflow.biscayne.example/orders/reports")
FRAME = Frame("/orders/reports")
SENDER = "order-sync@biscayne.example"
ANY_DAY = day_of(WEDNESDAY_NOON.date())
_TOLD = SENTENCE.encode()

SMTP_ERRORS: dict[str, Callable[[], Exception]] = {
    "recipient": lambda: smtplib.SMTPRecipientsRefused({SENTENCE: (550, _TOLD)}),
    "sender": lambda: smtplib.SMTPSenderRefused(451, _TOLD, SENTENCE),
    "data": lambda: smtplib.SMTPDataError(554, _TOLD),
    "login": lambda: smtplib.SMTPAuthenticationError(535, _TOLD),
    "greeting": lambda: smtplib.SMTPConnectError(421, SENTENCE),
    "gone": lambda: smtplib.SMTPServerDisconnected(SENTENCE),
    "other": lambda: smtplib.SMTPNotSupportedError(SENTENCE),
    "reset": lambda: ConnectionResetError(104, SENTENCE),
    "slow": lambda: TimeoutError(SENTENCE),
    "certificate": lambda: ssl.SSLError(1, SENTENCE),
}
"""Every way in which a mail server can refuse a letter, each naming a patient."""


@dataclass
class PostOffice:
    """A mail server that puts every letter into a box, or answers with an error as long as one is set."""

    mailbox: Mailbox
    error: Exception | None = None
    sender: str = SENDER

    def send(self, message: EmailMessage, recipient: str) -> str:
        """Keep a letter as it would go over the wire."""
        if self.error is not None:
            raise self.error
        self.mailbox.keep(self.sender, (recipient,), message.as_bytes(policy=policy.SMTP))
        return "mail.biscayne.example"


def mails(stage: Stage) -> list[Mail]:
    """Return what has arrived."""
    return stage.world.sandbox.mailbox.mails()


def morning(
    stage: Stage, desk: Desk | None = None, *, errors: Iterable[Exception] = (), is_whole_time_enough: bool = False
) -> None:
    """Let it be nine o'clock of the next day; report what is over, mail it, and open every page there is.

    `errors` is what the mail server answers, one after the other, before it takes the letters. Reported are the first day, the
    last one, and the whole time between; where it is not the reports that a scene is about, the whole time alone has every row.
    """
    at = desk or stage.desk()
    today = at.practice.business_day(stage.world.clock.now())
    nine = day_of(today).cut_off(at.practice) + timedelta(hours=9)
    stage.world.clock.advance(minutes=(nine - stage.world.clock.now()).total_seconds() / 60)
    first = at.practice.business_day(WEDNESDAY_NOON)
    days = [] if is_whole_time_enough else [day_of(first), day_of(today)]
    periods = list(dict.fromkeys([*days, Period(first, today)]))
    stage.attempt(lambda: reconcile_periods(at, periods))
    for error in (*errors, None):
        office = PostOffice(stage.world.sandbox.mailbox, error)
        for period in periods:
            stage.attempt(lambda period=period, office=office: _send(stage, at.practice, period, office))
    open_every_page(stage, at.practice)


def _send(stage: Stage, practice: Practice, period: Period, office: PostOffice) -> int:
    """Mail a period's report, or the alarm that says why there is none, as the step of the DAG does."""
    ledger = stage.world.ledger
    with ledger.transaction() as tx:
        row = latest_report(tx, practice.id, period)
        is_made = row is not None and tx.now - row.checked_at < timedelta(hours=1)
        alarm = alarm_for(tx, practice, period)
    if row is not None and is_made:
        return deliver_report(ledger, practice, row.report_id, office, links=LINKS)
    return post(stage, practice, compose_alarm(alarm, links=LINKS), office, period=period)


def post(stage: Stage, practice: Practice, letter: Letter, office: PostOffice, *, period: Period = ANY_DAY) -> int:
    """Mail one letter."""
    return deliver_alarm(stage.world.ledger, practice, period, letter, office)


def open_every_page(stage: Stage, practice: Practice) -> None:
    """Keep the list of the reports, each report, each class and each line with its history, as they are shown."""
    with stage.world.ledger.transaction() as tx:
        rows = list(tx.session.scalars(select(ReportRow).order_by(ReportRow.id)))
        histories = {row.cause: _history(tx, row) for row in tx.session.scalars(select(DifferenceRow))}
        statements = [read_statement(tx, row) for row in rows]
        letters = [
            [Step(one.created_at, _told(one.state, one.last_error)) for one in deliveries_of(tx, row.id)] for row in rows
        ]
        stage.watch.told += [repr(open_classes(tx, practice.id)), repr(unsent_letters(tx, since=WEDNESDAY_NOON))]
    headers = [
        ReportHeader(row.report_id, practice.name, Period(row.first_day, row.last_day), row.version, row.variance_cents)
        for row in rows
    ]
    shown = [reports_page(FRAME, headers)]
    for statement, sent in zip(statements, letters, strict=True):
        shown.append(report_page(FRAME, statement, letters=sent, versions=headers))
        shown += [class_page(FRAME, statement, total.class_) for total in statement.classes]
        shown += [
            line_page(FRAME, statement, line.subject, history=histories.get(cause_of(line), ()))
            for line in (*statement.lines, *statement.still_open)
        ]
    stage.pages |= lines_of([*shown, *shown_without_patients(stage.world)])


def lines_of(pages: Iterable[str]) -> set[str]:
    """Return every different line of these pages: most are the same on all."""
    return {line for page in pages for line in page.splitlines()}


def _history(tx: Transaction, row: DifferenceRow) -> list[Step]:
    return [Step(one.at, _told(one.to_state, one.reason), one.actor) for one in history_of(tx, row.id)]


def _told(state: str, reason: str | None) -> str:
    return f"{state}: {reason}" if reason else str(state)
