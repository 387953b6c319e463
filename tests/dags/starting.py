"""Start one whole Airflow with the project's own DAG, and a sandbox in this process: its books and faults are at hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from launch.plan import REPOSITORY, LaunchPlan
from launch.topology import RunningAirflow
from order_sync.ledger.session import Ledger, open_engine
from order_sync.resources import PRACTICES_FILE
from sandbox.server import RunningSandbox
from tests.dags.running import Running

EVERY_QUARTER = '"*/15 * * * *"'
A_MINUTE = "timedelta(seconds=60)"
"""How long a report waits before it is tried again."""
HEARTBEAT_TIMEOUT_SECONDS = 30
"""After this much silence a task counts as dead; 300 in production. A supervisor reports every five seconds."""


@dataclass(frozen=True)
class Setting:
    """What differs from production, so that a test need not wait for it."""

    schedule: str = '"0 0 1 1 *"'
    """As it stands in the DAG file. Once a year, so that no run but the tests' own comes between."""
    posting: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Practice id to its posting settings, laid over `answer_seconds` of 8."""
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def start_airflow(setting: Setting) -> Iterator[Running]:
    """Start everything with `sync_orders` switched on, and end it."""
    folder = Path(tempfile.mkdtemp(prefix="order-sync-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when root tests
    try:
        with RunningSandbox() as sandbox:
            plan = _plan(folder, sandbox, setting)
            with RunningAirflow(plan) as airflow, airflow.api() as api:
                ledger = Ledger(open_engine(airflow.order_sync_url))
                yield Running(airflow, api, sandbox, ledger, plan.practices_file)
                ledger.close()
    finally:
        shutil.rmtree(folder)


def _plan(folder: Path, sandbox: RunningSandbox, setting: Setting) -> LaunchPlan:
    (folder / "dags").mkdir()
    written = (REPOSITORY / "dags" / "sync_orders.py").read_text(encoding="utf-8")
    assert written.count(EVERY_QUARTER) == 1
    (folder / "dags" / "sync_orders.py").write_text(written.replace(EVERY_QUARTER, setting.schedule), encoding="utf-8")
    reports = (REPOSITORY / "dags" / "reconcile_payments.py").read_text(encoding="utf-8")
    assert reports.count(A_MINUTE) == 1
    (folder / "dags" / "reconcile_payments.py").write_text(reports.replace(A_MINUTE, "timedelta(seconds=1)"), encoding="utf-8")
    document = yaml.safe_load(PRACTICES_FILE.read_text(encoding="utf-8"))
    for practice in document["practices"]:
        # What a killed task has sent is looked for after 18 seconds, not 55.
        practice["posting"] = {"answer_seconds": 8, **setting.posting.get(practice["id"], {})}
    practices_file = folder / "practices.yaml"
    practices_file.write_text(yaml.safe_dump(document), encoding="utf-8")
    plan = LaunchPlan.on_free_ports(
        folder / "home",
        dags_folder=folder / "dags",
        practices_file=practices_file,
        starts_sandbox=False,
        settings={
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",  # the files stay as they are: read once
            **setting.environment,
        },
    )
    return replace(plan, sandbox_port=sandbox.port, smtp_port=sandbox.smtp_port)
