"""Streams that keep to the deadline of the exchange that uses them, and connections that are opened in time."""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore

from order_sync.clients.addresses import is_forbidden_address
from order_sync.clients.exchanges import current_exchange
from order_sync.crash_points import Point

_PIECE_BYTES = 16 * 1024


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every operation ends at the deadline of the exchange that uses it now."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline replaces it
        exchange = current_exchange()
        exchange.reach(Point.POST_WRITTEN)
        left = exchange.seconds_left()
        if left <= 0:
            raise httpcore.ReadTimeout
        piece = self._inner.read(max_bytes, timeout=left)
        exchange.reach(Point.ANSWER_PARTLY_READ)
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline replaces it
        exchange = current_exchange()
        connection: socket.socket = self._inner.get_extra_info("socket")
        rest = memoryview(buffer)
        while rest:
            exchange.begin_sending()
            left = exchange.seconds_left()
            if left <= 0:
                raise httpcore.WriteTimeout
            # One send at a time: httpcore's own loop would give every partial send the whole timeout again.
            try:
                connection.settimeout(left)
                rest = rest[connection.send(rest[:_PIECE_BYTES]) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout from error
            except OSError as error:
                raise httpcore.WriteError from error
            exchange.reach(Point.POST_PARTLY_WRITTEN)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline replaces it
    ) -> httpcore.NetworkStream:
        left = current_exchange().connect_seconds_left()
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, timeout=left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        return self._inner.get_extra_info(info)


class DeadlineBackend(httpcore.NetworkBackend):
    """Open connections within the time that the exchange has for it, however many addresses a name has."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline replaces it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; each one gets its share of the time that is left for connecting."""
        exchange = current_exchange()
        addresses = _resolve(host, port, exchange.connect_seconds_left())
        failure: Exception = httpcore.ConnectError("the name has no address")
        for position, address in enumerate(addresses):
            if is_forbidden_address(address):
                # A name may lead to a metadata service although its URL is innocent.
                failure = httpcore.ConnectError("the name leads to an address that no server of ours can have")
                continue
            seconds = exchange.connect_seconds_left() / (len(addresses) - position)
            try:
                return _DeadlineStream(self._inner.connect_tcp(address, port, seconds, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """Look a name up within so many seconds: `getaddrinfo` has no timeout of its own, a thread lends it one."""
    try:
        return [str(ipaddress.ip_address(host.strip("[]")))]
    except ValueError:
        pass
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError from answer
    return answer
