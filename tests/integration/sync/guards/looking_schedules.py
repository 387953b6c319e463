"""One hard day each for the guards that look before anything is done: at payments, at absences, at charts, at versions."""

from __future__ import annotations

import contextlib

import httpx

from order_sync.clients.limiter import SharedLimiter
from order_sync.errors import LedgerBusyError, OrderSyncError, PermanentError
from order_sync.extract import extract_orders
from order_sync.ledger.claims import LedgerSlots
from order_sync.match import match_patients
from order_sync.post import post_payments
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, dismiss, post_again
from order_sync.statuses import OrderState, PublicStatus
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from tests.integration.sync.guards.ground import IVO, ORA, Behind, Ground, Schedule
from tests.integration.sync.guards.posting_schedules import HALF_AN_HOUR, is_booked_once
from tests.integration.sync.in_process.test_lists_not_understood import changed
from tests.worlds import PATIENTS, PAYMENTS, Between, SmallWorld, Wrap


def keeps_one_of_a_list(which: int) -> Wrap:
    """Cut every comma list to one of its values, as a server does that knows no lists."""
    return lambda inner: Between(inner, lambda request: changed(request, lambda value: value.split(",")[which]))


# -- at payments


def a_ledger_that_lost_its_memory(ground: Ground) -> None:
    one = ground.world()
    one.run()
    one.run(one.desk(ledger=ground.new_ledger()))
    is_booked_once(one)


def a_ledger_that_lost_its_memory_and_half_a_page(ground: Ground) -> None:
    empty = ground.world(0)
    empty.add_chart(ORA)
    for article in ("DRM-SPF50-50ML", "DRM-VITC-30"):
        empty.place(ORA.buyer(), basket=((article, 1),))
    empty.run()
    empty.plant(Effect.PARTIAL_PAGE, method="GET", route=PAYMENTS, remaining=None)
    empty.run(empty.desk(ledger=ground.new_ledger()))
    is_booked_once(empty, 2)


def a_ledger_that_lost_its_memory_before_a_server_without_lists(which: int) -> Schedule:
    """Two payments are known again when the server begins to cut lists: the other eight must be seen all the same."""

    def schedule(ground: Ground) -> None:
        ten = ground.world(10)
        ten.run()
        restored = ground.new_ledger()
        desk = ten.desk(ledger=restored)
        extract_orders(desk, holder="a run")
        match_patients(desk)
        post_payments(desk, only=[row.id for row in ten.orders(restored)[:2]])
        post_payments(ten.desk(ledger=restored, nextech_wrap=keeps_one_of_a_list(which)))
        is_booked_once(ten, 10)

    return schedule


def voided_by_staff_before_the_ledger_lost_its_memory(ground: Ground) -> None:
    one = ground.world()
    one.run()
    one.staff("void", payment_id=one.booked()[0].payment_id)
    one.run(one.desk(ledger=ground.new_ledger()))
    is_booked_once(one, 0)


def a_long_order_whose_answer_was_lost(ground: Ground) -> None:
    empty = ground.world(0)
    empty.add_chart(ORA)
    basket = ("DRM-SPF50-50ML", "DRM-CLEANSE-200", "DRM-VITC-30", "DRM-HYDRA-75", "DRM-EYE-15")
    names = ("A cream of exactly such a length that three fit here so",) * len(basket)
    empty.place(ORA.buyer(), basket=tuple((sku, 1) for sku in basket), product_names=names)
    empty.plant(Effect.TIMED_OUT_EXECUTED)
    empty.run()
    empty.run_after(minutes=(15, 40, 20))
    found = (empty.order().state, empty.order().why)
    assert found == (OrderState.CONFIRMED, None), f"wrong state: {found}"


# -- at absences: nobody is asked while the payment may still arrive


def late_by(minutes: float, *, looks_after: tuple[float, ...], is_rerun: bool = False) -> Schedule:
    """Book so late, look so often: it is Waiting all the time, then Synced, and no case was ever opened."""

    def schedule(ground: Ground) -> None:
        one = ground.world()
        one.plant(Effect.EXECUTED_LATE, after_seconds=60 * minutes)
        one.run()
        for pause in looks_after:
            one.clock.advance(minutes=pause)
            if is_rerun:
                with contextlib.suppress(OrderSyncError):
                    sync_order(one.desk(), one.order().number)
            else:
                one.run()
            assert one.open_cases() == [], "wrong status: Not Synced, while the payment is on its way"
        one.run_after(minutes=(minutes, 20))
        assert one.order().public_status is PublicStatus.SYNCED, f"wrong status: {one.order().public_status}"

    return schedule


def three_hours_late_and_an_impatient_person(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=3 * 3_600)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    with contextlib.suppress(PermanentError):
        post_again(one.desk(), one.order().id, actor="dana")
    one.run()
    one.run_after(hours=(3, 25))
    is_booked_once(one)


def two_days_late_and_a_person(ground: Ground) -> None:
    """Booked when the person presses the button, and after the daily look: only the fresh read knows it."""
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=30 * 3_600)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    one.clock.advance(hours=32)
    post_again(one.desk(), one.order().id, actor="dana")
    one.run()
    is_booked_once(one)


# -- at versions


