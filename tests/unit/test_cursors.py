"""The cursor of a list: what a stranger made of it is refused in words, and never reaches the database."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from order_sync.ledger.cursors import Cursor, CursorError, decode_cursor


def packed(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_cursor_comes_back_as_it_was() -> None:
    cursor = Cursor("placed", True, (datetime(2026, 11, 1, 5, 59, tzinfo=UTC),), 7)
    assert decode_cursor(cursor.encode(), sort="placed", kinds=(datetime,)) == cursor


@pytest.mark.parametrize(
    ("kinds", "key"),
    [
        ((datetime,), [{"at": "0001-01-01T00:00:00+14:00"}]),
        ((datetime,), [{"at": "9999-12-31T23:59:59-14:00"}]),
        ((datetime,), [{"at": 7}]),
        ((str,), ["\ud800"]),
        ((str,), ["\0"]),
        ((int,), [2**80]),
        ((int,), [True]),
        ((int,), [1, 2]),
    ],
)
def test_a_cursor_that_nobody_was_given_is_refused(kinds: tuple[type, ...], key: list[object]) -> None:
    with pytest.raises(CursorError):
        decode_cursor(packed("placed", False, key, 1), sort="placed", kinds=kinds)
