"""A sandbox in a process of its own, loaded with the burst, slow as the real systems are, and what it has counted."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from launch.plan import LaunchPlan
from launch.processes import Processes, Program

PRACTICE = "eastern"
LATENCY_SECONDS = 0.150
LIMIT_PER_SECOND = 20
"""Nextech's documented limit per user and endpoint (contract section 2)."""
POSTED = "POST /Patient/{id}/PaymentReconciliation"
_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What arrived at both systems."""

    nextech: Mapping[str, Mapping[str, int]]
    """Endpoint to status to how often."""
    store: Mapping[str, int]
    """Route to how often."""
    too_many: int
    """Answers 429, of both systems."""
    peak_per_second: int
    """The most requests of one user to one Nextech endpoint within any second that slides."""

    def since(self, before: Counts) -> Counts:
        """Return what arrived after an earlier count; the peak stays that of the whole time."""
        nextech = {
            endpoint: {status: number - before.nextech.get(endpoint, {}).get(status, 0) for status, number in by_status.items()}
            for endpoint, by_status in self.nextech.items()
        }
        store = {route: number - before.store.get(route, 0) for route, number in self.store.items()}
        return Counts(nextech, store, self.too_many - before.too_many, self.peak_per_second)


@dataclass(frozen=True, slots=True)
class Booked:
    """What was really booked."""

    payments: int
    doubled: int
    last_at: datetime | None

    def without(self, payments: int) -> Booked:
        """Return this without so many payments that were booked before."""
        return Booked(self.payments - payments, self.doubled, self.last_at)


class BurstSandbox:
    """The sandbox of one measurement."""

    def __init__(self, plan: LaunchPlan, orders: int) -> None:
        self._plan = plan
        self._orders = orders
        self._http = httpx.Client(base_url=plan.sandbox_url, timeout=60, trust_env=False)
        self.pid = 0

    def start(self, processes: Processes, environment: Mapping[str, str]) -> None:
        """Start it, wait for the orders to be there, and set the latency of both systems."""
        ports = ("--port", str(self._plan.sandbox_port), "--smtp-port", str(self._plan.smtp_port))
        command = (sys.executable, "-m", "sandbox", *ports, "--empty", "--load", f"{PRACTICE}:{self._orders}")
        self.pid = processes.start(Program("sandbox", command, rank=1, patience_seconds=5), environment)
        processes.wait_until(self._answers, "sandbox", _START_SECONDS)
        latency = {"latency_seconds": LATENCY_SECONDS}
        limit = {"requests_per_second": LIMIT_PER_SECOND}
        self._http.put("/nextech/control/switches", json=latency | limit).raise_for_status()
        self._http.put(f"/store/{PRACTICE}/control/switches", json=latency).raise_for_status()

    def counts(self) -> Counts:
        """Return what has arrived so far."""
        nextech = self._read("/nextech/control/requests")
        store = self._read(f"/store/{PRACTICE}/control/requests")
        too_many = sum(by_status.get("429", 0) for by_status in nextech["answers"].values())
        return Counts(
            nextech=nextech["answers"],
            store=store["routes"],
            too_many=too_many + store["statuses"].get("429", 0),
            peak_per_second=nextech["peak_per_second"],
        )

    def posted(self) -> int:
        """Return how many payments were accepted; cheaper to ask than what was booked."""
        by_status = self._read("/nextech/control/requests")["answers"].get(POSTED, {})
        return sum(count for status, count in by_status.items() if status.startswith("2"))

    def booked(self) -> Booked:
        """Return what was really booked."""
        book = self._read("/nextech/control/books", practice=PRACTICE)[PRACTICE]
        instants = [datetime.fromisoformat(row["created_at"]) for patient in book["patients"] for row in patient["payments"]]
        return Booked(book["payment_count"], book["doubled_count"], max(instants, default=None))

    def close(self) -> None:
        """Give the connection back; the process is ended by whoever lent `processes`."""
        self._http.close()

    def _read(self, path: str, **params: str) -> Any:
        return self._http.get(path, params=params).raise_for_status().json()

    def _answers(self) -> bool:
        try:
            return self._http.get("/healthz", timeout=2).is_success
        except httpx.HTTPError:
            return False
