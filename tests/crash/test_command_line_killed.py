"""The command line itself, as an operator starts it, killed while Nextech holds its answer back; nothing in it is replaced."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from launch.environment import connections
from launch.keys import load_or_make_keys
from launch.plan import LaunchPlan
from order_sync.resources import PRACTICES_FILE
from sandbox.nextech.faults import Effect
from tests.canaries.people import TOKENS
from tests.canaries.scanner import Scanner
from tests.crash.ground import Ground
from tests.crash.life import PRACTICE
from tests.crash.nursery import ROOT
from tests.crash.places import PLACES, Blow, Cell, Edge
from tests.crash.play import read_books

pytestmark = pytest.mark.airflow

_PATIENCE_SECONDS = 120.0
"""Importing Airflow takes long on a machine that is busy."""
_QUICK = {"send_seconds": 3, "answer_seconds": 1, "settle_minutes": 0.001, "absent_reads_apart_minutes": 0.001}


@pytest.fixture
def cell() -> Cell:
    return Cell(next(place for place in PLACES if place.edge is Edge.SERVER), Blow.KILL, Effect.CREATED, "sqlite")


@pytest.fixture
def environment(ground: Ground, tmp_path: Path) -> dict[str, str]:
    described = yaml.safe_load(PRACTICES_FILE.read_text())
    [mine] = [one for one in described["practices"] if one["id"] == PRACTICE]
    practices = tmp_path / "practices.yaml"
    practices.write_text(yaml.safe_dump({"practices": [mine | {"posting": _QUICK}]}))
    sandbox = ground.neighbours.sandbox
    plan = LaunchPlan(tmp_path / "home", sandbox_port=sandbox.port, smtp_port=sandbox.smtp_port)
    plan.home.mkdir()
    return {
        **os.environ,
        **connections(plan, load_or_make_keys(plan.home / "keys.json"), ground.ledger_url),
        "ORDER_SYNC_PRACTICES": str(practices),
        "PYTHONPATH": str(ROOT / "include"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "TMPDIR": str(tmp_path),
    }


def start(environment: dict[str, str], said: Path) -> subprocess.Popen[bytes]:
    """Start a run that says everything into a file."""
    with said.open("ab") as file:
        command = [sys.executable, "-m", "order_sync.command_line", "sync"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)


def test_a_command_line_that_is_killed_behind_its_post_is_finished_by_the_next_one(
    ground: Ground, environment: dict[str, str], tmp_path: Path
):
    said = tmp_path / "said"
    victim = start(environment, said)
    assert ground.neighbours.has_paid.wait(_PATIENCE_SECONDS), said.read_text()
    victim.kill()
    victim.wait(_PATIENCE_SECONDS)
    ends_at = time.monotonic() + _PATIENCE_SECONDS
    while not (books := read_books(ground)).is_quiet and time.monotonic() < ends_at:
        assert start(environment, said).wait(_PATIENCE_SECONDS) == 0, said.read_text()
    assert books.end == "confirmed"
    assert len(books.booked) == len(books.attempts) == 1
    assert "Traceback" not in said.read_text()
    assert Scanner(TOKENS).in_path(tmp_path) == []
