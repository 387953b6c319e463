"""The product and both of its neighbours in one process, on one virtual clock: a day passes in a call."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
from sqlalchemy import select

from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.desk import Desk, one_by_one
from order_sync.errors import OrderSyncError
from order_sync.extract import extract_orders
from order_sync.ledger.models import OPEN_CASE, AttemptRow, CaseRow, OrderRow, PaymentRow
from order_sync.ledger.session import Ledger
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.orders import Order
from order_sync.post import post_payments
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.drafts import Buyer, Draft
from sandbox.demo.practices import NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PRACTICES
from sandbox.demo.scenes import PAID
from sandbox.demo.staging import play_draft
from sandbox.nextech.books import BookedPayment, PatientBook, practice_book
from sandbox.nextech.engine import Nextech
from sandbox.nextech.faults import Effect, Fault
from sandbox.nextech.staff import act_as_staff
from sandbox.nextech.transport import InProcessNextech
from sandbox.people import SeedPatient
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.faults import Fault as StoreFault
from sandbox.store.records import OrderRecord
from sandbox.store.shop import Shop
from sandbox.store.transport import StoreTransport
from sandbox.world import SandboxOptions, World
from tests.clocks import FakeClock
from tests.desks import KEYS, demo_practices

WEDNESDAY_NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
"""Noon in New York, weeks after the integration was switched on."""
PAY = "/Patient/{id}/PaymentReconciliation"
PAYMENTS = "/PaymentReconciliation"
PATIENTS = "/Patient"
HOST = "http://127.0.0.1"
Wrap = Callable[[httpx.BaseTransport], httpx.BaseTransport]


class NoWaiting:
    """A limiter that lets everything through: the pace is not what is tested."""

    def acquire(self, user: str, endpoint: str) -> None:
        """Return at once."""


def as_it_is(transport: httpx.BaseTransport) -> httpx.BaseTransport:
    return transport


class Between(httpx.BaseTransport):
    """Stand between a client and its server: `look` may change the request, answer it, or let something happen before it."""

    def __init__(self, inner: httpx.BaseTransport, look: Callable[[httpx.Request], httpx.Request | httpx.Response]) -> None:
        self.inner = inner
        self.look = look

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        seen = self.look(request)
        return seen if isinstance(seen, httpx.Response) else self.inner.handle_request(seen)


@dataclass
class SmallWorld:
    """One practice, its store, its Nextech, a ledger, and the clock that all of them read."""

    ledger: Ledger
    clock: FakeClock
    options: SandboxOptions = field(default_factory=lambda: SandboxOptions(is_empty=True))
    practice_id: str = "eastern"

    def __post_init__(self) -> None:
        self.sandbox = World(self.options, clock=self.clock.now)
        self.nextech.switches = replace(self.nextech.switches, requests_per_second=0)
        self.runs = 0

    @property
    def nextech(self) -> Nextech:
        return self.sandbox.nextech

    @property
    def shop(self) -> Shop:
        return self.sandbox.shops[self.practice_id]

    # -- putting the product to work

    def desk(
        self,
        *,
        ledger: Ledger | None = None,
        settings: Mapping[str, object] | None = None,
        writer: Literal["module", "comment"] = "module",
        nextech_wrap: Wrap = as_it_is,
        store_wrap: Wrap = as_it_is,
    ) -> Desk:
        """Return a desk of its own; `settings` replaces fields of the practice."""
        practice = demo_practices()[self.practice_id].model_copy(update=dict(settings or {}))
        facts, clock = PRACTICES[self.practice_id], self.clock
        nextech = NextechClient(
            NextechConnection(
                base_url=f"{HOST}/nextech/api",
                token_url=f"{HOST}/nextech/oauth2/token",
                username=facts.nextech_user,
                password=facts.nextech_password,
                client_id=NEXTECH_CLIENT_ID,
                resource=NEXTECH_RESOURCE,
                practice_guid=facts.practice_guid,
            ),
            transport=nextech_wrap(InProcessNextech(self.nextech, clock.sleep)),
            limiter=NoWaiting(),
            clock=clock,
            rng=random.Random(1),
        )
        store = StoreClient(
            StoreConnection(f"{HOST}/store/{self.practice_id}", Bearer(facts.store_token), writer),
            transport=store_wrap(StoreTransport(self.shop, base_path=f"/store/{self.practice_id}", sleep=clock.sleep)),
            limiter=NoWaiting(),
            clock=clock,
            rng=random.Random(1),
        )
        return Desk(practice, store, nextech, ledger or self.ledger, KEYS, clock, one_by_one)

    def run(self, desk: Desk | None = None) -> list[OrderSyncError]:
        """Take the four steps as one run of the DAG does: a step that fails does not keep the next one from its work."""
        at = desk or self.desk()
        self.runs += 1
        failures = []
        steps: list[Callable[[], object]] = [
            lambda: extract_orders(at, holder=f"run {self.runs}"),
            lambda: match_patients(at),
            lambda: post_payments(at),
            lambda: mark_status(at),
        ]
        for step in steps:
            try:
                step()
            except OrderSyncError as failure:
                failures.append(failure)
        return failures

    def run_after(self, desk: Desk | None = None, *, minutes: Iterable[float] = (), hours: Iterable[float] = ()) -> None:
        """Run once after each of these pauses."""
        at = desk or self.desk()
        for pause in [*minutes, *(60 * pause for pause in hours)]:
            self.clock.advance(minutes=pause)
            self.run(at)

    # -- what goes wrong, and what people do

    def plant(self, effect: Effect, *, method: str = "POST", route: str = PAY, remaining: int | None = 1, **rest: Any) -> None:
        self.nextech.faults.plant(Fault(effect, method=method, route=route, remaining=remaining, **rest))

    def plant_in_store(self, effect: StoreEffect, **rest: Any) -> None:
        self.shop.faults.add(StoreFault(effect=effect, **rest), self.clock.now())

    def heal(self) -> None:
        self.nextech.faults.clear()
        self.shop.faults.clear()

    def switch(self, **changes: object) -> None:
        self.nextech.switches = self.nextech.switches.changed_by(changes)

    def staff(self, action: str, **description: object) -> str:
        return act_as_staff(self.nextech, action, {"practice": self.practice_id, **description})

    # -- orders

    def add_chart(self, person: Person, key: str = "", **changes: Any) -> SeedPatient:
        chart = person.chart(key, **changes)
        self.nextech.seed([chart])
        return chart

    def place(self, buyer: Buyer, *, steps: tuple[str, ...] = PAID, minutes_ago: float = 10, **options: Any) -> OrderRecord:
        """Place an order in the store a few minutes ago; `options` are further fields of the draft."""
        draft = Draft(
            practice=PRACTICES[self.practice_id],
            placed_at=self.clock.now(),
            buyer=buyer,
            **{"basket": (("DRM-SPF50-50ML", 1),), **options},
        )
        record = play_draft(self.shop, draft, steps)[-1]
        self.clock.advance(minutes=minutes_ago)
        return record

    # -- what came of it

    def orders(self, ledger: Ledger | None = None) -> list[OrderRow]:
        with (ledger or self.ledger).transaction() as tx:
            return list(tx.session.scalars(select(OrderRow).order_by(OrderRow.id)))

    def order(self, number: str | None = None) -> OrderRow:
        [row] = [row for row in self.orders() if number in (None, row.number)]
        return row

    def states(self) -> list[OrderState]:
        return [row.state for row in self.orders()]

    def payment(self) -> PaymentRow:
        with self.ledger.transaction() as tx:
            return tx.session.scalars(select(PaymentRow)).one()

    def attempts(self) -> list[AttemptRow]:
        with self.ledger.transaction() as tx:
            return list(tx.session.scalars(select(AttemptRow).order_by(AttemptRow.intended_at)))

    def open_cases(self) -> list[CaseRow]:
        with self.ledger.transaction() as tx:
            return list(tx.session.scalars(select(CaseRow).where(OPEN_CASE).order_by(CaseRow.id)))

    def open_reasons(self) -> list[Reason]:
        return [Reason(case.reason) for case in self.open_cases()]

    def booked(self) -> list[BookedPayment]:
        """Return what came through the API and stands: the truth that matters."""
        rows = practice_book(self.nextech, self.practice_id).payments
        return [row for row in rows if row.origin == "api" and row.status == "active"]

    def charts(self) -> list[PatientBook]:
        return [book for book in practice_book(self.nextech, self.practice_id).patients if book.merged_into is None]

    def posts_seen(self, route: str = PAY) -> int:
        answers = self.nextech.traffic.answers
        return sum(count for (endpoint, _), count in answers.items() if endpoint == f"POST {route}")

    def seen_in_store(self, record: OrderRecord) -> Order:
        seen = self.desk().store.read_orders([record.entity_id])[record.entity_id]
        assert isinstance(seen, Order)
        return seen
