"""Put the product to work on a running sandbox, without Airflow: what most end-to-end tests begin with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from order_sync.clients.limiter import PacedLimiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.clock import Clock, SystemClock
from order_sync.desk import Desk, Keys, Threads
from order_sync.extract import extract_orders
from order_sync.ledger.session import Ledger
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.post import PostCounts, post_payments
from order_sync.practices import Practice, load_practices
from order_sync.resources import PRACTICES_FILE
from sandbox.demo.practices import NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PRACTICES
from sandbox.server import RunningSandbox

KEYS = Keys(marker=b"a marker key for tests, 32 bytes.", customer=b"a customer key for tests, 32 byte")
QUICK = 1_000.0
"""Requests a second where the pace is not what is tested."""


def demo_practices() -> dict[str, Practice]:
    """Return the sandbox's practices, as the product's own settings file describes them."""
    return dict(_practices())


@cache
def _practices() -> dict[str, Practice]:
    """Read the file once for each process: every desk of every test asks, and reading takes as long as a short test."""
    return {practice.id: practice for practice in load_practices(PRACTICES_FILE)}


def nextech_of(sandbox: RunningSandbox, practice_id: str, clock: Clock | None = None) -> NextechClient:
    """Return a client of the practice's Nextech."""
    facts = PRACTICES[practice_id]
    settings = NextechConnection(
        base_url=f"{sandbox.url}/nextech/api",
        token_url=f"{sandbox.url}/nextech/oauth2/token",
        username=facts.nextech_user,
        password=facts.nextech_password,
        client_id=NEXTECH_CLIENT_ID,
        resource=NEXTECH_RESOURCE,
        practice_guid=facts.practice_guid,
    )
    time = clock or SystemClock()
    return NextechClient(settings, limiter=PacedLimiter(QUICK, time), clock=time, rng=random.Random(1))


def store_of(sandbox: RunningSandbox, practice_id: str, writer: str = "module") -> StoreClient:
    """Return a client of the practice's store."""
    settings = StoreConnection(
        base_url=f"{sandbox.url}/store/{practice_id}",
        auth=Bearer(PRACTICES[practice_id].store_token),
        status_writer=writer,
    )
    clock = SystemClock()
    return StoreClient(settings, limiter=PacedLimiter(QUICK, clock), clock=clock, rng=random.Random(1))


@contextmanager
def open_desk(
    sandbox: RunningSandbox,
    ledger: Ledger,
    practice_id: str,
    *,
    writer: str = "module",
    settings: Mapping[str, object] | None = None,
) -> Iterator[Desk]:
    """Open a desk for one practice of the sandbox; `settings` replaces fields of the practice."""
    practice = demo_practices()[practice_id]
    if settings:
        practice = practice.model_copy(update=dict(settings))
    # No limit: the pace is not what is tested.
    sandbox.nextech.switches = replace(sandbox.nextech.switches, requests_per_second=0)
    clock = SystemClock()
    store, nextech = store_of(sandbox, practice_id, writer), nextech_of(sandbox, practice_id)
    try:
        yield Desk(practice, store, nextech, ledger, KEYS, clock, Threads(4))
    finally:
        store.close()
        nextech.close()


def sync(desk: Desk, holder: str = "test") -> PostCounts:
    """Run the four steps once, as one run of the DAG does."""
    extract_orders(desk, holder=holder)
    match_patients(desk)
    counts = post_payments(desk)
    mark_status(desk)
    return counts


def sync_all(sandbox: RunningSandbox, ledger: Ledger) -> None:
    """Run the four steps once for every practice; Arizona's store has no status module, as in the demo."""
    for practice_id in PRACTICES:
        with open_desk(sandbox, ledger, practice_id, writer="comment" if practice_id == "arizona" else "module") as desk:
            sync(desk)
