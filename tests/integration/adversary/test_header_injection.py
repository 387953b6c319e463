"""Line breaks in tokens, settings and store data: no request has a line that we did not write."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, OAuth1, StoreClient, StoreConnection
from order_sync.errors import OrderSyncError, SettingsError, SourceUnavailableError
from order_sync.patients import NewPatient
from tests.integration.adversary.hostile import CLOCK, REQUEST, TOKEN, give_token, nextech_client, store_client
from tests.integration.clients.wire_server import Peer, WireServer
from tests.unit.clients.scripted import GUID, PRACTICE_GUID, USER, NoLimit

BREAKS = [
    "x\r\nX-Injected: 1",
    "x\nX-Injected: 1",
    "x\rX-Injected: 1",
    "x\r\n\r\nGET /injected HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "x\x00X-Injected: 1",
    "x\u2028X-Injected: 1",
    "x\x85X-Injected: 1",
    "\u560d\u560aX-Injected: 1",
    "%0d%0aX-Injected: 1",
    "x HTTP/1.1",
]
UNFIT = [text for text in BREAKS if not (text.isascii() and text.isprintable())]
OURS = {
    b"host",
    b"authorization",
    b"nx-practice-id",
    b"accept",
    b"accept-encoding",
    b"connection",
    b"content-type",
    b"content-length",
    b"user-agent",
}


def answer_nothing_found(peer: Peer) -> None:
    document = {"resourceType": "Bundle", "total": 0, "items": [], "total_count": 0}
    peer.answer("200 OK", json.dumps(document).encode(), "Content-Type: application/json")


def assert_only_our_lines(requests: list[bytes], *, least: int = 1) -> None:
    assert len(requests) >= least
    for request in requests:
        first, *lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
        method, target, version = first.split(b" ")
        assert method in (b"GET", b"POST", b"PUT")
        assert target.isascii()
        assert target.decode().isprintable()
        assert version == b"HTTP/1.1"
        names = [line.partition(b":")[0].lower() for line in lines]
        assert set(names) <= OURS
        assert len(set(names)) == len(names)


def connection(**changes: str) -> NextechConnection:
    fields = NextechConnection(
        base_url="https://nextech.example/api",
        token_url="https://login.example/token",
        username=USER,
        password="password-canary",
        client_id="client-canary",
        resource="https://nextech.example/api",
        practice_guid=PRACTICE_GUID,
    )
    return replace(fields, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", [entry for entry in BREAKS if not entry.isprintable() or not entry.isascii()] + [" x", "x ", ""]
)
def test_a_token_or_practice_id_that_no_header_can_carry_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(SettingsError) as store_error:
        StoreClient(StoreConnection("https://shop.example", Bearer(text)), limiter=NoLimit(), clock=CLOCK)
    with pytest.raises(SettingsError) as nextech_error:
        NextechClient(connection(practice_guid=text), limiter=NoLimit(), clock=CLOCK)
    for error in (store_error, nextech_error):
        assert "Injected" not in f"{error.value!r} {error.value.__context__!r}"


@pytest.mark.parametrize("text", BREAKS)
def test_secrets_of_oauth1_and_of_the_login_are_encoded_into_one_line(text: str) -> None:
    auth = OAuth1(consumer_key=text, consumer_secret=text, access_token=text, access_token_secret=text)
    with WireServer(answer_nothing_found) as server:
        settings = StoreConnection(server.url, auth)
        with closing(StoreClient(settings, limiter=NoLimit(), clock=CLOCK)) as client:
            client.check()
        assert_only_our_lines(server.requests)
    with WireServer(give_token) as login:
        odd = connection(token_url=login.url, base_url=login.url, username=text, password=text, client_id=text, resource=text)
        with closing(NextechClient(odd, limiter=NoLimit(), clock=CLOCK)) as nextech:
            nextech._token.current()
        assert_only_our_lines(login.requests)
        fields = parse_qs(login.requests[0].partition(b"\r\n\r\n")[2].decode())
        assert fields["password"] == fields["client_id"] == [text]


@pytest.mark.parametrize("text", UNFIT)
def test_a_token_that_the_login_hands_out_with_a_line_break_is_not_used(text: str) -> None:
    def give_odd_token(peer: Peer) -> None:
        peer.answer("200 OK", json.dumps({"access_token": text, "expires_in": 60}).encode(), "Content-Type: application/json")

    with WireServer(answer_nothing_found) as server, WireServer(give_odd_token) as login:
        settings = connection(base_url=server.url, token_url=login.url)
        with (
            closing(NextechClient(settings, limiter=NoLimit(), clock=CLOCK)) as client,
            pytest.raises(SourceUnavailableError) as caught,
        ):
            client.read_payments([GUID])
        assert server.connections == 0
        assert "Injected" not in f"{caught.value!r}"


def say_everything(nextech: NextechClient, store: StoreClient, text: str) -> None:
    """Let a text go wherever the store's data or settings go in a request."""
    new = NewPatient(first=text, last=text, email=text, phone=text, birth_date=date(1988, 4, 19), postal_code=text)
    payment = replace(REQUEST, note=f"{REQUEST.marker} {text}"[:255], category=text, card_type=text, provider_id=text)
    nextech.create_patient(new, send_by=CLOCK.monotonic() + 30)
    nextech.send_payment(nextech.prepare_payment(payment), send_by=CLOCK.monotonic() + 30)
    nextech.search_patients(emails=[text, "a,b@mail.example"], phones=[text, "3055550142"], patient_ids=[text, GUID])
    nextech.search_patients(family=text, given=text, birth_date=date(1988, 4, 19))
    for read in (nextech.read_location, nextech.read_practitioner):
        try:
            read(text)
        except OrderSyncError:
            continue
    with pytest.raises(ValueError, match="GUID"):
        nextech.read_payments([text])
    store.find_order(text)
    store.read("GET /V1/orders", "/orders")


@pytest.mark.parametrize("text", BREAKS)
def test_store_data_with_line_breaks_stays_inside_its_request(text: str) -> None:
    with (
        WireServer(answer_nothing_found) as server,
        nextech_client(server.url) as nextech,
        store_client(server.url) as store,
    ):
        say_everything(nextech, store, text)
        assert_only_our_lines(server.requests, least=6)
        bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests if request.startswith(b"POST")]
        assert len(bodies) == 2
        assert all(text in values(json.loads(body)) for body in bodies)


def values(document: object) -> list[object]:
    if isinstance(document, dict):
        return [leaf for entry in document.values() for leaf in values(entry)]
    if isinstance(document, list):
        return [leaf for entry in document for leaf in values(entry)]
    return [document]


@settings(max_examples=40)
@given(text=st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_text_at_all_writes_a_line_of_its_own(text: str) -> None:
    with (
        WireServer(answer_nothing_found) as server,
        nextech_client(server.url) as nextech,
        store_client(server.url) as store,
    ):
        say_everything(nextech, store, text)
        assert_only_our_lines(server.requests, least=4)
        assert all(TOKEN.encode() in request for request in server.requests)
