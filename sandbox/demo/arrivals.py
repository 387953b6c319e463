"""New orders while the sandbox runs: mostly everyday orders of known patients, now and then something else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.demo.catalog import EVERYDAY_BASKETS
from sandbox.demo.characters import regulars
from sandbox.demo.drafts import Buyer, Draft
from sandbox.demo.practices import PRACTICES
from sandbox.demo.scenes import PAID, Scene
from sandbox.demo.staging import play, play_draft
from sandbox.store.records import OrderRecord
from sandbox.store.shop import Shop

if TYPE_CHECKING:
    from sandbox.demo.story import Demo

EVERYDAY, NEWCOMER, HELD, UNPAID, COUPON, GIFT_CARD = "everyday", "newcomer", "held", "unpaid", "coupon", "gift-card"
KINDS: dict[str, int] = {EVERYDAY: 74, NEWCOMER: 9, COUPON: 6, GIFT_CARD: 4, HELD: 4, UNPAID: 3}
"""The kinds of orders that arrive by themselves, and how often in a hundred."""
_NEWCOMER_FIRST = ("Aaron", "Bianca", "Cyrus", "Delia", "Ewan", "Flora", "Gavin", "Helga", "Ishaan", "Jolene")
_NEWCOMER_LAST = ("Ashby", "Bellamy", "Crane", "Dorsey", "Eastwood", "Fenwick", "Garland", "Hollis", "Ivers", "Jessup")
_NEWCOMER_AREA_CODES = ("404", "512", "615", "617", "713", "720", "503", "206")


@dataclass(frozen=True, slots=True)
class Arrival:
    """The next order to place."""

    practice_id: str
    situation: str


def next_arrival(demo: Demo, rng: random.Random, now: datetime) -> Arrival:  # noqa: ARG001 - may follow the hour some day
    """Draw whose store gets the next order, and of which kind."""
    return Arrival(
        practice_id=rng.choice(sorted(demo.books)),
        situation=rng.choices(list(KINDS), weights=list(KINDS.values()))[0],
    )


def place_order(shop: Shop, situation: str, rng: random.Random, now: datetime, scenes: Sequence[Scene] = ()) -> OrderRecord:
    """Place an order of a kind of `KINDS`, or of a scene of this practice, and return it; `KeyError` for an unknown one."""
    for scene in scenes:
        if scene.name == situation and scene.practice.id == shop.practice_id:
            return play(shop, scene, now)[-1]
    draft = Draft(
        practice=PRACTICES[shop.practice_id],
        placed_at=now,
        buyer=_newcomer(shop, rng) if situation == NEWCOMER else rng.choice(regulars(shop.practice_id)).buyer(),
        basket=rng.choice(EVERYDAY_BASKETS),
        card=rng.choice(("VI", "VI", "MC", "AE", "DI")),
    )
    changed, steps = _of_kind(situation, draft)
    return play_draft(shop, changed, steps)[-1]


def _of_kind(situation: str, draft: Draft) -> tuple[Draft, tuple[str, ...]]:
    kinds: dict[str, tuple[Draft, tuple[str, ...]]] = {
        EVERYDAY: (draft, PAID),
        NEWCOMER: (draft, PAID),
        HELD: (draft, (*PAID, "hold")) if not _is_virtual(draft) else (draft, ("hold",)),
        UNPAID: (replace(draft, method="checkmo", card=None), ()),
        COUPON: (replace(draft, coupon_percent=15), PAID),
        GIFT_CARD: (replace(draft, gift_card=Decimal(20)), PAID),
    }
    return kinds[situation]


def _is_virtual(draft: Draft) -> bool:
    """Say whether paying completes the order, so that it could not be held any more."""
    return all(sku.startswith(("DRM-CONSULT", "DRM-SVC", "DRM-MEM")) for sku, _ in draft.basket)


def _newcomer(shop: Shop, rng: random.Random) -> Buyer:
    """Invent somebody whom no chart knows; the next order id keeps the e-mail address and the birth date apart."""
    number = max(shop.orders, default=0) + 1
    first, last = rng.choice(_NEWCOMER_FIRST), rng.choice(_NEWCOMER_LAST)
    return Buyer(
        first=first,
        last=f"{last}-{rng.choice(_NEWCOMER_LAST)}",
        email=f"{first}.{last}.{shop.practice_id}{number}@mailbox.example".lower(),
        phone=f"({rng.choice(_NEWCOMER_AREA_CODES)}) 555-01{rng.randrange(100):02d}",
        birth_date=f"{1950 + number % 50}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        postal_code=PRACTICES[shop.practice_id].postal_code,
        customer_id=10_000 + number,
    )
