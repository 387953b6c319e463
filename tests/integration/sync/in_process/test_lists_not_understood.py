"""A server that does not understand comma lists, or cuts them: nothing is doubled, nobody is mistaken (ADR 9)."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from order_sync.extract import extract_orders
from order_sync.ledger.session import Ledger
from order_sync.match import match_patients
from order_sync.post import post_payments
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from tests.worlds import PATIENTS, Between, SmallWorld, Wrap


def changed(request: httpx.Request, change: Callable[[str], str]) -> httpx.Request:
    """Return the request with every value that is a list changed."""
    if request.method != "GET" or "," not in str(request.url).replace("%2C", ","):
        return request
    pairs = [(key, change(value) if "," in value else value) for key, value in parse_qsl(request.url.query.decode())]
    url = request.url.copy_with(query=urlencode(pairs).encode())
    return httpx.Request("GET", url, headers=request.headers, extensions=request.extensions)


WAYS: dict[str, Callable[[str], str]] = {
    "keeps the first value": lambda value: value.split(",")[0],
    "keeps the last value": lambda value: value.split(",")[-1],
    "cuts in the middle": lambda value: value[: len(value) // 2],
    "searches for the whole text": lambda value: value.replace(",", ";"),
}


def between(change: Callable[[str], str]) -> Wrap:
    return lambda inner: Between(inner, lambda request: changed(request, change))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_server_without_lists_gets_every_payment_once(
    ten: SmallWorld, way: Callable[[str], str], new_ledger: Callable[[], Ledger]
):
    desk = ten.desk(nextech_wrap=between(way))
    ten.run(desk)
    assert ten.states() == [OrderState.CONFIRMED] * 10
    assert ten.posts_seen(PATIENTS) == 0
    booked = ten.booked()
    restored = new_ledger()
    again = ten.desk(ledger=restored, nextech_wrap=between(way))
    ten.run(again)
    ten.run_after(again, minutes=(15,))
    assert [row.state for row in ten.orders(restored)] == [OrderState.CONFIRMED] * 10
    assert ten.booked() == booked
    assert {row.patient_id for row in ten.orders(restored)} == {row.patient_id for row in ten.orders()}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_the_second_batch_is_read_with_witnesses_and_still_looks_at_everybody(ten: SmallWorld, way: Callable[[str], str]):
    """With two witnesses in the ledger a list is tried; a payment that is there already must be seen all the same."""
    desk = ten.desk()
    extract_orders(desk, holder="test")
    match_patients(desk)
    for row in ten.orders()[2:]:
        assert row.amount_cents is not None
        ten.staff("hand-payment", patient_id=row.patient_id, amount_cents=row.amount_cents, business_day=row.business_day)
    post_payments(desk, only=[row.id for row in ten.orders()[:2]])
    assert ten.states()[:2] == [OrderState.CONFIRMED] * 2
    post_payments(ten.desk(nextech_wrap=between(way)))
    assert ten.posts_seen() == 2
    assert [row.reason for row in ten.orders()[2:]] == ["possible_manual_entry"] * 8


def test_a_server_with_lists_reads_a_batch_in_one_request_between_two_witnesses(ten: SmallWorld):
    asked: list[list[str]] = []

    def listen(request: httpx.Request) -> httpx.Request:
        if request.method == "GET" and request.url.path.endswith("/PaymentReconciliation"):
            asked.append(dict(parse_qsl(request.url.query.decode()))["patient"].split(","))
        return request

    ten.run()
    known = {row.patient_id for row in ten.orders()}
    people = [Person(EASTERN, 70 + number, f"Ann{number}", f"Bexley{number}") for number in range(5)]
    for person in people:
        ten.add_chart(person)
        ten.place(person.buyer(), minutes_ago=1)
    ten.run(ten.desk(nextech_wrap=lambda inner: Between(inner, listen)))
    assert ten.states() == [OrderState.CONFIRMED] * 15
    assert [len(ids) for ids in asked] == [7, 7], "one look before the posts, one after: five patients and two witnesses"
    assert {asked[0][0], asked[0][-1]} <= known


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_server_without_lists_opens_no_account_for_somebody_it_knows(empty: SmallWorld, way: Callable[[str], str]):
    people = [Person(EASTERN, 70 + number, f"Ann{number}", f"Bexley{number}") for number in range(4)]
    for person in people:
        empty.add_chart(person)
        empty.place(person.buyer(), minutes_ago=1)
    newcomer = Person(EASTERN, 90, "Nia", "Overton")
    empty.place(newcomer.buyer())
    empty.run(empty.desk(nextech_wrap=between(way)))
    assert empty.states() == [OrderState.CONFIRMED] * 5
    assert sorted(chart.origin for chart in empty.charts()) == ["api", *["seed"] * 4]
    by_number = {row.number: row.patient_id for row in empty.orders()}
    shown = {chart.patient_id: chart.shown_name for chart in empty.charts()}
    names = [shown[str(by_number[number])] for number in sorted(by_number)]
    assert names == [f"Bexley{number}, Ann{number}" for number in range(4)] + ["Overton, Nia"]


def test_filters_that_are_ignored_make_no_wrong_match(ten: SmallWorld):
    ten.plant(Effect.FILTERS_IGNORED, method="GET", route=PATIENTS, remaining=None)
    ten.plant(Effect.FILTERS_IGNORED, method="GET", route="/PaymentReconciliation", remaining=None)
    ten.run()
    ten.heal()
    ten.run_after(minutes=(15,))
    assert ten.states() == [OrderState.CONFIRMED] * 10
    assert len({row.patient_id for row in ten.orders()}) == 10
    assert all(row.marker for row in ten.booked())


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_list_that_loses_an_address_does_not_hide_the_better_of_two_charts(empty: SmallWorld, way: Callable[[str], str]):
    """The e-mail names one chart, the phone another one of the same name: the e-mail's is the better evidence."""
    people = [Person(EASTERN, 70 + number, "Kim", f"Bexley{number}") for number in range(6)]
    by_email = {}
    for person in people:
        by_email[person.email] = empty.add_chart(person, "mail", mobile="(305) 555-0155").patient_id
        empty.add_chart(person, "phone", email=f"other.{person.number}@mailbox.example")
        empty.place(person.buyer(), minutes_ago=1)
    empty.run(empty.desk(nextech_wrap=between(lambda value: way(value) if "@" in value else value)))
    assert empty.states() == [OrderState.CONFIRMED] * 6
    assert [row.patient_id for row in empty.orders()] == [by_email[person.email] for person in people]
