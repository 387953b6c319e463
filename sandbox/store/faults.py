"""What goes wrong, when, and how often: a plan of faults, scripted by request number or drawn from the seeded generator."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Effect(StrEnum):
    """What a fault does to a request."""

    MASKED_500 = "masked_500"
    """500 with a report id."""
    PHP_FATAL = "php_fatal"
    """500 in the other shape."""
    MESSAGE_200 = "message_200"
    """200 with a message and no items."""
    MAINTENANCE = "maintenance"
    """503, an HTML page, no Retry-After."""
    TOO_MANY = "too_many"
    """429, an HTML page; `retry_after` when given; `seconds` of tarpit before it."""
    BAD_GATEWAY = "bad_gateway"
    """502, an HTML page."""
    GATEWAY_TIMEOUT = "gateway_timeout"
    """504, text."""
    TRUNCATED = "truncated"
    """The right answer, cut in the middle, with a length that fits."""
    SLOW_BODY = "slow_body"
    """The right answer, dripped over `seconds`."""
    HANG = "hang"
    """No answer for `seconds`, then the connection is closed."""
    RESET = "reset"
    """The connection is reset instead of the answer."""
    EXPIRED = "expired"
    """401: the token counts as expired."""
    FORBIDDEN = "forbidden"
    """401 that names the call's resource; the same to look at, meant to stay."""
    POISON = "poison"
    """Every answer that would hold order `order_id` is a masked 500."""
    TOUCH = "touch"
    """Order `order_id` is changed just before the request is served."""
    LATENCY = "latency"
    """The answer comes `seconds` later."""


class Fault(BaseModel):
    """One fault: whom it meets, how often, and what it does."""

    model_config = ConfigDict(extra="forbid")

    effect: Effect
    method: str | None = None
    """`GET`; None for every method."""
    route: str | None = None
    """The route's template, such as `/V1/orders/{id}/comments`; None for every route."""
    requests: tuple[int, ...] = ()
    """The numbers of the matching requests, counted from 1 since the fault was set; empty for all of them."""
    after_requests: Annotated[int, Field(ge=0)] = 0
    """Spare this many matching requests first."""
    probability: Annotated[float, Field(ge=0, le=1)] = 1
    remaining: Annotated[int, Field(ge=0)] | None = None
    """How often it still strikes; None for ever."""
    for_seconds: Annotated[float, Field(gt=0)] | None = None
    """How long it lasts; None for ever."""
    is_executed: bool = False
    """Whether a write is applied before the answer is lost or replaced."""
    seconds: Annotated[float, Field(ge=0)] = 0
    retry_after: str | None = None
    order_id: int | None = None


class FaultPlan:
    """The faults that are set, with how often each was met."""

    def __init__(self, rng: random.Random) -> None:
        """Start without faults; `rng` draws those that strike by chance."""
        self._rng = rng
        self._set: list[tuple[Fault, datetime]] = []
        self._seen: list[int] = []

    def add(self, fault: Fault, now: datetime) -> None:
        """Set one more fault from now on."""
        self._set.append((fault.model_copy(), now))
        self._seen.append(0)

    def clear(self) -> None:
        """Forget every fault."""
        self._set.clear()
        self._seen.clear()

    def faults(self) -> list[Fault]:
        """Return the faults that are set, with what remains of them."""
        return [fault for fault, _ in self._set]

    def strike(self, method: str, route: str, now: datetime) -> list[Fault]:
        """Count one request and return the faults that meet it, in the order in which they were set."""
        struck = []
        for index, (fault, since) in enumerate(self._set):
            if fault.method not in {None, method} or fault.route not in {None, route}:
                continue
            self._seen[index] += 1
            if self._meets(fault, self._seen[index], since, now):
                if fault.remaining is not None and fault.effect is not Effect.POISON:
                    fault.remaining -= 1
                struck.append(fault)
        return struck

    def _meets(self, fault: Fault, number: int, since: datetime, now: datetime) -> bool:
        if fault.remaining == 0 or number <= fault.after_requests:
            return False
        if fault.for_seconds is not None and now >= since + timedelta(seconds=fault.for_seconds):
            return False
        if fault.requests and number not in fault.requests:
            return False
        return fault.probability >= 1 or self._rng.random() < fault.probability
