"""What goes wrong on purpose: which request is struck, and what becomes of it (reliability 2.2 and 4.3)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from sandbox.nextech.routes import TEMPLATES


class FaultError(ValueError):
    """Say that a fault is not one."""


class Effect(StrEnum):
    """What happens to a request that is struck. The first block are the 14 outcomes of a POST."""

    CREATED = "created"
    """2xx with the id, whatever the switches say."""
    CREATED_WITHOUT_ID = "created_without_id"
    CREATED_MALFORMED = "created_malformed"
    """2xx, executed, the JSON stops in the middle."""
    CREATED_HTML = "created_html"
    """2xx, executed, a page instead of JSON."""
    CREATED_TRUNCATED = "created_truncated"
    """2xx, executed, the connection ends before the body does."""
    REDIRECTED = "redirected"
    """302 to another host."""
    REJECTED = "rejected"
    """400 (or `status`: 413, 415, 422) with the API's own body, not executed."""
    UNAUTHORIZED = "unauthorized"
    """401 (or `status`: 403, 523), not executed."""
    NOT_FOUND = "not_found"
    """404, not executed."""
    CONFLICT = "conflict"
    """409, not executed."""
    GATEWAY_ERROR = "gateway_error"
    """408 (or `status`) with a gateway's page, not executed."""
    RATE_LIMITED = "rate_limited"
    """429, with `retry_after` when it is given."""
    FAILED = "failed"
    """500 (or `status`), not executed."""
    FAILED_EXECUTED = "failed_executed"
    """500 (or `status`), executed nevertheless."""
    TIMED_OUT = "timed_out"
    """No answer; the request was never accepted."""
    TIMED_OUT_EXECUTED = "timed_out_executed"
    """No answer; the request was executed."""
    EXECUTED_LATE = "executed_late"
    """No answer; the request is executed `after_seconds` later."""

    EXECUTED_TWICE = "executed_twice"
    """A gateway repeats the request by itself: two rows, one answer."""
    OTHER_AMOUNT = "other_amount"
    """Booked with ten cents too much."""
    OTHER_DAY = "other_day"
    """Booked on the day before."""

    UNAVAILABLE = "unavailable"
    """503 with a page."""
    MALFORMED = "malformed"
    """JSON that stops in the middle."""
    TRUNCATED = "truncated"
    DRIPPED = "dripped"
    HUNG = "hung"
    PARTIAL_PAGE = "partial_page"
    """Half of a page's rows are missing."""
    SHIFTED_PAGE = "shifted_page"
    """The page starts one row too late, as when a row before it disappeared."""
    FILTERS_IGNORED = "filters_ignored"
    NEXT_LOOPS = "next_loops"
    """The next link leads to the same page, for ever."""
    TOKENS_EXPIRE = "tokens_expire"
    """All access tokens end now; refresh tokens stay good."""
    REFRESH_REFUSED = "refresh_refused"
    """`invalid_grant` for a refresh token."""
    SLOW = "slow"
    """The answer comes `after_seconds` late."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(slots=True)
class Fault:
    """One thing that goes wrong, and when. Without `nth` and `probability` it strikes every request that it fits."""

    effect: Effect
    method: str | None = None
    route: str | None = None
    """The template, such as `/Patient/{id}/PaymentReconciliation`."""
    practice: str | None = None
    nth: int | None = None
    """Strike only the nth request that fits, counted from 1 since the fault was planted."""
    probability: float | None = None
    remaining: int | None = None
    """How many more times it strikes; None is without end."""
    status: int | None = None
    retry_after: str | None = None
    after_seconds: float = 0.0
    fault_id: int = 0
    seen: int = 0
    struck: int = 0

    def fits(self, method: str, route: str, practice: str | None) -> bool:
        """Say whether a request is one of those that this fault looks at."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.route is None or self.route.rstrip("/") == route)
            and (self.practice is None or self.practice == practice)
        )

    def strikes(self, rng: random.Random) -> bool:
        """Count a request that fits and say whether it is struck."""
        self.seen += 1
        if self.remaining == 0:
            return False
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.probability is not None and rng.random() >= self.probability:
            return False
        self.struck += 1
        if self.remaining is not None:
            self.remaining -= 1
        return True


_ADAPTER = TypeAdapter(Fault)


@dataclass(slots=True)
class FaultPlan:
    """All planted faults; the first that strikes has the request."""

    faults: list[Fault] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def plant(self, fault: Fault) -> Fault:
        """Add a fault and number it."""
        fault.fault_id = next(self._ids)
        self.faults.append(fault)
        return fault

    def plant_described(self, description: Mapping[str, object]) -> Fault:
        """Add a fault that came as JSON; raise `FaultError` when it is not one."""
        try:
            fault = _ADAPTER.validate_python(dict(description))
        except ValueError as error:
            msg = f"not a fault; its effect is one of {', '.join(Effect)}"
            raise FaultError(msg) from error
        if fault.route is not None and fault.route.rstrip("/") not in TEMPLATES:
            msg = f"there is no route {fault.route!r}; there are {', '.join(sorted(TEMPLATES))}"
            raise FaultError(msg)
        return self.plant(fault)

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all of them."""
        self.faults[:] = [fault for fault in self.faults if fault_id is not None and fault.fault_id != fault_id]

    def strike(self, method: str, route: str, practice: str | None, rng: random.Random) -> Fault | None:
        """Return the fault that has this request, or None."""
        for fault in self.faults:
            if fault.fits(method, route, practice) and fault.strikes(rng):
                return fault
        return None

    def described(self) -> list[dict[str, Any]]:
        """Return every fault as it stands."""
        return [asdict(fault) for fault in self.faults]
