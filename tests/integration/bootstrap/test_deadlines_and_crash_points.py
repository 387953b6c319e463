"""A test may watch a process and stop it; production must not be watchable. And a practice's deadline of a POST is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from order_sync import crash_points
from order_sync.bootstrap.desks import open_desk
from order_sync.bootstrap.start_up import assert_ready
from order_sync.errors import SettingsError
from order_sync.resources import PRACTICES_FILE
from tests.integration.bootstrap.written import PRACTICE

pytestmark = pytest.mark.airflow


@pytest.fixture
def watched() -> Iterator[None]:
    crash_points.watch(lambda _: None)
    yield
    crash_points.watch(None)


@pytest.mark.usefixtures("connections", "watched")
def test_a_production_run_is_refused_in_a_process_that_is_watched():
    with pytest.raises(SettingsError, match="only tests may do that"):
        assert_ready(environment={"ORDER_SYNC_ENV": "production"})
    assert_ready(environment={"ORDER_SYNC_ENV": "sandbox"})


@pytest.mark.usefixtures("connections")
def test_the_client_waits_for_an_answer_as_long_as_the_practice_says_and_not_longer(practices_file: Path):
    practices = yaml.safe_load(PRACTICES_FILE.read_text())
    next(one for one in practices["practices"] if one["id"] == PRACTICE)["posting"] = {"answer_seconds": 1.5}
    practices_file.write_text(yaml.safe_dump(practices))
    with open_desk(PRACTICE) as desk:
        assert desk.nextech._answer_seconds == 1.5
