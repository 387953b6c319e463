"""The same burst through a whole Airflow: let the DAG run, watch what is booked, ask Airflow how long each task took."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench.burst_figures import Burst, StepFigures
from bench.burst_sandbox import PRACTICE, BurstSandbox
from launch.plan import LaunchPlan
from launch.topology import RunningAirflow
from order_sync.resources import PRACTICES_FILE

_DAG = "/dags/sync_orders"
_POLL_SECONDS = 1.0
_PARSE_SECONDS = 120.0
_RUN_SECONDS = 900.0
_SECONDS_AN_ORDER = 0.15
"""A generous guess of what a run takes, so that no second one begins in the middle of it."""


def measure_scheduler(home: Path, orders: int, *, database: str) -> Burst:
    """Start everything in this folder, let the DAG run once, and return the figures; bounded by 15 minutes."""
    home.mkdir()
    practices_file = home / "practices.yaml"
    practices_file.write_text(yaml.safe_dump({"practices": [_practice()]}), encoding="utf-8")
    plan = LaunchPlan.on_free_ports(
        home,
        practices=(PRACTICE,),
        practices_file=practices_file,
        database=database,
        starts_sandbox=False,
        settings={"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True"},
    )
    with RunningAirflow(plan) as airflow, airflow.api() as api:
        sandbox = BurstSandbox(plan, orders)
        try:
            sandbox.start(airflow.processes, airflow.environment)
            return _measure(airflow, api, sandbox, orders, f"Airflow, {database}, first run of a practice")
        finally:
            sandbox.close()


def _practice() -> dict[str, Any]:
    everyone = yaml.safe_load(PRACTICES_FILE.read_text(encoding="utf-8"))["practices"]
    return next(practice for practice in everyone if practice["id"] == PRACTICE)


def _measure(airflow: RunningAirflow, api: httpx.Client, sandbox: BurstSandbox, orders: int, mode: str) -> Burst:
    wait = airflow.processes.wait_until
    wait(lambda: api.get(_DAG).is_success, "dag-processor", _PARSE_SECONDS)
    _let_quarter_begin(30 + orders * _SECONDS_AN_ORDER)
    load_average, asked_at = os.getloadavg()[0], datetime.now(UTC)
    # The scheduler makes the run of the latest quarter of an hour at once; a run of our own would be a second one beside it.
    api.patch(_DAG, json={"is_paused": False}).raise_for_status()
    wait(lambda: _runs(api) != [], "scheduler", _PARSE_SECONDS)
    path = f"{_DAG}/dagRuns/{_runs(api)[0]['dag_run_id']}"
    _wait_calmly(lambda: sandbox.posted() >= orders or _is_over(api, path))
    _wait_calmly(lambda: _is_over(api, path))
    ended = api.get(path).raise_for_status().json()
    began_at, ended_at = _instant(ended["start_date"]) or asked_at, _instant(ended["end_date"]) or datetime.now(UTC)
    booked = sandbox.booked()
    last_at = booked.last_at or ended_at
    notes = [
        f"the run is {ended['state']}; it began {(began_at - asked_at).total_seconds():.1f} s after the DAG was switched on"
    ]
    if len(runs := _runs(api)) > 1:
        notes.append(f"{len(runs) - 1} run(s) beside it: a quarter of an hour began meanwhile, so measure again")
    return Burst(
        mode=mode,
        orders=orders,
        to_last_payment_seconds=(last_at - began_at).total_seconds(),
        total_seconds=(ended_at - began_at).total_seconds(),
        steps=_steps(api.get(f"{path}/taskInstances").raise_for_status().json()["task_instances"], began_at),
        counts=sandbox.counts(),
        booked=booked,
        load_average=load_average,
        notes=notes,
    )


def _runs(api: httpx.Client) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = (
        api.get(f"{_DAG}/dagRuns", params={"order_by": "run_after"}).raise_for_status().json()["dag_runs"]
    )
    return runs


def _let_quarter_begin(needed_seconds: float) -> None:
    """Wait for the next quarter of an hour when it would begin during the measurement: at most as long as that takes."""
    left_seconds = 900 - time.time() % 900
    if left_seconds < needed_seconds:
        time.sleep(left_seconds + 1)


def _is_over(api: httpx.Client, path: str) -> bool:
    return api.get(path).raise_for_status().json()["state"] in {"success", "failed"}


def _wait_calmly(is_true: Callable[[], bool]) -> None:
    """Ask once a second only: asking costs the sandbox and Airflow time that is being measured."""
    ends_at = time.monotonic() + _RUN_SECONDS
    while not is_true() and time.monotonic() < ends_at:
        time.sleep(_POLL_SECONDS)


def _steps(tasks: list[dict[str, Any]], began_at: datetime) -> list[StepFigures]:
    """Return the practice's tasks in order, and before each of them what the scheduler needed to get there.

    A step that was tried again shows its last try; what the earlier ones took counts as scheduling.
    """
    steps, reached = [], began_at
    mine = [task for task in tasks if task["task_id"].startswith("sync_practice.") and task["start_date"]]
    for task in sorted(mine, key=lambda task: str(task["start_date"])):
        starts_at, ends_at = _instant(task["start_date"]), _instant(task["end_date"])
        if starts_at is None or ends_at is None:
            continue
        steps.append(StepFigures("scheduling", (starts_at - reached).total_seconds()))
        name = task["task_id"].partition(".")[2] + (f", try {task['try_number']}" if task["try_number"] > 1 else "")
        steps.append(StepFigures(name, (ends_at - starts_at).total_seconds()))
        reached = ends_at
    return steps


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
