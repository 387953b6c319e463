"""What the pages show of people: fetched live, masked, compared as matching compares, and no error of the other side."""

import logging
from collections.abc import Iterator

import httpx
import pytest

from order_sync.answers import Trouble
from order_sync.choices import Basket, ChosenPatient, basket_of, choices_for, patient_of
from order_sync.orders import ProductKind
from order_sync.patient_lookup import FoundPatients, PatientQuery, read_query, search_patients
from order_sync.patient_views import Candidate, Sameness
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from tests.worlds import PATIENTS, Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
IVO = Person(EASTERN, 72, "Ivo", "Tarrant")
VALUES = ("Ora", "Castellan", "ora.castellan", "0171", ORA.postal_code, ORA.birth_date)


@pytest.fixture
def twice(empty: SmallWorld) -> SmallWorld:
    """Ora has two charts; a person picks."""
    empty.add_chart(ORA, "one", chart_number="E-1001")
    empty.add_chart(ORA, "two", chart_number="E-1002")
    empty.place(ORA.buyer())
    empty.run()
    assert empty.open_reasons() == [Reason.DUPLICATED_CUSTOMER]
    return empty


@pytest.fixture(autouse=True)
def _no_value_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG, "order_sync")
    yield
    assert [value for value in VALUES if value in caplog.text] == []


def said(candidate: Candidate) -> dict[str, Sameness]:
    return {field.name: field.sameness for field in candidate.fields}


def test_the_candidates_of_a_case_stand_beside_the_customer(twice: SmallWorld):
    shown = choices_for(twice.desk(), twice.order())
    assert shown.are_from_case
    assert shown.troubles == ()
    assert shown.customer is not None
    customer = shown.customer
    assert (customer.name, customer.email, customer.phones) == ("Ora Castellan", "o•••@mailbox.example", ("••• 0171",))
    assert customer.birth_year == int(ORA.birth_date[:4])
    assert [candidate.chart_number for candidate in shown.candidates] == ["E-1001", "E-1002"]
    for candidate in shown.candidates:
        assert candidate.can_be_picked
        assert set(said(candidate).values()) == {Sameness.SAME}
        assert candidate.person.email == "o•••@mailbox.example"


def test_each_field_says_what_matching_says(empty: SmallWorld):
    empty.add_chart(
        ORA, first="Orah", last="Tarrant", email="other@mailbox.example", birth_date=None, postal_code="33999", mobile=ORA.phone
    )
    empty.add_chart(ORA, "two", first="Orah", last="Tarrant", birth_date="1901-02-03", is_phone_private=True)
    empty.place(ORA.buyer())
    empty.run()
    shown = search_patients(empty.desk(), empty.order(), PatientQuery(last="Tarrant"))
    assert isinstance(shown, FoundPatients)
    by_email = {said(candidate)["E-mail"]: said(candidate) for candidate in shown.candidates}
    other, same = by_email[Sameness.DIFFERENT], by_email[Sameness.SAME]
    assert (other["Last name"], other["Phone"], other["Birth date"], other["ZIP"]) == (
        Sameness.DIFFERENT,
        Sameness.SAME,
        Sameness.NOT_KNOWN,
        Sameness.DIFFERENT,
    )
    assert (same["Birth date"], same["Phone"]) == (Sameness.DIFFERENT, Sameness.NOT_KNOWN)


def test_names_in_each_others_place_are_similar(empty: SmallWorld):
    empty.add_chart(ORA, first="Castellan", last="Ora", birth_date="1950-01-02")
    empty.place(ORA.buyer())
    empty.run()
    [candidate] = choices_for(empty.desk(), empty.order()).candidates
    assert (said(candidate)["First name"], said(candidate)["Last name"]) == (Sameness.SIMILAR, Sameness.SIMILAR)


def test_a_chart_that_was_merged_says_so_and_cannot_be_picked(twice: SmallWorld):
    one, two = twice.charts()
    twice.staff("merge", patient_id=one.patient_id, into=two.patient_id)
    there, gone = choices_for(twice.desk(), twice.order()).candidates
    assert (there.patient_id, there.can_be_picked) == (two.patient_id, True)
    assert (gone.patient_id, gone.can_be_picked, gone.fields) == (one.patient_id, False, ())
    assert "merged" in (gone.notice or "")


