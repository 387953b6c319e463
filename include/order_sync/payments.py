"""A payment as we ask for it, as Nextech shows it, and what an attempt to post it proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """Everything that one posting says (design section 6; Nextech contract 4.10)."""

    patient_id: str
    amount_cents: int
    business_day: date
    """The practice-local day on which the order was placed."""
    payment_instant: datetime
    """Noon of that day in the practice, as UTC: the day survives either reading of the date (contract section 5 #14)."""
    marker: str
    note: str
    """At most 255 characters, the marker first."""
    provider_id: str
    location_id: str
    category: str
    card_type: str | None = None
    method: str = "Charge"


@dataclass(frozen=True, slots=True)
class PreparedPayment:
    """A posting whose bytes are frozen: built and hashed before the claim, sent as they are (reliability R11)."""

    request: PaymentRequest
    body: bytes = field(repr=False)
    sha256: str


class EntryStatus(StrEnum):
    """The state of a payment row in Nextech (contract 4.9)."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    """Voided by staff; the negative copy carries the same status."""
    ENTERED_IN_ERROR = "entered-in-error"
    """Deleted by staff."""


@dataclass(frozen=True, slots=True)
class PaymentEntry:
    """One payment row read from Nextech; a negative amount is a refund or the second half of a void."""

    payment_id: str
    patient_id: str | None
    """The GUID, lower case; None on an entry that hangs on no patient."""
    status: EntryStatus
    amount_cents: int
    payment_instant: datetime | None
    """The payment date as Nextech stores it, UTC; bring it into the practice's zone before comparing days."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    method: str | None = None
    category: str | None = None
    card_type: str | None = None
    location_id: str | None = None
    provider_id: str | None = None
    applied_cents: int | None = None
    """How much of it is applied to bills; None where Nextech does not show it."""
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PaymentsRead:
    """All payments of some patients, proved complete (reliability 3.5).

    `as_of` is the instant *before* the first page was asked for: the time of the evidence.
    """

    patient_ids: frozenset[str]
    entries: tuple[PaymentEntry, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class PeriodRead:
    """All payments of a practice over some days, by payment date and whoever's, proved complete.

    `as_of` is the instant *before* the first page was asked for: the time of the evidence.
    """

    first_day: date
    last_day: date
    entries: tuple[PaymentEntry, ...]
    as_of: datetime


class PostOutcome(StrEnum):
    """What one POST proved (reliability 3.4). Only the first two need proof; everything else is unknown."""

    EXECUTED = "executed"
    NOT_EXECUTED = "not_executed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """The outcome of one POST, with what an operator needs and nothing of its body."""

    outcome: PostOutcome
    reason: str
    """One sentence without patient data: "2xx with id", "no answer within 45 s", "status 400"."""
    status: int | None = None
    request_id: str | None = None
    created_id: str | None = None
    """The new payment's or patient's id; always set when the outcome is EXECUTED."""
    is_rejection: bool = False
    """A 4xx with the API's own body: this request will never be accepted as it is."""
    is_duplicate: bool = False
    """A 409 on a patient: the server says that the account exists (contract 4.3)."""
    is_login_refused: bool = False
    """401, 403 or 523 even after the token was renewed once: stop the practice's run."""
    is_rate_limited: bool = False
    """429: not executed, try again later in this run."""
