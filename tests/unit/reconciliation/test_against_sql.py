"""The same rules written a second time, in SQL, find the same lines: class, both sides and payments of every subject."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from bench.reconciliation_books import write_books
from bench.reconciliation_contender import AS_OF, FIRST, LAST, QUERY
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period

COLUMNS = ["subject", "class_", "store_cents", "nextech_cents", "explains_cents"]


def rows_of(lines: pd.DataFrame) -> list[tuple[object, ...]]:
    return sorted(lines[COLUMNS].astype(dict.fromkeys(COLUMNS[2:], "int64")).itertuples(index=False, name=None))


@pytest.mark.parametrize("seed", range(3))
def test_sql_finds_the_same_lines(seed: int):
    frames = write_books(5_000, seed)
    absent = frozenset(frames["absent"]["number"])
    facts = Facts(frames["orders"], frames["memos"], frames["entries"], frames["ledger"], absent)
    found = reconcile(facts, Period(FIRST, LAST), practice_id="bench", as_of=AS_OF)

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, frame in frames.items():
            connection.register(name, frame)
        expected = connection.execute(QUERY.read_text("utf-8"), {"first": FIRST, "last": LAST, "as_of": AS_OF}).df()

    assert len(found) > 5_000
    assert rows_of(found) == rows_of(expected)
