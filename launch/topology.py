"""Put the parts together: database, sandbox, ledger and the four components of Airflow, in the order that they need."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from launch.database import AnyDatabase, EmbeddedPostgres, choose_database
from launch.environment import ADMIN_NAME, ADMIN_PASSWORD, DEMO_ROLES, environment
from launch.folder_lock import FolderLock
from launch.keys import load_or_make_keys
from launch.plan import LaunchError, LaunchPlan, is_port_taken
from launch.processes import Processes, Program, inherited_environment
from launch.sandbox_server import SandboxServer

AIRFLOW = (str(Path(sys.executable).with_name("airflow")),)
COMPONENTS = (
    Program("api-server", (*AIRFLOW, "api-server"), rank=2, patience_seconds=3),
    # Told alone, and before the API server: it lets the tasks that run come to their end, and they report over that server.
    # Everything lies on one disk: nobody fetches logs over a port, and ports are what copies side by side would fight over.
    Program("scheduler", (*AIRFLOW, "scheduler", "--skip-serve-logs"), rank=3, is_whole_session=False, patience_seconds=20),
    Program("dag-processor", (*AIRFLOW, "dag-processor"), rank=3),
    Program("triggerer", (*AIRFLOW, "triggerer", "--skip-serve-logs"), rank=3),
)
READY_SECONDS = 180
HEALTH_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")

Say = Callable[[str], None]


def _silent(_line: str) -> None:
    return


class Ground:
    """What both a single sync and a whole Airflow stand on: the folder, the keys, the database, the sandbox, the ledger."""

    def __init__(
        self,
        plan: LaunchPlan,
        say: Say = _silent,
        check_interruption: Callable[[], None] = lambda: None,
        *,
        command: str = "run",
        keeps_sandbox: bool = False,
    ) -> None:
        """Keep the plan; `say` hears progress, `keeps_sandbox` lets the sandbox outlive us."""
        self.plan = plan
        self._say = say
        self._command = command
        self._keeps_sandbox = keeps_sandbox
        self.processes = Processes(plan.logs, check_interruption)
        self.database: AnyDatabase = choose_database(plan)
        self.sandbox = SandboxServer(plan)
        self._stack = ExitStack()

    @cached_property
    def environment(self) -> dict[str, str]:
        """Return the environment of every process of this plan."""
        keys = load_or_make_keys(self.plan.home / "keys.json")
        ours = environment(self.plan, keys, self.database.urls)
        return {**inherited_environment(), **ours}

    @property
    def order_sync_url(self) -> str:
        """Return the SQLAlchemy URL of the ledger."""
        return self.database.urls.order_sync

    def __enter__(self) -> Self:
        """Start everything; end what was started when something fails."""
        with ExitStack() as stack:
            stack.enter_context(FolderLock(self.plan.home, self._command))
            self._require_ports()
            stack.enter_context(self.processes)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End everything that was started, then give the folder back."""
        self._stack.__exit__(kind, error, traceback)

    def _require_ports(self) -> None:
        if self.plan.starts_sandbox:
            self.sandbox.require_ports()

    def _start(self) -> None:
        self._start_ground()
        self._wait_for_ground()

    def _start_ground(self) -> None:
        if self.plan.database == "postgres" and not isinstance(self.database, EmbeddedPostgres):
            self._say("PostgreSQL  has no wheel for this platform: SQLite is used instead")
        else:
            self._say(f"database    starting ({self.plan.database})")
        self.database.start(self.processes)
        if self.plan.starts_sandbox:
            self._start_sandbox()
        migrate = (sys.executable, "-m", "order_sync.ledger.migrate")
        self.processes.start(
            Program("ledger-migration", migrate), {**self.environment, "ORDER_SYNC_DB_URL": self.order_sync_url}
        )

    def _start_sandbox(self) -> None:
        start = self.sandbox.start_in_background if self._keeps_sandbox else self.sandbox.start
        start(self.processes, self.environment)
        if self.sandbox.is_new:
            self._say("sandbox     starting: a new store and Nextech, so the ledger begins empty too")
            self.database.forget_ledger()
        else:
            self._say("sandbox     already running: it goes on with its ledger")

    def _wait_for_ground(self) -> None:
        self.processes.require_success("ledger-migration")
        if self.plan.starts_sandbox:
            self.sandbox.wait(self.processes)


class RunningAirflow(Ground):
    """A whole Airflow on its ground; a context manager that ends everything it started.

    Raises `LaunchError` with one line when something cannot start.
    """

    @property
    def api_url(self) -> str:
        """Return the address of Airflow's REST API, without a slash at the end."""
        return f"http://127.0.0.1:{self.plan.airflow_port}/api/v2"

    def token(self) -> str:
        """Return a new JWT of the administrator."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.plan.airflow_port}/auth/token",
            json={"username": ADMIN_NAME, "password": ADMIN_PASSWORD},
            timeout=30,
            trust_env=False,
        )
        return str(answer.raise_for_status().json()["access_token"])

    def api(self) -> httpx.Client:
        """Return a client of the REST API, logged in as the administrator; its paths are relative to `api_url`."""
        authorization = {"Authorization": f"Bearer {self.token()}"}
        return httpx.Client(base_url=self.api_url, headers=authorization, timeout=30, trust_env=False)

    def ended(self) -> str | None:
        """Return one line about a part that has ended by itself, or nothing while all is well."""
        return self.processes.ended()

    def _require_ports(self) -> None:
        if is_port_taken(self.plan.airflow_port):
            msg = f"port {self.plan.airflow_port} is taken: Airflow's pages need it; end what uses it first"
            raise LaunchError(msg)
        super()._require_ports()

    def _start(self) -> None:
        self._start_ground()
        self._migrate_airflow()
        self._wait_for_ground()
        self._write_passwords()
        for component in COMPONENTS:
            self.processes.start(component, self.environment)
        self._say("Airflow     starting: api-server, scheduler, dag-processor, triggerer")
        self.processes.wait_until(self._is_healthy, "api-server", READY_SECONDS)

    def _migrate_airflow(self) -> None:
        """Bring Airflow's own database to this version; skip the seconds that it takes when that was done before."""
        done = self.plan.airflow_home / f"migrated-{type(self.database).__name__}-{version('apache-airflow-core')}"
        if done.exists():
            return
        self._say("Airflow     preparing its database (the first time only)")
        self.plan.airflow_home.mkdir(parents=True, exist_ok=True)
        self.processes.start(Program("airflow-migration", (*AIRFLOW, "db", "migrate")), self.environment)
        self.processes.require_success("airflow-migration")
        done.touch()

    def _write_passwords(self) -> None:
        path = self.plan.airflow_home / "passwords.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(dict.fromkeys(DEMO_ROLES, ADMIN_PASSWORD)), encoding="utf-8")

    def _is_healthy(self) -> bool:
        try:
            health = httpx.get(f"{self.api_url}/monitor/health", timeout=5, trust_env=False).json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(health.get(part, {}).get("status") == "healthy" for part in HEALTH_PARTS)
