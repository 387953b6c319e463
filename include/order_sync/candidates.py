"""Find the charts that a customer could be: many customers in few searches, each search proved or made again alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from order_sync.desk import Desk, batches
from order_sync.errors import IncompleteReadError, RequestRejectedError
from order_sync.matching import Rung, compare, find_rung
from order_sync.normal_forms import NormalPerson, normalise_customer, normalise_patient
from order_sync.orders import Customer
from order_sync.patients import Patient

logger = logging.getLogger(__name__)

Values = Callable[[NormalPerson], frozenset[str]]
Ask = Callable[[Sequence[str]], list[Patient]]
_LIST_LENGTH = 20
"""Values in one search: a phone is asked for in several written forms, and the client would cut a longer list in two."""
Found = Mapping[str, list[Patient] | None]
"""Value to the charts that have it; None where the search did not succeed."""


def find_candidates(desk: Desk, customers: Sequence[Customer], *, is_to_decide: bool = False) -> list[list[Patient] | None]:
    """Return, for each customer, every chart that shares the e-mail or the phone, proved complete.

    With `is_to_decide`, only every chart that can decide: who is found by e-mail with both names equal stands on level 1 or 2,
    and all charts of these levels share the e-mail, so the phone is not asked for.

    None stands for a customer whose own search is refused or cannot be proved complete: nothing is known, and nobody else
    is held up by it. Raises when Nextech does not answer.

    A list in one search is documented (Nextech contract section 3) but not what a server does that knows no lists, or cuts
    them. So a list only ever finds: a value without a hit is searched again alone.
    """
    people = [normalise_customer(customer, desk.practice) for customer in customers]
    by_email = _search(desk, people, _emails, lambda values: desk.nextech.search_patients(emails=values))
    unsettled = [person for person in people if not (is_to_decide and _is_settled(desk, person, by_email))]
    by_phone = _search(desk, unsettled, _phones, lambda values: desk.nextech.search_patients(phones=values))
    return [_charts_of(person, by_email, by_phone) for person in people]


def find_charts(desk: Desk, patient_ids: Sequence[str]) -> dict[str, bool | None]:
    """Say which of these charts are still in use, by patient id; None for one whose search is refused or cannot be proved.

    A list only ever finds, here too: a chart that it does not show is asked for alone before it counts as gone. One that was
    merged into another, or is out of use, counts as gone though Nextech still shows it.
    """

    def is_there(patient_id: str) -> bool | None:
        found = _ask_alone(desk, patient_id, ask)
        return None if found is None else any(chart.is_active and chart.patient_id == patient_id.lower() for chart in found)

    def ask(ids: Sequence[str]) -> list[Patient]:
        return desk.nextech.search_patients(patient_ids=ids)

    wanted = sorted(set(patient_ids))
    try:
        listed = {chart.patient_id: chart.is_active for chart in ask(wanted)} if len(wanted) > 1 else {}
    except (IncompleteReadError, RequestRejectedError):
        listed = {}
    missed = [patient_id for patient_id in wanted if patient_id not in listed]
    return listed | dict(zip(missed, desk.fan_out(is_there, missed), strict=True))


def _is_settled(desk: Desk, person: NormalPerson, by_email: Found) -> bool:
    charts = [chart for value in _emails(person) for chart in by_email.get(value) or ()]
    rungs = (find_rung(compare(person, normalise_patient(chart, desk.practice))) for chart in charts if chart.is_active)
    return any(rung <= Rung.EMAIL_AND_NAMES for rung in rungs)


def _charts_of(person: NormalPerson, by_email: Found, by_phone: Found) -> list[Patient] | None:
    charts: dict[str, Patient] = {}
    for found, values in ((by_email, _emails(person)), (by_phone, person.phones)):
        for value in values:
            hits = found.get(value, [])
            if hits is None:
                return None
            charts |= {chart.patient_id: chart for chart in hits}
    return list(charts.values())


def contacts_of(customer: Customer, desk: Desk) -> frozenset[str]:
    """Return a customer's e-mail and phone in their normal form, without what is unknown."""
    person = normalise_customer(customer, desk.practice)
    return _emails(person) | person.phones


def _emails(person: NormalPerson) -> frozenset[str]:
    return frozenset([person.email]) if person.email else frozenset()


def _phones(person: NormalPerson) -> frozenset[str]:
    return person.phones


def _search(desk: Desk, people: Iterable[NormalPerson], values_of: Values, ask: Ask) -> Found:
    wanted = sorted(frozenset().union(*map(values_of, people)))
    lists = [frozenset(values) for values in batches(wanted, _LIST_LENGTH)]
    found = desk.fan_out(lambda values: _search_list(desk, values, values_of, ask), lists)
    return {value: charts for part in found for value, charts in part.items()}


def _search_list(desk: Desk, wanted: frozenset[str], values_of: Values, ask: Ask) -> Found:
    if len(wanted) == 1:
        [value] = wanted
        return {value: _ask_alone(desk, value, ask)}
    try:
        listed = ask(sorted(wanted))
    except (IncompleteReadError, RequestRejectedError):
        listed = []
    hits = _sorted_by_value(desk, wanted, listed, values_of)
    missed = sorted(wanted - hits.keys())
    alone = desk.fan_out(lambda value: _ask_alone(desk, value, ask), missed)
    return {**hits, **dict(zip(missed, alone, strict=True))}


def _ask_alone(desk: Desk, value: str, ask: Ask) -> list[Patient] | None:
    try:
        return ask([value])
    except (IncompleteReadError, RequestRejectedError) as error:
        logger.warning("practice %s: a customer cannot be searched for: %s", desk.practice.id, error)
        return None


def _sorted_by_value(
    desk: Desk, wanted: frozenset[str], charts: Iterable[Patient], values_of: Values
) -> dict[str, list[Patient]]:
    """Sort the charts of a list by the value that found them.

    A chart that keeps its value private cannot be told to anybody here; asked alone, the server says whose it is. A chart with
    two of the values proves neither: where the server cut the list, it may have been found by one of them only.
    """
    hits: dict[str, list[Patient]] = {}
    proved: set[str] = set()
    for chart in charts:
        shown = values_of(normalise_patient(chart, desk.practice)) & wanted
        for value in shown:
            hits.setdefault(value, []).append(chart)
        if len(shown) == 1:
            proved |= shown
    return {value: found for value, found in hits.items() if value in proved}
