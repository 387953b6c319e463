"""A person says which entry in Nextech is a refund, or that it will not be recorded; the daily look keeps to it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from order_sync.errors import CaseChangedError, LedgerBusyError, PermanentError
from order_sync.ledger.audit import Action, list_audit
from order_sync.ledger.claims import take_claim
from order_sync.ledger.models import CaseRow, CaseState
from order_sync.queue import RefundDismissReason, dismiss_case
from order_sync.reasons import Reason
from order_sync.refund_debt import settle_refunds
from order_sync.refund_decisions import Suggestion, Tied, suggestions_in, tie_refund
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.store.records import OrderRecord
from sandbox.store.refunds import refund
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
PAUL = Person(EASTERN, 72, "Paul", "Ostrander")


@pytest.fixture
def town(empty: SmallWorld) -> SmallWorld:
    """An order of Ora's was posted, and $10 of it were given back in the store."""
    empty.add_chart(ORA)
    empty.add_chart(PAUL)
    record = empty.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    empty.run()
    give_back(empty, record, 10)
    look(empty)
    return empty


def give_back(world: SmallWorld, record: OrderRecord, dollars: int) -> None:
    world.clock.advance(minutes=5)
    refund(world.shop, record.entity_id, adjustment=Decimal(dollars))
    world.clock.advance(minutes=5)


def look(world: SmallWorld) -> None:
    settle_refunds(world.desk(), holder="a test")


def record_refund(world: SmallWorld, cents: int, *, person: Person = ORA, **rest: object) -> str:
    world.clock.advance(minutes=5)
    return world.staff("refund", patient_id=person.chart().patient_id, amount_cents=cents, **rest)


def open_refunds(world: SmallWorld) -> list[CaseRow]:
    return [case for case in world.open_cases() if case.reason == Reason.REFUND_TO_RECORD]


def the_case(world: SmallWorld) -> CaseRow:
    [case] = open_refunds(world)
    return case


def tie(world: SmallWorld, payment_id: str, case: CaseRow | None = None) -> Tied:
    case = case or the_case(world)
    return tie_refund(world.desk(), case.id, payment_id, actor="dana", version=case.version)


def test_a_suggestion_that_a_person_accepts_settles_the_case_for_good(town: SmallWorld):
    entry = record_refund(town, 1_000, business_day="2026-11-10")
    look(town)
    [suggestion] = suggestions_in(the_case(town).sentence)
    assert suggestion == Suggestion(entry, "same patient and exact amount, but dated before the credit memo")
    case = the_case(town)
    assert tie(town, suggestion.payment_id) == Tied(1_000, 0)
    assert open_refunds(town) == []
    look(town)
    assert open_refunds(town) == []
    with town.ledger.reading() as tx:
        closed = tx.session.get_one(CaseRow, case.id)
        [line] = list_audit(tx, ["eastern"])
    assert (closed.state, closed.closed_by, closed.resolution) == (CaseState.RESOLVED, "dana", f"recorded as payment {entry}")
    assert (line.actor, line.action, line.order_id) == ("dana", Action.REFUND_TIED, case.order_id)


def test_an_entry_that_was_tied_and_is_voided_opens_the_case_again(town: SmallWorld):
    entry = record_refund(town, 1_000, person=PAUL)
    look(town)
    tie(town, entry)
    town.clock.advance(hours=2)
    town.staff("void", payment_id=entry)
    look(town)
    assert the_case(town).amount_cents == 1_000


def test_a_smaller_entry_records_a_part_and_the_rest_stays_to_be_recorded(town: SmallWorld):
    entry = record_refund(town, 400, business_day="2026-11-10")
    assert tie(town, entry) == Tied(400, 600)
    assert the_case(town).amount_cents == 600
    look(town)
    assert the_case(town).amount_cents == 600
    assert f"$4.00 of it recorded as payment {entry}" in the_case(town).sentence
    assert tie(town, record_refund(town, 600, business_day="2026-11-10")) == Tied(600, 0)
    assert open_refunds(town) == []


def test_what_is_left_of_a_larger_entry_may_record_another_refund(town: SmallWorld):
    other = town.place(ORA.buyer(), basket=(("DRM-HYDRA-75", 1),))
    town.run()
    give_back(town, other, 10)
    entry = record_refund(town, 1_500, business_day="2026-11-10")
    look(town)
    first, second = open_refunds(town)
    assert tie(town, entry, first) == Tied(1_000, 0)
    assert tie(town, entry, second) == Tied(500, 500)
    with pytest.raises(PermanentError, match="it records a refund already"):
        tie(town, entry)
    look(town)
    assert the_case(town).amount_cents == 500


