"""A refund in the store is a case until Nextech has it, and again when staff void it there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

from order_sync.errors import LedgerBusyError
from order_sync.ledger.cases import close_case
from order_sync.ledger.claims import take_claim
from order_sync.ledger.models import CaseRow, CaseState, OrderRow
from order_sync.ledger.refund_models import RefundPaymentRow
from order_sync.reasons import Reason
from order_sync.refund_debt import RefundCounts, settle_refunds
from order_sync.resolve import DismissReason, dismiss
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.store import actions
from sandbox.store.records import OrderRecord
from sandbox.store.refunds import refund
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
PAUL = Person(EASTERN, 72, "Paul", "Ostrander")


@pytest.fixture
def known(empty: SmallWorld) -> SmallWorld:
    """Ora's and Paul's charts, no order yet."""
    empty.add_chart(ORA)
    empty.add_chart(PAUL)
    return empty


@pytest.fixture
def posted(known: SmallWorld) -> OrderRecord:
    """Ora's order of $106.39, posted."""
    record = known.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    known.run()
    return record


def look(world: SmallWorld, **settings: object) -> RefundCounts:
    return settle_refunds(world.desk(settings=settings), holder="a test")


def give_back(world: SmallWorld, record: OrderRecord, dollars: int, *, is_offline: bool = False) -> None:
    world.clock.advance(minutes=5)
    refund(world.shop, record.entity_id, adjustment=Decimal(dollars), is_offline=is_offline)
    world.clock.advance(minutes=5)


def record_refund(world: SmallWorld, cents: int, *, note: str = "", patient_id: str | None = None, **rest: object) -> str:
    chart = patient_id or world.payment().patient_id
    world.clock.advance(minutes=5)
    return world.staff("refund", patient_id=chart, amount_cents=cents, note=note, **rest)


def amounts(world: SmallWorld) -> list[int | None]:
    return [case.amount_cents for case in world.open_cases() if case.reason == Reason.REFUND_TO_RECORD]


def cases(world: SmallWorld) -> list[CaseRow]:
    with world.ledger.transaction() as tx:
        return list(tx.session.scalars(select(CaseRow).order_by(CaseRow.id)))


