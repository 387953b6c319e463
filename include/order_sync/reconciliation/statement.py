"""What a report says, before anybody lays it out: numbers and lines, no HTML and no pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import Period


@dataclass(frozen=True, slots=True)
class Line:
    """One order or entry in its class. Amounts are cents; `age_days` is counted at the cut-off."""

    subject: str
    class_: DifferenceClass
    store_cents: int
    nextech_cents: int
    explains_cents: int
    at_stake_cents: int
    entity_id: int | None = None
    number: str | None = None
    payment_ids: tuple[str, ...] = ()
    store_day: date | None = None
    nextech_day: date | None = None
    since: datetime | None = None
    age_days: int | None = None
    reason: str | None = None
    """The sentence that staff read, where the ledger has one."""
    suggestion: str | None = None
    marker: str | None = None
    next_step: str = ""
    owner: str | None = None
    """Who has taken it on, from the difference's own record."""


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """All lines of one class."""

    class_: DifferenceClass
    count: int
    store_cents: int
    nextech_cents: int
    explains_cents: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """One day of the period on both sides."""

    day: date
    store_cents: int
    nextech_cents: int


@dataclass(frozen=True, slots=True)
class GiftCards:
    """What is owed to the holders of gift cards: opening + sold - used - refunded = closing (cents)."""

    opening_cents: int
    sold_cents: int
    used_cents: int
    refunded_cents: int
    is_opening_known: bool
    """False on the first report: nobody told us what was owed before."""

    @property
    def closing_cents(self) -> int:
        """Return what is owed at the end."""
        return self.opening_cents + self.sold_cents - self.used_cents - self.refunded_cents


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Unapplied payments, or open refunds, of one age: "0-7 days"."""

    title: str
    count: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Reopening:
    """A closed period whose figures changed later: by how much, and by which lines."""

    period: Period
    version: int
    """Of the report that replaces the earlier one."""
    before_cents: int
    """The variance as it was reported."""
    after_cents: int
    lines: tuple[Line, ...]
    """What came, went or changed its class or its amount."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One report of one practice and period. It ties: the classes explain the variance to the cent."""

    practice_id: str
    practice_name: str
    currency: str
    time_zone: str
    period: Period
    version: int
    """1 for the first report of the period; one more each time it was re-opened."""
    cut_off: datetime
    store_in_cents: int
    """Captured by outside tenders in the period."""
    store_back_cents: int
    """Returned through the gateway in the period."""
    posted_cents: int
    """Payments in Nextech dated in the period."""
    recorded_back_cents: int
    """Refunds in Nextech dated in the period."""
    classes: tuple[ClassTotal, ...]
    """Every class that has a line, in the order of `DifferenceClass`."""
    lines: tuple[Line, ...]
    """Every line, ordered by class, then oldest first, then subject."""
    days: tuple[DayTotal, ...]
    gift_cards: GiftCards | None = None
    unapplied: tuple[AgeBand, ...] = ()
    refund_ageing: tuple[AgeBand, ...] = ()
    prepaid_count: int = 0
    prepaid_cents: int = 0
    offline_refund_cents: int = 0
    reopened: tuple[Reopening, ...] = ()
    """This period, when it is reported again, and earlier ones that this run found changed."""
    still_open: tuple[Line, ...] = ()
    """Lines of earlier periods that somebody still has to act on, as of the cut-off: on the to-do list, not in the sums."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What could not be read or understood, by its subject, a sentence for a person each: it is in no line and no sum."""

    @property
    def variance_cents(self) -> int:
        """Return V: what the store says less what Nextech says, refunds taken off on both sides."""
        return (self.store_in_cents - self.store_back_cents) - (self.posted_cents - self.recorded_back_cents)

    @property
    def explained_cents(self) -> int:
        """Return what the classes explain; equal to V, or the report is an alarm."""
        return sum(total.explains_cents for total in self.classes)

    @property
    def is_tied(self) -> bool:
        """Say whether the classes explain the variance to the cent."""
        return self.explained_cents == self.variance_cents

    @property
    def report_id(self) -> str:
        """Return the id that a reader quotes: "eastern-2026-11-02-v1"."""
        return f"{self.practice_id}-{self.period.name}-v{self.version}"
