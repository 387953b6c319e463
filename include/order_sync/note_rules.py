"""What staff may not write into a note: patient data is never at rest with us (design section 8).

Two looks: for what has the form of an e-mail, a phone number or a birth date, and for what the order's customer is called
and can be reached by. Our own numbers, such as the order's or a payment's, are no phone numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from order_sync.masking import one_line
from order_sync.normal_forms import known_birth_date, normalise_email, normalise_name, normalise_phone
from order_sync.orders import Customer

LONGEST_NOTE = 200
TOO_LONG = f"A note has {LONGEST_NOTE} characters at most."
EMAIL = "The note contains what looks like an e-mail address; leave it out."
PHONE = "The note contains what looks like a phone number; leave it out."
BIRTH_DATE = "The note contains what looks like a birth date; leave it out."
NAME = "The note contains the customer's name; leave it out."
CONTACT = "The note contains the customer's e-mail or phone; leave it out."

_YOUNGEST = timedelta(days=2 * 366)
"""A day longer ago than this is no day on which anybody did something about an order of today."""
_SHORTEST_WORD = 3
_SHORTEST_RUN = 6
_EMAIL = re.compile(r"\S@\S|\S\s*[(\[{]\s*at\s*[)\]}]\s*\S", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<!\d)(?:\+?1[\s./-]*)?\(?\d{3}\)?[\s./-]*\d{3}[\s./-]*\d{4}(?!\d)"  # (305) 555-0142, 3055550142
    r"|(?<!\d)\d{3}[\s./-]\d{4}(?!\d)"  # 555-0142
    r"|\+\d(?:[\s./()-]*\d){7,}"  # +44 20 7946 0123
)
_BORN = re.compile(r"\b(?:born|birth\w*|dob|d\.o\.b\.?|b-?day)\b\D{0,20}\d", re.IGNORECASE)
_DIGITS = re.compile(
    r"(?<!\d)(?P<y>\d{4})[\s./-](?P<m>\d{1,2})[\s./-](?P<d>\d{1,2})(?!\d)"
    r"|(?<!\d)(?P<a>\d{1,2})[\s./-](?P<b>\d{1,2})[\s./-](?P<c>\d{4}|\d{2})(?!\d)"
    r"|(?<!\d)(?P<run>\d{8})(?!\d)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<{{}}>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<{}>\d{{1,2}})(?:st|nd|rd|th)?"
_WORDS = (
    re.compile(rf"\b{_MONTH.format('m')}\s+{_DAY.format('d')},?\s+'?(?P<y>\d{{4}}|\d{{2}})\b", re.IGNORECASE),
    re.compile(rf"\b{_DAY.format('d')}\.?\s+{_MONTH.format('m')},?\s+'?(?P<y>\d{{4}}|\d{{2}})\b", re.IGNORECASE),
)


def clean_note(text: str) -> str | None:
    """Return a note as one line without control characters; None when nothing is left."""
    return one_line(text, longest=10 * LONGEST_NOTE)


def what_is_wrong(note: str, *, today: date, customer: Customer | None = None, ours: Iterable[str | None] = ()) -> str | None:
    """Return why a note may not be kept, in one sentence that does not repeat it; None when it may.

    `today` is the practice's own day; `ours` are order numbers, payment ids and markers, which may stand in it. Whoever has no
    customer at hand has only the first look.
    """
    if len(note) > LONGEST_NOTE:
        return TOO_LONG
    text = unicodedata.normalize("NFKC", note)
    if _EMAIL.search(text):
        return EMAIL
    bare = _without(text, ours)
    if any(day < today - _YOUNGEST for day in _days_in(bare, today)) or _BORN.search(bare):
        return BIRTH_DATE
    if _PHONE.search(_without_days(bare, today)):
        return PHONE
    return _what_names(customer, text, bare, today) if customer is not None else None


def _what_names(customer: Customer, text: str, bare: str, today: date) -> str | None:
    words = (normalise_name(text) or "").split()
    run = "".join(words)
    parts = [(normalise_name(name) or "").split() for name in (customer.first, customer.last)]
    names = ["".join(part) for part in parts]
    is_named = any(word in words for part in parts for word in part if len(word) >= _SHORTEST_WORD or [word] == part)
    is_run_together = any(len(name) >= _SHORTEST_RUN and name in run for name in (*names, "".join(names)))
    if is_named or is_run_together:
        return NAME
    if any(day == known_birth_date(customer.birth_date) for day in _days_in(bare, today)):
        return BIRTH_DATE
    email, phone = normalise_email(customer.email), normalise_phone(customer.phone)
    local = email.partition("@")[0] if email else ""
    digits = "".join(char for char in phone or "" if char.isdecimal())[-7:]
    has_contact = (len(local) >= _SHORTEST_WORD and local in text.casefold().split()) or (
        len(digits) == 7 and digits in "".join(char for char in bare if char.isdecimal())  # noqa: PLR2004 - a local number
    )
    return CONTACT if has_contact else None


def _without(text: str, ours: Iterable[str | None]) -> str:
    for own in sorted((one for one in ours if one), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", "#", text, flags=re.IGNORECASE)
    return text


def _without_days(text: str, today: date) -> str:
    """Take written days away, so that "2026-11-20 at 1000" is no phone number."""
    for pattern in _WORDS:
        text = pattern.sub("#", text)
    return _DIGITS.sub(lambda match: match[0] if match["run"] or not list(_days_of(match, today)) else "#", text)


def _days_in(text: str, today: date) -> Iterator[date]:
    for match in _DIGITS.finditer(text):
        yield from _days_of(match, today)
    for pattern in _WORDS:
        for match in pattern.finditer(text):
            month = str(1 + _MONTHS.index(match["m"].lower()[:3]))
            yield from _days((match["y"], month, match["d"]), today=today)


def _days_of(match: re.Match[str], today: date) -> Iterator[date]:
    if match["run"]:
        run = match["run"]
        return _days((run[:4], run[4:6], run[6:]), (run[4:], run[:2], run[2:4]), today=today)
    if match["y"]:
        return _days((match["y"], match["m"], match["d"]), today=today)
    return _days((match["c"], match["a"], match["b"]), (match["c"], match["b"], match["a"]), today=today)


def _days(*readings: tuple[str, str, str], today: date) -> Iterator[date]:
    """Yield the day that each reading of year, month and day means; a year of two digits is never in the future."""
    for year_text, month, day in readings:
        year = int(year_text)
        if len(year_text) < len("1988"):
            year += 2000 if 2000 + year <= today.year + 1 else 1900
        try:
            found = datetime(year, int(month), int(day)).date()  # noqa: DTZ001 - a birth date has no zone
        except ValueError:
            continue
        if known_birth_date(found) is not None:
            yield found