def test_a_partial_refund_is_a_case_that_closes_when_a_refund_with_our_marker_appears(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    assert look(known) == RefundCounts(looked_at=1, owed=1, owed_cents=1_000, changed=1)
    [case] = known.open_cases()
    assert (case.amount_cents, case.order_number) == (1_000, posted.number)
    assert case.sentence.startswith("Refund to record: credit memo ")
    assert known.payment().payment_id in case.sentence
    payment_id = record_refund(known, 1_000, note=f"refund {known.payment().marker}")
    assert look(known).closed == 1
    [case] = cases(known)
    assert (case.state, case.closed_by, case.resolution) == (CaseState.RESOLVED, "sync", f"recorded as payment {payment_id}")


def test_looking_twice_changes_nothing_the_second_time(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    look(known)
    before = [(case.id, case.times_seen, case.sentence, case.last_seen_at) for case in cases(known)]
    assert look(known) == RefundCounts(looked_at=1, owed=1, owed_cents=1_000)
    assert [(case.id, case.times_seen, case.sentence, case.last_seen_at) for case in cases(known)] == before


def test_a_refund_without_a_note_settles_the_only_case_that_fits(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    give_back(known, posted, 15)
    look(known)
    assert sorted(amounts(known)) == [1_000, 1_500]
    payment_id = record_refund(known, 1_500)
    look(known)
    assert amounts(known) == [1_000]
    assert cases(known)[-1].resolution == f"recorded as payment {payment_id}"


def test_two_cases_of_the_same_amount_leave_the_choice_to_a_person(known: SmallWorld, posted: OrderRecord):
    other = known.place(ORA.buyer(), basket=(("DRM-HYDRA-75", 1),))
    known.run()
    give_back(known, posted, 10)
    give_back(known, other, 10)
    with known.ledger.transaction() as tx:
        patient_id = tx.session.scalars(select(OrderRow.patient_id)).first()
    payment_id = record_refund(known, 1_000, patient_id=patient_id)
    look(known)
    assert amounts(known) == [1_000, 1_000]
    assert all(f"payment {payment_id} may be it" in case.sentence for case in known.open_cases())


def test_a_refund_that_settled_another_order_long_ago_settles_no_second_one(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    recorded = record_refund(known, 1_000)
    look(known)
    assert amounts(known) == []
    known.clock.advance(minutes=60 * 24 * 100)
    other = known.place(ORA.buyer(), basket=(("DRM-HYDRA-75", 1),))
    known.run()
    refund(known.shop, other.entity_id, adjustment=Decimal(10))
    known.clock.advance(minutes=5)
    with known.ledger.transaction() as tx:
        patient_id = tx.session.scalars(select(OrderRow.patient_id)).first()
    old = known.nextech.offices[known.practice_id].chart.payments[recorded]
    old.local_day = known.clock.now().date()  # staff have moved it: nothing but the ledger tells it apart
    look(known)
    assert amounts(known) == [1_000]
    record_refund(known, 1_000, patient_id=patient_id)
    look(known)
    assert amounts(known) == []


def test_another_patients_refund_and_an_earlier_one_are_suggestions_only(known: SmallWorld, posted: OrderRecord):
    early = record_refund(known, 1_000, business_day="2026-11-10")
    give_back(known, posted, 10)
    look(known)
    [case] = known.open_cases()
    assert case.amount_cents == 1_000
    assert f"payment {early} may be it" in case.sentence


def test_a_smaller_refund_that_names_the_order_settles_a_part(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    payment_id = record_refund(known, 400, note=known.payment().marker)
    look(known)
    [case] = known.open_cases()
    assert case.amount_cents == 600
    assert f"$4.00 of it recorded as payment {payment_id}" in case.sentence
    record_refund(known, 600, note=known.payment().marker)
    look(known)
    assert amounts(known) == []


def test_a_refund_that_staff_void_opens_the_case_again(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    payment_id = record_refund(known, 1_000)
    look(known)
    assert amounts(known) == []
    known.clock.advance(hours=2)
    known.staff("void", payment_id=payment_id)
    look(known)
    assert amounts(known) == [1_000]
    with known.ledger.transaction() as tx:
        assert not list(tx.session.scalars(select(RefundPaymentRow)))


def test_a_payment_that_staff_void_for_a_full_refund_leaves_nothing_to_record(known: SmallWorld, posted: OrderRecord):
    known.clock.advance(minutes=5)
    refund(known.shop, posted.entity_id)
    known.run_after(minutes=(5,))
    assert amounts(known) == [10_639]
    known.staff("void", payment_id=known.payment().payment_id)
    look(known)
    assert amounts(known) == []
    assert cases(known)[0].resolution == "the payment itself was voided in Nextech: there is nothing to record"


def test_the_syncs_own_notice_becomes_the_credit_memos_case_with_its_age(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    known.run_after(minutes=(5,))
    [first] = known.open_cases()
    known.clock.advance(hours=8)
    look(known)
    [case] = known.open_cases()
    assert (case.id, case.opened_at, case.amount_cents) == (first.id, first.opened_at, 1_000)
    give_back(known, posted, 15)
    known.run_after(minutes=(5,))
    assert amounts(known) == [1_000, 1_500]
    look(known)
    assert amounts(known) == [1_000, 1_500]


def test_a_notice_that_was_lost_between_two_processes_is_made_up_for(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    known.run_after(minutes=(5,))
    with known.ledger.transaction() as tx:
        tx.session.execute(delete(CaseRow))
        tx.session.execute(update(OrderRow).values(refunded_cents=0))
    look(known)
    assert amounts(known) == [1_000]


def test_a_refund_of_an_order_that_was_posted_by_hand_is_a_case(known: SmallWorld):
    chart = known.charts()[0].patient_id
    record = known.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    known.staff("hand-payment", patient_id=chart, amount_cents=10_639)
    known.run()
    assert known.open_reasons() == [Reason.POSSIBLE_MANUAL_ENTRY]
    dismiss(known.desk(), known.order().id, actor="desk.user", why=DismissReason.POSTED_BY_HAND)
    give_back(known, record, 10)
    known.run_after(minutes=(5,))
    look(known)
    assert amounts(known) == [1_000]
    record_refund(known, 1_000, patient_id=chart)
    look(known)
    assert amounts(known) == []


@pytest.mark.parametrize("why", [DismissReason.TEST_ORDER, DismissReason.NOT_A_PATIENT])
def test_an_order_that_never_came_to_nextech_owes_no_refund(why: DismissReason, known: SmallWorld):
    chart = known.charts()[0].patient_id
    record = known.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    known.staff("hand-payment", patient_id=chart, amount_cents=10_639)
    known.run()
    give_back(known, record, 10)
    look(known)
    assert amounts(known) == []
    dismiss(known.desk(), known.order().id, actor="desk.user", why=why)
    assert look(known).looked_at == 0


def test_money_given_back_outside_the_store_is_a_case_where_the_practice_records_it(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10, is_offline=True)
    look(known)
    [case] = known.open_cases()
    assert (case.amount_cents, "given back outside the store" in case.sentence) == (1_000, True)
    look(known, record_offline_refunds=False)
    assert amounts(known) == []
    assert "does not record" in str(cases(known)[0].resolution)


def test_a_practice_that_does_not_record_offline_refunds_is_not_told_of_them(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10, is_offline=True)
    desk = known.desk(settings={"record_offline_refunds": False})
    known.run_after(desk, minutes=(5,))
    settle_refunds(desk, holder="a test")
    assert cases(known) == []
    give_back(known, posted, 15)
    known.run_after(desk, minutes=(5,))
    settle_refunds(desk, holder="a test")
    assert amounts(known) == [1_500]


def test_what_a_person_has_closed_stays_closed(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    look(known)
    [case] = known.open_cases()
    with known.ledger.transaction() as tx:
        close_case(tx, case.cause, by="desk.user", resolution="no money moved", state=CaseState.DISMISSED)
    look(known)
    assert amounts(known) == []
    give_back(known, posted, 15)
    look(known)
    assert amounts(known) == [1_500]


def test_a_credit_memo_that_is_cancelled_closes_its_case(known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    look(known)
    for memo in known.shop.memos.values():
        memo |= {"state": 3, "updated_at": known.shop.now_text()}
    look(known)
    assert amounts(known) == []
    assert cases(known)[0].resolution == "the credit memo was cancelled in the store"


def test_a_posted_order_that_is_cancelled_without_a_credit_memo_waits_for_a_refund_that_names_it(
    known: SmallWorld, posted: OrderRecord
):
    known.clock.advance(minutes=5)
    known.shop.change(posted, state="canceled", status="canceled")
    known.shop.orders[posted.entity_id].row |= {"state": "canceled", "status": "canceled", "updated_at": known.shop.now_text()}
    known.run_after(minutes=(5,))
    assert amounts(known) == [10_639]
    look(known)
    assert amounts(known) == [10_639]
    record_refund(known, 10_639, note=known.payment().marker)
    look(known)
    assert amounts(known) == []


def test_only_one_run_looks_at_the_refunds_of_a_practice(known: SmallWorld):
    with known.ledger.transaction() as tx:
        assert take_claim(tx, "refunds:eastern", holder="another run", seconds=60)
    with pytest.raises(LedgerBusyError):
        look(known)
    known.clock.advance(minutes=2)
    look(known)


def test_a_memo_that_is_seen_before_its_order_waits_for_it(known: SmallWorld, posted: OrderRecord):
    known.shop.switches = known.shop.switches.model_copy(update={"refund_order": "memo_first", "refund_gap_seconds": 3600})
    give_back(known, posted, 10)
    look(known)
    assert amounts(known) == [1_000]
    known.clock.advance(hours=2)
    known.run()
    look(known)
    assert amounts(known) == [1_000]


def test_an_order_cancelled_before_capture_owes_nothing(known: SmallWorld):
    record = known.place(ORA.buyer(), steps=())
    actions.cancel(known.shop, record.entity_id)
    known.run()
    assert look(known).looked_at == 0


def test_neither_the_ledger_nor_the_log_of_a_look_holds_a_patients_data(
    known: SmallWorld, posted: OrderRecord, caplog: pytest.LogCaptureFixture
):
    give_back(known, posted, 10)
    record_refund(known, 400, note=f"{known.payment().marker} for Ora Castellan, ora.castellan@mailbox.example")
    with caplog.at_level("DEBUG"):
        look(known)
    with known.ledger.transaction() as tx:
        rows = [repr(tuple(row)) for table in OrderRow.metadata.sorted_tables for row in tx.session.execute(select(table))]
    text = ("\n".join(rows) + caplog.text).casefold()
    assert "$4.00 of it recorded" in text
    assert [secret for secret in ("castellan", "mailbox.example", "555-01") if secret in text] == []


@pytest.mark.parametrize("note", ["refund of #999000111", "DP-000000000000-0 refund"])
def test_a_refund_that_names_something_else_settles_nothing(note: str, known: SmallWorld, posted: OrderRecord):
    give_back(known, posted, 10)
    record_refund(known, 1_000, note=note)
    look(known)
    assert amounts(known) == [1_000]
