"""Measure how long one large month takes to classify, beside the same joins in DuckDB and a comparison by datacompy.

Each way runs in a process of its own, on one core, on the same generated month, one after the other and the whole round
several times. What SQL finds must be what the product finds, class by class and cent by cent; else this fails.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
WAYS = {
    "order_sync": "checked frames, every class, proofs",
    "duckdb": "the same joins and classes in SQL, loaded from the frames",
    "duckdb-tables": "the same, from its own tables: without loading",
    "datacompy": "one join by payment id: unequal values, rows without a partner",
}
SECONDS, MEMORY_MIB = 15, 3 * 1024

Run = dict[str, Any]


def _run(way: str, python: Path | str, orders: int) -> Run:
    command = [str(python), "-m", "bench.reconciliation_contender", way, "--orders", str(orders)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT)])}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: Run = json.loads(done.stdout.splitlines()[-1])
    return result


def _median(runs: list[Run], figure: str) -> float:
    return statistics.median(float(run[figure]) for run in runs)


def _show(rounds: list[dict[str, Run]], orders: int) -> Table:
    table = Table(title=f"{orders:,} orders, median of {len(rounds)}, one core")
    table.add_column("way", no_wrap=True)
    table.add_column("what it does")
    for heading in ("wall s", "CPU s", "CPU ratio", "peak MiB", "of it the month"):
        table.add_column(heading, justify="right")
    for way in rounds[0]:
        runs = [found[way] for found in rounds]
        ratio = statistics.median(found[way]["cpu_seconds"] / found["order_sync"]["cpu_seconds"] for found in rounds)
        figures = (f"{_median(runs, 'seconds'):.1f}", f"{_median(runs, 'cpu_seconds'):.1f}", f"{ratio:.2f}")
        memory = (f"{_median(runs, 'peak_mib'):.0f}", f"{_median(runs, 'books_mib'):.0f}")
        table.add_row(f"{way} ({runs[0]['version']})", WAYS[way], *figures, *memory)
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when two ways disagree, or the product needs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.reconciliation", description="Measure the classes of one month.")
    parser.add_argument("--orders", type=int, default=1_000_000, help="as many payments, too (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the median is shown (%(default)s)")
    parser.add_argument("--datacompy", type=Path, metavar="PYTHON", help="the interpreter of the environment that has it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here, too")
    chosen = parser.parse_args(arguments)
    ways = [way for way in WAYS if way != "datacompy" or chosen.datacompy]
    console = Console(highlight=False, width=130)
    rounds = []
    for number in range(chosen.repeat):
        found = {way: _run(way, chosen.datacompy if way == "datacompy" else sys.executable, chosen.orders) for way in ways}
        console.print(f"round {number + 1}: " + ", ".join(f"{way} {run['cpu_seconds']:.1f} s" for way, run in found.items()))
        rounds.append(found)
    if chosen.json:
        chosen.json.write_text(json.dumps(rounds, indent=1), encoding="utf-8")
    console.print(_show(rounds, chosen.orders))
    own = [found["order_sync"] for found in rounds]
    disagree = [way for way in ("duckdb", "duckdb-tables") if rounds[0][way]["classes"] != own[0]["classes"]]
    is_within = _median(own, "cpu_seconds") < SECONDS and _median(own, "peak_mib") < MEMORY_MIB
    console.print(f"SQL finds {'something else: ' + ', '.join(disagree) if disagree else 'the same classes and sums'}")
    console.print(f"{'within' if is_within else 'MORE THAN'} {SECONDS} s of one core and {MEMORY_MIB} MiB")
    return 1 if disagree or not is_within else 0


if __name__ == "__main__":
    raise SystemExit(main())
