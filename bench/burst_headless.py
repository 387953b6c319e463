"""The four steps of one practice in this process, without Airflow, at the real pace: what tells where the time goes."""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from sqlalchemy import select

from bench.burst_figures import Burst, Operation, StepFigures
from bench.burst_sandbox import PRACTICE, BurstSandbox
from bench.stopwatch import LEDGER, LIMITER, REQUEST, Span, Stopwatch, TimedLedger, TimedLimiter, TimedTransport, share_out
from launch.plan import LaunchPlan
from launch.topology import Ground
from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.limiter import SharedLimiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.clock import SystemClock
from order_sync.desk import Desk, Keys, Threads
from order_sync.extract import extract_orders
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.models import OrderRow
from order_sync.ledger.session import Ledger, open_engine
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.post import post_payments
from order_sync.practices import load_practices
from order_sync.resources import PRACTICES_FILE
from sandbox.demo.practices import NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PRACTICES

_KEYS = Keys(marker=b"a marker key for benches, 32 byte", customer=b"a customer key for benches 32 byt")
_SWEEP_SECONDS = 600.0
_WITNESSES = 2
"""Payments that were seen before, between which reads of many patients are proved."""
POSTING, READING, STORE, OTHER_LEDGER = "a payment is posted", "Nextech is read", "the store is asked", "the ledger alone"
_RANKS = (POSTING, READING, STORE, OTHER_LEDGER)


def measure_headless(home: Path, orders: int, *, database: str, is_warm: bool) -> Burst:
    """Run the steps once on a fresh sandbox and a fresh ledger in this folder; return the figures.

    `is_warm` posts two more orders beforehand, outside the measurement: a ledger of a practice that was synced before.
    """
    plan = LaunchPlan.on_free_ports(home, practices=(PRACTICE,), database=database, starts_sandbox=False)
    with Ground(plan, command="bench-burst") as ground:
        sandbox = BurstSandbox(plan, orders + (_WITNESSES if is_warm else 0))
        try:
            sandbox.start(ground.processes, ground.environment)
            ledger_engine = open_engine(ground.order_sync_url)
            try:
                return _Run(plan, sandbox, TimedLedger(ledger_engine, watch := Stopwatch()), watch).measure(
                    orders, f"headless, {database}", is_warm=is_warm
                )
            finally:
                ledger_engine.dispose()
        finally:
            sandbox.close()


@dataclass(slots=True)
class _Run:
    plan: LaunchPlan
    sandbox: BurstSandbox
    ledger: TimedLedger
    watch: Stopwatch

    def measure(self, orders: int, mode: str, *, is_warm: bool) -> Burst:
        load_average, steps, paused_seconds = os.getloadavg()[0], [], 0.0
        began_at, began = datetime.now(UTC), time.monotonic()
        steps.append(self._step("extract", lambda desk: extract_orders(desk, holder="bench")))
        if is_warm:
            paused = time.monotonic()
            self._post_witnesses()
            before = self.sandbox.counts()
            paused_seconds = time.monotonic() - paused
        steps += [
            self._step("match", match_patients),
            self._step("post", post_payments),
            self._step("mark", mark_status),
        ]
        total_seconds = time.monotonic() - began - paused_seconds
        booked, counts = self.sandbox.booked(), self.sandbox.counts()
        if is_warm:
            booked, counts = booked.without(_WITNESSES), counts.since(before)
        last_at = booked.last_at or datetime.now(UTC)
        return Burst(
            mode=f"{mode}, {'a practice synced before' if is_warm else 'first run of a practice'}",
            orders=orders,
            to_last_payment_seconds=(last_at - began_at).total_seconds() - paused_seconds,
            total_seconds=total_seconds,
            steps=steps,
            counts=counts,
            booked=booked,
            load_average=load_average,
        )

    def _post_witnesses(self) -> None:
        with self.ledger.transaction() as tx:
            first = list(tx.session.scalars(select(OrderRow.id).order_by(OrderRow.placed_at).limit(_WITNESSES)))
        with self._desk() as desk:
            match_patients(desk, only=first)
            post_payments(desk, only=first)

    def _step(self, name: str, work: Callable[[Desk], object]) -> StepFigures:
        own, others, begin = time.process_time(), self._other_cpu_seconds(), time.monotonic()
        with self._desk() as desk:
            work(desk)
        end = time.monotonic()
        spans = self.watch.between(begin, end)
        return StepFigures(
            name=name,
            seconds=end - begin,
            own_cpu_seconds=time.process_time() - own,
            other_cpu_seconds=self._other_cpu_seconds() - others,
            foremost_seconds=share_out(spans, _rank, _RANKS, begin, end),
            operations=_operations(spans),
        )

    @contextmanager
    def _desk(self) -> Iterator[Desk]:
        """Open a desk as the DAG's tasks do, each for itself: new connections, a new login, the ledger's slots."""
        practice = next(practice for practice in load_practices(PRACTICES_FILE) if practice.id == PRACTICE)
        facts, clock, rng = PRACTICES[PRACTICE], SystemClock(), random.SystemRandom()
        nextech_settings = NextechConnection(
            base_url=f"{self.plan.sandbox_url}/nextech/api",
            token_url=f"{self.plan.sandbox_url}/nextech/oauth2/token",
            username=facts.nextech_user,
            password=facts.nextech_password,
            client_id=NEXTECH_CLIENT_ID,
            resource=NEXTECH_RESOURCE,
            practice_guid=facts.practice_guid,
        )
        slots = LedgerSlots(Ledger(self.ledger.engine))
        nextech = NextechClient(
            nextech_settings,
            transport=TimedTransport(DeadlineTransport(clock), self.watch, "Nextech"),
            limiter=TimedLimiter(SharedLimiter(slots, nextech_settings.requests_per_second, clock), self.watch),
            clock=clock,
            rng=rng,
        )
        store = StoreClient(
            StoreConnection(f"{self.plan.sandbox_url}/store/{PRACTICE}", Bearer(facts.store_token)),
            transport=TimedTransport(DeadlineTransport(clock), self.watch, "store"),
            clock=clock,
            rng=rng,
        )
        fan_out, ends_at = Threads(practice.posting.concurrent_posts), clock.monotonic() + _SWEEP_SECONDS
        try:
            yield Desk(practice, store, nextech, self.ledger, _KEYS, clock, fan_out, ends_at=ends_at)
        finally:
            store.close()
            nextech.close()

    def _other_cpu_seconds(self) -> float:
        """Return what the sandbox and the database have used, backends that have ended included."""
        seconds = 0.0
        for process in psutil.Process().children(recursive=True):
            try:
                times, is_database = process.cpu_times(), process.name().startswith("postgres")
            except psutil.Error:
                continue
            if is_database or process.pid == self.sandbox.pid:
                seconds += times.user + times.system + times.children_user + times.children_system
        return seconds


def _rank(span: Span) -> str | None:
    match span.kind:
        case "ledger":
            return OTHER_LEDGER
        case "limiter" | "request" if "PaymentReconciliation" in span.name and "POST" in span.name:
            return POSTING
        case "request" if span.name.startswith("store"):
            return STORE
        case _:
            return READING


def _operations(spans: list[Span]) -> list[Operation]:
    words = {LIMITER: "waiting for a slot: ", REQUEST: "", LEDGER: "ledger: "}
    seconds: dict[str, list[float]] = defaultdict(list)
    for span in spans:
        seconds[words[span.kind] + span.name].append(span.end - span.begin)
    return [Operation(name, len(all_), 1_000 * sum(all_) / len(all_)) for name, all_ in sorted(seconds.items())]
