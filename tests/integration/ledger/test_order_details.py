"""One order with all that hangs on it."""

from __future__ import annotations

from datetime import date

import pytest

from order_sync.follow_ups import FollowUp, next_step_of
from order_sync.ledger.audit import Action, list_audit, record_action
from order_sync.ledger.cases import open_refund
from order_sync.ledger.models import AttemptKind
from order_sync.ledger.order_details import MOST_SHOWN, OrderDetails, read_details
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import finish_attempt, update_payment
from order_sync.ledger.refund_models import RefundPaymentRow, RefundRow
from order_sync.ledger.remembered import forget_patient, remember_patient
from order_sync.ledger.report_models import LineRow, ReportRow
from order_sync.ledger.session import Ledger
from order_sync.reasons import POSTED_BY_HAND, Reason
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import PeriodKind
from order_sync.statuses import OrderState, PublicStatus
from tests.integration.ledger.rows import EXECUTED, PATIENT, PRACTICE, attempted, saved_order

MINE = (PRACTICE,)


def _details(ledger: Ledger, order_id: int) -> OrderDetails:
    with ledger.reading() as tx:
        found = read_details(tx, order_id, MINE)
    assert found is not None
    return found


def test_a_posted_order_shows_its_payment_its_attempt_and_every_step(ledger: Ledger):
    order, attempt = attempted(ledger, follow_up=FollowUp.CREATE_BILL.value)
    with ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, EXECUTED)
        update_payment(tx, order.id, payment_id="pay-1", posted_at=tx.now)
        move(tx, order, Step(OrderState.CONFIRMED, actor="dana"))
    found = _details(ledger, order.id)
    assert found.order.public_status is PublicStatus.SYNCED
    assert (found.sentence, found.next_steps) == (None, ("Create bill.",))
    assert found.payment is not None
    assert found.payment.payment_id == "pay-1"
    assert [(shown.kind, shown.http_status) for shown in found.attempts] == [(AttemptKind.PAYMENT, 201)]
    assert [(step.to_state, step.actor) for step in found.history] == [("confirmed", "dana"), ("intent", "sync")]
    assert [message.status for message in found.messages] == [PublicStatus.SYNCED, PublicStatus.WAITING]
    assert (found.cases, found.refunds, found.mentions, found.remembered, found.audit) == ((), (), (), None, ())


def test_an_order_that_waits_for_a_person_says_why_and_what_to_do(ledger: Ledger):
    order = saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS)
    with ledger.transaction() as tx:
        moved = move(tx, order, Step(OrderState.MATCHED))
        move(tx, moved, Step(OrderState.QUEUED, Reason.PAYMENT_REJECTED, "status 400"))
    found = _details(ledger, order.id)
    assert found.sentence == "Nextech refuses the payment: status 400"
    assert found.next_steps == ("Check category, provider and location, then retry.",)
    assert [case.reason for case in found.open_cases] == ["payment_rejected"]
    assert [case.reason for case in found.cases] == ["payment_rejected", "name_differs"]


def test_a_refund_shows_what_of_it_is_recorded_and_comes_before_the_bill(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED, follow_up=FollowUp.CREATE_BILL.value)
    with ledger.transaction() as tx:
        open_refund(tx, order, 700)
        memo = RefundRow(practice_id=PRACTICE, order_id=order.id, memo_id=1, memo_number="000000001", made_at=tx.now)
        memo.amount_cents, memo.is_offline = 700, False
        tx.session.add(memo)
        tx.session.flush()
        payment = RefundPaymentRow(refund_id=memo.id, payment_id="pay-9", practice_id=PRACTICE, settled_cents=200)
        payment.is_by_name, payment.settled_at = True, tx.now
        tx.session.add(payment)
    found = _details(ledger, order.id)
    [refund] = found.refunds
    assert (refund.memo.memo_number, refund.to_record_cents) == ("000000001", 500)
    assert [payment.payment_id for payment in refund.payments] == ["pay-9"]
    assert found.next_steps == ("Record the refund on the patient's billing tab in Nextech.", "Create bill.")


def _report(ledger: Ledger, order_entity_id: int, practice_id: str, version: int, class_: str) -> None:
    with ledger.transaction() as tx:
        report = ReportRow(practice_id=practice_id, report_id=f"{practice_id}-v{version}", period_kind=PeriodKind.DAY)
        report.first_day = report.last_day = date(2026, 3, 9)
        report.version, report.facts_sha256, report.statement = version, "0" * 64, {}
        report.store_in_cents = report.store_back_cents = report.posted_cents = 0
        report.recorded_back_cents = report.variance_cents = 0
        report.cut_off = report.created_at = report.checked_at = tx.now
        report.superseded_at = tx.now if version == 1 else None
        tx.session.add(report)
        tx.session.flush()
        line = LineRow(report_id=report.id, position=0, class_=class_, subject=f"order:{order_entity_id}", line={})
        line.explains_cents = 100
        tx.session.add(line)


