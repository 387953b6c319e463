"""Posted by hand: which entry a person may tie to an order, what is said when it differs, and what comes of it."""

from datetime import timedelta

import httpx
import pytest

from order_sync.collect import collect_facts
from order_sync.errors import LedgerBusyError, PaymentDiffersError, PermanentError, SomebodyWasFirstError
from order_sync.ledger.models import PaymentRow
from order_sync.manual_entries import accept_manual_entry
from order_sync.reasons import Reason
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.periods import month_of
from order_sync.resolve import choose_patient, post_again
from order_sync.restores import declare_restore
from order_sync.statuses import OrderState
from order_sync.undo import begin_undo, look_for_void, post_to
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from tests.worlds import WEDNESDAY_NOON, Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")


@pytest.fixture
def twice(empty: SmallWorld) -> SmallWorld:
    """Two equal charts, so that a person has to decide."""
    empty.add_chart(ORA, "one", birth_date=None)
    empty.add_chart(ORA, "two", birth_date=None)
    empty.place(ORA.buyer())
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    return empty


@pytest.fixture
def unknown(one: SmallWorld) -> SmallWorld:
    """Sent, and never booked: a person has to decide."""
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    assert one.open_reasons() == [Reason.OUTCOME_UNKNOWN]
    return one


def enter(
    world: SmallWorld, patient_id: str, *, amount_cents: int | None = None, days_later: int = 0, note: str = "web"
) -> str:
    order = world.orders()[0]
    return world.staff(
        "hand-payment",
        patient_id=patient_id,
        amount_cents=order.amount_cents if amount_cents is None else amount_cents,
        business_day=order.business_day + timedelta(days=days_later),
        note=note,
    )


def accept(world: SmallWorld, payment_id: str, **how: object) -> OrderState:
    return accept_manual_entry(world.desk(), world.orders()[0].id, payment_id, actor="dana", **how).state


def classes(world: SmallWorld) -> dict[str, int]:
    """Return the classes of the reconciliation of the month, and what they explain."""
    desk, period = world.desk(), month_of(WEDNESDAY_NOON.date())
    lines = reconcile(collect_facts(desk, period).facts, period, practice_id="eastern", as_of=world.clock.now())
    return {row["class_"]: int(row["explains_cents"]) for row in lines.to_dict("records")}


def test_an_entry_on_any_patient_of_the_case_closes_the_order_and_the_reconciliation_ties_it(twice: SmallWorld):
    chart = twice.charts()[1].patient_id
    payment_id = enter(twice, chart)
    order = twice.order()
    assert accept(twice, payment_id, version=order.version) is OrderState.CLOSED
    twice.run_after(minutes=(15,), hours=(25,))
    now, payment = twice.order(), twice.payment()
    assert (now.state, now.detail, now.patient_id) == (OrderState.CLOSED, "posted by hand", chart)
    assert (payment.payment_id, payment.patient_id, payment.verified_at is not None) == (payment_id, chart, True)
    assert twice.booked() == []
    assert twice.open_cases() == []
    assert classes(twice) == {DifferenceClass.MATCHED: 0}


@pytest.mark.parametrize(
    ("how", "field", "says"),
    [
        ({"amount_cents": 1_234}, "amount", r"it is \$12\.34, the order"),
        ({"days_later": -3}, "day", "it is dated 2026-11-15, the order 2026-11-18"),
    ],
)
def test_what_differs_is_said_and_taken_only_when_a_person_insists(twice: SmallWorld, how: dict, field: str, says: str):
    payment_id = enter(twice, twice.charts()[0].patient_id, **how)
    with pytest.raises(PaymentDiffersError, match=says) as told:
        accept(twice, payment_id)
    assert told.value.fields == (field,)
    assert twice.order().state is OrderState.QUEUED
    assert accept(twice, payment_id, although_it_differs=True) is OrderState.CLOSED
    twice.run_after(minutes=(15,))
    assert twice.booked() == []


