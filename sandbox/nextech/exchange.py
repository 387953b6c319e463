"""One request and one answer without HTTP, and how the answer travels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


class Delivery(StrEnum):
    """How an answer reaches the caller."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    """The connection ends in the middle of the body."""
    DRIPPED = "dripped"
    """One byte at a time, for ever so slowly."""
    NEVER = "never"
    """The connection stays open and nothing comes."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived; `path` begins below the place where the app is mounted."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, when, and how."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        """Say whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    def json(self) -> Any:  # noqa: ANN401
        """Return the parsed body."""
        return json.loads(self.body)


def json_answer(status: int, document: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Write a document as JSON."""
    return Answer(status, json.dumps(document, separators=(",", ":")).encode(), headers=headers or {})


class RefusedError(Exception):
    """Say that a request is refused, with a status and a sentence without patient data."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        """Keep what the answer needs."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})
