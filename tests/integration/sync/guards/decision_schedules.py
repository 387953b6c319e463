"""One hard day each for what people decide beyond a patient: accounts, entries by hand, wrong patients, releases."""

from __future__ import annotations

import contextlib

import httpx

from order_sync.errors import OrderSyncError
from order_sync.manual_entries import accept_manual_entry
from order_sync.reasons import Reason
from order_sync.resolve import choose_patient, create_account, post_again, release
from order_sync.statuses import OrderState
from order_sync.undo import begin_undo, look_for_void, post_to
from sandbox.nextech.faults import Effect
from tests.integration.sync.guards.ground import IVO, ORA, Ground
from tests.worlds import PATIENTS, Between, SmallWorld

HOUR = 3_600


def _two_charts(ground: Ground) -> SmallWorld:
    world = ground.world(0)
    for key in ("one", "two"):
        world.add_chart(ORA, key, birth_date=None)
    world.place(ORA.buyer())
    world.run()
    assert world.open_reasons() == [Reason.DUPLICATED_CUSTOMER], "the ground: a person has to decide"
    return world


def _live(world: SmallWorld) -> list[tuple[str, int]]:
    """Return every payment that stands, whoever entered it, after all that is due was booked."""
    world.nextech.now()
    rows = world.nextech.offices[world.practice_id].chart.payments.values()
    return [(row.patient_guid, row.amount_cents) for row in rows if row.status == "active"]


def _enter(world: SmallWorld, patient_id: str, *, amount_cents: int | None = None) -> str:
    order = world.orders()[0]
    what = {"amount_cents": amount_cents or order.amount_cents, "business_day": order.business_day, "note": "web order"}
    return world.staff("hand-payment", patient_id=patient_id, **what)


# -- none of these: the account that a person wants


def an_account_is_wanted(ground: Ground) -> None:
    world = _two_charts(ground)
    create_account(world.desk(), world.order().id, actor="dana")
    world.run_after(minutes=(1, 15))
    assert world.order().state is OrderState.CONFIRMED, f"wrong state: {world.order().state}, though a person has decided"


def a_declined_chart_is_left_alone_after_a_merge(ground: Ground) -> None:
    """The answer is lost and nothing was created; staff merge the two charts that the person has declined."""
    world = ground.world(0)
    for key in ("one", "two"):
        world.add_chart(ORA, key)
    world.place(ORA.buyer())
    world.run()
    first, second = (chart.patient_id for chart in world.charts())
    world.plant(Effect.TIMED_OUT, route=PATIENTS)
    create_account(world.desk(), world.order().id, actor="dana")
    world.run_after(minutes=(1,))
    world.staff("merge", patient_id=first, into=second)
    world.run_after(minutes=(2, 15))
    assert world.order().patient_id != second, "wrong patient: one of whom a person has said no"


def two_orders_of_one_customer_for_whom_accounts_are_wanted(ground: Ground) -> None:
    world = _two_charts(ground)
    world.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    world.run()
    for order in world.orders():
        create_account(world.desk(), order.id, actor="dana")
    world.run_after(minutes=(1, 2, 15))
    made = [chart for chart in world.charts() if chart.origin == "api"]
    assert len(made) == 1, "doubled chart: made for the second order, too"


def a_chart_that_is_out_of_use_is_picked(ground: Ground) -> None:
    world = _two_charts(ground)
    retired = world.charts()[0].patient_id

    def retire(request: httpx.Request) -> httpx.Request | httpx.Response:
        if request.method != "GET" or f"identifier={retired}" not in str(request.url):
            return request
        patient = {"resourceType": "Patient", "id": retired, "active": False, "name": [{"use": "official", "family": "C"}]}
        body = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": patient}]}
        return httpx.Response(200, json=body, request=request)

    desk = world.desk(nextech_wrap=lambda inner: Between(inner, retire))
    with contextlib.suppress(OrderSyncError):
        choose_patient(desk, world.order().id, retired, actor="dana")
    world.run()
    assert _live(world) == [], "wrong patient: posted to a chart that is out of use"


