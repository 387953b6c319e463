"""A world on a virtual clock, in which a morning comes in a call."""

from __future__ import annotations

import pytest

from order_sync.ledger.session import Ledger
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.worlds import WEDNESDAY_NOON, SmallWorld


@pytest.fixture
def database() -> str:
    """Where these tests keep the ledger; what depends on the database is in tests/integration/ledger."""
    return "sqlite"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(WEDNESDAY_NOON)


@pytest.fixture
def four(ledger: Ledger, clock: FakeClock) -> SmallWorld:
    """Four paid orders of known patients, placed on Wednesday, 2026-11-18, and not synced yet."""
    return SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 4}))
