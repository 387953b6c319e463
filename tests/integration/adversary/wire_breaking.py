"""Ways to break one guard of the client on its sockets."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpcore
import httpx
import pytest

from order_sync.clients import http, nextech_outcomes
from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.exchanges import Exchange, current_exchange
from order_sync.clients.http import Answer, JsonEdge
from order_sync.clients.nextech import NextechClient
from order_sync.clients.nextech_paging import Params, Row
from order_sync.patients import NewPatient
from order_sync.payments import PostAnswer
from tests.integration.sync.guards.breaking import Break, put

_carry = DeadlineTransport._carry
_handle = DeadlineTransport.handle_request


def _send_again(transport: DeadlineTransport, request: httpx.Request, exchange: Exchange, **wishes: bool) -> httpx.Response:
    try:
        return _carry(transport, request, exchange, **wishes)
    except httpcore.NetworkError:
        return _carry(transport, request, exchange, **wishes)


def _follow(transport: DeadlineTransport, request: httpx.Request) -> httpx.Response:
    answer = _handle(transport, request)
    if "location" not in answer.headers:
        return answer
    again = httpx.Request("POST", answer.headers["location"], headers=request.headers, content=request.content)
    again.headers["Host"] = again.url.netloc.decode()
    again.extensions = request.extensions
    return _handle(transport, again)


def _keep_the_connection(
    transport: DeadlineTransport, request: httpx.Request, exchange: Exchange, **_wishes: bool
) -> httpx.Response:
    return _carry(transport, request, exchange, is_fresh=False)


SEND_AGAIN = put(_send_again, "order_sync.clients.deadline.DeadlineTransport._carry")
FOLLOW = put(_follow, "order_sync.clients.deadline.DeadlineTransport.handle_request")
KEEP_THE_CONNECTION = put(_keep_the_connection, "order_sync.clients.deadline.DeadlineTransport._carry")


# -- time


def _read_patiently(stream: Any, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG001
    received: bytes = stream._inner.read(max_bytes, timeout=1.0)
    return received


def _write_patiently(stream: Any, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG001
    current_exchange().begin_sending()
    stream._inner.write(buffer, timeout=1.0)


def _connect_whenever(exchange: Exchange) -> float:
    return exchange.seconds_left()


def _begin_whenever(exchange: Exchange) -> None:
    exchange.has_begun = True


READ_PATIENTLY = put(_read_patiently, "order_sync.clients.streams._DeadlineStream.read")
WRITE_PATIENTLY = put(_write_patiently, "order_sync.clients.streams._DeadlineStream.write")
CONNECT_WHENEVER = put(_connect_whenever, "order_sync.clients.exchanges.Exchange.connect_seconds_left")
BEGIN_WHENEVER = put(_begin_whenever, "order_sync.clients.exchanges.Exchange.begin_sending")


# -- size


def limit_nothing(**limits: int) -> Break:
    """Let the clients take answers of any size."""

    def break_it(monkeypatch: pytest.MonkeyPatch) -> None:
        original = JsonEdge.__init__

        def begin(edge: JsonEdge, *given: Any, **named: Any) -> None:
            original(edge, *given, **{**named, **limits})

        monkeypatch.setattr(JsonEdge, "__init__", begin)

    return break_it


def _read_compressed(answer: httpcore.Response, request: httpx.Request, exchange: Exchange) -> httpx.Response:
    exchange.status = answer.status
    return httpx.Response(answer.status, headers=answer.headers, content=answer.read(), request=request)


READ_COMPRESSED = put(_read_compressed, "order_sync.clients.deadline._read_answer")


# -- hosts


def _follow_links(client: NextechClient, path: str, params: Params, *_rest: str) -> list[Row]:
    rows: list[Row] = []
    url = f"{client._base_url}{path}?{params[0][0]}={params[0][1]}"
    for _ in range(2):
        request = httpx.Request("GET", url, headers=client._headers(client._token.current()))
        document = client._edge.read("GET", lambda request=request: request).document  # type: ignore[misc]
        rows += [entry["resource"] for entry in document["entry"]]
        url = document["link"][0]["url"] or url
    return rows


def _trust_everybody(_ca_file: object) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _take_any_url(url: str, *, system: str) -> str:  # noqa: ARG001
    return url


FOLLOW_LINKS = put(_follow_links, "order_sync.clients.nextech.NextechClient._read_complete")
TRUST_EVERYBODY = put(_trust_everybody, "order_sync.clients.deadline._tls")
TAKE_ANY_URL = put(_take_any_url, "order_sync.clients.nextech.checked_base_url")


# -- what an answer proves


def _take_any_resource(answer: Answer, _resource_type: str) -> object:
    return answer.document if isinstance(answer.document, dict) else None


def _read_any_type(response: httpx.Response) -> tuple[bool, Any]:
    response.headers["content-type"] = "application/json"
    return _read_json(response)


def _overlook(field: str) -> Callable[[Answer, NewPatient], PostAnswer]:
    def outcome_of_patient(answer: Answer, new: NewPatient) -> PostAnswer:
        document = {name: value for name, value in answer.document.items() if name != field}
        return _outcome_of_patient(replace(answer, document=document), new)

    return outcome_of_patient


_read_json = http._read_json
_outcome_of_patient = nextech_outcomes.outcome_of_patient
TAKE_ANY_RESOURCE = put(_take_any_resource, "order_sync.clients.nextech_outcomes._resource")
READ_ANY_TYPE = put(_read_any_type, "order_sync.clients.http._read_json")
OVERLOOK_THE_BIRTH_DATE = put(_overlook("birthDate"), "order_sync.clients.nextech.outcome_of_patient")
TAKE_ANY_ID = put(lambda text: text, "order_sync.clients.nextech_outcomes.guid")
