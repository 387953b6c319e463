"""A Nextech and a store that answer from a script, and clients that talk to them without a socket."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from urllib.parse import parse_qsl

import httpx

from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from tests.clocks import FakeClock

GUID = "7c0e5f3a-9b1d-4c22-8e57-1f0a6d2b9c44"
OTHER_GUID = "11111111-2222-4333-8444-555555555555"
PRACTICE_GUID = "0b6f3c52-8d1e-4a7b-9c35-e1f0a2b4c601"
USER = "svc-eastern@nextech.example"

Handler = Callable[[httpx.Request], httpx.Response]


class NoLimit:
    """A limiter that notes who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def acquire(self, user: str, endpoint: str) -> None:
        self.asked.append((user, endpoint))


class ScriptedNextech:
    """Hand out tokens, and answer everything else with a handler; every request is kept."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[httpx.Request] = []
        self.logins: list[dict[str, str]] = []
        self.on_login: Handler | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            self.logins.append(dict(parse_qsl(request.content.decode())))
            if self.on_login is not None:
                return self.on_login(request)
            return token_answer(len(self.logins))
        self.requests.append(request)
        return self.handler(request)

    def client(self, clock: FakeClock, limiter: NoLimit | None = None) -> NextechClient:
        settings = NextechConnection(
            base_url="https://nextech.example/api",
            token_url="https://login.example/oauth2/token",
            username=USER,
            password="password-canary",
            client_id="client",
            resource="https://nextech.example/api",
            practice_guid=PRACTICE_GUID,
        )
        return NextechClient(
            settings,
            transport=httpx.MockTransport(self),
            limiter=limiter or NoLimit(),
            clock=clock,
            rng=random.Random(1),
        )


def token_answer(number: int, **changes: object) -> httpx.Response:
    fields = {
        "token_type": "Bearer",
        "expires_in": "3600",
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
    }
    return httpx.Response(200, json=fields | changes)


def store_client(handler: Handler, clock: FakeClock, *, writer: str = "module") -> StoreClient:
    settings = StoreConnection("https://store.example", Bearer("token-canary"), writer)  # type: ignore[arg-type]
    transport = httpx.MockTransport(handler)
    rng = random.Random(1)
    return StoreClient(settings, transport=transport, limiter=NoLimit(), clock=clock, rng=rng)


def bundle(*resources: dict, total: int | None = None, **more: object) -> httpx.Response:
    document: dict[str, object] = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    if total is not None:
        document["total"] = total
    return json_answer(200, document | more)


def json_answer(status: int, document: object, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(document).encode(), headers={"content-type": "application/json"} | headers)


def payment_row(payment_id: str, *, patient: str = GUID, value: object = 129.99, **changes: object) -> dict:
    return {
        "resourceType": "PaymentReconciliation",
        "id": payment_id,
        "status": "active",
        "total": {"value": value},
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/Patient",
                "valueResourceReference": {"reference": f"Patient/{patient.upper()}"},
            }
        ],
    } | changes


def patient_row(patient_id: str = GUID, *, email: str | None = "ana@mail.example", phone: str | None = None) -> dict:
    telecom = [{"system": "email", "value": email}] if email else []
    telecom += [{"system": "phone", "value": phone}] if phone else []
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "name": [{"use": "official", "family": "Ruiz", "given": ["Ana", ""]}],
        "telecom": telecom,
        "birthDate": "1988-04-19",
    }


def asked(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))


OPERATION_OUTCOME = {"resourceType": "OperationOutcome", "issue": []}


def pages(
    count: int,
    *,
    size: int = 50,
    with_total: bool = True,
    with_links: bool = True,
    is_overlapping: bool = True,
    host: str = "http://localhost:5000",
) -> Callable[[httpx.Request], httpx.Response]:
    """Serve so many payments with the paging traps of contract section 3."""
    rows = [payment_row(str(number)) for number in range(count)]

    def handler(request: httpx.Request) -> httpx.Response:
        params = asked(request)
        assert params["patient"] == GUID
        offset = int(params.get("_getpagesoffset", 0))
        if is_overlapping and offset > max(0, count - size) and offset < count:
            offset = max(0, count - size)
        links = [{"relation": "self", "url": f"{host}/api/paymentreconciliation"}]
        if offset + size < count:
            links.append({"relation": "next", "url": f"{host}/x?_getpagesoffset={offset + size}&_count=10&patient=evil"})
        more = {"link": links} if with_links else {}
        return bundle(*rows[offset : offset + size], total=count if with_total else None, **more)

    return handler
