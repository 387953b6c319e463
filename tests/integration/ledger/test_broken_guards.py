"""Every trigger and unique key is needed: what it refuses gets in as soon as it is gone, on both databases."""

import contextlib

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from order_sync.ledger.session import Ledger
from tests.integration.ledger.broken_guards import (
    DATABASE_GUARDS,
    POSTGRES_GUARDS,
    DatabaseGuard,
    guards_in,
    ignore_foreign_keys,
    take_out,
)
from tests.integration.ledger.broken_report_guards import REPORT_GUARDS
from tests.integration.ledger.rows import attempted

ALL = {**DATABASE_GUARDS, **REPORT_GUARDS}
ON_BOTH = [pytest.param(guard, id=name) for name, guard in ALL.items()]
ON_POSTGRES = [pytest.param(guard, id=name) for name, guard in POSTGRES_GUARDS.items()]
only_postgres = pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)])


@pytest.mark.parametrize("guard", ON_BOTH)
def test_whoever_writes_past_the_code_is_stopped(ledger: Ledger, guard: DatabaseGuard):
    guard.play(ledger)


@pytest.mark.parametrize("guard", ON_BOTH)
def test_without_the_guard_nobody_is_stopped(ledger: Ledger, guard: DatabaseGuard):
    take_out(ledger, guard.name_in(ledger))
    with pytest.raises(AssertionError, match=f"^{guard.goes_wrong}"):
        guard.play(ledger)


@only_postgres
@pytest.mark.parametrize("guard", ON_POSTGRES)
def test_whoever_empties_a_table_is_stopped(ledger: Ledger, guard: DatabaseGuard):
    guard.play(ledger)


@only_postgres
@pytest.mark.parametrize("guard", ON_POSTGRES)
def test_without_the_guard_a_table_can_be_emptied(ledger: Ledger, guard: DatabaseGuard):
    take_out(ledger, guard.name_in(ledger))
    with pytest.raises(AssertionError, match=f"^{guard.goes_wrong}"):
        guard.play(ledger)


def test_no_trigger_and_no_unique_key_is_missing_in_the_table(ledger: Ledger):
    known = {guard.name_in(ledger) for guard in ALL.values()}
    if ledger.engine.dialect.name == "postgresql":
        known |= {guard.name for guard in POSTGRES_GUARDS.values()}
    assert guards_in(ledger) == known


def test_one_guard_is_taken_out_and_no_other(ledger: Ledger):
    before = guards_in(ledger)
    take_out(ledger, "uq_payments_marker")
    assert before - guards_in(ledger) == {"uq_payments_marker"}


def _remove_the_order(ledger: Ledger) -> int:
    """Try to remove an order with all that hangs on it; return how many orders are left."""
    attempted(ledger)
    with contextlib.suppress(IntegrityError), ledger.transaction() as tx:
        tx.session.execute(text("DELETE FROM orders"))
    with ledger.transaction() as tx:
        return int(tx.session.execute(text("SELECT count(*) FROM orders")).scalar_one())


def test_an_order_is_kept_by_what_points_to_it(ledger: Ledger):
    assert _remove_the_order(ledger) == 1


def test_without_foreign_keys_an_order_can_be_removed(ledger: Ledger):
    ignore_foreign_keys(ledger)
    assert _remove_the_order(ledger) == 0