# -- posted by hand


def tied_while_ours_is_under_way(ground: Ground) -> None:
    world = ground.world()
    world.plant(Effect.EXECUTED_LATE, after_seconds=3 * HOUR)
    world.run()
    world.run_after(minutes=(15, 40, 20, 20))
    payment_id = _enter(world, world.charts()[0].patient_id)
    with contextlib.suppress(OrderSyncError):
        accept_manual_entry(world.desk(), world.order().id, payment_id, actor="dana")
    world.run_after(hours=(4, 25))
    is_known = world.open_reasons() == [Reason.DUPLICATE_POSTING]
    assert len(_live(world)) < 2 or is_known, "doubled: by hand and by us, and nobody is told"


def tied_although_ours_has_arrived(ground: Ground) -> None:
    world = ground.world()
    world.plant(Effect.EXECUTED_LATE, after_seconds=24 * HOUR)
    world.run()
    world.run_after(minutes=(15, 40, 20, 20))
    payment_id = _enter(world, world.charts()[0].patient_id)
    world.clock.advance(hours=25)
    with contextlib.suppress(OrderSyncError):
        accept_manual_entry(world.desk(), world.order().id, payment_id, actor="dana")
    world.run_after(hours=(1, 25))
    assert world.open_reasons() == [Reason.DUPLICATE_POSTING], "doubled: by hand and by us, and nobody is told"


def one_entry_is_tied_to_two_orders(ground: Ground) -> None:
    world = _two_charts(ground)
    chart = world.charts()[0].patient_id
    world.place(ORA.buyer(), minutes_ago=1)
    world.run()
    payment_id = _enter(world, chart)
    for order in world.orders():
        with contextlib.suppress(OrderSyncError):
            accept_manual_entry(world.desk(), order.id, payment_id, actor="dana")
    closed = [row for row in world.orders() if row.state is OrderState.CLOSED]
    assert len(closed) == 1, "lost: one payment closes two orders"


def an_entry_of_another_amount_is_tied(ground: Ground) -> None:
    world = _two_charts(ground)
    payment_id = _enter(world, world.charts()[0].patient_id, amount_cents=100)
    with contextlib.suppress(OrderSyncError):
        accept_manual_entry(world.desk(), world.order().id, payment_id, actor="dana")
    assert world.order().state is OrderState.QUEUED, "wrong amount: taken without a word"


# -- the wrong patient


def _posted_to_the_wrong_one(ground: Ground) -> tuple[SmallWorld, str, str]:
    world = _two_charts(ground)
    wrong, right = (chart.patient_id for chart in world.charts())
    choose_patient(world.desk(), world.order().id, wrong, actor="eli")
    world.run_after(minutes=(15,))
    begin_undo(world.desk(), world.order().id, actor="dana")
    return world, wrong, right


def a_copy_stands_on_the_old_chart(ground: Ground) -> None:
    """Staff correct the payment where they should void it; a person looks, and wants it posted to the right patient."""
    world, _, right = _posted_to_the_wrong_one(ground)
    world.staff("void-and-correct", payment_id=world.payment().payment_id)
    with contextlib.suppress(OrderSyncError):
        look_for_void(world.desk(), world.order().id, actor="dana")
        post_to(world.desk(), world.order().id, right, actor="dana")
    world.run_after(minutes=(1, 15))
    assert len(_live(world)) == 1, "doubled: on the wrong patient and on the right one"


def a_copy_comes_to_stand_on_the_old_chart(ground: Ground) -> None:
    world, _, right = _posted_to_the_wrong_one(ground)
    payment_id = world.payment().payment_id
    world.staff("void", payment_id=payment_id)
    look_for_void(world.desk(), world.order().id, actor="dana")
    post_to(world.desk(), world.order().id, right, actor="dana")
    world.staff("void-and-correct", payment_id=payment_id)
    world.run_after(minutes=(1, 15))
    assert len(_live(world)) == 1, "doubled: on the wrong patient and on the right one"


