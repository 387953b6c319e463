"""Release what a person has checked, and retry what may end otherwise."""

from decimal import Decimal

import pytest

from order_sync.errors import OrderNotSyncedError, PermanentError, SomebodyWasFirstError
from order_sync.ledger.orders import failed_orders
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, dismiss, release
from order_sync.retries import retry, retry_each
from order_sync.statuses import OrderState, PublicStatus
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store import actions
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")
C, Q, R = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.RECEIVED
DEAR = {"basket": (("DRM-VITC-30", 90),)}


@pytest.fixture
def dear(empty: SmallWorld) -> SmallWorld:
    """An order above the amount limit."""
    empty.add_chart(ORA)
    empty.place(ORA.buyer(), **DEAR)
    empty.run()
    assert empty.open_reasons() == [Reason.AMOUNT_LIMIT]
    return empty


@pytest.fixture
def edited(empty: SmallWorld) -> SmallWorld:
    """An order that was edited in the store, and its successor, not paid yet."""
    empty.add_chart(ORA)
    empty.place(ORA.buyer(), steps=("edit",))
    empty.run()
    assert empty.open_reasons() == [Reason.EDITED_ORDER]
    return empty


def the_queued(world: SmallWorld):
    [order] = [row for row in world.orders() if row.state is Q]
    return order


def test_a_released_order_is_matched_and_posted_and_never_asked_about_again(dear: SmallWorld):
    released = release(dear.desk(), dear.order().id, actor="dana", version=dear.order().version)
    assert (released.state, released.public_status, released.released) == (R, PublicStatus.WAITING, ["amount_limit"])
    dear.run_after(minutes=(1, 15), hours=(25,))
    assert dear.order().state is C
    assert len(dear.booked()) == 1


def test_a_release_survives_a_question_about_the_patient(dear: SmallWorld):
    dear.add_chart(ORA, "second", birth_date=None)
    dear.charts()
    release(dear.desk(), dear.order().id, actor="dana")
    dear.nextech.offices["eastern"].chart.patients[dear.charts()[0].patient_id].birth_date = None
    dear.run_after(minutes=(1,))
    assert dear.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    with pytest.raises(OrderNotSyncedError, match="Duplicated customer"):
        sync_order(dear.desk(), dear.order().number)
    choose_patient(dear.desk(), dear.order().id, dear.charts()[1].patient_id, actor="dana")
    dear.run_after(minutes=(1,))
    assert dear.order().state is C


def test_a_change_in_the_store_takes_the_release_back(dear: SmallWorld):
    release(dear.desk(), dear.order().id, actor="dana")
    [record] = dear.shop.orders.values()
    dear.shop.change(record, customer_suffix="III")
    dear.run_after(minutes=(1,))
    assert dear.open_reasons() == [Reason.AMOUNT_LIMIT]
    assert dear.order().released is None


def test_an_edited_order_that_was_released_still_waits_until_it_is_paid(edited: SmallWorld):
    release(edited.desk(), the_queued(edited).id, actor="dana")
    edited.run_after(minutes=(1,))
    assert OrderState.WAITING in edited.states()
    assert edited.booked() == []


def test_an_edited_order_whose_patient_was_picked_still_waits_until_it_is_paid(edited: SmallWorld):
    choose_patient(edited.desk(), the_queued(edited).id, edited.charts()[0].patient_id, actor="dana")
    edited.run_after(minutes=(1,))
    assert edited.booked() == [], "posted, though the store has not captured it"
    assert OrderState.WAITING in edited.states()


def test_an_edited_order_on_hold_is_not_posted_by_its_release(empty: SmallWorld):
    empty.add_chart(ORA)
    successor = empty.place(ORA.buyer(), steps=("edit", "capture"))
    actions.hold(empty.shop, successor.entity_id)
    empty.run()
    release(empty.desk(), the_queued(empty).id, actor="dana")
    empty.run_after(minutes=(1,))
    assert empty.booked() == []
    assert empty.order(successor.number).why is Reason.ON_HOLD


def test_an_edited_order_above_the_limit_is_released_for_each(empty: SmallWorld):
    empty.add_chart(ORA)
    empty.place(ORA.buyer(), steps=("edit", "capture"), **DEAR)
    empty.run()
    for reason in (Reason.EDITED_ORDER, Reason.AMOUNT_LIMIT):
        assert empty.open_reasons() == [reason]
        release(empty.desk(), the_queued(empty).id, actor="dana")
        empty.run_after(minutes=(1,))
    assert [row.amount_cents for row in empty.booked()] == [the_paid(empty)]


def the_paid(world: SmallWorld) -> int:
    [order] = [row for row in world.orders() if row.state is C]
    return int(order.amount_cents or 0)


