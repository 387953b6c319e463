"""An older ledger is put back and declared: what it forgot is held, then looked for on every chart, and never doubled."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from order_sync.errors import PermanentError
from order_sync.extract import extract_orders
from order_sync.ledger.models import HistoryRow
from order_sync.ledger.session import Ledger
from order_sync.match import match_patients
from order_sync.preview import preview_orders
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import choose_patient, post_again
from order_sync.statuses import OrderState, PublicStatus
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from tests.integration.sync.backups import back_up, put_back
from tests.integration.sync.guards.ground import pausing_before_the_claim
from tests.worlds import PATIENTS, Between, SmallWorld, Wrap

ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")
HELD = "held after a restore until 2026-11-19 "

NewLedger = Callable[[], Ledger]


def is_of_the_practice(request: httpx.Request) -> bool:
    return request.method == "GET" and "payment-date" in request.url.params


def answering(answer: httpx.Response) -> Wrap:
    """Answer every search of the whole practice's payments with this."""
    return lambda inner: Between(inner, lambda request: answer if is_of_the_practice(request) else request)


@pytest.fixture
def known(empty: SmallWorld) -> SmallWorld:
    """One paid order of a patient with one chart, not synced yet, and another patient."""
    empty.add_chart(ORA)
    empty.add_chart(IVO)
    empty.place(ORA.buyer())
    return empty


@pytest.fixture
def twice(empty: SmallWorld) -> SmallWorld:
    """One order that waits for a person, because its customer has two charts."""
    empty.add_chart(ORA)
    empty.add_chart(ORA, "second")
    empty.place(ORA.buyer())
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    return empty


def test_an_order_from_before_waits_a_day_and_is_then_found(known: SmallWorld, new_ledger: NewLedger):
    copy = back_up(known, new_ledger)
    known.run()
    done = put_back(known, copy)
    assert done.held == 0, "the copy does not know it yet"
    known.run_after(hours=(1, 12, 10.5))
    assert (known.order().state, known.order().public_status) == (OrderState.RECEIVED, PublicStatus.WAITING)
    assert known.order().detail is not None
    assert known.order().detail.startswith(HELD)
    known.run_after(hours=(1,))
    assert known.order().state is OrderState.CONFIRMED
    assert known.posts_seen() == len(known.booked()) == 1


def test_an_order_from_after_the_restore_goes_on_at_once(known: SmallWorld, new_ledger: NewLedger):
    put_back(known, back_up(known, new_ledger))
    known.place(IVO.buyer())
    known.run()
    assert known.states() == [OrderState.RECEIVED, OrderState.CONFIRMED]


def test_an_order_on_its_way_says_who_held_it(known: SmallWorld, new_ledger: NewLedger):
    extract_orders(known.desk(), holder="a run")
    match_patients(known.desk())
    assert known.states() == [OrderState.MATCHED]
    assert put_back(known, back_up(known, new_ledger)).held == 1
    with known.ledger.transaction() as tx:
        last = tx.session.query(HistoryRow).order_by(HistoryRow.id.desc()).first()
    assert last is not None
    assert (last.actor, (last.detail or "")[: len(HELD)], last.to_state) == ("dana", HELD, "matched")


def test_a_booking_under_way_at_the_restore_is_found_when_it_has_arrived(known: SmallWorld, new_ledger: NewLedger):
    copy = back_up(known, new_ledger)
    known.plant(Effect.EXECUTED_LATE, after_seconds=20 * 3600)
    known.run()
    put_back(known, copy)
    known.run_after(hours=(1, 18, 4, 2))
    assert known.order().state is OrderState.CONFIRMED
    assert known.posts_seen() == len(known.booked()) == 1


def posted_to_the_first_chart_then_matched_to_the_second(world: SmallWorld, new_ledger: NewLedger) -> None:
    copy = back_up(world, new_ledger)
    first, second = (chart.patient_id for chart in world.charts())
    choose_patient(world.desk(), world.order().id, first, actor="dana")
    world.run()
    assert len(world.booked()) == 1
    put_back(world, copy)
    choose_patient(world.desk(), world.order().id, second, actor="ellis")
    world.run_after(hours=(1,))
    assert world.order().state is OrderState.MATCHED


def test_a_payment_on_another_chart_is_found_and_a_person_is_asked(twice: SmallWorld, new_ledger: NewLedger):
    posted_to_the_first_chart_then_matched_to_the_second(twice, new_ledger)
    twice.run_after(hours=(24,))
    assert (twice.order().why, twice.order().detail) == (Reason.PAYMENT_MISMATCH, "patient")
    assert twice.payment().payment_id == twice.booked()[0].payment_id
    assert twice.posts_seen() == 1


def test_what_staff_voided_on_another_chart_is_not_posted_over_their_heads(twice: SmallWorld, new_ledger: NewLedger):
    posted_to_the_first_chart_then_matched_to_the_second(twice, new_ledger)
    twice.staff("void", payment_id=twice.booked()[0].payment_id)
    twice.run_after(hours=(24,))
    assert (twice.order().state, twice.order().why) == (OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED)
    assert twice.posts_seen() == 1


