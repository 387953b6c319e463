"""One practice's office: how rows come into its books, from outside, from its staff and from the seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

from sandbox.nextech.exchange import RefusedError
from sandbox.nextech.faults import Effect
from sandbox.nextech.patient_writes import PatientDraft, existing_patient, require_complete, with_listed_values
from sandbox.nextech.payment_writes import PaymentDraft
from sandbox.nextech.records import DEFAULT_CATEGORY, Chart, Origin, PatientRecord, PaymentRecord, PracticeSetup
from sandbox.nextech.switches import NextechSwitches
from sandbox.people import SeedPatient, SeedPayment


class NotOnFileError(LookupError):
    """Say that a staff action names a patient or a payment that the practice does not have."""


@dataclass(slots=True)
class Office:
    """One practice with its books. Everything happens at an instant that the caller hands in."""

    setup: PracticeSetup
    rng: Random
    chart: Chart = field(init=False)
    _rows: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Open empty books."""
        self.chart = Chart(self.setup)

    def seed(self, patients: Iterable[SeedPatient], payments: Iterable[SeedPayment], now: datetime) -> None:
        """Enter what the practice had before the first run, spread over the days before."""
        for person in patients:
            self._enter_seeded(person, now - timedelta(days=400) + timedelta(minutes=len(self.chart.patients)))
        for paid in payments:
            day = date.fromisoformat(paid.business_day)
            at = min(now, datetime(day.year, day.month, day.day, 15, tzinfo=self.setup.zone))
            self._enter(paid.patient_id.lower(), paid.amount_cents, day, paid.note, at, category=paid.category, origin="seed")

    def _enter_seeded(self, person: SeedPatient, at: datetime) -> None:
        phones = {use: number for use, number in (("mobile", person.mobile), ("home", person.home)) if number}
        self.chart.add_patient(
            PatientRecord(
                guid=person.patient_id.lower(),
                chart_number=person.chart_number,
                entered_at=at,
                updated_at=at,
                sequence=next(self._rows),
                visible_at=at,
                first=person.first,
                last=person.last,
                middle=person.middle,
                suffix=person.suffix,
                nickname=person.nickname,
                email=person.email,
                is_email_private=person.is_email_private,
                phones=phones,
                is_phone_private=person.is_phone_private,
                birth_date=person.birth_date,
                city=person.city,
                postal_code=person.postal_code,
                patient_type=next(iter(self.setup.patient_types), None),
            )
        )

    def patient_at(self, guid: str, switches: NextechSwitches) -> PatientRecord | None:
        """Return the chart that a GUID in a request stands for; a merged one is gone or followed (section 5 #25)."""
        if switches.merged_patient == "follow":
            return self.chart.owner(guid)
        patient = self.chart.patients.get(guid.lower())
        return patient if patient is not None and patient.merged_into is None else None

    def book(
        self, guid: str, draft: PaymentDraft, switches: NextechSwitches, at: datetime, effect: Effect | None
    ) -> PaymentRecord:
        """Book a payment that came from outside; raise `RefusedError` when the patient is not there."""
        patient = self.patient_at(guid, switches)
        if patient is None:
            raise RefusedError(switches.unknown_patient_status, "The patient does not exist.")
        if effect is Effect.OTHER_AMOUNT:
            draft = replace(draft, amount_cents=draft.amount_cents + 10)
        elif effect is Effect.OTHER_DAY:
            draft = replace(draft, local_day=draft.local_day - timedelta(days=1))
        if switches.identical_payments == "conflict" and self._has_identical(patient.guid, draft):
            raise RefusedError(409, "An identical payment exists.")
        payment = self._enter(
            patient.guid,
            draft.amount_cents,
            draft.local_day,
            draft.note,
            at,
            category=draft.category,
            origin="api",
            visible_at=at + timedelta(seconds=switches.read_delay_seconds),
        )
        payment.method, payment.card_type, payment.check_number = draft.method, draft.card_type, draft.check_number
        payment.location_id, payment.provider_id = draft.location_id, draft.provider_id
        payment.deposited_day, payment.is_applied = draft.deposited_day, draft.is_applied
        payment.is_prepayment = switches.lands_as_prepayment
        return payment

    def _has_identical(self, guid: str, draft: PaymentDraft) -> bool:
        asked = (draft.amount_cents, draft.local_day, draft.note)
        rows = self.chart.payments_by_patient.get(guid, [])
        return any((row.amount_cents, row.local_day, row.note) == asked and row.status == "active" for row in rows)

    def _enter(
        self,
        guid: str,
        amount_cents: int,
        day: date,
        note: str,
        at: datetime,
        *,
        category: str | None,
        origin: Origin,
        visible_at: datetime | None = None,
    ) -> PaymentRecord:
        sequence = next(self._rows)
        payment = PaymentRecord(
            payment_id=str(88000 + sequence),
            patient_guid=guid,
            amount_cents=amount_cents,
            local_day=day,
            created_at=at,
            updated_at=at,
            visible_at=visible_at or at,
            sequence=sequence,
            note=note,
            category=category,
            location_id=next(iter(self.setup.locations), None),
            provider_id=next(iter(self.setup.providers), None),
            origin=origin,
        )
        self.chart.add_payment(payment)
        return payment

    def create_patient(self, draft: PatientDraft, switches: NextechSwitches, at: datetime) -> PatientRecord:
        """Open a chart for a patient who came from outside; raise `RefusedError` 409 for a duplicate (contract 4.3)."""
        require_complete(draft)
        coded = with_listed_values(draft, self.setup, switches)
        existing = existing_patient(draft, self.chart)
        if existing is not None:
            named = f" Identifier: {existing.guid}." if switches.conflict_names_patient else ""
            raise RefusedError(409, f"The patient already exists.{named}")
        sequence = next(self._rows)
        patient = PatientRecord(
            guid=str(UUID(int=self.rng.getrandbits(128), version=4)),
            chart_number=str(20000 + sequence),
            entered_at=at,
            updated_at=at,
            sequence=sequence,
            visible_at=at + timedelta(seconds=switches.read_delay_seconds),
            first=draft.first or "",
            last=draft.last or "",
            middle=draft.middle or "",
            suffix=draft.suffix,
            nickname=draft.nickname,
            email=draft.email,
            phones=dict(draft.phones),
            birth_date=draft.birth_date,
            line=draft.line,
            city=draft.city,
            state=draft.state,
            postal_code=draft.postal_code,
            gender=draft.gender or "unknown",
            referral_source=coded["referral_source"],
            patient_type=coded["patient_type"],
            patient_status=coded["patient_status"] or "patient",
            origin="api",
        )
        self.chart.add_patient(patient)
        return patient

    def add_by_hand(self, guid: str, amount_cents: int, day: date, note: str, at: datetime) -> PaymentRecord:
        """Enter a payment, or with a negative amount a refund, as the front desk does."""
        self._patient(guid)
        return self._enter(guid.lower(), amount_cents, day, note, at, category=DEFAULT_CATEGORY, origin="staff")

    def void(self, payment_id: str, at: datetime) -> PaymentRecord:
        """Void a payment: the original and an exact negative copy are both cancelled (contract 4.9)."""
        original = self._payment(payment_id)
        original.status, original.updated_at = "cancelled", at
        return self._copy(original, at, amount_cents=-original.amount_cents, status="cancelled")

    def void_and_correct(
        self,
        payment_id: str,
        at: datetime,
        *,
        amount_cents: int | None = None,
        note: str | None = None,
        day: date | None = None,
    ) -> PaymentRecord:
        """Void a payment and enter a third, corrected row without any link to it."""
        original = self._payment(payment_id)
        self.void(payment_id, at)
        return self._copy(
            original,
            at,
            amount_cents=original.amount_cents if amount_cents is None else amount_cents,
            note=original.note if note is None else note,
            local_day=day or original.local_day,
            status="active",
        )

    def delete(self, payment_id: str, at: datetime) -> PaymentRecord:
        """Delete a payment: it stays, as entered in error."""
        payment = self._payment(payment_id)
        payment.status, payment.updated_at = "entered-in-error", at
        return payment

    def edit_note(self, payment_id: str, note: str, at: datetime) -> PaymentRecord:
        """Overwrite a payment's description."""
        payment = self._payment(payment_id)
        payment.note, payment.updated_at = note, at
        return payment

    def merge(self, guid: str, into: str, at: datetime) -> PatientRecord:
        """Merge a chart into another one, with all of its payments."""
        gone, kept = self._patient(guid), self._patient(into)
        if gone is kept:
            msg = "a chart cannot be merged into itself"
            raise NotOnFileError(msg)
        gone.merged_into, gone.updated_at, kept.updated_at = kept.guid, at, at
        for row in self.chart.payments_by_patient.pop(gone.guid, []):
            row.patient_guid, row.updated_at = kept.guid, at
            self.chart.payments_by_patient.setdefault(kept.guid, []).append(row)
        return kept

    def _copy(self, original: PaymentRecord, at: datetime, **changes: object) -> PaymentRecord:
        sequence = next(self._rows)
        fresh = {"payment_id": str(88000 + sequence), "sequence": sequence, "origin": "staff"}
        row = replace(original, **fresh, created_at=at, updated_at=at, visible_at=at, **changes)  # type: ignore[arg-type]
        self.chart.add_payment(row)
        return row

    def _payment(self, payment_id: str) -> PaymentRecord:
        payment = self.chart.payments.get(payment_id)
        if payment is None:
            msg = f"there is no payment {payment_id}"
            raise NotOnFileError(msg)
        return payment

    def _patient(self, guid: str) -> PatientRecord:
        patient = self.chart.patients.get(guid.lower())
        if patient is None or patient.merged_into is not None:
            msg = "there is no such patient"
            raise NotOnFileError(msg)
        return patient
