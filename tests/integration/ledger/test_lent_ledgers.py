"""A PostgreSQL ledger that one test gives back and the next one gets: as if it were new, or never again."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from order_sync.ledger.session import Ledger, open_engine
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.postgres import MigratedLedgers
from tests.worlds import WEDNESDAY_NOON, SmallWorld

pytestmark = pytest.mark.postgres

CHANGES = {
    "a trigger that is dropped": "DROP TRIGGER orders_step_is_allowed ON orders",
    "a trigger that is switched off": "ALTER TABLE orders DISABLE TRIGGER orders_step_is_allowed",
    "a column more": "ALTER TABLE orders ADD COLUMN extra text",
    "a function that does something else": (
        "CREATE OR REPLACE FUNCTION audit_trail_is_append_only() RETURNS trigger "
        "LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
    ),
    "a setting of its own": (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$"
    ),
    "another revision": "UPDATE alembic_version SET version_num = '0001'",
}


@pytest.fixture
def ledgers(_migrated_postgres: MigratedLedgers) -> MigratedLedgers:
    return _migrated_postgres


def first_order_id(url: str) -> int:
    """Sync an order of a ledger that has none; return its row's id."""
    clock = FakeClock(WEDNESDAY_NOON)
    ledger = Ledger(open_engine(url), clock)
    world = SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 1}))
    world.run_after(minutes=(0, 15))
    (order,) = world.orders()
    ledger.close()
    return order.id


def test_a_ledger_that_was_used_is_empty_again_and_counts_from_one(ledgers: MigratedLedgers) -> None:
    with ledgers.lend() as url:
        assert first_order_id(url) == 1
    with ledgers.lend() as again:
        assert again == url
        assert first_order_id(again) == 1


def test_a_connection_that_somebody_left_open_keeps_nobody_waiting(ledgers: MigratedLedgers) -> None:
    with ledgers.lend() as url:
        engine = create_engine(url, poolclass=NullPool)
        connection = engine.connect()
        connection.execute(text("LOCK TABLE orders"))
    with ledgers.lend() as again:
        assert again == url
        assert first_order_id(again) == 1
    connection.invalidate()
    connection.close()


@pytest.mark.parametrize("change", CHANGES)
def test_a_ledger_that_was_changed_is_never_lent_again(ledgers: MigratedLedgers, change: str) -> None:
    with ledgers.lend() as url:
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(CHANGES[change]))
    with ledgers.lend() as other:
        assert other != url
        assert first_order_id(other) == 1
