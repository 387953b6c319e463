"""Everything that the sandbox plays, put together from one seed: the stores, Nextech and the mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Protocol

from sandbox.demo.practices import (
    CARD_TYPES,
    PATIENT_TYPE_ID,
    PATIENT_TYPE_NAME,
    PAYMENT_CATEGORY,
    PRACTICES,
    REFERRAL_SOURCE_NAME,
    DemoPractice,
)
from sandbox.mail import Mailbox
from sandbox.nextech.engine import Nextech
from sandbox.nextech.records import PracticeSetup
from sandbox.people import SeedPatient, SeedPayment
from sandbox.store.records import Books
from sandbox.store.shop import Shop, ShopKeys
from sandbox.store.switches import StoreSwitches

Clock = Callable[[], datetime]
STAFF_CATEGORIES = ("Office visit", "Refund")


def utc_now() -> datetime:
    """Return the machine's time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What the sandbox starts with."""

    seed: int = 1
    is_empty: bool = False
    """Without the demo's patients and orders."""
    load: Mapping[str, int] = field(default_factory=dict)
    """Practice id to the number of paid orders of known patients, for measurements."""
    has_arrivals: bool = False
    """Whether new orders keep coming."""
    arrival_seconds: float = 90.0
    """How long it takes from one new order to the next, on the average."""


class Contents(Protocol):
    """What the demo and the load have in common."""

    @property
    def patients(self) -> Sequence[SeedPatient]:
        """The charts that Nextech holds."""
        ...

    @property
    def payments(self) -> Sequence[SeedPayment]:
        """The payments that it holds already."""
        ...

    @property
    def books(self) -> Mapping[str, Books]:
        """What each practice's store holds."""
        ...


def practice_setup(practice: DemoPractice) -> PracticeSetup:
    """Return what Nextech must know of a practice."""
    return PracticeSetup(
        practice_id=practice.id,
        guid=practice.practice_guid,
        name=practice.name,
        time_zone=practice.time_zone,
        locations={practice.location_id: practice.location_name},
        providers={practice.provider_id: practice.provider_name},
        categories=(PAYMENT_CATEGORY, *STAFF_CATEGORIES),
        card_types=tuple(CARD_TYPES.values()),
        referral_sources={practice.referral_source_id: REFERRAL_SOURCE_NAME},
        patient_types={PATIENT_TYPE_ID: PATIENT_TYPE_NAME},
    )


def open_shop(practice: DemoPractice, clock: Clock, seed: int) -> Shop:
    """Open a practice's empty store."""
    keys = ShopKeys(
        token=practice.store_token,
        token_secret=practice.store_token_secret,
        consumer_key=practice.store_consumer_key,
        consumer_secret=practice.store_consumer_secret,
    )
    rng = Random(f"{seed} store {practice.id}")
    return Shop(practice.id, clock=clock, rng=rng, keys=keys, number_prefix=practice.number_prefix)


class World:
    """The stores, Nextech and the mails of all practices; `reset` goes back to the seed, the objects stay the same."""

    def __init__(self, options: SandboxOptions | None = None, *, clock: Clock = utc_now) -> None:
        """Build the world."""
        self.options = options or SandboxOptions()
        self.clock = clock
        self.smtp_port = 0
        self.mailbox = Mailbox(clock)
        self.shops = {practice.id: open_shop(practice, clock, self.options.seed) for practice in PRACTICES.values()}
        setups = [practice_setup(practice) for practice in PRACTICES.values()]
        self.nextech = Nextech(setups, clock=clock, seed=self.options.seed)
        self._fill()

    def reset(self) -> None:
        """Start again from the seed, with days counted from now: books, switches, faults, counts and mails."""
        self.mailbox.clear()
        self.nextech.reset()
        for shop in self.shops.values():
            shop.load(Books())
            shop.switches = StoreSwitches()
            shop.faults.clear()
            shop.requests.clear()
        self._fill()

    def _fill(self) -> None:
        """Enter the demo and the load."""

    def arrive(self) -> str:
        """Let one new order arrive at one of the stores; return its number."""
        return ""
