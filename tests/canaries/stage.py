"""One practice full of canaries, on one virtual clock: everything that the product does there is watched."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from order_sync.desk import Desk
from order_sync.ledger.session import Ledger
from order_sync.manual_entries import accept_manual_entry
from order_sync.preview import preview_orders
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, create_account, dismiss, post_again
from order_sync.retries import retry
from order_sync.statuses import OrderState
from order_sync.undo import begin_undo, look_for_void
from sandbox.people import SeedPatient
from sandbox.store.records import OrderRecord
from tests.canaries.outside import MisshapingTransport, TellingTransport
from tests.canaries.people import EVERYBODY, Canary
from tests.canaries.watch import Watch
from tests.worlds import SmallWorld

Misshape = tuple[float, float]
"""Which share of the values of Nextech's answers, and of the store's, change their shape."""


@dataclass
class Stage:
    """What a scene plays on."""

    world: SmallWorld
    watch: Watch
    seen: set[str] = field(default_factory=set)
    """Every token that went over the wire."""
    reasons: set[Reason] = field(default_factory=set)
    """Every reason that an order or a case has had."""
    people: tuple[Canary, ...] = EVERYBODY
    pages: set[str] = field(default_factory=set)
    """Every line of every page of the reports."""
    typed: set[str] = field(default_factory=set)
    """What staff have written into Nextech: the patient's chart is theirs."""

    def desk(self, *, misshape: Misshape = (0, 0), seed: int = 1, **wishes: Any) -> Desk:
        """Return a desk whose neighbours tell all they know."""
        rng = random.Random(seed)

        def wrapped(share: float) -> Callable[[httpx.BaseTransport], httpx.BaseTransport]:
            return lambda inner: (
                MisshapingTransport(inner, self.seen, rng, share) if share else TellingTransport(inner, self.seen)
            )

        return self.world.desk(nextech_wrap=wrapped(misshape[0]), store_wrap=wrapped(misshape[1]), **wishes)

    def know(self, person: Canary, key: str = "", **changes: Any) -> SeedPatient:
        """Give a person a chart."""
        chart = person.chart(key, **changes)
        self.world.nextech.seed([chart])
        return chart

    def buy(self, person: Canary, *, buyer: dict[str, Any] | None = None, **options: Any) -> OrderRecord:
        """Let a person order, with every field of the order filled in."""
        options = {"minutes_ago": 5, **options}
        record = self.world.place(person.buyer(**(buyer or {})), **options)
        person.sign(record)
        return record

    def write(self, action: str, note: str, **about: Any) -> None:
        """Let staff type a note into Nextech."""
        self.typed.add(note)
        self.world.staff(action, note=note, **about)

    def attempt(self, act: Callable[[], object]) -> None:
        """Do something; what it raises is noted as Airflow would show it."""
        try:
            self.watch.told.append(repr(act()))
        except Exception as error:  # noqa: BLE001 - whatever it is, its text is looked at
            self.watch.note(error)

    def run(self, desk: Desk | None = None, *, after_minutes: Iterable[float] = (0,)) -> None:
        """Run after each of these pauses."""
        at = desk or self.desk()
        for minutes in after_minutes:
            self.world.clock.advance(minutes=minutes)
            for failure in self.world.run(at):
                self.watch.note(failure)
            self._look()

    def try_everything(self, desk: Desk | None = None) -> None:
        """Do what the DAG and people do with every order afterwards."""
        at = desk or self.desk()
        self.attempt(lambda: preview_orders(at))
        for row in self.world.orders():
            self.attempt(lambda row=row: sync_order(at, row.number))
        self._look()
        charts = [chart.patient_id for chart in self.world.charts()]
        for row in self.world.orders():
            if row.state is OrderState.CONFIRMED:
                self.attempt(lambda row=row: begin_undo(at, row.id, actor="dana"))
                self.attempt(lambda row=row: look_for_void(at, row.id, actor="dana"))
            if row.state is OrderState.QUEUED:
                self.attempt(lambda row=row: retry(at.ledger, row.id, actor="dana"))
                for payment in self.world.booked()[:1]:
                    self.attempt(lambda row=row, tied=payment.payment_id: accept_manual_entry(at, row.id, tied, actor="dana"))
                if row.id % 2:
                    self.attempt(lambda row=row: create_account(at, row.id, actor="dana"))
                self.attempt(lambda row=row: post_again(at, row.id, actor="dana"))
                self.attempt(lambda row=row: choose_patient(at, row.id, (charts or ["x"])[0], actor="dana"))
        self.run(at, after_minutes=(15,))
        for row in self.world.orders():
            self.attempt(lambda row=row: dismiss(at, row.id, actor="dana", why=DismissReason.SETTLED_OTHERWISE))
        self.run(at, after_minutes=(15, 24 * 60 + 5))

    def _look(self) -> None:
        self.reasons |= {row.why for row in self.world.orders() if row.why} | set(self.world.open_reasons())


def open_stage(ledger: Ledger, watch: Watch, clock: Any) -> Stage:
    """Return an empty stage."""
    return Stage(SmallWorld(ledger, clock), watch)
