"""Which reads are made again, how long that may take, and what a 429 asks for."""

from __future__ import annotations

import httpx
import pytest

from order_sync.errors import (
    LoginRefusedError,
    RateLimitedError,
    RequestRejectedError,
    SourceUnavailableError,
)
from tests.clocks import FakeClock
from tests.unit.clients.scripted import (
    ScriptedNextech,
    bundle,
    json_answer,
)


@pytest.mark.parametrize(
    ("answer", "error", "sends"),
    [
        (httpx.Response(500), SourceUnavailableError, 3),
        (httpx.Response(503, content=b"<html>body-canary", headers={"content-type": "text/html"}), SourceUnavailableError, 3),
        (json_answer(200, {}, **{"content-type": "text/html"}), SourceUnavailableError, 3),
        (httpx.Response(200, content=b"{", headers={"content-type": "application/json"}), SourceUnavailableError, 3),
        (httpx.Response(400, content=b"<html>"), SourceUnavailableError, 3),
        (httpx.ReadTimeout("query-canary"), SourceUnavailableError, 3),
        (httpx.ConnectError("query-canary"), SourceUnavailableError, 3),
        (httpx.Response(429), RateLimitedError, 3),
        (json_answer(400, {"Message": "body-canary"}), RequestRejectedError, 1),
        (json_answer(302, {}, location="https://foreign.example/query-canary"), RequestRejectedError, 1),
        (httpx.Response(403), LoginRefusedError, 1),
        (httpx.Response(401), LoginRefusedError, 2),
        (httpx.Response(523), LoginRefusedError, 2),
    ],
)
def test_a_failing_read_is_repeated_only_when_that_can_help(
    answer: httpx.Response | Exception, error: type[Exception], sends: int, clock: FakeClock
) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    nextech = ScriptedNextech(handler)
    with pytest.raises(error) as caught:
        nextech.client(clock).search_patients(patient_ids=["query-canary"])

    assert len(nextech.requests) == sends
    assert "canary" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "GET /Patient" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ("7", 7, 8),
        ("Tue, 10 Mar 2026 15:00:20 GMT", 20, 21),
        ("0", 0, 0.5),
        ("-1", 0, 0.5),
        ("soon", 0, 0.5),
        ("nan", 0, 0.5),
        ("Tue, 10 Mar 2020 15:00:20 GMT", 0, 0.5),
    ],
)
def test_a_429_is_waited_out_as_the_server_asked(header: str, at_least: float, at_most: float, clock: FakeClock) -> None:
    answers = [httpx.Response(429, headers={"retry-after": header}), bundle(total=0)]
    ScriptedNextech(lambda _: answers.pop(0)).client(clock).search_patients(patient_ids=["1"])
    [pause] = clock.slept
    assert at_least <= pause <= at_most


@pytest.mark.parametrize("header", ["1000000000", "Tue, 10 Mar 2099 15:00:20 GMT", "inf", "1e308"])
def test_an_absurd_retry_after_is_never_slept(header: str, clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: httpx.Response(429, headers={"retry-after": header}))
    with pytest.raises(RateLimitedError) as caught:
        nextech.client(clock).search_patients(patient_ids=["1"])
    assert sum(clock.slept) < 90
    assert caught.value.retry_after_seconds is None or caught.value.retry_after_seconds <= 3600


def test_a_read_and_all_its_tries_end_at_one_deadline(clock: FakeClock) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        clock.advance(seconds=request.extensions["deadline_at"] - clock.monotonic())
        raise httpx.ReadTimeout("x")

    began = clock.monotonic()
    nextech = ScriptedNextech(handler)
    with pytest.raises(SourceUnavailableError):
        nextech.client(clock).search_patients(patient_ids=["1"])
    assert clock.monotonic() - began <= 90 + 0.001
