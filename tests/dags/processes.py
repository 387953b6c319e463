"""What an operating system does to Airflow's processes: they are killed, or stand still and go on as if nothing happened."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from launch.topology import COMPONENTS
from tests.dags.running import Running, TaskOfRun, WatchedRun, wait_for

_SCHEDULER = next(component for component in COMPONENTS if component.name == "scheduler")


@dataclass(frozen=True)
class TaskProcesses:
    """The two processes of a running task: the one that does the work, and its supervisor, which reports to Airflow."""

    task: psutil.Process
    supervisor: psutil.Process

    def kill_task(self) -> None:
        """Kill the work; the supervisor sees it."""
        self.task.kill()

    def kill_both(self) -> None:
        """Kill both, as when a machine dies; nobody tells Airflow."""
        self.supervisor.kill()
        self.task.kill()

    def freeze(self) -> None:
        """Let both stand still, as a machine that is suspended does."""
        self.supervisor.suspend()
        self.task.suspend()

    def thaw(self) -> None:
        """Let both go on."""
        self.task.resume()
        self.supervisor.resume()

    def have_ended(self) -> bool:
        """Say whether the work is at its end; the supervisor takes up other tasks."""
        return not self.task.is_running() or self.task.status() == psutil.STATUS_ZOMBIE


def posting_task(run: WatchedRun, practice_id: str, try_number: int = 1) -> TaskOfRun:
    """Return the running posting task of a practice, at this try."""

    def running_try() -> TaskOfRun | None:
        task = run.task("sync_practice.post_payments", practice_id)
        is_meant = task is not None and task.state == "running" and task.try_number == try_number and task.pid is not None
        return task if is_meant else None

    found = wait_for(running_try, f"try {try_number} of the posting task")
    assert found is not None
    return found


def processes_of(task: TaskOfRun) -> TaskProcesses:
    """Return the processes of a running task; all run on this machine."""
    assert task.pid is not None
    process = psutil.Process(task.pid)
    supervisor = process.parent()
    assert supervisor is not None
    return TaskProcesses(process, supervisor)


def kill_scheduler(running: Running, *, with_tasks: bool) -> None:
    """Kill the scheduler; with `tasks`, also its executor's workers and their tasks, as when its container dies."""
    (scheduler,) = (child for child in psutil.Process().children() if "scheduler" in " ".join(child.cmdline()))
    below = scheduler.children(recursive=True)
    scheduler.kill()
    for process in below if with_tasks else []:
        process.kill()
    running.airflow.processes.wait_for_end("scheduler", timeout_seconds=30)


def start_scheduler(running: Running) -> None:
    """Start it again, as compose's restart policy does."""
    running.airflow.processes.start(_SCHEDULER, running.airflow.environment)
