"""The one form in which e-mails, phones, names, ZIPs and birth dates are compared, and which values mean *unknown*.

Decides nothing about who is who. Whatever cannot be a real value (a placeholder, 10 kB of text, only emoji) is None:
unknown, and so never equal and never different.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

import phonenumbers

from order_sync.orders import Customer
from order_sync.patients import Patient
from order_sync.practices import Practice

PLACEHOLDERS_VERSION = "1"
"""Raise it with every change of the tables below: each decision records it."""

PLACEHOLDER_EMAILS = frozenset(
    {"no@email.com", "na@na.com", "no@no.com", "none@none.com", "a@a.com", "test@test.com", "email@email.com", "n/a@n/a.com"}
)
PLACEHOLDER_EMAIL_NAMES = frozenset(
    {
        *("noemail", "no-email", "no.email", "no_email", "noemailaddress", "nomail", "no-mail", "none", "unknown"),
        *("noreply", "no-reply", "donotreply", "declined", "refused", "notprovided", "n/a"),
    }
)
PLACEHOLDER_EMAIL_DOMAINS = frozenset({"none.com", "noemail.com", "no-email.com", "nomail.com", "noemail.none", "email.none"})
PLACEHOLDER_NAMES = frozenset({"unknown", "none", "null", "n a", "guest", "not provided", "no name", "first name", "last name"})
PLACEHOLDER_POSTAL_CODES = frozenset({"00000", "99999"})
PLACEHOLDER_PHONE_DIGITS = frozenset({"1234567890", "0123456789", "1234567"})
PLACEHOLDER_BIRTH_DATES = frozenset({date(1901, 1, 1), date(1910, 1, 1)})

_LONGEST_NAME = 200
_LONGEST_EMAIL = 254
_LONGEST_PHONE = 60
_SHORTEST_PHONE_DIGITS = 7
_LONGEST_PHONE_DIGITS = 20
_US_DIGITS = 10
_FIRST_BIRTH_YEAR = 1901
_LAST_BIRTH_YEAR = 2100

_SILENT_MARKS = str.maketrans(dict.fromkeys("'`.\u00b4\u2018\u2019\u02bb\u02bc"))
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
)
"""Letters that Unicode does not take apart into a plain one and an accent."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_SUFFIXES = {
    "jr": "jr",
    "junior": "jr",
    "sr": "sr",
    "senior": "sr",
    "ii": "ii",
    "2nd": "ii",
    "iii": "iii",
    "3rd": "iii",
    "iv": "iv",
    "4th": "iv",
    "v": "v",
    "5th": "v",
}
_SUFFIXES_AFTER_A_NAME = frozenset(_SUFFIXES) - {"v", "senior"}
"""What is read as a suffix at the end of a name; V may be an initial and Senior is a surname."""


@dataclass(frozen=True, slots=True)
class NormalPerson:
    """One person in comparable form; None and the empty set mean unknown."""

    first: str | None = field(default=None, repr=False)
    middle: str | None = field(default=None, repr=False)
    last: str | None = field(default=None, repr=False)
    nickname: str | None = field(default=None, repr=False)
    suffix: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phones: frozenset[str] = field(default=frozenset(), repr=False)
    birth_date: date | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)


def normalise_name(name: str | None) -> str | None:
    """Return a name without case, accents and punctuation, words apart by one blank; None when nothing is left.

    Apostrophes and full stops vanish ("O'Brien" is "obrien"), hyphens part words ("García-Núñez" is "garcia nunez").
    """
    text = _bounded(name, _LONGEST_NAME)
    if text is None:
        return None
    folded = unicodedata.normalize("NFKD", text.translate(_SILENT_MARKS)).casefold().translate(_PLAIN_LETTERS)
    bare = "".join(character for character in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(character))
    words = "".join(character if character.isalnum() else " " for character in bare).split()
    normal = " ".join(words)
    return None if not normal or normal in PLACEHOLDER_NAMES else normal


def normalise_suffix(suffix: str | None) -> str | None:
    """Return jr, sr, ii, iii, iv or v; None for anything else, such as a degree."""
    return _SUFFIXES.get(normalise_name(suffix) or "")


def split_suffix(name: str | None) -> tuple[str | None, str | None]:
    """Part a normal name from the generation suffix at its end: "ruiz jr" is ("ruiz", "jr")."""
    if name is None:
        return None, None
    head, blank, tail = name.rpartition(" ")
    if blank and tail in _SUFFIXES_AFTER_A_NAME:
        return head, _SUFFIXES[tail]
    return name, None


