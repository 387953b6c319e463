"""Which requests find the patients of many orders at once, and which of the returned rows were really asked for.

Nextech searches by prefix unless told otherwise, splits values at commas, and may ignore a filter that it does not
know (contract sections 3 and 5 #11): so e-mails go with `:exact`, and every row is checked again here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import quote

from order_sync.clients.nextech_paging import QUERY_CHARACTERS, Params, Row, chunks, query
from order_sync.clients.nextech_wire import guid, hides_contact
from order_sync.patients import Patient

_LONGEST_VALUE = 254
_LONGEST_QUOTED = 500
_PAGING_ROOM = 60
_LOCAL_DIGITS = 10
_SHORTEST_PREFIX = 3


class _Kind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    ID = "id"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class PatientSearch:
    """One request, and how to tell that a row answers it."""

    kind: _Kind
    params: Params
    asked: frozenset[str]
    """The asked values in the form in which they are compared."""
    family: str | None = None
    given: str | None = None
    birth_date: date | None = None
    is_by_beginning: bool = False
    """A name fits when it begins like the one that was asked for."""

    @property
    def has_modifiers(self) -> bool:
        """Say whether a parameter carries a modifier such as `:exact`."""
        return any(":" in name for name, _ in self.params)

    def without_modifiers(self) -> Params:
        """Return the parameters as plain prefix searches, which find at least as much."""
        return tuple((name.partition(":")[0], value) for name, value in self.params)

    def accepts(self, patient: Patient, row: Row) -> bool:
        """Say whether a row was asked for; a private value counts only when a single one was asked for."""
        return self._has_asked_value(patient, row) and self._is_narrowed_to(patient)

    def _has_asked_value(self, patient: Patient, row: Row) -> bool:
        match self.kind:
            case _Kind.NAME:
                return True
            case _Kind.ID:
                return patient.patient_id in self.asked or (patient.chart_number or "").lower() in self.asked
            case _Kind.EMAIL:
                shown = {_plain(patient.email)} if patient.email else set()
            case _Kind.PHONE:
                shown = {phone_digits(phone) for phone in patient.phones}
        return bool(shown & self.asked) or (len(self.asked) == 1 and hides_contact(row, self.kind.value))

    def _is_narrowed_to(self, patient: Patient) -> bool:
        pairs = ((self.family, patient.last), (self.given, patient.first))
        return all(asked is None or shown is None or self._is_like(asked, shown) for asked, shown in pairs) and (
            None in (self.birth_date, patient.birth_date) or self.birth_date == patient.birth_date
        )

    def _is_like(self, asked: str, shown: str) -> bool:
        return _plain(shown).startswith(_plain(asked)) if self.is_by_beginning else _plain(asked) == _plain(shown)


def plan_searches(
    *,
    emails: Iterable[str],
    phones: Iterable[str],
    family: str | None,
    given: str | None,
    birth_date: date | None,
    patient_ids: Iterable[str],
) -> list[PatientSearch]:
    """Turn criteria into as few requests as fit; raises `ValueError` when there is no criterion at all.

    A value that no URL can carry (control characters, more than 254 characters) is not searched for.
    """
    narrow = (
        *_name_params("family", family),
        *_name_params("given", given),
        *((("birthdate", birth_date.isoformat()),) if birth_date else ()),
    )
    emails, phones, patient_ids = list(emails), list(phones), list(patient_ids)
    if not (emails or phones or patient_ids or family or given or birth_date):
        msg = "a patient search needs at least one criterion"
        raise ValueError(msg)
    if not (emails or phones or patient_ids):
        if not narrow:
            return []
        return [PatientSearch(_Kind.NAME, narrow, frozenset(), family, given, birth_date)]
    room = QUERY_CHARACTERS - _PAGING_ROOM - len(query(narrow))
    return [
        PatientSearch(kind, (*params, *narrow), asked, family, given, birth_date)
        for kind, params, asked in (
            *_email_searches(emails, room),
            *_phone_searches(phones, room),
            *_id_searches(patient_ids, room),
        )
    ]


def plan_lookup(*, family: str | None, given: str | None, birth_date: date | None) -> PatientSearch:
    """Turn what a person typed into a search by how names begin; raises `ValueError` when it says nothing."""
    narrow = tuple(
        (field.partition(":")[0], name) for field, name in (*_name_params("family", family), *_name_params("given", given))
    ) + ((("birthdate", birth_date.isoformat()),) if birth_date else ())
    if not narrow:
        msg = "a patient search needs at least one criterion"
        raise ValueError(msg)
    return PatientSearch(_Kind.NAME, narrow, frozenset(), family, given, birth_date, is_by_beginning=True)


def phone_digits(phone: str) -> str:
    """Return the digits by which two written forms of a number are compared, without the country code 1."""
    digits = "".join(character for character in phone if character.isascii() and character.isdigit())
    return digits[1:] if len(digits) == _LOCAL_DIGITS + 1 and digits.startswith("1") else digits


_Planned = tuple[_Kind, Params, frozenset[str]]


def _email_searches(emails: Sequence[str], room: int) -> Iterator[_Planned]:
    # Sent as they are, compared folded: the server's own comparison knows nothing of our folding.
    wanted = {email.strip(): _plain(email) for email in emails if _may_be_sent(email.strip())}
    for chunk in chunks([email for email in wanted if "," not in email], room=room):
        yield _Kind.EMAIL, (("email:exact", ",".join(chunk)),), frozenset(wanted[email] for email in chunk)
    for email, folded in wanted.items():
        # How a comma is escaped is not documented; what stands before it, as a prefix, finds at least what is asked.
        prefix = email.partition(",")[0]
        if "," in email and len(prefix) >= _SHORTEST_PREFIX:
            yield _Kind.EMAIL, (("email", prefix),), frozenset({folded})


def _phone_searches(phones: Sequence[str], room: int) -> Iterator[_Planned]:
    # No `:exact`: how stored numbers are written is not documented (section 5 #28), and a prefix loses nothing.
    wanted = [digits for digits in dict.fromkeys(phone_digits(phone) for phone in phones) if digits]
    wanted = [digits for digits in wanted if len(digits) <= _LONGEST_VALUE]
    forms = {",".join(_written_forms(digits)): digits for digits in wanted}
    for chunk in _phone_chunks(list(forms), room):
        yield _Kind.PHONE, (("phone", ",".join(chunk)),), frozenset(forms[form] for form in chunk)


def _phone_chunks(forms: list[str], room: int) -> Iterator[tuple[str, ...]]:
    """Take 20 numbers at most: each counts as two values."""
    for chunk in chunks(forms, room=room):
        for start in range(0, len(chunk), 20):
            yield chunk[start : start + 20]


def _written_forms(digits: str) -> tuple[str, ...]:
    """Return the forms in which Nextech may hold a number: as its own examples write it, and as bare digits."""
    if len(digits) != _LOCAL_DIGITS:
        return (digits,)
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", digits


def _id_searches(patient_ids: Sequence[str], room: int) -> Iterator[_Planned]:
    wanted = dict.fromkeys(guid(text) or text.strip().lower() for text in patient_ids)
    for chunk in chunks([text for text in wanted if text and text.replace("-", "").isalnum()], room=room):
        yield _Kind.ID, (("identifier", ",".join(chunk)),), frozenset(chunk)


def _name_params(field: str, name: str | None) -> Params:
    if name is None or not _may_be_sent(name.strip()):
        return ()
    prefix, comma, _ = name.strip().partition(",")
    return ((field, prefix.strip()),) if comma else ((f"{field}:exact", prefix),)


def _may_be_sent(value: str) -> bool:
    return bool(value) and len(value) <= _LONGEST_VALUE and value.isprintable() and len(quote(value)) <= _LONGEST_QUOTED


def _plain(text: str) -> str:
    """Fold case, accents and outer blanks: wide enough that the server's own comparison is never narrower."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
