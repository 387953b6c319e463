"""What a sync stands on: the database, the sandbox, and a ledger that is exactly as old as the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import NullPool, create_engine, inspect, text

from launch.database import SqliteFiles, has_embedded_postgres
from launch.plan import LaunchError, LaunchPlan
from launch.sandbox_server import SandboxServer
from launch.topology import Ground

needs_postgres = pytest.mark.skipif(not has_embedded_postgres(), reason="the embedded PostgreSQL has no wheel here")
DATABASES = [pytest.param("postgres", marks=[pytest.mark.postgres, needs_postgres]), "sqlite"]


def tables(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    return set(inspect(engine).get_table_names())


def execute(url: str, statement: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(statement))


@pytest.fixture
def plan(home: Path) -> Iterator[LaunchPlan]:
    plan = LaunchPlan.on_free_ports(home, database="sqlite")
    yield plan
    SandboxServer(plan).stop()


@pytest.mark.parametrize("database", DATABASES)
def test_the_ledger_is_migrated_and_kept_from_one_start_to_the_next(home: Path, database: str) -> None:
    plan = LaunchPlan(home, database=database, starts_sandbox=False)  # type: ignore[arg-type]
    with Ground(plan) as ground:
        assert "manual_resolution_queue" in tables(ground.order_sync_url)
        execute(ground.order_sync_url, "CREATE TABLE kept (id INTEGER)")
        assert ground.database.is_running()
    if database == "postgres":
        assert not ground.database.is_running()
    with Ground(plan) as again:
        assert "kept" in tables(again.order_sync_url)
        assert again.order_sync_url == ground.order_sync_url


@pytest.mark.postgres
@needs_postgres
def test_airflow_and_the_ledger_do_not_share_a_database(home: Path) -> None:
    with Ground(LaunchPlan(home, starts_sandbox=False)) as ground:
        assert tables(ground.database.urls.airflow) == set()
        assert tables(ground.order_sync_url) != set()


def test_where_postgres_has_no_wheel_sqlite_is_used_and_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launch.database.find_spec", lambda _name: None)
    heard: list[str] = []
    with Ground(LaunchPlan(home, starts_sandbox=False), heard.append) as ground:
        assert isinstance(ground.database, SqliteFiles)
    assert heard == ["PostgreSQL  has no wheel for this platform: SQLite is used instead"]


def test_a_sandbox_in_the_background_outlives_the_sync_and_is_found_by_the_next(plan: LaunchPlan) -> None:
    with Ground(plan, keeps_sandbox=True) as first:
        assert first.sandbox.is_new
        execute(first.order_sync_url, "CREATE TABLE kept (id INTEGER)")
    assert httpx.get(f"{plan.sandbox_url}/healthz").status_code == 200
    with Ground(plan, keeps_sandbox=True) as second:
        assert not second.sandbox.is_new
        assert "kept" in tables(second.order_sync_url)
    assert first.sandbox.stop()
    assert not second.sandbox.is_running()


def test_a_new_sandbox_gets_an_empty_ledger(plan: LaunchPlan) -> None:
    with Ground(plan) as first:
        execute(first.order_sync_url, "CREATE TABLE of_the_old_sandbox (id INTEGER)")
    assert not first.sandbox.is_running()
    with Ground(plan) as second:
        assert second.sandbox.is_new
        assert "of_the_old_sandbox" not in tables(second.order_sync_url)


def test_the_sandbox_of_another_folder_is_not_taken_for_ours(plan: LaunchPlan, tmp_path: Path) -> None:
    others = LaunchPlan(tmp_path / "other", plan.airflow_port, plan.sandbox_port, plan.smtp_port, database="sqlite")
    with Ground(others), pytest.raises(LaunchError, match="is taken by a sandbox that was not started here"):
        Ground(plan).__enter__()
