"""Letters on their way: accepted, refused, sent again; and what the ledger and the queue say of each."""

from __future__ import annotations

import smtplib
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from order_sync.deliver import deliver_alarm, deliver_report
from order_sync.errors import LetterNotSentError
from order_sync.ledger.cases import open_cases
from order_sync.ledger.report_models import DeliveryRow, DeliveryState, LetterKind
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice, ReportSettings
from order_sync.reconciliation.periods import day_of
from order_sync.reports.letters import Letter
from tests.integration.reports.samples import kept_report
from tests.unit.situations import a_practice

BOOKS, OWNER = "books@biscayne.example", "owner@biscayne.example"


class FakeMailer:
    """A mail server in memory that refuses whom it is told to."""

    sender = "order-sync@biscayne.example"

    def __init__(self) -> None:
        self.sent: list[tuple[str, EmailMessage]] = []
        self.refused: dict[str, Exception] = {}

    def send(self, message: EmailMessage, recipient: str) -> str:
        if recipient in self.refused:
            raise self.refused[recipient]
        self.sent.append((recipient, message))
        return "mail.biscayne.example"


def practice_with(*recipients: str) -> Practice:
    return a_practice(reports=ReportSettings(recipients=recipients))


def deliveries(ledger: Ledger) -> list[tuple[str, DeliveryState, str | None, bool]]:
    with ledger.transaction() as tx:
        rows = tx.session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))
        return [(row.recipient, row.state, row.accepted_by or row.last_error, row.is_repeat) for row in rows]


def queue(ledger: Ledger) -> list[str]:
    with ledger.transaction() as tx:
        return [case.sentence for case in open_cases(tx)]


def files_of(message: EmailMessage) -> dict[str | None, bytes]:
    return {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}  # type: ignore[misc]


def test_everybody_whom_the_practice_names_gets_the_report_with_its_files(ledger: Ledger):
    mailer = FakeMailer()
    assert deliver_report(ledger, practice_with(BOOKS, OWNER), kept_report(ledger), mailer) == 2
    assert [recipient for recipient, _ in mailer.sent] == [BOOKS, OWNER]
    message = mailer.sent[0][1]
    assert message["From"] == mailer.sender
    assert set(files_of(message)) == {"eastern-2026-11-02-v1.xlsx", "eastern-2026-11-02-v1.csv"}
    assert message.get_body(("plain",)) is not None
    assert message.get_body(("html",)) is not None
    assert message["Auto-Submitted"] == "auto-generated"
    assert deliveries(ledger) == [
        (BOOKS, DeliveryState.ACCEPTED, "mail.biscayne.example", False),
        (OWNER, DeliveryState.ACCEPTED, "mail.biscayne.example", False),
    ]
    assert queue(ledger) == []


def test_sending_again_says_that_it_is_the_same_report_and_it_is_to_the_byte(ledger: Ledger):
    mailer, report_id = FakeMailer(), kept_report(ledger)
    for _ in range(2):
        deliver_report(ledger, practice_with(BOOKS), report_id, mailer)
    (_, first), (_, second) = mailer.sent
    assert "sent again" not in first["Subject"]
    assert "sent again" in second["Subject"]
    assert files_of(first) == files_of(second)
    assert [is_repeat for *_, is_repeat in deliveries(ledger)] == [False, True]


def test_a_letter_that_was_refused_is_a_case_until_one_leaves(ledger: Ledger):
    mailer, report_id, practice = FakeMailer(), kept_report(ledger), practice_with(BOOKS, OWNER)
    mailer.refused[OWNER] = smtplib.SMTPRecipientsRefused({OWNER: (550, b"no such user")})
    with pytest.raises(
        LetterNotSentError, match=r"practice eastern: report eastern-2026-11-02-v1: 1 of 2 letters did not leave"
    ):
        deliver_report(ledger, practice, report_id, mailer)
    assert deliveries(ledger)[1] == (OWNER, DeliveryState.FAILED, "the mail server refuses the address", False)
    assert queue(ledger) == ["A letter did not leave: report eastern-2026-11-02-v1: 1 of 2 letters"]
    mailer.refused.clear()
    deliver_report(ledger, practice, report_id, mailer)
    assert queue(ledger) == []
    assert deliveries(ledger)[3] == (OWNER, DeliveryState.ACCEPTED, "mail.biscayne.example", False)


