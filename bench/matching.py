"""Measure how fast orders are decided: 10,000 orders against 50,000 patients (`python -m bench.matching`).

What is counted is our own CPU time from the customers and the charts that a search returned to the decisions: normal forms,
comparisons, the ladder. Finding the charts is Nextech's work; here an index stands in for it, outside the clock.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from bench.scorecard.families import household_set
from bench.scorecard.judges import PRACTICE, contacts_of
from order_sync.matching import match_patient
from order_sync.orders import Customer
from order_sync.patients import Patient

_ORDERS, _PATIENTS, _LIMIT_SECONDS = 10_000, 50_000, 10.0
_HOUSEHOLDS = 50_000


def prepare(orders: int, patients: int) -> list[tuple[Customer, list[Patient]]]:
    """Return orders, each with the charts that share its e-mail or its phone: households, so that most have several."""
    records = household_set(_HOUSEHOLDS, seed=1).records
    charts = [record for record in records if record.has_chart][:patients]
    buyers = [record for record in records if record.buys][:orders]
    if len(charts) < patients or len(buyers) < orders:
        msg = "there are not enough households for so many"
        raise ValueError(msg)
    by_contact = defaultdict(list)
    for chart in charts:
        for contact in contacts_of(chart):
            by_contact[contact].append(chart)
    asked = []
    for buyer in buyers:
        found = {chart.record_id: chart.chart for contact in contacts_of(buyer) for chart in by_contact[contact]}
        asked.append((buyer.customer, list(found.values())))
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when the CPU time is not below the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--orders", type=int, default=_ORDERS)
    parser.add_argument("--patients", type=int, default=_PATIENTS)
    chosen = parser.parse_args(arguments)
    asked = prepare(chosen.orders, chosen.patients)
    charts = sum(len(found) for _, found in asked)
    started = time.process_time()
    decisions = Counter(type(match_patient(customer, found, PRACTICE)).__name__ for customer, found in asked)
    seconds = time.process_time() - started
    print(f"{chosen.orders:,} orders, {chosen.patients:,} patients, {charts:,} charts compared: {seconds:.2f} s of CPU time")
    print(", ".join(f"{name} {count:,}" for name, count in sorted(decisions.items())))
    return 0 if seconds < _LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
