"""The environment of every process, computed and not inherited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from launch.environment import DatabaseUrls, environment
from launch.keys import Keys
from launch.plan import LaunchPlan
from launch.processes import inherited_environment
from order_sync.practices import load_practices

URLS = DatabaseUrls("postgresql+psycopg2://postgres@/airflow?host=/x", "postgresql+psycopg2://postgres@/order_sync?host=/x")


@pytest.fixture
def keys() -> Keys:
    return Keys.invent()


def test_the_ledger_and_airflow_have_databases_of_their_own(keys: Keys) -> None:
    variables = environment(LaunchPlan(Path("/demo")), keys, URLS)
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == URLS.airflow
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == "postgresql+asyncpg://postgres@/airflow?host=/x"
    assert variables["AIRFLOW_CONN_SYNC_DB"] == URLS.order_sync


def test_every_practice_of_the_file_has_its_store_and_its_nextech(keys: Keys) -> None:
    plan = LaunchPlan(Path("/demo"))
    assert plan.practices == tuple(practice.id for practice in load_practices(plan.practices_file))
    variables = environment(plan, keys, URLS)
    for practice in plan.practices:
        store = json.loads(variables[f"AIRFLOW_CONN_STORE_{practice.upper()}"])
        nextech = json.loads(variables[f"AIRFLOW_CONN_NEXTECH_{practice.upper()}"])
        assert store["conn_type"] == nextech["conn_type"] == "http"
        assert store["host"] == f"http://127.0.0.1:8090/store/{practice}"
        assert store["password"]
        assert nextech["host"] == "http://127.0.0.1:8090/nextech/api"
        assert {"token_url", "client_id", "resource", "practice_id"} == set(nextech["extra"])


def test_two_copies_on_one_machine_share_neither_folder_nor_port(keys: Keys, tmp_path: Path) -> None:
    one, other = (environment(LaunchPlan.on_free_ports(tmp_path / name), keys, URLS) for name in ("one", "other"))
    for name in ("AIRFLOW_HOME", "AIRFLOW__API__PORT", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW_CONN_SMTP_DEFAULT"):
        assert one[name] != other[name]


def test_a_setting_of_the_plan_wins(keys: Keys) -> None:
    plan = LaunchPlan(Path("/demo"), settings={"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30"})
    assert environment(plan, keys, URLS)["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"] == "30"


def test_another_airflow_on_this_machine_does_not_steer_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/somewhere/else")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_SYNC_DB", "sqlite:////production.db")
    monkeypatch.setenv("ORDER_SYNC_PRACTICES", "/real/practices.yaml")
    monkeypatch.setenv("ORDER_SYNC_REFERENCE", "/reference")
    inherited = inherited_environment()
    assert [name for name in inherited if name.startswith(("AIRFLOW", "ORDER_SYNC"))] == ["ORDER_SYNC_REFERENCE"]
    assert "PATH" in inherited