@pytest.mark.parametrize(
    ("description", "refusal"),
    [
        ({"amount_cents": 1_000, "note": "refund of #999000111"}, "it names another order"),
        ({"amount_cents": 1_000, "note": "DP-000000000000-0 refund"}, "it names another order"),
        ({"amount_cents": -1_000}, "it gives no money back"),
    ],
)
def test_an_entry_that_cannot_be_it_is_refused(description: dict[str, object], refusal: str, town: SmallWorld):
    cents = description.pop("amount_cents")
    assert isinstance(cents, int)
    entry = record_refund(town, cents, person=PAUL, **description)
    with pytest.raises(PermanentError, match=f"payment {entry}, case {the_case(town).id}: {refusal}"):
        tie(town, entry)
    assert the_case(town).amount_cents == 1_000


def test_an_entry_that_names_another_order_of_ours_is_refused(town: SmallWorld):
    marker = town.payment().marker
    other = town.place(PAUL.buyer(), basket=(("DRM-HYDRA-75", 1),))
    town.run()
    give_back(town, other, 10)
    look(town)
    case = next(case for case in open_refunds(town) if case.order_number == other.number)
    with pytest.raises(PermanentError, match="it names another order"):
        tie(town, record_refund(town, 1_000, note=marker), case)


@pytest.mark.parametrize("payment_id", ["999999", "../Patient", ""])
def test_an_entry_that_is_not_there_is_refused(payment_id: str, town: SmallWorld):
    with pytest.raises(PermanentError, match="there is no such payment in Nextech"):
        tie(town, payment_id)


def test_a_voided_entry_is_refused(town: SmallWorld):
    entry = record_refund(town, 1_000, person=PAUL)
    town.staff("void", payment_id=entry)
    with pytest.raises(PermanentError, match="it was voided"):
        tie(town, entry)


def test_of_two_people_one_ties_it(town: SmallWorld):
    one, two = (record_refund(town, 1_000, person=PAUL) for _ in range(2))
    case = the_case(town)
    tie(town, one, case)
    with pytest.raises(CaseChangedError, match="dana closed it"):
        tie(town, two, case)


def test_nothing_is_tied_while_the_sync_looks(town: SmallWorld):
    entry = record_refund(town, 1_000, person=PAUL)
    with town.ledger.transaction() as tx:
        assert take_claim(tx, "refunds:eastern", holder="a run", seconds=60)
    with pytest.raises(LedgerBusyError, match="try again in some minutes"):
        tie(town, entry)
    town.clock.advance(minutes=2)
    assert tie(town, entry) == Tied(1_000, 0)
    look(town)


def test_the_first_notice_of_a_refund_waits_for_its_credit_memo(town: SmallWorld):
    other = town.place(ORA.buyer(), basket=(("DRM-HYDRA-75", 1),))
    town.run()
    give_back(town, other, 10)
    town.run_after(minutes=(5,))
    case = next(case for case in open_refunds(town) if case.order_number == other.number)
    with pytest.raises(PermanentError, match="try again tomorrow"):
        tie(town, record_refund(town, 1_000), case)


def test_a_refund_that_will_not_be_recorded_stays_closed_with_its_reason(town: SmallWorld):
    case = the_case(town)
    dismiss_case(town.desk(), case.id, why=RefundDismissReason.NOTHING_GIVEN_BACK.value, actor="dana", version=case.version)
    look(town)
    assert open_refunds(town) == []
    with town.ledger.reading() as tx:
        closed = tx.session.get_one(CaseRow, case.id)
        [line] = list_audit(tx, ["eastern"])
    assert (closed.state, closed.resolution) == (CaseState.DISMISSED, "nothing was given back")
    assert (line.action, line.detail) == (Action.REFUND_LEFT, f"case {case.id}: nothing was given back")


def test_suggestions_are_read_from_what_the_case_says():
    sentence = (
        "Refund to record: credit memo 12 of 2026-11-18; payment 88 may be it (same patient, but another amount); payment 9"
    )
    assert suggestions_in(sentence) == (Suggestion("88", "same patient, but another amount"),)
    assert suggestions_in("payment 77 may be it (same pat") == (Suggestion("77", ""),)
    assert suggestions_in("Refund to record") == ()
