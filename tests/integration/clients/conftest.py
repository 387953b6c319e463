"""A transport of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from order_sync.clients.deadline import (
    DeadlineTransport,
)
from tests.integration.clients.exchanges import CLOCK


@pytest.fixture
def transport() -> Iterator[DeadlineTransport]:
    opened = DeadlineTransport(CLOCK)
    yield opened
    opened.close()
