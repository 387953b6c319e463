"""Classify one generated month once, in one way, in this process, and print what it took as JSON.

Run by `bench.reconciliation` in a child process each time, so that a peak of memory is that of one way alone. The way
`datacompy` runs in a virtual environment of its own: nothing here imports the product before it is asked to.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time

import pandas as pd

from bench.reconciliation_books import Frames, write_books

FIRST, LAST, AS_OF = date(2026, 11, 1), date(2026, 11, 30), datetime(2026, 12, 2, 9, tzinfo=UTC)

QUERY = Path(__file__).with_name("reconciliation.sql")

Measured = tuple[pd.DataFrame | None, float, float]
"""Lines, where there are any; wall and CPU seconds."""


def _time(run: Callable[[], pd.DataFrame | None]) -> Measured:
    gc.collect()
    wall, cpu = perf_counter(), process_time()
    lines = run()
    return lines, perf_counter() - wall, process_time() - cpu


def classify_as_the_product(frames: Frames) -> Measured:
    """Check the frames and classify them, proofs included."""
    from order_sync.reconciliation.classify import reconcile  # noqa: PLC0415 - only where it is measured
    from order_sync.reconciliation.frames import Facts  # noqa: PLC0415 - only where it is measured
    from order_sync.reconciliation.periods import Period  # noqa: PLC0415 - only where it is measured

    absent = frozenset(frames["absent"]["number"])

    def run() -> pd.DataFrame:
        facts = Facts(frames["orders"], frames["memos"], frames["entries"], frames["ledger"], absent)
        return reconcile(facts, Period(FIRST, LAST), practice_id="bench", as_of=AS_OF)

    return _time(run)


def classify_in_duckdb(frames: Frames, *, is_loaded: bool) -> Measured:
    """Do the same joins and classes in SQL, on one thread: from the frames, or from DuckDB's own tables, loaded before."""
    import duckdb  # noqa: PLC0415 - only where it is measured

    query = QUERY.read_text(encoding="utf-8")
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")

    def load() -> None:
        for name, frame in frames.items():
            connection.register(f"{name}_frame", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_frame")  # noqa: S608 - our own names

    def run() -> pd.DataFrame:
        if not is_loaded:
            load()
        lines: pd.DataFrame = connection.execute(query, {"first": FIRST, "last": LAST, "as_of": AS_OF}).df()
        return lines

    if is_loaded:
        load()
        frames.clear()
    return _time(run)


def compare_with_datacompy(frames: Frames) -> Measured:
    """Join what was to be posted with what stands in Nextech by the payment's id, and compare patient, amount and day.

    Only the comparison is timed. It finds unequal values and rows without a partner; it knows no class and no sum.
    """
    import datacompy  # noqa: PLC0415 - only where it is measured

    ledger, orders = frames["ledger"], frames["orders"]
    wanted = ledger[ledger["payment_id"].notna()].merge(orders, on="entity_id", how="left", validate="one_to_one")
    wanted = wanted.rename(columns={"expected_cents": "amount_cents", "placed_day": "paid_day"})
    columns = ["payment_id", "patient_id", "amount_cents", "paid_day"]
    entries = frames["entries"]
    left, right = wanted[columns], entries.loc[entries["status"] == "active", columns]
    frames.clear()

    def run() -> None:
        comparison = datacompy.PandasCompare(left, right, join_columns="payment_id")
        found = comparison.count_matching_rows(), len(comparison.df1_unq_rows), len(comparison.df2_unq_rows)
        print(f"datacompy: {found[0]} rows agree, {found[1]} only to be posted, {found[2]} only in Nextech", file=sys.stderr)

    return _time(run)


WAYS: dict[str, Callable[[Frames], Measured]] = {
    "order_sync": classify_as_the_product,
    "duckdb": lambda frames: classify_in_duckdb(frames, is_loaded=False),
    "duckdb-tables": lambda frames: classify_in_duckdb(frames, is_loaded=True),
    "datacompy": compare_with_datacompy,
}
VERSIONS = {"order_sync": "pandas", "duckdb": "duckdb", "duckdb-tables": "duckdb", "datacompy": "datacompy"}


def main() -> None:
    """Measure the way that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core, whoever measures
    frames = write_books(chosen.orders, chosen.seed)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines, seconds, cpu_seconds = WAYS[chosen.way](frames)
    classes = {}
    if lines is not None:
        sums = lines.groupby("class_")["explains_cents"].agg(["size", "sum"])
        classes = {str(name): [int(size), int(cents)] for name, size, cents in sums.itertuples()}
    unit = 1 if sys.platform == "darwin" else 1024
    result = {
        "way": chosen.way,
        "version": f"{VERSIONS[chosen.way]} {version(VERSIONS[chosen.way])}",
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20,
        "books_mib": before * unit / 2**20,
        "classes": classes,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
