"""Airflow's connections as environment variables, right until a test spoils one; Airflow itself in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from order_sync.ledger.session import Ledger, open_engine
from sandbox.demo.practices import NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PRACTICES
from sandbox.server import RunningSandbox
from sandbox.world import SandboxOptions
from tests.desks import KEYS
from tests.integration.bootstrap.written import PRACTICE, Connections


@pytest.fixture(scope="session", autouse=True)
def _airflow_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Airflow makes its folders where it is first imported, and asks its own database for what no variable says.
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))


@pytest.fixture
def database() -> str:
    """Where these tests keep the ledger: what they are about does not depend on it."""
    return "sqlite"


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """The ledger that the connection `sync_db` names; it tells the database's own time, as in production."""
    ledger = Ledger(open_engine(ledger_url))
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(is_empty=True)) as running:
        yield running


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox, ledger_url: str) -> Connections:
    """Every connection of one practice, all of them right."""
    facts = PRACTICES[PRACTICE]
    written = Connections(monkeypatch)
    written.write_text("sync_db", ledger_url)
    written.write(
        "order_sync_keys",
        conn_type="generic",
        password=KEYS.marker.decode(),
        extra={"customer_key": KEYS.customer.decode()},
    )
    written.write(
        f"store_{PRACTICE}",
        conn_type="http",
        host=f"{sandbox.url}/store/{PRACTICE}",
        password=facts.store_token,
        extra={"auth": "bearer", "status_writer": "module"},
    )
    written.write(
        f"nextech_{PRACTICE}",
        conn_type="http",
        host=f"{sandbox.url}/nextech/api",
        login=facts.nextech_user,
        password=facts.nextech_password,
        extra={
            "token_url": f"{sandbox.url}/nextech/oauth2/token",
            "client_id": NEXTECH_CLIENT_ID,
            "resource": NEXTECH_RESOURCE,
            "practice_id": facts.practice_guid,
        },
    )
    return written


@pytest.fixture
def practices_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The practices file that ORDER_SYNC_PRACTICES names; not written yet."""
    path = tmp_path / "practices.yaml"
    monkeypatch.setenv("ORDER_SYNC_PRACTICES", str(path))
    return path
