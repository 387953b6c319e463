"""One practice with its store, its Nextech and its ledger, on a stage; and the truth about who ordered what."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from order_sync.clients.limiter import SharedLimiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.desk import Desk, one_by_one
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.migrate import migrate
from order_sync.practices import Practice
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN, NEXTECH_CLIENT_ID, NEXTECH_RESOURCE
from sandbox.demo.story import open_shop
from sandbox.nextech.engine import Nextech
from sandbox.nextech.office import Office
from sandbox.nextech.records import PaymentRecord
from sandbox.nextech.transport import InProcessNextech
from sandbox.store.records import OrderRecord
from sandbox.store.transport import StoreTransport
from sandbox.world import practice_setup
from tests.desks import KEYS, demo_practices
from tests.stateful.mishaps import CrossedLedger, CrossedTransport, Crossing
from tests.stateful.pace import REQUESTS_PER_SECOND
from tests.stateful.stage import Actor, Stage
from tests.worlds import HOST, NoWaiting

PRACTICE_ID = EASTERN.id
PEOPLE = tuple(
    Person(EASTERN, number, first, last)
    for number, (first, last) in enumerate(
        [("Ottoline", "Quarrington"), ("Barnaby", "Thistledown"), ("Philippa", "Underbough"), ("Leopold", "Vanterpool")], 31
    )
)
KNOWN = PEOPLE[:3]
NEWCOMER = PEOPLE[3]


@cache
def the_practice() -> Practice:
    return demo_practices()[PRACTICE_ID]


@cache
def _template() -> sqlite3.Connection:
    """An empty, migrated ledger in memory; migrating takes longer than a schedule."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        migrate(f"sqlite:///{path}")
        disk, memory = sqlite3.connect(path), sqlite3.connect(":memory:", check_same_thread=False)
        disk.backup(memory)
        disk.close()
    return memory


@cache
def _books() -> tuple[Engine, sqlite3.Connection]:
    """One engine for all schedules of this process, because it keeps the statements that it has compiled."""
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    return create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool), connection


@dataclass(slots=True)
class Placed:
    """What is true about an order."""

    record: OrderRecord
    person: Person
    placed_at: datetime


@dataclass
class Town:
    """Everything that a schedule plays with."""

    stage: Stage
    seed: int
    placed: dict[int, Placed] = field(default_factory=dict)
    """By the store's key."""
    misled: set[Person] = field(default_factory=set)
    """Customers about whose chart somebody at the desk has been wrong: of their charts, a machine may use any."""

    def __post_init__(self) -> None:
        clock = self.stage.clock
        self.shop = open_shop(EASTERN, clock=clock.now, rng=random.Random(f"{self.seed}/shop"))
        self.nextech = Nextech([practice_setup(EASTERN)], clock=clock.now, seed=self.seed)
        self.nextech.switches = replace(self.nextech.switches, requests_per_second=0)
        self.nextech.seed([person.chart() for person in KNOWN])
        if random.Random(f"{self.seed}/twin").random() < 0.3:
            self.nextech.seed([KNOWN[2].chart("second chart", chart_number="E777777")])
        engine, self.books = _books()
        _template().backup(self.books)
        self.crossing = Crossing(self.stage, lambda: None)
        self.ledger = CrossedLedger(engine, self.crossing)
        self._free: list[Desk] = []

    @property
    def office(self) -> Office:
        return self.nextech.offices[PRACTICE_ID]

    def take_desk(self) -> Desk:
        """Return a desk that no living process uses: a client may hold a lock while its process is frozen."""
        return self._free.pop() if self._free else self._new_desk()

    def give_back(self, desk: Desk, actor: Actor | None) -> None:
        if actor is None or not actor.is_dead:
            self._free.append(desk)

    def back_up(self) -> None:
        self._backup = sqlite3.connect(":memory:", check_same_thread=False)
        self.books.backup(self._backup)

    def restore(self) -> None:
        self._backup.backup(self.books)
        self._backup.close()

    def _new_desk(self) -> Desk:
        clock = self.stage.clock
        nextech = NextechClient(
            NextechConnection(
                base_url=f"{HOST}/nextech/api",
                token_url=f"{HOST}/nextech/oauth2/token",
                username=EASTERN.nextech_user,
                password=EASTERN.nextech_password,
                client_id=NEXTECH_CLIENT_ID,
                resource=NEXTECH_RESOURCE,
                practice_guid=EASTERN.practice_guid,
            ),
            transport=self._crossed(InProcessNextech(self.nextech, clock.sleep), "nextech"),
            limiter=SharedLimiter(LedgerSlots(self.ledger), REQUESTS_PER_SECOND, clock),
            clock=clock,
            rng=random.Random(1),
        )
        path = f"/store/{PRACTICE_ID}"
        store = StoreClient(
            StoreConnection(HOST + path, Bearer(EASTERN.store_token), "module"),
            transport=self._crossed(StoreTransport(self.shop, base_path=path, sleep=clock.sleep), "store"),
            limiter=NoWaiting(),
            clock=clock,
            rng=random.Random(1),
        )
        return Desk(the_practice(), store, nextech, self.ledger, KEYS, clock, one_by_one)

    def _crossed(self, inner: httpx.BaseTransport, name: str) -> httpx.BaseTransport:
        return CrossedTransport(inner, self.crossing, name)

    # -- what is true

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the ledger's database itself, past the product's code."""
        return self.books.execute(query, values).fetchall()

    def payments(self) -> list[PaymentRecord]:
        """Return what came through the API, or was copied from it, after all that is due was booked."""
        self.nextech.now()
        return list(self.office.chart.payments.values())

    def owner_of(self, person: Person) -> str | None:
        """Return the chart that is this person's."""
        if person in KNOWN:
            return person.chart().patient_id
        mine = [chart.guid for chart in self.office.chart.patients.values() if chart.email == person.email]
        return mine[0] if mine else None

    def charts_of(self, person: Person) -> list[str]:
        """Return the charts with this person's e-mail, the second ones too."""
        return [chart.guid for chart in self.office.chart.patients.values() if chart.email == person.email]

    def is_due(self, placed: Placed) -> bool:
        """Say whether this order's money belongs into Nextech: paid, and not held, cancelled or given back."""
        row = placed.record.row
        return (
            row["state"] not in {"holded", "canceled", "closed"}
            and (row.get("total_paid") or 0) >= placed.record.grand_total
            and (row.get("total_refunded") or 0) < placed.record.grand_total
        )
