"""Start processes so that they can be ended: each in a session of its own, announced to the watchdog, its output in a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from launch.plan import REPOSITORY, LaunchError
from launch.watchdog import Started

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """What to start and how it wants to be ended."""

    name: str
    """Names its log file and the lines about it."""
    command: Sequence[str]
    rank: int = 2
    signal_number: int = signal.SIGTERM
    is_whole_session: bool = True
    patience_seconds: float = 8
    has_log: bool = True
    """Whether its output goes to a file; else it goes where ours goes."""
    user_id: int | None = None
    """Run as this user and group instead of our own; only root may."""
    group_id: int | None = None


class Processes:
    """Everything that one copy of the demo started; leaving the context ends it."""

    def __init__(self, logs: Path, check_interruption: Callable[[], None] = lambda: None) -> None:
        """Keep the folder of the logs; `check_interruption` is called while waiting and may raise."""
        self._logs = logs
        self._check_interruption = check_interruption
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the watchdog first: nothing may run that nobody would end."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._watchdog = subprocess.Popen(
            [sys.executable, "-m", "launch.watchdog"], stdin=subprocess.PIPE, cwd=REPOSITORY, start_new_session=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Close the watchdog's pipe and wait until everything has ended."""
        watchdog = self._watchdog
        if watchdog is None or watchdog.stdin is None:
            return
        watchdog.stdin.close()
        while watchdog.poll() is None:
            self._reap()
            time.sleep(POLL_SECONDS)
        self._reap()

    def _reap(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in self._running.values() if process.poll() is not None]

    def start(self, program: Program, environment: Mapping[str, str]) -> int:
        """Start a program in the background and return its process number; its output goes to its log file."""
        with ExitStack() as stack:
            log = stack.enter_context(self.log(program.name).open("ab")) if program.has_log else None
            process = subprocess.Popen(  # noqa: S603 - the caller names our own programs
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log and subprocess.STDOUT,
                env=dict(environment),
                cwd=REPOSITORY,
                start_new_session=True,
                user=program.user_id,
                group=program.group_id,
            )
        self._running[program.name] = process
        self._announce(program, process.pid)
        return process.pid

    def _announce(self, program: Program, pid: int) -> None:
        try:
            created_at = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return
        started = Started(
            pid, program.rank, program.signal_number, program.is_whole_session, program.patience_seconds, created_at
        )
        if self._watchdog is None or self._watchdog.stdin is None:
            msg = "Processes are started inside their context only"
            raise RuntimeError(msg)
        self._watchdog.stdin.write(started.line().encode())
        self._watchdog.stdin.flush()

    def adopt(self, program: Program, pid: int) -> None:
        """Take over a process that an earlier copy in the same folder left behind, so that it ends with us."""
        self._announce(program, pid)

    def log(self, name: str) -> Path:
        """Return the log file of this program."""
        return self._logs / f"{name}.log"

    def wait_for_end(self, name: str, timeout_seconds: float) -> int:
        """Wait until a started program ends by itself; return its exit code. Raises `LaunchError` when time is up."""
        process = self._running[name]
        self.wait_until(lambda: process.poll() is not None, name, timeout_seconds, watched=False)
        del self._running[name]
        return int(process.returncode)

    def require_success(self, name: str, timeout_seconds: float = 300) -> None:
        """Wait until a started program ends. Raises `LaunchError` when it fails or takes longer than this."""
        code = self.wait_for_end(name, timeout_seconds)
        if code != 0:
            msg = f"{name} failed with exit code {code}; see {self.log(name)}"
            raise LaunchError(msg)

    def ended(self) -> str | None:
        """Return one line about a program that should run but has ended, or nothing."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"{name} ended with exit code {process.returncode}; see {self.log(name)}"
        return None

    def wait_until(self, is_true: Callable[[], bool], what: str, timeout_seconds: float, *, watched: bool = True) -> None:
        """Wait for a condition. Raises `LaunchError` when time is up or, if watched, when a program ends meanwhile."""
        deadline = time.monotonic() + timeout_seconds
        while not is_true():
            self._check_interruption()
            if watched and (ended := self.ended()):
                raise LaunchError(ended)
            if time.monotonic() > deadline:
                msg = f"{what} was not ready within {timeout_seconds:.0f} seconds; see {self.log(what)}"
                raise LaunchError(msg)
            time.sleep(POLL_SECONDS)


def inherited_environment() -> dict[str, str]:
    """Return our own environment without what would steer another Airflow, or another copy of the project, by accident."""
    foreign = ("AIRFLOW_", "AIRFLOW__", "ORDER_SYNC_", "PYTHON", "SANDBOX_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    if "ORDER_SYNC_REFERENCE" in os.environ:
        kept["ORDER_SYNC_REFERENCE"] = os.environ["ORDER_SYNC_REFERENCE"]
    # The parts talk to each other on loopback; a proxy for the outside must not stand between them.
    kept["NO_PROXY"] = kept["no_proxy"] = ",".join(filter(None, (kept.get("NO_PROXY"), "127.0.0.1", "localhost")))
    return kept
