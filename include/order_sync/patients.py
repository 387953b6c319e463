"""A patient as Nextech shows one, and the account that we would create.

Values that Nextech keeps private are not returned at all, so None means *unknown*, never *empty* (Nextech contract 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Patient:
    """One chart; every personal field is left out of `repr`."""

    patient_id: str
    """The GUID, lower case."""
    chart_number: str | None = None
    first: str | None = field(default=None, repr=False)
    middle: str | None = field(default=None, repr=False)
    last: str | None = field(default=None, repr=False)
    suffix: str | None = field(default=None, repr=False)
    nickname: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    birth_date: date | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    is_active: bool = True
    """False where Nextech says that the chart is out of use, or that another one has replaced it."""


@dataclass(frozen=True, slots=True)
class NewPatient:
    """What Nextech requires to open an account (contract 4.3), plus the practice's own codes."""

    first: str = field(repr=False)
    last: str = field(repr=False)
    email: str = field(repr=False)
    phone: str = field(repr=False)
    birth_date: date = field(repr=False)
    postal_code: str = field(repr=False)
    suffix: str | None = field(default=None, repr=False)
    referral_source_id: str | None = None
    patient_status: str | None = None
    patient_type_id: str | None = None
    location_id: str | None = None
