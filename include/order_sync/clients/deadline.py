"""A transport that cannot outlive its deadline, and that knows whether a byte of the request can have left.

Every socket operation gets what is left until one absolute instant on the injected monotonic clock, so that a server
that drips a byte every half second ends with the exchange, not with its own patience. Redirects, proxies, cookies,
compressed answers and unverified TLS do not exist here: there is no switch for them.

A request says what it wants in `request.extensions`: `deadline_at` (monotonic seconds), `send_by` (monotonic seconds;
past it nothing is sent), `is_fresh` (a connection of its own, closed afterwards) and `max_answer_bytes`.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpcore
import httpx

from order_sync.clients.addresses import is_forbidden_address
from order_sync.clock import Clock
from order_sync.crash_points import Point, reach

CONNECT_SECONDS = 5.0
"""From the first look-up of the name to the end of the TLS handshake (reliability R4)."""
EXCHANGE_SECONDS = 45.0
MAX_ANSWER_BYTES = 1024 * 1024
_PIECE_BYTES = 16 * 1024
_KEEPALIVE_SECONDS = 15.0

# At DEBUG, httpcore logs header values of answers, and those may repeat a query with an e-mail address in it.
logging.getLogger("httpcore").setLevel(logging.INFO)


class NotSentError(httpx.TransportError):
    """No byte of the request can have left this machine."""


class ConnectFailedError(NotSentError):
    """The name, the connection or the TLS handshake failed."""


class SendBudgetMissedError(NotSentError):
    """The connection was ready too late; nothing was written to it (reliability R3)."""


class AnswerLostError(httpx.TransportError):
    """The request was sent, or may have been, and no usable answer came. `status` is set when a status line did."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        """Keep the status line's number, if there was one."""
        super().__init__(reason)
        self.status = status


class DeadlinePassedError(AnswerLostError):
    """The answer was not complete at the deadline."""


class AnswerTooLargeError(AnswerLostError):
    """The answer exceeds the cap."""


class AnswerEncodedError(AnswerLostError):
    """The answer is compressed although only `identity` was accepted."""


@dataclass(slots=True)
class _Exchange:
    """One request and its answer, as far as time and the first byte are concerned."""

    clock: Clock
    deadline_at: float
    send_by: float | None
    connect_by: float
    has_begun: bool = False
    """Whether a byte of the request was handed to the operating system."""
    status: int | None = None

    def reach(self, point: Point) -> None:
        """Pass a crash point, if this request is one that must not be repeated."""
        if self.send_by is not None:
            reach(point)

    def seconds_left(self) -> float:
        """Return what is left until the deadline; a read or write that begins later must not begin."""
        return self.deadline_at - self.clock.monotonic()

    def connect_seconds_left(self) -> float:
        """Return what is left for connecting; raises `ConnectTimeout` when it is nothing."""
        left = min(self.connect_by, self.deadline_at) - self.clock.monotonic()
        if left <= 0:
            raise httpcore.ConnectTimeout
        return left

    def begin_sending(self) -> None:
        """Let the first byte go, or raise `SendBudgetMissedError` (reliability R3)."""
        if self.has_begun:
            return
        if self.send_by is not None and self.clock.monotonic() > self.send_by:
            msg = "not sent: the send budget was over before the first byte"
            raise SendBudgetMissedError(msg)
        self.has_begun = True


# httpcore hands the network backend no request, and a pooled stream outlives the request that opened it; all work of
# one exchange happens in the thread that called, so the context knows whose deadline counts.
_exchange: ContextVar[_Exchange] = ContextVar("_exchange")


@contextmanager
def _during(exchange: _Exchange) -> Iterator[None]:
    token = _exchange.set(exchange)
    try:
        yield
    finally:
        _exchange.reset(token)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every operation ends at the deadline of the exchange that uses it now."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline replaces it
        exchange = _exchange.get()
        exchange.reach(Point.POST_WRITTEN)
        left = exchange.seconds_left()
        if left <= 0:
            raise httpcore.ReadTimeout
        piece = self._inner.read(max_bytes, timeout=left)
        exchange.reach(Point.ANSWER_PARTLY_READ)
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline replaces it
        exchange = _exchange.get()
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
        left = _exchange.get().connect_seconds_left()
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, timeout=left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        return self._inner.get_extra_info(info)


