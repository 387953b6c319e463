"""A whole Airflow from `RunningAirflow`: it runs a DAG, answers over its API, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from launch.plan import LaunchPlan
from launch.topology import RunningAirflow

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler]
PATIENCE_SECONDS = 120

DAG = """
import os
from datetime import datetime

from airflow.sdk import BaseHook, dag, task


@dag(schedule=None, start_date=datetime(2026, 1, 1))
def look_around():
    @task
    def describe() -> dict:
        store = BaseHook.get_connection("store_eastern")
        return {"store": store.host, "package": __import__("order_sync").__name__}

    describe()


look_around()
"""


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def processes_that_mention(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in process.environ().get("AIRFLOW_HOME", "") or str(folder) in " ".join(process.cmdline()):
                found.append(process.name())
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def folder(shared_folder: Path) -> Path:
    for name in ("dags", "plugins"):
        (shared_folder / name).mkdir()
    (shared_folder / "dags" / "look_around.py").write_text(DAG)
    return shared_folder


@pytest.fixture(scope="module")
def airflow(folder: Path) -> Iterator[RunningAirflow]:
    plan = LaunchPlan.on_free_ports(folder / "home", dags_folder=folder / "dags", plugins_folder=folder / "plugins")
    with RunningAirflow(plan) as airflow:
        yield airflow
    assert processes_that_mention(folder) == []


def test_a_dag_runs_with_our_connections_and_our_package(airflow: RunningAirflow) -> None:
    with airflow.api() as api:
        wait_for(lambda: api.get("/dags/look_around").status_code == httpx.codes.OK)
        assert api.get("/dags/look_around").json()["is_paused"] is False
        run = api.post("/dags/look_around/dagRuns", json={"logical_date": None}).raise_for_status().json()
        path = f"/dags/look_around/dagRuns/{run['dag_run_id']}"
        wait_for(lambda: api.get(path).json()["state"] in {"success", "failed"})
        assert api.get(path).json()["state"] == "success"
        value = api.get(f"{path}/taskInstances/describe/xcomEntries/return_value").json()["value"]
    assert "order_sync" in str(value)
    assert f"{airflow.plan.sandbox_url}/store/eastern" in str(value)


def test_the_log_of_a_task_can_be_read_in_the_pages(airflow: RunningAirflow) -> None:
    with airflow.api() as api:
        run = api.get("/dags/look_around/dagRuns").json()["dag_runs"][0]["dag_run_id"]
        log = api.get(f"/dags/look_around/dagRuns/{run}/taskInstances/describe/logs/1").raise_for_status()
    assert "could not" not in log.text.lower()
    assert "content" in log.json()


def test_there_are_no_examples_and_no_public_api_page(airflow: RunningAirflow) -> None:
    with airflow.api() as api:
        assert [dag["dag_id"] for dag in api.get("/dags").json()["dags"]] == ["look_around"]
        assert api.get("/version").json()["version"] == "3.3.2"
    for page in ("/docs", "/redoc"):
        assert "swagger" not in httpx.get(f"http://127.0.0.1:{airflow.plan.airflow_port}{page}").text.lower()


def test_nobody_is_let_in_without_the_password(airflow: RunningAirflow) -> None:
    address = f"http://127.0.0.1:{airflow.plan.airflow_port}/auth/token"
    assert httpx.post(address, json={"username": "admin", "password": "guessed"}).status_code == httpx.codes.UNAUTHORIZED
    assert httpx.get(f"{airflow.api_url}/dags").status_code == httpx.codes.UNAUTHORIZED


def test_every_part_stays_up(airflow: RunningAirflow) -> None:
    assert airflow.ended() is None