def a_case_that_changed_since_the_person_saw_it(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    seen, plan = one.order(), one.payment()
    note = f"{plan.marker} by phone"
    one.staff("hand-payment", patient_id=plan.patient_id, amount_cents=plan.amount_cents - 100, note=note)
    one.run_after(hours=(25,))
    assert one.open_reasons() == [Reason.PAYMENT_MISMATCH], "the ground: the daily look sees the wrong amount"
    with contextlib.suppress(LedgerBusyError):
        dismiss(one.desk(), seen.id, actor="dana", why=DismissReason.SETTLED_OTHERWISE, version=seen.version)
    assert one.open_reasons() == [Reason.PAYMENT_MISMATCH], "lost: a case was closed that nobody had read"


# -- at charts


def two_orders_of_a_customer_whose_account_is_created_late(ground: Ground) -> None:
    empty = ground.world(0)
    empty.place(ORA.buyer())
    empty.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    empty.plant(Effect.EXECUTED_LATE, route=PATIENTS, after_seconds=600)
    empty.run()
    empty.run_after(minutes=(2, 10, 10))
    has_charts(empty, 1)


def has_charts(world: SmallWorld, count: int) -> None:
    found = len(world.charts())
    assert found == count, f"doubled: {found} charts instead of {count}"


def a_namesake_with_another_address(ground: Ground) -> None:
    empty = ground.world(0)
    empty.add_chart(ORA, first="Odette", email="odette.castellan@elsewhere.example", mobile="(305) 555-0199")
    empty.place(ORA.buyer())
    empty.run()
    has_charts(empty, 1)


def a_twin_is_created_while_the_answer_for_the_other_is_lost(ground: Ground) -> None:
    empty = ground.world(0)
    twin = Person(EASTERN, 71, "Ottilie", "Castellan")
    first = empty.place(ORA.buyer())
    empty.place(twin.buyer(email=ORA.email, customer_id=872))
    empty.plant(Effect.TIMED_OUT, route=PATIENTS)
    empty.run()
    empty.run_after(minutes=(2, 15, 40, 20))
    assert empty.order(first.number).state is not OrderState.CONFIRMED, "wrong patient: the twin has both payments"


def an_account_whose_answer_was_lost_in_a_kill(ground: Ground) -> None:
    empty = ground.world(0)
    empty.place(ORA.buyer())
    empty.plant(Effect.EXECUTED_LATE, route=PATIENTS, after_seconds=HALF_AN_HOUR)

    def die(request: httpx.Request, answer: httpx.Response | httpx.TransportError) -> httpx.Response | httpx.TransportError:
        if request.method == "POST" and request.url.path.rstrip("/").endswith(PATIENTS):
            raise KeyboardInterrupt
        return answer

    with contextlib.suppress(KeyboardInterrupt):
        empty.run(empty.desk(nextech_wrap=lambda inner: Behind(inner, die)))
    empty.run_after(minutes=(15, 20, 20))
    has_charts(empty, 1)


def another_run_looks_while_an_account_is_refused(ground: Ground) -> None:
    empty = ground.world(0)
    empty.place(ORA.buyer())
    empty.plant(Effect.REJECTED, route=PATIENTS)
    other = empty.desk()

    def look(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.rstrip("/").endswith(PATIENTS):
            empty.run(other)
        return request

    empty.run(empty.desk(nextech_wrap=lambda inner: Between(inner, look)))
    assert empty.open_reasons() == [Reason.ACCOUNT_REJECTED], "wrong text: the proved rejection is lost"


def two_charts_of_one_person(ground: Ground) -> None:
    empty = ground.world(0)
    empty.add_chart(ORA)
    empty.add_chart(ORA, "second")
    empty.place(ORA.buyer())
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER], "wrong patient: one of two charts was picked"


def two_charts_and_half_a_page(ground: Ground) -> None:
    empty = ground.world(0)
    empty.add_chart(ORA)
    empty.add_chart(ORA, "second")
    empty.place(ORA.buyer())
    empty.plant(Effect.PARTIAL_PAGE, method="GET", route=PATIENTS, remaining=None)
    empty.run()
    assert empty.booked() == [], "wrong patient: the page showed one of two charts"


def two_customers_of_a_server_without_lists(ground: Ground) -> None:
    """The list of addresses loses Ora's own chart, the list of numbers keeps the one of somebody with her name and phone."""
    empty = ground.world(0)
    own = empty.add_chart(ORA, mobile="(305) 555-0198")
    empty.add_chart(ORA, "other", email="o.castellan@elsewhere.example")
    empty.add_chart(IVO)
    for person in (ORA, IVO):
        empty.place(person.buyer())
    empty.run(empty.desk(nextech_wrap=keeps_one_of_a_list(0)))
    patients = {row.patient_id for row in empty.booked()}
    assert own.patient_id in patients, "wrong patient: her own chart was not seen"


# -- at the pace, and at the store


def two_processes_at_once(ground: Ground) -> None:
    empty = ground.world(0)
    empty.switch(requests_per_second=20)
    desks = [empty.desk(), empty.desk()]
    for desk in desks:
        desk.nextech._limiter = SharedLimiter(LedgerSlots(empty.ledger), 18, ground.clock)
    for _ in range(30):
        for desk in desks:
            desk.nextech.check()
    limited = empty.nextech.traffic.answers[("GET /Location", "429")]
    assert limited == 0, f"wrong pace: {limited} requests met the rate limit"


def the_store_is_down_when_the_status_is_written(ground: Ground) -> None:
    one = ground.world()
    desk = one.desk()
    extract_orders(desk, holder="a run")
    match_patients(desk)
    post_payments(desk)
    one.plant_in_store(StoreEffect.MAINTENANCE)
    one.run(desk)
    one.heal()
    one.run_after(minutes=(15, 60))
    row = one.shop.sync_rows.get(one.order().entity_id)
    assert row is not None, "lost: the store never learns the status"
    assert row["status"] == "synced", f"lost: the store shows {row['status']}"
