"""What the tasks of `reconcile_payments` do: on real HTTP and a real mail server, without a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from order_sync import reconcile
from order_sync.bootstrap import report_steps
from order_sync.bootstrap.runs import Run
from order_sync.errors import LetterNotSentError, SettingsError, SourceUnavailableError
from order_sync.ledger.report_models import DeliveryRow
from order_sync.ledger.reports import last_reports, save_report
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice
from order_sync.reconciliation.periods import day_of, month_of
from sandbox.mail import Mail
from sandbox.server import RunningSandbox
from sandbox.store.faults import Effect, Fault
from tests.desks import demo_practices
from tests.integration.bootstrap.written import PRACTICE, Connections
from tests.integration.reports.samples import a_statement

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("start_run")]
StartRun = Callable[..., None]


@pytest.fixture
def start_run(monkeypatch: pytest.MonkeyPatch, connections: Connections, sandbox: RunningSandbox) -> Iterator[StartRun]:
    """Let the steps believe that they belong to a run; the mail server is the sandbox's, and its box begins empty."""
    connections.write(
        "smtp_default",
        conn_type="smtp",
        host="127.0.0.1",
        port=sandbox.smtp_port,
        extra={"disable_ssl": True, "disable_tls": True, "from_email": "order-sync@biscayne.example", "retry_limit": 0},
    )
    sandbox.world.mailbox.clear()

    asked_at = datetime.now(UTC)

    def start(*, is_cleared: bool = False, **params: object) -> None:
        now, told = datetime.now(UTC), {"period": "", "practice": "", "send": True, **params}
        # Airflow gives a run that has ended a new start when its tasks are cleared.
        run = Run("manual__1", now, is_dry=False, params=told, run_after=asked_at if is_cleared else now)
        monkeypatch.setattr(report_steps, "current_run", lambda: run)

    start()
    yield start
    sandbox.shops[PRACTICE].faults.clear()


def practice() -> Practice:
    return demo_practices()[PRACTICE]


def yesterday() -> str:
    return (practice().business_day(datetime.now(UTC)) - timedelta(days=1)).isoformat()


def mails(sandbox: RunningSandbox) -> list[Mail]:
    return list(reversed(sandbox.world.mailbox.mails()))


def test_a_practice_that_was_never_reported_is_due_for_two_days_and_the_last_month():
    due = report_steps.list_reports()
    assert [one["practice_id"] for one in due] == ["eastern", "central", "arizona"]
    today = practice().business_day(datetime.now(UTC))
    last_month = (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    assert due[0]["periods"] == [(today - timedelta(days=2)).isoformat(), yesterday(), last_month]


def test_what_was_reported_is_not_due_again_and_the_others_are(ledger: Ledger):
    with ledger.transaction() as tx:
        day = datetime.fromisoformat(yesterday()).date()
        today = day + timedelta(days=1)
        for period in (day_of(day), month_of(today.replace(day=1) - timedelta(days=1))):
            save_report(tx, a_statement(period=period))
    assert [one["practice_id"] for one in report_steps.list_reports()] == ["central", "arizona"]


def test_a_period_and_a_practice_can_be_asked_for(start_run: StartRun):
    start_run(period="2026-10", practice="central")
    assert report_steps.list_reports() == [{"practice_id": "central", "periods": ["2026-10"]}]
    start_run(period="2026-10-01/2026-10-07")
    assert [one["periods"] for one in report_steps.list_reports()] == [["2026-10-01_2026-10-07"]] * 3


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"practice": "northern"}, "param practice: there is no practice northern"),
        ({"period": "last week"}, "param period: 'last week' is no period: write a day"),
        ({"period": "2199-01-01"}, "param period: 2199-01-01 is not over yet for practice eastern"),
    ],
)
def test_what_cannot_be_reported_is_one_clear_line(start_run: StartRun, params: dict[str, object], told: str):
    start_run(**params)
    with pytest.raises(SettingsError, match=told):
        report_steps.list_reports()


