"""What the ledger remembers of restores, and what it still knows of the orders from before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from order_sync.errors import LedgerBusyError
from order_sync.ledger.models import RestoreRow
from order_sync.ledger.orders import Step, claim_orders, move, read_order
from order_sync.ledger.postings import update_payment
from order_sync.ledger.restores import add_restore, last_restore, older_order_without_patient, payments_seen_between
from order_sync.ledger.session import Ledger
from order_sync.restores import declare_restore
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.desks import demo_practices
from tests.integration.ledger.rows import PATIENT, PRACTICE, new_order, planned, saved_order


def test_the_latest_restore_of_a_practice_is_the_one_that_holds(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        assert last_restore(tx, PRACTICE) is None
        add_restore(tx, PRACTICE, by="dana")
    clock.advance(hours=3)
    with ledger.transaction() as tx:
        add_restore(tx, PRACTICE, by="ellis")
        add_restore(tx, "central", by="ellis")
    clock.advance(hours=3)
    with ledger.transaction() as tx:
        assert last_restore(tx, PRACTICE) == clock.now() - timedelta(hours=3)
        rows = tx.session.scalars(select(RestoreRow).where(RestoreRow.practice_id == PRACTICE).order_by(RestoreRow.id))
        assert [row.declared_by for row in rows] == ["dana", "ellis"]


def test_a_declaration_holds_the_orders_on_their_way_and_takes_them_from_a_run(ledger: Ledger, clock: FakeClock):
    due, waiting, elsewhere = (
        saved_order(ledger, OrderState.MATCHED),
        saved_order(ledger, OrderState.WAITING),
        saved_order(ledger, OrderState.MATCHED, practice_id="central"),
    )
    newer = saved_order(ledger, OrderState.MATCHED, placed_at=clock.now() + timedelta(minutes=1))
    with ledger.transaction() as tx:
        [taken] = claim_orders(tx, PRACTICE, [OrderState.MATCHED], seconds=60, limit=1)
    done = declare_restore(ledger, demo_practices()[PRACTICE], actor="dana")
    assert (done.held, done.until) == (1, clock.now() + timedelta(hours=24))
    with pytest.raises(LedgerBusyError), ledger.transaction() as tx:
        move(tx, taken, Step(OrderState.INTENT))
    with ledger.transaction() as tx:
        held = read_order(tx, due.id)
        assert (held.state, held.not_before, held.claimed_by) == (OrderState.MATCHED, done.until, None)
        assert [read_order(tx, row.id).detail for row in (waiting, elsewhere, newer)] == [None] * 3
        free = claim_orders(tx, PRACTICE, [OrderState.MATCHED], seconds=60, limit=9)
        assert [row.id for row in free] == [newer.id]


def test_an_older_order_of_the_same_customer_counts_until_its_chart_is_known(ledger: Ledger, clock: FakeClock):
    now = clock.now()
    older = saved_order(ledger, customer_key="ora", placed_at=now - timedelta(hours=2))
    saved_order(ledger, customer_key="ivo", placed_at=now - timedelta(hours=2))
    saved_order(ledger, OrderState.DISABLED, customer_key="ada", placed_at=now - timedelta(hours=2))
    newer = {key: saved_order(ledger, customer_key=key, placed_at=now) for key in ("ora", "ada", None)}

    def found(key: str | None, hours_ago: float) -> int | None:
        with ledger.transaction() as tx:
            row = older_order_without_patient(tx, newer[key], placed_before=now - timedelta(hours=hours_ago))
            return row.id if row else None

    assert found("ora", 1) == older.id
    assert [found("ora", 3), found("ada", 1), found(None, 1)] == [None] * 3
    with ledger.transaction() as tx:
        move(tx, read_order(tx, older.id), Step(OrderState.MATCHED), patient_id=PATIENT)
    assert found("ora", 1) is None


def test_witnesses_are_payments_of_these_days_that_a_read_has_shown(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        for payment_id, is_verified, days in (("seen", True, 0), ("not seen", False, 0), ("too old", True, 9)):
            order = new_order(tx, OrderState.CONFIRMED)
            planned(tx, order, business_day=order.business_day - timedelta(days=days))
            update_payment(tx, order.id, payment_id=payment_id, verified_at=clock.now() if is_verified else None)
        day = order.business_day
        assert payments_seen_between(tx, PRACTICE, day - timedelta(days=1), day) == {"seen"}
        assert payments_seen_between(tx, "central", day, day) == frozenset()