def normalise_email(email: str | None) -> str | None:
    """Return an e-mail address without case and outer blanks; None for placeholders and for what is no address.

    Dots and plus-tags in front of the @ are kept: only some providers ignore them, and guessing that two addresses are
    one person's is how money reaches a stranger's chart.
    """
    text = _bounded(email, _LONGEST_EMAIL)
    if text is None:
        return None
    visible = "".join(character for character in unicodedata.normalize("NFKC", text) if unicodedata.category(character) != "Cf")
    normal = visible.strip().casefold()
    if not _EMAIL.fullmatch(normal) or any(unicodedata.category(character).startswith("C") for character in normal):
        return None
    name, _, domain = normal.rpartition("@")
    is_placeholder = normal in PLACEHOLDER_EMAILS or name in PLACEHOLDER_EMAIL_NAMES or domain in PLACEHOLDER_EMAIL_DOMAINS
    return None if is_placeholder else normal


def normalise_phone(phone: str | None) -> str | None:
    """Return a phone number as E.164, read as a US number; the bare digits when it cannot be one; None for placeholders.

    Extensions are dropped. A local number without its area code stays as seven digits.
    """
    text = _bounded(phone, _LONGEST_PHONE)
    if text is None:
        return None
    digits = "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())
    normal = _e164(text) or _e164(digits) or digits
    return normal if _is_known(normal.removeprefix("+")) else None


def normalise_postal_code(postal_code: str | None) -> str | None:
    """Return the five digits of a US ZIP, also of a ZIP+4; None for placeholders and for what is no ZIP."""
    text = _bounded(postal_code, _LONGEST_PHONE)
    match = re.fullmatch(r"([0-9]{5})(?:[- ]?[0-9]{4})?", unicodedata.normalize("NFKC", text)) if text else None
    return None if match is None or match[1] in PLACEHOLDER_POSTAL_CODES else match[1]


def known_birth_date(birth_date: date | None) -> date | None:
    """Return a birth date, or None when it is a system's way to say that it does not know: 1900-01-01 and the like."""
    if birth_date is None or birth_date in PLACEHOLDER_BIRTH_DATES:
        return None
    return birth_date if _FIRST_BIRTH_YEAR <= birth_date.year < _LAST_BIRTH_YEAR else None


def normalise_customer(customer: Customer, practice: Practice) -> NormalPerson:
    """Return the person of an order in comparable form; the practice's own phones are unknown."""
    return _normal_person(customer, practice, phones=(customer.phone,))


def normalise_patient(patient: Patient, practice: Practice) -> NormalPerson:
    """Return a chart in comparable form; what Nextech keeps private, and the practice's own phones, are unknown."""
    return _normal_person(
        patient,
        practice,
        phones=patient.phones,
        middle=normalise_name(patient.middle),
        nickname=normalise_name(patient.nickname),
    )


def _normal_person(
    person: Customer | Patient,
    practice: Practice,
    *,
    phones: tuple[str | None, ...],
    middle: str | None = None,
    nickname: str | None = None,
) -> NormalPerson:
    first, suffix_of_first = split_suffix(normalise_name(person.first))
    last, suffix_of_last = split_suffix(normalise_name(person.last))
    own_phones = {normalise_phone(phone) for phone in practice.own_phones}
    return NormalPerson(
        first=first,
        middle=middle,
        last=last,
        nickname=nickname,
        suffix=normalise_suffix(person.suffix) or suffix_of_last or suffix_of_first,
        email=normalise_email(person.email),
        phones=frozenset(normal for phone in phones if (normal := normalise_phone(phone)) and normal not in own_phones),
        birth_date=known_birth_date(person.birth_date),
        postal_code=normalise_postal_code(person.postal_code),
    )


def _bounded(text: str | None, longest: int) -> str | None:
    """Return a text without outer blanks; None when it is too long to be true: a cut one could equal another's."""
    stripped = text.strip() if text else ""
    return stripped if 0 < len(stripped) <= longest else None


def _is_known(digits: str) -> bool:
    is_plausible = _SHORTEST_PHONE_DIGITS <= len(digits) <= _LONGEST_PHONE_DIGITS
    national = digits[1:] if len(digits) == _US_DIGITS + 1 and digits.startswith("1") else digits
    return is_plausible and len(set(national)) > 1 and national not in PLACEHOLDER_PHONE_DIGITS


def _e164(written: str) -> str | None:
    try:
        number = phonenumbers.parse(written, "US")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
