"""A statement as the ledger keeps it, and the hash that tells whether a period's figures have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from order_sync.reconciliation.statement import Line, Statement

_STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)
_LINE: TypeAdapter[Line] = TypeAdapter(Line)


def record_statement(statement: Statement) -> dict[str, Any]:
    """Return a statement without its lines, as JSON values."""
    record: dict[str, Any] = _STATEMENT.dump_python(replace(statement, lines=()), mode="json")
    return record


def record_line(line: Line) -> dict[str, Any]:
    """Return a line as JSON values."""
    record: dict[str, Any] = _LINE.dump_python(line, mode="json")
    return record


def restore_statement(record: dict[str, Any], lines: Iterable[dict[str, Any]]) -> Statement:
    """Return the statement that was recorded; raises pydantic's `ValidationError` for a record that is none."""
    statement = _STATEMENT.validate_python(record, strict=False)
    return replace(statement, lines=tuple(restore_line(line) for line in lines))


def restore_line(record: dict[str, Any]) -> Line:
    """Return the line that was recorded; raises pydantic's `ValidationError` for a record that is none."""
    return _LINE.validate_python(record, strict=False)


def hash_facts(statement: Statement) -> str:
    """Return the SHA-256 of what the statement says of money, line by line.

    A reason, an owner or an age that changes re-opens nothing; an amount, a day, a class or an entry does.
    """
    facts = [
        [
            line.subject,
            line.class_.value,
            line.store_cents,
            line.nextech_cents,
            line.store_day.isoformat() if line.store_day else None,
            line.nextech_day.isoformat() if line.nextech_day else None,
            list(line.payment_ids),
        ]
        for line in sorted(statement.lines, key=lambda line: (line.subject, line.class_.value))
    ]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()
