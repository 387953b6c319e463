"""What was really booked, for tests and for the pages: the truth that the API's answers may hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sandbox.nextech.engine import Nextech
from sandbox.nextech.records import PatientRecord, PaymentRecord


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """One payment row as it stands."""

    payment_id: str
    patient_id: str
    amount_cents: int
    business_day: date
    """The day that the practice sees."""
    note: str
    status: str
    origin: str
    """`api`, `staff` or `seed`."""
    created_at: datetime
    updated_at: datetime
    method: str | None
    category: str | None
    card_type: str | None
    location_id: str | None
    provider_id: str | None
    is_applied: bool
    is_prepayment: bool
    marker: str | None
    is_doubled: bool
    """Another active payment of the practice carries the same marker."""

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON."""
        names = (name for name in self.__slots__ if name not in {"created_at", "updated_at", "business_day"})
        return {
            **{name: getattr(self, name) for name in names},
            "business_day": self.business_day.isoformat(),
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class PatientBook:
    """One patient's billing tab."""

    patient_id: str
    chart_number: str
    shown_name: str
    origin: str
    merged_into: str | None
    payments: tuple[BookedPayment, ...]

    @property
    def balance_cents(self) -> int:
        """Return what stands on the tab: everything that is active."""
        return sum(row.amount_cents for row in self.payments if row.status == "active")


@dataclass(frozen=True, slots=True)
class PracticeBook:
    """One practice's billing tabs."""

    practice_id: str
    name: str
    time_zone: str
    patients: tuple[PatientBook, ...]

    @property
    def payments(self) -> tuple[BookedPayment, ...]:
        """Return every row in the order of entry."""
        rows = (row for patient in self.patients for row in patient.payments)
        return tuple(sorted(rows, key=lambda row: int(row.payment_id)))

    @property
    def total_cents(self) -> int:
        """Return the sum of everything that is active."""
        return sum(patient.balance_cents for patient in self.patients)

    @property
    def doubled(self) -> tuple[BookedPayment, ...]:
        """Return the active rows whose marker is there more than once."""
        return tuple(row for row in self.payments if row.is_doubled)

    def as_dict(self) -> dict[str, Any]:
        """Return the book as JSON."""
        return {
            "practice_id": self.practice_id,
            "name": self.name,
            "total_cents": self.total_cents,
            "payment_count": len(self.payments),
            "doubled_count": len(self.doubled),
            "patients": [
                {
                    "patient_id": patient.patient_id,
                    "chart_number": patient.chart_number,
                    "origin": patient.origin,
                    "merged_into": patient.merged_into,
                    "balance_cents": patient.balance_cents,
                    "payments": [row.as_dict() for row in patient.payments],
                }
                for patient in self.patients
            ],
        }


def practice_book(nextech: Nextech, practice_id: str) -> PracticeBook:
    """Return one practice's book, after everything that was due has been booked; raise `KeyError` for an unknown one."""
    with nextech.lock:
        nextech.now()
        office = nextech.offices[practice_id]
        chart = office.chart
        doubled = _doubled_markers(chart.payments.values())
        patients = [
            _patient_book(person, chart.payments_by_patient.get(person.guid, []), doubled) for person in chart.patients.values()
        ]
        return PracticeBook(practice_id, office.setup.name, office.setup.time_zone, tuple(patients))


def booked_payments(nextech: Nextech, practice_id: str) -> tuple[BookedPayment, ...]:
    """Return every payment row of a practice in the order of entry."""
    return practice_book(nextech, practice_id).payments


def _doubled_markers(rows: Iterable[PaymentRecord]) -> frozenset[str]:
    markers = Counter(row.marker for row in rows if row.status == "active" and row.amount_cents > 0)
    return frozenset(marker for marker, number in markers.items() if marker is not None and number > 1)


def _patient_book(person: PatientRecord, rows: list[PaymentRecord], doubled: frozenset[str]) -> PatientBook:
    return PatientBook(
        patient_id=person.guid,
        chart_number=person.chart_number,
        shown_name=f"{person.last}, {person.first}",
        origin=person.origin,
        merged_into=person.merged_into,
        payments=tuple(_booked(row, doubled) for row in rows),
    )


def _booked(row: PaymentRecord, doubled: frozenset[str]) -> BookedPayment:
    marker = row.marker
    return BookedPayment(
        payment_id=row.payment_id,
        patient_id=row.patient_guid,
        amount_cents=row.amount_cents,
        business_day=row.local_day,
        note=row.note,
        status=row.status,
        origin=row.origin,
        created_at=row.created_at,
        updated_at=row.updated_at,
        method=row.method,
        category=row.category,
        card_type=row.card_type,
        location_id=row.location_id,
        provider_id=row.provider_id,
        is_applied=row.is_applied,
        is_prepayment=row.is_prepayment,
        marker=marker,
        is_doubled=marker in doubled and row.status == "active" and row.amount_cents > 0,
    )
