"""A customer and the charts that may be his, as a person sees them beside each other. Nothing of it is kept or logged.

What is the same and what differs comes from the comparison that matching itself decides by, so that the page and the
decision cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from order_sync.evidence import Agreement, Comparison
from order_sync.masking import mask_email, mask_phone, one_line
from order_sync.matching import compare, find_rung
from order_sync.normal_forms import known_birth_date, normalise_customer, normalise_patient
from order_sync.orders import Customer
from order_sync.patients import Patient
from order_sync.practices import Practice

GONE = "This chart is not in Nextech any more: it was merged into another one, or removed."
OUT_OF_USE = "This chart is out of use in Nextech: it was merged into another one, or made inactive."


class Sameness(StrEnum):
    """What a page says of one field; the value is the word."""

    SAME = "same"
    SIMILAR = "similar"
    DIFFERENT = "different"
    NOT_KNOWN = "not known"


_SAMENESS = {
    Agreement.EQUAL: Sameness.SAME,
    Agreement.NEAR: Sameness.SIMILAR,
    Agreement.DIFFERENT: Sameness.DIFFERENT,
    Agreement.UNKNOWN: Sameness.NOT_KNOWN,
}


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person as a page may show him: None is what the system does not say, or keeps private."""

    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    """Masked."""
    phones: tuple[str, ...] = field(default=(), repr=False)
    """Masked."""
    birth_year: int | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of the customer beside the same field of a chart."""

    name: str
    """What the page calls it, such as "Birth date"."""
    sameness: Sameness
    ours: str | None = field(default=None, repr=False)
    """What the store shows of it, masked."""
    theirs: str | None = field(default=None, repr=False)
    """What Nextech shows of it, masked."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chart that a person may pick, or could have picked."""

    patient_id: str
    chart_number: str | None = field(default=None, repr=False)
    person: PersonView = field(default_factory=PersonView, repr=False)
    fields: tuple[FieldView, ...] = field(default=(), repr=False)
    """Empty for a chart that is gone."""
    notice: str | None = None
    """Why it cannot be picked, in one sentence; None when it can."""

    @property
    def can_be_picked(self) -> bool:
        """Say whether a payment could be posted to it."""
        return self.notice is None


def view_customer(customer: Customer) -> PersonView:
    """Return the store's customer as a page may show him."""
    return PersonView(
        name=_name(customer.first, customer.last, customer.suffix),
        email=mask_email(customer.email),
        phones=_masked([customer.phone]),
        birth_year=_birth_year(customer),
        postal_code=one_line(customer.postal_code),
    )


def view_patient(patient: Patient) -> PersonView:
    """Return a chart as a page may show it."""
    return PersonView(
        name=_name(patient.first, patient.middle, patient.last, patient.suffix),
        email=mask_email(patient.email),
        phones=_masked(patient.phones),
        birth_year=_birth_year(patient),
        postal_code=one_line(patient.postal_code),
    )


def view_candidates(patients: list[Patient], customer: Customer | None, practice: Practice) -> tuple[Candidate, ...]:
    """Return charts beside the customer, the likeliest first; without a customer nothing is known to be the same."""
    graded = []
    for patient in patients:
        comparison = _compare(customer, patient, practice)
        view = _view_candidate(patient, customer, comparison)
        graded.append(((find_rung(comparison), view.chart_number or "", view.patient_id), view))
    return tuple(view for _, view in sorted(graded, key=lambda pair: pair[0]))


def view_gone(patient_id: str) -> Candidate:
    """Return what is left of a chart that Nextech does not show any more."""
    return Candidate(patient_id, notice=GONE)


def _compare(customer: Customer | None, patient: Patient, practice: Practice) -> Comparison:
    if customer is None:
        return Comparison()
    return compare(normalise_customer(customer, practice), normalise_patient(patient, practice))


def _view_candidate(patient: Patient, customer: Customer | None, comparison: Comparison) -> Candidate:
    return Candidate(
        patient_id=patient.patient_id,
        chart_number=one_line(patient.chart_number),
        person=view_patient(patient),
        fields=_fields(customer, patient, comparison),
        notice=None if patient.is_active else OUT_OF_USE,
    )


def _fields(customer: Customer | None, patient: Patient, comparison: Comparison) -> tuple[FieldView, ...]:
    ours = view_customer(customer) if customer else PersonView()
    theirs = view_patient(patient)
    first, last, suffix = (customer.first, customer.last, customer.suffix) if customer else (None, None, None)
    names = Sameness.SIMILAR if comparison.are_names_swapped else None
    rows = [
        FieldView("First name", names or _SAMENESS[comparison.first], one_line(first), one_line(patient.first)),
        FieldView("Last name", names or _SAMENESS[comparison.last], one_line(last), one_line(patient.last)),
        FieldView("Suffix", _SAMENESS[comparison.suffix], one_line(suffix), one_line(patient.suffix)),
        FieldView("Birth date", _SAMENESS[comparison.birth_date], _text(ours.birth_year), _text(theirs.birth_year)),
        FieldView("E-mail", _SAMENESS[comparison.email], ours.email, theirs.email),
        FieldView("Phone", _SAMENESS[comparison.phone], _joined(ours.phones), _joined(theirs.phones)),
        FieldView("ZIP", _SAMENESS[comparison.postal_code], ours.postal_code, theirs.postal_code),
    ]
    is_suffix_idle = comparison.suffix is Agreement.UNKNOWN and not (suffix or patient.suffix)
    return tuple(row for row in rows if row.name != "Suffix" or not is_suffix_idle)


def _name(*parts: str | None) -> str | None:
    return one_line(" ".join(part for part in parts if part))


def _masked(phones: tuple[str, ...] | list[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(masked for phone in phones if (masked := mask_phone(phone))))


def _birth_year(person: Customer | Patient) -> int | None:
    born = known_birth_date(person.birth_date)
    return born.year if born else None


def _text(year: int | None) -> str | None:
    return None if year is None else str(year)


def _joined(phones: tuple[str, ...]) -> str | None:
    return ", ".join(phones) or None
