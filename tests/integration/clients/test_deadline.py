"""The transport on real sockets: nothing outlives the deadline, and it is known whether a byte can have left."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.exchanges import (
    AnswerEncodedError,
    AnswerLostError,
    AnswerTooLargeError,
    ConnectFailedError,
    DeadlinePassedError,
    NotSentError,
    SendBudgetMissedError,
)
from order_sync.clock import SystemClock
from tests.integration.clients.exchanges import CLOCK, GRACE_SECONDS, drip_body, drip_head, request
from tests.integration.clients.wire_server import Peer, WireServer


def drip_interim(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, seconds=0.02)


def drip_chunks(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\nx\r\n" * 2_000, seconds=0.02)


@pytest.mark.parametrize("talk", [Peer.stay_silent, drip_head, drip_body, drip_interim, drip_chunks])
@pytest.mark.parametrize("is_fresh", [True, False])
def test_a_server_that_takes_its_time_ends_at_the_deadline(
    talk: Callable[[Peer], None], is_fresh: bool, transport: DeadlineTransport
) -> None:
    with WireServer(talk) as server:
        began = time.monotonic()
        with pytest.raises(DeadlinePassedError):
            transport.handle_request(request(server.url, seconds=0.3, is_fresh=is_fresh))
        assert time.monotonic() - began < 0.3 + GRACE_SECONDS


def test_a_server_that_does_not_read_ends_at_the_deadline(transport: DeadlineTransport) -> None:
    ended = threading.Event()
    with WireServer(lambda _: ended.wait(20) or None, greets=False) as server:
        began = time.monotonic()
        with pytest.raises(DeadlinePassedError):
            transport.handle_request(request(server.url, seconds=0.3, content=b"x" * 50_000_000))
        assert time.monotonic() - began < 0.3 + GRACE_SECONDS
        ended.set()


def test_a_server_that_reads_a_byte_at_a_time_ends_at_the_deadline(transport: DeadlineTransport) -> None:
    def sip(peer: Peer) -> None:
        while peer.connection.recv(1):
            peer.wait(0.01)

    with WireServer(sip, greets=False) as server:
        began = time.monotonic()
        with pytest.raises(DeadlinePassedError):
            transport.handle_request(request(server.url, seconds=0.3, content=b"x" * 50_000_000))
        assert time.monotonic() - began < 0.3 + GRACE_SECONDS


def reset_at_once(peer: Peer) -> None:
    peer.reset()


def close_at_once(peer: Peer) -> None:
    peer.connection.close()


def cut_body(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
    peer.connection.close()


def cut_head(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Cre")
    peer.connection.close()


def cut_chunk(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{")
    peer.connection.close()


def speak_nonsense(peer: Peer) -> None:
    peer.write(b"body-canary is no HTTP\r\n\r\n")
    peer.connection.close()


def two_lengths(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\nX-body-canary: 1\r\n\r\n{}")


def endless_head(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 OK\r\n" + b"X-Header: body-canary\r\n" * 100_000)


@pytest.mark.parametrize(
    ("talk", "status"),
    [
        (reset_at_once, None),
        (close_at_once, None),
        (cut_head, None),
        (cut_body, 201),
        (cut_chunk, 201),
        (speak_nonsense, None),
        (two_lengths, None),
        (endless_head, None),
    ],
)
def test_an_exchange_that_breaks_after_the_first_byte_is_unknown(
    talk: Callable[[Peer], None], status: int | None, transport: DeadlineTransport
) -> None:
    with WireServer(talk) as server, pytest.raises(AnswerLostError) as caught:
        transport.handle_request(request(server.url))
    assert caught.value.status == status
    text = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "canary" not in text


def test_an_endless_body_ends_at_the_cap(transport: DeadlineTransport) -> None:
    def pour(peer: Peer) -> None:
        peer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.write(b"x" * 65_536)

    with WireServer(pour) as server, pytest.raises(AnswerTooLargeError) as caught:
        transport.handle_request(request(server.url))
    assert caught.value.status == 200


def test_an_answer_of_exactly_the_cap_is_read(transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK", b"x" * 1_000)) as server:
        answer = transport.handle_request(request(server.url, max_answer_bytes=1_000))
        assert len(answer.content) == 1_000
        with pytest.raises(AnswerTooLargeError):
            transport.handle_request(request(server.url, max_answer_bytes=999))


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
def test_a_compressed_answer_is_unreadable(encoding: str, transport: DeadlineTransport) -> None:
    with (
        WireServer(lambda peer: peer.answer("200 OK", b"\x1f\x8b", f"Content-Encoding: {encoding}")) as server,
        pytest.raises(AnswerEncodedError),
    ):
        transport.handle_request(request(server.url))


def test_only_uncompressed_answers_are_asked_for(transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK", b"{}")) as server:
        transport.handle_request(request(server.url))
    head = server.requests[0].partition(b"\r\n\r\n")[0].lower()
    assert b"accept-encoding: identity" in head
    assert head.count(b"accept-encoding") == 1
    assert b"connection: close" in head
    assert b"cookie" not in head


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_is_an_answer_and_no_invitation(status: str, transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK", b"{}")) as foreign:
        with WireServer(lambda peer: peer.answer(status, b"", f"Location: {foreign.url}/")) as server:
            answer = transport.handle_request(request(server.url))
        assert answer.status_code == int(status[:3])
        assert foreign.requests == []


def test_a_port_where_nobody_listens_means_not_sent(transport: DeadlineTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectFailedError):
        transport.handle_request(request(f"http://127.0.0.1:{port}"))


def test_a_name_that_does_not_exist_means_not_sent(transport: DeadlineTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectFailedError):
        transport.handle_request(request("http://nextech.invalid"))


def test_a_name_server_that_is_silent_ends_with_the_time_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def silent(*_: object, **__: object) -> list:
        released.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    began = time.monotonic()
    with pytest.raises(ConnectFailedError):
        DeadlineTransport(CLOCK, connect_seconds=0.2).handle_request(request("http://nextech.invalid"))
    assert time.monotonic() - began < 0.2 + GRACE_SECONDS
    released.set()


def test_an_address_that_does_not_answer_leaves_time_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(lambda peer: peer.answer("200 OK", b"{}")) as server:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port)) for address in ("127.0.0.2", "127.0.0.1")]
        original = socket.getaddrinfo

        def resolve(host: str, *arguments: object, **more: object) -> list:
            return found if host == "nextech.invalid" else original(host, *arguments, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        transport = DeadlineTransport(CLOCK)
        assert transport.handle_request(request(f"http://nextech.invalid:{server.port}")).status_code == 200


def test_past_the_send_budget_the_open_connection_carries_nothing(transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK")) as server, pytest.raises(SendBudgetMissedError):
        transport.handle_request(request(server.url, send_by=CLOCK.monotonic() - 0.001))
    assert server.requests == []


def test_the_budget_is_checked_when_the_connection_is_open_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen(SystemClock):
        """A clock that jumps, as for a process that was stopped, once the connection stands."""

        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock = Frozen()
    original = socket.create_connection

    def connect(*arguments: object, **more: object) -> socket.socket:
        opened = original(*arguments, **more)
        clock.ahead = 10.0
        return opened

    with WireServer(lambda peer: peer.answer("200 OK")) as server:
        monkeypatch.setattr(socket, "create_connection", connect)
        outgoing = request(server.url, seconds=45, send_by=CLOCK.monotonic() + 5)
        with pytest.raises(SendBudgetMissedError):
            DeadlineTransport(clock).handle_request(outgoing)
        monkeypatch.undo()
    assert server.connections == 1
    assert server.requests == []


def test_a_deadline_that_is_over_before_the_first_byte_means_not_sent(transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK")) as server, pytest.raises(NotSentError):
        transport.handle_request(request(server.url, seconds=-1))
    assert server.requests == []


def test_money_gets_a_connection_of_its_own_and_reads_share_one(transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK", b"{}")) as server:
        for _ in range(3):
            transport.handle_request(request(server.url, method="GET", is_fresh=False, content=b""))
        assert server.connections == 1
        for _ in range(3):
            transport.handle_request(request(server.url))
        assert server.connections == 4
        transport.handle_request(request(server.url, method="GET", is_fresh=False, content=b""))
        assert server.connections == 4


def test_each_thread_keeps_its_own_deadline(transport: DeadlineTransport) -> None:
    def serve(peer: Peer) -> None:
        peer.wait(0.6)
        peer.answer("200 OK", b"{}")

    def ask(seconds: float) -> str:
        try:
            transport.handle_request(request(server.url, method="GET", is_fresh=False, seconds=seconds))
        except DeadlinePassedError:
            return "late"
        return "in time"

    with WireServer(serve) as server, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, (0.2, 8, 0.2, 8))) == ["late", "in time", "late", "in time"]


def test_proxies_of_the_environment_are_ignored(transport: DeadlineTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with WireServer(lambda peer: peer.answer("200 OK", b"{}")) as server:
        assert transport.handle_request(request(server.url)).status_code == 200


def test_nothing_of_a_request_or_answer_is_logged(transport: DeadlineTransport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with WireServer(lambda peer: peer.answer("200 OK", b"body-canary", "X-Echo: query-canary")) as server:
        transport.handle_request(request(server.url))
    assert "canary" not in caplog.text
