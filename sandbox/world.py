"""Everything that the sandbox plays, put together from one seed: the stores, Nextech and the mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from sandbox.demo.arrivals import next_arrival
from sandbox.demo.history import build_history
from sandbox.demo.load import build_load
from sandbox.demo.practices import (
    CARD_TYPES,
    PATIENT_TYPE_ID,
    PATIENT_TYPE_NAME,
    PAYMENT_CATEGORY,
    PRACTICES,
    REFERRAL_SOURCE_NAME,
    DemoPractice,
)
from sandbox.demo.story import Demo, Situation, build_demo, open_shop
from sandbox.mail import Mailbox
from sandbox.nextech.engine import Nextech
from sandbox.nextech.records import PracticeSetup
from sandbox.store.records import Books
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
    has_history: bool = False
    """With the ordinary orders of the weeks before, for the reports."""
    has_arrivals: bool = False
    """Whether new orders keep coming."""
    arrival_seconds: float = 90.0
    """How long it takes from one new order to the next, on the average."""


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


class World:
    """The stores, Nextech and the mails of all practices; `reset` goes back to the seed, the objects stay the same."""

    def __init__(self, options: SandboxOptions | None = None, *, clock: Clock = utc_now) -> None:
        """Build the world."""
        self.options = options or SandboxOptions()
        self.clock = clock
        self.smtp_port = 0
        self.mailbox = Mailbox(clock)
        self._shop_rngs = {practice_id: Random() for practice_id in PRACTICES}
        self.shops = {
            practice_id: open_shop(practice, clock=clock, rng=self._shop_rngs[practice_id])
            for practice_id, practice in PRACTICES.items()
        }
        self.nextech = Nextech(
            [practice_setup(practice) for practice in PRACTICES.values()], clock=clock, seed=self.options.seed
        )
        self._demo: Demo | None = None
        self.reset()

    def reset(self) -> None:
        """Start again from the seed, with days counted from now: books, switches, faults, counts and mails."""
        now = self._began_at = self.clock()
        self._rng = Random(self.options.seed)
        self.mailbox.clear()
        self._demo = None
        loads = [build_load(name, orders, self.options.seed, now) for name, orders in self.options.load.items()]
        if self.options.has_history:
            loads += [build_history(name, self.options.seed, now) for name in PRACTICES]
        for practice_id, shop in self.shops.items():
            self._shop_rngs[practice_id].seed(f"{self.options.seed}/{practice_id}/running")
            shop.switches = StoreSwitches()
            shop.faults.clear()
            shop.requests.clear()
            shop.load(Books() if self.options.is_empty else self.demo.books[practice_id])
        for load in loads:
            self.shops[load.practice_id].extend(load.books[load.practice_id])
        patients = [] if self.options.is_empty else list(self.demo.patients)
        payments = [] if self.options.is_empty else list(self.demo.payments)
        patients += [patient for load in loads for patient in load.patients]
        self.nextech.reset(patients, payments)

    @property
    def demo(self) -> Demo:
        """Return the demo as it was at the last reset; built when it is first asked for, which an empty world may never be."""
        if self._demo is None:
            self._demo = build_demo(self.options.seed, self._began_at)
        return self._demo

    @property
    def situations(self) -> Sequence[Situation]:
        """Return what the demo's orders are about and what is expected of them."""
        return () if self.options.is_empty else self.demo.situations

    def arrive(self) -> str:
        """Let one new order arrive at one of the stores; return its number."""
        arrival = next_arrival(self.demo, self._rng, self.clock())
        place = self.shops[arrival.practice_id].place
        if place is None:
            msg = f"the store {arrival.practice_id} places no orders by itself"
            raise RuntimeError(msg)
        return place(arrival.situation).number
