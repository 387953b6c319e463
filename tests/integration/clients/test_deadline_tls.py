"""The transport over TLS: nobody who is not the server gets a byte, and the deadline holds there too."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest

from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.exchanges import ConnectFailedError, DeadlinePassedError
from tests.integration.clients.certificates import server_tls, write_certificate
from tests.integration.clients.exchanges import CLOCK, GRACE_SECONDS, drip_body, request
from tests.integration.clients.wire_server import Peer, WireServer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key in the same file."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


def test_a_trusted_server_is_answered_over_tls(authority: Path) -> None:
    with WireServer(lambda peer: peer.answer("200 OK", b"{}"), tls=server_tls(authority)) as server:
        transport = DeadlineTransport(CLOCK, ca_file=authority)
        assert transport.handle_request(request(server.url)).status_code == 200


def test_a_self_signed_server_gets_no_byte(authority: Path, transport: DeadlineTransport) -> None:
    with WireServer(lambda peer: peer.answer("200 OK"), tls=server_tls(authority)) as server, pytest.raises(ConnectFailedError):
        transport.handle_request(request(server.url))
    assert server.requests == []


def test_a_certificate_for_another_name_gets_no_byte(authority: Path) -> None:
    with WireServer(lambda peer: peer.answer("200 OK"), tls=server_tls(authority)) as server, pytest.raises(ConnectFailedError):
        DeadlineTransport(CLOCK, ca_file=authority).handle_request(request(f"https://localhost:{server.port}"))
    assert server.requests == []


def test_a_server_that_knows_only_old_tls_gets_no_byte(authority: Path) -> None:
    context = server_tls(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with WireServer(lambda peer: peer.answer("200 OK"), tls=context) as server, pytest.raises(ConnectFailedError):
        DeadlineTransport(CLOCK, ca_file=authority).handle_request(request(server.url))
    assert server.requests == []


def test_a_handshake_that_never_comes_means_not_sent(transport: DeadlineTransport) -> None:
    with WireServer(Peer.stay_silent, greets=False) as server:
        began = time.monotonic()
        with pytest.raises(ConnectFailedError):
            transport.handle_request(request(f"https://127.0.0.1:{server.port}", seconds=0.3))
        assert time.monotonic() - began < 0.3 + GRACE_SECONDS


def test_a_body_dripped_over_tls_ends_at_the_deadline(authority: Path) -> None:
    with WireServer(drip_body, tls=server_tls(authority)) as server:
        began = time.monotonic()
        with pytest.raises(DeadlinePassedError):
            DeadlineTransport(CLOCK, ca_file=authority).handle_request(request(server.url, seconds=0.5))
        assert time.monotonic() - began < 0.5 + GRACE_SECONDS
