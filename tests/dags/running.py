"""Watch `sync_orders` on a real scheduler, as the data team does, over Airflow's own API: every wait has a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from launch.topology import RunningAirflow
from order_sync.ledger.session import Ledger
from sandbox.server import RunningSandbox
from sandbox.store.faults import Fault

DAG = "/dags/sync_orders"
REPORTS = "/dags/reconcile_payments"
RUN_SECONDS = 400.0
_POLL_SECONDS = 1.0
"""Airflow answers a question about a run with a third of a second of a core: asked more often, it has no time to run."""
_ENDED = frozenset({"success", "failed"})

T = TypeVar("T")


def wait_for(ask: Callable[[], T], what: str, timeout_seconds: float = RUN_SECONDS) -> T:
    """Ask until the answer is true, and return it."""
    ends_at = time.monotonic() + timeout_seconds
    while not (answer := ask()):
        assert time.monotonic() < ends_at, f"{what}: not within {timeout_seconds:.0f} seconds"
        time.sleep(_POLL_SECONDS)
    return answer


@dataclass(frozen=True)
class TaskOfRun:
    """One task instance as the pages show it."""

    task_id: str
    map_index: int
    label: str | None
    state: str | None
    try_number: int
    pid: int | None


@dataclass(frozen=True)
class WatchedRun:
    """One run of the DAG."""

    api: httpx.Client
    run_id: str
    dag: str = DAG
    """The DAG's address in the API."""

    @property
    def path(self) -> str:
        """Return the run's address in the API."""
        return f"{self.dag}/dagRuns/{self.run_id}"

    def state(self) -> str:
        """Return the run's state now."""
        return str(self.api.get(self.path).raise_for_status().json()["state"])

    def wait(self, timeout_seconds: float = RUN_SECONDS) -> str:
        """Wait for the run's end and return its state."""
        wait_for(lambda: self.state() in _ENDED, f"the end of {self.run_id}", timeout_seconds)
        return self.state()

    def tasks(self, task_id: str | None = None) -> list[TaskOfRun]:
        """Return the run's task instances, or those of one task, in the order of their map index."""
        rows = self.api.get(f"{self.path}/taskInstances", params={"limit": 300}).raise_for_status().json()["task_instances"]
        names = ("task_id", "map_index", "state", "try_number", "pid")
        found = [TaskOfRun(label=row["rendered_map_index"], **{name: row[name] for name in names}) for row in rows]
        return sorted((row for row in found if task_id in {None, row.task_id}), key=lambda row: (row.task_id, row.map_index))

    def task(self, task_id: str, label: str) -> TaskOfRun | None:
        """Return the mapped task instance with this label, once it has one."""
        return next((row for row in self.tasks(task_id) if row.label == label), None)

    def log(self, task: TaskOfRun) -> str:
        """Return the log of the task's latest try as the pages show it, one event a line."""
        address = f"{self.path}/taskInstances/{task.task_id}/logs/{task.try_number}"
        content = self.api.get(address, params={"map_index": task.map_index}).raise_for_status().json()["content"]
        return "\n".join(f"{line.get('event')} {line.get('error_detail', '')}" for line in content)

    def clear(self, task: TaskOfRun) -> list[tuple[str, int]]:
        """Clear this one task instance, as the button in the pages does; return which ones Airflow has cleared."""
        asked = {
            "dry_run": False,
            "only_failed": False,
            "dag_run_id": self.run_id,
            "task_ids": [[task.task_id, task.map_index]],
        }
        cleared = self.api.post(f"{self.dag}/clearTaskInstances", json=asked).raise_for_status().json()["task_instances"]
        return [(row["task_id"], row["map_index"]) for row in cleared]

    def mark(self, task: TaskOfRun, state: str) -> None:
        """Say by hand how this task instance ended, as the buttons in the pages do."""
        address = f"{self.path}/taskInstances/{task.task_id}/{task.map_index}"
        self.api.patch(address, json={"new_state": state}).raise_for_status()


def trigger(api: httpx.Client, conf: Mapping[str, Any] | None = None, *, dag: str = DAG) -> WatchedRun:
    """Start a run by hand."""
    answer = api.post(f"{dag}/dagRuns", json={"logical_date": None, "conf": dict(conf or {})}).raise_for_status()
    return WatchedRun(api, answer.json()["dag_run_id"], dag)


def runs(api: httpx.Client) -> list[WatchedRun]:
    """Return every run, oldest first."""
    rows = api.get(f"{DAG}/dagRuns", params={"order_by": "run_after", "limit": 100}).raise_for_status().json()["dag_runs"]
    return [WatchedRun(api, row["dag_run_id"]) for row in rows]


@dataclass(frozen=True)
class Running:
    """Everything that runs."""

    airflow: RunningAirflow
    api: httpx.Client
    sandbox: RunningSandbox
    ledger: Ledger
    practices_file: Path

    def pages(self) -> httpx.Client:
        """Return a client of the Orders pages, logged in as the administrator; its paths are relative to them."""
        authorization = {"Authorization": f"Bearer {self.airflow.token()}"}
        address = f"http://127.0.0.1:{self.airflow.plan.airflow_port}/orders-app"
        return httpx.Client(base_url=address, headers=authorization, timeout=60, trust_env=False)

    def place(self, practice_id: str, situation: str) -> str:
        """Place an order in a store and return its number."""
        place = self.sandbox.shops[practice_id].place
        assert place is not None
        return place(situation).number

    def spoil_store(self, practice_id: str, fault: Fault) -> None:
        """Let something go wrong in a store from now on."""
        self.sandbox.shops[practice_id].faults.add(fault, datetime.now(UTC))
