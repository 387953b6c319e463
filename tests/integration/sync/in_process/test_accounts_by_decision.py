"""None of these: a person has a new account made. The protocol of every new account, and no run undoes the decision."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select

from order_sync.errors import PermanentError, SomebodyWasFirstError
from order_sync.ledger.models import CaseRow, OrderRow
from order_sync.ledger.remembered import remembered_patients
from order_sync.preview import preview_orders
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, create_account, dismiss
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from tests.worlds import PATIENTS, Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
C, Q, CR, R = OrderState.CONFIRMED, OrderState.QUEUED, OrderState.CREATING, OrderState.RECEIVED


def twice(world: SmallWorld) -> None:
    world.add_chart(ORA, "one", birth_date=None)
    world.add_chart(ORA, "two", birth_date=None)
    world.place(ORA.buyer())


def shared_address(world: SmallWorld) -> None:
    world.add_chart(ORA, first="Bartholomew", birth_date="1962-02-22")
    world.place(ORA.buyer())


def other_birth_date(world: SmallWorld) -> None:
    world.add_chart(ORA, birth_date="1902-02-22")
    world.place(ORA.buyer())


def other_suffix(world: SmallWorld) -> None:
    world.add_chart(ORA, suffix="Jr", birth_date=None)
    world.place(ORA.buyer(suffix="Sr"))


def nameless_chart(world: SmallWorld) -> None:
    world.add_chart(ORA, first="", birth_date=None)
    world.place(ORA.buyer())


def namesake(world: SmallWorld) -> None:
    world.add_chart(ORA, first="Odette", email="odette.castellan@elsewhere.example", mobile="(305) 555-0199")
    world.place(ORA.buyer())


SITUATIONS: dict[Reason, Callable[[SmallWorld], None]] = {
    Reason.DUPLICATED_CUSTOMER: twice,
    Reason.NAME_DIFFERS: shared_address,
    Reason.BIRTH_DATE_DIFFERS: other_birth_date,
    Reason.SUFFIX_DIFFERS: other_suffix,
    Reason.NAME_MISSING: nameless_chart,
    Reason.POSSIBLE_EXISTING_PATIENT: namesake,
}


def queued(world: SmallWorld, reason: Reason) -> OrderRow:
    SITUATIONS[reason](world)
    world.run()
    assert world.open_reasons() == [reason]
    return world.order()


@pytest.mark.parametrize("reason", SITUATIONS)
def test_none_of_these_makes_one_account_and_posts_there(empty: SmallWorld, reason: Reason):
    order = queued(empty, reason)
    known = {chart.patient_id for chart in empty.charts()}
    wanted = create_account(empty.desk(), order.id, actor="dana", version=order.version)
    assert (wanted.state, wanted.account_wanted_by) == (R, "dana")
    empty.run_after(minutes=(1,))
    made = [chart for chart in empty.charts() if chart.patient_id not in known]
    assert [chart.origin for chart in made] == ["api"]
    now = empty.order()
    assert (now.state, now.patient_id, now.matched_by) == (C, made[0].patient_id, "created")
    assert now.account_wanted_by is None
    assert [row.patient_id for row in empty.booked()] == [made[0].patient_id]
    assert empty.open_cases() == []


def test_the_next_order_of_the_customer_goes_to_the_new_account_by_the_rule(empty: SmallWorld):
    order = queued(empty, Reason.NAME_DIFFERS)
    create_account(empty.desk(), order.id, actor="dana")
    empty.run_after(minutes=(1,))
    made = empty.order().patient_id
    empty.place(ORA.buyer())
    empty.run()
    assert [(row.state, row.patient_id) for row in empty.orders()] == [(C, made)] * 2


@pytest.mark.parametrize("missing", ["email", "phone", "postal_code"])
def test_what_is_missing_is_said_at_once_and_nothing_changes(empty: SmallWorld, missing: str):
    empty.add_chart(ORA, "one", birth_date=None)
    empty.add_chart(ORA, "two", birth_date=None)
    empty.place(ORA.buyer(**{missing: None}))
    empty.run()
    before = empty.order()
    words = {"email": "e-mail", "phone": "phone", "postal_code": "ZIP"}
    with pytest.raises(PermanentError, match=f"Cannot create account: {words[missing]} missing"):
        create_account(empty.desk(), before.id, actor="dana")
    assert (empty.order().state, empty.order().version) == (Q, before.version)


def test_a_practice_that_creates_accounts_by_hand_is_told_so(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    desk = empty.desk()
    by_hand = desk.practice.matching.model_copy(update={"create_accounts": False})
    with pytest.raises(PermanentError, match="Cannot create account: this practice creates accounts by hand"):
        create_account(empty.desk(settings={"matching": by_hand}), order.id, actor="dana")


def test_only_an_order_that_waits_for_a_patient_gets_an_account(one: SmallWorld):
    one.run()
    with pytest.raises(PermanentError, match="does not wait for an account"):
        create_account(one.desk(), one.order().id, actor="dana")


def test_who_presses_create_after_somebody_sent_it_is_told_who_and_when(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    choose_patient(empty.desk(), order.id, empty.charts()[0].patient_id, actor="ellis", version=order.version)
    at = empty.clock.now()
    empty.clock.advance(minutes=5)
    with pytest.raises(SomebodyWasFirstError, match="somebody else was first: ellis") as told:
        create_account(empty.desk(), order.id, actor="dana", version=order.version)
    assert (told.value.actor, told.value.at, told.value.state) == ("ellis", at, OrderState.MATCHED)


def test_a_chart_that_nobody_was_shown_is_not_passed_over(empty: SmallWorld):
    order = queued(empty, Reason.NAME_DIFFERS)
    create_account(empty.desk(), order.id, actor="dana")
    fresh = empty.add_chart(ORA, "just entered at the desk")
    empty.run_after(minutes=(1,))
    assert (empty.order().state, empty.order().patient_id) == (C, fresh.patient_id)
    assert len(empty.charts()) == 2


def test_two_orders_of_one_customer_for_whom_a_person_wants_accounts_open_one(empty: SmallWorld):
    twice(empty)
    empty.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    empty.run()
    for order in empty.orders():
        create_account(empty.desk(), order.id, actor="dana")
    empty.run_after(minutes=(1, 2))
    assert empty.states() == [C, C]
    assert len(empty.charts()) == 3
    assert len({row.patient_id for row in empty.booked()}) == 1


def test_a_new_doubt_asks_again_and_shows_everybody(empty: SmallWorld):
    order = queued(empty, Reason.NAME_DIFFERS)
    first = empty.charts()[0].patient_id
    create_account(empty.desk(), order.id, actor="dana")
    second = empty.add_chart(ORA, "late", first="Cornelius", birth_date="1971-03-03").patient_id
    empty.run_after(minutes=(1,))
    [case] = empty.open_cases()
    assert (case.reason, case.candidate_ids) == (Reason.NAME_DIFFERS, sorted([first, second]))
    assert empty.order().account_wanted_by is None
    create_account(empty.desk(), empty.order().id, actor="dana")
    empty.run_after(minutes=(1,))
    assert empty.order().state is C
    assert len(empty.charts()) == 3


def test_what_the_page_showed_beside_the_case_is_declined_too(empty: SmallWorld):
    order = queued(empty, Reason.NAME_DIFFERS)
    searched = empty.add_chart(ORA, "found by the search")
    create_account(empty.desk(), order.id, actor="dana", shown=[searched.patient_id.upper(), "Ora Castellan"])
    with empty.ledger.transaction() as tx:
        assert "Ora Castellan" not in str([case.candidate_ids for case in tx.session.scalars(select(CaseRow))])
    empty.run_after(minutes=(1,))
    assert empty.posts_seen(PATIENTS) == 1, "the account is asked for although that chart fits"


def test_an_account_that_nextech_says_exists_goes_back_to_the_person(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    empty.plant(Effect.CONFLICT, route=PATIENTS)
    create_account(empty.desk(), order.id, actor="dana")
    empty.run_after(minutes=(1,))
    [case] = empty.open_cases()
    assert case.sentence == "Possible existing patient: Nextech refuses another account"
    assert case.candidate_ids == sorted(chart.patient_id for chart in empty.charts())
    assert len(empty.charts()) == 2


@pytest.mark.parametrize("effect", [Effect.TIMED_OUT_EXECUTED, Effect.CREATED_WITHOUT_ID, Effect.FAILED_EXECUTED])
def test_an_answer_that_is_lost_finds_the_new_chart_among_the_declined_ones(empty: SmallWorld, effect: Effect):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    known = {chart.patient_id for chart in empty.charts()}
    empty.plant(effect, route=PATIENTS)
    create_account(empty.desk(), order.id, actor="dana")
    empty.run_after(minutes=(1,))
    assert empty.order().state is CR
    empty.run_after(minutes=(2, 15))
    [made] = {chart.patient_id for chart in empty.charts()} - known
    assert (empty.order().state, empty.order().patient_id) == (C, made)
    assert empty.posts_seen(PATIENTS) == 1


def test_an_account_that_was_refused_for_a_moment_is_still_wanted(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    empty.plant(Effect.RATE_LIMITED, route=PATIENTS)
    create_account(empty.desk(), order.id, actor="dana")
    empty.run_after(minutes=(1,))
    assert (empty.order().state, empty.order().account_wanted_by) == (R, "dana")
    empty.run_after(minutes=(2,))
    assert empty.order().state is C
    assert len(empty.charts()) == 3


def test_a_run_that_is_killed_before_the_request_asks_for_no_second_account(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    create_account(empty.desk(), order.id, actor="dana")

    def dies(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and request.url.path.rstrip("/").endswith("/Patient"):
            raise KeyboardInterrupt
        return request

    with pytest.raises(KeyboardInterrupt):
        empty.run_after(empty.desk(nextech_wrap=lambda inner: Between(inner, dies)), minutes=(1,))
    assert empty.order().state is CR
    empty.run_after(minutes=(2, 40, 40))
    assert empty.open_reasons() == [Reason.ACCOUNT_OUTCOME_UNKNOWN]
    assert len(empty.charts()) == 2


def test_an_order_that_changes_in_the_store_meanwhile_is_decided_anew(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    create_account(empty.desk(), order.id, actor="dana")
    [record] = empty.shop.orders.values()
    empty.shop.change(record, customer_firstname="Oralee")
    empty.run_after(minutes=(1,))
    assert empty.order().state is Q
    assert empty.order().account_wanted_by is None
    assert len(empty.charts()) == 2


def test_a_choice_that_was_remembered_is_revoked_with_it(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    gone = empty.charts()[0].patient_id
    choose_patient(empty.desk(), order.id, gone, actor="dana")
    empty.run_after(minutes=(1,))
    empty.staff("merge", patient_id=gone, into=empty.charts()[1].patient_id)
    empty.place(ORA.buyer())
    empty.run()
    second = empty.orders()[-1]
    assert second.why is Reason.PATIENT_GONE
    create_account(empty.desk(), second.id, actor="dana")
    with empty.ledger.transaction() as tx:
        assert remembered_patients(tx, "eastern", [str(second.customer_key)]) == {}


def test_a_dry_run_says_that_an_account_will_be_made(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    create_account(empty.desk(), order.id, actor="dana")
    [planned] = preview_orders(empty.desk())
    assert planned.why == "a new account"


def test_a_rerun_makes_it_too_and_a_dismissal_ends_the_wish(empty: SmallWorld):
    order = queued(empty, Reason.DUPLICATED_CUSTOMER)
    empty.plant(Effect.REJECTED, route=PATIENTS)
    create_account(empty.desk(), order.id, actor="dana")
    with pytest.raises(PermanentError):
        sync_order(empty.desk(), order.number)
    assert empty.open_reasons() == [Reason.ACCOUNT_REJECTED]
    dismiss(empty.desk(), order.id, actor="dana", why=DismissReason.SETTLED_OTHERWISE)
    assert empty.order().account_wanted_by is None
