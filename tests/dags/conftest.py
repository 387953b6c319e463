"""One whole Airflow with the project's own DAG, and a sandbox in this process: its books and faults are at hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from launch.plan import REPOSITORY, LaunchPlan
from launch.topology import RunningAirflow
from order_sync.ledger.session import Ledger, open_engine
from order_sync.resources import PRACTICES_FILE
from sandbox.server import RunningSandbox
from tests.dags.running import DAG, Running, WatchedRun, runs, wait_for

EVERY_QUARTER, ONCE_A_YEAR = '"*/15 * * * *"', '"0 0 1 1 *"'
WAIT_FOR_PRACTICES_SECONDS = 30


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Airflow with `sync_orders` switched on; its clock ticks once a year, so that no run but the tests' own comes between."""
    folder = Path(tempfile.mkdtemp(prefix="order-sync-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when root tests
    try:
        with RunningSandbox() as sandbox:
            plan = _plan(folder, sandbox)
            with RunningAirflow(plan) as airflow, airflow.api() as api:
                ledger = Ledger(open_engine(airflow.order_sync_url))
                yield Running(airflow, api, sandbox, ledger, plan.practices_file)
                ledger.close()
    finally:
        shutil.rmtree(folder)


def _plan(folder: Path, sandbox: RunningSandbox) -> LaunchPlan:
    for name in ("dags", "plugins"):
        (folder / name).mkdir()
    written = (REPOSITORY / "dags" / "sync_orders.py").read_text(encoding="utf-8")
    assert written.count(EVERY_QUARTER) == 1
    (folder / "dags" / "sync_orders.py").write_text(written.replace(EVERY_QUARTER, ONCE_A_YEAR), encoding="utf-8")
    document = yaml.safe_load(PRACTICES_FILE.read_text(encoding="utf-8"))
    for practice in document["practices"]:
        practice["posting"] = {"answer_seconds": 8}  # what a killed task has sent is looked for after 18 seconds, not 55
    practices_file = folder / "practices.yaml"
    practices_file.write_text(yaml.safe_dump(document), encoding="utf-8")
    plan = LaunchPlan.on_free_ports(
        folder / "home",
        dags_folder=folder / "dags",
        plugins_folder=folder / "plugins",
        practices_file=practices_file,
        starts_sandbox=False,
        settings={"ORDER_SYNC_WAIT_FOR_PRACTICES_SECONDS": str(WAIT_FOR_PRACTICES_SECONDS)},
    )
    return replace(plan, sandbox_port=sandbox.port, smtp_port=sandbox.smtp_port)


@pytest.fixture(scope="module")
def first_run(running: Running) -> WatchedRun:
    """The run that the scheduler makes by itself as soon as it knows the DAG, at its end."""
    wait_for(lambda: running.api.get(DAG).is_success, "the DAG in the pages")
    wait_for(lambda: runs(running.api), "the first run")
    first = runs(running.api)[0]
    first.wait()
    return first
