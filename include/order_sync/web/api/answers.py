"""What every answer of the API has in common: strict models, amounts in cents, instants in UTC, and one form of failure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import HTTPException, Request
from pydantic import AfterValidator, BaseModel, ConfigDict


class Answer(BaseModel):
    """An answer of the API; what stands behind its fields' names is said in the document that describes the API."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Question(BaseModel):
    """The body of a call that changes something; a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, str_strip_whitespace=True)


class Failure(Answer):
    """Why a call was not answered."""

    error: str
    """A stable code: unreadable, not_logged_in, not_allowed, not_found, method_not_allowed, somebody_was_first, not_possible,
    failed, other_system_unavailable, not_available."""
    detail: str
    """What happened and what to do, in one sentence; it holds no patient data."""


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_in_utc)]
"""An instant as ISO 8601 in UTC."""

_SENTENCES = {
    400: "Something in the question cannot be read",
    401: "No valid login came with the call",
    403: "The login may not do this",
    404: "There is no such thing, or it is of a practice that is closed to the login",
    409: "Somebody, or the sync, was first: read it again",
    422: "It cannot be done; the sentence says why",
    502: "The store or Nextech does not answer",
    503: "The ledger or a setting is not available",
}


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the document says of the failures of a call."""
    return {status: {"model": Failure, "description": _SENTENCES[status]} for status in (400, 401, 403, *statuses, 422, 503)}


def refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """Raise `HTTPException` 400 for a parameter that is not known: a filter that is misspelt must not mean "all"."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise HTTPException(400, f"There is no parameter {', '.join(repr(name) for name in unknown)[:200]}")
