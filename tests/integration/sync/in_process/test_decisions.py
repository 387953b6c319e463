"""People's decisions, reruns of one order, and the dry run."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text, update

from order_sync.errors import LedgerBusyError, OrderNotSyncedError, PermanentError
from order_sync.ledger.models import CaseRow, CaseState
from order_sync.ledger.remembered import forget_patient
from order_sync.ledger.session import Ledger
from order_sync.preview import preview_orders
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, dismiss, post_again
from order_sync.statuses import OrderState, PublicStatus
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")


@pytest.fixture
def twice(empty: SmallWorld) -> SmallWorld:
    """Two equal charts, so that a person has to pick."""
    empty.add_chart(ORA, "one")
    empty.add_chart(ORA, "two")
    empty.place(ORA.buyer())
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    return empty


def test_a_picked_patient_gets_the_payment_and_is_remembered_until_it_is_revoked(twice: SmallWorld):
    picked = twice.charts()[1].patient_id
    choose_patient(twice.desk(), twice.order().id, picked.upper(), actor="dana")
    twice.run_after(minutes=(15,))
    assert (twice.order().state, twice.order().patient_id) == (OrderState.CONFIRMED, picked)
    assert twice.open_cases() == []
    twice.place(ORA.buyer())
    twice.run()
    again = twice.orders()[-1]
    assert (again.state, again.patient_id, again.matched_by) == (OrderState.CONFIRMED, picked, "remembered")
    assert again.customer_key is not None
    with twice.ledger.transaction() as tx:
        forget_patient(tx, practice_id="eastern", customer_key=again.customer_key, by="dana")
    twice.place(ORA.buyer())
    twice.run()
    assert twice.open_reasons() == [Reason.DUPLICATED_CUSTOMER]


def test_a_remembered_patient_who_was_merged_away_is_asked_for_again(twice: SmallWorld):
    first, second = (chart.patient_id for chart in twice.charts())
    choose_patient(twice.desk(), twice.order().id, first, actor="dana")
    twice.run_after(minutes=(15,))
    twice.staff("merge", patient_id=first, into=second)
    twice.place(ORA.buyer())
    twice.run()
    assert twice.open_reasons() == [Reason.PATIENT_GONE]
    choose_patient(twice.desk(), twice.orders()[-1].id, second, actor="dana")
    twice.run_after(minutes=(15,))
    assert twice.states() == [OrderState.CONFIRMED] * 2


def test_of_eight_people_who_pick_at_once_the_first_wins(twice: SmallWorld):
    order_id, picks = twice.order().id, [chart.patient_id for chart in twice.charts()] * 4
    desk, start = twice.desk(), threading.Barrier(8)

    def pick(number: int) -> str:
        start.wait()
        try:
            choose_patient(desk, order_id, picks[number], actor=f"person {number}")
        except (LedgerBusyError, PermanentError):
            return "refused"
        return picks[number]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(pick, range(8)))
    assert results.count("refused") == 7
    [won] = set(results) - {"refused"}
    twice.run_after(minutes=(15,))
    assert twice.order().patient_id == won
    assert len(twice.booked()) == 1


def test_a_decision_on_an_older_page_is_told_so(twice: SmallWorld):
    seen = twice.order().version
    choose_patient(twice.desk(), twice.order().id, twice.charts()[0].patient_id, actor="dana", version=seen)
    with pytest.raises(LedgerBusyError, match="somebody else was first"):
        dismiss(twice.desk(), twice.order().id, actor="ellis", why=DismissReason.SETTLED_OTHERWISE, version=seen)


def test_a_chart_that_does_not_exist_cannot_be_picked(twice: SmallWorld):
    with pytest.raises(PermanentError, match="does not exist"):
        choose_patient(twice.desk(), twice.order().id, "00000000-0000-4000-8000-000000000000", actor="dana")


def test_a_dismissed_order_is_never_posted_and_says_who_dismissed_it(twice: SmallWorld):
    dismiss(twice.desk(), twice.order().id, actor="dana", why=DismissReason.SETTLED_OTHERWISE)
    twice.run_after(minutes=(15,), hours=(25,))
    assert (twice.order().state, twice.order().public_status) == (OrderState.CLOSED, PublicStatus.NOT_SYNCED)
    assert twice.open_cases() == []
    assert twice.booked() == []


def test_posting_again_is_refused_for_a_day_and_when_the_payment_is_there(one: SmallWorld):
    one.plant(Effect.EXECUTED_LATE, after_seconds=26 * 3600)
    one.run()
    one.run_after(minutes=(40, 20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    with pytest.raises(PermanentError, match="may still be booked late"):
        post_again(one.desk(), one.order().id, actor="dana")
    one.clock.advance(hours=27)
    assert post_again(one.desk(), one.order().id, actor="dana").state is OrderState.CONFIRMED
    one.run_after(minutes=(15,))
    assert one.posts_seen() == 1


def test_posting_again_after_a_day_and_a_fresh_look_posts_once(one: SmallWorld):
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(40, 20, 20))
    one.clock.advance(hours=25)
    assert post_again(one.desk(), one.order().id, actor="dana").state is OrderState.MATCHED
    one.run_after(minutes=(15, 15))
    assert one.order().state is OrderState.CONFIRMED
    assert len(one.booked()) == 1


def test_a_payment_entered_by_hand_that_is_another_one_does_not_hold_the_order_back(one: SmallWorld):
    record = next(iter(one.shop.orders.values()))
    one.staff("hand-payment", patient_id=one.charts()[0].patient_id, amount_cents=int(record.grand_total * 100))
    one.run()
    assert one.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]
    with pytest.raises(OrderNotSyncedError):
        sync_order(one.desk(), record.number)
    assert one.posts_seen() == 0
    post_again(one.desk(), one.order().id, actor="dana")
    one.run_after(minutes=(15,))
    assert one.order().state is OrderState.CONFIRMED
    assert one.posts_seen() == 1


RERUNS: dict[str, tuple[Effect, str, bool]] = {
    "rejected, then accepted": (Effect.REJECTED, "/Patient/{id}/PaymentReconciliation", True),
    "patient not there, then there": (Effect.NOT_FOUND, "/Patient/{id}/PaymentReconciliation", True),
    "a duplicate stays one": (Effect.EXECUTED_TWICE, "/Patient/{id}/PaymentReconciliation", False),
    "a mismatch stays one": (Effect.OTHER_AMOUNT, "/Patient/{id}/PaymentReconciliation", False),
}


@pytest.mark.parametrize(("effect", "route", "is_synced"), RERUNS.values(), ids=RERUNS.keys())
def test_a_rerun_of_an_order_that_needs_a_person_does_what_its_reason_allows(
    one: SmallWorld, effect: Effect, route: str, is_synced: bool
):
    one.plant(effect, route=route)
    one.run()
    one.run_after(minutes=(2,))
    assert one.order().state is OrderState.QUEUED
    booked = len(one.booked())
    if is_synced:
        assert sync_order(one.desk(), one.order().number).status is PublicStatus.SYNCED
        assert len(one.booked()) == 1
    else:
        with pytest.raises(OrderNotSyncedError, match="Next step: "):
            sync_order(one.desk(), one.order().number)
        assert len(one.booked()) == booked
        assert one.posts_seen() == 1


def test_a_rerun_looks_for_a_payment_whose_outcome_is_unknown_and_does_not_send_it(one: SmallWorld):
    one.plant(Effect.TIMED_OUT)
    one.run()
    assert sync_order(one.desk(), one.order().number).status is PublicStatus.WAITING
    one.run_after(minutes=(40, 20, 20))
    with pytest.raises(OrderNotSyncedError, match="Look for the marker"):
        sync_order(one.desk(), one.order().number)
    assert one.posts_seen() == 1


def test_a_rerun_of_every_order_of_the_demo_changes_no_book(demo: SmallWorld):
    demo.run()
    before = [(row.number, row.state, row.reason) for row in demo.orders()]
    booked = demo.booked()
    desk, said = demo.desk(), []
    for number in sorted({row.number for row in demo.orders()}):
        try:
            sync_order(desk, number)
        except OrderNotSyncedError as error:
            said.append((number, str(error)))
    assert len(said) > 5
    assert all(number in sentence and "Next step: " in sentence for number, sentence in said)
    assert [(row.number, row.state, row.reason) for row in demo.orders()] == before
    assert demo.booked() == booked


def fingerprint(world: SmallWorld, ledger: Ledger) -> str:
    """Return a hash over everything that the ledger, the store and Nextech hold."""
    parts: list[object] = []
    with ledger.transaction() as tx:
        tables = tx.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).scalars().all()
        parts += [[table, *map(tuple, tx.session.execute(text(f'SELECT * FROM "{table}"')))] for table in tables]  # noqa: S608
    shop, chart = world.shop, world.nextech.offices[world.practice_id].chart
    parts += [sorted(shop.sync_rows.items()), [record.row for record in shop.orders.values()]]
    parts += [[record.histories for record in shop.orders.values()], list(shop.memos.items())]
    parts += [list(chart.patients.items()), list(chart.payments.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def test_a_dry_run_writes_nothing_and_names_what_a_real_run_then_does(demo: SmallWorld):
    desk = demo.desk()
    before = fingerprint(demo, demo.ledger)
    planned = {plan.order_number: plan for plan in preview_orders(desk)}
    assert fingerprint(demo, demo.ledger) == before
    demo.run(desk)
    done = {row.number: row for row in demo.orders()}
    booked = {row.number for row in demo.orders() if row.state is OrderState.CONFIRMED}
    said_to_book = {number for number, plan in planned.items() if plan.patient_id or plan.why == "a new account"}
    assert said_to_book - booked == {number for number, row in done.items() if row.why is Reason.POSSIBLE_MANUAL_ENTRY}
    assert booked - said_to_book == set()
    for number, plan in planned.items():
        assert plan.amount_cents == done[number].amount_cents
        if plan.patient_id:
            assert plan.patient_id == done[number].patient_id
        assert number in str(plan)


def test_a_dry_run_says_nothing_about_orders_of_another_store_view(empty: SmallWorld):
    empty.add_chart(ORA)
    mine, other = empty.place(ORA.buyer()), empty.place(ORA.buyer())
    empty.shop.change(empty.shop.orders[other.entity_id], store_id=7)
    desk = empty.desk(settings={"store_ids": (mine.row["store_id"],)})
    assert [plan.order_number for plan in preview_orders(desk)] == [mine.number]


def test_a_dry_run_knows_a_remembered_customer_by_an_order_that_was_never_read(twice: SmallWorld):
    picked = twice.charts()[1].patient_id
    choose_patient(twice.desk(), twice.order().id, picked, actor="dana")
    twice.run_after(minutes=(15,))
    new = twice.place(ORA.buyer())
    assert [(plan.order_number, plan.patient_id) for plan in preview_orders(twice.desk())] == [(new.number, picked)]


def test_a_dry_run_says_when_a_namesake_has_to_be_looked_at(empty: SmallWorld):
    empty.add_chart(ORA, first="Odette", email="odette.castellan@elsewhere.example", mobile="(305) 555-0199")
    empty.place(ORA.buyer())
    [plan] = preview_orders(empty.desk())
    assert (plan.patient_id, plan.why) == (None, "Possible existing patient")


def test_a_case_that_a_rerun_meets_again_keeps_its_age_and_its_assignee(twice: SmallWorld):
    [before] = twice.open_cases()
    with twice.ledger.transaction() as tx:
        tx.session.execute(update(CaseRow).where(CaseRow.id == before.id).values(state=CaseState.ASSIGNED, assignee="dana"))
    twice.clock.advance(hours=5)
    with pytest.raises(OrderNotSyncedError):
        sync_order(twice.desk(), twice.order().number)
    [after] = twice.open_cases()
    assert (after.id, after.opened_at, after.assignee, after.state) == (before.id, before.opened_at, "dana", CaseState.ASSIGNED)
    assert after.closed_at is None