def test_without_charts_in_the_case_those_with_the_same_contact_are_shown(empty: SmallWorld):
    empty.add_chart(ORA, chart_number="E-1")
    empty.place(ORA.buyer())
    empty.plant(Effect.NOT_FOUND)
    empty.run()
    assert empty.open_reasons() == [Reason.PATIENT_GONE]
    shown = choices_for(empty.desk(), empty.order())
    assert not shown.are_from_case
    assert [candidate.chart_number for candidate in shown.candidates] == ["E-1"]


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Effect.UNAVAILABLE, "Nextech does not answer; try again."),
        (Effect.SHIFTED_PAGE, "Nextech's answer is not complete; try again."),
        (Effect.REJECTED, "Nextech refuses this question"),
        (Effect.RATE_LIMITED, "Nextech is asked too much just now"),
    ],
)
def test_a_nextech_in_trouble_is_a_sentence(twice: SmallWorld, effect: Effect, words: str):
    twice.plant(effect, method="GET", route=PATIENTS, remaining=None)
    desk = twice.desk()
    shown = choices_for(desk, twice.order())
    assert [trouble.sentence[: len(words)] for trouble in shown.troubles] == [words]
    assert shown.candidates == ()
    assert shown.customer is not None
    found = search_patients(desk, twice.order(), PatientQuery(last="Castellan"))
    assert isinstance(found, Trouble)
    assert found.sentence.startswith(words)


def test_a_nextech_that_refuses_our_login_is_a_sentence(twice: SmallWorld):
    twice.switch(are_logins_refused=True)
    [trouble] = choices_for(twice.desk(), twice.order()).troubles
    assert trouble == Trouble("Nextech refuses our login: the data team has to renew it.")


def test_a_store_in_trouble_leaves_the_candidates(twice: SmallWorld):
    twice.plant_in_store(StoreEffect.BAD_GATEWAY)
    shown = choices_for(twice.desk(), twice.order())
    assert shown.customer is None
    assert [trouble.sentence for trouble in shown.troubles] == ["The store does not answer; try again."]
    assert len(shown.candidates) == 2
    assert set(said(shown.candidates[0]).values()) == {Sameness.NOT_KNOWN}
    assert basket_of(twice.desk(), twice.order()) == Trouble("The store does not answer; try again.")


def test_an_order_that_the_store_does_not_show_is_a_sentence(twice: SmallWorld):
    order = twice.order()
    order.entity_id += 1_000
    assert basket_of(twice.desk(), order) == Trouble("The store does not show this order.")
    assert choices_for(twice.desk(), order).troubles == (Trouble("The store does not show this order."),)


def test_no_repr_shows_a_value(twice: SmallWorld):
    desk, order = twice.desk(), twice.order()
    query = read_query(last="Castellan", first="Ora", birth_date=ORA.birth_date, email=ORA.email, phone=ORA.phone)
    assert isinstance(query, PatientQuery)
    shown = [choices_for(desk, order), query, search_patients(desk, order, query), basket_of(desk, order)]
    order.patient_id = twice.charts()[0].patient_id
    shown.append(patient_of(desk, order))
    assert [value for value in (*VALUES, "Sunscreen", "E-1001") if value in repr(shown)] == []


def test_the_detail_page_names_the_patient_and_what_was_bought(empty: SmallWorld):
    empty.add_chart(ORA, chart_number="E-77")
    empty.place(ORA.buyer(), basket=(("DRM-SPF50-50ML", 2), ("DRM-GIFT-100", 1)))
    desk = empty.desk()
    empty.run(desk)
    assert empty.order().state is OrderState.CONFIRMED
    patient = patient_of(desk, empty.order())
    assert isinstance(patient, ChosenPatient)
    assert (patient.chart_number, patient.name) == ("E-77", "Ora Castellan")
    basket = basket_of(desk, empty.order())
    assert isinstance(basket, Basket)
    assert [(line.sku, line.quantity, line.kind) for line in basket.lines] == [
        ("DRM-SPF50-50ML", "2", ProductKind.PRODUCT),
        ("DRM-GIFT-100", "1", ProductKind.GIFT_CARD),
    ]
    lines_cents = sum(line.amount_cents or 0 for line in basket.lines)
    assert basket.total_cents == empty.order().amount_cents == lines_cents + sum(cents for _, cents in basket.others)


