"""Whatever is started is ended, also when nobody is left to end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from launch.plan import REPOSITORY, LaunchError
from launch.processes import Processes, Program

PATIENCE_SECONDS = 20

STUBBORN_FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(600)
"""
"""A process that does not listen, with a child in a process group of its own: what Airflow's components are like."""

SUPERVISOR = """
import sys, time
from pathlib import Path
from launch.processes import Processes, Program
folder = Path(sys.argv[1])
with Processes(folder / "logs") as processes:
    family = [sys.executable, "-c", (folder / "family.py").read_text(), str(folder / "child")]
    pid = processes.start(Program("family", family, patience_seconds=0.5), {})
    (folder / "parent").write_text(str(pid))
    time.sleep(600)
"""


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def has_content(path: Path) -> bool:
    return path.exists() and path.read_text() != ""


def family(folder: Path) -> Program:
    return Program("family", [sys.executable, "-c", STUBBORN_FAMILY, str(folder / "child")], patience_seconds=0.5)


def test_a_stubborn_process_and_its_child_are_ended_with_the_context(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs") as processes:
        pid = processes.start(family(tmp_path), {})
        wait_for(lambda: has_content(tmp_path / "child"))
        child = int((tmp_path / "child").read_text())
        assert is_running(pid)
        assert is_running(child)
    assert not is_running(pid)
    assert not is_running(child)


def test_a_supervisor_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "family.py").write_text(STUBBORN_FAMILY)
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(tmp_path)], cwd=REPOSITORY) as supervisor:
        wait_for(lambda: has_content(tmp_path / "parent") and has_content(tmp_path / "child"))
        pids = [int((tmp_path / name).read_text()) for name in ("parent", "child")]
        assert all(is_running(pid) for pid in pids)
        supervisor.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(is_running(pid) for pid in pids))


def test_only_what_was_started_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as bystander:
        with Processes(tmp_path / "logs") as processes:
            processes.start(Program("sleeper", ["sleep", "600"]), dict(os.environ))
        assert bystander.poll() is None
        bystander.kill()


LEAVES_A_NOTE = """
import os, signal, sys, time
def leave(*_):
    open("ended", "a").write(sys.argv[1] + " ")
    os._exit(0)
os.chdir(sys.argv[2])
signal.signal(signal.SIGTERM, leave)
open(sys.argv[1], "w").write("ready")
time.sleep(600)
"""


def test_higher_ranks_end_before_lower_ones(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs") as processes:
        for name, rank in (("database", 0), ("airflow", 2), ("sandbox", 1)):
            processes.start(Program(name, [sys.executable, "-c", LEAVES_A_NOTE, name, str(tmp_path)], rank=rank), {})
        wait_for(lambda: all(has_content(tmp_path / name) for name in ("database", "airflow", "sandbox")))
    assert (tmp_path / "ended").read_text().split() == ["airflow", "sandbox", "database"]


def test_a_program_that_ends_while_we_wait_is_named_with_its_log(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs") as processes:
        processes.start(Program("broken", [sys.executable, "-c", "raise SystemExit(3)"]), {})
        with pytest.raises(LaunchError, match=r"broken ended with exit code 3; see .*broken\.log"):
            processes.wait_until(lambda: False, "never", PATIENCE_SECONDS)


def test_a_step_that_fails_is_named_with_its_exit_code(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs") as processes:
        processes.start(Program("step", [sys.executable, "-c", "print('why'); raise SystemExit(4)"]), {})
        with pytest.raises(LaunchError, match="step failed with exit code 4"):
            processes.require_success("step")
    assert (tmp_path / "logs" / "step.log").read_text() == "why\n"
