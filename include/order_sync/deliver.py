"""Deliver: hand a letter to the mail server, and keep what it said (reliability K21, K22)."""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Protocol

from order_sync.alarms import report_cause
from order_sync.errors import LetterNotSentError
from order_sync.ledger.cases import close_case, open_case
from order_sync.ledger.deliveries import begin_delivery, finish_delivery, has_left, was_accepted_since
from order_sync.ledger.report_models import LetterKind
from order_sync.ledger.reports import find_report, read_statement
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice
from order_sync.reasons import Reason
from order_sync.reconciliation.periods import Period
from order_sync.reports.letters import NO_LINKS, Letter, Links, compose_letter

logger = logging.getLogger(__name__)

_US = "reconciliation"


class Mailer(Protocol):
    """A mail server that we are logged in to."""

    @property
    def sender(self) -> str:
        """Return the address that the letters come from."""
        ...

    def send(self, message: EmailMessage, recipient: str) -> str:
        """Hand a message over; return the name of the server that took it.

        Raises `smtplib.SMTPException` or `OSError` when it did not.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What a letter is written down as before it leaves."""

    kind: LetterKind
    report_key: int | None = None
    is_repeat: bool = False


def deliver_report(
    ledger: Ledger,
    practice: Practice,
    report_id: str,
    mailer: Mailer,
    *,
    links: Links = NO_LINKS,
    not_again_since: datetime | None = None,
) -> int:
    """Mail a report to everybody whom the practice names; return how many letters were accepted.

    An address that has, or may have, had this very report gets it with "sent again" in the subject: it is the same, to the
    byte. An address that accepted it after `not_again_since` is left out, so that a task's next try reaches those alone
    whom the first one did not. Raises `LetterNotSentError` when some letter did not leave; the practice has a case then.
    """
    with ledger.transaction() as tx:
        row = find_report(tx, report_id)
        if row is None:
            msg = f"practice {practice.id}: there is no report {report_id}"
            raise LetterNotSentError(msg)
        statement = read_statement(tx, row)
        waiting = [
            (recipient, has_left(tx, row.id, recipient))
            for recipient in practice.reports.recipients
            if not_again_since is None or not was_accepted_since(tx, row.id, recipient, not_again_since)
        ]
    if not practice.reports.recipients:
        logger.warning("practice %s: report %s is mailed to nobody: reports.recipients is empty", practice.id, report_id)
    letters = {
        is_repeat: compose_letter(statement, is_repeat=is_repeat, links=links) for is_repeat in {again for _, again in waiting}
    }
    failed = [
        recipient
        for recipient, again in waiting
        if not _send(ledger, practice, recipient, letters[again], mailer, _Envelope(LetterKind.REPORT, row.id, again))
    ]
    _tell_the_queue(ledger, practice, statement.period, f"report {report_id}", failed)
    return len(waiting) - len(failed)


def deliver_alarm(ledger: Ledger, practice: Practice, period: Period, letter: Letter, mailer: Mailer) -> int:
    """Mail the alarm that a period has no report to everybody whom the practice names; return how many were accepted.

    Raises `LetterNotSentError` as `deliver_report` does.
    """
    envelope = _Envelope(LetterKind.ALARM)
    failed = [
        recipient
        for recipient in practice.reports.recipients
        if not _send(ledger, practice, recipient, letter, mailer, envelope)
    ]
    _tell_the_queue(ledger, practice, period, f"alarm for {period.name}", failed)
    return len(practice.reports.recipients) - len(failed)


def compose_message(letter: Letter, *, sender: str, recipient: str, message_id: str, at: datetime) -> EmailMessage:
    """Return the letter as a mail: plain text, HTML beside it, and its files; lines that break no header."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"], message["To"] = sender, recipient
    message["Date"], message["Message-ID"] = format_datetime(at), message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    for file in letter.attachments:
        media_type, *parameters = (part.strip() for part in file.media_type.split(";"))
        main, _, sub = media_type.partition("/")
        described = dict(parameter.split("=", 1) for parameter in parameters)
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name, params=described)
    return message


def _send(  # noqa: PLR0917
    ledger: Ledger, practice: Practice, recipient: str, letter: Letter, mailer: Mailer, envelope: _Envelope
) -> bool:
    message_id = make_msgid(domain="order-sync.invalid")
    with ledger.transaction() as tx:
        delivery = begin_delivery(
            tx,
            practice_id=practice.id,
            recipient=recipient,
            message_id=message_id,
            kind=envelope.kind,
            report_id=envelope.report_key,
            is_repeat=envelope.is_repeat,
        )
        at = tx.now
    message = compose_message(letter, sender=mailer.sender, recipient=recipient, message_id=message_id, at=at)
    accepted_by, failure = None, None
    try:
        accepted_by = mailer.send(message, recipient)
    except (smtplib.SMTPException, OSError) as error:
        failure = _describe(error)
        logger.warning("practice %s: a letter did not leave: %s", practice.id, failure)
    with ledger.transaction() as tx:
        finish_delivery(tx, delivery.id, accepted_by=accepted_by, error=failure)
    return accepted_by is not None


def _describe(error: Exception) -> str:
    """Say what a mail server answered, without its text, which repeats addresses."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return "the mail server refuses the address"
        case smtplib.SMTPResponseException(smtp_code=code):
            return f"the mail server answers {code}"
        case smtplib.SMTPException():
            return f"the mail server does not take it ({type(error).__name__})"
        case _:
            return f"the mail server cannot be reached ({type(error).__name__})"


def _tell_the_queue(ledger: Ledger, practice: Practice, period: Period, what: str, failed: list[str]) -> None:
    """Open, or close, the case that the letters of a period do not leave; raise when one did not.

    A case for each period: that the next morning's letter leaves does not say that this one has.
    """
    cause = report_cause(practice.id, Reason.REPORT_NOT_SENT, period)
    with ledger.transaction() as tx:
        if not failed:
            close_case(tx, cause, by=_US, resolution=f"{what} has left")
            return
        detail = f"{what}: {len(failed)} of {len(practice.reports.recipients)} letters"
        open_case(tx, practice_id=practice.id, cause=cause, reason=Reason.REPORT_NOT_SENT, detail=detail)
    msg = f"practice {practice.id}: {detail} did not leave; check the connection smtp_default, then clear this task"
    raise LetterNotSentError(msg)
