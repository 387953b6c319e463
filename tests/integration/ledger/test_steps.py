"""One step of an order: what is written along, who wins a race, and that a failure leaves nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from order_sync.errors import LedgerBusyError, PermanentError
from order_sync.ledger.cases import order_cause, refund_cause
from order_sync.ledger.models import CaseRow, CaseState, HistoryRow, OrderRow, OutboxRow, RememberedPatient
from order_sync.ledger.orders import (
    Step,
    failed_orders,
    find_orders,
    find_orders_by_number,
    mark_handed_out,
    move,
    orders_in,
    read_order,
    update_store_facts,
)
from order_sync.ledger.remembered import remember_patient
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from tests.clocks import FakeClock
from tests.integration.ledger.rows import PRACTICE, at_once, new_order, saved_order

TO_A_PERSON = Step(OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER, candidate_ids=["a", "b"])


def _counts(ledger: Ledger) -> dict[str, int]:
    with ledger.transaction() as tx:
        return {
            table.__tablename__: tx.session.scalar(select(func.count()).select_from(table)) or 0
            for table in (OrderRow, HistoryRow, CaseRow, OutboxRow)
        }


def _history(ledger: Ledger, order_id: int) -> list[tuple[str | None, str, str | None, str]]:
    with ledger.transaction() as tx:
        rows = tx.session.scalars(select(HistoryRow).where(HistoryRow.order_id == order_id).order_by(HistoryRow.id))
        return [(row.from_state, row.to_state, row.reason, row.actor) for row in rows]


def test_a_new_order_has_its_history_and_a_status_for_the_store(ledger: Ledger):
    order = saved_order(ledger)
    assert order.public_status is PublicStatus.WAITING
    assert order.first_seen_at == order.changed_at == datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    assert _history(ledger, order.id) == [(None, "received", None, "sync")]
    assert _counts(ledger) == {"orders": 1, "order_history": 1, "manual_resolution_queue": 0, "status_outbox": 1}


def test_an_order_that_is_new_and_already_a_case_is_handed_out(ledger: Ledger):
    order = saved_order(ledger, OrderState.QUEUED, Reason.CURRENCY_UNKNOWN)
    with ledger.transaction() as tx:
        assert [row.id for row in failed_orders(tx, PRACTICE)] == [order.id]
        mark_handed_out(tx, [order.id])
    with ledger.transaction() as tx:
        assert failed_orders(tx, PRACTICE) == []


@pytest.mark.parametrize("is_attached", [True, False], ids=["attached", "detached"])
def test_a_step_writes_the_same_whether_its_order_is_attached_or_not(ledger: Ledger, clock: FakeClock, is_attached: bool):
    order = saved_order(ledger, OrderState.MATCHED)
    clock.advance(minutes=1)
    with ledger.transaction() as tx:
        given = read_order(tx, order.id) if is_attached else order
        queued = move(tx, given, TO_A_PERSON, match_level=4, match_evidence={"email": "equal"})
        assert (queued.version, queued.state, queued.match_level) == (1, OrderState.QUEUED, 4)
        assert (queued.changed_at, queued.failed_at) == (tx.now, tx.now)
        case = tx.session.scalars(select(CaseRow)).one()
        assert (case.cause, case.state, case.candidate_ids) == (order_cause(order.id), CaseState.OPEN, ["a", "b"])
        assert (case.order_number, case.amount_cents, case.times_seen) == (order.number, 12_050, 1)
        matched = move(tx, queued, Step(OrderState.MATCHED, actor="desk.user"), patient_id="b")
        assert (matched.version, matched.patient_id, matched.reason) == (2, "b", None)
    assert _history(ledger, order.id) == [
        (None, "matched", None, "sync"),
        ("matched", "queued", "duplicated_customer", "sync"),
        ("queued", "matched", None, "desk.user"),
    ]
    with ledger.transaction() as tx:
        case = tx.session.scalars(select(CaseRow)).one()
        assert (case.state, case.closed_by, case.resolution) == (CaseState.RESOLVED, "desk.user", "order is matched")
        statuses = [(row.status, row.is_superseded) for row in tx.session.scalars(select(OutboxRow).order_by(OutboxRow.id))]
    assert statuses == [
        (PublicStatus.WAITING, True),
        (PublicStatus.NOT_SYNCED, True),
        (PublicStatus.WAITING, False),
    ]


@pytest.mark.parametrize("is_attached", [True, False], ids=["attached", "detached"])
def test_an_order_that_was_moved_meanwhile_is_not_moved_again(ledger: Ledger, is_attached: bool):
    stale = saved_order(ledger)
    with ledger.transaction() as tx:
        move(tx, stale, Step(OrderState.MATCHED))
    before = _counts(ledger)
    with ledger.transaction() as tx:
        if is_attached:
            tx.session.add(stale)
        with pytest.raises(LedgerBusyError, match="changed meanwhile"):
            move(tx, stale, Step(OrderState.WAITING, Reason.ON_HOLD))
    assert _counts(ledger) == before
    with ledger.transaction() as tx:
        assert read_order(tx, stale.id).state is OrderState.MATCHED


def test_a_step_sees_the_stores_news_of_the_same_transaction(ledger: Ledger):
    order = saved_order(ledger)
    with ledger.transaction() as tx:
        attached = read_order(tx, order.id)
        update_store_facts(tx, attached, amount_cents=7_700)
        assert read_order(tx, order.id).amount_cents == 7_700
        move(tx, attached, Step(OrderState.QUEUED, Reason.AMOUNT_LIMIT))
        assert tx.session.scalars(select(CaseRow.amount_cents)).one() == 7_700


def test_the_stores_news_keeps_the_version_of_a_posting_that_is_under_way(ledger: Ledger):
    intent = saved_order(ledger, OrderState.INTENT)
    with ledger.transaction() as tx:
        update_store_facts(tx, intent, refunded_cents=100)
    with ledger.transaction() as tx:
        moved = move(tx, intent, Step(OrderState.CONFIRMED))
    assert (moved.state, moved.refunded_cents) == (OrderState.CONFIRMED, 100)


def test_a_step_that_does_not_exist_is_a_permanent_error(ledger: Ledger):
    order = saved_order(ledger, OrderState.UNKNOWN)
    with ledger.transaction() as tx, pytest.raises(PermanentError, match="no step leads from unknown to intent"):
        move(tx, order, Step(OrderState.INTENT))


def test_of_two_that_move_one_order_at_once_one_wins(ledger: Ledger):
    order = saved_order(ledger, OrderState.MATCHED)

    def post(_index: int) -> bool:
        try:
            with ledger.transaction() as tx:
                move(tx, order, Step(OrderState.INTENT))
        except LedgerBusyError:
            return False
        return True

    assert sorted(at_once(2, post)) == [False, True]
    assert [step[:2] for step in _history(ledger, order.id)] == [(None, "matched"), ("matched", "intent")]


def test_a_case_that_is_met_again_keeps_its_age_and_the_store_is_told_once(ledger: Ledger, clock: FakeClock):
    order = saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS)
    clock.advance(hours=1)
    with ledger.transaction() as tx:
        again = move(tx, order, Step(OrderState.QUEUED, Reason.NAME_DIFFERS))
        case = tx.session.scalars(select(CaseRow)).one()
    assert (case.times_seen, case.last_seen_at - case.opened_at) == (2, timedelta(hours=1))
    assert again.failed_at == order.failed_at
    assert _counts(ledger)["status_outbox"] == 1


def test_an_order_that_a_person_closes_dismisses_its_case(ledger: Ledger):
    order = saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS)
    with ledger.transaction() as tx:
        move(tx, order, Step(OrderState.CLOSED, Reason.NAME_DIFFERS, "entered by hand", actor="desk.user"))
        assert tx.session.scalars(select(CaseRow.state)).one() is CaseState.DISMISSED


def test_a_refund_made_before_the_posting_becomes_a_case_with_the_posting(ledger: Ledger):
    intent = saved_order(ledger, OrderState.INTENT, refunded_cents=2_000)
    with ledger.transaction() as tx:
        move(tx, intent, Step(OrderState.CONFIRMED))
        case = tx.session.scalars(select(CaseRow)).one()
    assert (case.cause, case.reason, case.amount_cents) == (refund_cause(intent.id), "refund_to_record", 2_000)


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger):
    order = saved_order(ledger, OrderState.MATCHED)
    before = _counts(ledger)

    def fail_after_the_step() -> None:
        with ledger.transaction() as tx:
            move(tx, order, TO_A_PERSON)
            msg = "the process is ended here"
            raise OSError(msg)

    with pytest.raises(OSError, match="ended here"):
        fail_after_the_step()
    assert _counts(ledger) == before
    with ledger.transaction() as tx:
        assert read_order(tx, order.id).state is OrderState.MATCHED


def test_a_commit_that_fails_leaves_nothing(ledger: Ledger):
    order = saved_order(ledger, OrderState.MATCHED)
    before = _counts(ledger)
    orphan = HistoryRow(order_id=-1, at=order.changed_at, to_state="matched", actor="sync")

    def commit_with_an_orphan() -> None:
        with ledger.transaction() as tx:
            if ledger.engine.dialect.name == "sqlite":
                tx.session.execute(text("PRAGMA defer_foreign_keys = ON"))
            move(tx, order, TO_A_PERSON)
            tx.session.add(orphan)

    with pytest.raises(IntegrityError):
        commit_with_an_orphan()
    assert _counts(ledger) == before


def test_instants_come_back_aware_and_in_utc(ledger: Ledger):
    placed_at = datetime(2026, 3, 9, 20, 30, tzinfo=timezone(timedelta(hours=-5)))
    order = saved_order(ledger, placed_at=placed_at)
    with ledger.transaction() as tx:
        read = read_order(tx, order.id)
    assert read.placed_at == placed_at
    assert read.placed_at.utcoffset() == timedelta(0)
    assert read.business_day == date(2026, 3, 9)


def test_a_naive_instant_is_refused(ledger: Ledger):
    with pytest.raises(StatementError, match="naive"):
        saved_order(ledger, placed_at=datetime(2026, 3, 9, 20, 30))  # noqa: DTZ001


def test_the_ledgers_own_time_is_the_databases_and_aware(ledger: Ledger):
    with Ledger(ledger.engine).transaction() as tx:
        assert abs(tx.now - datetime.now(UTC)) < timedelta(minutes=1)
        assert tx.now.utcoffset() == timedelta(0)


def test_an_order_comes_once_per_practice_and_key(ledger: Ledger):
    order = saved_order(ledger, entity_id=900_001)
    saved_order(ledger, entity_id=900_001, practice_id="central")
    with pytest.raises(IntegrityError):
        saved_order(ledger, entity_id=900_001)
    with ledger.transaction() as tx:
        assert {key: row.id for key, row in find_orders(tx, PRACTICE, [900_001, 900_002]).items()} == {900_001: order.id}


def test_two_orders_of_one_number_are_both_found(ledger: Ledger):
    numbers = [saved_order(ledger, number="000000042", store_id=store).id for store in (1, 2)]
    saved_order(ledger, number="000000042", practice_id="central")
    with ledger.transaction() as tx:
        assert [row.id for row in find_orders_by_number(tx, PRACTICE, "000000042")] == numbers


def test_orders_are_listed_by_state_oldest_first_and_only_those_asked_for(ledger: Ledger):
    with ledger.transaction() as tx:
        young = new_order(tx, placed_at=tx.now)
        old = new_order(tx, placed_at=tx.now - timedelta(days=3))
        new_order(tx, OrderState.CONFIRMED)
    with ledger.transaction() as tx:
        waiting = orders_in(tx, PRACTICE, [OrderState.RECEIVED, OrderState.WAITING])
        assert [row.id for row in waiting] == [old.id, young.id]
        assert [row.id for row in orders_in(tx, PRACTICE, [OrderState.RECEIVED], only=[young.id])] == [young.id]
        assert orders_in(tx, PRACTICE, [OrderState.RECEIVED], only=[]) == []


def test_a_person_with_a_long_name_can_decide_too(ledger: Ledger):
    order, name = saved_order(ledger, OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER), "dana." * 40
    with ledger.transaction() as tx:
        move(tx, order, Step(OrderState.MATCHED, actor=name))
        for patient_id in ("one", "two"):
            remember_patient(tx, practice_id=PRACTICE, customer_key="key", patient_id=patient_id, by=name)
    with ledger.transaction() as tx:
        assert tx.session.scalars(select(CaseRow.closed_by)).one() == name[:80]
        decided = tx.session.execute(select(RememberedPatient.decided_by, RememberedPatient.revoked_by)).all()
    assert _history(ledger, order.id)[-1][-1] == name[:80]
    assert set(map(tuple, decided)) == {(name[:80], None), (name[:80], name[:80])}
