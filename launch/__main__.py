"""The commands behind the Makefile: `run`, `sync`, `stop`, `reset`."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from launch.environment import ADMIN_NAME, ADMIN_PASSWORD
from launch.first_reports import FirstReports
from launch.folder_lock import FolderLock, FolderTakenError
from launch.plan import REPOSITORY, LaunchError, LaunchPlan
from launch.processes import Program
from launch.sandbox_server import SandboxServer
from launch.topology import Ground, RunningAirflow

SYNC_SECONDS = 3600


class InterruptedByPersonError(Exception):
    """Somebody pressed Ctrl-C, closed the terminal or asked us to end."""


class Interruption:
    """Remember that a signal came; the waiting loops ask, so that no signal lands in the middle of a step."""

    def __init__(self) -> None:
        """Listen to Ctrl-C, to the closing of the terminal and to a polite kill."""
        self._is_requested = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._remember)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self._is_requested = True

    def check(self) -> None:
        """Raise `InterruptedByPersonError` when a signal has come."""
        if self._is_requested:
            raise InterruptedByPersonError


def say(line: str) -> None:
    """Print one line at once; a terminal that was closed is no reason to stop cleaning up."""
    with suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def run(plan: LaunchPlan, interruption: Interruption) -> int:
    """Start everything, say where to look, and stay until somebody ends it or a part breaks."""
    with RunningAirflow(plan, say, interruption.check) as airflow:
        say(_where_to_look(plan))
        try:
            first_reports = FirstReports(airflow)
            airflow.processes.wait_until(lambda: first_reports.ask_for_them() and False, "make run", float("inf"))
        except InterruptedByPersonError:
            say("\nending everything that was started")
    say("ended")
    return 0


def _where_to_look(plan: LaunchPlan) -> str:
    return f"""
Airflow     {plan.airflow_url}   user {ADMIN_NAME}, desk or viewer, password {ADMIN_PASSWORD}; Orders is in the navigation
sandbox     {plan.sandbox_url}   the store, Nextech, what was really booked, the mails, and faults to switch on

To try:     watch the DAG sync_orders, which runs every 15 minutes, or trigger it
            open the red tasks of sync_order: each says which order needs a person, and why; clear one to try it again
            open Orders as desk, filter Not Synced, resolve a duplicated customer, and see it become Synced
            switch on a fault at {plan.sandbox_url}, and see that nothing is lost and nothing is posted twice
            read the letters of the last days and of last month at {plan.sandbox_url}/mail, a minute after the first run
Logs        {plan.logs}
Ctrl-C ends everything."""


def sync(plan: LaunchPlan, interruption: Interruption) -> int:
    """Sync every practice once; return the sync's own exit code."""
    ground = Ground(plan, say, interruption.check, command="sync", keeps_sandbox=True)
    program = Program("sync", (sys.executable, "-m", "order_sync.command_line", "sync"), has_log=False)
    try:
        with ground:
            ground.processes.start(program, ground.environment)
            code = ground.processes.wait_for_end("sync", SYNC_SECONDS)
    except FolderTakenError as taken:
        if taken.owner != "run":
            raise
        return _sync_beside_run(ground, program)
    say(f"The sandbox stays at {plan.sandbox_url} and remembers what was booked; 'make stop' ends it.")
    return code


def _sync_beside_run(ground: Ground, program: Program) -> int:
    """Use the database and the sandbox of the `make run` that is up."""
    if not (ground.database.is_running() and ground.sandbox.is_running()):
        msg = "'make run' is still starting; try again when it says where to look"
        raise LaunchError(msg)
    with ground.processes as processes:
        processes.start(program, ground.environment)
        return processes.wait_for_end("sync", SYNC_SECONDS)


def stop(plan: LaunchPlan) -> int:
    """End the sandbox that `make sync` left running."""
    with FolderLock(plan.home, "stop"):
        say("sandbox ended" if SandboxServer(plan).stop() else "nothing was running")
    return 0


def reset(plan: LaunchPlan) -> int:
    """Forget the demo: delete what was written in its folder, and nothing else that lies there."""
    with FolderLock(plan.home, "reset"):
        SandboxServer(plan).stop()
        for folder in ("airflow", "logs", "postgres"):
            shutil.rmtree(plan.home / folder, ignore_errors=True)
        for pattern in ("airflow.db*", "order_sync.db*", "keys.json", "sandbox.json"):
            for file in plan.home.glob(pattern):
                file.unlink()
    say("forgotten")
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m launch", description=__doc__)
    parser.add_argument("command", choices=("run", "sync", "stop", "reset"))
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run", help="where everything is written")
    parser.add_argument("--airflow-port", type=int, default=8080)
    parser.add_argument("--sandbox-port", type=int, default=8090)
    parser.add_argument("--smtp-port", type=int, default=8025)
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; a reason to refuse becomes one line and exit code 1."""
    chosen = _arguments(arguments)
    plan = LaunchPlan(
        chosen.home.resolve(),
        chosen.airflow_port,
        chosen.sandbox_port,
        chosen.smtp_port,
        database=chosen.database,
        has_history=True,
    )
    try:
        match chosen.command:
            case "run":
                return run(plan, Interruption())
            case "sync":
                return sync(plan, Interruption())
            case "stop":
                return stop(plan)
            case _:
                return reset(plan)
    except InterruptedByPersonError:
        say("\nended")
        return 130
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
