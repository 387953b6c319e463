"""Two practices with a few patients, and a desk that calls their Nextech as the service user does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.nextech.books import BookedPayment, booked_payments
from sandbox.nextech.engine import Nextech
from sandbox.nextech.faults import Effect, Fault
from sandbox.nextech.logins import CLIENT_ID
from sandbox.nextech.records import PracticeSetup
from sandbox.nextech.resources import SD
from sandbox.people import SeedPatient

ANA = "7c0e5f3a-9b1d-4c22-8e57-1f0a6d2b9c44"
BEN = "7c0e5f3a-9b1d-4c22-8e57-1f0a6d2b9c45"
CAT = "7c0e5f3a-9b1d-4c22-8e57-1f0a6d2b9c46"
SMITHSON = "7c0e5f3a-9b1d-4c22-8e57-1f0a6d2b9c47"
PAY_ROUTE = "/Patient/{id}/PaymentReconciliation"
MARKER = "DP-7K3QX0M9ZT4R-H"


class Wall:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 1, 6, 18, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def wait(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


def practice(name: str, guid: str, zone: str) -> PracticeSetup:
    return PracticeSetup(
        practice_id=name,
        guid=guid,
        name=f"{name} practice",
        time_zone=zone,
        locations={"3": "Main"},
        providers={"9107": "Cole, Mara"},
        referral_sources={"311": "Online Store"},
        patient_types={"4": "Retail"},
    )


EASTERN = practice("eastern", "0B6F3C52-8d1e-4a7b-9c35-e1f0a2b4c601", "America/New_York")
ARIZONA = practice("arizona", "7f2c4b80-e6a3-4d19-8e5f-93b1d0c7a603", "America/Phoenix")


def people() -> list[SeedPatient]:
    def person(guid: str, number: str, first: str, last: str, **more: Any) -> SeedPatient:
        facts: dict[str, Any] = {
            "mobile": f"(305) 555-01{number[-2:]}",
            "birth_date": "1988-04-19",
            "postal_code": "33130",
            **more,
        }
        return SeedPatient("eastern", guid, number, first, last, **facts)

    return [
        person(
            ANA, "20442", "Ana", "Smith", email="jo@x.example", city="Miami", suffix="Jr", nickname="Annie", home="305.555.0150"
        ),
        person(BEN, "20443", "Ben", "Ruiz", email="jo@x.example.example", birth_date="1981-05-31"),
        person(CAT, "20444", "Cat", "Hidden", email="cat@x.example", is_email_private=True, is_phone_private=True),
        person(SMITHSON, "20445", "Dan", "Smithson", email="dan@x.example", birth_date="1981-06-01"),
    ]


@dataclass
class Desk:
    """Call Nextech as one practice's service user."""

    nextech: Nextech
    client: httpx.Client
    setup: PracticeSetup

    def sign_in(self) -> Desk:
        form = {
            "grant_type": "password",
            "client_id": CLIENT_ID,
            "username": self.setup.username,
            "password": self.setup.password,
            "resource": "https://select.nextech-api.com/api",
        }
        answer = self.client.post("/nextech/oauth2/token", data=form)
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.client.headers["nx-practice-id"] = self.setup.guid.upper()
        return self

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.client.get(f"/nextech/api{path}", params=params.get("params", params))

    def ids(self, kind: str, query: str) -> set[str]:
        answer = self.client.get(f"/nextech/api/{kind}?{query}")
        assert answer.status_code == 200, answer.text
        return {entry["resource"]["id"] for entry in answer.json().get("entry", [])}

    def pay(self, guid: str = ANA, **changes: Any) -> httpx.Response:
        return self.client.post(f"/nextech/api/Patient/{guid}/PaymentReconciliation", json=payment_body(**changes))

    def create(self, **changes: Any) -> httpx.Response:
        return self.client.post("/nextech/api/Patient/", json=patient_body(**changes))

    def fail(self, effect: Effect, **more: Any) -> Fault:
        return self.nextech.faults.plant(Fault(effect, **more))

    def switch(self, **changes: Any) -> None:
        self.nextech.switches = self.nextech.switches.changed_by(changes)

    @property
    def booked(self) -> tuple[BookedPayment, ...]:
        return booked_payments(self.nextech, self.setup.practice_id)


def payment_body(
    *,
    amount: Any = 129.99,
    day: str = "2026-01-05T17:00:00.000Z",
    note: str = f"{MARKER} #000004127 main",
    category: str | None = "WEB - Online Store",
    card_type: str | None = "Visa",
    method: str | None = "Charge",
    location: str = "3",
    provider: str = "9107",
    card_name: str = "creditcard-type",
    apply: Any = False,
    location_url: str = "http://hl7.org/fhir/StructureDefinition/location",
    location_value: str = "valueReference",
    **more: Any,
) -> dict[str, Any]:
    extension: list[dict[str, Any]] = [
        {"url": location_url, location_value: {"reference": f"Location/{location}"}},
        {"url": SD + "payment-date", "valueDateTime" if "T" in day else "valueDate": day},
    ]
    texts = {"payment-method": method, "payment-category": category, card_name: card_type}
    extension += [{"url": SD + name, "valueString": text} for name, text in texts.items() if text is not None]
    if apply is not None:
        extension.append({"url": SD + "apply-payment", "valueBoolean": apply})
    return {
        "resourceType": "PaymentReconciliation",
        "extension": extension,
        "requestProvider": {"reference": f"Practitioner/{provider}"},
        "total": {"value": amount},
        "processNote": [{"type": {"coding": [{"system": "NoteType", "code": "display"}]}, "text": note}],
        **more,
    }


def patient_body(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "name": [{"use": "official", "family": "Novak", "given": ["Eva"]}],
        "telecom": [
            {"system": "phone", "value": "(305) 555-0177", "use": "mobile"},
            {"system": "email", "value": "eva@novak.example"},
        ],
        "birthDate": "1990-02-03",
        "address": [{"use": "home", "postalCode": "33130"}],
        "extension": [{"url": SD + "referral-source", "valueReference": {"reference": "referral-source/311"}}],
        **changes,
    }
