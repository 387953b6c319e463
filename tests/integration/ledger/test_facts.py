"""What the ledger tells the reconciliation, and how refunds and the payments that record them are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from order_sync.ledger.cases import open_refund
from order_sync.ledger.facts import facts_of, orders_of_markers, orders_of_payments, orders_of_refunds, recorded_memos
from order_sync.ledger.models import CaseRow, OrderRow
from order_sync.ledger.orders import Step, move, update_store_facts
from order_sync.ledger.postings import plan_payment, update_payment
from order_sync.ledger.refund_models import RefundRow
from order_sync.ledger.refunds import (
    MemoFact,
    drop_settlement,
    forget_refund,
    keep_refund,
    keep_settlement,
    orders_with_refunds,
    settlements_of,
)
from order_sync.ledger.session import Ledger, Transaction
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import PATIENT, PRACTICE, saved_order

MARCH = datetime(2026, 3, 9, tzinfo=UTC)


def memo(memo_id: int = 12, cents: int = 1_000) -> MemoFact:
    return MemoFact(memo_id, f"{memo_id:09d}", MARCH, cents, is_offline=False)


def planned(tx: Transaction, order: OrderRow, marker: str, payment_id: str) -> None:
    plan_payment(
        tx,
        order,
        posting_key=f"{PRACTICE}/{order.entity_id}",
        marker=marker,
        patient_id=PATIENT,
        amount_cents=2_500,
        business_day=MARCH.date(),
    )
    update_payment(tx, order.id, payment_id=payment_id, posted_at=tx.now)


def test_an_order_is_told_with_its_payment_and_since_when_it_was_due(ledger: Ledger, clock: FakeClock):
    order = saved_order(ledger, OrderState.WAITING, Reason.ON_HOLD)
    other = saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS)
    clock.advance(hours=1)
    released_at = clock.now()
    with ledger.transaction() as tx:
        received = move(tx, order, Step(OrderState.RECEIVED))
    clock.advance(minutes=5)
    with ledger.transaction() as tx:
        matched = move(tx, received, Step(OrderState.MATCHED), patient_id=PATIENT)
        planned(tx, matched, "DP-1", "88213")
    with ledger.transaction() as tx:
        facts = facts_of(tx, PRACTICE, [order.entity_id, other.entity_id, 999_999])
        assert facts_of(tx, "central", [order.entity_id]) == {}
        assert facts_of(tx, PRACTICE, []) == {}
    assert set(facts) == {order.entity_id, other.entity_id}
    fact = facts[order.entity_id]
    assert (fact.state, fact.public_status, fact.patient_id, fact.marker) == ("matched", "Waiting for Sync", PATIENT, "DP-1")
    assert (fact.payment_id, fact.posted_at, fact.due_since) == ("88213", clock.now(), released_at)
    assert (facts[other.entity_id].reason, facts[other.entity_id].marker) == ("name_differs", None)
    assert facts[other.entity_id].due_since is None


def test_payments_and_markers_lead_to_their_orders_however_many_are_asked_for(ledger: Ledger):
    order = saved_order(ledger, OrderState.MATCHED)
    with ledger.transaction() as tx:
        planned(tx, order, "DP-1", "88213")
    with ledger.transaction() as tx:
        many = [str(number) for number in range(88_000, 89_500)]
        assert orders_of_payments(tx, PRACTICE, many) == {"88213": order.entity_id}
        assert orders_of_payments(tx, "central", many) == {}
        assert orders_of_markers(tx, PRACTICE, ["DP-1", "DP-2"]) == {"DP-1": order.entity_id}


def test_a_refund_is_recorded_when_its_payments_come_to_its_amount(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED)
    with ledger.transaction() as tx:
        row = keep_refund(tx, order, memo())
        keep_settlement(tx, row, "88300", 400, is_by_name=True)
        keep_settlement(tx, row, "88300", 400, is_by_name=True)
    with ledger.transaction() as tx:
        assert recorded_memos(tx, PRACTICE, [12]) == frozenset()
        keep_settlement(tx, row, "88301", 600, is_by_name=False)
    with ledger.transaction() as tx:
        assert recorded_memos(tx, PRACTICE, [12, 13]) == {12}
        assert orders_of_refunds(tx, PRACTICE, ["88300", "88301", "88302"]) == {
            "88300": order.entity_id,
            "88301": order.entity_id,
        }
        [(_, first), _] = settlements_of(tx, [order.id])
        drop_settlement(tx, first)
    with ledger.transaction() as tx:
        assert recorded_memos(tx, PRACTICE, [12]) == frozenset()
        assert [payment.payment_id for _, payment in settlements_of(tx, [order.id])] == ["88301"]
        forget_refund(tx, row)
    with ledger.transaction() as tx:
        assert settlements_of(tx, [order.id]) == []
        assert list(tx.session.scalars(select(RefundRow))) == []


def test_a_credit_memo_is_kept_once_and_as_it_is_now(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED)
    with ledger.transaction() as tx:
        first = keep_refund(tx, order, memo())
        again = keep_refund(tx, order, memo(cents=1_100))
        assert (again.id, again.amount_cents) == (first.id, 1_100)


def test_orders_are_looked_at_for_an_open_case_a_young_memo_or_a_total_that_differs(ledger: Ledger):
    with_case = saved_order(ledger, OrderState.CONFIRMED)
    young, differs, settled_long_ago = (saved_order(ledger, OrderState.CONFIRMED) for _ in range(3))
    saved_order(ledger, OrderState.CONFIRMED)
    saved_order(ledger, OrderState.WAITING, Reason.ON_HOLD, refunded_cents=500)
    with ledger.transaction() as tx:
        open_refund(tx, with_case, 300)
        for order, cents in ((young, 1_000), (differs, 500), (settled_long_ago, 700)):
            update_store_facts(tx, order, refunded_cents=cents)
        keep_refund(tx, young, memo(12, 1_000))
        keep_refund(tx, settled_long_ago, replace(memo(13, 700), made_at=MARCH - timedelta(days=200)))
    with ledger.transaction() as tx:
        found = [row.id for row in orders_with_refunds(tx, PRACTICE, since=MARCH - timedelta(days=90))]
        assert orders_with_refunds(tx, "central", since=MARCH) == []
    assert sorted(found) == [with_case.id, young.id, differs.id]


def test_the_syncs_notice_is_about_what_no_credit_memo_has_told_yet(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED)
    with ledger.transaction() as tx:
        keep_refund(tx, order, memo(12, 1_000))
        open_refund(tx, order, 1_000)
        assert list(tx.session.scalars(select(CaseRow))) == []
        open_refund(tx, order, 2_500)
        assert [case.amount_cents for case in tx.session.scalars(select(CaseRow))] == [1_500]
