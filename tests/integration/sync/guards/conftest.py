"""The ground on which a schedule is played: empty ledgers on one virtual clock."""

from collections.abc import Callable

import pytest

from order_sync.ledger.session import Ledger
from tests.clocks import FakeClock
from tests.integration.sync.guards.ground import Ground
from tests.integration.sync.in_process.conftest import clock, new_ledger

__all__ = ["clock", "new_ledger"]


@pytest.fixture
def ground(new_ledger: Callable[[], Ledger], clock: FakeClock) -> Ground:
    return Ground(new_ledger, clock)
