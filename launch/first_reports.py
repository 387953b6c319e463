"""Ask for the first reports of a demo: nobody who tries it out wants to wait for tomorrow morning."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from launch.topology import RunningAirflow

_POLL_SECONDS = 3.0
_ENDED = frozenset({"success", "failed"})


class FirstReports:
    """Trigger `reconcile_payments` once, when the first run of `sync_orders` is over and nothing was ever reported."""

    def __init__(self, airflow: RunningAirflow, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask nothing yet."""
        self._airflow = airflow
        self._clock = clock
        self._next_look = 0.0
        self._is_over = False

    def ask_for_them(self) -> bool:
        """Look, every few seconds, whether it is time, and trigger the run; return whether nothing is left to do.

        What Airflow does not answer in time is asked again: a demo must not end over a letter.
        """
        if self._is_over or self._clock() < self._next_look:
            return self._is_over
        self._next_look = self._clock() + _POLL_SECONDS
        try:
            with self._airflow.api() as api:
                self._is_over = _ask(api)
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return self._is_over


def _ask(api: httpx.Client) -> bool:
    reported = api.get("/dags/reconcile_payments/dagRuns", params={"limit": 1}).raise_for_status().json()
    if reported["total_entries"]:
        return True
    runs = api.get("/dags/sync_orders/dagRuns", params={"limit": 10}).raise_for_status().json()["dag_runs"]
    if not any(run["state"] in _ENDED for run in runs):
        return False
    api.post("/dags/reconcile_payments/dagRuns", json={"logical_date": None, "conf": {}}).raise_for_status()
    return True
