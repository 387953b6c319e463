"""The marker that finds a posting again in Nextech, which offers neither an idempotency key nor an external id.

`DP-7K3QX0M9ZT4R-H`: 60 bits of a keyed hash of the posting's identity in Crockford's base 32, then a check character
(reliability 3.1). The same order has the same marker for ever, even after our own database is lost.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from dataclasses import dataclass

from order_sync.orders import Order
from order_sync.practices import Practice

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS_PER_CHARACTER = 5
_CHARACTERS = 12
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_FIELD_POLYNOMIAL = 0b100101
"""x^5 + x^2 + 1, irreducible: it makes a field of the 32 characters."""

_DASH = r"\s*[-\u2010-\u2015\u2212]\s*"
_WRITTEN_MARKER = re.compile(rf"(?<![0-9A-Z])DP{_DASH}([0-9A-Z]{{12}}){_DASH}([0-9A-Z])(?![0-9A-Z])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingKey:
    """What one posting is for; unique in the ledger. Never the order's number, which other documents may carry too."""

    practice_id: str
    store: str
    """The store view's id."""
    entity_id: int
    document_type: str = "order"
    tender_line: int = 1
    kind: str = "payment"

    def as_text(self) -> str:
        """Return the key as the ledger keeps it: "eastern/1/order/4127/1/payment"."""
        parts = (self.practice_id, self.store, self.document_type, self.entity_id, self.tender_line, self.kind)
        return "/".join(map(str, parts))


def posting_key(order: Order, practice: Practice) -> PostingKey:
    """Return the identity of an order's one posting."""
    return PostingKey(practice_id=practice.id, store=str(order.store_id), entity_id=order.entity_id)


def make_marker(key: bytes, posting: PostingKey) -> str:
    """Return the marker of a posting under the practice's secret key.

    Raises `ValueError` for an empty key: unkeyed, order numbers could be tested against the markers of a report.
    """
    if not key:
        msg = "the key of the markers is empty"
        raise ValueError(msg)
    identity = json.dumps(
        [
            "marker-1",
            posting.practice_id,
            posting.store,
            posting.document_type,
            posting.entity_id,
            posting.tender_line,
            posting.kind,
        ]
    )
    digest = hmac.new(key, identity.encode(), hashlib.sha256).digest()
    number = int.from_bytes(digest[:8], "big") >> (64 - _BITS_PER_CHARACTER * _CHARACTERS)
    shifts = range(_BITS_PER_CHARACTER * (_CHARACTERS - 1), -1, -_BITS_PER_CHARACTER)
    code = "".join(_ALPHABET[(number >> shift) & 31] for shift in shifts)
    return f"DP-{code}-{_check_character(code)}"


def find_markers(text: str) -> list[str]:
    """Return every valid marker in a text, in its canonical form, each once, in order of appearance.

    Survives what a server or a person does to a note: other case, blanks around the dashes, typographic dashes, O for 0,
    I and L for 1. A marker with a wrong check character is no marker.
    """
    found = (_canonical(match) for match in _WRITTEN_MARKER.finditer(unicodedata.normalize("NFKC", text)))
    return list(dict.fromkeys(marker for marker in found if marker is not None))


def is_valid_marker(text: str) -> bool:
    """Say whether a text is one marker and nothing else, in any of the spellings that `find_markers` forgives."""
    match = _WRITTEN_MARKER.fullmatch(unicodedata.normalize("NFKC", text.strip()))
    return match is not None and _canonical(match) is not None


def without_markers(text: str) -> str:
    """Return a text in which nothing reads as a marker: a product's name must not be able to claim another posting."""
    return _WRITTEN_MARKER.sub("*", unicodedata.normalize("NFKC", text))


def _canonical(match: re.Match[str]) -> str | None:
    code, check = (part.upper().translate(_MISREAD) for part in match.groups())
    if any(character not in _VALUE for character in code) or _check_character(code) != check:
        return None
    return f"DP-{code}-{check}"


def _check_character(code: str) -> str:
    """Return the character that ends a code.

    H. M. Damm's check digit over the field of 32 elements: it notices every single wrong character and every swap of two
    neighbours, as ISO 7064 or Crockford's modulus 37 would, but needs no `*~$=`, which a ledger's note may not survive.
    """
    interim = 0
    for character in code:
        interim = (interim ^ _VALUE[character]) << 1
        if interim & 32:
            interim ^= _FIELD_POLYNOMIAL
    return _ALPHABET[interim]
