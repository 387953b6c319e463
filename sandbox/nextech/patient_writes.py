"""What a patient's POST or PUT says, and what the server makes of it (contract 4.3 and 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sandbox.nextech.exchange import RefusedError
from sandbox.nextech.records import Chart, PatientRecord, PracticeSetup
from sandbox.nextech.resources import SD
from sandbox.nextech.switches import NextechSwitches

_PHONE_USES = ("home", "work", "mobile")
_STATUSES = ("patient", "prospect", "patientprospect")
_GENDERS = ("male", "female", "other", "unknown")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PatientDraft:
    """What a body says about a patient; None is what it does not say."""

    guid: str | None = None
    first: str | None = field(default=None, repr=False)
    middle: str | None = field(default=None, repr=False)
    last: str | None = field(default=None, repr=False)
    suffix: str | None = field(default=None, repr=False)
    nickname: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phones: dict[str, str] = field(default_factory=dict, repr=False)
    birth_date: str | None = field(default=None, repr=False)
    line: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    gender: str | None = None
    referral_source: str | None = None
    patient_type: str | None = None
    patient_status: str | None = None


def patient_draft(document: object) -> PatientDraft:
    """Read a patient's body leniently: what is not understood is not there."""
    if not isinstance(document, dict) or document.get("resourceType") != "Patient":
        raise RefusedError(400, "A Patient was expected.")
    official = _first(document.get("name"), use="official")
    given = _items(official.get("given"))
    nickname = _items(_first(document.get("name"), use="nickname").get("given"))
    address = _first(document.get("address"))
    lines = _items(address.get("line"))
    telecom = [entry for entry in _items(document.get("telecom")) if isinstance(entry, dict)]
    return PatientDraft(
        guid=_text(_first(document.get("identifier"), use="official").get("value")),
        first=_text(given[0]) if given else None,
        middle=_text(given[1]) if len(given) > 1 else None,
        last=_text(official.get("family")),
        suffix=_text(next(iter(_items(official.get("suffix"))), None)),
        nickname=_text(nickname[0]) if nickname else None,
        email=next((text for entry in telecom if entry.get("system") == "email" and (text := _text(entry.get("value")))), None),
        phones={
            entry["use"]: text
            for entry in telecom
            if entry.get("system") == "phone" and entry.get("use") in _PHONE_USES and (text := _text(entry.get("value")))
        },
        birth_date=_birth_date(document.get("birthDate")),
        line=_text(lines[0]) if lines else None,
        city=_text(address.get("city")),
        state=_text(address.get("state")),
        postal_code=_text(address.get("postalCode")),
        gender=_text(document.get("gender")),
        referral_source=_reference(document, "referral-source"),
        patient_type=_reference(document, "patient-type"),
        patient_status=_text(_extension(document, "patient-status").get("valueString")),
    )


def require_complete(draft: PatientDraft) -> None:
    """Refuse a new patient that lacks what the contract requires; the sentence names fields, never values."""
    missing = [
        name
        for name, value in (
            ("name.given", draft.first),
            ("name.family", draft.last),
            ("telecom email", draft.email),
            ("telecom phone", draft.phones),
            ("birthDate", draft.birth_date),
            ("address.postalCode", draft.postal_code),
        )
        if not value
    ]
    if missing:
        raise RefusedError(400, f"Required and missing: {', '.join(missing)}.")


def with_listed_values(draft: PatientDraft, setup: PracticeSetup, switches: NextechSwitches) -> dict[str, str | None]:
    """Return the coded values of a new patient that the practice's lists have; refuse or blank the others (#19)."""
    lists: dict[str, tuple[str | None, Mapping[str, str] | tuple[str, ...]]] = {
        "referral_source": (draft.referral_source, setup.referral_sources),
        "patient_type": (draft.patient_type, setup.patient_types),
        "patient_status": (draft.patient_status, _STATUSES),
    }
    kept: dict[str, str | None] = {}
    for name, (value, allowed) in lists.items():
        if value is not None and value not in allowed:
            if switches.invalid_value == "reject":
                raise RefusedError(400, f"The {name.replace('_', ' ')} does not exist in this practice.")
            value = None  # noqa: PLW2901 - blanked
        kept[name] = value
    kept["patient_status"] = kept["patient_status"] or "patient"
    return kept


def existing_patient(draft: PatientDraft, chart: Chart) -> PatientRecord | None:
    """Return the chart that makes this one a duplicate: all of names, e-mail, birth date, ZIP and one phone agree."""
    numbers = {_digits(number) for number in draft.phones.values()}
    for patient in chart.patients.values():
        if (
            patient.merged_into is None
            and _same(patient.email, draft.email)
            and _same(patient.last, draft.last)
            and _same(patient.first, draft.first)
            and patient.birth_date == draft.birth_date
            and _same(patient.postal_code, draft.postal_code)
            and not numbers.isdisjoint(_digits(number) for number in patient.phones.values())
        ):
            return patient
    return None


def update_patient(patient: PatientRecord, draft: PatientDraft, setup: PracticeSetup) -> None:
    """Apply a PUT: name and birth date are ignored, an invalid value is silently not applied (contract 4.4)."""
    patient.email = draft.email or patient.email
    patient.phones = {**patient.phones, **draft.phones}
    patient.line = draft.line or patient.line
    patient.city = draft.city or patient.city
    patient.state = draft.state or patient.state
    patient.postal_code = draft.postal_code or patient.postal_code
    if draft.gender in _GENDERS:
        patient.gender = draft.gender
    if draft.referral_source in setup.referral_sources:
        patient.referral_source = draft.referral_source
    if draft.patient_type in setup.patient_types:
        patient.patient_type = draft.patient_type
    if draft.patient_status in _STATUSES:
        patient.patient_status = draft.patient_status


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(entries: object, use: str | None = None) -> Json:
    for entry in _items(entries):
        if isinstance(entry, dict) and (use is None or entry.get("use") == use):
            return entry
    return {}


def _extension(document: Json, name: str) -> Json:
    for entry in _items(document.get("extension")):
        if isinstance(entry, dict) and str(entry.get("url", "")).casefold() == SD + name:
            return entry
    return {}


def _reference(document: Json, name: str) -> str | None:
    value = _extension(document, name).get("valueReference")
    text = _text(value.get("reference")) if isinstance(value, dict) else None
    return text.rpartition("/")[2] if text else None


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _birth_date(value: object) -> str | None:
    try:
        return date.fromisoformat(value).isoformat() if isinstance(value, str) else None
    except ValueError as error:
        raise RefusedError(400, "birthDate is not a date.") from error


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _same(left: str | None, right: str | None) -> bool:
    return (left or "").strip().casefold() == (right or "").strip().casefold()
