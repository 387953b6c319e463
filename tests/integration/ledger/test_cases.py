"""The queue: one open row per cause; and the two memories that go with it: statuses to send, decisions to reuse."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from order_sync.ledger.cases import change_case, close_case, open_case, open_cases, practice_cause, read_case, refund_cause
from order_sync.ledger.models import CaseRow, CaseState, OutboxRow, RememberedPatient
from order_sync.ledger.orders import Step, move
from order_sync.ledger.outbox import lease_statuses, mark_sent, postpone, unsent_statuses
from order_sync.ledger.remembered import forget_patient, remember_patient, remembered_patients
from order_sync.ledger.session import Ledger, Transaction
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from tests.clocks import FakeClock
from tests.integration.ledger.rows import PRACTICE, at_once, saved_order

CAUSE = practice_cause(PRACTICE, Reason.LOGIN_REFUSED)


def _login_refused(tx: Transaction, detail: str | None = None) -> int:
    return open_case(tx, practice_id=PRACTICE, cause=CAUSE, reason=Reason.LOGIN_REFUSED, detail=detail)


def _cases(ledger: Ledger) -> list[CaseRow]:
    with ledger.transaction() as tx:
        return list(tx.session.scalars(select(CaseRow).order_by(CaseRow.id)))


def _statuses(ledger: Ledger) -> list[PublicStatus]:
    with ledger.transaction() as tx:
        return [row.status for row, _ in unsent_statuses(tx, PRACTICE, limit=10)]


def test_a_trouble_that_goes_on_keeps_its_row_and_tells_its_news(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        first = _login_refused(tx, "Nextech")
    with ledger.transaction() as tx:
        tx.session.get_one(CaseRow, first).assignee = "desk.user"
    clock.advance(minutes=15)
    with ledger.transaction() as tx:
        assert _login_refused(tx, "store") == first
    (case,) = _cases(ledger)
    assert (case.sentence, case.times_seen, case.assignee) == ("Login refused: store", 2, "desk.user")
    assert case.last_seen_at - case.opened_at == timedelta(minutes=15)


def _change(ledger: Ledger, case_id: int, version: int, **changes: object) -> bool:
    with ledger.transaction() as tx:
        return change_case(tx, case_id, version, **changes)


def test_of_two_people_with_one_case_in_hand_one_changes_it(ledger: Ledger):
    with ledger.transaction() as tx:
        case_id = _login_refused(tx)
    done = at_once(3, lambda index: _change(ledger, case_id, 0, assignee=f"person {index}"))
    assert sorted(done) == [False, False, True]
    (case,) = _cases(ledger)
    assert (case.version, case.assignee) == (1, f"person {done.index(True)}")


def test_a_closed_case_is_not_changed(ledger: Ledger):
    with ledger.transaction() as tx:
        case_id = _login_refused(tx)
        close_case(tx, CAUSE, by="sync", resolution="answers again")
    assert not _change(ledger, case_id, 0, assignee="dana")
    with ledger.transaction() as tx:
        assert read_case(tx, case_id + 1) is None


def test_a_trouble_that_tells_something_new_at_every_try_stays_put_off(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        case_id = _login_refused(tx, "request 1")
        tomorrow = tx.now + timedelta(days=1)
    assert _change(ledger, case_id, 0, wait_until=tomorrow, state=CaseState.WAITING)
    for number in (2, 3):
        clock.advance(minutes=15)
        with ledger.transaction() as tx:
            close_case(tx, CAUSE, by="sync", resolution="answers again")
            _login_refused(tx, f"request {number}")
    (case,) = _cases(ledger)
    assert (case.wait_until, case.state, case.sentence) == (tomorrow, CaseState.WAITING, "Login refused: request 3")


def test_an_orders_case_that_says_something_else_is_not_put_off_any_more(ledger: Ledger):
    order = saved_order(ledger)
    with ledger.transaction() as tx:
        queued = move(tx, order, Step(OrderState.QUEUED, Reason.NAME_DIFFERS))
        later = tx.now + timedelta(days=1)
    (case,) = _cases(ledger)
    assert _change(ledger, case.id, 0, wait_until=later, state=CaseState.WAITING, assignee="dana")
    with ledger.transaction() as tx:
        queued = move(tx, queued, Step(OrderState.QUEUED, Reason.NAME_DIFFERS))
    (case,) = _cases(ledger)
    assert (case.version, case.wait_until) == (1, later)
    with ledger.transaction() as tx:
        move(tx, queued, Step(OrderState.QUEUED, Reason.NAME_MISSING))
    (case,) = _cases(ledger)
    assert (case.version, case.wait_until, case.state, case.assignee) == (2, None, CaseState.ASSIGNED, "dana")


def test_a_trouble_that_comes_back_long_after_it_was_closed_is_a_new_case(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        first = _login_refused(tx)
        assert close_case(tx, CAUSE, by="sync", resolution="answers again")
        assert not close_case(tx, CAUSE, by="desk.user", resolution="closed twice")
    clock.advance(minutes=61)
    with ledger.transaction() as tx:
        second = _login_refused(tx)
    assert second != first
    assert [case.state for case in _cases(ledger)] == [CaseState.RESOLVED, CaseState.OPEN]


def test_a_case_that_a_rerun_only_interrupted_keeps_its_age_and_its_assignee(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        first = _login_refused(tx)
        tx.session.get_one(CaseRow, first).assignee = "desk.user"
    clock.advance(minutes=300)
    with ledger.transaction() as tx:
        close_case(tx, CAUSE, by="sync", resolution="order is received")
    clock.advance(minutes=1)
    with ledger.transaction() as tx:
        assert _login_refused(tx) == first
    [case] = _cases(ledger)
    assert (case.state, case.assignee, case.times_seen) == (CaseState.ASSIGNED, "desk.user", 2)
    assert case.closed_at is None
    assert (case.last_seen_at - case.opened_at) == timedelta(minutes=301)


def test_a_case_that_a_person_dismissed_does_not_come_back_as_the_same(ledger: Ledger):
    with ledger.transaction() as tx:
        first = _login_refused(tx)
        close_case(tx, CAUSE, by="desk.user", resolution="not a patient", state=CaseState.DISMISSED)
        assert _login_refused(tx) != first


def test_many_that_meet_one_trouble_at_once_open_one_case(ledger: Ledger):
    def meet(_index: int) -> int:
        with ledger.transaction() as tx:
            return _login_refused(tx)

    assert len(set(at_once(8, meet))) == 1
    (case,) = _cases(ledger)
    assert case.times_seen == 8


def test_of_many_that_close_one_case_at_once_one_does(ledger: Ledger):
    with ledger.transaction() as tx:
        _login_refused(tx)

    def close(index: int) -> bool:
        with ledger.transaction() as tx:
            return close_case(tx, CAUSE, by=f"user-{index}", resolution="renewed")

    assert sum(at_once(8, close)) == 1


def test_the_database_itself_refuses_a_second_open_case_of_one_cause(ledger: Ledger):
    with ledger.transaction() as tx:
        _login_refused(tx)
    copy = text(
        "INSERT INTO manual_resolution_queue"
        " (practice_id, cause, reason, sentence, next_step, state, opened_at, last_seen_at, times_seen)"
        " SELECT practice_id, cause, reason, sentence, next_step, 'waiting', opened_at, last_seen_at, 1"
        " FROM manual_resolution_queue"
    )
    with pytest.raises(IntegrityError), ledger.transaction() as tx:
        tx.session.execute(copy)


def test_open_cases_come_oldest_first_and_by_practice(ledger: Ledger, clock: FakeClock):
    order = saved_order(ledger, OrderState.CONFIRMED)
    with ledger.transaction() as tx:
        refund = open_case(
            tx,
            practice_id=PRACTICE,
            cause=refund_cause(order.id),
            reason=Reason.REFUND_TO_RECORD,
            order=order,
            amount_cents=500,
        )
    clock.advance(minutes=1)
    with ledger.transaction() as tx:
        login = _login_refused(tx)
        open_case(tx, practice_id="central", cause="practice:central", reason=Reason.SETTINGS_WRONG)
        assert [case.id for case in open_cases(tx, PRACTICE)] == [refund, login]
        assert [case.amount_cents for case in open_cases(tx)] == [500, None, None]


def test_a_case_without_candidates_holds_null_not_the_word_null(ledger: Ledger):
    with ledger.transaction() as tx:
        _login_refused(tx)
    with ledger.transaction() as tx:
        query = text("SELECT COUNT(*) FROM manual_resolution_queue WHERE candidate_ids IS NULL")
        assert tx.session.execute(query).scalar_one() == 1


def test_only_the_newest_status_of_an_order_is_sent(ledger: Ledger):
    order = saved_order(ledger)
    with ledger.transaction() as tx:
        move(tx, order, Step(OrderState.QUEUED, Reason.NAME_DIFFERS))
        ((status, found),) = unsent_statuses(tx, PRACTICE, limit=10)
        assert (status.status, status.message, found.id) == (PublicStatus.NOT_SYNCED, "Name differs", order.id)
        mark_sent(tx, [status.id], note="staff had set another")
    assert _statuses(ledger) == []
    with ledger.transaction() as tx:
        old, new = tx.session.scalars(select(OutboxRow).order_by(OutboxRow.id))
    assert (old.is_superseded, new.is_superseded, new.last_error) == (True, False, "staff had set another")
    assert old.run_key != new.run_key


def test_a_step_that_staff_cannot_see_tells_the_store_nothing(ledger: Ledger):
    order = saved_order(ledger, OrderState.MATCHED)
    with ledger.transaction() as tx:
        move(tx, order, Step(OrderState.INTENT))
        ((status, _),) = unsent_statuses(tx, PRACTICE, limit=10)
    assert (status.status, status.is_superseded) == (PublicStatus.WAITING, False)


def test_a_status_that_cannot_be_written_is_tried_again_later_and_later(ledger: Ledger, clock: FakeClock):
    saved_order(ledger)
    waits = []
    for _ in range(5):
        with ledger.transaction() as tx:
            ((status, _order),) = unsent_statuses(tx, PRACTICE, limit=10)
            postpone(tx, status, "store: no answer")
        waited = 0
        while not _statuses(ledger):
            clock.advance(minutes=5)
            waited += 5
        waits.append(waited)
    assert waits == [5, 15, 60, 60, 60]


def test_a_status_that_somebody_is_writing_is_nobody_elses_until_its_lease_ends(ledger: Ledger, clock: FakeClock):
    saved_order(ledger)

    def lease(_index: int) -> int:
        with ledger.transaction() as tx:
            return len(lease_statuses(tx, PRACTICE, limit=10, seconds=60))

    assert sorted(at_once(8, lease)) == [0] * 7 + [1]
    assert lease(0) == 0
    clock.advance(minutes=2)
    assert lease(0) == 1


def test_statuses_are_read_for_the_orders_and_the_practice_asked_for(ledger: Ledger):
    first, second = saved_order(ledger), saved_order(ledger)
    saved_order(ledger, practice_id="central")
    with ledger.transaction() as tx:
        assert [order.id for _, order in unsent_statuses(tx, PRACTICE, limit=10)] == [first.id, second.id]
        assert [order.id for _, order in unsent_statuses(tx, PRACTICE, limit=1)] == [first.id]
        assert [order.id for _, order in unsent_statuses(tx, PRACTICE, limit=10, only=[second.id])] == [second.id]


def test_a_decision_is_reused_replaced_and_revoked_and_its_trace_stays(ledger: Ledger):
    with ledger.transaction() as tx:
        remember_patient(tx, practice_id=PRACTICE, customer_key="k1", patient_id="p1", by="desk.user")
        remember_patient(tx, practice_id=PRACTICE, customer_key="k2", patient_id="p2", by="desk.user")
        remember_patient(tx, practice_id=PRACTICE, customer_key="k1", patient_id="p3", by="second.user")
        assert remembered_patients(tx, PRACTICE, ["k1", "k2", "k3"]) == {"k1": "p3", "k2": "p2"}
        assert remembered_patients(tx, "central", ["k1"]) == {}
        forget_patient(tx, practice_id=PRACTICE, customer_key="k1", by="second.user")
        assert remembered_patients(tx, PRACTICE, ["k1", "k2"]) == {"k2": "p2"}
    with ledger.transaction() as tx:
        kept = tx.session.scalars(select(RememberedPatient).where(RememberedPatient.customer_key == "k1"))
        assert [(row.patient_id, row.revoked_by) for row in kept] == [("p1", "second.user"), ("p3", "second.user")]


def test_a_customer_has_one_remembered_patient_at_most(ledger: Ledger):
    with ledger.transaction() as tx:
        remember_patient(tx, practice_id=PRACTICE, customer_key="k1", patient_id="p1", by="desk.user")
        again = {"practice_id": PRACTICE, "customer_key": "k1", "patient_id": "p2", "decided_by": "a", "decided_at": tx.now}
    with pytest.raises(IntegrityError), ledger.transaction() as tx:
        tx.session.add(RememberedPatient(**again))
