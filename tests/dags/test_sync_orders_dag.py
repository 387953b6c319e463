"""The DAG files as Airflow sees them. Parsing costs seconds, so one process parses once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.airflow

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
def told(task, name):
    if task.is_mapped:
        return task.partial_kwargs.get(name, task.partial_kwargs.get("default_args", {}).get(name))
    return getattr(task, name, None)
bag = DagBag(sys.argv[1])
described = {}
for dag in bag.dags.values():
    described[dag.dag_id] = {
        "tags": sorted(dag.tags), "doc": dag.doc_md or "", "catchup": dag.catchup, "runs": dag.max_active_runs,
        "tasks": {task.task_id: {
            "down": sorted(task.downstream_task_ids), "label": task.map_index_template, "rule": task.trigger_rule.value,
            "retries": task.retries, "mapped": task.is_mapped or bool(task.get_closest_mapped_task_group()),
            "shows_return": told(task, "show_return_value_in_logs"),
        } for task in dag.tasks},
        "params": dag.params.dump(),
    }
print("PARSED" + json.dumps({"errors": bag.import_errors, "dags": described}, default=str))
"""


def parse(folder: Path, home: Path, **extra: str) -> dict:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ORDER_SYNC"))},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT / "include"),
        **extra,
    }
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(folder)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("PARSED")]
    assert lines, done.stderr[-2000:]
    return json.loads(lines[0].removeprefix("PARSED"))


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return parse(ROOT / "dags", tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def sync_orders(parsed: dict) -> dict:
    return parsed["dags"]["sync_orders"]


def test_every_dag_file_loads(parsed: dict):
    assert parsed["errors"] == {}
    assert "sync_orders" in parsed["dags"]


def test_the_house_rules_hold(sync_orders: dict):
    assert sync_orders["catchup"] is False
    assert sync_orders["tags"]
    assert "When a task is red" in sync_orders["doc"]
    assert sync_orders["params"] == {"dry_run": False}
    assert sync_orders["runs"] > 1


def test_the_tasks_are_the_process(sync_orders: dict):
    tasks = sync_orders["tasks"]
    assert set(tasks) == {
        "list_practices",
        "sync_practice.extract_orders",
        "sync_practice.match_patients",
        "sync_practice.post_payments",
        "sync_practice.mark_status",
        "list_failed_orders",
        "sync_order",
        "report_failures",
    }
    assert "sync_practice.match_patients" in tasks["sync_practice.extract_orders"]["down"]
    assert "sync_practice.post_payments" in tasks["sync_practice.match_patients"]["down"]
    assert "sync_practice.mark_status" in tasks["sync_practice.post_payments"]["down"]


def test_a_hanging_practice_is_not_above_the_fan_out(sync_orders: dict):
    for name, task in sync_orders["tasks"].items():
        if name.startswith("sync_practice"):
            assert "list_failed_orders" not in task["down"]


def test_a_failure_is_never_hidden_by_the_steps_after_it(sync_orders: dict):
    tasks = sync_orders["tasks"]
    leaves = {name for name, task in tasks.items() if not task["down"]}
    assert leaves == {"report_failures"}
    assert tasks["report_failures"]["rule"] == "one_failed"
    # The rule sees what is right above it; a step further up would be hidden by the next one, which runs all the same.
    for name, task in tasks.items():
        is_seen = "report_failures" in task["down"]
        assert is_seen is (name.startswith("sync_practice.") or name == "sync_order"), name


def test_every_task_of_a_practice_or_an_order_is_labelled_with_it(sync_orders: dict):
    for name, task in sync_orders["tasks"].items():
        if task["mapped"]:
            assert task["label"], name
    assert "order_number" in sync_orders["tasks"]["sync_order"]["label"]
    assert "reason" in sync_orders["tasks"]["sync_order"]["label"]


def test_an_order_task_is_never_repeated_by_itself(sync_orders: dict):
    assert sync_orders["tasks"]["sync_order"]["retries"] == 0
    assert sync_orders["tasks"]["sync_practice.extract_orders"]["retries"] >= 2


def test_no_task_shows_its_return_value_in_the_log(sync_orders: dict):
    # A sensor logs none in any case, and has no such argument.
    assert {name for name, task in sync_orders["tasks"].items() if task["shows_return"] is not False} == {"list_failed_orders"}


def test_a_wrong_practices_file_does_not_keep_a_dag_from_loading(tmp_path: Path):
    wrong = tmp_path / "practices.yaml"
    wrong.write_text("practices: [{id: eastern, colour: blue}]")
    parsed = parse(ROOT / "dags", tmp_path / "airflow", ORDER_SYNC_PRACTICES=str(wrong))
    assert parsed["errors"] == {}


def test_a_dag_file_reads_as_a_table_of_contents():
    for path in (ROOT / "dags").glob("*.py"):
        body = path.read_text().split('"""', 2)[2]
        assert len(body.splitlines()) <= 110, path.name


def test_the_label_of_a_practice_that_makes_up_for_a_month_fits_into_airflows_column(parsed: dict):
    task = parsed["dags"]["reconcile_payments"]["tasks"]["report_practice.reconcile_periods"]
    periods = [f"2026-10-{day:02d}" for day in range(1, 32)] + ["2026-10"]
    told = SimpleNamespace(op_kwargs={"practice_id": "p" * 40, "periods": periods})
    label = Environment(autoescape=False).from_string(task["label"]).render(task=told)  # noqa: S701 - a label, no page
    assert len(label) <= 250
    assert label.endswith("2026-10-01, 2026-10-02, 2026-10-03, 2026-10-04 and 28 more")
    told.op_kwargs["periods"] = ["2026-11-02", "2026-10"]
    assert Environment(autoescape=False).from_string(task["label"]).render(task=told).endswith(": 2026-11-02, 2026-10")  # noqa: S701
