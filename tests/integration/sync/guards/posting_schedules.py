"""One hard day each for the guards around the POST: the ending is the check, and its first word is what went wrong."""

from __future__ import annotations

import contextlib
import hashlib
from decimal import Decimal

import httpx
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from order_sync.extract import extract_orders
from order_sync.ledger.models import AttemptRow
from order_sync.match import match_patients
from order_sync.post import post_payments
from order_sync.reasons import Reason
from order_sync.resolve import post_again
from order_sync.statuses import OrderState
from order_sync.verify import verify_payments
from sandbox.demo.characters import regulars
from sandbox.nextech.faults import Effect
from sandbox.store.refunds import refund
from tests.integration.sync.guards.ground import (
    IVO,
    ORA,
    Ground,
    SleepsBeforePosting,
    dies_after_the_post,
    is_posting,
    killed_at,
    pausing_before_the_claim,
)
from tests.worlds import PAYMENTS, Between, SmallWorld

HALF_AN_HOUR = 1_800
AMOUNTS = ("grand_total", "total_paid", "subtotal")


def is_booked_once(world: SmallWorld, payments: int = 1) -> None:
    """Fail unless exactly so many payments stand in Nextech, one for each order, and all orders say so."""
    count = len(world.booked())
    assert count <= payments, f"doubled: {count} payments instead of {payments}"
    assert count == payments, f"lost: {count} payments instead of {payments}"


def a_late_booking_after_a_kill(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=HALF_AN_HOUR)
    with contextlib.suppress(KeyboardInterrupt):
        one.run(one.desk(nextech_wrap=dies_after_the_post))
    one.run_after(minutes=(15, 20, 20))
    is_booked_once(one)
    assert one.order().state is OrderState.CONFIRMED, "wrong state"


def a_refused_commit(ground: Ground) -> None:
    """The intent's commit fails, and whatever is sent all the same is booked late."""
    one = ground.world()
    one.plant(Effect.EXECUTED_LATE, after_seconds=HALF_AN_HOUR)
    began: list[int] = []

    def see(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO attempts" in statement:
            began.append(1)

    def refuse(connection: Connection) -> None:
        if began == [1]:
            began.append(2)
            connection.connection.rollback()
            raise OperationalError("COMMIT", {}, OSError("disk full"))

    engine = one.ledger.engine
    event.listen(engine, "before_cursor_execute", see)
    event.listen(engine, "commit", refuse)
    with contextlib.suppress(OperationalError):
        one.run()
    event.remove(engine, "before_cursor_execute", see)
    event.remove(engine, "commit", refuse)
    one.run_after(minutes=(15, 20, 20, 20))
    is_booked_once(one)


def a_process_frozen_for_a_day_before_the_first_byte(ground: Ground) -> None:
    one = ground.world()
    one.switch(token_lifetime_seconds=500_000)
    other = one.desk()

    def a_day_passes() -> None:
        one.run_after(other, minutes=(3, 40, 20, 20))
        one.clock.advance(hours=25)
        post_again(other, one.order().id, actor="dana")
        one.run(other)

    desk = one.desk()
    desk.nextech._limiter = SleepsBeforePosting(a_day_passes)
    one.run(desk)
    is_booked_once(one)


def a_500_for_what_was_executed(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.FAILED_EXECUTED)
    one.run()
    one.run_after(minutes=(15,))
    is_booked_once(one)
    assert one.posts_seen() == 1, "wrong state: one attempt was sent twice"


def a_redirect_to_another_host(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.REDIRECTED)
    hosts: set[str] = set()

    def listen(request: httpx.Request) -> httpx.Request:
        hosts.add(request.url.host)
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, listen)))
    assert hosts == {"127.0.0.1"}, "leak: the payment and the token went to another host"


def killed_while_the_outcome_is_recorded(ground: Ground) -> None:
    one = ground.world()
    with killed_at(one.ledger, "UPDATE attempts"):
        one.run()
    one.run_after(minutes=(15, 40, 20))
    is_booked_once(one)
    assert one.order().state is OrderState.CONFIRMED, "wrong state"
    assert all(attempt.outcome is not None for attempt in one.attempts()), "stuck: an attempt without an outcome"


def killed_while_a_case_is_opened(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.REJECTED)
    with killed_at(one.ledger, "INSERT INTO manual_resolution_queue"):
        one.run()
    one.run_after(minutes=(15, 40, 20))
    assert one.order().state is OrderState.QUEUED, "wrong state"
    assert len(one.open_cases()) == 1, "lost: it waits for a person, and no case says so"


def killed_while_the_status_is_written_down(ground: Ground) -> None:
    one = ground.world()
    with killed_at(one.ledger, "INSERT INTO status_outbox", "Synced"):
        one.run()
    one.run_after(minutes=(15, 40, 20))
    shown = one.shop.sync_rows[one.order().entity_id]["status"]
    assert (one.order().state, shown) == (OrderState.CONFIRMED, "synced"), f"wrong status: the store shows {shown}"


def an_answer_after_a_person_was_asked(ground: Ground) -> None:
    one = ground.world()
    one.switch(token_lifetime_seconds=500_000)
    other = one.desk()

    def be_late(request: httpx.Request) -> httpx.Request:
        if is_posting(request):
            one.run_after(other, minutes=(3, 40, 20, 20))
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, be_late)))
    is_booked_once(one)
    assert one.open_cases() == [], "wrong text: a person is asked to look for what was confirmed"


