"""Addresses that try to send the token to somebody else: in settings, in redirects, in paging links, in names."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from order_sync.clients.addresses import checked_base_url
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.errors import OrderSyncError, SettingsError, SourceUnavailableError
from order_sync.payments import PostOutcome
from tests.integration.adversary.hostile import CLOCK, TOKEN, booked_row, nextech_client, post, store_client
from tests.integration.clients.wire_server import Peer, WireServer
from tests.unit.clients.scripted import GUID, PRACTICE_GUID, USER, NoLimit, bundle, payment_row

LOGIN = "https://login.example/token"


def take_everything(peer: Peer) -> None:
    """Answer like an honest server, so that a client that came here would go on and show its token."""
    token = {"access_token": TOKEN, "expires_in": 3600, **json.loads(booked_row())}
    peer.answer("200 OK", json.dumps(token).encode(), "Content-Type: application/json")


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    """Listen where every name leads to: whoever is let loose arrives here."""
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *more: int, **others: int) -> list[Any]:
        # What the machine's own resolver makes of 2130706433 or 0x7f.1 is part of the trick.
        try:
            return [*real(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)]
        except OSError:
            return [*real("127.0.0.1", port, *more, **others)]

    with WireServer(take_everything) as server:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        yield server


# {foreign} is where somebody else listens, {ours} where nobody does.
SETTINGS = {
    "user before the host": "http://127.0.0.1:{ours}@127.0.0.1:{foreign}",
    "user and password": "https://127.0.0.1:{ours}@evil.example:{foreign}/",
    "empty user": "http://@127.0.0.1:{foreign}",
    "backslash before a user": "http://127.0.0.1:{ours}\\@127.0.0.1:{foreign}",
    "backslash for a slash": "http:\\\\127.0.0.1:{foreign}",
    "backslash in the host": "https://good.example\\.evil.example:{foreign}",
    "fragment before a user": "http://127.0.0.1:{ours}#@127.0.0.1:{foreign}",
    "query before a user": "http://127.0.0.1:{ours}?@127.0.0.1:{foreign}",
    "empty fragment": "http://127.0.0.1:{foreign}/api#",
    "empty query": "http://127.0.0.1:{foreign}/api?",
    "decimal address": "http://2130706433:{foreign}",
    "hexadecimal address": "http://0x7f000001:{foreign}",
    "hexadecimal parts": "https://0x7f.0x0.0x0.0x1:{foreign}",
    "octal parts": "https://0177.0.0.01:{foreign}",
    "short address": "https://127.1:{foreign}",
    "zero": "http://0:{foreign}",
    "nobody's address": "https://0.0.0.0:{foreign}",
    "metadata service": "https://169.254.169.254",
    "metadata service over plain http": "http://169.254.169.254:{foreign}",
    "metadata service as a decimal": "http://2852039166",
    "metadata service as a hexadecimal": "https://0xa9fea9fe",
    "metadata service in IPv6": "https://[::ffff:169.254.169.254]",
    "metadata service in IPv6 digits": "http://[::ffff:a9fe:a9fe]",
    "loopback in IPv6 digits": "http://[::ffff:7f00:1]:{foreign}",
    "link-local with a zone": "https://[fe80::1%25eth0]:{foreign}",
    "plain http to a name": "http://evil.example:{foreign}",
    "plain http to an address in IPv6": "http://[2001:db8::1]:{foreign}",
    "plain http with a trailing dot": "http://localhost.:{foreign}",
    "loopback as a part of a name": "http://127.0.0.1.evil.example:{foreign}",
    "localhost as a part of a name": "http://localhost.evil.example:{foreign}",
    "Cyrillic letter": "https://gооd.example:{foreign}",  # noqa: RUF001 - that is the trick
    "full-width dot": "https://good。example:{foreign}",
    "full-width digits": "http://127.0.0.1:１２３４",  # noqa: RUF001
    "soft hyphen": "https://go\u00adod.example:{foreign}",
    "escaped dot": "https://good%2eexample:{foreign}",
    "escaped slash": "https://good.example%2f@evil.example:{foreign}",
    "line break in the host": "http://127.0.0.1\r\n:{foreign}",
    "header in the path": "http://127.0.0.1:{foreign}/\r\nX-Injected: 1",
    "escaped line break in the path": "http://127.0.0.1:{foreign}/%0d%0aX-Injected: 1",
    "tab in the scheme": "ht\ttp://127.0.0.1:{foreign}",
    "blank in front": " http://127.0.0.1:{foreign}",
    "blank in the path": "http://127.0.0.1:{foreign}/a HTTP/1.1",
    "NUL": "http://127.0.0.1\x00.good.example:{foreign}",
    "way up": "http://127.0.0.1:{foreign}/api/../../other",
    "two slashes in the path": "http://127.0.0.1:{foreign}//evil.example",
    "without a scheme": "//127.0.0.1:{foreign}",
    "without slashes": "http:127.0.0.1:{foreign}",
    "another scheme": "ftp://127.0.0.1:{foreign}",
    "a file": "file:///etc/passwd",
    "a script": "javascript://127.0.0.1:{foreign}",
    "two ports": "http://127.0.0.1:{ours}:{foreign}",
    "port 0": "http://127.0.0.1:0",
    "port beyond all ports": "http://127.0.0.1:99999",
    "semicolon in the host": "https://good.example;evil.example:{foreign}",
    "comma in the host": "https://good.example,evil.example:{foreign}",
    "brackets that do not close": "https://[::1:{foreign}",
    "no host": "https://:{foreign}",
}


def open_store(url: str) -> StoreClient:
    return StoreClient(StoreConnection(url, Bearer(TOKEN)), limiter=NoLimit(), clock=CLOCK)


def open_nextech(base_url: str, token_url: str = LOGIN) -> NextechClient:
    settings = NextechConnection(
        base_url, token_url, USER, "password-canary", "client-canary", "https://nextech.example", PRACTICE_GUID
    )
    return NextechClient(settings, limiter=NoLimit(), clock=CLOCK)


def open_login(url: str) -> NextechClient:
    return open_nextech("https://nextech.example/api", url)


@pytest.mark.parametrize("trick", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("open_client", [open_store, open_nextech, open_login])
def test_an_address_that_can_be_read_in_two_ways_is_refused_before_anything_is_sent(
    trick: str, open_client: Callable[[str], StoreClient | NextechClient], foreign: WireServer
) -> None:
    url = trick.replace("{foreign}", str(foreign.port)).replace("{ours}", "9")
    with pytest.raises(SettingsError) as caught:
        open_client(url).check()
    assert not any(word in str(caught.value) for word in ("canary", "evil", "127.0.0.1"))
    assert foreign.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example:8443/rest/default/V1/",
        "https://xn--bcher-kva.example",
        "https://shop.example.",
        "https://10.0.0.7/store",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:8090/store/eastern",
        "http://[::1]:8090",
        "http://localhost:8090",
        "http://sandbox:8090/nextech/api",
    ],
)
def test_an_honest_address_is_taken(url: str) -> None:
    assert checked_base_url(url, system="store") == url.rstrip("/")
    for open_client in (open_store, open_nextech, open_login):
        open_client(url).close()


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "::", "224.0.0.1"])
def test_a_name_that_leads_to_a_metadata_service_is_not_followed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of one label may be spoken to in plain text, so where it leads is looked at when it is known."""
    asked: list[object] = []

    def resolve(*_: object, **__: object) -> list[object]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, 80))]

    def connect(target: object, *_: object, **__: object) -> socket.socket:
        asked.append(target)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with closing(open_store("http://metadata")) as client, pytest.raises(SourceUnavailableError):
        client.check()
    assert asked == []