def test_an_order_without_a_chart_has_no_patient_to_show(twice: SmallWorld):
    assert patient_of(twice.desk(), twice.order()) is None


def test_a_patient_whose_chart_is_gone_is_a_sentence(twice: SmallWorld):
    one, two = twice.charts()
    twice.staff("merge", patient_id=one.patient_id, into=two.patient_id)
    order = twice.order()
    order.patient_id = one.patient_id
    gone = patient_of(twice.desk(), order)
    assert isinstance(gone, Trouble)
    assert "merged" in gone.sentence


# -- the search beyond the list


@pytest.fixture
def town(twice: SmallWorld) -> SmallWorld:
    twice.add_chart(IVO, chart_number="E-2001", nickname="Ike")
    for number in range(60):
        twice.add_chart(IVO, f"cousin {number}", first=f"Cousin{number}", last="Tarrantino", email=None, mobile=None)
    return twice


@pytest.mark.parametrize(
    "typed",
    [
        {"last": "Tarrant", "first": "Iv"},
        {"last": " TARRANT ", "first": "ivo"},
        {"first": "Ivo", "birth_date": IVO.birth_date},
        {"email": IVO.email.upper()},
        {"phone": IVO.phone},
        {"phone": "1 305 5550172", "last": "tar"},
        {"chart_number": "E-2001"},
        {"email": IVO.email, "first": "Ike"},
    ],
)
def test_a_search_finds_whoever_fits_everything_that_was_typed(town: SmallWorld, typed: dict[str, str]):
    query = read_query(**typed)
    assert isinstance(query, PatientQuery)
    found = search_patients(town.desk(), town.order(), query)
    assert isinstance(found, FoundPatients)
    assert [candidate.chart_number for candidate in found.candidates] == ["E-2001"]
    assert said(found.candidates[0])["Last name"] is Sameness.DIFFERENT


def test_what_does_not_fit_is_not_shown(town: SmallWorld):
    for query in (PatientQuery(email=IVO.email.lower(), last="Castellan"), PatientQuery(chart_number="E-9999")):
        assert search_patients(town.desk(), town.order(), query) == FoundPatients(())


def test_a_search_that_fits_too_many_asks_for_more_and_reads_one_page(town: SmallWorld):
    asked: list[httpx.Request] = []

    def look(request: httpx.Request) -> httpx.Request:
        asked.append(request)
        return request

    found = search_patients(
        town.desk(nextech_wrap=lambda inner: Between(inner, look)), town.order(), PatientQuery(last="Tarrant")
    )
    assert isinstance(found, Trouble)
    assert found.sentence.startswith("More than 50 charts fit")
    assert len([request for request in asked if request.method == "GET"]) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Fill in"),
        ({"last": "  "}, "Fill in"),
        ({"last": "T"}, "Type two letters"),
        ({"first": "Ivo"}, "A first name alone"),
        ({"last": "Tarrant", "birth_date": "31.31.1950"}, "Type the birth date"),
        ({"email": "no address"}, "This is no e-mail"),
        ({"phone": "000"}, "This is no phone"),
        ({"chart_number": "1; DROP"}, "A chart number"),
        ({"last": "x" * 500}, "That is too long"),
    ],
)
def test_what_cannot_be_searched_for_is_said_in_words(typed: dict[str, str], words: str):
    trouble = read_query(**typed)
    assert isinstance(trouble, Trouble)
    assert trouble.sentence.startswith(words)


@pytest.mark.parametrize("written", ["04/19/1988", "1988-04-19", "04-19-1988"])
def test_a_birth_date_may_be_written_as_staff_write_it(written: str):
    query = read_query(birth_date=written)
    assert isinstance(query, PatientQuery)
    assert str(query.birth_date) == "1988-04-19"


def test_letters_that_no_url_can_carry_are_said_in_words(town: SmallWorld):
    query = read_query(last="\u738b" * 100)
    assert isinstance(query, PatientQuery)
    assert search_patients(town.desk(), town.order(), query) == Trouble("That is too long to be searched for.")
