"""Ctrl-C, a polite kill, a closed terminal: each ends the start wherever it stands, and everything with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from launch.plan import REPOSITORY, LaunchPlan


def processes_of(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME", "").startswith(str(folder)):
                found.append(process.name())
        except psutil.Error:
            continue
    return found


@pytest.mark.airflow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_while_starting_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    plan = LaunchPlan.on_free_ports(tmp_path)
    command = [sys.executable, "-m", "launch", "run", "--home", str(tmp_path), "--database", "sqlite"]
    command += ["--airflow-port", str(plan.airflow_port), "--sandbox-port", str(plan.sandbox_port)]
    command += ["--smtp-port", str(plan.smtp_port)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        for line in demo.stdout:
            if line.startswith("Airflow"):
                break
        assert processes_of(tmp_path) != []
        demo.send_signal(number)
        said = demo.stdout.read()
        errors = demo.stderr.read()
    assert demo.returncode == 130
    assert said.endswith("ended\n")
    assert errors == ""
    assert processes_of(tmp_path) == []