def test_another_patient_than_the_one_who_was_picked_is_said(one: SmallWorld):
    one.plant(Effect.REJECTED)
    other = one.add_chart(ORA).patient_id
    one.run()
    assert one.open_reasons() == [Reason.PAYMENT_REJECTED]
    payment_id = enter(one, other)
    with pytest.raises(PaymentDiffersError, match="another patient"):
        accept(one, payment_id)
    assert accept(one, payment_id, although_it_differs=True) is OrderState.CLOSED
    assert one.order().patient_id == other
    assert classes(one) == {DifferenceClass.MATCHED: 0}


def test_the_entry_that_a_case_names_closes_the_case(one: SmallWorld):
    record = next(iter(one.shop.orders.values()))
    payment_id = one.staff("hand-payment", patient_id=one.charts()[0].patient_id, amount_cents=int(record.grand_total * 100))
    one.run()
    assert one.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]
    assert accept(one, payment_id) is OrderState.CLOSED
    one.run_after(minutes=(15,))
    assert one.posts_seen() == 0


def test_an_entry_is_no_answer_while_ours_may_still_be_booked(unknown: SmallWorld):
    payment_id = enter(unknown, unknown.charts()[0].patient_id)
    with pytest.raises(PermanentError, match="may still be booked late"):
        accept(unknown, payment_id, although_it_differs=True)
    unknown.clock.advance(hours=25)
    assert accept(unknown, payment_id) is OrderState.CLOSED
    unknown.run_after(minutes=(15,), hours=(25,))
    assert unknown.booked() == []
    assert unknown.open_cases() == []


def test_an_entry_is_refused_when_ours_was_booked_after_all(unknown: SmallWorld):
    plan = unknown.payment()
    payment_id = enter(unknown, plan.patient_id)
    unknown.staff(
        "hand-payment",
        patient_id=plan.patient_id,
        amount_cents=plan.amount_cents,
        business_day=plan.business_day,
        note=f"{plan.marker} arrived late",
    )
    unknown.clock.advance(hours=25)
    with pytest.raises(PermanentError, match="is ours for this order; retry"):
        accept(unknown, payment_id)


def refuses_ids(request: httpx.Request) -> httpx.Request | httpx.Response:
    """A Nextech that does not read a payment by its id."""
    if request.method == "GET" and "/PaymentReconciliation/" in request.url.path:
        return httpx.Response(400, json={"resourceType": "OperationOutcome", "issue": []}, request=request)
    return request


def test_an_entry_of_somebody_who_may_be_the_patient_is_found_without_its_id(twice: SmallWorld):
    payment_id = enter(twice, twice.charts()[1].patient_id)
    desk = twice.desk(nextech_wrap=lambda inner: Between(inner, refuses_ids))
    assert accept_manual_entry(desk, twice.order().id, payment_id, actor="dana").state is OrderState.CLOSED


def test_a_wrong_patient_is_undone_without_ids(twice: SmallWorld):
    wrong, right = (chart.patient_id for chart in twice.charts())
    desk = twice.desk(nextech_wrap=lambda inner: Between(inner, refuses_ids))
    choose_patient(desk, twice.order().id, wrong, actor="ellis")
    twice.run_after(minutes=(15,))
    undo = begin_undo(desk, twice.order().id, actor="dana")
    twice.staff("void", payment_id=undo.payment_id)
    look_for_void(desk, twice.order().id, actor="dana")
    post_to(desk, twice.order().id, right, actor="dana")
    twice.run_after(minutes=(1,))
    assert [row.patient_id for row in twice.booked()] == [right]


def test_an_entry_is_one_orders_alone(twice: SmallWorld):
    payment_id = enter(twice, twice.charts()[0].patient_id)
    twice.place(ORA.buyer())
    twice.run()
    accept(twice, payment_id)
    with pytest.raises(PermanentError, match="it is another order's"):
        accept_manual_entry(twice.desk(), twice.orders()[1].id, payment_id, actor="dana", although_it_differs=True)


def test_a_second_order_of_the_same_amount_and_day_does_not_take_the_entry_for_its_own(twice: SmallWorld):
    chart = twice.charts()[0].patient_id
    accept(twice, enter(twice, chart))
    twice.place(ORA.buyer(), minutes_ago=1)
    twice.run()
    choose_patient(twice.desk(), twice.orders()[1].id, chart, actor="dana")
    twice.run_after(minutes=(1,))
    assert twice.states() == [OrderState.CLOSED, OrderState.CONFIRMED]


