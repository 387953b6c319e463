"""One request and one answer without HTTP, and how the answer travels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


class Delivery(StrEnum):
    """How an answer reaches the caller."""

    WHOLE = "whole"
    SLOW = "slow"
    """In ten pieces over `delivery_seconds`."""
    NEVER = "never"
    """Nothing comes for `delivery_seconds`, then the connection is closed."""
    RESET = "reset"
    """The connection is reset at once."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived; `path` begins below the place where the app is mounted."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    url: str = ""
    """The whole address without the query, as the caller signed it."""


@dataclass(slots=True)
class Answer:
    """What is sent back, when, and how."""

    status: int
    body: bytes = field(repr=False)
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    delivery: Delivery = Delivery.WHOLE
    delivery_seconds: float = 0
