"""One virtual clock for the product and its neighbours, and SQLite without waiting for the disk."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from order_sync.ledger.session import Ledger, open_engine
from order_sync.statuses import OrderState
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.integration.sync.in_process.ora import Ora
from tests.worlds import WEDNESDAY_NOON, SmallWorld


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(WEDNESDAY_NOON)


@pytest.fixture
def new_ledger(_migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> Iterator[Callable[[], Ledger]]:
    """Open an empty ledger on the virtual clock, as often as it is called."""
    opened: list[Ledger] = []

    def open_one() -> Ledger:
        path = tmp_path / f"ledger{len(opened)}.db"
        shutil.copyfile(_migrated_sqlite, path)
        engine = open_engine(f"sqlite:///{path}")
        event.listen(engine, "connect", _trust_the_disk)
        opened.append(Ledger(engine, clock))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


def _trust_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def ledger(new_ledger: Callable[[], Ledger]) -> Ledger:
    return new_ledger()


@pytest.fixture
def empty(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """No patients and no orders yet."""
    return SmallWorld(ledger, clock)


@pytest.fixture
def one(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """One paid order of one known patient."""
    return SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 1}))


@pytest.fixture
def ten(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """Ten paid orders of ten known patients."""
    return SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 10}))


@pytest.fixture
def demo(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """The demo's eastern practice."""
    return SmallWorld(ledger, clock, SandboxOptions())


@pytest.fixture
def picked(empty: SmallWorld) -> Ora:
    """Sent to the wrong chart by a person; no run has posted it yet."""
    return Ora(empty)


@pytest.fixture
def posted(picked: Ora) -> Ora:
    """Posted to the wrong chart."""
    picked.world.run_after(minutes=(15,))
    assert picked.order.state is OrderState.CONFIRMED
    return picked


@pytest.fixture
def voided(posted: Ora) -> Ora:
    """Posted to the wrong chart, and voided there."""
    posted.begin()
    posted.void()
    posted.look()
    return posted
