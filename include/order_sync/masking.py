"""Contact details as a page may show them: enough to recognise, too little to use."""

from __future__ import annotations

import unicodedata

_DOTS = "\u2022\u2022\u2022"
_SHORTEST_PHONE_DIGITS = 7
_LONGEST_LINE = 100


def mask_email(email: str | None) -> str | None:
    """Return the first letter and the domain: "a•••@mailbox.example"; dots alone for what is no address."""
    line = one_line(email)
    if line is None:
        return None
    name, at, domain = line.rpartition("@")
    return f"{name[0]}{_DOTS}@{domain}" if name and at and domain else _DOTS


def mask_phone(phone: str | None) -> str | None:
    """Return the last four digits: "••• 0142"; dots alone for what is no number."""
    line = one_line(phone)
    if line is None:
        return None
    digits = "".join(char for char in line if char.isdecimal())
    return f"{_DOTS} {digits[-4:]}" if len(digits) >= _SHORTEST_PHONE_DIGITS else _DOTS


def one_line(text: str | None, *, longest: int = _LONGEST_LINE) -> str | None:
    """Return what somebody typed as one short line without control characters and bidirectional marks; None if empty."""
    if not text:
        return None
    visible = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text[: 4 * longest])
    return " ".join(visible.split())[:longest].strip() or None