class _DeadlineBackend(httpcore.NetworkBackend):
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
        exchange = _exchange.get()
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


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class DeadlineTransport(httpx.BaseTransport):
    """Carry one request to its answer, whole or not at all; thread-safe.

    Raises `NotSentError` when no byte can have left, and `AnswerLostError` for everything else that goes wrong.
    `ca_file` adds an authority of one's own to the trusted ones; there is no way to trust everybody.
    """

    def __init__(self, clock: Clock, *, connect_seconds: float = CONNECT_SECONDS, ca_file: Path | None = None) -> None:
        """Prepare TLS and the pool of kept connections; nothing is connected yet."""
        self._clock = clock
        self._connect_seconds = connect_seconds
        self._backend = _DeadlineBackend()
        self._ssl_context = _tls(ca_file)
        self._pool = httpcore.ConnectionPool(
            ssl_context=self._ssl_context,
            max_connections=16,
            max_keepalive_connections=8,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=self._backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return its complete answer."""
        now = self._clock.monotonic()
        exchange = _Exchange(
            clock=self._clock,
            deadline_at=request.extensions.get("deadline_at", now + EXCHANGE_SECONDS),
            send_by=request.extensions.get("send_by"),
            connect_by=now + self._connect_seconds,
        )
        is_fresh = bool(request.extensions.get("is_fresh", False))
        failure: httpx.TransportError
        try:
            with _during(exchange):
                return self._carry(request, exchange, is_fresh=is_fresh)
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            httpcore.ConnectionNotAvailable,
        ) as error:
            failure = _explain(error, exchange)
        # Raised out here so that no text of the other side hangs on it as context: h11 quotes what it cannot parse.
        raise failure

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()

    def _carry(self, request: httpx.Request, exchange: _Exchange, *, is_fresh: bool) -> httpx.Response:
        outgoing = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=_headers(request, is_fresh=is_fresh),
            content=request.read(),
            extensions={"timeout": {"pool": max(0.0, exchange.seconds_left())}},
        )
        if not is_fresh:
            return _read_answer(self._pool.handle_request(outgoing), request, exchange)
        connection = httpcore.HTTPConnection(
            origin=outgoing.url.origin, ssl_context=self._ssl_context, network_backend=self._backend
        )
        try:
            return _read_answer(connection.handle_request(outgoing), request, exchange)
        finally:
            connection.close()


def _headers(request: httpx.Request, *, is_fresh: bool) -> list[tuple[bytes, bytes]]:
    ours = [(b"Accept-Encoding", b"identity"), (b"Connection", b"close" if is_fresh else b"keep-alive")]
    return [(k, v) for k, v in request.headers.raw if k.lower() not in (b"accept-encoding", b"connection")] + ours


def _read_answer(answer: httpcore.Response, request: httpx.Request, exchange: _Exchange) -> httpx.Response:
    exchange.status = answer.status
    limit = int(request.extensions.get("max_answer_bytes", MAX_ANSWER_BYTES))
    headers = httpx.Headers(answer.headers)
    try:
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            msg = "the answer is compressed although it must not be"
            raise AnswerEncodedError(msg, status=answer.status)
        body = bytearray()
        for piece in answer.iter_stream():
            body += piece
            if len(body) > limit:
                msg = f"the answer is larger than {limit} bytes"
                raise AnswerTooLargeError(msg, status=answer.status)
    finally:
        answer.close()
    return httpx.Response(answer.status, headers=headers, content=bytes(body), request=request)


def _explain(error: Exception, exchange: _Exchange) -> httpx.TransportError:
    """Say what an error means for the question whether the request can have been carried out; only our own words."""
    if not exchange.has_begun:
        return ConnectFailedError(
            "not sent: no connection in time" if isinstance(error, httpcore.TimeoutException) else "not sent: no connection"
        )
    if isinstance(error, httpcore.TimeoutException):
        return DeadlinePassedError("no complete answer before the deadline", status=exchange.status)
    return AnswerLostError("the connection broke off before the answer was complete", status=exchange.status)
