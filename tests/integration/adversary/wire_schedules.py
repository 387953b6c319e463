"""One hostile server for each guard of the client on its sockets: the ending is the check, its first word what went wrong."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import pytest

from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.exchanges import AnswerLostError, NotSentError
from order_sync.clients.http import JsonEdge
from order_sync.clock import SystemClock
from order_sync.errors import OrderSyncError, SettingsError
from order_sync.patients import NewPatient
from order_sync.payments import PostOutcome
from tests.integration.adversary.hostile import (
    CLOCK,
    EXECUTED,
    GRACE_SECONDS,
    TOKEN,
    UNKNOWN,
    booked_row,
    nextech_client,
    post,
    post_to,
    say,
    squeezed,
    whole_answer,
)
from tests.integration.clients.certificates import server_tls, write_certificate
from tests.integration.clients.exchanges import request
from tests.integration.clients.wire_server import Peer, WireServer
from tests.unit.clients.scripted import GUID, OTHER_GUID, payment_row

MIB = 1024 * 1024
SECONDS = 0.4
LONGER = SECONDS + GRACE_SECONDS + 1
METADATA = "169.254.169.254"
Schedule = Callable[[], None]


# -- one send


def a_connection_that_breaks_after_the_request() -> None:
    _, _, server = post_to(Peer.reset)
    assert len(server.requests) == 1, f"doubled: sent {len(server.requests)} times"


def a_redirect_to_another_host() -> None:
    with WireServer(say(whole_answer(booked_row()))) as foreign:
        post_to(say(whole_answer(b"", f"307 Temporary\r\nLocation: {foreign.url}/Patient")))
        assert foreign.requests == [], "leak: payment and token went to another host"


# -- in time


def _is_over_in_time(begin: Callable[[], object]) -> None:
    began = time.monotonic()
    with contextlib.suppress(AnswerLostError, NotSentError):
        begin()
    seconds = time.monotonic() - began
    assert seconds < SECONDS + GRACE_SECONDS, f"late: {seconds:.1f} seconds instead of {SECONDS}"


def a_server_that_answers_byte_by_byte() -> None:
    def drip(peer: Peer) -> None:
        peer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
        peer.drip(b"x" * int(LONGER / 0.05), seconds=0.05)
        peer.connection.close()

    with WireServer(drip) as server:
        _is_over_in_time(lambda: DeadlineTransport(CLOCK).handle_request(request(server.url, seconds=SECONDS)))


def a_server_that_reads_sip_by_sip() -> None:
    def sip(peer: Peer) -> None:
        ends_at = time.monotonic() + LONGER
        while time.monotonic() < ends_at and peer.connection.recv(MIB // 4):
            peer.wait(0.05)
        peer.reset()

    outgoing = {"seconds": SECONDS, "content": b"x" * 48 * MIB}
    with WireServer(sip, greets=False) as server:
        _is_over_in_time(lambda: DeadlineTransport(CLOCK).handle_request(request(server.url, **outgoing)))


def a_name_server_that_is_silent() -> None:
    def look_up(*_asked: object, **_named: object) -> list[object]:
        time.sleep(LONGER)
        return []

    transport = DeadlineTransport(CLOCK, connect_seconds=SECONDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        _is_over_in_time(lambda: transport.handle_request(request("http://nextech.invalid", seconds=LONGER)))


# -- small


def _costs_little(talk: Callable[[Peer], None]) -> None:
    with WireServer(talk) as server, nextech_client(server.url, answer_seconds=15) as client:
        client._token.current()
        tracemalloc.start()
        with contextlib.suppress(ValueError, MemoryError):
            post(client)
        peak = tracemalloc.get_traced_memory()[1] / MIB
        tracemalloc.stop()
    assert peak < 20, f"heavy: {peak:.0f} MiB"


def an_endless_body() -> None:
    def pour(peer: Peer) -> None:
        peer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(48):
            peer.write(b" " * MIB)
        peer.connection.close()

    _costs_little(pour)


def a_body_of_tiny_objects() -> None:
    _costs_little(say(whole_answer(b"[" + b",".join([b'{"a":1.1}'] * 100_000) + b"]")))


def a_gzip_bomb() -> None:
    bomb = squeezed(48)
    head = f"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    _costs_little(say(head + bomb))


# -- fresh, and soon after the intent


def a_kept_connection_that_a_balancer_forgot() -> None:
    """The first request of a connection is answered, every later one falls into a hole."""
    asked: Counter[int] = Counter()
    empty = json.dumps({"resourceType": "Bundle", "total": 0}).encode()

    def talk(peer: Peer) -> None:
        asked[id(peer)] += 1
        if asked[id(peer)] > 1:
            peer.stay_silent()
        elif server.requests[-1].startswith(b"GET"):
            peer.answer("200 OK", empty, "Content-Type: application/json")
        else:
            peer.write(whole_answer(booked_row()))

    with WireServer(talk) as server, nextech_client(server.url, answer_seconds=3) as client:
        client.read_payments([GUID])
        outcome = post(client).outcome
    assert outcome is EXECUTED, f"wrong state: {outcome}, although Nextech was there"


def frozen_while_it_connects() -> None:
    class Frozen(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock, original = Frozen(), socket.create_connection

    def connect(*asked: object, **named: object) -> socket.socket:
        opened = original(*asked, **named)  # type: ignore[arg-type]
        clock.ahead = 10.0
        return opened

    with WireServer(say(whole_answer(booked_row()))) as server:
        edge = JsonEdge("nextech", DeadlineTransport(clock), clock, random.Random(1))
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(NotSentError):
            patch.setattr(socket, "create_connection", connect)
            edge.send_once(httpx.Request("POST", server.url), answer_seconds=45, send_by=clock.monotonic() + 5)
        assert server.requests == [], "doubled: sent ten seconds after the intent, which others may have given up by then"


# -- to nobody else


def _was_told(server: WireServer) -> bool:
    return any(TOKEN.encode() in asked for asked in server.requests)


def a_page_whose_next_one_is_elsewhere() -> None:
    def page(link: str) -> bytes:
        document = {"resourceType": "Bundle", "total": 2, "entry": [{"resource": payment_row("1")}]}
        return json.dumps(document | {"link": [{"relation": "next", "url": link}]}).encode()

    with WireServer(say(whole_answer(page(""), "200 OK"))) as foreign:
        link = f"{foreign.url}/PaymentReconciliation?_getpagesoffset=1"
        with (
            WireServer(say(whole_answer(page(link), "200 OK"))) as server,
            nextech_client(server.url) as client,
            contextlib.suppress(OrderSyncError),
        ):
            client.read_payments([GUID])
        assert not _was_told(foreign), "leak: the token went where a link pointed"


def a_base_url_that_hides_another_host() -> None:
    with WireServer(say(whole_answer(b"{}", "200 OK"))) as foreign, contextlib.suppress(SettingsError):
        url = f"http://nextech.example@127.0.0.1:{foreign.port}"
        with nextech_client(url) as client, contextlib.suppress(OrderSyncError):
            client.read_payments([GUID])
    assert not _was_told(foreign), "leak: the token went to the host behind the @"


def a_name_that_leads_to_a_metadata_service() -> None:
    asked: list[object] = []

    def connect(address: tuple[str, int], *_rest: object, **_named: object) -> socket.socket:
        asked.append(address[0])
        raise OSError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (METADATA, 80))]
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(NotSentError):
        patch.setattr(socket, "getaddrinfo", lambda *_asked, **_named: found)
        patch.setattr(socket, "create_connection", connect)
        DeadlineTransport(CLOCK).handle_request(request("http://nextech.invalid"))
    assert asked == [], f"leak: a connection to {METADATA} was opened"


def a_server_for_which_nobody_vouches() -> None:
    with tempfile.TemporaryDirectory() as folder:
        tls = server_tls(write_certificate(Path(folder) / "server.pem"))
    with WireServer(say(whole_answer(booked_row())), tls=tls) as server:
        with contextlib.suppress(NotSentError):
            DeadlineTransport(CLOCK).handle_request(request(server.url))
        assert server.requests == [], "leak: the request went to a server for which nobody vouches"


# -- what an answer proves (R5)


def _proves(body: bytes, outcome: PostOutcome, content_type: str = "application/fhir+json") -> Schedule:
    def schedule() -> None:
        answer, _, _ = post_to(say(whole_answer(body, content_type=content_type)))
        assert answer.outcome is outcome, f"wrong outcome: {answer.outcome}"

    return schedule


def _of_another_patient() -> bytes:
    return json.dumps(payment_row("88213", patient=OTHER_GUID)).encode()


another_resource = _proves(booked_row(resourceType="Task"), UNKNOWN)
another_patients_payment = _proves(_of_another_patient(), UNKNOWN)
a_page_that_happens_to_be_json = _proves(booked_row(), UNKNOWN, "text/html")

NEW = NewPatient(
    first="Ana",
    last="Ruiz",
    email="ana@mail.example",
    phone="(305) 555-0142",
    birth_date=date(1980, 5, 17),
    postal_code="33101",
)


def _creates(**changes: object) -> Schedule:
    document = {"resourceType": "Patient", "id": GUID, "birthDate": "1980-05-17", **changes}

    def schedule() -> None:
        said = say(whole_answer(json.dumps(document).encode()))
        with WireServer(said) as server, nextech_client(server.url) as client:
            outcome = client.create_patient(NEW, send_by=CLOCK.monotonic() + 30).outcome
        assert outcome is UNKNOWN, f"wrong patient: {outcome}, and it is somebody else's chart"

    return schedule


somebody_elses_chart = _creates(birthDate="1981-05-17")
a_chart_without_a_guid = _creates(id="42")