def test_the_reports_that_speak_of_an_order_are_named_the_newest_first(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED)
    _report(ledger, order.entity_id, PRACTICE, 1, "short")
    _report(ledger, order.entity_id, PRACTICE, 2, "matched")
    _report(ledger, order.entity_id, "central", 1, "short")  # the same key in another practice's store
    found = _details(ledger, order.id).mentions
    assert [(mention.report_id, mention.class_, mention.is_current) for mention in found] == [
        ("eastern-v2", DifferenceClass.MATCHED, True),
        ("eastern-v1", DifferenceClass.SHORT, False),
    ]


def test_a_remembered_decision_is_shown_until_it_is_revoked(ledger: Ledger):
    order = saved_order(ledger, OrderState.CONFIRMED, customer_key="k" * 64)
    with ledger.transaction() as tx:
        remember_patient(tx, practice_id=PRACTICE, customer_key="k" * 64, patient_id=PATIENT, by="dana")
    remembered = _details(ledger, order.id).remembered
    assert remembered is not None
    assert (remembered.patient_id, remembered.decided_by) == (PATIENT, "dana")
    with ledger.transaction() as tx:
        forget_patient(tx, practice_id=PRACTICE, customer_key="k" * 64, by="sam")
    assert _details(ledger, order.id).remembered is None


def test_an_order_of_another_practice_is_not_there(ledger: Ledger):
    order = saved_order(ledger, practice_id="central")
    with ledger.reading() as tx:
        assert read_details(tx, order.id, MINE) is None
        assert read_details(tx, order.id, ()) is None
        assert read_details(tx, order.id + 1, ("central",)) is None


def test_an_order_that_stepped_to_and_fro_for_months_does_not_make_the_page_endless(ledger: Ledger):
    order = saved_order(ledger)
    with ledger.transaction() as tx:
        for _ in range(MOST_SHOWN + 5):
            order = move(tx, order, Step(OrderState.WAITING if order.state is OrderState.RECEIVED else OrderState.RECEIVED))
    assert len(_details(ledger, order.id).history) == MOST_SHOWN


def test_the_trail_says_who_looked_at_an_order_and_who_did_what(ledger: Ledger):
    order = saved_order(ledger)
    with ledger.transaction() as tx:
        record_action(tx, Action.PATIENT_VIEWED, actor="dana", practice_id=PRACTICE, order_id=order.id)
        record_action(tx, Action.PATIENT_CHOSEN, actor="dana", practice_id=PRACTICE, order_id=order.id, detail="level 6")
        record_action(tx, Action.EXPORTED, actor="sam", practice_id=PRACTICE, detail="3 orders")
        record_action(tx, Action.EXPORTED, actor="sam", practice_id="central", detail="3 orders")
    trail = [(row.action, row.actor, row.detail) for row in _details(ledger, order.id).audit]
    assert trail == [("patient_chosen", "dana", "level 6"), ("patient_viewed", "dana", None)]
    with ledger.reading() as tx:
        whole = list_audit(tx, MINE)
        assert [row.action for row in whole] == ["exported", "patient_chosen", "patient_viewed"]
        assert [row.id for row in list_audit(tx, MINE, before_id=whole[1].id)] == [whole[2].id]
        assert [row.action for row in list_audit(tx, MINE, actor="sam", limit=5)] == ["exported"]


@pytest.mark.parametrize(
    ("state", "reason", "detail", "expected"),
    [
        (OrderState.RECEIVED, None, None, None),
        (OrderState.WAITING, Reason.ON_HOLD, None, "Check the order and release it in the store (Unhold)."),
        (OrderState.CONFIRMED, None, None, "Create bill."),
        (OrderState.CLOSED, Reason.NAME_DIFFERS, "test order", None),
        (OrderState.CLOSED, Reason.POSSIBLE_MANUAL_ENTRY, POSTED_BY_HAND, "Create bill."),
        (OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED, None, "Post it to the right patient, or leave it."),
        (OrderState.DISABLED, Reason.INTEGRATION_INACTIVE, None, "Enter the payment by hand if it is missing."),
    ],
)
def test_the_next_step_is_what_a_person_can_do_now(
    state: OrderState, reason: Reason | None, detail: str | None, expected: str | None
):
    assert next_step_of(state, reason, detail, FollowUp.CREATE_BILL) == expected


def test_without_anything_sold_that_needs_a_bill_there_is_no_next_step():
    assert next_step_of(OrderState.CONFIRMED, None, None, None) is None
