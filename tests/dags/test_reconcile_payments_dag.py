"""The DAG of the reports as Airflow sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.test_sync_orders_dag import ROOT, parse

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def reconcile_payments(tmp_path_factory: pytest.TempPathFactory) -> dict:
    home: Path = tmp_path_factory.mktemp("airflow")
    parsed = parse(ROOT / "dags", home)
    assert parsed["errors"] == {}
    return parsed["dags"]["reconcile_payments"]


def test_the_house_rules_hold(reconcile_payments: dict):
    assert reconcile_payments["catchup"] is False
    assert reconcile_payments["tags"]
    assert "When a task is red" in reconcile_payments["doc"]
    assert reconcile_payments["params"] == {"period": "", "practice": "", "send": True}
    assert {task["shows_return"] for task in reconcile_payments["tasks"].values()} == {False}


def test_a_practice_is_reported_and_then_mailed_and_nothing_that_fails_is_hidden(reconcile_payments: dict):
    tasks = reconcile_payments["tasks"]
    assert set(tasks) == {
        "list_reports",
        "report_practice.reconcile_periods",
        "report_practice.send_letters",
        "report_failures",
    }
    reconcile, send = tasks["report_practice.reconcile_periods"], tasks["report_practice.send_letters"]
    assert set(reconcile["down"]) == {"report_practice.send_letters", "report_failures"}
    assert send["rule"] == "all_done"
    assert send["down"] == ["report_failures"]
    assert tasks["report_failures"]["rule"] == "one_failed"
    assert tasks["report_failures"]["retries"] == 0


def test_every_task_of_a_practice_is_labelled_with_it_and_its_periods(reconcile_payments: dict):
    for name, task in reconcile_payments["tasks"].items():
        if name.startswith("report_practice."):
            assert task["mapped"]
            assert "practice_id" in task["label"]
            assert "periods" in task["label"]
