"""The demo: every situation in order, placed over the last five weeks, with what has to come of each.

The same seed and the same instant give the same demo, to the last key.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sandbox.demo.arrivals import place_order
from sandbox.demo.characters import regulars
from sandbox.demo.matching_scenes import MATCHING_SCENES
from sandbox.demo.money_scenes import MONEY_SCENES
from sandbox.demo.practices import ACTIVE_SINCE_LOCAL, PRACTICES, DemoPractice
from sandbox.demo.scenes import BEFORE_START, MONTH_END, SYNCED, TEN_MINUTES_AGO, Scene
from sandbox.demo.staging import Timeline, play
from sandbox.demo.state_scenes import STATE_SCENES
from sandbox.people import SeedPatient, SeedPayment
from sandbox.store.records import Books, OrderRecord
from sandbox.store.shop import Shop, ShopKeys

SCENES: tuple[Scene, ...] = (*MATCHING_SCENES, *MONEY_SCENES, *STATE_SCENES)


@dataclass(frozen=True, slots=True)
class Situation:
    """One order of the demo and what is expected of it, derived by hand from the design."""

    name: str
    title: str
    practice_id: str
    order_numbers: tuple[str, ...]
    status: str
    """One of the four public words."""
    reason: str | None
    """The code of `order_sync.reasons.Reason`; None when nothing is to be said."""
    patient_id: str | None
    """The chart on which the payment is expected, `new` for an account that is opened, None when nothing is booked."""
    amount_cents: int | None
    """What is expected to be booked; None for nothing."""
    business_day: date
    """The practice-local day on which the order was placed."""
    also: tuple[str, ...] = ()
    """Further reasons that are open although the order is Synced."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Everything that the sandbox starts with."""

    seed: int
    now: datetime
    patients: list[SeedPatient] = field(repr=False)
    payments: list[SeedPayment] = field(repr=False)
    books: dict[str, Books] = field(repr=False)
    """What each practice's store holds, by practice id."""
    situations: list[Situation] = field(repr=False)

    @property
    def orders(self) -> dict[str, list[OrderRecord]]:
        """Return the orders of each practice, oldest first."""
        return {practice_id: books.orders for practice_id, books in self.books.items()}


def build_demo(seed: int, now: datetime) -> Demo:
    """Return the demo as it stands at `now` (UTC, aware)."""
    demo = Demo(seed=seed, now=now, patients=_patients(), payments=[], books={}, situations=[])
    for practice in PRACTICES.values():
        timeline = Timeline(now)
        shop = open_shop(practice, clock=timeline, rng=random.Random(f"{seed}/{practice.id}"))
        scenes = sorted(
            ((placed_at(scene, now), scene) for scene in SCENES if scene.practice is practice), key=lambda pair: pair[0]
        )
        for at, scene in scenes:
            played = play(shop, scene, at, timeline)
            demo.situations.extend(_situations(scene, played, at))
            if scene.has_hand_entry:
                demo.payments.append(_hand_entry(scene, played[-1], at))
        demo.books[practice.id] = shop.books()
    return demo


def open_shop(practice: DemoPractice, *, clock: Callable[[], datetime], rng: random.Random) -> Shop:
    """Return an empty shop of a practice, with its keys, that can place demo orders."""
    keys = ShopKeys(
        token=practice.store_token,
        token_secret=practice.store_token_secret,
        consumer_key=practice.store_consumer_key,
        consumer_secret=practice.store_consumer_secret,
    )
    shop = Shop(
        practice.id,
        clock=clock,
        rng=rng,
        keys=keys,
        number_prefix=practice.number_prefix,
        store_codes=("default", "all", practice.id),
    )
    shop.place = lambda situation: place_order(shop, situation, rng, clock(), SCENES)
    return shop


def open_shops(demo: Demo, clock: Callable[[], datetime]) -> dict[str, Shop]:
    """Return one running shop per practice, filled with the demo's orders."""
    shops = {}
    for practice in PRACTICES.values():
        shop = open_shop(practice, clock=clock, rng=random.Random(f"{demo.seed}/{practice.id}/running"))
        shop.load(demo.books[practice.id])
        shops[practice.id] = shop
    return shops


def placed_at(scene: Scene, now: datetime) -> datetime:
    """Return when a scene's order was placed: local wall-clock time, never before the integration unless it is meant."""
    if scene.days_ago == TEN_MINUTES_AGO:
        return now - timedelta(minutes=10)
    zone = scene.practice.zone
    today, start = now.astimezone(zone).date(), ACTIVE_SINCE_LOCAL.date()
    match scene.days_ago:
        case days if days == BEFORE_START:
            day = start - timedelta(days=3)
        case days if days == MONTH_END:
            day = max(start, today.replace(day=1) - timedelta(days=1))
        case days:
            day = max(start, today - timedelta(days=days))
    return datetime.combine(day, time.fromisoformat(scene.at), tzinfo=zone).astimezone(now.tzinfo)


def _patients() -> list[SeedPatient]:
    charts = [chart for scene in SCENES for chart in scene.charts]
    charts += [person.chart() for practice_id in PRACTICES for person in regulars(practice_id)]
    return list({chart.patient_id: chart for chart in charts}.values())


def _situations(scene: Scene, played: list[OrderRecord], at: datetime) -> list[Situation]:
    day = at.astimezone(scene.practice.zone).date()
    *replaced, last = played
    situations = [
        Situation(
            name=f"{scene.name}-replaced",
            title="The order that an edit cancelled",
            practice_id=scene.practice.id,
            order_numbers=(old.number,),
            status=SYNCED,
            reason="cancelled",
            patient_id=None,
            amount_cents=None,
            business_day=day,
        )
        for old in replaced
    ]
    return [
        *situations,
        Situation(
            name=scene.name,
            title=scene.title,
            practice_id=scene.practice.id,
            order_numbers=(last.number,),
            status=scene.status,
            reason=scene.reason,
            patient_id=scene.patient_id,
            amount_cents=int(last.grand_total * 100) if scene.is_booked else None,
            business_day=day,
            also=scene.also,
        ),
    ]


def _hand_entry(scene: Scene, record: OrderRecord, at: datetime) -> SeedPayment:
    return SeedPayment(
        practice_id=scene.practice.id,
        patient_id=scene.charts[0].patient_id,
        amount_cents=int(record.grand_total * 100),
        business_day=at.astimezone(scene.practice.zone).date().isoformat(),
        note="Online store payment, entered at the front desk",
    )
