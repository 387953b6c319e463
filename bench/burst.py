"""Measure how fast a burst is posted: 1,000 paid orders of known patients in one practice (`python -m bench.burst`).

By default a whole Airflow does it; `--headless` runs the same steps in this process and says where the time goes.
The time from the start of the run to the last booked payment is compared with what Nextech's limit alone asks for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from rich.console import Console

from bench.burst_figures import Burst, show
from bench.burst_headless import measure_headless
from bench.burst_scheduler import measure_scheduler
from launch.plan import LaunchError


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.burst", description="Measure how fast a burst of orders is posted.")
    parser.add_argument("--headless", action="store_true", help="without Airflow, with a breakdown of each step")
    parser.add_argument("--warm", action="store_true", help="headless: post two orders before, as in a practice synced before")
    parser.add_argument("--orders", type=int, default=1_000, help="how many (%(default)s)")
    parser.add_argument("--repeat", type=int, default=1, help="measure so often and show the median (%(default)s)")
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres", help="for the ledger (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here, too")
    return parser.parse_args(arguments)


def _measure(chosen: argparse.Namespace) -> Burst:
    home = Path(tempfile.mkdtemp(prefix="order-sync-bench-"))
    try:
        if chosen.headless:
            return measure_headless(home / "home", chosen.orders, database=chosen.database, is_warm=chosen.warm)
        return measure_scheduler(home / "home", chosen.orders, database=chosen.database)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when an order was not booked exactly once, or when something did not start."""
    chosen = _arguments(arguments)
    signal.signal(signal.SIGTERM, _end)  # so that what was started is ended and the folder goes
    console = Console(highlight=False)
    try:
        bursts = [_measure(chosen) for _ in range(max(1, chosen.repeat))]
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    show(console, bursts)
    if chosen.json:
        found = [asdict(burst) | {"ratio": burst.ratio, "limit_seconds": burst.limit_seconds} for burst in bursts]
        chosen.json.write_text(json.dumps(found, default=str, indent=2) + "\n", encoding="utf-8")
    return 0 if all(burst.is_exact for burst in bursts) else 1


if __name__ == "__main__":
    sys.exit(main())
