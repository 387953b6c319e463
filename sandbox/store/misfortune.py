"""How a fault spoils a request: the answers that proxies, PHP and a tired host give (store contract section 6)."""

from __future__ import annotations

import json
import random

from sandbox.store.complaints import masked
from sandbox.store.exchange import HTML_TYPE, JSON_TYPE, TEXT_TYPE, Answer, Delivery
from sandbox.store.faults import Effect, Fault

_PAGE = (
    "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>"
    "<p>The server is temporarily unable to service your request.</p></body></html>"
)
_STOPS = frozenset(
    {
        Effect.MASKED_500,
        Effect.PHP_FATAL,
        Effect.MESSAGE_200,
        Effect.MAINTENANCE,
        Effect.TOO_MANY,
        Effect.BAD_GATEWAY,
        Effect.GATEWAY_TIMEOUT,
        Effect.HANG,
        Effect.RESET,
    }
)


def replaces(fault: Fault) -> bool:
    """Say whether the fault takes the place of the store's own answer."""
    return fault.effect in _STOPS


def replacement(fault: Fault, rng: random.Random) -> Answer:
    """Return the answer that stands in the place of the store's own."""
    match fault.effect:
        case Effect.MASKED_500:
            complaint = masked(f"{rng.getrandbits(52):013x}")
            answer = _json(complaint.status, json.dumps(complaint.body()))
        case Effect.PHP_FATAL:
            text = f"Server internal error. See details in report api/{rng.getrandbits(32)}"
            answer = _json(500, json.dumps({"messages": {"error": [{"code": 500, "message": text}]}}))
        case Effect.MESSAGE_200:
            answer = _json(200, '{"message":"Product was deleted."}')
        case Effect.TOO_MANY:
            answer = _page(429, "Too Many Requests")
            answer.delay_seconds = fault.seconds
            if fault.retry_after is not None:
                answer.headers["Retry-After"] = fault.retry_after
        case Effect.BAD_GATEWAY:
            answer = _page(502, "Bad Gateway")
        case Effect.GATEWAY_TIMEOUT:
            answer = Answer(504, b"first byte timeout", TEXT_TYPE)
        case Effect.MAINTENANCE:
            answer = _page(503, "Service Temporarily Unavailable")
        case effect:
            answer = Answer(502, b"", delivery=Delivery.RESET if effect is Effect.RESET else Delivery.NEVER)
            answer.delivery_seconds = fault.seconds
    return answer


def spoil(answer: Answer, fault: Fault) -> None:
    """Change how the store's own answer travels."""
    match fault.effect:
        case Effect.TRUNCATED:
            answer.body = answer.body[: len(answer.body) // 2]
        case Effect.SLOW_BODY:
            answer.delivery = Delivery.SLOW
            answer.delivery_seconds = fault.seconds
        case Effect.LATENCY:
            answer.delay_seconds += fault.seconds
        case _:
            pass


def _json(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), JSON_TYPE)


def _page(status: int, title: str) -> Answer:
    return Answer(status, _PAGE.format(title=title).encode(), HTML_TYPE)
