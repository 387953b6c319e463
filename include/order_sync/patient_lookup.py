"""Look beyond the list: find the chart that a person has in mind, by what was typed into the search of the Resolve page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from order_sync.answers import Trouble, ask
from order_sync.choices import customer_of
from order_sync.clients.nextech_paging import TooManyRowsError
from order_sync.desk import Desk
from order_sync.ledger.models import OrderRow
from order_sync.normal_forms import known_birth_date, normalise_email, normalise_name, normalise_phone
from order_sync.patient_views import Candidate, view_candidates
from order_sync.patients import Patient

MOST_FOUND = 50
_SHORTEST_LAST_NAME = 2
_LONGEST_FIELD = 120
_DATE_FORMS = ("%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y")

NOTHING_ASKED = Trouble("Fill in at least one field.")
TOO_LONG = "That is too long to be searched for."
SHORT_NAME = "Type two letters of the last name at least."
TOO_MANY = Trouble(f"More than {MOST_FOUND} charts fit: say more, such as the first name or the birth date.")


@dataclass(frozen=True, slots=True)
class PatientQuery:
    """What a person looks for; all that is filled in has to fit. None: not asked about."""

    last: str | None = field(default=None, repr=False)
    """How the last name begins."""
    first: str | None = field(default=None, repr=False)
    """How the first name begins."""
    birth_date: date | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    """In its normal form."""
    phone: str | None = field(default=None, repr=False)
    """In its normal form."""
    chart_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Typed:
    """The form as it was filled in, without outer blanks."""

    last: str = field(repr=False)
    first: str = field(repr=False)
    born: str = field(repr=False)
    email: str = field(repr=False)
    phone: str = field(repr=False)
    chart_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundPatients:
    """Charts that fit, beside the store's customer, the likeliest first; none when nobody fits."""

    candidates: tuple[Candidate, ...]


def read_query(
    *,
    last: str = "",
    first: str = "",
    birth_date: str = "",
    email: str = "",
    phone: str = "",
    chart_number: str = "",
) -> PatientQuery | Trouble:
    """Read what was typed into the form; say in words what cannot be searched for, without repeating it."""
    typed = _Typed(*(text.strip() for text in (last, first, birth_date, email, phone, chart_number)))
    wrong = _what_is_wrong(typed)
    if wrong is not None:
        return Trouble(wrong)
    return PatientQuery(
        last=typed.last or None,
        first=typed.first or None,
        birth_date=_date(typed.born) if typed.born else None,
        email=normalise_email(typed.email),
        phone=normalise_phone(typed.phone),
        chart_number=typed.chart_number or None,
    )


def search_patients(desk: Desk, order: OrderRow, query: PatientQuery) -> FoundPatients | Trouble:
    """Return the charts that fit everything that was asked, beside the order's customer.

    A value that Nextech keeps private fits whatever was asked about it: unknown is never different.
    """
    found = ask(lambda: _search(desk, query))
    if isinstance(found, Trouble):
        return found
    fitting = [patient for patient in found if _fits(patient, query)]
    if len(fitting) > MOST_FOUND:
        return TOO_MANY
    customer = customer_of(desk, order) if fitting else None
    known = None if isinstance(customer, Trouble) else customer
    return FoundPatients(view_candidates(fitting, known, desk.practice))


def _search(desk: Desk, query: PatientQuery) -> list[Patient] | Trouble:
    """Ask Nextech by what says most; `_fits` checks the rest here."""
    nextech = desk.nextech
    if query.chart_number is not None:
        return nextech.search_patients(patient_ids=[query.chart_number])
    if query.email is not None:
        return nextech.search_patients(emails=[query.email])
    if query.phone is not None:
        return nextech.search_patients(phones=[query.phone])
    try:
        return nextech.look_up_patients(family=query.last, given=query.first, birth_date=query.birth_date, most=MOST_FOUND)
    except TooManyRowsError:
        return TOO_MANY
    except ValueError:  # nothing that a URL can carry: too much, or nothing at all
        return Trouble(TOO_LONG) if query.last or query.first else NOTHING_ASKED


def _fits(patient: Patient, query: PatientQuery) -> bool:
    names = ((query.last, patient.last), (query.first, patient.first), (query.first, patient.nickname))
    last, first, nickname = (_begins_like(asked, shown) for asked, shown in names)
    phones = {normalise_phone(phone) for phone in patient.phones} - {None}
    return (
        last
        and (first or (patient.nickname is not None and nickname))
        and query.birth_date in (None, known_birth_date(patient.birth_date) or query.birth_date)
        and query.email in (None, normalise_email(patient.email) or query.email)
        and (query.phone is None or not phones or query.phone in phones)
    )


def _begins_like(asked: str | None, shown: str | None) -> bool:
    wanted, name = normalise_name(asked), normalise_name(shown)
    return wanted is None or name is None or name.startswith(wanted)


def _what_is_wrong(typed: _Typed) -> str | None:
    everything = (typed.last, typed.first, typed.born, typed.email, typed.phone, typed.chart_number)
    is_first_alone = [text for text in everything if text] == [typed.first]
    is_absurd = any(len(text) > _LONGEST_FIELD or not text.isprintable() for text in everything)
    checks = (
        (not any(everything), NOTHING_ASKED.sentence),
        (is_absurd, TOO_LONG),
        (bool(typed.last) and len(normalise_name(typed.last) or "") < _SHORTEST_LAST_NAME, SHORT_NAME),
        (bool(typed.first) and normalise_name(typed.first) is None, "The first name has no letters that can be searched for."),
        (is_first_alone, "A first name alone finds too many: add the last name or the birth date."),
        (bool(typed.born) and _date(typed.born) is None, "Type the birth date as 04/19/1988."),
        (bool(typed.email) and normalise_email(typed.email) is None, "This is no e-mail address that can be searched for."),
        (bool(typed.phone) and normalise_phone(typed.phone) is None, "This is no phone number that can be searched for."),
        (bool(typed.chart_number) and not _is_chart_number(typed.chart_number), "A chart number has digits and letters only."),
    )
    return next((sentence for is_wrong, sentence in checks if is_wrong), None)


def _is_chart_number(text: str) -> bool:
    return text.isascii() and text.replace("-", "").isalnum()


def _date(text: str) -> date | None:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a birth date has no zone
        except ValueError:
            continue
    return None
