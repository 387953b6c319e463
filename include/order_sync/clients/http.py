"""The one place that sees a raw answer: status, content type, JSON, request id, and what each of them means.

Reads are repeated (tenacity, exponential backoff with full jitter, `Retry-After` honoured) within one wall-clock
deadline. A write is sent once, here and everywhere. No error carries a body, a URL query or a token: `route` is the
method with the path's template, and every sentence is one of ours.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from order_sync.clients.exchanges import (
    AnswerLostError,
    AnswerTooLargeError,
    DeadlinePassedError,
    NotSentError,
    SendBudgetMissedError,
)
from order_sync.clock import Clock
from order_sync.errors import (
    LoginRefusedError,
    RateLimitedError,
    RemoteError,
    RequestRejectedError,
    SourceUnavailableError,
)

MAX_RETRY_AFTER_SECONDS = 3600.0
MOST_ANSWER_VALUES = 32_000
"""A full page of Nextech is 50 rows (contract section 2) of 70 values each: the rest is margin, also for commas in notes."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_TRANSIENT_STATUSES = frozenset({408, 423, 425, 499})
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")
_REPORT_ID = re.compile(r"Report ID: (webapi-[0-9A-Za-z]{1,64})")


class AnswerTooLateError(SourceUnavailableError):
    """The answer did not come in time, or was too large to wait for: asking for less may help."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read as far as it can be."""

    status: int
    is_json: bool
    """Whether the content type says JSON and the body is JSON."""
    document: Any = field(default=None, repr=False)
    """The parsed body, fractions as `Decimal`; None when it is not JSON."""
    request_id: str | None = None
    server_time: datetime | None = None
    """The `Date` header, UTC."""
    retry_after_seconds: float | None = None

    @property
    def is_success(self) -> bool:
        """Say whether the status is a 2xx."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - the class of statuses itself

    @property
    def is_api_shaped(self) -> bool:
        """Say whether an error body comes from the API itself and not from a gateway (reliability 3.4)."""
        return isinstance(self.document, dict) and (
            self.document.get("resourceType") == "OperationOutcome"
            or isinstance(self.document.get("message"), str)
            or isinstance(self.document.get("Message"), str)
        )


def read_answer(response: httpx.Response, now: datetime) -> Answer:
    """Read a response as leniently as is safe; never raises for what the other side sent."""
    is_encoded = response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
    is_json, document = (False, None) if is_encoded else _read_json(response)
    return Answer(
        status=response.status_code,
        is_json=is_json,
        document=document,
        request_id=_request_id(response.headers, document),
        server_time=_http_date(response.headers.get("date")),
        retry_after_seconds=_retry_after_seconds(response.headers.get("retry-after"), now),
    )


def _read_json(response: httpx.Response) -> tuple[bool, Any]:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type.endswith(("/json", "+json")) and media_type != "application/json+fhir":
        return False, None
    try:
        text = response.read().decode("utf-8-sig")
        return True, json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation):  # the last for an exponent beyond what Decimal holds
        return False, None


def most_values_in(body: bytes) -> int:
    """Count what a JSON text may hold at most, before it is parsed: each value costs up to 160 bytes, whatever its length.

    Every value but one, with its key, follows a bracket, a brace or a comma. Those inside of strings count too: the limits have
    room for them.
    """
    return 1 + body.count(b"[") + body.count(b"{") + body.count(b",")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _request_id(headers: httpx.Headers, document: object) -> str | None:
    for name in ("x-request-id", "request-id"):
        if _REQUEST_ID.fullmatch(headers.get(name, "")):
            return str(headers[name])
    message = document.get("message") if isinstance(document, dict) else None
    report = _REPORT_ID.search(message) if isinstance(message, str) else None
    return report[1] if report else None


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Read `Retry-After` in either form; absurd values are capped, past and unreadable ones count as not said."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        instant = _http_date(text)
        seconds = (instant - now).total_seconds() if instant else 0.0
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    return min(seconds, MAX_RETRY_AFTER_SECONDS)


class JsonEdge:
    """Carry requests to one system and sort what comes back; thread-safe."""

    def __init__(
        self,
        system: str,
        transport: httpx.BaseTransport,
        clock: Clock,
        rng: random.Random,
        *,
        login_statuses: frozenset[int] = frozenset({401, 403}),
        max_answer_bytes: int = 1024 * 1024,
        max_answer_values: int = MOST_ANSWER_VALUES,
    ) -> None:
        """Speak to `system` ("store" or "nextech") through this transport; larger answers count as not come."""
        self.system = system
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._login_statuses = login_statuses
        self._max_answer_bytes = max_answer_bytes
        self._max_answer_values = max_answer_values

    def read(
        self,
        route: str,
        build: Callable[[], httpx.Request],
        *,
        attempt_seconds: float = 30.0,
        call_seconds: float = 90.0,
        tries: int = 3,
        keep: frozenset[int] = frozenset(),
    ) -> Answer:
        """Send a request that may be repeated, and return its JSON answer.

        `build` makes the request of each attempt anew: it waits for the limiter, takes the current token, signs. An
        answer whose status is in `keep` is returned whatever its shape. Raises `SourceUnavailableError`,
        `RateLimitedError`, `LoginRefusedError` or `RequestRejectedError`.
        """
        call_ends_at = self._clock.monotonic() + call_seconds

        def attempt() -> Answer:
            request = build()
            ends_at = min(self._clock.monotonic() + attempt_seconds, call_ends_at)
            return self._checked(route, self._carry_read(route, request, ends_at), keep)

        def is_over(state: RetryCallState) -> bool:
            return state.attempt_number >= tries or self._clock.monotonic() + state.upcoming_sleep >= call_ends_at

        return Retrying(
            stop=is_over,
            wait=self._pause_seconds,
            retry=retry_if_exception_type((SourceUnavailableError, RateLimitedError)),
            sleep=self._clock.sleep,
            reraise=True,
        )(attempt)

    def send_once(self, request: httpx.Request, *, answer_seconds: float, send_by: float | None = None) -> Answer:
        """Send a request that must not be repeated, exactly once, on a connection of its own.

        Raises `NotSentError` when no byte can have left and `AnswerLostError` when that is not known; returns every
        answer, whatever its status.
        """
        now = self._clock.monotonic()
        if send_by is not None and now > send_by:
            msg = "not sent: the send budget was over before the first byte"
            raise SendBudgetMissedError(msg)
        return self._carry(request, deadline_at=now + answer_seconds, send_by=send_by, is_fresh=True)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def _carry(self, request: httpx.Request, *, deadline_at: float, **wishes: object) -> Answer:
        left_seconds = max(0.0, deadline_at - self._clock.monotonic())
        request.extensions = {
            # For transports that know no deadline: httpx's own, per socket operation.
            "timeout": dict.fromkeys(("connect", "read", "write", "pool"), left_seconds),
            "deadline_at": deadline_at,
            "max_answer_bytes": self._max_answer_bytes,
            **wishes,
        }
        failure: httpx.TransportError
        try:
            response = self._transport.handle_request(request)
            body = response.read()
            if len(body) <= self._max_answer_bytes and most_values_in(body) <= self._max_answer_values:
                return read_answer(response, self._clock.now())
            failure = AnswerTooLargeError("the answer holds more than any honest one", status=response.status_code)
        except (NotSentError, AnswerLostError) as error:
            failure = error
        except (httpx.ConnectError, httpx.ConnectTimeout):
            failure = NotSentError("not sent: no connection")
        except httpx.TimeoutException:
            failure = DeadlinePassedError("no complete answer before the deadline")
        except (httpx.TransportError, httpx.DecodingError, httpx.StreamError):
            failure = AnswerLostError("the connection broke off before the answer was complete")
        # Raised out here: a foreign error's text may quote the request, so it must not hang on ours as context.
        raise failure

    def _carry_read(self, route: str, request: httpx.Request, deadline_at: float) -> Answer:
        failure: SourceUnavailableError
        try:
            return self._carry(request, deadline_at=deadline_at)
        except (DeadlinePassedError, AnswerTooLargeError) as error:
            failure = AnswerTooLateError(str(error), system=self.system, route=route, status=error.status)
        except AnswerLostError as error:
            failure = SourceUnavailableError(str(error), system=self.system, route=route, status=error.status)
        except NotSentError as error:
            failure = SourceUnavailableError(str(error), system=self.system, route=route)
        raise failure

    def _checked(self, route: str, answer: Answer, keep: frozenset[int]) -> Answer:
        if answer.status in keep or (answer.is_success and answer.is_json):
            return answer
        raise self._refusal(route, answer)

    def _refusal(self, route: str, answer: Answer) -> RemoteError:
        if answer.status == 429:  # noqa: PLR2004 - Too Many Requests
            return RateLimitedError(
                "too many requests",
                system=self.system,
                route=route,
                request_id=answer.request_id,
                retry_after_seconds=answer.retry_after_seconds,
            )
        kind, reason = self._kind_of_refusal(answer)
        return kind(reason, system=self.system, route=route, status=answer.status, request_id=answer.request_id)

    def _kind_of_refusal(self, answer: Answer) -> tuple[type[RemoteError], str]:
        match answer.status:
            case status if status in self._login_statuses:
                return LoginRefusedError, "the login or its rights are refused"
            case status if 300 <= status <= 399:  # noqa: PLR2004 - the class of statuses itself
                return RequestRejectedError, "answers with a redirect, which is never followed: check the base URL"
            case status if 400 <= status <= 499 and status not in _TRANSIENT_STATUSES and answer.is_api_shaped:  # noqa: PLR2004
                return RequestRejectedError, "the request is rejected"
            case 504:
                return AnswerTooLateError, "a gateway gave up waiting"
            case _ if answer.is_success:
                return SourceUnavailableError, "answers with something that is not JSON"
            case _:
                return SourceUnavailableError, "cannot answer now"

    def _pause_seconds(self, state: RetryCallState) -> float:
        """Return the pause before the next try: what the server asked for, else backoff with full jitter."""
        error = state.outcome.exception() if state.outcome else None
        spread = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (state.attempt_number - 1))
        asked = error.retry_after_seconds if isinstance(error, RateLimitedError) else None
        return (asked or 0.0) + self._rng.uniform(0, spread)
