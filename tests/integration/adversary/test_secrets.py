"""Secrets come from connections and stay there: not in `repr`, not in an error, not in a log, not in the list of processes."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.nextech_login import Login
from order_sync.clients.store import Bearer, OAuth1, StoreClient, StoreConnection
from order_sync.desk import Keys
from order_sync.errors import OrderSyncError
from tests.integration.adversary.hostile import CLOCK, give_token, post
from tests.integration.clients.wire_server import Peer, WireServer
from tests.unit.clients.scripted import GUID, PRACTICE_GUID, NoLimit

ROOT = Path(__file__).resolve().parents[3]
CANARY = "canary"
BEARER = Bearer("bearer-canary")
OAUTH1 = OAuth1("consumer-key-canary", "consumer-secret-canary", "token-canary", "token-secret-canary")


def nextech_settings(url: str, login_url: str) -> NextechConnection:
    return NextechConnection(
        base_url=url,
        token_url=login_url,
        username="svc-eastern@nextech.example",
        password="password-canary",
        client_id="client-canary",
        resource="https://nextech.example/api",
        practice_guid=PRACTICE_GUID,
    )


def everything_inside(thing: object) -> list[object]:
    """Return an object and what hangs on it, as far as it is ours."""
    found: list[object] = []
    rest = [thing]
    while rest:
        one = rest.pop()
        if any(one is other for other in found):
            continue
        found.append(one)
        if is_dataclass(one):
            rest += [value for entry in fields(one) if is_dataclass(value := getattr(one, entry.name))]
        elif type(one).__module__.startswith("order_sync"):
            rest += [
                value for value in getattr(one, "__dict__", {}).values() if type(value).__module__.startswith("order_sync")
            ]
    return found


@pytest.fixture
def lent_token() -> NextechClient:
    """A client that holds a token."""
    with WireServer(give_token) as login, closing(open_nextech(login.url, login.url)) as client:
        client._token.current()
        return client


def open_nextech(url: str, login_url: str) -> NextechClient:
    return NextechClient(nextech_settings(url, login_url), limiter=NoLimit(), clock=CLOCK)


def open_store(url: str, auth: Bearer | OAuth1) -> StoreClient:
    return StoreClient(StoreConnection(url, auth), limiter=NoLimit(), clock=CLOCK)


def test_no_settings_and_no_client_shows_a_secret_when_it_is_printed(lent_token: NextechClient) -> None:
    things = [
        part
        for thing in (
            BEARER,
            OAUTH1,
            Login("https://login.example", "user", "password-canary", "client-canary", "resource"),
            Keys(marker=b"marker-canary", customer=b"customer-canary"),
            open_store("https://shop.example", BEARER),
            open_store("https://shop.example", OAUTH1),
            lent_token,
        )
        for part in everything_inside(thing)
    ]
    assert {type(part).__name__ for part in things} >= {
        "StoreConnection",
        "NextechConnection",
        "NextechToken",
        "_Token",
        "JsonEdge",
    }
    shown = [f"{part!r} {part!s} {part}" for part in things]
    assert [text for text in shown if CANARY in text] == []


def echo_in_body(request: bytes) -> bytes:
    return (
        b"HTTP/1.1 500 Error\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        + json.dumps({"resourceType": "OperationOutcome", "message": request.decode("latin-1")}).encode()
    )


def echo_in_headers(request: bytes) -> bytes:
    flat = request.replace(b"\r\n", b" ")
    return b"HTTP/1.1 400 Bad\r\nX-Request-Id: %s\r\nX-Echo: %s\r\nContent-Length: 0\r\n\r\n" % (flat, flat)


def echo_in_reason(request: bytes) -> bytes:
    return b"HTTP/1.1 401 %s\r\nContent-Length: 0\r\n\r\n" % request.replace(b"\r\n", b" ")


def echo_as_nonsense(request: bytes) -> bytes:
    return request


def echo_as_bad_header(request: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + request.replace(b":", b"\x00") + b"\r\n\r\n"


def echo_in_chunk_size(request: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + request


def echo_in_date(request: bytes) -> bytes:
    flat = request.replace(b"\r\n", b" ")
    return b"HTTP/1.1 429 Slow\r\nDate: %s\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n" % (flat, flat)


ECHOES = [echo_in_body, echo_in_headers, echo_in_reason, echo_as_nonsense, echo_as_bad_header, echo_in_chunk_size, echo_in_date]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("auth", [BEARER, OAUTH1], ids=["bearer", "oauth1"])
def test_a_server_that_shouts_our_secrets_back_gets_them_into_no_log_and_no_error(
    echo: Callable[[bytes], bytes], auth: Bearer | OAuth1, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, and with the whole chain of causes."""
    caplog.set_level(logging.DEBUG)
    heard: list[bytes] = []

    def talk(peer: Peer) -> None:
        heard.append(server.requests[-1])
        peer.write(echo(server.requests[-1]))
        peer.connection.close()

    told: list[str] = []
    with WireServer(talk) as server, WireServer(give_token) as login:
        with closing(open_store(server.url, auth)) as store, closing(open_nextech(server.url, login.url)) as nextech:
            works = (store.check, lambda: store.find_order("1"), nextech.check, lambda: nextech.read_payments([GUID]))
            told += [repr(post(nextech)), *map(raised_by, works)]
        with closing(open_nextech(server.url, server.url)) as shut_out:
            told += [repr(post(shut_out)), raised_by(shut_out.check)]
    assert any(b"canary" in request for request in heard)
    assert [text for text in told if CANARY in text] == []
    assert CANARY not in caplog.text


