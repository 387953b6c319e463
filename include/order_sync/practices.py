"""The practices that we sync for, as `practices.yaml` describes them: strict, and checked before anything runs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, ValidationError, model_validator

from order_sync.errors import SettingsError


class Strict(BaseModel):
    """Refuse unknown keys: a typing error in a setting must never mean "use the default"."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _known_time_zone(name: str) -> str:
    if name not in available_timezones():
        msg = f"unknown time zone {name!r}"
        raise ValueError(msg)
    return name


TimeZoneName = Annotated[str, AfterValidator(_known_time_zone)]
NonEmpty = Annotated[str, Field(min_length=1)]


class ActivePeriod(Strict):
    """A time in which the integration was switched on; half open, `until` may be missing."""

    since: AwareDatetime
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> ActivePeriod:
        if self.until is not None and self.until <= self.since:
            msg = "until must be later than since"
            raise ValueError(msg)
        return self

    def contains(self, instant: datetime) -> bool:
        """Say whether the integration was on at this instant."""
        return self.since <= instant and (self.until is None or instant < self.until)


class MatchAction(StrEnum):
    """What the practice wants done when a level of the matching ladder has exactly one candidate."""

    MATCH = "match"
    PERSON = "person"


class NextechSettings(Strict):
    """Where and how payments and new accounts are booked in the practice's Nextech."""

    location_id: NonEmpty
    provider_id: NonEmpty
    payment_category: NonEmpty
    card_types: dict[str, NonEmpty] = {}
    """The store's card code (VI, MC) to the practice's own spelling; a card that is not listed is posted without a type."""
    is_shared: bool = False
    """Whether other practices book into the same Nextech: the reconciliation then leaves other locations' payments to them."""
    referral_source_id: NonEmpty | None = None
    patient_status: NonEmpty | None = None
    patient_type_id: NonEmpty | None = None


class MatchingSettings(Strict):
    """Which automatic levels of design section 5 match; a level set to `person` opens a case instead."""

    levels: dict[Annotated[int, Field(ge=1, le=5)], MatchAction] = {}
    create_accounts: bool = True


class PostingSettings(Strict):
    """The posting protocol's times (reliability section 3). All of them are lower bounds of caution."""

    settle_minutes: Annotated[float, Field(gt=0)] = 30
    """How long after the send deadline an absent payment is not yet believed to be absent."""
    absent_reads_apart_minutes: Annotated[float, Field(gt=0)] = 15
    post_again_after_hours: Annotated[float, Field(ge=24, le=24 * 30)] = 24
    """A person may not post again on an unknown outcome before this, nor is an order from before a restore posted.

    Never less than the longest that a booking is assumed to be late (reliability, top).
    """
    cannot_verify_after_hours: Annotated[float, Field(gt=0)] = 24
    send_seconds: Annotated[float, Field(gt=0)] = 5
    """From before the intent's commit to the first byte (R3)."""
    answer_seconds: Annotated[float, Field(gt=0)] = 45
    """The wall-clock deadline of one POST (R4)."""
    amount_limit: Annotated[Decimal, Field(gt=0, decimal_places=2)] = Decimal("5000.00")
    batch_size: Annotated[int, Field(ge=1, le=100)] = 100
    """Orders that are re-read, looked for and posted together."""
    concurrent_posts: Annotated[int, Field(ge=1, le=32)] = 8


class ExtractionSettings(Strict):
    """How the store is read (store contract section 2)."""

    lag_seconds: Annotated[int, Field(ge=0)] = 180
    overlap_minutes: Annotated[int, Field(ge=0)] = 30
    page_size: Annotated[int, Field(ge=1, le=300)] = 100
    look_back_days: Annotated[int, Field(ge=0)] = 7
    """How far before the start of the integration the first run reaches, so that older orders show Disabled."""