def test_posting_again_does_not_ask_about_an_entry_that_is_another_orders(one: SmallWorld):
    chart = one.charts()[0].patient_id
    one.plant(Effect.TIMED_OUT)
    one.run()
    one.run_after(minutes=(15, 40, 20, 20))
    plan, row = one.payment(), one.order()
    other = PaymentRow(
        order_id=_another_order(one, row.id),
        practice_id="eastern",
        posting_key="eastern/1/order/999999/1/payment",
        marker="DP-ANOTHER",
        patient_id=plan.patient_id,
        amount_cents=plan.amount_cents,
        business_day=plan.business_day,
        payment_id=enter(one, chart),
        absent_reads=0,
    )
    with one.ledger.transaction() as tx:
        tx.session.add(other)
    one.clock.advance(hours=25)
    assert post_again(one.desk(), row.id, actor="dana").state is OrderState.MATCHED


def _another_order(world: SmallWorld, beside: int) -> int:
    world.place(IVO.buyer(), steps=())
    world.run()
    return next(row.id for row in world.orders() if row.id != beside)


@pytest.mark.parametrize("what", ["nothing", "voided", "refund", "another order's", "unattached", "no id"])
def test_what_cannot_be_the_orders_payment_is_refused(twice: SmallWorld, what: str):
    chart = twice.charts()[0].patient_id
    says = {
        "nothing": "there is no such payment",
        "voided": "it was voided or deleted",
        "refund": "it gives money back",
        "another order's": "it carries the marker of another order",
        "unattached": "it is on no patient's billing tab",
        "no id": "is no payment id",
    }
    payment_id = "99999999"
    if what in ("voided", "unattached"):
        payment_id = enter(twice, chart)
    if what == "voided":
        twice.staff("void", payment_id=payment_id)
    elif what == "unattached":
        book = twice.nextech.offices["eastern"].chart
        book.payments[payment_id].patient_guid = "nobody"
    elif what == "refund":
        payment_id = twice.staff("refund", patient_id=chart, amount_cents=500)
    elif what == "another order's":
        twice.add_chart(IVO)
        twice.place(IVO.buyer())
        twice.run()
        payment_id = enter(twice, chart, note=f"copied {twice.payment().marker}")
    elif what == "no id":
        payment_id = "Ora Castellan"
    with pytest.raises(PermanentError, match=says[what]):
        accept(twice, payment_id, although_it_differs=True)
    assert twice.orders()[0].state is OrderState.QUEUED


def test_an_entry_for_an_order_that_went_on_meanwhile_tells_who_was_first(twice: SmallWorld):
    payment_id = enter(twice, twice.charts()[0].patient_id)
    seen = twice.order()
    choose_patient(twice.desk(), seen.id, twice.charts()[0].patient_id, actor="ellis")
    with pytest.raises(SomebodyWasFirstError, match="ellis"):
        accept(twice, payment_id, version=seen.version)
    with pytest.raises(PermanentError, match="does not wait for a person"):
        accept(twice, payment_id)


def test_an_entry_is_no_answer_while_a_restore_holds_the_order(twice: SmallWorld):
    payment_id = enter(twice, twice.charts()[0].patient_id)
    declare_restore(twice.ledger, twice.desk().practice, actor="dana")
    with pytest.raises(PermanentError, match="held after a restore"):
        accept(twice, payment_id)
    twice.clock.advance(hours=25)
    assert accept(twice, payment_id) is OrderState.CLOSED


def test_reads_that_prove_nothing_tie_nothing(twice: SmallWorld):
    payment_id = enter(twice, twice.charts()[0].patient_id)
    twice.plant(Effect.TRUNCATED, method="GET", route="/PaymentReconciliation", remaining=None)
    with pytest.raises(Exception, match="nextech") as told:
        accept(twice, payment_id)
    assert not isinstance(told.value, LedgerBusyError | PermanentError)
    assert twice.order().state is OrderState.QUEUED
