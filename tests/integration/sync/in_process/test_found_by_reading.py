"""What a stranger's reading of the whole project found: each of these once ended otherwise."""

from contextlib import suppress
from datetime import date

import httpx
import pytest
from sqlalchemy import select

from order_sync.desk import Desk
from order_sync.errors import OrderNotSyncedError, OrderSyncError
from order_sync.extract import extract_orders
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import failed_orders
from order_sync.ledger.session import Ledger
from order_sync.mark import mark_status
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import choose_patient, post_again
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person, regulars
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.refunds import refund
from tests.clocks import FakeClock
from tests.integration.sync.in_process.test_lists_not_understood import changed
from tests.worlds import PATIENTS, Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")
JOSE = Person(EASTERN, 73, "José", "Núñez")


def rerun(desk: Desk, number: str) -> None:
    """Clear the order's task, whatever comes of it."""
    with suppress(OrderSyncError):
        sync_order(desk, number)


# -- the right patient, in the right practice


@pytest.mark.parametrize("is_rerun", [False, True])
def test_an_order_of_another_practice_that_could_not_be_read_is_never_posted_here(empty: SmallWorld, is_rerun: bool):
    """Two practices share one Commerce: whose an order is shows only once it can be read."""
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    desk = empty.desk(settings={"store_ids": (99,)})
    empty.plant_in_store(StoreEffect.POISON, order_id=record.entity_id)
    empty.run(desk)
    assert empty.open_reasons() == [Reason.ORDER_UNREADABLE]
    empty.heal()
    empty.shop.sync_rows.clear()
    if is_rerun:
        rerun(desk, empty.order().number)
    empty.run_after(desk, minutes=(15,))
    assert (empty.booked(), empty.open_cases()) == ([], [])
    assert empty.order().state is OrderState.CLOSED
    assert empty.shop.sync_rows == {}  # the other practice tells the store


def test_an_account_that_was_not_created_is_not_taken_for_the_twins(empty: SmallWorld):
    twin = Person(EASTERN, 71, "Ottilie", "Castellan")
    first = empty.place(ORA.buyer())
    empty.place(twin.buyer(email=ORA.email, customer_id=872))
    empty.plant(Effect.TIMED_OUT, route=PATIENTS)
    empty.run()
    empty.run_after(minutes=(2, 15, 40, 20))
    assert [chart.shown_name for chart in empty.charts()] == ["Castellan, Ottilie"]
    assert empty.order(first.number).why is Reason.ACCOUNT_OUTCOME_UNKNOWN
    assert len(empty.booked()) == 1


@pytest.mark.parametrize("written", ["Nunez", "nunez", "Núñez"])
def test_a_namesake_who_is_written_otherwise_is_asked_about_before_a_second_chart_is_opened(empty: SmallWorld, written: str):
    empty.add_chart(JOSE, last=written, email="j@elsewhere.example", mobile="(305) 555-0199")
    empty.place(JOSE.buyer())
    empty.run()
    assert len(empty.charts()) == 1
    assert empty.open_reasons() == [Reason.POSSIBLE_EXISTING_PATIENT]


@pytest.mark.parametrize("kept", [0, -1], ids=["first", "last"])
def test_a_remembered_patient_whom_a_cut_list_leaves_out_is_not_gone(empty: SmallWorld, kept: int):
    for person in (ORA, IVO):
        empty.add_chart(person)
        empty.add_chart(person, "second")
        empty.place(person.buyer())
    empty.run()
    for case in empty.open_cases():
        assert case.order_id is not None
        assert case.candidate_ids
        choose_patient(empty.desk(), case.order_id, case.candidate_ids[0], actor="dana")
    for person in (ORA, IVO):
        empty.place(person.buyer(), basket=(("DRM-VITC-30", 1),))
    cut = empty.desk(
        nextech_wrap=lambda inner: Between(inner, lambda request: changed(request, lambda value: value.split(",")[kept]))
    )
    empty.run(cut)
    assert empty.states() == [OrderState.CONFIRMED] * 4


# -- once, and only what is still due


