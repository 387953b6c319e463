"""`reconcile_payments` on a real scheduler: read on real HTTP, kept, mailed; red with an alarm when a side is down."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from order_sync.ledger.reports import last_reports
from sandbox.mail import Mail
from sandbox.store.faults import Effect, Fault
from tests.dags.running import REPORTS, Running, WatchedRun, trigger, wait_for
from tests.desks import demo_practices

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler, pytest.mark.timeout(900)]

PRACTICES = ("eastern", "central", "arizona")


def mails_to(running: Running, practice_id: str) -> list[Mail]:
    wanted = set(demo_practices()[practice_id].reports.recipients)
    return [mail for mail in running.sandbox.world.mailbox.mails() if wanted & set(mail.recipients)]


@pytest.mark.usefixtures("first_run")
def test_the_first_reports_of_every_practice_are_kept_and_mailed(running: Running):
    wait_for(lambda: running.api.get(REPORTS).is_success, "the DAG of the reports in the pages")
    run = trigger(running.api, dag=REPORTS)
    assert run.wait() == "success"
    labels = {task.label for task in run.tasks("report_practice.reconcile_periods")}
    assert {(label or "").partition(":")[0] for label in labels} == set(PRACTICES)
    with running.ledger.transaction() as tx:
        kept = [row.report_id for row in last_reports(tx)]
    assert len(kept) == 3 * len(PRACTICES)
    for practice_id in PRACTICES:
        mails = mails_to(running, practice_id)
        assert len(mails) == 3 * len(demo_practices()[practice_id].reports.recipients)
        assert all(len(mail.attachments) == 2 and mail.plain and mail.html for mail in mails)


def test_the_link_of_a_letter_opens_the_report(running: Running):
    link = re.search(r'href="(http[^"]+/orders-app/reports/[^"]+)"', mails_to(running, "eastern")[0].html or "")
    assert link is not None
    with running.pages() as pages:
        page = pages.get(link[1])
    assert page.status_code == 200
    assert demo_practices()["eastern"].name in page.text


@pytest.mark.usefixtures("first_run")
def test_a_store_that_is_down_gets_an_alarm_and_the_others_their_report(running: Running):
    now = datetime.now(UTC)
    running.sandbox.shops["central"].faults.add(Fault(effect=Effect.MAINTENANCE), now)
    running.sandbox.world.mailbox.clear()
    day = (now - timedelta(days=4)).date().isoformat()
    run: WatchedRun = trigger(running.api, {"period": day}, dag=REPORTS)
    try:
        assert run.wait() == "failed"
    finally:
        running.sandbox.shops["central"].faults.clear()
    states = {(task.label or "").partition(":")[0]: task.state for task in run.tasks("report_practice.reconcile_periods")}
    assert states == {"eastern": "success", "central": "failed", "arizona": "success"}
    (alarm,) = mails_to(running, "central")
    assert alarm.attachments == ()
    assert "store" in (alarm.plain or "")
    assert [len(mail.attachments) for practice_id in ("eastern", "arizona") for mail in mails_to(running, practice_id)] == [
        2,
        2,
    ]
