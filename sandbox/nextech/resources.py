"""The stored rows as FHIR STU3 JSON, with the deviations that the contract documents (sections 4.1 to 4.9)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from sandbox.nextech.records import Chart, PatientRecord, PaymentRecord, PracticeSetup
from sandbox.nextech.switches import NextechSwitches

SD = "https://select.nextech-api.com/api/structuredefinition/"
PATIENT_EXTENSION = "http://hl7.org/fhir/StructureDefinition/Patient"
LOCATION_EXTENSION = "http://hl7.org/fhir/StructureDefinition/Location"

Json = dict[str, Any]


def zulu(instant: datetime) -> str:
    """Write an instant as `2026-01-05T19:30:12.417Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def updated(instant: datetime) -> str:
    """Write an instant with `+00:00` and as many fraction digits as happen to be needed (contract section 5, end)."""
    text = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}+00:00"


def _reference(url: str, reference: str, display: str | None) -> Json:
    value: Json = {"reference": reference}
    if display:
        value["display"] = display
    return {"url": SD + url, "valueReference": value}


def _telecom(patient: PatientRecord, switches: NextechSwitches) -> list[Json]:
    entries: list[Json] = []
    if patient.email is not None:
        entries.append(_contact({"system": "email"}, patient.email, is_private=patient.is_email_private))
    for rank, (use, number) in enumerate(patient.phones.items(), start=1):
        entry = _contact({"system": "phone", "use": use}, number, is_private=patient.is_phone_private)
        if rank == 1:
            entry["rank"] = 1
        entries.append(entry)
    if switches.private_details == "omitted":
        return [entry for entry in entries if "value" in entry]
    return entries


def _contact(entry: Json, value: str, *, is_private: bool) -> Json:
    if is_private:
        return {"extension": [{"url": SD + "method-privacy", "valueBoolean": True}], **entry}
    return {**entry, "value": value}


def patient_resource(patient: PatientRecord, chart: Chart, switches: NextechSwitches) -> Json:
    """Write a chart as a Patient; a missing middle name is `""` (contract 4.2)."""
    setup = chart.setup
    extension: list[Json] = []
    if patient.referral_source is not None:
        source = patient.referral_source
        extension.append(_reference("referral-source", f"referral-source/{source}", setup.referral_sources.get(source)))
    extension.append({"url": SD + "patient-status", "valueString": patient.patient_status})
    if patient.patient_type is not None:
        kind = patient.patient_type
        extension.append(_reference("patient-type", f"patient-type/{kind}", setup.patient_types.get(kind)))
    extension.append({"url": SD + "exclude-from-mailings", "valueBoolean": False})

    shown = " ".join(part for part in (patient.first, patient.middle, patient.last) if part)
    name: Json = {"use": "official", "text": shown, "family": patient.last, "given": [patient.first, patient.middle]}
    if patient.suffix:
        name["suffix"] = [patient.suffix]
    names = [name]
    if patient.nickname:
        names.append({"use": "nickname", "text": patient.nickname, "given": [patient.nickname]})

    resource: Json = {
        "resourceType": "Patient",
        "id": patient.guid,
        "meta": {"lastUpdated": updated(patient.updated_at)},
        "extension": extension,
        "identifier": [
            {"use": "official", "value": patient.guid},
            {"use": "usual", "value": patient.chart_number},
        ],
        "name": names,
        "telecom": _telecom(patient, switches),
        "gender": patient.gender,
    }
    if patient.birth_date is not None:
        resource["birthDate"] = patient.birth_date
    address = _address(patient)
    if address:
        resource["address"] = [{"use": "home", "type": "both", **address, "country": "USA"}]
    if patient.provider_id in setup.providers:
        display = setup.providers[patient.provider_id]
        resource["generalPractitioner"] = [{"reference": f"practitioner/{patient.provider_id}", "display": display}]
    return resource


def _address(patient: PatientRecord) -> Json:
    parts: Json = {}
    if patient.line:
        parts["line"] = [patient.line]
    for key, value in (("city", patient.city), ("state", patient.state), ("postalCode", patient.postal_code)):
        if value:
            parts[key] = value
    return parts


def amount_value(amount_cents: int, switches: NextechSwitches) -> float | str:
    """Write cents in the form that the switch asks for (section 5 #30)."""
    if switches.amount_form == "text":
        return f"{amount_cents / 100:.2f}"
    value = amount_cents / 100
    return math.nextafter(value, math.inf) if switches.amount_form == "noisy" else value


def payment_resource(payment: PaymentRecord, chart: Chart, switches: NextechSwitches) -> Json:
    """Write a payment row as a PaymentReconciliation (contract 4.9)."""
    setup = chart.setup
    zone = setup.zone
    patient = chart.owner(payment.patient_guid)
    guid = patient.guid if patient is not None else payment.patient_guid
    display = f"{patient.last}, {patient.first}" if patient is not None else ""
    extension: list[Json] = [
        {"url": PATIENT_EXTENSION, "valueResourceReference": {"reference": f"Patient/{guid.upper()}", "display": display}},
    ]
    if payment.location_id is not None:
        place = {"reference": f"Location/{payment.location_id}", "display": setup.locations.get(payment.location_id, "")}
        extension.append({"url": LOCATION_EXTENSION, "valueResourceReference": place})
    extension += [
        {"url": SD + "payment-date", "valueDateTime": zulu(payment.day_instant(zone))},
        {"url": SD + "effective-date", "valueDateTime": zulu(payment.created_at)},
    ]
    texts = {
        "payment-method": payment.method,
        "payment-category": payment.category,
        switches.card_type_on_read: payment.card_type,
        "check-number": payment.check_number,
    }
    extension += [{"url": SD + name, "valueString": text} for name, text in texts.items() if text]
    resource: Json = {
        "resourceType": "PaymentReconciliation",
        "id": payment.payment_id,
        "meta": {"lastUpdated": updated(payment.updated_at)},
        "extension": extension,
        "identifier": [{"use": "official", "value": payment.payment_id}],
        "status": payment.status,
        "created": zulu(payment.created_at),
    }
    if payment.provider_id is not None:
        who = setup.providers.get(payment.provider_id, "")
        resource["requestProvider"] = {"reference": f"Practitioner/{payment.provider_id}", "display": who}
    resource["total"] = {"value": amount_value(payment.amount_cents, switches)}
    if payment.note:
        coding = [{"system": "NoteType", "code": "display"}]
        resource["processNote"] = [{"type": {"coding": coding}, "text": payment.note}]
    return resource


def account_resource(patient: PatientRecord, chart: Chart, switches: NextechSwitches) -> Json:
    """Write a patient's account; the sandbox makes no charges, so only applied payments move the balance."""
    rows = chart.payments_by_patient.get(patient.guid, [])
    is_counted = switches.unapplied_lowers_balance
    paid = sum(row.amount_cents for row in rows if row.status == "active" and (row.is_applied or is_counted))
    owed = -paid if switches.debt_is_positive else paid
    whose = {"reference": f"Patient/{patient.guid}"}
    coding = {"system": "https://www.hl7.org/fhir/valueset-account-type.html", "code": "PBILLACCT"}
    number = account_number(patient)
    return {
        "resourceType": "Account",
        "id": number,
        "identifier": [{"use": "official", "value": number}],
        "status": "active",
        "type": {"coding": [coding], "text": "Patient"},
        "name": f"{patient.last}, {patient.first}",
        "subject": whose,
        "balance": {"value": owed / 100},
        "description": "Patient Responsibility",
        "guarantor": [{"party": whose}],
    }


def account_number(patient: PatientRecord) -> str:
    """Return the id of a patient's one account."""
    return str(5000 + patient.sequence)


def location_resource(location_id: str, setup: PracticeSetup) -> Json:
    """Write one of the practice's locations."""
    return {
        "resourceType": "Location",
        "id": location_id,
        "extension": [{"url": SD + "managed", "valueBoolean": True}],
        "identifier": [{"use": "official", "value": location_id}],
        "status": "active",
        "name": setup.locations[location_id],
        "telecom": [{"system": "phone", "value": "(305) 555-0110", "use": "work"}],
        "address": {"use": "work", "type": "both", "line": ["900 Bay Ave"], "postalCode": "33131"},
    }


def practitioner_resource(provider_id: str, setup: PracticeSetup) -> Json:
    """Write one of the practice's providers."""
    shown = setup.providers[provider_id]
    family, _, given = shown.partition(", ")
    return {
        "resourceType": "Practitioner",
        "id": provider_id,
        "identifier": [{"use": "official", "value": provider_id}],
        "active": True,
        "name": [{"text": shown, "family": family, "given": [given, ""]}],
        "gender": "unknown",
    }


def patient_type_resource(type_id: str, setup: PracticeSetup) -> Json:
    """Write a patient type: a resource of Nextech's own, its name in an extension (contract 4.5)."""
    extension = [{"url": SD + "patient-type#name", "valueString": setup.patient_types[type_id]}]
    return {"resourceType": "patient-type", "id": type_id, "extension": extension}
