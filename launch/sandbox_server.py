"""Start the sandbox, or find the one that this folder started: the ledger and the sandbox belong together.

The sandbox keeps what was booked in memory. A new sandbox beside an old ledger would be a Nextech that has lost every
payment, so whoever starts one makes the ledger empty too (`is_new`).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import httpx
import psutil

from launch.plan import REPOSITORY, LaunchError, LaunchPlan, is_port_taken
from launch.processes import Processes, Program

SIGNATURE = "order_sync sandbox"
START_SECONDS = 60


class SandboxServer:
    """The sandbox of one plan."""

    def __init__(self, plan: LaunchPlan) -> None:
        """Keep the plan; nothing is started yet."""
        self._plan = plan
        self._note = plan.home / "sandbox.json"
        self._background: subprocess.Popen[bytes] | None = None
        self.is_new = False
        """Whether this object started it, so that nothing was booked in it before."""

    def _noted(self) -> psutil.Process | None:
        """Return the living process that this folder started earlier; a number given away again is not it."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            process = psutil.Process(int(note["pid"]))
            is_ours = process.create_time() == note["created_at"] and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, KeyError, psutil.Error):
            return None
        return process if is_ours else None

    def answers(self) -> bool:
        """Say whether a sandbox answers on the plan's port."""
        try:
            answer = httpx.get(f"{self._plan.sandbox_url}/healthz", timeout=2, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK and SIGNATURE in answer.text

    def is_running(self) -> bool:
        """Say whether the sandbox that this folder started is up."""
        return self._noted() is not None and self.answers()

    def require_ports(self) -> None:
        """Raise `LaunchError` when a port of the sandbox is in somebody else's use."""
        if self.is_running():
            return
        if self.answers():
            msg = f"port {self._plan.sandbox_port} is taken by a sandbox that was not started here; end that one first"
            raise LaunchError(msg)
        for port, purpose in ((self._plan.sandbox_port, "the sandbox"), (self._plan.smtp_port, "the sandbox's mail")):
            if is_port_taken(port):
                msg = f"port {port} is taken: {purpose} needs it; end what uses it first"
                raise LaunchError(msg)

    def _command(self) -> list[str]:
        ports = ["--port", str(self._plan.sandbox_port), "--smtp-port", str(self._plan.smtp_port)]
        return [sys.executable, "-m", "sandbox", *ports, *(["--history"] if self._plan.has_history else [])]

    def start(self, processes: Processes, environment: Mapping[str, str]) -> None:
        """Start it as one of these processes, unless it runs already; does not wait."""
        if self.is_running():
            return
        pid = processes.start(Program("sandbox", self._command(), rank=1, patience_seconds=5), environment)
        self._write_note(pid)

    def start_in_background(self, processes: Processes, environment: Mapping[str, str]) -> None:
        """Start it so that it outlives us, unless it runs already; `stop` ends it. Does not wait."""
        if self.is_running():
            return
        with processes.log("sandbox").open("ab") as log:
            self._background = subprocess.Popen(  # noqa: S603 - our own module
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=REPOSITORY,
                start_new_session=True,
            )
        self._write_note(self._background.pid)

    def _write_note(self, pid: int) -> None:
        self.is_new = True
        created_at = psutil.Process(pid).create_time()
        self._note.write_text(json.dumps({"pid": pid, "created_at": created_at}), encoding="utf-8")

    def wait(self, processes: Processes) -> None:
        """Wait until it answers. Raises `LaunchError` when it does not."""
        processes.wait_until(self._is_up_or_dead, "sandbox", START_SECONDS)
        if not self.is_running():
            msg = f"the sandbox ended while starting; see {processes.log('sandbox')}"
            raise LaunchError(msg)

    def _is_up_or_dead(self) -> bool:
        return self._noted() is None or self.answers()

    def stop(self, timeout_seconds: float = 5) -> bool:
        """End the sandbox that was started in the background; say whether there was one."""
        process = self._noted()
        if process is None:
            return False
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + timeout_seconds
        while self._noted() is not None:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
        if self._background is not None:
            self._background.wait()
        return True