def test_an_order_that_was_never_posted_is_posted_after_the_hold(known: SmallWorld, new_ledger: NewLedger):
    put_back(known, back_up(known, new_ledger))
    known.run_after(hours=(1, 24, 0.25))
    assert known.order().state is OrderState.CONFIRMED
    assert known.posts_seen() == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"resourceType": "OperationOutcome", "issue": []}),
        httpx.Response(200, json={"resourceType": "Bundle", "total": 3, "entry": []}),
        httpx.Response(200, json={"resourceType": "Bundle", "total": 0}),
    ],
    ids=["refused", "incomplete", "not understood"],
)
def test_a_look_that_proves_nothing_lets_the_old_wait_and_the_new_go_on(
    known: SmallWorld, new_ledger: NewLedger, answer: httpx.Response
):
    put_back(known, back_up(known, new_ledger))
    known.place(IVO.buyer())
    known.run()
    known.clock.advance(hours=25)
    blind = known.desk(nextech_wrap=answering(answer))
    known.place(IVO.buyer())
    known.run(blind)
    assert known.states() == [OrderState.MATCHED, OrderState.CONFIRMED, OrderState.CONFIRMED]
    assert "cannot be read completely" in (known.order(known.orders()[0].number).detail or "")
    known.run_after(minutes=(15,))
    assert known.states() == [OrderState.CONFIRMED] * 3


def test_many_orders_from_before_cost_one_look_a_run(ten: SmallWorld, new_ledger: NewLedger):
    asked: list[httpx.Request] = []

    def look(request: httpx.Request) -> httpx.Request:
        if is_of_the_practice(request):
            asked.append(request)
        return request

    copy = back_up(ten, new_ledger)
    ten.run()
    put_back(ten, copy)
    ten.run_after(ten.desk(nextech_wrap=lambda inner: Between(inner, look)), hours=(1, 23.5))
    assert ten.states() == [OrderState.CONFIRMED] * 10
    assert ten.posts_seen() == 10
    assert len(asked) == 1


def test_a_restore_that_is_declared_again_holds_from_then_on(known: SmallWorld, new_ledger: NewLedger):
    put_back(known, back_up(known, new_ledger))
    known.run_after(hours=(20,))
    assert put_back(known, known.ledger).held == 1
    known.run_after(hours=(5, 18))
    assert known.states() == [OrderState.RECEIVED]
    known.run_after(hours=(2,))
    assert known.states() == [OrderState.CONFIRMED]


def test_a_run_that_is_at_work_loses_the_order_to_the_declaration(known: SmallWorld):
    desk = known.desk()
    known.run(pausing_before_the_claim(desk, lambda: put_back(known, known.ledger)))
    assert known.states() == [OrderState.MATCHED]
    assert known.posts_seen() == 0


def test_a_new_account_that_may_still_be_created_is_not_asked_for_again(empty: SmallWorld, new_ledger: NewLedger):
    empty.place(ORA.buyer())
    copy = back_up(empty, new_ledger)
    empty.plant(Effect.EXECUTED_LATE, route=PATIENTS, after_seconds=5 * 3600)
    empty.run()
    put_back(empty, copy)
    empty.place(ORA.buyer(postal_code="33101"))
    empty.run_after(hours=(1, 2))
    assert [row.detail.startswith((HELD, f"new account {HELD}")) for row in empty.orders() if row.detail] == [True] * 2
    assert empty.posts_seen(PATIENTS) == 1
    empty.run_after(hours=(3,))
    assert empty.states() == [OrderState.RECEIVED, OrderState.CONFIRMED]
    empty.run_after(hours=(19,))
    assert empty.states() == [OrderState.CONFIRMED] * 2
    assert len(empty.charts()) == 1


def test_a_person_cannot_have_it_posted_again_while_it_is_held(one: SmallWorld, new_ledger: NewLedger):
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(40, 20, 20), hours=(25,))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    put_back(one, back_up(one, new_ledger))
    with pytest.raises(PermanentError, match="held after a restore until"):
        post_again(one.desk(), one.order().id, actor="dana")
    one.clock.advance(hours=24)
    assert post_again(one.desk(), one.order().id, actor="dana").state is OrderState.MATCHED
    one.run_after(minutes=(15,))
    assert one.order().state is OrderState.CONFIRMED
    assert len(one.booked()) == 1


def test_a_rerun_of_a_held_order_says_so_and_is_no_failure(known: SmallWorld, new_ledger: NewLedger):
    put_back(known, back_up(known, new_ledger))
    known.run()
    outcome = sync_order(known.desk(), known.order().number)
    assert (outcome.status, outcome.sentence[: len(HELD)]) == (PublicStatus.WAITING, HELD)
    assert known.posts_seen() == 0


def test_a_dry_run_says_what_is_held(known: SmallWorld, new_ledger: NewLedger):
    put_back(known, back_up(known, new_ledger))
    known.place(IVO.buyer())
    held, due = sorted(preview_orders(known.desk()), key=lambda planned: planned.why)
    assert held.why.startswith(HELD)
    assert due.why.startswith("match of level")
