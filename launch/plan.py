"""What to start and where: one immutable value that `make run`, `make sync` and the tests of a real scheduler share."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

REPOSITORY = Path(__file__).resolve().parent.parent
DEMO_PRACTICES = ("eastern", "central", "arizona")

Database = Literal["postgres", "sqlite"]


class LaunchError(Exception):
    """Say in one line why the demo cannot start or go on; shown to the person without a stack trace."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One copy of everything: its folder, its ports, its practices. Two plans that share neither folder nor port coexist."""

    home: Path
    """Everything that is written lies in here; deleting it forgets the copy.

    For root, no folder above it may be private: PostgreSQL refuses root and runs as a user of its own.
    """
    airflow_port: int = 8080
    sandbox_port: int = 8090
    smtp_port: int = 8025
    practices: tuple[str, ...] = DEMO_PRACTICES
    database: Database = "postgres"
    """What is asked for; where the embedded PostgreSQL has no wheel, SQLite is used and said."""
    dags_folder: Path = REPOSITORY / "dags"
    plugins_folder: Path = REPOSITORY / "plugins"
    practices_file: Path = REPOSITORY / "include" / "practices.yaml"
    starts_sandbox: bool = True
    has_history: bool = False
    """Whether the sandbox begins with the ordinary orders of the weeks before, for the reports."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables laid over the computed ones, such as a shorter heartbeat timeout."""

    @classmethod
    def on_free_ports(cls, home: Path, **others: object) -> Self:
        """Plan a copy in this folder on ports that are free now; the other fields as in the constructor."""
        airflow_port, sandbox_port, smtp_port = free_ports(3)
        return cls(home, airflow_port, sandbox_port, smtp_port, **others)  # type: ignore[arg-type]

    @property
    def airflow_home(self) -> Path:
        """Return the folder that becomes AIRFLOW_HOME."""
        return self.home / "airflow"

    @property
    def logs(self) -> Path:
        """Return the folder of every log: one file per component, and Airflow's task logs in `tasks/`."""
        return self.home / "logs"

    @property
    def airflow_url(self) -> str:
        """Return the address of the Airflow pages."""
        return f"http://localhost:{self.airflow_port}"

    @property
    def sandbox_url(self) -> str:
        """Return the address of the sandbox, without a slash at the end."""
        return f"http://127.0.0.1:{self.sandbox_port}"


def free_ports(count: int) -> list[int]:
    """Return this many different loopback ports that nothing listens on, chosen by the operating system."""
    listeners = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def is_port_taken(port: int) -> bool:
    """Say whether somebody already listens on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