def test_a_letter_that_did_not_leave_stays_a_case_although_another_days_letter_left(ledger: Ledger):
    mailer, practice = FakeMailer(), practice_with(BOOKS)
    first, second = kept_report(ledger), kept_report(ledger, period=day_of(date(2026, 11, 3)))
    mailer.refused[BOOKS] = smtplib.SMTPDataError(552, b"too large")
    with pytest.raises(LetterNotSentError):
        deliver_report(ledger, practice, first, mailer)
    mailer.refused.clear()
    deliver_report(ledger, practice, second, mailer)
    assert queue(ledger) == ["A letter did not leave: report eastern-2026-11-02-v1: 1 of 1 letters"]
    deliver_report(ledger, practice, first, mailer)
    assert queue(ledger) == []


def test_the_next_try_of_a_task_reaches_those_alone_whom_the_first_did_not(ledger: Ledger):
    mailer, report_id, practice = FakeMailer(), kept_report(ledger), practice_with(BOOKS, OWNER)
    with ledger.transaction() as tx:
        begun_at = tx.now - timedelta(seconds=1)
    mailer.refused[OWNER] = OSError("away")
    with pytest.raises(LetterNotSentError):
        deliver_report(ledger, practice, report_id, mailer, not_again_since=begun_at)
    mailer.refused.clear()
    assert deliver_report(ledger, practice, report_id, mailer, not_again_since=begun_at) == 1
    assert [recipient for recipient, _ in mailer.sent] == [BOOKS, OWNER]
    assert "sent again" not in mailer.sent[1][1]["Subject"]


def test_a_letter_whose_process_died_on_the_way_is_sent_again_as_such(ledger: Ledger):
    class DyingMailer(FakeMailer):
        def send(self, message: EmailMessage, recipient: str) -> str:
            super().send(message, recipient)
            raise KeyboardInterrupt

    mailer, report_id = DyingMailer(), kept_report(ledger)
    with pytest.raises(KeyboardInterrupt):
        deliver_report(ledger, practice_with(BOOKS), report_id, mailer)
    assert deliveries(ledger) == [(BOOKS, DeliveryState.PENDING, None, False)]
    second = FakeMailer()
    deliver_report(ledger, practice_with(BOOKS), report_id, second)
    assert "sent again" in second.sent[0][1]["Subject"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (smtplib.SMTPDataError(554, b"Rejected: Pat Doe <pat@doe.example>"), "the mail server answers 554"),
        (smtplib.SMTPServerDisconnected("gone"), "the mail server does not take it (SMTPServerDisconnected)"),
        (TimeoutError("slow"), "the mail server cannot be reached (TimeoutError)"),
    ],
)
def test_what_the_mail_server_says_is_never_repeated(ledger: Ledger, error: Exception, told: str):
    mailer = FakeMailer()
    mailer.refused[BOOKS] = error
    with pytest.raises(LetterNotSentError) as raised:
        deliver_report(ledger, practice_with(BOOKS), kept_report(ledger), mailer)
    assert deliveries(ledger)[0][2] == told
    assert "Doe" not in f"{raised.value} {queue(ledger)}"


def test_a_practice_that_names_nobody_is_mailed_nothing_and_that_is_no_failure(ledger: Ledger):
    mailer = FakeMailer()
    assert deliver_report(ledger, practice_with(), kept_report(ledger), mailer) == 0
    assert mailer.sent == []


def test_a_report_that_does_not_exist_is_not_sent(ledger: Ledger):
    with pytest.raises(LetterNotSentError, match="there is no report eastern-1999-01-01-v1"):
        deliver_report(ledger, practice_with(BOOKS), "eastern-1999-01-01-v1", FakeMailer())


def test_an_alarm_is_written_down_like_a_letter(ledger: Ledger):
    mailer = FakeMailer()
    alarm = Letter("No report for eastern", "The store cannot be read.", "<p>The store cannot be read.</p>")
    assert deliver_alarm(ledger, practice_with(BOOKS), day_of(date(2026, 11, 2)), alarm, mailer) == 1
    with ledger.transaction() as tx:
        (row,) = tx.session.scalars(select(DeliveryRow))
        assert (row.kind, row.report_id, row.state) == (LetterKind.ALARM, None, DeliveryState.ACCEPTED)
    assert mailer.sent[0][1]["Subject"] == "No report for eastern"
