"""The pages over a small world: one virtual clock, and SQLite without waiting for the disk."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from order_sync.ledger.session import Ledger, open_engine
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.houses import SmallHouse
from tests.worlds import WEDNESDAY_NOON, SmallWorld


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(WEDNESDAY_NOON)


@pytest.fixture
def ledger(_migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    path = tmp_path / "ledger.db"
    shutil.copyfile(_migrated_sqlite, path)
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _trust_the_disk)
    ledger = Ledger(engine, clock)
    yield ledger
    ledger.close()


def _trust_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def world(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """No patients and no orders yet."""
    return SmallWorld(ledger, clock, SandboxOptions(is_empty=True))


@pytest.fixture
def house(world: SmallWorld) -> SmallHouse:
    return SmallHouse(world)


@pytest.fixture
def four(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """Four paid orders of four known patients."""
    return SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 4}))
