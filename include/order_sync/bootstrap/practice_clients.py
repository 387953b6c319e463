"""The two clients of one practice, from Airflow's connections: opened for a task, or kept between the requests of pages."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from order_sync.bootstrap.hooks import NextechHook, StoreHook
from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.limiter import SharedLimiter
from order_sync.clients.nextech import NextechClient
from order_sync.clients.patience import ImpatientTransport
from order_sync.clients.store import StoreClient
from order_sync.clock import Clock
from order_sync.errors import SettingsError
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice
from order_sync.trouble import report_trouble


@dataclass(frozen=True, slots=True)
class PracticeClients:
    """The store and the Nextech of one practice; a context manager that closes both."""

    store: StoreClient
    nextech: NextechClient

    def close(self) -> None:
        """Close the kept connections of both."""
        self.store.close()
        self.nextech.close()

    def __enter__(self) -> Self:
        """Hand them out."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Close them."""
        self.close()


def open_clients(practice: Practice, ledger: Ledger, clock: Clock, *, is_impatient: bool = False) -> PracticeClients:
    """Open both clients; raises `SettingsError` naming the connection and the field of what is wrong.

    `is_impatient` lets their reads obey `patience`.
    """
    return _open(NextechHook(practice.id), StoreHook(practice.id), practice, ledger, clock, is_impatient=is_impatient)


def _open(
    nextech_hook: NextechHook, store_hook: StoreHook, practice: Practice, ledger: Ledger, clock: Clock, *, is_impatient: bool
) -> PracticeClients:
    def transport() -> ImpatientTransport | None:
        return ImpatientTransport(DeadlineTransport(clock), clock) if is_impatient else None

    rng = random.SystemRandom()
    nextech = nextech_hook.client(
        transport=transport(),
        limiter=SharedLimiter(LedgerSlots(ledger), nextech_hook.requests_per_second, clock),
        clock=clock,
        rng=rng,
        # The ledger believes that a POST is over after this time, so the client has to keep to it (R9).
        answer_seconds=practice.posting.answer_seconds,
    )
    return PracticeClients(store_hook.client(transport=transport(), clock=clock, rng=rng), nextech)


@contextmanager
def report_wrong_settings(ledger: Ledger, practice_id: str) -> Iterator[None]:
    """Make a row of the queue of a `SettingsError`, and raise it on."""
    try:
        yield
    except SettingsError as error:
        report_trouble(ledger, practice_id, error)
        raise


@dataclass(slots=True)
class _Kept:
    clients: PracticeClients
    opened_with: tuple[object, ...] = field(repr=False)
    users: int = 0
    is_retired: bool = False


class KeptClients:
    """Keep each practice's clients open between requests; thread-safe.

    A client remembers its token, and that a login was refused: a new one for every page would log in every time, and
    with a wrong password lock the practice's account (Nextech contract section 1). Settings that have changed since are
    met by new clients; the old ones close when the last request that uses them is done.
    """

    def __init__(self, clock: Clock) -> None:
        """Keep nothing yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    @contextmanager
    def of(self, practice: Practice, ledger: Ledger) -> Iterator[PracticeClients]:
        """Lend the practice's clients; raises `SettingsError` as `open_clients` does."""
        kept = self._take(practice, ledger)
        try:
            yield kept.clients
        finally:
            with self._lock:
                kept.users -= 1
                is_over = kept.is_retired and not kept.users
            if is_over:
                kept.clients.close()

    def _take(self, practice: Practice, ledger: Ledger) -> _Kept:
        nextech_hook, store_hook = NextechHook(practice.id), StoreHook(practice.id)
        opened_with = (nextech_hook.told, store_hook.told, practice.posting.answer_seconds, ledger)
        with self._lock:
            kept = self._kept.get(practice.id)
            if kept is None or kept.opened_with != opened_with:
                clients = _open(nextech_hook, store_hook, practice, ledger, self._clock, is_impatient=True)
                self._retire(kept)
                kept = self._kept[practice.id] = _Kept(clients, opened_with)
            kept.users += 1
            return kept

    def _retire(self, kept: _Kept | None) -> None:
        if kept is not None:
            kept.is_retired = True
            if not kept.users:
                kept.clients.close()

    def close(self) -> None:
        """Close everything that nobody uses any more, and the rest when it is given back."""
        with self._lock:
            for kept in self._kept.values():
                self._retire(kept)
            self._kept.clear()
