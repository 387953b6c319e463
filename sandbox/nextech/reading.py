"""What can be searched and read: the fields of each resource, and what they are compared with (contract section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from random import Random
from typing import Any

from sandbox.nextech.bundles import PAGING_PARAMETERS, bundle, in_order, page_asked, rows_of
from sandbox.nextech.exchange import Answer, RefusedError, json_answer
from sandbox.nextech.faults import Effect
from sandbox.nextech.office import Office
from sandbox.nextech.records import PatientRecord, PaymentRecord
from sandbox.nextech.resources import (
    account_number,
    account_resource,
    location_resource,
    patient_resource,
    patient_type_resource,
    payment_resource,
    practitioner_resource,
)
from sandbox.nextech.search import Kind, SearchField, SearchRules, compiled
from sandbox.nextech.switches import NextechSwitches

Json = dict[str, Any]
Fields = dict[str, SearchField[Any]]
_IGNORED_PARAMETERS = frozenset({"includeall"})


def _given(*values: str | None) -> list[str]:
    return [value for value in values if value]


@dataclass(frozen=True, slots=True)
class Reader:
    """One practice's rows as a caller may see them at one instant."""

    office: Office
    switches: NextechSwitches
    rng: Random
    now: datetime
    effect: Effect | None = None

    def search(self, kind: str, query: Sequence[tuple[str, str]]) -> Answer:
        """Answer a search of a resource type with one page."""
        filters = [(name, value) for name, value in query if name not in PAGING_PARAMETERS and value.strip()]
        hits = self._hits(kind, filters)
        if not hits and self.switches.empty_search_status == 404:  # noqa: PLR2004
            raise RefusedError(404, "Nothing was found.")
        page = page_asked(query, self.switches)
        entries = [self._written(kind, row) for row in rows_of(hits, page, self.effect)]
        return json_answer(
            200, bundle(f"/{kind}", query, len(hits), page, entries=entries, switches=self.switches, effect=self.effect)
        )

    def patient_id(self, query: Sequence[tuple[str, str]]) -> Answer:
        """Answer `Patient/ID`: the GUID of the only match, in the form of the switch (section 5 #27)."""
        filters = [(name, value) for name, value in query if name not in PAGING_PARAMETERS and value.strip()]
        hits = self._hits("Patient", filters)
        if not hits:
            raise RefusedError(404, "No patient was found.")
        if len(hits) > 1:
            raise RefusedError(400, "The search is not specific enough.")
        guid = hits[0].guid
        match self.switches.patient_id_body:
            case "json":
                return json_answer(200, guid)
            case "object":
                return json_answer(200, {"id": guid})
            case _:
                return Answer(200, guid.encode(), content_type="text/plain; charset=utf-8")

    def read(self, kind: str, identifier: str) -> Answer:
        """Answer one resource; a patient is addressed by GUID or by chart number."""
        row: Any = None
        if kind == "Patient":
            row = self._patient(identifier)
        elif kind == "PaymentReconciliation":
            row = self.office.chart.payments.get(identifier)
            row = row if row is not None and row.visible_at <= self.now else None
        else:
            row = next((row for row in self._rows(kind) if identifier in self._fields(kind)["identifier"].values(row)), None)
        if row is None:
            raise RefusedError(404, "It does not exist.")
        return json_answer(200, self._written(kind, row))

    def _patient(self, identifier: str) -> PatientRecord | None:
        found = self.office.patient_at(identifier, self.switches)
        if found is None and identifier.isdigit():
            found = next((row for row in self._patients() if row.chart_number == identifier), None)
        return found if found is not None and found.visible_at <= self.now else None

    def _hits(self, kind: str, filters: Sequence[tuple[str, str]]) -> list[Any]:
        if kind == "Patient" and not filters and self.switches.search_without_parameters == "reject":
            raise RefusedError(400, "At least one search parameter is required.")
        fields = self._fields(kind)
        rules = SearchRules(self.switches, self.office.setup.zone)
        tests: list[Callable[[Any], bool]] = []
        for name, value in filters:
            field = fields.get(name.partition(":")[0])
            if field is not None:
                tests.append(compiled(name, value, field, rules))
            elif self.switches.unknown_parameter == "reject" and name.casefold() not in _IGNORED_PARAMETERS:
                raise RefusedError(400, "A search parameter is not supported.")
        if self.effect is Effect.FILTERS_IGNORED:
            tests, filters = [], []
        rows = [row for row in self._rows(kind, filters) if all(test(row) for test in tests)]
        return in_order(rows, self.switches, self.rng)

    def _patients(self) -> list[PatientRecord]:
        rows = self.office.chart.patients.values()
        return [row for row in rows if row.merged_into is None and row.visible_at <= self.now]

    def _payments(self, filters: Sequence[tuple[str, str]]) -> list[PaymentRecord]:
        """Return payments in the order of entry, through the index when a search names patients."""
        chart = self.office.chart
        asked = next((value for name, value in filters if name == "patient"), None)
        rows: Iterable[PaymentRecord] = chart.payments.values()
        if asked is not None:
            owners = {owner for part in asked.split(",") if (owner := self._owner(part)) is not None}
            rows = (row for guid in owners for row in chart.payments_by_patient.get(guid, []))
        return sorted((row for row in rows if row.visible_at <= self.now), key=lambda row: row.sequence)

    def _owner(self, reference: str) -> str | None:
        patient = self.office.patient_at(reference.strip().rpartition("/")[2], self.switches)
        return patient.guid if patient is not None else None

    def _aliases(self, guid: str) -> list[str]:
        """Return the GUIDs under which a patient's payments are found: with "follow" those of merged charts too."""
        if self.switches.merged_patient == "gone":
            return [guid]
        chart = self.office.chart
        owners = ((row.guid, chart.owner(row.guid)) for row in chart.patients.values() if row.merged_into is not None)
        return [guid, *(old for old, owner in owners if owner is not None and owner.guid == guid)]

    def _rows(self, kind: str, filters: Sequence[tuple[str, str]] = ()) -> Sequence[Any]:
        setup = self.office.setup
        match kind:
            case "Patient" | "Account":
                return self._patients()
            case "PaymentReconciliation":
                return self._payments(filters)
            case "Location":
                return list(setup.locations)
            case "Practitioner":
                return list(setup.providers)
            case _:
                return list(setup.patient_types)

    def _written(self, kind: str, row: Any) -> Json:  # noqa: ANN401
        chart, setup = self.office.chart, self.office.setup
        match kind:
            case "Patient":
                return patient_resource(row, chart, self.switches)
            case "PaymentReconciliation":
                return payment_resource(row, chart, self.switches)
            case "Account":
                return account_resource(row, chart, self.switches)
            case "Location":
                return location_resource(row, setup)
            case "Practitioner":
                return practitioner_resource(row, setup)
            case _:
                return patient_type_resource(row, setup)

    def _fields(self, kind: str) -> Fields:
        match kind:
            case "Patient":
                return self._patient_fields()
            case "PaymentReconciliation":
                return self._payment_fields()
            case "Account":
                return self._account_fields()
            case "Location":
                names = self.office.setup.locations
            case "Practitioner":
                names = self.office.setup.providers
            case _:
                names = self.office.setup.patient_types
        return _list_fields(names)

    def _patient_fields(self) -> Fields:
        findable = self.switches.are_private_details_findable
        text, token = Kind.STRING, Kind.TOKEN

        def emails(row: PatientRecord) -> list[str]:
            return _given(row.email) if findable or not row.is_email_private else []

        def phones(row: PatientRecord) -> Iterable[str]:
            return row.phones.values() if findable or not row.is_phone_private else []

        return {
            "_lastUpdated": SearchField(Kind.UPDATED, lambda row: [row.updated_at]),
            "identifier": SearchField(token, lambda row: [row.guid, row.chart_number]),
            "family": SearchField(text, lambda row: [row.last]),
            "given": SearchField(text, lambda row: _given(row.first, row.middle)),
            "name": SearchField(text, lambda row: _given(row.first, row.last, row.suffix)),
            "email": SearchField(text, emails),
            "phone": SearchField(Kind.PHONE, phones),
            "birthdate": SearchField(Kind.DATE, lambda row: _midnight(row.birth_date), zone=UTC),
            "address": SearchField(text, lambda row: _given(row.line, row.city, row.state, row.postal_code)),
            "address-city": SearchField(text, lambda row: _given(row.city)),
            "address-state": SearchField(text, lambda row: _given(row.state)),
            "address-postalcode": SearchField(text, lambda row: _given(row.postal_code)),
        }

    def _payment_fields(self) -> Fields:
        zone = self.office.setup.zone
        return {
            "_lastUpdated": SearchField(Kind.UPDATED, lambda row: [row.updated_at]),
            "identifier": SearchField(Kind.TOKEN, lambda row: [row.payment_id]),
            "location.id": SearchField(Kind.REFERENCE, lambda row: _given(row.location_id)),
            "patient": SearchField(Kind.REFERENCE, lambda row: self._aliases(row.patient_guid)),
            "created": SearchField(Kind.DATE, lambda row: [row.created_at]),
            "status": SearchField(Kind.TOKEN, lambda row: [row.status]),
            "payment-date": SearchField(Kind.DATE, lambda row: [row.day_instant(zone)]),
            "request-provider": SearchField(Kind.REFERENCE, lambda row: _given(row.provider_id)),
        }

    def _account_fields(self) -> Fields:
        def balance(row: PatientRecord) -> list[Decimal]:
            return [Decimal(str(account_resource(row, self.office.chart, self.switches)["balance"]["value"]))]

        return {
            "identifier": SearchField(Kind.TOKEN, lambda row: [account_number(row)]),
            "status": SearchField(Kind.TOKEN, lambda _: ["active"]),
            "name": SearchField(Kind.STRING, lambda row: [f"{row.last}, {row.first}"]),
            "balance": SearchField(Kind.NUMBER, balance),
            "patient": SearchField(Kind.REFERENCE, lambda row: [row.guid]),
        }


def _midnight(day: str | None) -> list[datetime]:
    return [datetime.combine(date.fromisoformat(day), time.min, tzinfo=UTC)] if day else []


def _list_fields(names: dict[str, str]) -> Fields:
    return {
        "identifier": SearchField(Kind.TOKEN, lambda row: [row]),
        "name": SearchField(Kind.STRING, lambda row: [names[row]]),
    }
