"""End what the demo started, whoever ends the demo: a person, the terminal, or a SIGKILL that nobody can catch.

Runs as a process of its own in a session of its own and reads lines from the pipe that its parent holds. When the pipe
closes, for whatever reason, it ends everything that was announced in it. It is the only place that ends processes, so the
way out that matters most is the one that is taken every time.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import psutil

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started as the leader of its own session."""

    pid: int
    rank: int
    """Higher ranks end first: Airflow before the sandbox, the sandbox before the database."""
    signal_number: int
    is_whole_session: bool
    """Whether its descendants get the signal too; a database wants to tell its own."""
    patience_seconds: float
    """How long it may take to end by itself before it is killed."""
    created_at: float
    """The system's own note of its start: a process number that was given away again is not ours any more."""

    def line(self) -> str:
        """Write it as the line that `read` understands."""
        session = int(self.is_whole_session)
        return f"{self.pid} {self.rank} {self.signal_number} {session} {self.patience_seconds} {self.created_at!r}\n"

    @classmethod
    def read(cls, line: str) -> Started:
        """Read what `line` wrote."""
        pid, rank, number, session, patience, created = line.split()
        return cls(int(pid), int(rank), int(number), session == "1", float(patience), float(created))

    def living(self) -> list[psutil.Process]:
        """Return the processes of its session that still run, the leader first when it is among them."""
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.pid and self._is_ours(process):
                    found.append(process)
            except (ProcessLookupError, PermissionError, psutil.Error):
                continue
        return sorted(found, key=lambda process: process.pid != self.pid)

    def _is_ours(self, process: psutil.Process) -> bool:
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() >= self.created_at - 1


def end_all(everything: Iterable[Started]) -> None:
    """Ask every session to end, the highest rank first, and kill what has not ended within its patience."""
    ordered = sorted(everything, key=lambda started: -started.rank)
    for _, members in groupby(ordered, key=lambda started: started.rank):
        _end(list(members))


def _end(members: list[Started]) -> None:
    for started in members:
        living = started.living()
        for process in living if started.is_whole_session else living[:1]:
            _send(process, started.signal_number)
    deadlines = {started: time.monotonic() + started.patience_seconds for started in members}
    while deadlines:
        for started, deadline in list(deadlines.items()):
            living = started.living()
            if not living:
                del deadlines[started]
            elif time.monotonic() > deadline:
                for process in living:
                    _send(process, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except (psutil.Error, OSError):
        return  # it has just ended by itself


def watch(lines: Iterable[str]) -> None:
    """Collect what is announced until the lines end, then end it all."""
    end_all([Started.read(line) for line in lines if line.endswith("\n")])


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(sys.stdin)
