"""The pages over a small world: one virtual clock, and SQLite without waiting for the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from order_sync.ledger.session import Ledger
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.houses import SmallHouse
from tests.integration.web.grounds import open_copy
from tests.worlds import WEDNESDAY_NOON, SmallWorld


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(WEDNESDAY_NOON)


@pytest.fixture
def ledger(_migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    with open_copy(_migrated_sqlite, tmp_path / "ledger.db", clock) as ledger:
        yield ledger


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