def test_a_limit_that_was_lowered_holds_for_an_order_that_nobody_released(empty: SmallWorld):
    empty.add_chart(ORA)
    empty.place(ORA.buyer())
    desk = empty.desk()
    lower = desk.practice.posting.model_copy(update={"amount_limit": Decimal(1)})
    empty.plant(Effect.RATE_LIMITED, remaining=None)
    empty.run()
    assert empty.order().state is OrderState.MATCHED
    empty.heal()
    empty.run_after(empty.desk(settings={"posting": lower}), minutes=(5,))
    assert empty.open_reasons() == [Reason.AMOUNT_LIMIT]


def test_only_what_a_person_may_release_is_released_and_the_first_wins(dear: SmallWorld):
    seen = dear.order()
    release(dear.desk(), seen.id, actor="ellis", version=seen.version)
    with pytest.raises(SomebodyWasFirstError, match="ellis"):
        release(dear.desk(), seen.id, actor="dana", version=seen.version)
    with pytest.raises(PermanentError, match="does not wait to be released"):
        release(dear.desk(), seen.id, actor="dana")


# -- retry


@pytest.fixture
def rejected(one: SmallWorld) -> SmallWorld:
    one.plant(Effect.REJECTED)
    one.run()
    with one.ledger.transaction() as tx:
        ids = [row.id for row in failed_orders(tx, "eastern")]
    assert ids == [one.order().id]
    one.plant(Effect.REJECTED)
    with pytest.raises(OrderNotSyncedError):
        sync_order(one.desk(), one.order().number)
    return one


def handed_out_next(world: SmallWorld) -> list[str]:
    with world.ledger.transaction() as tx:
        return [row.number for row in failed_orders(tx, "eastern")]


def test_a_retried_order_gets_a_task_of_its_own_in_the_next_run(rejected: SmallWorld):
    assert handed_out_next(rejected) == []
    before = rejected.order()
    tried = retry(rejected.ledger, before.id, actor="dana", version=before.version)
    assert (tried.state, tried.reason, tried.version) == (Q, before.reason, before.version + 1)
    assert handed_out_next(rejected) == [before.number]
    assert rejected.open_reasons() == [Reason.PAYMENT_REJECTED]
    assert sync_order(rejected.desk(), before.number).status is PublicStatus.SYNCED
    assert handed_out_next(rejected) == []


def test_a_retry_keeps_the_case_with_its_candidates_and_its_count(empty: SmallWorld):
    empty.add_chart(ORA, "one")
    empty.add_chart(ORA, "two")
    empty.place(ORA.buyer())
    empty.run()
    [before] = empty.open_cases()
    retry(empty.ledger, empty.order().id, actor="dana")
    [after] = empty.open_cases()
    assert (after.candidate_ids, after.times_seen, after.opened_at) == (before.candidate_ids, 1, before.opened_at)


def test_where_a_retry_changes_nothing_it_says_why(empty: SmallWorld):
    for person in (ORA, IVO):
        empty.add_chart(person)
    empty.place(ORA.buyer())
    empty.run()
    with pytest.raises(PermanentError, match="there is nothing to retry"):
        retry(empty.ledger, empty.order().id, actor="dana")
    empty.plant(Effect.RATE_LIMITED, remaining=None)
    empty.place(IVO.buyer())
    empty.run()
    with pytest.raises(PermanentError, match="the next run takes it up by itself"):
        retry(empty.ledger, empty.orders()[1].id, actor="dana")
    with pytest.raises(PermanentError, match="there is no order with the id 4711"):
        retry(empty.ledger, 4711, actor="dana")
    with pytest.raises(PermanentError, match="there is no order"):
        retry(empty.ledger, empty.order(empty.orders()[0].number).id, actor="dana", practice_id="central")


def test_of_two_who_retry_the_second_hears_of_the_first(rejected: SmallWorld):
    seen = rejected.order().version
    retry(rejected.ledger, rejected.order().id, actor="ellis", version=seen)
    with pytest.raises(SomebodyWasFirstError, match="ellis"):
        retry(rejected.ledger, rejected.order().id, actor="dana", version=seen)


def test_many_are_retried_each_by_itself(ten: SmallWorld):
    ten.plant(Effect.REJECTED, remaining=3)
    ten.run()
    waiting = [row.id for row in ten.orders() if row.state is Q]
    posted = next(row.id for row in ten.orders() if row.state is C)
    dismiss(ten.desk(), waiting[0], actor="ellis", why=DismissReason.TEST_ORDER)
    done = retry_each(ten.ledger, [*waiting, posted, waiting[1]], actor="dana", practice_id="eastern")
    assert [(one.order_id, one.is_taken_up) for one in done] == [
        (waiting[0], False),
        (waiting[1], True),
        (waiting[2], True),
        (posted, False),
    ]
    why_not = "there is nothing to retry"
    assert [one.sentence.partition(": ")[2] for one in done] == [why_not, "", "", why_not]
