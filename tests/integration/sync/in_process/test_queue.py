"""What people do with the cases of the queue: each by somebody, the first one wins, and no patient data stays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from order_sync import note_rules
from order_sync.errors import CaseChangedError, PermanentError
from order_sync.ledger.audit import Action, list_audit
from order_sync.ledger.cases import open_case, practice_cause
from order_sync.ledger.models import CaseRow, CaseState
from order_sync.ledger.queue_lists import CaseKind, QueueFilter, count_cases, list_cases
from order_sync.practices import Practice
from order_sync.queue import (
    PracticeDismissReason,
    RefundDismissReason,
    assign_case,
    assign_cases,
    dismiss_case,
    dismiss_reasons,
    note_case,
    put_off_case,
)
from order_sync.reasons import Reason
from order_sync.resolve import DismissReason, choose_patient
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.store.faults import Effect as StoreEffect
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")


@pytest.fixture
def town(empty: SmallWorld) -> SmallWorld:
    """Ora and Ivo have two charts each: two cases."""
    for person in (ORA, IVO):
        empty.add_chart(person, "one")
        empty.add_chart(person, "two")
        empty.place(person.buyer())
    empty.run()
    return empty


@pytest.fixture
def practice(town: SmallWorld) -> Practice:
    return town.desk().practice


def first(world: SmallWorld) -> CaseRow:
    return world.open_cases()[0]


def trail(world: SmallWorld) -> list[tuple[str, str, str | None]]:
    with world.ledger.reading() as tx:
        return [(row.actor, row.action, row.detail) for row in reversed(list_audit(tx, ["eastern"]))]


def listed(world: SmallWorld) -> list[int]:
    with world.ledger.reading() as tx:
        return [one.case.id for one in list_cases(tx, QueueFilter(("eastern",))).cases]


# -- assign


def test_a_case_is_given_to_oneself_to_somebody_else_and_to_nobody(town: SmallWorld, practice: Practice):
    case = first(town)
    for assignee, state in (("dana", CaseState.ASSIGNED), ("eli", CaseState.ASSIGNED), (None, CaseState.OPEN)):
        case = assign_case(town.ledger, practice, case.id, assignee=assignee, actor="dana", version=case.version)
        assert (case.assignee, case.state) == (assignee, state)
    said = [detail for _, action, detail in trail(town) if action == Action.ASSIGNED]
    assert said == [f"case {case.id}: to dana", f"case {case.id}: to eli", f"case {case.id}: to nobody"]


def test_the_second_of_two_people_is_told_who_was_first(town: SmallWorld, practice: Practice):
    case = first(town)
    assign_case(town.ledger, practice, case.id, assignee="dana", actor="dana", version=case.version)
    with pytest.raises(CaseChangedError, match=f"case {case.id}: somebody else was first: dana, 2026-11-18"):
        assign_case(town.ledger, practice, case.id, assignee="eli", actor="eli", version=case.version)
    assert first(town).assignee == "dana"


def test_a_case_that_was_settled_meanwhile_says_so(town: SmallWorld, practice: Practice):
    case = first(town)
    choose_patient(town.desk(), case.order_id or 0, town.charts()[0].patient_id, actor="eli")
    with pytest.raises(CaseChangedError, match=r"eli closed it, .* order is matched"):
        assign_case(town.ledger, practice, case.id, assignee="dana", actor="dana", version=case.version)


def test_a_case_that_says_something_else_is_a_later_version_and_not_put_off_any_more(town: SmallWorld, practice: Practice):
    case = first(town)
    case = put_off_case(town.ledger, practice, case.id, until=date(2026, 11, 25), actor="dana", version=case.version)
    town.clock.advance(minutes=1)
    with town.ledger.transaction() as tx:
        told = {"practice_id": "eastern", "cause": case.cause, "reason": Reason.NAME_DIFFERS}
        open_case(tx, **told)
    with pytest.raises(CaseChangedError, match="it says something else now"):
        assign_case(town.ledger, practice, case.id, assignee="dana", actor="dana", version=case.version)
    assert (first(town).wait_until, first(town).state) == (None, CaseState.OPEN)


def test_a_case_that_is_met_again_as_it_was_keeps_its_version(town: SmallWorld):
    with town.ledger.transaction() as tx:
        told = {
            "practice_id": "eastern",
            "cause": practice_cause("eastern", Reason.LOGIN_REFUSED),
            "reason": Reason.LOGIN_REFUSED,
        }
        for _ in range(3):
            open_case(tx, **told)
    assert (town.open_cases()[-1].version, town.open_cases()[-1].times_seen) == (0, 3)


@pytest.mark.parametrize("login", ["", "two words", "x" * 81, "Ora\nCastellan", "<b>"])
def test_what_is_no_login_gets_no_case(login: str, town: SmallWorld, practice: Practice):
    with pytest.raises(PermanentError, match="no login"):
        assign_case(town.ledger, practice, first(town).id, assignee=login, actor="dana", version=0)


def test_nobody_gets_a_case_of_a_practice_that_is_closed_to_them(town: SmallWorld, practice: Practice):
    limited = practice.model_copy(update={"staff": ("dana",)})
    with pytest.raises(PermanentError, match="eli may not see this practice"):
        assign_case(town.ledger, limited, first(town).id, assignee="eli", actor="dana", version=0)


def test_a_case_of_another_practice_looks_like_none(town: SmallWorld, practice: Practice):
    other = practice.model_copy(update={"id": "central"})
    with pytest.raises(PermanentError, match="there is no such case"):
        assign_case(town.ledger, other, first(town).id, assignee="dana", actor="dana", version=0)


def test_many_cases_are_given_at_once_and_each_says_what_became_of_it(town: SmallWorld, practice: Practice):
    one, two = town.open_cases()
    assign_case(town.ledger, practice, two.id, assignee="eli", actor="eli", version=two.version)
    seen = {one.id: one.version, two.id: two.version, 999: 0}
    done = assign_cases(town.ledger, {"eastern": practice}, seen, assignee="dana", actor="dana")
    assert [(outcome.case_id, outcome.is_done) for outcome in done] == [(one.id, True), (two.id, False), (999, False)]
    assert done[0].subject == f"order {one.order_number}"
    assert "eli" in done[1].sentence
    assert done[2].sentence == "there is no such case"
    assert [case.assignee for case in town.open_cases()] == ["dana", "eli"]
    with pytest.raises(PermanentError, match="at most 200"):
        assign_cases(town.ledger, {"eastern": practice}, dict.fromkeys(range(201), 0), assignee="dana", actor="dana")


# -- wait until


def test_a_case_sinks_below_the_others_until_that_day_begins_in_the_practice(town: SmallWorld, practice: Practice):
    one, two = town.open_cases()
    assert listed(town) == [one.id, two.id]
    put_off = put_off_case(town.ledger, practice, one.id, until=date(2026, 11, 25), actor="dana", version=one.version)
    assert put_off.wait_until == datetime(2026, 11, 25, 5, tzinfo=UTC)  # midnight in New York
    assert put_off.state is CaseState.WAITING
    assert listed(town) == [two.id, one.id]
    with town.ledger.reading() as tx:
        assert count_cases(tx, ("eastern",), "dana").waiting == 1
    town.clock.advance(hours=24 * 8)
    assert listed(town) == [one.id, two.id]


def test_a_wait_can_be_taken_back(town: SmallWorld, practice: Practice):
    case = first(town)
    case = put_off_case(town.ledger, practice, case.id, until=date(2026, 11, 25), actor="dana", version=case.version)
    case = assign_case(town.ledger, practice, case.id, assignee="dana", actor="dana", version=case.version)
    assert case.state is CaseState.WAITING
    case = put_off_case(town.ledger, practice, case.id, until=None, actor="dana", version=case.version)
    assert (case.wait_until, case.state) == (None, CaseState.ASSIGNED)


@pytest.mark.parametrize("until", [date(2026, 11, 18), date(2026, 11, 1), date(2027, 12, 1)])
def test_a_wait_ends_on_a_day_to_come_within_a_year(until: date, town: SmallWorld, practice: Practice):
    with pytest.raises(PermanentError, match="choose a day after today"):
        put_off_case(town.ledger, practice, first(town).id, until=until, actor="dana", version=0)


# -- notes


def test_a_note_says_who_wrote_it_and_when_and_can_be_taken_away(town: SmallWorld):
    case = first(town)
    case = note_case(town.desk(), case.id, text="  called,\nno answer ", actor="dana", version=case.version)
    assert (case.note, case.noted_by, case.noted_at) == ("called, no answer", "dana", town.clock.now())
    case = note_case(town.desk(), case.id, text="", actor="eli", version=case.version)
    assert (case.note, case.noted_by, case.noted_at) == (None, None, None)
    assert [(actor, action) for actor, action, _ in trail(town)] == [("dana", Action.NOTED), ("eli", Action.NOTED)]
    assert "no answer" not in str(trail(town))


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("Castellan will call back", note_rules.NAME),
        ("write to her@mailbox.example", note_rules.EMAIL),
        ("call (305) 555-0199", note_rules.PHONE),
        ("born 04/19/1988", note_rules.BIRTH_DATE),
        ("x" * 201, note_rules.TOO_LONG),
    ],
)
def test_a_note_with_patient_data_is_refused_and_nothing_of_it_stays(text: str, refusal: str, town: SmallWorld):
    case = first(town)
    with pytest.raises(PermanentError) as refused:
        note_case(town.desk(), case.id, text=text, actor="dana", version=case.version)
    assert str(refused.value) == f"case {case.id}: {refusal}"
    with town.ledger.reading() as tx:
        assert tx.session.scalars(select(CaseRow.note)).all() == [None, None]


def test_a_note_may_name_the_order_itself_and_somebody_elses_name(town: SmallWorld):
    case = first(town)
    noted = note_case(town.desk(), case.id, text=f"see {case.order_number}, ask Tarrant", actor="dana", version=case.version)
    assert noted.note == f"see {case.order_number}, ask Tarrant"


def test_a_note_that_cannot_be_checked_is_refused(town: SmallWorld):
    town.plant_in_store(StoreEffect.BAD_GATEWAY)
    with pytest.raises(PermanentError, match=r"cannot be checked for the customer's name\. The store does not answer"):
        note_case(town.desk(), first(town).id, text="called, no answer", actor="dana", version=0)


def test_somebody_elses_note_is_not_written_over(town: SmallWorld):
    case = first(town)
    note_case(town.desk(), case.id, text="called", actor="dana", version=case.version)
    with pytest.raises(CaseChangedError, match="dana"):
        note_case(town.desk(), case.id, text="called, too", actor="eli", version=case.version)
    assert first(town).note == "called"


def test_the_note_on_a_practices_trouble_needs_no_store(town: SmallWorld):
    with town.ledger.transaction() as tx:
        cause = practice_cause("eastern", Reason.STORE_UNAVAILABLE)
        case_id = open_case(tx, practice_id="eastern", cause=cause, reason=Reason.STORE_UNAVAILABLE)
    town.plant_in_store(StoreEffect.BAD_GATEWAY)
    noted = note_case(town.desk(), case_id, text="the host is at it", actor="dana", version=0)
    assert noted.note == "the host is at it"


# -- dismiss


def test_dismissing_an_orders_case_closes_the_order_for_a_reason(town: SmallWorld):
    case = first(town)
    dismiss_case(town.desk(), case.id, why=DismissReason.TEST_ORDER.value, actor="dana", version=case.version)
    order = town.order(case.order_number)
    assert (order.state, order.detail) == (OrderState.CLOSED, "test order")
    assert [one.id for one in town.open_cases()] == [town.open_cases()[0].id] != [case.id]
    assert ("dana", Action.DISMISSED, "test order") in trail(town)


def test_a_practices_trouble_is_dismissed_until_it_is_met_again(town: SmallWorld):
    told = {"practice_id": "eastern", "cause": practice_cause("eastern", Reason.LOGIN_REFUSED), "reason": Reason.LOGIN_REFUSED}
    with town.ledger.transaction() as tx:
        case_id = open_case(tx, **told)
    dismiss_case(town.desk(), case_id, why=PracticeDismissReason.KNOWN.value, actor="dana", version=0)
    assert case_id not in [case.id for case in town.open_cases()]
    with town.ledger.transaction() as tx:
        assert open_case(tx, **told) != case_id


def test_each_kind_of_case_has_its_own_list_of_reasons(town: SmallWorld):
    assert set(dismiss_reasons(CaseKind.ORDER)) == set(DismissReason)
    assert dismiss_reasons(CaseKind.UNDO) == ()
    for why in (RefundDismissReason.NOTHING_GIVEN_BACK.value, "because", ""):
        with pytest.raises(PermanentError, match="cannot be dismissed for this reason"):
            dismiss_case(town.desk(), first(town).id, why=why, actor="dana", version=0)
    assert len(town.open_cases()) == 2


def test_a_case_that_changed_since_it_was_seen_is_not_dismissed(town: SmallWorld):
    case = first(town)
    note_case(town.desk(), case.id, text="wait, it is real", actor="eli", version=case.version)
    with pytest.raises(CaseChangedError, match="eli"):
        dismiss_case(town.desk(), case.id, why="test order", actor="dana", version=case.version)
    assert first(town).id == case.id


def test_who_was_first_is_told_for_a_practices_trouble_too(town: SmallWorld, practice: Practice):
    with town.ledger.transaction() as tx:
        cause = practice_cause("eastern", Reason.STORE_UNAVAILABLE)
        case_id = open_case(tx, practice_id="eastern", cause=cause, reason=Reason.STORE_UNAVAILABLE)
    town.clock.advance(minutes=1)
    assign_case(town.ledger, practice, case_id, assignee="eli", actor="eli", version=0)
    with pytest.raises(CaseChangedError, match="eli"):
        put_off_case(
            town.ledger,
            practice,
            case_id,
            until=practice.business_day(town.clock.now()) + timedelta(days=1),
            actor="dana",
            version=0,
        )
