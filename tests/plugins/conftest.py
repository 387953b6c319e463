"""Airflow's real API server with our plugin, once with each auth manager."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from launch.plan import REPOSITORY, free_ports
from order_sync.ledger.session import Ledger, open_engine
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.integration.ledger.rows import saved_order
from tests.plugins.api_server import FAB, SIMPLE
from tests.plugins.visits import JWT_SECRET, ApiServer

START_SECONDS = 120


def _environment(home: Path, ledger: Path, auth_manager: str, base_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ORDER_SYNC"))}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "include"), str(REPOSITORY))),
        "PYTHONWARNINGS": "ignore",
        "_AIRFLOW_PROCESS_CONTEXT": "server",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__AUTH_MANAGER": auth_manager,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ada:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API__BASE_URL": base_url,
        "AIRFLOW__API__SECRET_KEY": "a session key for tests",
        "AIRFLOW__API_AUTH__JWT_SECRET": JWT_SECRET,
        "LEDGER_OF_THE_TEST": f"sqlite:////{ledger}",
        "ROLES_OF_THE_TEST": str(REPOSITORY / "deploy" / "roles.json"),
    }


def _keep_an_order(path: Path) -> None:
    """Let there be order 1, which waits for a person: a page about nothing tells nobody whether it is closed."""
    ledger = Ledger(open_engine(f"sqlite:///{path}"))
    order = saved_order(ledger, OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER)
    assert order.id == 1
    ledger.close()


@contextmanager
def _serve(home: Path, migrated: Path, auth_manager: str, path: str) -> Iterator[ApiServer]:
    [port] = free_ports(1)
    base_url = f"http://127.0.0.1:{port}{path}"
    ledger = home / "ledger.db"
    shutil.copyfile(migrated, ledger)
    _keep_an_order(ledger)
    log, ready = home / "server.log", home / "tokens.json"
    # Into a file, not a pipe: a server that writes down each request would soon stand still before a full one.
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.plugins.api_server", str(port), str(ready)],
            env=_environment(home, ledger, auth_manager, base_url),
            cwd=REPOSITORY,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    try:
        ends_at = time.monotonic() + START_SECONDS
        while not ready.exists():
            is_late = time.monotonic() > ends_at
            assert process.poll() is None, log.read_text()[-3000:]
            assert not is_late, "the API server did not start in time"
            time.sleep(0.1)
        yield ApiServer(base_url, json.loads(ready.read_text(encoding="utf-8")), log, ledger)
    finally:
        process.kill()  # it has nothing to lose, and would wait for connections that a test left open
        process.wait()


@pytest.fixture(scope="session")
def simple_server(tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path) -> Iterator[ApiServer]:
    """Airflow with its simple auth manager, below a path of its host, as behind many a proxy."""
    with _serve(tmp_path_factory.mktemp("simple"), _migrated_sqlite, SIMPLE, "/practice/airflow") as server:
        yield server


@pytest.fixture(scope="session")
def fab_server(tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path) -> Iterator[ApiServer]:
    """Airflow with FAB, as in production, with the roles of deploy/roles.json."""
    with _serve(tmp_path_factory.mktemp("fab"), _migrated_sqlite, FAB, "") as server:
        yield server
