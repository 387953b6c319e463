"""Where a page of a list ends or begins, as text for a link: opaque to the reader, checked when it comes back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from order_sync.errors import PermanentError

KeyPart: TypeAlias = datetime | int | str | None
"""What a list can be sorted by; None is an amount that the store's order does not have."""

Kind: TypeAlias = type | tuple[type, ...]

_LONGEST = 600
_LARGEST = 2**63 - 1


class CursorError(PermanentError):
    """The place in a list that a link names cannot be read; the list's first page can."""

    def __init__(self) -> None:
        super().__init__("this place in the list cannot be found any more; start again at the first page")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Between two rows of a list: after the row with this key, or before it."""

    sort: str
    """The order of the list that it belongs to."""
    is_backward: bool
    key: tuple[KeyPart, ...]
    id: int

    def encode(self) -> str:
        """Return it as text that fits into a URL as it is."""
        parts = [{"at": part.isoformat()} if isinstance(part, datetime) else part for part in self.key]
        packed = json.dumps([self.sort, self.is_backward, parts, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode_cursor(text: str, *, sort: str, kinds: Sequence[Kind]) -> Cursor:
    """Read a cursor back.

    `sort` is the order of the list that is asked for, `kinds` the types of its key. Raises `CursorError` for everything
    that `Cursor.encode` does not write, and for a cursor of another order.
    """
    if len(text) > _LONGEST:
        raise CursorError
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        of_sort, is_backward, parts, row_id = json.loads(packed)
        key = tuple(_restore(part) for part in parts)
    except (binascii.Error, ValueError, OverflowError, TypeError, KeyError, RecursionError):
        raise CursorError from None
    fits = len(key) == len(kinds) and all(_is(part, kind) for part, kind in zip(key, kinds, strict=True))
    if of_sort != sort or not isinstance(is_backward, bool) or not fits or not _is(row_id, int):
        raise CursorError
    return Cursor(sort, is_backward, key, row_id)


def _restore(part: Any) -> Any:  # noqa: ANN401 - whatever a stranger sent
    if isinstance(part, dict):
        return datetime.fromisoformat(part["at"]).astimezone(UTC)
    return part


def _is(part: object, kind: Kind) -> bool:
    if isinstance(part, bool) or not isinstance(part, kind):
        return False
    if isinstance(part, int):
        return abs(part) <= _LARGEST
    return not isinstance(part, str) or not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in part)
