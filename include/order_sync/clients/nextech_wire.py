"""Nextech's FHIR STU3 JSON: its resources into our types, our requests into its bytes.

Extensions are told by the last segment of their URL and references by theirs, both regardless of case: the
documentation writes `Location/1` and `location/1`, `creditcard-type` and `credit-cardtype` (contract sections 4 and 5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from order_sync.patients import NewPatient, Patient
from order_sync.payments import EntryStatus, PaymentEntry, PaymentRequest

NOTE_CHARACTERS = 255
"""Nextech cuts the description here (contract 4.10)."""
_EXTENSIONS = "https://select.nextech-api.com/api/structuredefinition/"
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AMOUNT_TEXT = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,20})?")
_NOISE = Decimal("0.00005")
_LARGEST = Decimal(10) ** 10
_NOON = "T12:00:00+00:00"
_DATE_CHARACTERS = 10
_LONGEST_ID = 64
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""What lies outside, such as .NET's 0001-01-01, says nothing, and may have no day in a practice's zone."""


class UnreadableError(ValueError):
    """A resource that lacks what evidence needs; the text is one of ours."""


def guid(text: object) -> str | None:
    """Return a GUID in lower case, or None for anything else."""
    lowered = text.strip().lower() if isinstance(text, str) else ""
    return lowered if _GUID.fullmatch(lowered) else None


def resource_id(resource: Mapping[str, Any]) -> str | None:
    """Return a resource's id: its `id`, else its official identifier."""
    return _id_text(resource.get("id")) or next(
        (
            text
            for entry in _objects(resource.get("identifier"))
            if entry.get("use") == "official" and (text := _id_text(entry.get("value")))
        ),
        None,
    )


def read_patient(resource: Mapping[str, Any]) -> Patient:
    """Read a Patient resource; raises `UnreadableError` when it has no GUID."""
    patient_id = guid(resource_id(resource))
    if patient_id is None:
        msg = "a patient without a GUID"
        raise UnreadableError(msg)
    names = list(_objects(resource.get("name")))
    official = next((name for name in names if name.get("use") == "official"), None)
    official = official or next((name for name in names if name.get("use") != "nickname"), {})
    nickname = next((name for name in names if name.get("use") == "nickname"), {})
    given = _texts(official.get("given"))
    address = next(_objects(resource.get("address")), {})
    identifiers = list(_objects(resource.get("identifier")))
    return Patient(
        patient_id=patient_id,
        chart_number=next((_id_text(entry.get("value")) for entry in identifiers if entry.get("use") == "usual"), None),
        first=given[0] if given else None,
        middle=given[1] if len(given) > 1 else None,
        last=_text(official.get("family")),
        suffix=next(iter(filter(None, _texts(official.get("suffix")))), None),
        nickname=next(iter(filter(None, _texts(nickname.get("given")))), None),
        email=next(iter(_contacts(resource, "email")), None),
        phones=tuple(_contacts(resource, "phone")),
        birth_date=_day(resource.get("birthDate")),
        postal_code=_text(address.get("postalCode")),
        city=_text(address.get("city")),
        is_active=_is_in_use(resource),
    )


def _is_in_use(resource: Mapping[str, Any]) -> bool:
    """Say whether a chart is in use. What Nextech shows of a merged one is not documented; FHIR has these two words for it."""
    is_replaced = any(link.get("type") == "replaced-by" for link in _objects(resource.get("link")))
    return resource.get("active") is not False and not is_replaced


def hides_contact(resource: Mapping[str, Any], system: str) -> bool:
    """Say whether a patient may have an `email` or `phone` that the API does not return (contract 4.1)."""
    entries = [entry for entry in _objects(resource.get("telecom")) if entry.get("system") == system]
    return not entries or any(_text(entry.get("value")) is None for entry in entries)


def read_payment(resource: Mapping[str, Any]) -> PaymentEntry:
    """Read a PaymentReconciliation resource; raises `UnreadableError` when id, status or amount cannot be told."""
    payment_id = resource_id(resource)
    status = _text(resource.get("status"))
    amount_cents = payment_amount_cents(resource)
    if payment_id is None or status is None or status.lower() not in set(EntryStatus) or amount_cents is None:
        msg = "a payment without a known id, status or amount"
        raise UnreadableError(msg)
    extensions = _extensions(resource)
    meta = resource.get("meta")
    provider = resource.get("requestProvider")
    return PaymentEntry(
        payment_id=payment_id,
        patient_id=payment_patient_id(resource),
        status=EntryStatus(status.lower()),
        amount_cents=amount_cents,
        payment_instant=_instant(extensions.get("payment-date")),
        created_at=_instant(resource.get("created")),
        updated_at=_instant(meta.get("lastUpdated")) if isinstance(meta, dict) else None,
        method=_text(extensions.get("payment-method")),
        category=_text(extensions.get("payment-category")),
        card_type=_text(extensions.get("credit-cardtype")) or _text(extensions.get("creditcard-type")),
        location_id=_reference(extensions.get("location")),
        provider_id=_reference(provider),
        applied_cents=_applied_cents(resource),
        note=" ".join(filter(None, (_text(note.get("text")) for note in _objects(resource.get("processNote"))))),
    )


def payment_patient_id(resource: Mapping[str, Any]) -> str | None:
    """Return the GUID of the patient whom a payment names, or None when it names none."""
    return guid(_reference(_extensions(resource).get("patient")))


def names_a_patient(resource: Mapping[str, Any]) -> bool:
    """Say whether a payment carries a patient reference at all, readable or not."""
    return "patient" in _extensions(resource)


