"""Postings: the intent before the call, its outcome once, and what later reads look for."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest

from order_sync.errors import LedgerBusyError
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import (
    Intent,
    begin_attempt,
    doubtful_account,
    find_payment,
    finish_attempt,
    known_payment_ids,
    latest_attempt,
    overdue_attempts,
    payments_of,
    unverified_payments,
    update_payment,
    witness_payment,
)
from order_sync.ledger.session import Ledger
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import (
    EXECUTED,
    INTENT,
    PATIENT,
    PRACTICE,
    at_once,
    attempted,
    new_order,
    planned,
    saved_order,
)


def _posted(ledger: Ledger, payment_id: str, *, patient_id: str = PATIENT, is_verified: bool = True) -> OrderRow:
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.CONFIRMED)
        planned(tx, order, patient_id=patient_id)
        verified_at = tx.now if is_verified else None
        update_payment(tx, order.id, payment_id=payment_id, posted_at=tx.now, verified_at=verified_at)
        return order


def test_an_intent_says_until_when_it_may_be_under_way(ledger: Ledger, clock: FakeClock):
    order, attempt = attempted(ledger)
    assert attempt.deadline - attempt.intended_at == timedelta(seconds=55)
    assert (attempt.fence, attempt.outcome) == (order.version, None)
    with ledger.transaction() as tx:
        assert overdue_attempts(tx, PRACTICE, OrderState.INTENT, AttemptKind.PAYMENT) == []
    clock.advance(seconds=55)
    with ledger.transaction() as tx:
        assert overdue_attempts(tx, PRACTICE, OrderState.INTENT, AttemptKind.PAYMENT) == [], "not before its deadline (R9)"
    clock.advance(seconds=1)
    with ledger.transaction() as tx:
        ((found, its_attempt),) = overdue_attempts(tx, PRACTICE, OrderState.INTENT, AttemptKind.PAYMENT)
        assert (found.id, its_attempt.attempt_id) == (order.id, attempt.attempt_id)
        assert overdue_attempts(tx, PRACTICE, OrderState.CREATING, AttemptKind.PATIENT) == []


def test_an_outcome_is_recorded_once(ledger: Ledger):
    _, attempt = attempted(ledger)
    with ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, EXECUTED)
    with ledger.transaction() as tx, pytest.raises(LedgerBusyError, match="has its outcome already"):
        finish_attempt(tx, attempt.attempt_id, PostAnswer(PostOutcome.UNKNOWN, "no answer"))
    with ledger.transaction() as tx:
        kept = tx.session.get_one(AttemptRow, attempt.attempt_id)
    assert (kept.outcome, kept.http_status, kept.request_id) == (PostOutcome.EXECUTED, 201, "req-1")


def test_of_two_that_record_an_outcome_at_once_one_does(ledger: Ledger):
    _, attempt = attempted(ledger)

    def finish(_index: int) -> bool:
        try:
            with ledger.transaction() as tx:
                finish_attempt(tx, attempt.attempt_id, EXECUTED)
        except LedgerBusyError:
            return False
        return True

    assert sum(at_once(4, finish)) == 1


def test_long_words_of_the_server_are_cut_to_their_column(ledger: Ledger):
    _, attempt = attempted(ledger)
    with ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, PostAnswer(PostOutcome.UNKNOWN, "x" * 999, request_id="y" * 999))
        kept = tx.session.get_one(AttemptRow, attempt.attempt_id)
    assert (len(kept.reason or ""), len(kept.request_id or "")) == (255, 120)


def test_the_newest_attempt_of_a_kind_is_found(ledger: Ledger):
    order, first = attempted(ledger)
    with ledger.transaction() as tx:
        begin_attempt(tx, order, Intent(AttemptKind.PATIENT, "c" * 64, 55))
        back = move(tx, order, Step(OrderState.MATCHED))
        second = begin_attempt(tx, move(tx, back, Step(OrderState.INTENT)), INTENT)
    assert second.intended_at == first.intended_at, "the same instant: the higher fence is the newer one"
    with ledger.transaction() as tx:
        newest = latest_attempt(tx, order.id, AttemptKind.PAYMENT)
        assert newest is not None
        assert newest.attempt_id == second.attempt_id
        assert latest_attempt(tx, order.id + 1, AttemptKind.PAYMENT) is None


def test_an_intent_and_its_step_are_written_together_or_not_at_all(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.MATCHED)
        planned(tx, order)

    def claim_with_an_intent_that_fails() -> None:
        with ledger.transaction() as tx:
            begin_attempt(tx, move(tx, order, Step(OrderState.INTENT)), INTENT)
            msg = "the commit is lost"
            raise OSError(msg)

    with pytest.raises(OSError, match="lost"):
        claim_with_an_intent_that_fails()
    with ledger.transaction() as tx:
        assert latest_attempt(tx, order.id, AttemptKind.PAYMENT) is None
        assert tx.session.get_one(OrderRow, order.id).state is OrderState.MATCHED


def test_of_two_that_post_one_order_at_once_one_has_an_attempt(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.MATCHED)
        planned(tx, order)

    def post(_index: int) -> str | None:
        try:
            with ledger.transaction() as tx:
                return begin_attempt(tx, move(tx, order, Step(OrderState.INTENT)), INTENT).attempt_id
        except LedgerBusyError:
            return None

    begun = [attempt for attempt in at_once(2, post) if attempt is not None]
    with ledger.transaction() as tx:
        newest = latest_attempt(tx, order.id, AttemptKind.PAYMENT)
    assert newest is not None
    assert begun == [newest.attempt_id]


def test_of_two_orders_of_one_new_customer_that_are_taken_up_at_once_one_asks_for_the_account(ledger: Ledger):
    orders = [saved_order(ledger, customer_key="ora") for _ in range(2)]
    is_first_asking, has_second_looked = Event(), Event()

    def ask(index: int) -> int | None:
        if index == 1:
            assert is_first_asking.wait(timeout=30)
        with ledger.transaction() as tx:
            earlier = doubtful_account(tx, orders[index], since=tx.now - timedelta(hours=24))
            if index == 1:
                has_second_looked.set()
            if earlier is None:
                begin_attempt(tx, move(tx, orders[index], Step(OrderState.CREATING)), Intent(AttemptKind.PATIENT, "c" * 64, 55))
            if index == 0:
                is_first_asking.set()
                has_second_looked.wait(timeout=0.5)  # before this commit; it must not have
        return earlier.id if earlier else None

    assert at_once(2, ask) == [None, orders[0].id]


def test_news_of_a_payment_reaches_the_row_that_is_already_read(ledger: Ledger):
    order, _ = attempted(ledger)
    with ledger.transaction() as tx:
        payment = find_payment(tx, order.id)
        assert payment is not None
        update_payment(tx, order.id, absent_reads=1, last_absent_at=tx.now)
        assert (payment.absent_reads, payment.last_absent_at) == (1, tx.now)
        assert find_payment(tx, order.id + 1) is None


def test_payments_are_found_by_order_and_their_ids_by_patient(ledger: Ledger):
    first, second = _posted(ledger, "pay-1"), _posted(ledger, "pay-2", patient_id="another")
    unposted, _ = attempted(ledger)
    with ledger.transaction() as tx:
        assert set(payments_of(tx, [first.id, unposted.id])) == {first.id, unposted.id}
        assert known_payment_ids(tx, PRACTICE, [PATIENT]) == {"pay-1"}
        assert known_payment_ids(tx, PRACTICE, [PATIENT, "another"]) == {"pay-1", "pay-2"}
        assert known_payment_ids(tx, "central", [PATIENT]) == frozenset()
        assert second.id in payments_of(tx, [second.id])


def test_the_witness_is_the_payment_that_was_seen_last_and_still_stands(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        assert witness_payment(tx, PRACTICE) is None
    _posted(ledger, "pay-1", patient_id="first")
    clock.advance(minutes=1)
    voided = _posted(ledger, "pay-2", patient_id="second")
    clock.advance(minutes=1)
    _posted(ledger, "pay-3", is_verified=False)
    with ledger.transaction() as tx:
        assert witness_payment(tx, PRACTICE) == ("second", "pay-2")
        assert witness_payment(tx, "central") is None
        move(tx, voided, Step(OrderState.CLOSED_VOIDED))
        assert witness_payment(tx, PRACTICE) == ("first", "pay-1")


def test_posted_payments_that_no_read_has_shown_are_looked_for_once_per_pause(ledger: Ledger, clock: FakeClock):
    order = _posted(ledger, "pay-1", is_verified=False)
    _posted(ledger, "pay-2")
    with ledger.transaction() as tx:
        ((found, payment),) = unverified_payments(tx, PRACTICE, before=tx.now, limit=10)
        assert (found.id, payment.payment_id) == (order.id, "pay-1")
        update_payment(tx, order.id, last_absent_at=tx.now)
        assert unverified_payments(tx, PRACTICE, before=tx.now - timedelta(minutes=15), limit=10) == []
    clock.advance(minutes=16)
    with ledger.transaction() as tx:
        assert len(unverified_payments(tx, PRACTICE, before=tx.now - timedelta(minutes=15), limit=10)) == 1
