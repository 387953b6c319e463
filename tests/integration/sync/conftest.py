"""The sandbox lives in the present, so the ledger does too: it tells the database's own time."""

from collections.abc import Iterator

import pytest

from order_sync.ledger.session import Ledger, open_engine
from sandbox.server import RunningSandbox
from sandbox.world import SandboxOptions


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = Ledger(open_engine(ledger_url))
    yield ledger
    ledger.close()


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions()) as running:
        yield running