def payment_body(request: PaymentRequest) -> bytes:
    """Write the body of one posting (contract 4.10); the amount is exact decimal text, never a float.

    Raises `ValueError` for what must never be sent: an amount of 0 or less, a note that would be cut or lacks its
    marker, a patient id that is no GUID.
    """
    if request.amount_cents <= 0 or guid(request.patient_id) is None or request.payment_instant.utcoffset() is None:
        msg = "a posting needs a positive amount, a patient GUID and an aware instant"
        raise ValueError(msg)
    if len(request.note) > NOTE_CHARACTERS or not (request.marker and request.note.startswith(request.marker)):
        msg = f"a posting's note begins with its marker and has at most {NOTE_CHARACTERS} characters"
        raise ValueError(msg)
    instant = request.payment_instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    extensions: list[dict[str, object]] = [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/location",
            "valueReference": {"reference": f"Location/{request.location_id}"},
        },
        {"url": f"{_EXTENSIONS}payment-date", "valueDateTime": instant},
        {"url": f"{_EXTENSIONS}payment-method", "valueString": request.method},
        {"url": f"{_EXTENSIONS}payment-category", "valueString": request.category},
    ]
    if request.card_type:
        extensions.append({"url": f"{_EXTENSIONS}creditcard-type", "valueString": request.card_type})
    extensions.append({"url": f"{_EXTENSIONS}apply-payment", "valueBoolean": False})
    document = {
        "resourceType": "PaymentReconciliation",
        "extension": extensions,
        "requestProvider": {"reference": f"Practitioner/{request.provider_id}"},
        "processNote": [{"type": {"coding": [{"system": "NoteType", "code": "display"}]}, "text": request.note}],
    }
    dollars, cents = divmod(request.amount_cents, 100)
    # json writes numbers from floats only, so the amount is put in as text, before the last brace.
    return f'{json.dumps(document)[:-1]}, "total": {{"value": {dollars}.{cents:02d}}}}}'.encode("ascii")


def patient_body(new: NewPatient) -> bytes:
    """Write the body of a new account: the required fields and the practice's own codes (contract 4.3)."""
    name: dict[str, object] = {"use": "official", "family": new.last, "given": [new.first]}
    if new.suffix:
        name["suffix"] = [new.suffix]
    extensions: list[dict[str, object]] = []
    for code, prefix, value in (
        ("referral-source", "referral-source/", new.referral_source_id),
        ("patient-type", "patient-type/", new.patient_type_id),
        ("patient-location", "location/", new.location_id),
    ):
        if value:
            extensions.append({"url": f"{_EXTENSIONS}{code}", "valueReference": {"reference": f"{prefix}{value}"}})
    if new.patient_status:
        extensions.append({"url": f"{_EXTENSIONS}patient-status", "valueString": new.patient_status})
    document: dict[str, object] = {
        "resourceType": "Patient",
        "name": [name],
        "telecom": [
            {"system": "phone", "value": new.phone, "use": "mobile"},
            {"system": "email", "value": new.email},
        ],
        "birthDate": new.birth_date.isoformat(),
        "address": [{"use": "home", "postalCode": new.postal_code}],
    }
    if extensions:
        document["extension"] = extensions
    return json.dumps(document).encode("ascii")


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list; a lone object counts as a list of one (Location.address, contract 4.7)."""
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            yield entry


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _texts(value: object) -> list[str | None]:
    return [_text(entry) for entry in value] if isinstance(value, list) else []


def _id_text(value: object) -> str | None:
    """Return an id; what FHIR does not allow as one, and no database of ours could keep, is none."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return text if text and len(text) <= _LONGEST_ID and text.isascii() and text.isprintable() else None


def _contacts(resource: Mapping[str, Any], system: str) -> Iterator[str]:
    for entry in _objects(resource.get("telecom")):
        if entry.get("system") == system and (text := _text(entry.get("value"))):
            yield text


def _extensions(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extensions by the last segment of their URL, lower case; the value is whichever `value…` is there."""
    found: dict[str, Any] = {}
    for entry in _objects(resource.get("extension")):
        url = _text(entry.get("url"))
        value = next((entry[key] for key in entry if key.startswith("value")), None)
        if url and value is not None:
            found.setdefault(url.lower().rstrip("/").rpartition("/")[2], value)
    return found


def _reference(value: object) -> str | None:
    """Return the id that a Reference, or its bare text, points at."""
    text = _text(value.get("reference")) if isinstance(value, dict) else _text(value)
    return text.rstrip("/").rpartition("/")[2].lower() or None if text else None


def payment_amount_cents(resource: Mapping[str, Any]) -> int | None:
    """Return a payment's amount, or None when there is none or it is no whole number of cents."""
    return _cents(resource.get("total"))


def _applied_cents(resource: Mapping[str, Any]) -> int | None:
    """Return how much of a payment is applied to bills (`detail`, contract 4.9); None where Nextech does not show it."""
    if not isinstance(resource.get("detail"), list):
        return None
    applied = [_cents(entry.get("amount")) for entry in _objects(resource["detail"])]
    return None if None in applied else sum(amount for amount in applied if amount is not None)


def _cents(money: object) -> int | None:
    value: object = money.get("value") if isinstance(money, dict) else None
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and _AMOUNT_TEXT.fullmatch(value)):
        return None
    amount = Decimal(str(value))
    if not abs(amount) < _LARGEST:
        return None
    cents = amount.quantize(Decimal("0.01"))
    return int(cents * 100) if abs(cents - amount) < _NOISE else None


def _day(value: object) -> date | None:
    text = _text(value)
    try:
        return date.fromisoformat(text[:_DATE_CHARACTERS]) if text else None
    except ValueError:
        return None


def _instant(value: object) -> datetime | None:
    """Read a FHIR dateTime as UTC; a bare date becomes noon UTC, which is the same day in every practice's zone."""
    text = _text(value)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text + _NOON if len(text) == _DATE_CHARACTERS else text)
        if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
