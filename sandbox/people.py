"""The invented people of the demo: one seed list, shared by the store and by Nextech.

Every name, address and number is made up: e-mails end in `.example`, phones are in the reserved 555-01xx range.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeedPatient:
    """A chart that Nextech holds before the first run."""

    practice_id: str
    patient_id: str
    """A GUID, lower case."""
    chart_number: str
    first: str
    last: str
    middle: str = ""
    suffix: str | None = None
    nickname: str | None = None
    email: str | None = None
    is_email_private: bool = False
    mobile: str | None = None
    home: str | None = None
    is_phone_private: bool = False
    birth_date: str | None = None
    """`YYYY-MM-DD`."""
    postal_code: str | None = None
    city: str | None = None


@dataclass(frozen=True, slots=True)
class SeedPayment:
    """A payment that Nextech holds before the first run: a hand entry, a foreign marker."""

    practice_id: str
    patient_id: str
    amount_cents: int
    business_day: str
    """`YYYY-MM-DD`, practice-local."""
    note: str
    category: str = "WEB - Online Store"
