"""What the pages do when Airflow's own database has nothing to say: the decision stands, and the page opens."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from launch.plan import REPOSITORY
from order_sync.bootstrap.sync_requests import ORDER_RESOLVED_NAME, ORDER_RESOLVED_URI, ask_for_sync
from order_sync.bootstrap.task_links import SWEEPS, SYNC_ORDER, TaskLink, find_task_links
from tests.desks import demo_practices

pytestmark = pytest.mark.airflow

DAG = (REPOSITORY / "dags" / "sync_orders.py").read_text(encoding="utf-8")
NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)


@pytest.fixture
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("SELECT a secret", {"name": "a secret"}, ConnectionError("away"))

    monkeypatch.setattr("airflow.utils.session.create_session", refuse)


@pytest.mark.usefixtures("_no_database")
def test_a_run_that_cannot_be_asked_for_is_said_and_logged_without_the_statement(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        assert ask_for_sync("front.desk") is False
    told = [record.getMessage() for record in caplog.records if record.name == "order_sync.bootstrap.sync_requests"]
    assert told == ["a run of sync_orders could not be asked for: OperationalError"]


@pytest.mark.usefixtures("_no_database")
def test_links_to_tasks_that_cannot_be_found_lead_to_the_dag():
    links = find_task_links(demo_practices()["eastern"], "100004021", NOON)
    assert links == (TaskLink("Runs in Airflow", "/dags/sync_orders/runs"),)


def test_the_dag_waits_for_the_asset_whose_event_is_registered_and_has_the_tasks_that_are_linked():
    assert f'Asset(name="{ORDER_RESOLVED_NAME}", uri="{ORDER_RESOLVED_URI}")' in DAG
    for task_id in (SYNC_ORDER, *SWEEPS):
        group, _, name = task_id.rpartition(".")
        assert f"def {name}(" in DAG
        assert not group or f"def {group}(" in DAG
