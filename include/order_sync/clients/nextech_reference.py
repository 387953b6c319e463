"""What is read by its id: locations and practitioners, which settings refer to, and a payment that a person names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from order_sync.clients.http import Answer
from order_sync.errors import IncompleteReadError

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """A location or practitioner of the practice, as far as the settings refer to it."""

    entry_id: str
    name: str | None
    is_active: bool


def read_one(answer: Answer, kind: str) -> dict[str, Any] | None:
    """Return the resource that was asked for by its id, None when there is none; raises `IncompleteReadError` otherwise."""
    document = answer.document
    if answer.status == _NOT_FOUND and answer.is_api_shaped:
        return None
    if not isinstance(document, dict) or document.get("resourceType") != kind:
        reason = "the answer is not what was asked for"
        raise IncompleteReadError(reason, system="nextech", route=f"GET /{kind}/{{id}}", status=answer.status)
    return document


def read_reference(answer: Answer, kind: str, entry_id: str) -> ReferenceEntry | None:
    """Return what an answer about one entry says, None when there is none; raises `IncompleteReadError` otherwise."""
    document = read_one(answer, kind)
    if document is None:
        return None
    name = document.get("name")
    if isinstance(name, list) and name and isinstance(name[0], dict):
        name = name[0].get("text")
    is_active = document.get("status", "active") == "active" and document.get("active", True) is True
    return ReferenceEntry(entry_id, name if isinstance(name, str) else None, is_active)