def raised_by(work: Callable[[], object]) -> str:
    """Return everything that Python would print of what a call raises."""
    try:
        work()
    except OrderSyncError as error:
        chain = [error, error.__cause__, error.__context__]
        return "".join(traceback.format_exception(error)) + "".join(repr(entry) for entry in chain)
    pytest.fail("a server that talks like this must not be believed")


SCRIPT = """
import logging, os, psutil, sys, traceback
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
from order_sync.bootstrap.connections import ledger_url, read_keys
from order_sync.bootstrap.hooks import NextechHook, StoreHook
logging.getLogger().setLevel(logging.DEBUG)
for hook in (StoreHook("eastern"), NextechHook("eastern")):
    client = hook.client()
    print(repr(hook), hook, repr(client), repr(client._settings), hook.test_connection())
    try:
        client.check()
    except Exception:
        traceback.print_exc(file=sys.stdout)
    client.close()
print(repr(ledger_url()), ledger_url(), repr(read_keys()))
os.environ["AIRFLOW_CONN_STORE_EASTERN"] = os.environ["AIRFLOW_CONN_STORE_EASTERN"].replace("http://", "ftp://")
try:
    StoreHook("eastern")
except Exception:
    traceback.print_exc(file=sys.stdout)
for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
    print("process:", process.cmdline())
print("end")
"""


@pytest.mark.airflow
def test_secrets_in_the_environment_reach_no_output_and_no_list_of_processes(tmp_path: Path) -> None:
    def shout(peer: Peer) -> None:
        peer.write(echo_in_body(server.requests[-1]))
        peer.connection.close()

    def connection(**more: object) -> str:
        return json.dumps({"conn_type": "http", **more})

    with WireServer(shout) as server, WireServer(give_token) as login:
        nextech = {"token_url": login.url, "client_id": "client-canary", "resource": "r", "practice_id": PRACTICE_GUID}
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "include"),
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            "AIRFLOW_CONN_STORE_EASTERN": connection(host=server.url, password="store-token-canary"),
            "AIRFLOW_CONN_NEXTECH_EASTERN": connection(host=server.url, login="svc", password="password-canary", extra=nextech),
            "AIRFLOW_CONN_SYNC_DB": "postgresql://ledger:database-canary@127.0.0.1:1/ledger",
            "AIRFLOW_CONN_ORDER_SYNC_KEYS": json.dumps(
                {"conn_type": "generic", "password": "m" * 32 + CANARY, "extra": {"customer_key": "c" * 32 + CANARY}}
            ),
        }
        told = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        heard = b"".join(server.requests)
    assert told.returncode == 0, told.stderr[-2_000:]
    assert "\nend\n" in told.stdout
    assert b"store-token-canary" in heard
    assert b"access-token-canary" in heard
    written = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".cfg"]
    assert [text for text in (told.stdout, told.stderr, *written) if CANARY in text] == []
