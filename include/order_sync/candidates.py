"""Find the charts that a customer could be: many customers in few searches, each search proved or made again alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from order_sync.desk import Desk
from order_sync.normal_forms import NormalPerson, normalise_customer, normalise_patient
from order_sync.orders import Customer
from order_sync.patients import Patient

Values = Callable[[NormalPerson], frozenset[str]]


def find_candidates(desk: Desk, customers: Sequence[Customer]) -> list[list[Patient]]:
    """Return, for each customer, every chart that shares the e-mail or the phone; complete or raised.

    A list in one search is documented (Nextech contract section 3) but not what a server does that knows no lists. So
    a value without a hit is searched again alone, unless the same list showed hits for two other values: then the
    server has read the list.
    """
    people = [normalise_customer(customer, desk.practice) for customer in customers]
    by_email = _search(desk, people, _emails, lambda values: desk.nextech.search_patients(emails=values))
    by_phone = _search(desk, people, _phones, lambda values: desk.nextech.search_patients(phones=values))
    found = []
    for person in people:
        charts = [chart for email in _emails(person) for chart in by_email.get(email, ())]
        charts += [chart for phone in person.phones for chart in by_phone.get(phone, ())]
        found.append(list({chart.patient_id: chart for chart in charts}.values()))
    return found


def contacts_of(customer: Customer, desk: Desk) -> frozenset[str]:
    """Return a customer's e-mail and phone in their normal form, without what is unknown."""
    person = normalise_customer(customer, desk.practice)
    return _emails(person) | person.phones


def _emails(person: NormalPerson) -> frozenset[str]:
    return frozenset([person.email]) if person.email else frozenset()


def _phones(person: NormalPerson) -> frozenset[str]:
    return person.phones


def _search(
    desk: Desk, people: Iterable[NormalPerson], values_of: Values, ask: Callable[[Sequence[str]], list[Patient]]
) -> dict[str, list[Patient]]:
    wanted = frozenset().union(*map(values_of, people))
    if not wanted:
        return {}
    if len(wanted) == 1:
        [value] = wanted
        return {value: ask([value])}
    hits = _sorted_by_value(desk, wanted, ask(sorted(wanted)), values_of)
    is_list_understood = len(hits) > 1
    if is_list_understood:
        return hits
    missed = sorted(wanted - hits.keys())
    return hits | dict(zip(missed, desk.fan_out(lambda value: ask([value]), missed), strict=True))


def _sorted_by_value(
    desk: Desk, wanted: frozenset[str], charts: Iterable[Patient], values_of: Values
) -> dict[str, list[Patient]]:
    """Sort the charts of a list by the value that found them.

    A chart that keeps its value private cannot be told to anybody here; asked alone, the server says whose it is.
    """
    hits: dict[str, list[Patient]] = {}
    for chart in charts:
        for value in values_of(normalise_patient(chart, desk.practice)) & wanted:
            hits.setdefault(value, []).append(chart)
    return hits
