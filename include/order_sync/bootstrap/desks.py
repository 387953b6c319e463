"""Put a practice's clients, ledger, keys and clock together, from Airflow's connections."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from order_sync.bootstrap.connections import ledger_url, read_keys
from order_sync.bootstrap.practice_clients import open_clients, report_wrong_settings
from order_sync.clock import SystemClock
from order_sync.desk import Desk, Progress, Threads, no_progress
from order_sync.errors import SettingsError
from order_sync.ledger.migrate import require_current
from order_sync.ledger.session import Ledger, open_engine
from order_sync.practices import Practice, load_practices
from order_sync.resources import PRACTICES_FILE

SWEEP_SECONDS = 600.0
"""A sweep takes up nothing new after this; the task's own timeout lies behind it."""


def practices_file() -> Path:
    """Return the file named by ORDER_SYNC_PRACTICES, or the project's own."""
    return Path(os.environ.get("ORDER_SYNC_PRACTICES") or PRACTICES_FILE)


def load_all_practices() -> tuple[Practice, ...]:
    """Return every practice; raises `SettingsError` naming file, practice and field of what is wrong."""
    return load_practices(practices_file())


def load_practice(practice_id: str) -> Practice:
    """Return one practice; raises `SettingsError` when the file does not have it."""
    for practice in load_all_practices():
        if practice.id == practice_id:
            return practice
    msg = f"{practices_file().name}: there is no practice {practice_id}"
    raise SettingsError(msg)


@contextmanager
def open_ledger() -> Iterator[Ledger]:
    """Open the ledger named by the connection `sync_db`; raises `SettingsError` when its schema is not the code's."""
    ledger = Ledger(open_engine(ledger_url().render_as_string(hide_password=False)))
    try:
        require_current(ledger.engine)
        yield ledger
    finally:
        ledger.close()


@contextmanager
def open_desk(practice_id: str, *, progress: Progress = no_progress) -> Iterator[Desk]:
    """Open all that is needed to work on one practice, and give it back at the end.

    A setting that is wrong becomes a row of the queue, and the `SettingsError` is raised on.
    """
    practice, clock = load_practice(practice_id), SystemClock()
    with open_ledger() as ledger:
        with report_wrong_settings(ledger, practice_id):
            keys, clients = read_keys(), open_clients(practice, ledger, clock)
        with clients:
            yield Desk(
                practice=practice,
                store=clients.store,
                nextech=clients.nextech,
                ledger=ledger,
                keys=keys,
                clock=clock,
                fan_out=Threads(practice.posting.concurrent_posts),
                progress=progress,
                ends_at=clock.monotonic() + SWEEP_SECONDS,
            )
