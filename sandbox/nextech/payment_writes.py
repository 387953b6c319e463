"""What a payment's POST says, and what the server makes of it (contract 4.10 and section 5 #14 to #24)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.nextech.exchange import RefusedError
from sandbox.nextech.records import METHODS, PracticeSetup
from sandbox.nextech.resources import SD
from sandbox.nextech.switches import NextechSwitches

NOTE_LENGTH = 255
CHECK_NUMBER_LENGTH = 50
DATE_LENGTH = len("2026-01-05")
_LOCATION_URL = "http://hl7.org/fhir/structuredefinition/location"


@dataclass(frozen=True, slots=True)
class PaymentDraft:
    """A payment as it will be stored."""

    amount_cents: int
    local_day: date
    note: str
    method: str | None
    category: str | None
    card_type: str | None
    check_number: str | None
    location_id: str | None
    provider_id: str | None
    deposited_day: date | None
    is_applied: bool


def payment_draft(document: object, setup: PracticeSetup, switches: NextechSwitches) -> PaymentDraft:
    """Read a payment's body; raise `RefusedError` 400 for what the practice does not accept."""
    if not isinstance(document, dict) or document.get("resourceType") != "PaymentReconciliation":
        raise RefusedError(400, "A PaymentReconciliation was expected.")
    extensions = _extensions(document.get("extension"))
    draft = PaymentDraft(
        amount_cents=_amount_cents(document.get("total"), switches),
        local_day=_day(_required(extensions, "payment-date"), setup, switches),
        note=_note(document.get("processNote"), switches),
        method=_listed(_required(extensions, "payment-method"), METHODS, "payment method", switches),
        category=_listed(_required(extensions, "payment-category"), setup.categories, "payment category", switches),
        card_type=_card_type(extensions, setup, switches),
        check_number=(_text(extensions.get("check-number")) or "")[:CHECK_NUMBER_LENGTH] or None,
        location_id=_listed(_location(document.get("extension"), switches), setup.locations, "location", switches),
        provider_id=_listed(_provider(document), setup.providers, "provider", switches),
        deposited_day=_day(extensions["deposited-date"], setup, switches) if "deposited-date" in extensions else None,
        is_applied=_boolean(extensions.get("apply-payment"), default=switches.apply_by_default),
    )
    if draft.method == "Charge" and draft.card_type is None and switches.card_type_required:
        raise RefusedError(400, "A card type is required for the method Charge.")
    return draft


def _extensions(entries: object) -> dict[str, Any]:
    """Return Nextech's own extensions by the name at the end of their URL."""
    found: dict[str, Any] = {}
    for entry in _mappings(entries):
        url = str(entry.get("url", "")).casefold()
        if url.startswith(SD):
            values = [value for key, value in entry.items() if str(key).startswith("value")]
            found[url.removeprefix(SD)] = values[0] if values else None
    return found


def _mappings(entries: object) -> Iterable[Mapping[str, Any]]:
    return (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()


def _required(extensions: Mapping[str, Any], name: str) -> str:
    text = _text(extensions.get(name))
    if not text:
        msg = f"The extension {name} is required."
        raise RefusedError(400, msg)
    return text


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _boolean(value: object, *, default: bool) -> bool:
    """Read true and the string "true", which the docs' own examples contain (contract 4.3)."""
    return default if value is None else str(value).casefold() == "true"


def _amount_cents(total: object, switches: NextechSwitches) -> int:
    value = total.get("value") if isinstance(total, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise RefusedError(400, "total.value is required and must be a number.")
    try:
        cents = Decimal(value) * 100
        whole = cents.to_integral_value(rounding=ROUND_HALF_UP)
    except InvalidOperation as error:
        raise RefusedError(400, "total.value is not an amount.") from error
    if cents != whole and switches.excess_decimals == "reject":
        raise RefusedError(400, "total.value has more than two decimals.")
    if whole <= 0 and switches.non_positive_amount == "reject":
        raise RefusedError(400, "total.value must be greater than zero.")
    return int(whole)


def _day(text: str, setup: PracticeSetup, switches: NextechSwitches) -> date:
    """Return the day that the practice will see; a bare date is UTC midnight and may be the day before (#14)."""
    try:
        if len(text) == DATE_LENGTH:
            day = date.fromisoformat(text)
            if switches.bare_date == "local":
                return day
            return datetime(day.year, day.month, day.day, tzinfo=UTC).astimezone(setup.zone).date()
        if switches.instant == "cut":
            return date.fromisoformat(text[:DATE_LENGTH])
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise RefusedError(400, "A date could not be read.") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(setup.zone).date()


def _note(notes: object, switches: NextechSwitches) -> str:
    joined = " ".join(text for note in _mappings(notes) if (text := _text(note.get("text"))))[:NOTE_LENGTH]
    match switches.note_storage:
        case "upper":
            return joined.upper()
        case "folded":
            return " ".join(joined.split())
        case "cut_80":
            return joined[:80]
        case _:
            return joined


def _listed(value: str | None, allowed: Iterable[str], what: str, switches: NextechSwitches) -> str | None:
    """Return a value that the practice's list has; else refuse it or blank it (#19)."""
    if value is not None and value in allowed:
        return value
    if switches.invalid_value == "blank":
        return None
    msg = f"The {what} does not exist in this practice."
    raise RefusedError(400, msg)


def _card_type(extensions: Mapping[str, Any], setup: PracticeSetup, switches: NextechSwitches) -> str | None:
    """Read the card type from the extension that this server knows; under another name it is ignored (#17)."""
    either = ("creditcard-type", "credit-cardtype")
    names = either if switches.card_type_on_write == "either" else (switches.card_type_on_write,)
    for name in names:
        if name in extensions:
            return _listed(_text(extensions[name]), setup.card_types, "card type", switches)
    return None


def _location(entries: object, switches: NextechSwitches) -> str | None:
    """Read the location in the form of the docs' sample, of the read side, or in both (#18)."""
    for entry in _mappings(entries):
        if str(entry.get("url", "")).casefold() != _LOCATION_URL:
            continue
        is_sample = entry["url"].endswith("/location") and "valueReference" in entry
        is_read = entry["url"].endswith("/Location") and "valueResourceReference" in entry
        if {"either": True, "sample": is_sample, "read": is_read}[switches.location_form]:
            return _id_of(entry.get("valueReference") or entry.get("valueResourceReference"), "location")
    return None


def _provider(document: Mapping[str, Any]) -> str | None:
    return _id_of(document.get("requestProvider"), "practitioner")


def _id_of(reference: object, kind: str) -> str | None:
    """Take the id from `Location/3`, whatever its case (contract section 4)."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    head, _, tail = (text if isinstance(text, str) else "").rpartition("/")
    return tail if head.casefold().rpartition("/")[2] == kind else None
