"""Start processes of the product quickly: one interpreter has imported everything, and each process is a fork of it.

It runs as `python -m tests.crash.nursery`, reads one life a line, and says of each child when it stops and how it ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.crash.life import Life, live, warm_up

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process of the product."""

    nursery: Nursery
    name: str
    pid: int

    def signal(self, *numbers: signal.Signals) -> None:
        """Send it signals."""
        for number in numbers:
            os.kill(self.pid, number)

    def wait_until_it_stops(self) -> bool:
        """Return True when it stands still, False when it has ended without."""
        return self.nursery.wait(self.pid, "stopped", "ended") == "stopped"

    def wait_until_it_ends(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        """Return its exit code, negative for a signal; None when it is still alive after so long."""
        if self.nursery.wait(self.pid, "ended", seconds=seconds) is None:
            return None
        return self.nursery.codes[self.pid]


class Nursery:
    """The parent of all processes of one test process."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'include'}{os.pathsep}{ROOT}"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.crash.nursery"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._news = threading.Condition()
        self._said: dict[int, list[str]] = defaultdict(list)
        self._born: dict[str, int] = {}
        self.codes: dict[int, int] = {}
        self._listener = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)
        self._listener.join(PATIENCE_SECONDS)
        self._process.stdout.close()

    def bear(self, life: Life) -> Child:
        """Start a process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(life.described()) + "\n")
        self._process.stdin.flush()
        with self._news:
            assert self._news.wait_for(lambda: life.name in self._born, PATIENCE_SECONDS), "no process was born"
            return Child(self, life.name, self._born[life.name])

    def wait(self, pid: int, *states: str, seconds: float = PATIENCE_SECONDS) -> str | None:
        """Return the first of these states that a child has reached, None when none came in time."""
        with self._news:
            self._news.wait_for(lambda: any(state in self._said[pid] for state in states), seconds)
            return next((state for state in states if state in self._said[pid]), None)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = json.loads(line)
            with self._news:
                if news["state"] == "born":
                    self._born[news["name"]] = news["pid"]
                else:
                    self._said[news["pid"]].append(news["state"])
                    self.codes[news["pid"]] = news["code"]
                self._news.notify_all()


def main() -> None:
    """Bear children until the input ends; then end those that are left."""
    warm_up()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: set[int] = set()
    lives = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - a buffer would hide from `select` what it holds
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
            _tell_of(children)
        if 0 in ready:
            line = lives.readline()
            if not line:
                break
            _bear(json.loads(line), children, (reading, writing))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while children and time.monotonic() < ends_at:
        _tell_of(children)
        time.sleep(0.01)


def _bear(described: dict[str, Any], children: set[int], pipe: tuple[int, int]) -> None:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in pipe:
            os.close(number)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        live(Life(**described))
    children.add(pid)
    _say(state="born", name=described["name"], pid=pid)


def _tell_of(children: set[int]) -> None:
    for pid in list(children):
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if not found:
            continue
        if os.WIFSTOPPED(status):
            _say(state="stopped", pid=pid, code=0)
        else:
            children.discard(pid)
            _say(state="ended", pid=pid, code=os.waitstatus_to_exitcode(status))


def _say(**news: object) -> None:
    sys.stdout.write(json.dumps(news) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
