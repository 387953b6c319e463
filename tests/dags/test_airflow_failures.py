"""Airflow fails while payments are on their way: whatever it does, ledger and books end as they should."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from order_sync.ledger.models import OrderRow
from tests.dags.payments_under_way import UnderWay, booked_late, never_booked, place_orders, recover, slow, wrongs
from tests.dags.processes import kill_scheduler, posting_task, processes_of, start_scheduler
from tests.dags.running import DAG, Running, WatchedRun, runs, trigger, wait_for
from tests.dags.starting import Setting, start_airflow

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler, pytest.mark.failures, pytest.mark.timeout(1800)]

SOON = {"settle_minutes": 0.05, "absent_reads_apart_minutes": 0.05}
SETTING = Setting(
    schedule='"0 0 1 1-3 *"',  # three days of the past, for a backfill
    posting={
        "arizona": {**SOON, "answer_seconds": 12},
        "central": {**SOON, "concurrent_posts": 1},
        "eastern": {**SOON, "answer_seconds": 45},
    },
    environment={
        "ORDER_SYNC_WAIT_FOR_PRACTICES_SECONDS": "240",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "12",
    },
)
WAIT_SECONDS = 400.0
ARIZONA = 2
"""Its place among the practices."""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """An Airflow that notices in seconds what it notices in minutes in production."""
    with start_airflow(SETTING) as running:
        yield running


@pytest.fixture(scope="module")
def first_run(running: Running) -> WatchedRun:
    """The run that the scheduler makes by itself, at its end."""
    first = wait_for(lambda: running.api.get(DAG).is_success and runs(running.api), "the first run")[0]
    first.wait(WAIT_SECONDS)
    return first


@pytest.fixture(autouse=True)
def _mended(running: Running, first_run: WatchedRun) -> Iterator[None]:
    """Every test begins with nothing under way, and leaves no fault to the next one."""
    assert first_run.state() == "failed"  # the demo has orders for a person
    recover(running)
    yield
    running.sandbox.nextech.faults.clear()


def start_posting(running: Running) -> tuple[WatchedRun, UnderWay]:
    """Start a run, and return when three payments are on their way; a fourth one is answered at once."""
    under_way = place_orders(running, "arizona", [slow(10), never_booked(), booked_late(6)], more=1)
    run = trigger(running.api)
    wait_for(under_way.have_arrived, "the payments on their way")
    return run, under_way


def assert_settled(under_way: UnderWay) -> None:
    """What was booked is Synced, what was not is with a person, and the run in which that was found is red."""
    ended = recover(under_way.running)
    assert wrongs(under_way.running) == []
    assert under_way.statuses() == {"Synced": 3, "Not Synced": 1}
    assert ended[-1] == "failed"
    assert under_way.unanswered() >= 3  # the fourth may have lost its answer, too


def test_a_killed_task_is_tried_again_and_sends_nothing_again(running: Running):
    run, under_way = start_posting(running)
    processes_of(posting_task(run, "arizona")).kill_task()
    assert run.wait(WAIT_SECONDS) == "success"
    assert posting_task_ended(run) == ("success", 2)
    assert_settled(under_way)


def test_a_run_whose_posting_task_is_killed_at_every_try_is_red(running: Running):
    run, under_way = start_posting(running)
    for try_number in (1, 2, 3):
        processes_of(posting_task(run, "arizona", try_number)).kill_task()
    assert run.wait(WAIT_SECONDS) == "failed"
    assert posting_task_ended(run) == ("failed", 3)
    assert_settled(under_way)


def test_a_machine_that_dies_leaves_no_payment_behind(running: Running):
    run, under_way = start_posting(running)
    processes_of(posting_task(run, "arizona")).kill_both()
    assert run.wait(WAIT_SECONDS) == "success"
    assert posting_task_ended(run) == ("success", 2)
    assert_settled(under_way)


def test_a_task_that_is_frozen_and_wakes_beside_its_next_try_sends_nothing_of_the_next_one(running: Running):
    under_way = place_orders(running, "central", [slow(3), slow(6)], more=2)
    run = trigger(running.api)
    wait_for(lambda: under_way.have_arrived(1), "the first payment on its way")
    frozen = processes_of(posting_task(run, "central"))
    frozen.freeze()
    try:
        expire_claims(running)
        posting_task(run, "central", try_number=2)
        wait_for(under_way.have_arrived, "the second payment, sent by the next try")
    finally:
        frozen.thaw()
    assert run.wait(WAIT_SECONDS) == "success"
    wait_for(frozen.have_ended, "the end of the task that woke")
    assert wrongs(running) == []
    recover(running)
    assert wrongs(running) == []
    assert under_way.statuses() == {"Synced": 4}


def test_a_scheduler_that_is_killed_and_comes_back_finds_the_payments_posted(running: Running):
    run, under_way = start_posting(running)
    kill_scheduler(running, with_tasks=False)
    start_scheduler(running)
    assert run.wait(WAIT_SECONDS) == "success"
    assert under_way.statuses()["Synced"] >= 2
    recover(running)
    assert wrongs(running) == []
    assert under_way.statuses() == {"Synced": 3, "Not Synced": 1}


def test_a_scheduler_that_is_killed_with_all_its_tasks_finishes_what_they_began(running: Running):
    run, under_way = start_posting(running)
    kill_scheduler(running, with_tasks=True)
    start_scheduler(running)
    assert run.wait(WAIT_SECONDS) == "success"
    assert_settled(under_way)


def test_a_task_that_outlives_its_scheduler_is_started_again_beside_itself_and_posts_once(running: Running):
    under_way = place_orders(running, "eastern", [slow(40)], more=2)
    run = trigger(running.api)
    wait_for(under_way.have_arrived, "the payment on its way")
    orphan = processes_of(posting_task(run, "eastern"))
    kill_scheduler(running, with_tasks=False)
    start_scheduler(running)
    posting_task(run, "eastern", try_number=2)
    assert run.wait(WAIT_SECONDS) == "success"
    wait_for(orphan.have_ended, "the end of the orphan")
    recover(running)
    assert wrongs(running) == []
    assert under_way.statuses() == {"Synced": 3}


def test_a_posting_task_that_is_cleared_while_it_posts_sends_nothing_again(running: Running):
    run, under_way = start_posting(running)
    assert run.clear(posting_task(run, "arizona")) != []
    assert run.wait(WAIT_SECONDS) == "success"
    assert_settled(under_way)


@pytest.mark.parametrize(("said", "run_ends"), [("failed", "failed"), ("success", "success")])
def test_what_a_person_says_of_a_task_that_posts_changes_nothing_about_the_payments(running: Running, said: str, run_ends: str):
    run, under_way = start_posting(running)
    run.mark(posting_task(run, "arizona"), said)
    assert run.wait(WAIT_SECONDS) == run_ends
    assert posting_task_ended(run) == (said, 1)
    assert_settled(under_way)


def test_a_backfill_a_run_by_hand_and_one_after_a_resolution_post_the_same_orders_once(running: Running):
    before = {run.run_id for run in runs(running.api)}
    western = place_orders(running, "arizona", [slow(4) for _ in range(6)], more=2)
    central = place_orders(running, "central", [slow(2) for _ in range(3)])
    start_runs_of_all_kinds(running)
    found = wait_for(lambda: new_runs(running, before, 4), "a run of every kind", WAIT_SECONDS)
    assert sorted(run.run_id.partition("__")[0] for run in found) == ["asset_triggered", "backfill", "backfill", "manual"]
    assert {run.wait(WAIT_SECONDS) for run in found} == {"success"}
    assert max(began for began, _ in spans(found)) < min(ended for _, ended in spans(found))  # all of them at once
    assert wrongs(running) == []
    assert (western.statuses(), central.statuses()) == ({"Synced": 8}, {"Synced": 3})


def start_runs_of_all_kinds(running: Running) -> None:
    """Start a backfill of two days, a run by hand, and one as after a person has resolved an order."""
    days = {"from_date": "2026-01-01T00:00:00Z", "to_date": "2026-02-02T00:00:00Z"}
    running.api.post("/backfills", json={"dag_id": "sync_orders", "max_active_runs": 4, **days}).raise_for_status()
    (asset,) = running.api.get("/assets").raise_for_status().json()["assets"]
    running.api.post("/assets/events", json={"asset_id": asset["id"]}).raise_for_status()
    trigger(running.api)


def new_runs(running: Running, before: set[str], count: int) -> list[WatchedRun]:
    """Return the runs that were not there before, once there are so many."""
    found = [run for run in runs(running.api) if run.run_id not in before]
    return found if len(found) >= count else []


def spans(found: list[WatchedRun]) -> list[tuple[datetime, datetime]]:
    """Return when each of these runs began, and when it ended."""
    rows = [run.api.get(run.path).raise_for_status().json() for run in found]
    return [(datetime.fromisoformat(row["start_date"]), datetime.fromisoformat(row["end_date"])) for row in rows]


def posting_task_ended(run: WatchedRun) -> tuple[str | None, int]:
    """Return how Arizona's posting task ended, and at which try; one that is killed early enough has no label."""
    task = run.tasks("sync_practice.post_payments")[ARIZONA]
    return task.state, task.try_number


def expire_claims(running: Running) -> None:
    """Let the claims of a process that stands still run out, as they do after five minutes."""
    with running.ledger.transaction() as tx:
        passed = tx.now - timedelta(seconds=1)
        tx.session.execute(update(OrderRow).where(OrderRow.claimed_until.is_not(None)).values(claimed_until=passed))