LINKS = {
    "another host": "http://127.0.0.1:{foreign}/Patient?_getpagesoffset=1",
    "a name": "http://evil.example:{foreign}/Patient?_getpagesoffset=1",
    "without a scheme": "//127.0.0.1:{foreign}/Patient?_getpagesoffset=1",
    "user before the host": "http://127.0.0.1@127.0.0.1:{foreign}/?_getpagesoffset=1",
    "backslashes": "\\\\127.0.0.1:{foreign}\\?_getpagesoffset=1",
    "a value that closes the query": "/Patient?_getpagesoffset=1&x=%23@127.0.0.1:{foreign}/",
    "a value with a line break": "/Patient?_getpagesoffset=1&x=%0d%0aHost:%20127.0.0.1:{foreign}",
    "a name with a line break": "/Patient?_getpagesoffset=1&%0d%0aHost:%20127.0.0.1:{foreign}=x",
    "a path": "/../..//127.0.0.1:{foreign}/?_getpagesoffset=1",
    "another patient": "/PaymentReconciliation?patient=11111111-2222-4333-8444-555555555555&_getpagesoffset=1",
    "no link at all": "javascript:alert(1)?_getpagesoffset=1",
    "brackets that do not close": "http://[127.0.0.1:{foreign}/?_getpagesoffset=1",
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
def test_a_paging_link_leads_nowhere_but_to_the_next_page_of_the_same_search(link: str, foreign: WireServer) -> None:
    url = link.replace("{foreign}", str(foreign.port))
    pages = iter(bundle(payment_row(number), total=2, link=[{"relation": "next", "url": url}]).content for number in ("1", "2"))

    def page(peer: Peer) -> None:
        peer.answer("200 OK", next(pages), "Content-Type: application/json")

    with WireServer(page) as server, nextech_client(server.url) as client:
        assert len(client.read_payments([GUID]).entries) == 2
        host = f"Host: 127.0.0.1:{server.port}"
        heads = [request.partition(b"\r\n\r\n")[0].decode() for request in server.requests]
    assert foreign.connections == 0
    assert len(heads) == 2
    for head in heads:
        lines = head.split("\r\n")
        assert lines[0].startswith(f"GET /PaymentReconciliation?patient={GUID}&_count=50")
        assert [line for line in lines if line.lower().startswith("host:")] == [host]


REDIRECTS = {
    "301": "301 Moved|Location: {url}/",
    "302": "302 Found|Location: {url}/",
    "303": "303 See Other|Location: {url}/",
    "307": "307 Temporary|Location: {url}/",
    "308": "308 Permanent|Location: {url}/",
    "without a scheme": "307 Temporary|Location: //127.0.0.1:{port}/",
    "with our own user": "307 Temporary|Location: http://user@127.0.0.1:{port}/",
    "305 to a proxy": "305 Use Proxy|Location: {url}/",
    "200 that refreshes": "200 OK|Refresh: 0; url={url}/",
    "200 that lies elsewhere": "200 OK|Content-Location: {url}/",
    "200 with a link": '200 OK|Link: <{url}/>; rel="next"',
    "another service": '200 OK|Alt-Svc: h2="127.0.0.1:{port}"',
    "a login asked for elsewhere": '401 Unauthorized|WWW-Authenticate: Bearer authorization_uri="{url}/"',
    "a proxy that wants a login": "407 Proxy Login|Proxy-Authenticate: Basic",
    "a later look elsewhere": "202 Accepted|Operation-Location: {url}/",
}


@pytest.mark.parametrize("answer", REDIRECTS.values(), ids=REDIRECTS.keys())
def test_no_answer_can_send_the_token_elsewhere(answer: str, foreign: WireServer) -> None:
    status, _, header = answer.replace("{url}", foreign.url).replace("{port}", str(foreign.port)).partition("|")

    def talk(peer: Peer) -> None:
        peer.answer(status, b"", header)

    with WireServer(talk) as server:
        with nextech_client(server.url) as nextech, store_client(server.url) as store:
            assert post(nextech).outcome is not PostOutcome.EXECUTED
            for read in (lambda: nextech.read_payments([GUID]), store.check):
                with pytest.raises(OrderSyncError):
                    read()
        with closing(open_login(f"{server.url}/token")) as client, pytest.raises(OrderSyncError):
            client.check()
        assert len(server.requests) >= 4
    assert foreign.connections == 0


def test_the_listener_would_have_seen_a_token(foreign: WireServer) -> None:
    """Or the tests above would prove nothing."""
    with nextech_client(f"http://evil:{foreign.port}") as client:
        assert post(client).outcome is PostOutcome.EXECUTED
    assert TOKEN.encode() in foreign.requests[0]