def voided_and_posted_to_the_same_patient(ground: Ground) -> None:
    world, wrong, _ = _posted_to_the_wrong_one(ground)
    world.staff("void", payment_id=world.payment().payment_id)
    look_for_void(world.desk(), world.order().id, actor="dana")
    post_to(world.desk(), world.order().id, wrong, actor="dana")
    world.run_after(minutes=(1, 15))
    assert len(_live(world)) == 1, "lost: what was voided before is taken for the new posting"


def another_payment_may_still_come(ground: Ground) -> None:
    """Two attempts are unclear; the first one arrives, and staff void it."""
    world = ground.world()
    other = world.add_chart(IVO).patient_id
    world.plant(Effect.EXECUTED_LATE, after_seconds=26 * HOUR)
    world.run()
    world.run_after(minutes=(15, 40, 20, 20))
    world.clock.advance(hours=24)
    world.plant(Effect.EXECUTED_LATE, after_seconds=5 * HOUR)
    post_again(world.desk(), world.order().id, actor="dana")
    world.run()
    world.clock.advance(hours=2)
    world.staff("void", payment_id=world.booked()[0].payment_id)
    world.run()
    assert world.order().state is OrderState.CLOSED_VOIDED, "the ground: it is voided"
    with contextlib.suppress(OrderSyncError):
        post_to(world.desk(), world.order().id, other, actor="dana")
    world.run_after(minutes=(1,), hours=(6,))
    assert len(_live(world)) == 1, "doubled: the second attempt arrives after all"


def the_next_order_of_the_customer(ground: Ground) -> None:
    world, wrong, _ = _posted_to_the_wrong_one(ground)
    world.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    world.run()
    assert world.orders()[1].patient_id != wrong, "wrong patient: the choice that is being undone is remembered"


def changed_before_it_is_posted_anew(ground: Ground) -> None:
    """A rule had matched the wrong patient; the order changes in the store just before it is posted to the right one."""
    world = ground.world()
    right = world.add_chart(IVO).patient_id
    world.run()
    wrong = world.order().patient_id
    begin_undo(world.desk(), world.order().id, actor="dana")
    world.staff("void", payment_id=world.payment().payment_id)
    look_for_void(world.desk(), world.order().id, actor="dana")
    post_to(world.desk(), world.order().id, right, actor="dana", remember=False)
    [record] = world.shop.orders.values()
    world.shop.change(record, customer_note="call me")
    record.row["customer_suffix"] = "III"
    record.version += 1
    world.run_after(minutes=(1, 15))
    assert wrong not in [patient_id for patient_id, _ in _live(world)], "wrong patient: matched by the rule that was wrong"


# -- releases


def an_edited_order_is_released_before_it_is_paid(ground: Ground) -> None:
    world = ground.world(0)
    world.add_chart(ORA)
    world.place(ORA.buyer(), steps=("edit",))
    world.run()
    [order] = [row for row in world.orders() if row.why is Reason.EDITED_ORDER]
    release(world.desk(), order.id, actor="dana")
    world.run_after(minutes=(1, 15))
    assert world.booked() == [], "wrong state: posted, though the store has taken no money"


def a_released_order_changes(ground: Ground) -> None:
    world = ground.world(0)
    world.add_chart(ORA)
    record = world.place(ORA.buyer(), basket=(("DRM-VITC-30", 90),))
    world.run()
    release(world.desk(), world.order().id, actor="dana")
    world.shop.change(record, customer_suffix="III")
    world.run_after(minutes=(1, 15))
    assert world.booked() == [], "wrong state: posted, though nobody has looked at it as it is now"