def an_answer_after_a_person_had_it_posted_again(ground: Ground) -> None:
    """A process frozen for a day, its request already under way: outside what can be prevented, not what can be told."""
    one = ground.world()
    one.switch(token_lifetime_seconds=500_000)
    other, seen = one.desk(), list[str]()

    def freeze(request: httpx.Request) -> httpx.Request:
        if is_posting(request) and not seen:
            seen.append("first")
            one.run_after(other, minutes=(3, 40, 20, 20))
            one.clock.advance(hours=25)
            post_again(other, one.order().id, actor="dana")
            one.run(other)
            one.plant(Effect.UNAVAILABLE, method="GET", route=PAYMENTS, remaining=None)
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, freeze)))
    one.heal()  # the read back met an outage
    one.run_after(hours=(1, 25))
    assert one.open_reasons() == [Reason.DUPLICATE_POSTING], "wrong status: Synced, and nobody is told of the second payment"


def killed_and_never_cleared(ground: Ground) -> None:
    one = ground.world()
    with contextlib.suppress(KeyboardInterrupt):
        one.run(one.desk(nextech_wrap=dies_after_the_post))
    one.run_after(minutes=(15, 40, 20), hours=(25,))
    assert one.order().state is OrderState.CONFIRMED, f"stuck: {one.order().state}"


def another_run_looks_while_a_payment_is_refused(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.REJECTED)
    other = one.desk()

    def look(request: httpx.Request) -> httpx.Request:
        if is_posting(request):
            verify_payments(other)
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, look)))
    assert one.open_reasons() == [Reason.PAYMENT_REJECTED], "wrong text: the proved rejection is lost"


def another_run_dies_over_the_order_that_this_one_looked_for(ground: Ground) -> None:
    one = ground.world()

    def meanwhile() -> None:
        one.clock.advance(minutes=6)  # past the claim
        with contextlib.suppress(KeyboardInterrupt):
            post_payments(one.desk(nextech_wrap=dies_after_the_post))

    one.run(pausing_before_the_claim(one.desk(), meanwhile))
    one.run_after(minutes=(15, 40))
    is_booked_once(one)


def an_attempt_that_nobody_settled(ground: Ground) -> None:
    one = ground.world()
    one.plant(Effect.UNAUTHORIZED)
    one.run()
    order_id, now = one.order().id, one.clock.now()
    with one.ledger.transaction() as tx:
        attempt = AttemptRow(attempt_id="left", order_id=order_id, kind="payment", fence=99, request_sha256="0" * 64)
        attempt.intended_at = attempt.deadline = now
        tx.session.add(attempt)
    one.run_after(minutes=(15,))
    assert one.posts_seen() == 1, "doubled: sent beside an attempt whose outcome nobody knows"


def bytes_on_the_wire(ground: Ground) -> None:
    one = ground.world()
    sent: list[str] = []

    def listen(request: httpx.Request) -> httpx.Request:
        if is_posting(request):
            sent.append(hashlib.sha256(request.content).hexdigest())
        return request

    one.run(one.desk(nextech_wrap=lambda inner: Between(inner, listen)))
    recorded = [attempt.request_sha256 for attempt in one.attempts()]
    assert sent == recorded, "wrong record: what was sent is not what the intent says"


def an_amount_that_a_float_cannot_hold(ground: Ground) -> None:
    empty = ground.world(0)
    empty.add_chart(ORA)
    record = empty.place(ORA.buyer())
    change = Decimal("64.10") - record.row["grand_total"]
    empty.shop.change(record, **{name: record.row[name] + change for name in AMOUNTS})
    empty.run()
    assert [row.amount_cents for row in empty.booked()] == [6410], "wrong amount"
    found = (empty.order().state, empty.order().why)
    assert found == (OrderState.CONFIRMED, None), f"wrong state: {found}"


def refunded_between_matching_and_posting(ground: Ground) -> None:
    one = ground.world()
    desk = one.desk()
    extract_orders(desk, holder="a run")
    match_patients(desk)
    refund(one.shop, one.order().entity_id)
    post_payments(desk)
    is_booked_once(one, 0)


def refunded_while_the_batch_is_sent_slowly(ground: Ground) -> None:
    ten = ground.world(10)
    ten.run()  # two witnesses, so that the next orders are taken up together
    for person in (*regulars("eastern"), ORA, IVO):
        ten.add_chart(person)
        ten.place(person.buyer())
    posted = 0

    def be_slow(request: httpx.Request) -> httpx.Request:
        nonlocal posted
        if is_posting(request):
            ten.clock.advance(seconds=40)
            posted += 1
            if posted == 3:
                refund(ten.shop, [row for row in ten.orders() if row.state is OrderState.MATCHED][-1].entity_id)
        return request

    ten.run(ten.desk(nextech_wrap=lambda inner: Between(inner, be_slow)))
    assert ten.states().count(OrderState.NOTHING_TO_POST) == 1, "wrong state: a refunded order was posted"


def an_outage(ground: Ground) -> None:
    ten = ground.world(10)
    ten.plant(Effect.FAILED, remaining=None)
    ten.run()
    assert ten.posts_seen() == 3, f"wrong state: {ten.posts_seen()} unclear outcomes in one outage"
