"""The demo's folder: one owner, keys that stay, and one line when something is in the way."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launch.folder_lock import FolderLock, FolderTakenError
from launch.keys import Keys, load_or_make_keys
from launch.plan import REPOSITORY, LaunchError, LaunchPlan, free_ports


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launch", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )


def test_keys_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = load_or_make_keys(path)
    assert load_or_make_keys(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({first.marker_key, first.customer_key, first.fernet_key, first.jwt_secret, first.session_key}) == 5


def test_keys_do_not_show_when_they_are_printed() -> None:
    keys = Keys.invent()
    assert keys.marker_key not in repr(keys)


def test_a_damaged_keys_file_is_said_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"marker_key": "only this one"}')
    with pytest.raises(LaunchError, match="is damaged"):
        load_or_make_keys(path)
    assert "only this one" in path.read_text()


def test_a_folder_has_one_owner_until_it_lets_go(tmp_path: Path) -> None:
    with FolderLock(tmp_path, "run"), pytest.raises(FolderTakenError, match="'make run' is already at work") as taken:
        FolderLock(tmp_path, "sync").__enter__()
    assert taken.value.owner == "run"
    with FolderLock(tmp_path, "sync"):
        pass


def test_a_second_run_is_refused_in_one_line(tmp_path: Path) -> None:
    ports = [str(port) for port in free_ports(3)]
    with FolderLock(tmp_path, "run"):
        refused = launch(
            "run", "--home", str(tmp_path), "--airflow-port", ports[0], "--sandbox-port", ports[1], "--smtp-port", ports[2]
        )
    assert refused.returncode == 1
    assert refused.stderr == "'make run' is already at work here; end it first, or wait for its end\n"
    assert refused.stdout == ""


@pytest.mark.parametrize("which", ["--airflow-port", "--sandbox-port", "--smtp-port"])
def test_a_taken_port_is_refused_in_one_line_before_anything_starts(tmp_path: Path, which: str) -> None:
    plan = LaunchPlan.on_free_ports(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = str(listener.getsockname()[1])
        ports = {
            "--airflow-port": str(plan.airflow_port),
            "--sandbox-port": str(plan.sandbox_port),
            "--smtp-port": str(plan.smtp_port),
            which: taken,
        }
        refused = launch("run", "--home", str(tmp_path), *(word for pair in ports.items() for word in pair))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"port {taken} is taken: ")
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_reset_forgets_the_demo_and_leaves_other_files_alone(tmp_path: Path) -> None:
    for name in ("airflow", "logs", "postgres"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    for name in ("keys.json", "order_sync.db", "order_sync.db-wal", "notes.txt"):
        (tmp_path / name).touch()
    assert launch("reset", "--home", str(tmp_path)).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "notes.txt"]


def test_stop_says_that_nothing_was_running(tmp_path: Path) -> None:
    stopped = launch("stop", "--home", str(tmp_path))
    assert (stopped.returncode, stopped.stdout) == (0, "nothing was running\n")