def _all_different(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if len({address.casefold() for address in addresses}) != len(addresses):
        msg = "an address is there twice"
        raise ValueError(msg)
    return addresses


class ReportSettings(Strict):
    """Who gets the practice's reconciliation, and what counts as a difference."""

    recipients: Annotated[tuple[EmailStr, ...], AfterValidator(_all_different)] = ()
    """E-mail addresses. Empty: the reports are kept and shown on the pages, and mailed to nobody."""
    tolerance_cents: Annotated[int, Field(ge=0)] = 0
    """Up to how much a payment may differ from its order without asking for a person; still listed."""


class Practice(Strict):
    """One practice."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """Names the connections `store_<id>` and `nextech_<id>`."""
    name: NonEmpty
    time_zone: TimeZoneName
    active: Annotated[tuple[ActivePeriod, ...], Field(min_length=1)]
    """When the integration is on. An order placed outside shows Disabled."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    store_ids: tuple[int, ...] = ()
    """The store views of this practice when several share one Commerce; empty means all."""
    nextech: NextechSettings
    record_offline_refunds: bool = True
    """Whether a refund that the store made offline is to be recorded in Nextech, too: money went back in another way."""
    staff: tuple[NonEmpty, ...] = ()
    """The logins that may see this practice on the Orders pages; empty: everybody who may read them."""
    own_phones: tuple[str, ...] = ()
    """The practice's own numbers: they count as unknown in matching."""
    membership_sku_prefixes: tuple[str, ...] = ()
    service_sku_prefixes: tuple[str, ...] = ()
    matching: MatchingSettings = MatchingSettings()
    posting: PostingSettings = PostingSettings()
    extraction: ExtractionSettings = ExtractionSettings()
    reports: ReportSettings = ReportSettings()

    @property
    def zone(self) -> ZoneInfo:
        """Return the practice's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def reads_from(self) -> datetime:
        """Return how far back the first extraction reaches."""
        return min(period.since for period in self.active) - timedelta(days=self.extraction.look_back_days)

    def is_active_at(self, instant: datetime) -> bool:
        """Say whether the integration was on at this instant."""
        return any(period.contains(instant) for period in self.active)

    def is_seen_by(self, login: str) -> bool:
        """Say whether this person may see the practice on the Orders pages."""
        return not self.staff or login in self.staff

    def business_day(self, instant: datetime) -> date:
        """Return the practice's own day of an instant: 8 pm Central is that day's, not the next day's in UTC."""
        return instant.astimezone(self.zone).date()


class PracticesFile(Strict):
    """The whole file."""

    practices: Annotated[tuple[Practice, ...], Field(min_length=1)]


def _where(location: tuple[int | str, ...], document: object) -> str:
    """Turn pydantic's location into "practice eastern, field nextech.location_id"."""
    match location, document:
        case ("practices", int() as index, *field), {"practices": list() as practices}:
            entry = practices[index] if index < len(practices) else None
            name = entry.get("id") if isinstance(entry, dict) else None
            practice = f"practice {name}" if isinstance(name, str) else f"practice number {index + 1}"
            return f"{practice}, field {'.'.join(map(str, field)) or '(all)'}"
        case _:
            return f"field {'.'.join(map(str, location)) or '(all)'}"


def load_practices(path: Path) -> tuple[Practice, ...]:
    """Read the practices from a YAML file, in the file's order.

    Raises `SettingsError` with one line that names the file, the practice and the field of the first thing wrong.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path.name}: cannot be read ({error.strerror}); set ORDER_SYNC_PRACTICES to the practices file"
        raise SettingsError(msg) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        msg = f"{path.name}{line}: not valid YAML"
        raise SettingsError(msg) from error
    try:
        practices = PracticesFile.model_validate(document).practices
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        msg = f"{path.name}: {_where(first['loc'], document)}: {first['msg']}{more}"
        raise SettingsError(msg) from error
    seen: set[str] = set()
    for practice in practices:
        if practice.id in seen:
            msg = f"{path.name}: practice {practice.id}, field id: used twice; every practice needs its own id"
            raise SettingsError(msg)
        seen.add(practice.id)
    return practices
