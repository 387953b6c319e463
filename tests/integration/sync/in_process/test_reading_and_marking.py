"""Reading the store's orders and telling it where they stand, while the store misbehaves."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from order_sync.errors import LedgerBusyError
from order_sync.extract import extract_orders
from order_sync.ledger.claims import take_claim, watermark_of
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, move
from order_sync.mark import mark_status
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect as NextechEffect
from sandbox.store import actions
from sandbox.store.faults import Effect
from sandbox.store.sync_status import disable_by_staff
from tests.worlds import Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
LIST = "/V1/orders"
BULK = "/V1/nextech/orders/sync-status"


def watermark(world: SmallWorld):
    with world.ledger.transaction() as tx:
        return watermark_of(tx, world.practice_id)


def test_an_order_that_changes_between_two_pages_is_neither_lost_nor_taken_twice(ten: SmallWorld):
    desk = ten.desk()
    desk = ten.desk(settings={"extraction": desk.practice.extraction.model_copy(update={"page_size": 3})})
    for order_id in list(ten.shop.orders)[4:6]:
        ten.plant_in_store(Effect.TOUCH, route=LIST, requests=(2,), order_id=order_id)
    ten.run(desk)
    ten.run_after(desk, minutes=(15,))
    assert ten.states() == [OrderState.CONFIRMED] * 10
    assert len(ten.booked()) == 10


def test_an_order_that_breaks_the_store_becomes_a_case_and_the_others_are_synced(ten: SmallWorld):
    poison = list(ten.shop.orders)[4]
    ten.plant_in_store(Effect.POISON, order_id=poison)
    ten.run()
    assert ten.open_reasons() == [Reason.ORDER_UNREADABLE]
    assert ten.states().count(OrderState.CONFIRMED) == 9
    assert watermark(ten) is not None
    ten.heal()
    ten.clock.advance(minutes=15)
    actions.touch(ten.shop, poison)
    ten.run()
    assert ten.states().count(OrderState.CONFIRMED) == 10
    assert ten.open_cases() == []


@pytest.mark.parametrize("effect", [Effect.MAINTENANCE, Effect.MESSAGE_200, Effect.TRUNCATED, Effect.RESET, Effect.MASKED_500])
def test_a_store_that_is_down_is_one_case_and_the_watermark_stays(ten: SmallWorld, effect: Effect):
    ten.plant_in_store(effect)
    ten.run()
    ten.run_after(minutes=(15, 15))
    assert ten.open_reasons() == [Reason.STORE_UNAVAILABLE]
    assert (ten.orders(), watermark(ten)) == ([], None)
    ten.heal()
    ten.run_after(minutes=(15,))
    assert ten.open_cases() == []
    assert ten.states() == [OrderState.CONFIRMED] * 10


def test_a_store_that_goes_down_in_the_middle_keeps_what_was_read_and_the_rest_follows(ten: SmallWorld):
    desk = ten.desk()
    desk = ten.desk(settings={"extraction": desk.practice.extraction.model_copy(update={"page_size": 4})})
    ten.plant_in_store(Effect.MAINTENANCE, route=LIST, after_requests=1)
    ten.run(desk)
    assert len(ten.orders()) == 4
    assert watermark(ten) is None, "a slice that is not in the ledger has not been read"
    ten.heal()
    ten.run_after(desk, minutes=(15,))
    assert ten.states() == [OrderState.CONFIRMED] * 10


def test_orders_of_another_store_view_are_left_alone(empty: SmallWorld):
    empty.add_chart(ORA)
    mine, other = empty.place(ORA.buyer()), empty.place(ORA.buyer())
    empty.shop.change(empty.shop.orders[other.entity_id], store_id=7)
    desk = empty.desk(settings={"store_ids": (mine.row["store_id"],)})
    empty.run(desk)
    assert [row.number for row in empty.orders()] == [mine.number]


def test_the_watermark_stays_behind_what_may_still_be_committed(one: SmallWorld):
    desk = one.desk()
    one.run(desk)
    lag = timedelta(seconds=desk.practice.extraction.lag_seconds)
    reached = watermark(one)
    assert one.clock.now() - lag - timedelta(seconds=5) <= reached <= one.clock.now() - lag + timedelta(seconds=5)


def test_a_second_run_steps_aside_and_takes_over_when_the_first_has_gone_silent(one: SmallWorld):
    with one.ledger.transaction() as tx:
        assert take_claim(tx, f"extract:{one.practice_id}", holder="the first", seconds=300)
    assert extract_orders(one.desk(), holder="the second").is_busy
    assert one.orders() == []
    one.clock.advance(minutes=6)
    assert not extract_orders(one.desk(), holder="the second").is_busy
    assert len(one.orders()) == 1


def test_a_run_that_was_taken_over_stops_reading(ten: SmallWorld):
    other = ten.desk()
    happened: list[object] = []

    def sleep(request):
        if "orders" in str(request.url) and not happened:
            happened.append(1)
            ten.clock.advance(minutes=6)
            with ten.ledger.transaction() as tx:
                assert take_claim(tx, f"extract:{ten.practice_id}", holder="the second", seconds=300)
        return request

    with pytest.raises(LedgerBusyError, match="another has taken over"):
        extract_orders(ten.desk(store_wrap=lambda inner: Between(inner, sleep)), holder="the first")
    extract_orders(other, holder="the second")
    assert len(ten.orders()) == 10


def test_a_status_whose_answer_is_lost_is_written_again_under_the_same_key(one: SmallWorld):
    one.plant_in_store(Effect.RESET, method="PUT", is_executed=True, remaining=4)
    one.run()
    [row] = one.shop.sync_rows.values()
    key = row["run_key"]
    one.run_after(minutes=(15, 15))
    [row] = one.shop.sync_rows.values()
    assert (row["status"], row["run_key"]) == ("synced", key)
    assert mark_status(one.desk()).written == 0


def test_one_status_that_the_store_refuses_holds_up_no_other(ten: SmallWorld):
    ten.run()
    gone = next(iter(ten.shop.orders))
    for order_id in list(ten.shop.sync_rows):
        del ten.shop.sync_rows[order_id]
    with ten.ledger.transaction() as tx:
        for row in tx.session.scalars(select(OrderRow)).all():
            move(tx, row, Step(OrderState.QUEUED, Reason.PAYMENT_MISMATCH, "amount"))
    del ten.shop.orders[gone]
    counts = mark_status(ten.desk())
    assert (counts.written, counts.postponed) == (9, 1)
    assert {row["status"] for row in ten.shop.sync_rows.values()} == {"not_synced"}


def test_a_status_that_staff_disabled_stays_disabled(one: SmallWorld):
    [order_id] = one.shop.orders
    disable_by_staff(one.shop, order_id)
    one.run()
    assert one.shop.sync_rows[order_id]["status"] == "disabled"
    one.run_after(minutes=(15, 15))
    assert sum(count for (method, _, _), count in one.shop.requests.items() if method == "PUT") == 1


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_the_comment_writer_comments_once_for_each_change(one: SmallWorld, is_answer_lost: bool):
    [record] = one.shop.orders.values()
    if is_answer_lost:
        one.plant_in_store(Effect.RESET, method="POST", is_executed=True, remaining=1)
    desk = one.desk(writer="comment")
    one.plant(NextechEffect.REJECTED)
    one.run(desk)
    one.run_after(desk, minutes=(15, 15))
    comments = [row for row in record.histories if "Not Synced" in (row["comment"] or "")]
    assert len(comments) == 1
    assert not comments[0]["is_customer_notified"]


def test_marking_makes_no_new_version_of_the_order(one: SmallWorld):
    one.run()
    version = one.order().version
    one.run_after(minutes=(15, 15))
    assert one.order().version == version


def test_an_order_that_another_run_moves_at_this_moment_is_no_case(empty: SmallWorld, monkeypatch: pytest.MonkeyPatch):
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    empty.plant(NextechEffect.UNAUTHORIZED)
    empty.run()
    empty.clock.advance(minutes=5)
    actions.hold(empty.shop, record.entity_id)

    def be_second(*_: object, **__: object) -> None:
        raise LedgerBusyError("changed meanwhile; the next run takes it up again")

    with monkeypatch.context() as patched:
        patched.setattr("order_sync.intake.move", be_second)
        extract_orders(empty.desk(), holder="test")
    assert empty.order().state is OrderState.MATCHED
    assert empty.open_cases() == []
    empty.run_after(minutes=(15,))
    assert empty.order().why is Reason.ON_HOLD
