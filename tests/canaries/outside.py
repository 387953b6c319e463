"""The outside at its worst: its errors name patients, and its answers have shapes that nobody expects."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx

from tests.canaries.people import SENTENCE, TOKENS

_NOT_SAID = frozenset({"resourceType", "error", "code", "severity"})
_OWN_KEYS = frozenset(
    {"entity_id", "increment_id", "id", "identifier", "value", "state", "status", "reference", "url", "sku", "use", "system"}
)
"""What the other side gives as its own ids and words: never replaced by a canary text, only by other shapes."""


class TellingTransport(httpx.BaseTransport):
    """Let every error of the outside quote a patient: bodies, headers, and the texts of broken connections."""

    def __init__(self, inner: httpx.BaseTransport, seen: set[str]) -> None:
        self.inner = inner
        self.seen = seen
        """Every token that came or went: what there was to leak."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._note(request.read())
        self._note(str(request.url.params).encode())
        try:
            response = self.inner.handle_request(request)
        except httpx.TransportError as error:
            self.seen.add(SENTENCE)
            told = type(error)(f"{error}: {request.url} {SENTENCE}")
            told.request = request
            raise told from error
        body = response.read()
        self._note(body)
        if response.is_success and self.is_json(response):
            return self.answered(response)
        self.seen.add(SENTENCE)
        headers = {name: value for name, value in response.headers.items() if name not in ("content-length", "location")}
        headers |= {
            "Location": f"https://elsewhere.example/?patient={httpx.QueryParams({'p': SENTENCE})}",
            "WWW-Authenticate": f'Bearer error_description="{SENTENCE}"',
            "X-Error": SENTENCE,
        }
        text = json.dumps(quoting(json.loads(body))) if body and self.is_json(response) else f"{body.decode()} {SENTENCE}"
        extensions = {"reason_phrase": SENTENCE.encode()}
        return httpx.Response(response.status_code, headers=headers, text=text, request=request, extensions=extensions)

    def answered(self, response: httpx.Response) -> httpx.Response:
        return response

    def is_json(self, response: httpx.Response) -> bool:
        try:
            json.loads(response.read())
        except ValueError:
            return False
        return True

    def _note(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        self.seen |= {token for token in TOKENS if token in text}


def quoting(document: Any) -> Any:
    """Return an error's document with the sentence at the end of every text that it says."""
    if isinstance(document, dict):
        return {key: value if key in _NOT_SAID else quoting(value) for key, value in document.items()}
    if isinstance(document, list):
        return [quoting(value) for value in document]
    return f"{document} {SENTENCE}" if isinstance(document, str) else document


class MisshapingTransport(TellingTransport):
    """Change some values of every answer into something of another shape, mostly with a patient in it."""

    def __init__(self, inner: httpx.BaseTransport, seen: set[str], rng: random.Random, share: float) -> None:
        super().__init__(inner, seen)
        self.rng = rng
        self.share = share

    def answered(self, response: httpx.Response) -> httpx.Response:
        if "token" in response.request.url.path:
            return response
        document = self._misshapen(json.loads(response.read()), "")
        headers = {"content-type": response.headers.get("content-type", "application/json")}
        return httpx.Response(response.status_code, headers=headers, text=json.dumps(document), request=response.request)

    def _misshapen(self, value: Any, key: str) -> Any:
        if self.rng.random() < self.share:
            shapes: list[Any] = [
                None,
                [],
                3.5,
                True,
                {SENTENCE: SENTENCE},
                [SENTENCE],
                [[SENTENCE]],
                {"value": {"x": SENTENCE}},
            ]
            return self.rng.choice(shapes if key in _OWN_KEYS else [*shapes, SENTENCE, SENTENCE])
        if isinstance(value, dict):
            return {name: self._misshapen(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._misshapen(inner, key) for inner in value]
        return value
