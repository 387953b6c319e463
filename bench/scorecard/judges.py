"""Who decides: our ladder, and the plain rules beside it. Each takes a customer and the charts that a search returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from bench.scorecard.records import LabelledSet, Record
from order_sync.matching import AskPerson, Match, is_of_same_family_and_day, match_patient
from order_sync.normal_forms import NormalPerson, normalise_customer
from order_sync.practices import ActivePeriod, NextechSettings, Practice

PRACTICE = Practice(
    id="scorecard",
    name="Scorecard",
    time_zone="America/New_York",
    active=(ActivePeriod.model_validate({"since": "2020-01-01T00:00:00+00:00"}),),
    nextech=NextechSettings(location_id="1", provider_id="1", payment_category="Online"),
)
"""A practice with every setting at its default."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided for one customer; both empty: nobody was recognised."""

    chosen: str | None = None
    asked: frozenset[str] = frozenset()
    """Among whom a person is asked."""


Judge = Callable[[Record, Sequence[Record]], Verdict]


def ladder(customer: Record, charts: Sequence[Record]) -> Verdict:
    """Decide as the product does, with the look for namesakes that comes before an account is made."""
    decision = match_patient(customer.customer, [chart.chart for chart in charts], PRACTICE)
    match decision:
        case Match(patient_id=patient_id):
            return Verdict(chosen=patient_id)
        case AskPerson(candidate_ids=ids):
            return Verdict(asked=frozenset(ids))
        case _:
            same = [one for one in charts if is_of_same_family_and_day(customer.customer, one.chart, PRACTICE)]
            return Verdict(asked=frozenset(chart.record_id for chart in same))


def all_keys_equal(of_set: LabelledSet) -> Judge:
    """Return the original's rule, after normalising: every key that the set has is equal; a missing one equals nothing."""

    def keys(record: Record) -> tuple[object, ...]:
        form = normal_form(record)
        names = [name.replace(" ", "") if name else None for name in (form.first, form.last)]
        contacts = [form.email] if of_set.has_emails else []
        contacts += [min(form.phones, default=None)] if of_set.has_phones else []
        return (*names, *contacts)

    return partial(_equal_by, keys)


def all_keys_equal_as_written(of_set: LabelledSet) -> Judge:
    """Return the original's rule on what is written, to the letter."""

    def keys(record: Record) -> tuple[object, ...]:
        contacts = [record.email] if of_set.has_emails else []
        contacts += [record.phone] if of_set.has_phones else []
        return (record.first, record.last, *contacts)

    return partial(_equal_by, keys)


def contact_only(customer: Record, charts: Sequence[Record]) -> Verdict:
    """Decide by e-mail or phone alone, after normalising."""
    ours = contacts_of(customer)
    same = [chart.record_id for chart in charts if ours & contacts_of(chart)]
    return _chosen_or_asked(same)


@cache
def normal_form(record: Record) -> NormalPerson:
    """Return a record in the form in which the product compares."""
    return normalise_customer(record.customer, PRACTICE)


def _equal_by(keys_of: Callable[[Record], tuple[object, ...]], customer: Record, charts: Sequence[Record]) -> Verdict:
    ours = keys_of(customer)
    return _chosen_or_asked([chart.record_id for chart in charts if None not in ours and keys_of(chart) == ours])


def _chosen_or_asked(same: Sequence[str]) -> Verdict:
    return Verdict(chosen=same[0]) if len(same) == 1 else Verdict(asked=frozenset(same))


def contacts_of(record: Record) -> frozenset[str]:
    """Return the e-mail and the phones of a record in their normal form, without what is unknown."""
    form = normal_form(record)
    return form.phones | (frozenset([form.email]) if form.email else frozenset())
