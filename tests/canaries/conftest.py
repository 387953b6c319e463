"""A stage that is watched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from order_sync.ledger.session import Ledger, open_engine
from tests.canaries.stage import Stage, open_stage
from tests.canaries.watch import Watch, watching
from tests.clocks import FakeClock
from tests.worlds import WEDNESDAY_NOON


@pytest.fixture
def database() -> str:
    """Where these tests keep the ledger: its columns are the same on both."""
    return "sqlite"


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with watching(tmp_path, monkeypatch) as watch:
        yield watch


@pytest.fixture
def stage(watch: Watch, ledger_url: str) -> Iterator[Stage]:
    clock = FakeClock(WEDNESDAY_NOON)
    engine = open_engine(ledger_url)
    event.listen(engine, "connect", _trust_the_disk)
    ledger = Ledger(engine, clock)
    yield open_stage(ledger, watch, clock)
    ledger.close()


def _trust_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