def test_a_day_is_read_kept_and_mailed_and_a_second_time_says_so(
    start_run: StartRun, ledger: Ledger, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    for _ in range(2):
        start_run(period=yesterday())
        assert report_steps.reconcile_periods(PRACTICE, [yesterday()]) == 1
        assert report_steps.send_letters(PRACTICE, [yesterday()]) == len(practice().reports.recipients)
    first, second = (mail for mail in mails(sandbox) if mail.recipients == (practice().reports.recipients[0],))
    assert "sent again" not in first.subject
    assert "sent again" in second.subject
    assert [file.content for file in first.attachments] == [file.content for file in second.attachments]
    with ledger.transaction() as tx:
        assert [row.report_id for row in last_reports(tx)] == [f"{PRACTICE}-{yesterday()}-v1"]
    assert "reports made: 1 so far" in caplog.text


def test_a_task_that_is_tried_again_mails_nobody_twice(sandbox: RunningSandbox):
    report_steps.reconcile_periods(PRACTICE, [yesterday()])
    report_steps.send_letters(PRACTICE, [yesterday()])
    assert report_steps.send_letters(PRACTICE, [yesterday()]) == 0
    assert len(mails(sandbox)) == len(practice().reports.recipients)


def test_a_report_that_does_not_tie_when_it_is_written_keeps_no_other_letter_back(ledger: Ledger, sandbox: RunningSandbox):
    day = datetime.fromisoformat(yesterday()).date()
    before = day_of(day - timedelta(days=1))
    with ledger.transaction() as tx:
        save_report(tx, replace(a_statement(period=before), store_in_cents=1))
        save_report(tx, a_statement(period=day_of(day)))
    with pytest.raises(LetterNotSentError, match=f"{before.name}-v1 does not tie"):
        report_steps.send_letters(PRACTICE, [before.name, yesterday()])
    names = [{file.name for file in mail.attachments} for mail in mails(sandbox)]
    assert names == [{f"{PRACTICE}-{yesterday()}-v1.xlsx", f"{PRACTICE}-{yesterday()}-v1.csv"}] * len(names)
    assert len(names) == len(practice().reports.recipients)


def test_clearing_the_letters_of_a_run_that_has_ended_sends_the_report_and_no_alarm(
    start_run: StartRun, connections: Connections, sandbox: RunningSandbox
):
    report_steps.reconcile_periods(PRACTICE, [yesterday()])
    connections.write("smtp_default", port=1)
    with pytest.raises(LetterNotSentError):
        report_steps.send_letters(PRACTICE, [yesterday()])
    connections.write("smtp_default", port=sandbox.smtp_port)
    start_run(is_cleared=True)
    assert report_steps.send_letters(PRACTICE, [yesterday()]) == len(practice().reports.recipients)
    assert [len(mail.attachments) for mail in mails(sandbox)] == [2] * len(practice().reports.recipients)
    start_run(is_cleared=True)
    assert report_steps.send_letters(PRACTICE, [yesterday()]) == 0


def test_a_cleared_run_that_fails_now_sends_an_alarm_and_not_what_it_made_before(start_run: StartRun, sandbox: RunningSandbox):
    report_steps.reconcile_periods(PRACTICE, [yesterday()])
    start_run(is_cleared=True)
    sandbox.shops[PRACTICE].faults.add(Fault(effect=Effect.MAINTENANCE), datetime.now(UTC))
    with pytest.raises(SourceUnavailableError):
        report_steps.reconcile_periods(PRACTICE, [yesterday()])
    report_steps.send_letters(PRACTICE, [yesterday()])
    assert [mail.attachments for mail in mails(sandbox)] == [()] * len(practice().reports.recipients)


def test_a_second_try_takes_over_from_a_first_one_that_died(monkeypatch: pytest.MonkeyPatch):
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(reconcile, "settle_refunds", die)
        dying.setattr(reconcile, "drop_claim", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            report_steps.reconcile_periods(PRACTICE, [yesterday()])
    assert report_steps.reconcile_periods(PRACTICE, [yesterday()]) == 1


def test_a_report_may_be_kept_and_not_sent(start_run: StartRun, sandbox: RunningSandbox):
    start_run(send=False)
    report_steps.reconcile_periods(PRACTICE, [yesterday()])
    assert report_steps.send_letters(PRACTICE, [yesterday()]) == 0
    assert mails(sandbox) == []


def test_a_store_that_is_down_makes_an_alarm_and_not_an_old_report(
    start_run: StartRun, ledger: Ledger, sandbox: RunningSandbox
):
    report_steps.reconcile_periods(PRACTICE, [yesterday()])
    start_run(period=yesterday())  # the next run: what the first one made is not this one's
    sandbox.shops[PRACTICE].faults.add(Fault(effect=Effect.MAINTENANCE), datetime.now(UTC))
    with pytest.raises(SourceUnavailableError):
        report_steps.reconcile_periods(PRACTICE, [yesterday()])
    assert report_steps.send_letters(PRACTICE, [yesterday()]) == len(practice().reports.recipients)
    (alarm, *_) = mails(sandbox)
    assert "store" in (alarm.plain or "")
    assert alarm.attachments == ()
    with ledger.transaction() as tx:
        assert tx.session.query(DeliveryRow).filter_by(kind="alarm").count() == len(practice().reports.recipients)


def test_a_mail_server_that_is_away_makes_the_task_red_and_loses_no_report(
    connections: Connections, ledger: Ledger, sandbox: RunningSandbox
):
    report_steps.reconcile_periods(PRACTICE, [yesterday()])
    connections.write("smtp_default", port=1)
    with pytest.raises(LetterNotSentError, match=f"practice {PRACTICE}: report .* did not leave"):
        report_steps.send_letters(PRACTICE, [yesterday()])
    connections.write("smtp_default", port=sandbox.smtp_port)
    assert report_steps.send_letters(PRACTICE, [yesterday()]) == len(practice().reports.recipients)
    with ledger.transaction() as tx:
        assert len(last_reports(tx)) == 1
