"""The token: fetched once for everybody, renewed in time, and never begged for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from order_sync.errors import LoginRefusedError, SourceUnavailableError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import GUID, USER, ScriptedNextech, bundle, json_answer, token_answer

REFUSED = json_answer(400, {"error": "invalid_grant", "error_description": "AADSTS50126 token-canary"})


def empty(_: httpx.Request) -> httpx.Response:
    return bundle(total=0)


def test_the_password_grant_carries_the_documented_fields(clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)
    nextech.client(clock).read_payments([GUID])
    assert nextech.logins == [
        {
            "grant_type": "password",
            "client_id": "client",
            "username": USER,
            "password": "password-canary",
            "resource": "https://nextech.example/api",
        }
    ]


@pytest.mark.parametrize(("expires_in", "renewed_after"), [("3600", 2880), (3600, 2880), ("soon", 240), (None, 240), (-5, 240)])
def test_a_token_is_refreshed_at_four_fifths_of_its_life(expires_in: object, renewed_after: float, clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)
    nextech.on_login = lambda _: token_answer(len(nextech.logins), expires_in=expires_in)
    client = nextech.client(clock)

    client.read_payments([GUID])
    clock.advance(seconds=renewed_after - 1)
    client.read_payments([GUID])
    assert len(nextech.logins) == 1

    clock.advance(seconds=1)
    client.read_payments([GUID])
    assert nextech.logins[1:] == [{"grant_type": "refresh_token", "client_id": "client", "refresh_token": "refresh-1"}]


def test_each_refresh_uses_the_newest_pair(clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)
    client = nextech.client(clock)
    for _ in range(4):
        client.read_payments([GUID])
        clock.advance(hours=1)
    assert [login.get("refresh_token") for login in nextech.logins] == [None, "refresh-1", "refresh-2", "refresh-3"]


def test_the_wall_clock_does_not_matter(clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)
    client = nextech.client(clock)
    client.read_payments([GUID])
    clock.set(clock.now().replace(year=2030))
    client.read_payments([GUID])
    assert len(nextech.logins) == 1


@pytest.mark.parametrize("answer", [REFUSED, httpx.Response(500), httpx.ReadTimeout("x")])
def test_a_refresh_that_fails_falls_back_to_the_password_once(answer: object, clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)

    def log_in(request: httpx.Request) -> httpx.Response:
        if b"refresh_token" not in request.content:
            return token_answer(len(nextech.logins))
        if isinstance(answer, Exception):
            raise answer
        return answer

    nextech.on_login = log_in
    client = nextech.client(clock)
    client.read_payments([GUID])
    clock.advance(hours=1)
    client.read_payments([GUID])
    assert [login["grant_type"] for login in nextech.logins] == ["password", "refresh_token", "password"]


def test_a_refused_login_is_not_tried_again_for_a_while(clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)
    nextech.on_login = lambda _: REFUSED
    client = nextech.client(clock)
    for _ in range(5):
        with pytest.raises(LoginRefusedError) as caught:
            client.read_payments([GUID])
        assert "canary" not in str(caught.value)
    assert len(nextech.logins) == 1

    clock.advance(minutes=5)
    with pytest.raises(LoginRefusedError):
        client.read_payments([GUID])
    assert len(nextech.logins) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"token_type": "Bearer"}),
        httpx.Response(200, json=["access_token"]),
        httpx.Response(200, json={"access_token": "two\r\nlines"}),
        httpx.Response(400, content=b"<html>"),
    ],
)
def test_an_answer_without_a_token_is_trouble_and_no_refusal(answer: httpx.Response, clock: FakeClock) -> None:
    nextech = ScriptedNextech(empty)
    nextech.on_login = lambda _: answer
    with pytest.raises(SourceUnavailableError):
        nextech.client(clock).read_payments([GUID])


@pytest.mark.parametrize("status", [401, 523])
def test_a_read_with_an_expired_token_is_repeated_with_a_new_one(status: int, clock: FakeClock) -> None:
    nextech = ScriptedNextech(
        lambda request: bundle(total=0) if request.headers["authorization"] == "Bearer access-2" else httpx.Response(status)
    )
    client = nextech.client(clock)
    client.read_payments([GUID])
    client.read_payments([GUID])
    assert len(nextech.logins) == 2


@pytest.mark.parametrize("status", [400, 403])
def test_an_old_token_is_suspected_of_a_400_or_403_and_a_fresh_one_is_not(status: int, clock: FakeClock) -> None:
    nextech = ScriptedNextech(
        lambda request: (
            bundle(total=0) if request.headers["authorization"] == "Bearer access-2" else json_answer(status, {"Message": "no"})
        )
    )
    client = nextech.client(clock)
    with pytest.raises(Exception, match=str(status)):
        client.read_payments([GUID])
    assert len(nextech.logins) == 1

    clock.advance(minutes=2)
    client.read_payments([GUID])
    assert len(nextech.logins) == 2


def test_sixteen_threads_log_in_once(clock: FakeClock) -> None:
    together = threading.Barrier(16)
    nextech = ScriptedNextech(empty)
    client = nextech.client(clock)

    def read(_: int) -> None:
        together.wait(timeout=10)
        client.read_payments([GUID])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(16)))
    assert len(nextech.logins) == 1


def test_threads_whose_token_was_refused_together_renew_it_once(clock: FakeClock) -> None:
    together = threading.Barrier(8)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer access-1":
            together.wait(timeout=10)
            return httpx.Response(401)
        return bundle(total=0)

    nextech = ScriptedNextech(handler)
    client = nextech.client(clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client._read("/Location", (), "GET /Location"), range(8)))
    assert len(nextech.logins) == 2


def test_secrets_do_not_appear_in_what_is_printed(clock: FakeClock) -> None:
    client = ScriptedNextech(empty).client(clock)
    assert "canary" not in repr(client._settings)
    assert "canary" not in repr(client._token._login)