def test_posting_again_does_not_go_over_a_hand_entry_that_nobody_was_asked_about(one: SmallWorld):
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(40, 20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    payment = one.payment()
    entry = one.staff(
        "hand-payment", patient_id=payment.patient_id, amount_cents=payment.amount_cents, business_day=payment.business_day
    )
    one.clock.advance(hours=25)
    post_again(one.desk(), one.order().id, actor="dana")
    one.run_after(minutes=(15,))
    assert one.booked() == []
    assert (one.order().why, one.order().detail) == (Reason.POSSIBLE_MANUAL_ENTRY, f"payment {entry}")
    post_again(one.desk(), one.order().id, actor="dana")  # now she has been asked about it
    one.run_after(minutes=(15,))
    assert len(one.booked()) == 1


def test_no_order_is_posted_on_a_read_of_minutes_ago(ten: SmallWorld):
    ten.run()  # two witnesses, so that the next orders are taken up together
    for person in (*regulars("eastern"), ORA, IVO):
        ten.add_chart(person)
        ten.place(person.buyer())
    posted = 0

    def be_slow(request: httpx.Request) -> httpx.Request:
        nonlocal posted
        if request.method == "POST" and "PaymentReconciliation" in request.url.path:
            ten.clock.advance(seconds=40)
            posted += 1
            if posted == 3:
                waiting = [row for row in ten.orders() if row.state is OrderState.MATCHED]
                refund(ten.shop, waiting[-1].entity_id)
        return request

    ten.run(ten.desk(nextech_wrap=lambda inner: Between(inner, be_slow)))
    assert sorted(ten.states()) == sorted([OrderState.CONFIRMED] * 17 + [OrderState.NOTHING_TO_POST])


def test_a_rerun_does_not_post_an_amount_that_rose_above_the_limit_while_the_order_was_queued(empty: SmallWorld):
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    empty.plant(Effect.REJECTED)
    empty.run()
    assert empty.open_reasons() == [Reason.PAYMENT_REJECTED]
    empty.clock.advance(minutes=1)
    shown = empty.shop.orders[record.entity_id]
    empty.shop.change(shown, **{name: shown.row[name] + 6000 for name in ("grand_total", "total_paid", "subtotal")})
    empty.run_after(minutes=(15,))
    with pytest.raises(OrderNotSyncedError):
        sync_order(empty.desk(), record.number)
    assert empty.booked() == []
    assert empty.open_reasons() == [Reason.AMOUNT_LIMIT]
    choose_patient(empty.desk(), empty.order().id, empty.charts()[0].patient_id, actor="dana")
    empty.run_after(minutes=(15,))
    assert len(empty.booked()) == 1


def test_reruns_send_nothing_while_posting_is_held_back(ten: SmallWorld):
    ten.plant(Effect.FAILED, remaining=None)
    ten.run()
    sent = ten.posts_seen()
    waiting = [row for row in ten.orders() if row.state is OrderState.MATCHED]
    assert len(waiting) == 7
    with pytest.raises(OrderSyncError, match="posting is held back"):
        sync_order(ten.desk(), waiting[0].number)
    for row in waiting[1:]:
        rerun(ten.desk(), row.number)
    assert ten.posts_seen() == sent
    ten.heal()
    ten.run_after(minutes=(15,))
    assert ten.states().count(OrderState.CONFIRMED) == 7


def test_an_order_whose_payment_staff_voided_is_handed_out_once(one: SmallWorld):
    """It becomes Not Synced, and no case says so."""
    one.plant(Effect.TIMED_OUT_EXECUTED)
    one.run()
    one.staff("void", payment_id=one.booked()[0].payment_id)
    one.run_after(minutes=(2,))
    assert one.states() == [OrderState.CLOSED_VOIDED]
    with one.ledger.transaction() as tx:
        assert [row.number for row in failed_orders(tx, "eastern")] == [
            row.number for row in tx.session.scalars(select(OrderRow))
        ]
    with pytest.raises(OrderNotSyncedError, match="voided"):
        sync_order(one.desk(), one.order().number)
    with one.ledger.transaction() as tx:
        assert failed_orders(tx, "eastern") == []


# -- no order holds up the others, or itself


def test_an_order_placed_in_the_year_one_does_not_stop_the_reading(empty: SmallWorld):
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    empty.shop.change(record, created_at="0001-01-01 00:00:00")
    empty.place(ORA.buyer())
    empty.run()
    assert sorted(empty.states()) == sorted([OrderState.CONFIRMED, OrderState.QUEUED])


def test_a_payment_dated_in_the_year_one_does_not_stop_the_posting(one: SmallWorld):
    """.NET's way to say that there is no date."""
    [chart] = one.charts()
    cents = int(next(iter(one.shop.orders.values())).grand_total * 100)
    one.staff("hand-payment", patient_id=chart.patient_id, amount_cents=cents, business_day=date(2026, 11, 1))
    seen = Undated.shown
    one.run(one.desk(nextech_wrap=Undated))
    assert Undated.shown > seen
    assert one.states() == [OrderState.CONFIRMED]


class Undated(httpx.BaseTransport):
    """Show a payment of 1 November with .NET's smallest date instead."""

    shown = 0

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        Undated.shown += answer.read().count(b"2026-11-01T")
        body = answer.read().replace(b"2026-11-01T", b"0001-01-01T")
        return httpx.Response(answer.status_code, headers={"content-type": "application/json"}, content=body, request=request)


def test_a_database_clock_that_was_ahead_for_a_while_does_not_stop_all_requests_until_then(ledger: Ledger, clock: FakeClock):
    slots, today = LedgerSlots(ledger), clock.now()
    clock.advance(hours=20)
    slots.reserve("user route", 16, 0.05)
    clock.set(today)
    assert slots.reserve("user route", 16, 0.05) == 0
    assert slots.reserve("user route", 16, 0.05) == pytest.approx(0.8)


class Restless(httpx.BaseTransport):
    """A store one of whose modules writes something else into every answer."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.answers = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        self.answers += 1
        assert self.answers < 60, "it is read again and again"
        body = answer.read().replace(b'"entity_id":', f'"served_in_ms":{self.answers},"entity_id":'.encode())
        return httpx.Response(answer.status_code, headers={"content-type": "application/json"}, content=body, request=request)


def test_an_order_that_looks_different_at_every_read_is_posted_and_ends_the_sweep(empty: SmallWorld):
    empty.add_chart(ORA)
    empty.place(ORA.buyer())
    empty.run(empty.desk(store_wrap=Restless))
    assert len(empty.booked()) == 1


def test_a_status_that_was_overtaken_while_it_was_written_is_written_again(empty: SmallWorld):
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    extract_orders(empty.desk(), holder="a run")
    is_first = True

    def overtake(request: httpx.Request) -> httpx.Request:
        nonlocal is_first
        if request.method == "PUT" and is_first:
            is_first = False
            sync_order(empty.desk(), record.number)
        return request

    mark_status(empty.desk(store_wrap=lambda inner: Between(inner, overtake)))
    empty.run_after(minutes=(15,))
    assert empty.order().state is OrderState.CONFIRMED
    assert empty.shop.sync_rows[record.entity_id]["status"] == "synced"
