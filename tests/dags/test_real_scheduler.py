"""`sync_orders` on a real scheduler, against the whole sandbox: what the data team sees, and what was really booked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, select

from order_sync.ledger.cases import open_cases
from order_sync.ledger.models import CaseRow, CaseState, OrderRow
from sandbox.nextech.staff import act_as_staff
from sandbox.store.faults import Effect, Fault
from tests.canaries.scanner import Scanner
from tests.dags.payments_under_way import place_orders, recover, slow, wrongs
from tests.dags.processes import posting_task, processes_of
from tests.dags.running import Running, TaskOfRun, WatchedRun, runs, trigger, wait_for
from tests.endings import bookings, endings, expected_bookings, posted_by_us, unexpected_endings

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler, pytest.mark.timeout(900)]

STEPS = ("extract_orders", "match_patients", "post_payments", "mark_status")
PRACTICES = ("eastern", "central", "arizona")


@pytest.fixture(autouse=True)
def _mended(running: Running) -> Iterator[None]:
    """No test leaves a fault to the next one."""
    yield
    running.sandbox.nextech.faults.clear()
    for shop in running.sandbox.shops.values():
        shop.faults.clear()


def is_booked(running: Running, practice_id: str, number: str) -> bool:
    ended = endings(running.sandbox, running.ledger).get((practice_id, number))
    return ended is not None and len(ended.booked_cents) == 1


def order_task(run: WatchedRun, number: str) -> TaskOfRun | None:
    return next((task for task in run.tasks("sync_order") if (task.label or "").startswith(f"{number}: ")), None)


def is_red(run: WatchedRun, number: str) -> bool:
    task = order_task(run, number)
    return task is not None and task.state == "failed"


def practice_cases(running: Running, practice_id: str) -> list[str]:
    with running.ledger.transaction() as tx:
        return [case.reason for case in open_cases(tx, practice_id) if case.order_id is None]


def test_the_first_run_does_with_the_demo_what_the_readme_says(running: Running, first_run: WatchedRun):
    assert len(running.sandbox.world.situations) > 40
    assert unexpected_endings(running.sandbox, running.ledger) == {}
    assert bookings(running.sandbox) == expected_bookings(running.sandbox)
    assert {task.state for task in first_run.tasks() if task.task_id.startswith("sync_practice")} == {"success"}


def test_every_order_that_became_not_synced_has_one_red_task_with_its_number_and_reason(
    first_run: WatchedRun, running: Running
):
    expected = [
        number for one in running.sandbox.world.situations for number in one.order_numbers if one.status == "Not Synced"
    ]
    tasks = first_run.tasks("sync_order")
    assert len(expected) > 10
    assert {task.state for task in tasks} == {"failed"}
    assert sorted((task.label or "").split(":")[0] for task in tasks) == sorted(expected)
    assert all(re.fullmatch(r"[0-9-]+: [A-Z].+", task.label or "") for task in tasks)
    assert first_run.state() == "failed"


def test_every_task_of_a_practice_is_labelled_with_it(first_run: WatchedRun):
    for step in STEPS:
        assert tuple(task.label for task in first_run.tasks(f"sync_practice.{step}")) == PRACTICES


def test_one_order_that_is_cleared_runs_again_alone(running: Running, first_run: WatchedRun):
    situation = next(one for one in running.sandbox.world.situations if one.name == "duplicated-customer")
    (number,) = situation.order_numbers
    task = order_task(first_run, number)
    assert task is not None
    before = {row.map_index: row.try_number for row in first_run.tasks("sync_order")}
    with running.ledger.transaction() as tx:
        case = tx.session.scalars(select(CaseRow).where(CaseRow.order_number == number).order_by(CaseRow.id.desc())).first()
    assert case is not None
    assert case.state is CaseState.OPEN
    assert case.candidate_ids
    chart, again = case.candidate_ids
    act_as_staff(running.sandbox.nextech, "merge", {"practice": "eastern", "patient_id": again, "into": chart})
    assert first_run.clear(task) == [("sync_order", task.map_index)]
    wait_for(lambda: first_run.tasks("sync_order")[task.map_index].state == "success", "the order's task")
    first_run.wait()
    assert {row.map_index: row.try_number for row in first_run.tasks("sync_order")} == {**before, task.map_index: 2}
    ended = endings(running.sandbox, running.ledger)["eastern", number]
    assert (ended.status, ended.patient_id, len(ended.booked_cents)) == ("Synced", chart, 1)
    with running.ledger.transaction() as tx:
        assert number not in {row.order_number for row in open_cases(tx)}


@pytest.mark.usefixtures("first_run")
def test_a_person_who_resolves_an_order_starts_a_run_at_once_and_it_posts_nothing_twice(running: Running):
    books = posted_by_us(running.sandbox)
    before = {run.run_id for run in runs(running.api)}
    asset = running.api.get("/assets").raise_for_status().json()["assets"][0]
    assert asset["name"] == "order_resolved"
    running.api.post("/assets/events", json={"asset_id": asset["id"]}).raise_for_status()
    new = wait_for(lambda: [run for run in runs(running.api) if run.run_id not in before], "a run", timeout_seconds=60)
    assert [run.run_id.partition("__")[0] for run in new] == ["asset_triggered"]
    assert new[0].wait() == "success"
    assert posted_by_us(running.sandbox) == books
    assert {task.state for task in new[0].tasks("sync_order")} == {"skipped"}


@pytest.mark.usefixtures("first_run")
def test_a_person_who_presses_send_sees_the_order_synced_by_a_run_of_its_own(running: Running):
    situation = next(one for one in running.sandbox.world.situations if one.name == "birth-date-differs")
    (number,) = situation.order_numbers
    with running.ledger.transaction() as tx:
        order_id = tx.session.scalars(select(OrderRow.id).where(OrderRow.number == number)).one()
    before = {run.run_id for run in runs(running.api)}
    with running.pages() as pages:
        told = pages.get(f"/orders/{order_id}/resolve").raise_for_status().text
        fields = {name: re.findall(rf'name="{name}"[^>]* value="([^"]+)"', told)[-1] for name in ("form_token", "version")}
        chart = re.findall(r'name="patient"[^>]* value="([0-9a-f-]{36})"', told)[0]
        assert pages.post(f"/orders/{order_id}/send", data={**fields, "patient": chart}).status_code == 303
        new = wait_for(lambda: [run for run in runs(running.api) if run.run_id not in before], "a run", timeout_seconds=20)
        assert [run.run_id.partition("__")[0] for run in new] == ["asset_triggered"]
        new[0].wait()
        assert [(task.task_id, task.label, new[0].log(task)[-800:]) for task in new[0].tasks() if task.state == "failed"] == []
        ended = endings(running.sandbox, running.ledger)["eastern", number]
        assert (ended.status, ended.patient_id, len(ended.booked_cents)) == ("Synced", chart, 1)
        order = pages.get(f"/orders/{order_id}").raise_for_status().text
    link = re.search(rf'href="/dags/sync_orders/runs/({quote(new[0].run_id, safe="")})/tasks/([a-z_.]+)/mapped/(\d+)"', order)
    assert link is not None, "the run that posted it is a click away"
    assert running.api.get(f"{new[0].path}/taskInstances/{link[2]}/{link[3]}").json()["rendered_map_index"] == "eastern"
    event = running.api.get("/assets/events", params={"order_by": "-timestamp"}).json()["asset_events"][0]
    assert event["extra"] == {"resolved_by": "admin"}


@pytest.mark.usefixtures("first_run")
def test_a_dry_run_says_what_would_be_posted_and_writes_nothing(running: Running):
    number = running.place("arizona", "everyday")
    books, ledger = posted_by_us(running.sandbox), endings(running.sandbox, running.ledger)
    run = trigger(running.api, {"dry_run": True})
    assert run.wait() == "success"
    assert posted_by_us(running.sandbox) == books
    assert endings(running.sandbox, running.ledger) == ledger
    reader = run.task("sync_practice.extract_orders", "arizona")
    assert reader is not None
    assert re.search(
        rf"dry run: practice arizona: order {number}: \$[0-9.]+ to patient [0-9a-f-]{{36}}: match of", run.log(reader)
    )


@pytest.mark.usefixtures("first_run")
def test_a_store_that_hangs_holds_up_nobody_else(running: Running):
    # Three requests, and the task's next try: longer than the fan-out waits, which is two minutes, as in production.
    running.spoil_store("eastern", Fault(effect=Effect.HANG, seconds=30))
    good, bad = running.place("central", "everyday"), running.place("central", "missing-birth-date")
    run = trigger(running.api)
    wait_for(lambda: is_booked(running, "central", good), "the posting beside a store that hangs")
    hanging = run.task("sync_practice.extract_orders", "eastern")
    assert hanging is not None  # it has its label while it hangs
    assert hanging.state == "running"
    wait_for(lambda: is_red(run, bad), "the failed order's own red task")
    assert run.state() == "running"
    later = running.place("central", "everyday")
    next_run = trigger(running.api)
    wait_for(lambda: is_booked(running, "central", later), "the posting by the next run")
    wait_for(lambda: practice_cases(running, "eastern") == ["store_unavailable"], "the row of the queue")
    running.sandbox.shops["eastern"].faults.clear()
    assert (run.wait(), next_run.wait()) == ("failed", "success")
    assert practice_cases(running, "eastern") == []


@pytest.mark.usefixtures("first_run")
def test_a_wrong_practices_file_is_one_red_line_that_names_file_practice_and_field(running: Running):
    right = running.practices_file.read_text(encoding="utf-8")
    running.practices_file.write_text(right.replace("time_zone: America/Chicago", "time_zone: Chicago"), encoding="utf-8")
    try:
        run = trigger(running.api)
        assert run.wait() == "failed"
    finally:
        running.practices_file.write_text(right, encoding="utf-8")
    (task,) = run.tasks("list_practices")
    assert (task.state, task.try_number) == ("failed", 1)
    assert "practices.yaml: practice central, field time_zone: " in run.log(task)


@pytest.mark.usefixtures("first_run")
def test_a_machine_that_dies_and_a_task_that_is_cleared_while_payments_are_on_their_way_send_them_once(running: Running):
    dies, cleared = place_orders(running, "arizona", [slow(20)]), place_orders(running, "central", [slow(20)])
    run = trigger(running.api)
    wait_for(lambda: dies.have_arrived() and cleared.have_arrived(), "the payments on their way")
    assert run.clear(posting_task(run, "central")) != []
    processes_of(posting_task(run, "arizona")).kill_both()
    assert dies.statuses() == cleared.statuses() == {"Waiting for Sync": 1}
    run.wait()
    again = [run.tasks("sync_practice.post_payments")[PRACTICES.index(practice)] for practice in ("arizona", "central")]
    assert [(task.state, task.try_number) for task in again] == [("success", 2), ("success", 2)]
    recover(running)
    assert dies.statuses() == cleared.statuses() == {"Synced": 1}
    assert dies.unanswered() == cleared.unanswered() == 1
    assert wrongs(running) == []


def test_neither_database_nor_a_log_keeps_patient_data_of_all_these_runs(running: Running, first_run: WatchedRun):
    secrets = personal_data(running)
    assert len(secrets) > 100
    scanner = Scanner(secrets)
    logs = running.airflow.plan.logs
    told = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs.rglob("*.log"))
    assert "Duplicated customer" in told
    assert first_run.run_id in told
    hits = scanner.in_text("\n".join(sorted(set(told.splitlines()))), "logs")
    for url in (running.airflow.database.urls.airflow, running.airflow.order_sync_url):
        engine = create_engine(url)
        hits += scanner.in_database(engine)
        engine.dispose()
    assert scanner.looked_at > 200_000
    assert hits == []


def personal_data(running: Running) -> set[str]:
    """Last names, addresses, phones and birth dates of everybody in Nextech and in the stores."""
    found: set[str | None] = set()
    for patient in running.sandbox.world.demo.patients:
        found |= {patient.last, patient.email, patient.mobile, patient.birth_date}
    for shop in running.sandbox.shops.values():
        for order in shop.orders.values():
            found |= {order.row.get("customer_email"), order.billing.get("lastname"), order.billing.get("telephone")}
    return {text.casefold() for text in found if text and len(text) > 4}
