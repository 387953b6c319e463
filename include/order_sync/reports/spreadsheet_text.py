"""Keep text text in a spreadsheet: nothing that came from elsewhere may become a formula, a link or a broken file."""

from __future__ import annotations

import unicodedata

from order_sync.reports.wording import one_line

_STARTS_A_FORMULA = frozenset("=+-@|%")
_LOOKED_THROUGH = frozenset({"Pi", "Pf", "Ps", "Sk"})
"""Unicode's kinds of quotes, brackets and accents that stand alone."""


def is_like_a_formula(text: str) -> bool:
    """Say whether a spreadsheet could take a text for a formula.

    It can when the first character does: `=`, `+`, `-`, `@`, a tab, a line break, a NUL. Programs skip blanks and quotes
    before it, and some take full-width forms for the plain ones (OWASP, CSV injection), so these are looked through.
    """
    if text and unicodedata.category(text[0]) in {"Cc", "Zl", "Zp"}:
        return True
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "CZ" or category in _LOOKED_THROUGH or character in "\"'":
            continue
        return any(plain in _STARTS_A_FORMULA for plain in unicodedata.normalize("NFKC", character)[:1])
    return False


def cell_text(text: str) -> str:
    """Return a text for a typed text cell: on one line, without characters that a workbook cannot hold."""
    return one_line(text)


def delimited_text(text: str) -> str:
    """Return a text for a file in which text and formulas look alike: an apostrophe stands before what could be one."""
    line = one_line(text)
    return f"'{line}" if is_like_a_formula(text) or is_like_a_formula(line) else line
