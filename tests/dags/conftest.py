"""One Airflow for each module that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dags.running import DAG, Running, WatchedRun, runs, wait_for
from tests.dags.starting import Setting, start_airflow


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """A whole Airflow; its clock ticks once a year, so that no run but the tests' own comes between."""
    # Long enough that a task which is cleared is ended before it has its answer: its supervisor asks every five seconds.
    with start_airflow(Setting(posting={practice: {"answer_seconds": 24} for practice in ("arizona", "central")})) as running:
        yield running


@pytest.fixture(scope="session")
def first_run(running: Running) -> WatchedRun:
    """The run that the scheduler makes by itself as soon as it knows the DAG, at its end."""
    wait_for(lambda: running.api.get(DAG).is_success, "the DAG in the pages")
    wait_for(lambda: runs(running.api), "the first run")
    first = runs(running.api)[0]
    first.wait()
    return first
