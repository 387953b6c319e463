"""A transport that cannot outlive its deadline, and that knows whether a byte of the request can have left.

Every socket operation gets what is left until one absolute instant on the injected monotonic clock, so that a server
that drips a byte every half second ends with the exchange, not with its own patience. Redirects, proxies, cookies,
compressed answers and unverified TLS do not exist here: there is no switch for them.

A request says what it wants in `request.extensions`: `deadline_at` (monotonic seconds), `send_by` (monotonic seconds;
past it nothing is sent), `is_fresh` (a connection of its own, closed afterwards) and `max_answer_bytes`.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import httpcore
import httpx

from order_sync.clients.exchanges import (
    AnswerEncodedError,
    AnswerLostError,
    AnswerTooLargeError,
    ConnectFailedError,
    DeadlinePassedError,
    Exchange,
    during,
)
from order_sync.clients.streams import DeadlineBackend
from order_sync.clock import Clock

CONNECT_SECONDS = 5.0
"""From the first look-up of the name to the end of the TLS handshake (reliability R4)."""
EXCHANGE_SECONDS = 45.0
MAX_ANSWER_BYTES = 1024 * 1024
_KEEPALIVE_SECONDS = 15.0

# At DEBUG, httpcore logs header values of answers, and those may repeat a query with an e-mail address in it.
logging.getLogger("httpcore").setLevel(logging.INFO)


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
        self._backend = DeadlineBackend()
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
        exchange = Exchange(
            clock=self._clock,
            deadline_at=request.extensions.get("deadline_at", now + EXCHANGE_SECONDS),
            send_by=request.extensions.get("send_by"),
            connect_by=now + self._connect_seconds,
        )
        is_fresh = bool(request.extensions.get("is_fresh", False))
        failure: httpx.TransportError
        try:
            with during(exchange):
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

    def _carry(self, request: httpx.Request, exchange: Exchange, *, is_fresh: bool) -> httpx.Response:
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


def _read_answer(answer: httpcore.Response, request: httpx.Request, exchange: Exchange) -> httpx.Response:
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


def _explain(error: Exception, exchange: Exchange) -> httpx.TransportError:
    """Say what an error means for the question whether the request can have been carried out; only our own words."""
    if not exchange.has_begun:
        return ConnectFailedError(
            "not sent: no connection in time" if isinstance(error, httpcore.TimeoutException) else "not sent: no connection"
        )
    if isinstance(error, httpcore.TimeoutException):
        return DeadlinePassedError("no complete answer before the deadline", status=exchange.status)
    return AnswerLostError("the connection broke off before the answer was complete", status=exchange.status)
