"""What Nextech stores: the practice's lists, its charts, and every payment row that was ever booked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

PaymentStatus = Literal["active", "cancelled", "entered-in-error"]
Origin = Literal["api", "staff", "seed"]

METHODS = ("Cash", "Check", "Charge")
DEFAULT_CATEGORY = "WEB - Online Store"


@dataclass(frozen=True, slots=True)
class PracticeSetup:
    """One practice and the lists that nobody can read over the API."""

    practice_id: str
    guid: str
    name: str
    time_zone: str
    locations: dict[str, str]
    """Location id to name."""
    providers: dict[str, str]
    """Provider id to "Last, First"."""
    categories: tuple[str, ...] = (DEFAULT_CATEGORY, "Office visit")
    card_types: tuple[str, ...] = ("Visa", "MasterCard", "AmEx", "Discover")
    referral_sources: dict[str, str] = field(default_factory=dict)
    patient_types: dict[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """Return the practice's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def username(self) -> str:
        """Return the service user that may read and write this practice."""
        return f"svc-{self.practice_id}@sandbox.example"

    @property
    def password(self) -> str:
        """Return that user's password."""
        return f"sandbox-{self.practice_id}"


@dataclass(slots=True)
class PatientRecord:
    """One chart. Private details are stored like all others."""

    guid: str
    chart_number: str
    entered_at: datetime
    updated_at: datetime
    sequence: int
    visible_at: datetime
    first: str = field(default="", repr=False)
    last: str = field(default="", repr=False)
    middle: str = field(default="", repr=False)
    suffix: str | None = field(default=None, repr=False)
    nickname: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    is_email_private: bool = False
    phones: dict[str, str] = field(default_factory=dict, repr=False)
    """`home`, `work`, `mobile` to the number as it was entered."""
    is_phone_private: bool = False
    birth_date: str | None = field(default=None, repr=False)
    line: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    gender: str = "unknown"
    referral_source: str | None = None
    patient_type: str | None = None
    patient_status: str = "patient"
    provider_id: str | None = None
    merged_into: str | None = None
    origin: Origin = "seed"


@dataclass(slots=True)
class PaymentRecord:
    """One row of a billing tab. Voids and corrections are rows of their own, without a link (contract 4.9)."""

    payment_id: str
    patient_guid: str
    amount_cents: int
    local_day: date
    """The day that the practice sees."""
    created_at: datetime
    updated_at: datetime
    visible_at: datetime
    sequence: int
    note: str = ""
    method: str | None = "Charge"
    category: str | None = DEFAULT_CATEGORY
    card_type: str | None = None
    check_number: str | None = None
    location_id: str | None = None
    provider_id: str | None = None
    deposited_day: date | None = None
    is_applied: bool = False
    is_prepayment: bool = False
    status: PaymentStatus = "active"
    origin: Origin = "seed"

    def day_instant(self, zone: ZoneInfo) -> datetime:
        """Return the local midnight of the payment's day, as an instant."""
        return datetime.combine(self.local_day, time.min, tzinfo=zone)

    @property
    def marker(self) -> str | None:
        """Return the marker at the head of the note, when there is one."""
        found = _MARKER.match(self.note.strip().upper())
        return found.group(0) if found else None


_MARKER = re.compile(r"DP-[0-9A-Z]{12}-[0-9A-Z*~$=]")


@dataclass(slots=True)
class Chart:
    """Everything that one practice holds, with the indexes that keep searches short."""

    setup: PracticeSetup
    patients: dict[str, PatientRecord] = field(default_factory=dict)
    """By GUID in lower case, in the order of entry."""
    payments: dict[str, PaymentRecord] = field(default_factory=dict)
    payments_by_patient: dict[str, list[PaymentRecord]] = field(default_factory=dict)

    def add_patient(self, patient: PatientRecord) -> None:
        """Enter a chart."""
        self.patients[patient.guid] = patient

    def add_payment(self, payment: PaymentRecord) -> None:
        """Enter a row on the patient's billing tab."""
        self.payments[payment.payment_id] = payment
        self.payments_by_patient.setdefault(payment.patient_guid, []).append(payment)

    def owner(self, guid: str) -> PatientRecord | None:
        """Return the chart that a GUID stands for today, following merges."""
        patient = self.patients.get(guid.lower())
        while patient is not None and patient.merged_into is not None:
            patient = self.patients.get(patient.merged_into)
        return patient
