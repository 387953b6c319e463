"""Play many schedules: `make test-simulation SCHEDULES=20000 SEED=1`; ends with one line of figures."""

from __future__ import annotations

import argparse
import gc
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.stateful.coverage import table, uncovered
from tests.stateful.schedule import Outcome, play

TELL_EVERY = 1_000


@dataclass
class Total:
    """What all schedules together came to."""

    schedules: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.schedules += 1
        self.ended += outcome.ended
        self.counts += outcome.counts
        if not outcome.is_good:
            self.failures.append(outcome)

    def line(self) -> str:
        figures = (f"{self.ended[name]} {name}" for name in ("lost", "doubled", "stuck"))
        rest = f"{self.ended['wrong patient']} on a wrong patient, {self.ended['broken']} otherwise broken"
        return f"{self.schedules} schedules, {self.ended['payments']} payments: {', '.join(figures)}, {rest}"


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def prepare() -> None:
    """Keep the collector and the log out of the way: a schedule makes much garbage, and none of it is read."""
    gc.disable()
    logging.disable(logging.CRITICAL)


def play_and_clean(seed: int) -> Outcome:
    outcome = play(seed)
    if seed % 20 == 0:
        gc.collect()
    return outcome


def replay_command(seed: int) -> str:
    return f"make test-simulation SEED={seed} SCHEDULES=1"


def run(seeds: Iterable[int], workers: int) -> Total:
    """Play these seeds in so many processes; tell each failure, with its command, when it is met."""
    total = Total()
    with multiprocessing.get_context("spawn").Pool(workers, initializer=prepare) as pool:
        for outcome in pool.imap_unordered(play_and_clean, seeds, chunksize=10):
            total.add(outcome)
            if total.schedules % TELL_EVERY == 0:
                tell(f"so far {total.line()}")
            if not outcome.is_good:
                bad = {name: number for name, number in outcome.ended.items() if number and not name.startswith("ended")}
                tell(f"seed {outcome.seed}: {outcome.broken or bad}\n  {replay_command(outcome.seed)}")
    return total


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    began, seeds = time.monotonic(), range(asked.seed, asked.seed + asked.schedules)
    if asked.schedules == 1:
        prepare()
        total, outcome = Total(), play(asked.seed)
        total.add(outcome)
        tell(f"seed {outcome.seed}, trace {outcome.digest}: {outcome.broken or dict(outcome.ended)}")
    else:
        total = run(seeds, asked.workers)
        tell(table(total.counts))
    missed = uncovered(total.counts, total.schedules)
    for name in missed:
        tell(f"never happened: {name}")
    used = os.times()
    cpu_seconds = used.user + used.system + used.children_user + used.children_system
    lasted = f"{cpu_seconds / total.schedules:.2f} CPU seconds a schedule, {time.monotonic() - began:.0f} s in all"
    tell(f"{total.line()}; {lasted}")
    return 1 if total.failures or missed else 0
