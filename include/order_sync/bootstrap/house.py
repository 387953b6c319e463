"""The house of the Orders pages: what they need from Airflow, once for the whole process of the API server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import URL, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError

from order_sync.bootstrap.connections import ledger_url, read_keys
from order_sync.bootstrap.desks import load_all_practices, practices_file
from order_sync.bootstrap.practice_clients import KeptClients, report_wrong_settings
from order_sync.bootstrap.sync_requests import ask_for_sync
from order_sync.bootstrap.task_links import find_task_links
from order_sync.clients.patience import patience
from order_sync.clock import SystemClock
from order_sync.desk import Desk
from order_sync.errors import SettingsError, TransientError
from order_sync.ledger.migrate import require_current
from order_sync.ledger.session import Ledger, open_engine
from order_sync.practices import Practice
from order_sync.web.house import TaskLink

T = TypeVar("T")
R = TypeVar("R")

PATIENCE_SECONDS = 20.0
"""All that a page reads from the store and Nextech has to come within this."""
CONNECT_SECONDS = 5
"""For the ledger's database to take a connection."""
READS_AT_ONCE = 4


class AirflowHouse:
    """Everything around the pages, from Airflow's connections and settings; thread-safe.

    Nothing is opened before a page asks: a wrong setting must not keep the API server, which tasks report to, from starting.
    """

    def __init__(self) -> None:
        """Open nothing yet."""
        self.clock = SystemClock()
        self._clients = KeptClients(self.clock)
        self._pool = LedgerPool()
        self._practices: tuple[object, tuple[Practice, ...]] | None = None

    @property
    def ledger(self) -> Ledger:
        """Return the process's ledger; raises `SettingsError`, and `TransientError` while its database does not answer."""
        return self._pool.ledger()

    @cached_property
    def form_key(self) -> bytes:
        """Return Airflow's own secret for what a browser brings back."""
        from airflow.api_fastapi.auth.tokens import get_signing_key

        key: str | bytes = get_signing_key("api", "secret_key")
        return key.encode() if isinstance(key, str) else key

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Return the host of Airflow's base URL, which a proxy may have replaced by another."""
        from airflow.configuration import conf

        host = urlsplit(conf.get("api", "base_url", fallback="")).netloc
        return frozenset({host} if host else ())

    def practices(self) -> tuple[Practice, ...]:
        """Return every practice, read again when the file has changed; raises `SettingsError`."""
        path = practices_file()
        try:
            told = path.stat()
        except OSError:
            return load_all_practices()  # which says what is wrong
        version = (path, told.st_mtime_ns, told.st_size, told.st_ino)
        known = self._practices
        if known is None or known[0] != version:
            known = self._practices = (version, load_all_practices())
        return known[1]

    @contextmanager
    def open_desk(self, practice_id: str) -> Iterator[Desk]:
        """Open a practice for one request; what it reads has to come within `PATIENCE_SECONDS`.

        A setting that is wrong becomes a row of the queue, and the `SettingsError` is raised on.
        """
        practice = self._practice(practice_id)
        ledger = self.ledger
        with report_wrong_settings(ledger, practice_id):
            keys, lent = read_keys(), self._clients.of(practice, ledger)
            clients = lent.__enter__()
        try:
            with patience(self.clock, PATIENCE_SECONDS):
                yield Desk(
                    practice=practice,
                    store=clients.store,
                    nextech=clients.nextech,
                    ledger=ledger,
                    keys=keys,
                    clock=self.clock,
                    fan_out=_threads_of_this_page,
                    ends_at=self.clock.monotonic() + PATIENCE_SECONDS,
                )
        finally:
            lent.__exit__(None, None, None)

    def _practice(self, practice_id: str) -> Practice:
        for practice in self.practices():
            if practice.id == practice_id:
                return practice
        msg = f"{practices_file().name}: there is no practice {practice_id}"
        raise SettingsError(msg)

    def start_sync(self, actor: str) -> bool:
        """Ask for a run of `sync_orders` now; return False when the next scheduled run has to do."""
        return ask_for_sync(actor)

    def task_links(self, practice_id: str, order_number: str, since: datetime) -> tuple[TaskLink, ...]:
        """Return links to the task instances, with their logs, that worked on an order since an instant; newest first."""
        return find_task_links(self._practice(practice_id), order_number, since)

    def close(self) -> None:
        """Close what is open."""
        self._clients.close()
        self._pool.close()


class LedgerPool:
    """One ledger for the process: its schema is checked when it is opened, and again after every failure."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None
        self._url: URL | None = None
        self._is_trusted = False

    def ledger(self) -> Ledger:
        """Return the ledger; raises `SettingsError`, and `TransientError` while its database does not answer."""
        ledger = self._ledger
        if ledger is not None and self._is_trusted:
            return ledger
        with self._lock:
            if self._ledger is None or not self._is_trusted:
                self._ledger = self._checked()
                self._is_trusted = True
            return self._ledger

    def _checked(self) -> Ledger:
        url = ledger_url()
        ledger = self._ledger
        if ledger is None or url != self._url:
            self.close()
            ledger = Ledger(open_engine(_impatient(url).render_as_string(hide_password=False)))
            event.listen(ledger.engine, "handle_error", self._doubt)
            self._ledger, self._url = ledger, url
        failure: str
        try:
            require_current(ledger.engine)
        except DBAPIError as error:  # its text repeats the address, perhaps with the password
            failure = type(error).__name__
        else:
            return ledger
        msg = f"the ledger's database does not answer ({failure}); try again in a minute"
        raise TransientError(msg)

    def _doubt(self, context: ExceptionContext) -> None:
        if not isinstance(context.sqlalchemy_exception, IntegrityError):  # of two people who do the same, one meets that
            self._is_trusted = False

    def close(self) -> None:
        """Give the connections back."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger, self._is_trusted = None, False


def _impatient(url: URL) -> URL:
    """Let PostgreSQL take a connection soon or not at all: whoever waits for it holds a thread of the API server."""
    if url.get_backend_name() != "postgresql" or "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})


def _threads_of_this_page(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the work in a few threads that share the page's patience; the first error is raised after all of them have ended."""
    if len(items) < 2:  # noqa: PLR2004 - a single item needs no thread
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(READS_AT_ONCE, len(items))) as pool:
        return [done.result() for done in [pool.submit(copy_context().run, work, item) for item in items]]
