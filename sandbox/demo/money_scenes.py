"""Scenes about how much and on which day: tenders, discounts, kinds of products, late evenings (design section 6)."""

from __future__ import annotations

from decimal import Decimal

from sandbox.demo.characters import Person
from sandbox.demo.drafts import ALL
from sandbox.demo.practices import ARIZONA, CENTRAL, EASTERN
from sandbox.demo.scenes import MONTH_END, Scene, scene

_THREE: tuple[tuple[str, int], ...] = (("DRM-SPF50-50ML", 1), ("DRM-CLEANSE-200", 1), ("DRM-HYDRA-75", 1))
_RENEWAL: tuple[tuple[str, int], ...] = (("DRM-MEM-GLOW", 1),)
_MEMBER = Person(EASTERN, 11, "Sofia", "Marchetti")
_HUGO = Person(CENTRAL, 19, "Hugo", "Lambert")
_TILDA = Person(CENTRAL, 20, "Tilda", "Roe")

TENDERS: tuple[Scene, ...] = (
    scene(
        "gift-card-sold",
        "A gift card is sold",
        Person(EASTERN, 9, "Ruth", "Kessler"),
        days_ago=8,
        basket=(("DRM-GIFT-100", 1),),
    ),
    scene(
        "gift-card-part",
        "A gift card pays a part",
        Person(CENTRAL, 9, "Amelia", "Stroud"),
        days_ago=12,
        basket=(("DRM-VITC-30", 1),),
        options={"gift_card": Decimal(50)},
    ),
    scene(
        "gift-card-full",
        "A gift card pays everything",
        Person(ARIZONA, 7, "Abel", "Quintero"),
        days_ago=13,
        options={"gift_card": ALL},
        reason="amount_zero",
    ),
    scene(
        "reward-points",
        "Reward points pay a part",
        Person(EASTERN, 10, "Duncan", "Ames"),
        days_ago=14,
        basket=(("DRM-HYDRA-75", 2),),
        options={"reward": Decimal("12.50")},
    ),
    scene(
        "store-credit",
        "Store credit pays a part",
        Person(CENTRAL, 10, "Felix", "Ortega-Ruiz"),
        days_ago=15,
        basket=(("DRM-EYE-15", 1),),
        options={"store_credit": Decimal(20)},
    ),
    scene(
        "store-credit-full",
        "Store credit pays everything",
        Person(CENTRAL, 11, "Dora", "Whitlock"),
        days_ago=18,
        options={"store_credit": ALL},
        reason="amount_zero",
    ),
    scene(
        "coupon",
        "A coupon of ten percent",
        Person(ARIZONA, 8, "Stella", "Rourke"),
        days_ago=10,
        basket=_THREE,
        options={"coupon_percent": 10},
    ),
    scene(
        "free-order",
        "A coupon of a hundred percent",
        Person(ARIZONA, 17, "Kim", "Ferris"),
        days_ago=16,
        options={"coupon_percent": 100},
        reason="amount_zero",
    ),
    scene(
        "bank-transfer",
        "Paid by bank transfer: no card",
        Person(CENTRAL, 22, "Edna", "Shore"),
        days_ago=21,
        options={"method": "banktransfer", "card": None},
    ),
    scene("membership-first", "A membership", _MEMBER, days_ago=33, basket=_RENEWAL, at="09:05:00"),
    scene(
        "membership-renewal",
        "The same membership a month later: no duplicate",
        _MEMBER,
        days_ago=3,
        basket=_RENEWAL,
        at="09:05:00",
    ),
    scene(
        "bundle",
        "A bundle: the money stands on the parent",
        Person(CENTRAL, 12, "Samir", "Haddad"),
        days_ago=17,
        basket=(("DRM-KIT", 1), ("DRM-SPF50-50ML", 1)),
    ),
    scene(
        "configurable",
        "A configurable product: two rows, counted once",
        Person(EASTERN, 12, "Leon", "Abara"),
        days_ago=18,
        basket=(("DRM-RET", 2),),
    ),
    scene(
        "services-only",
        "A service: bill or quote",
        Person(ARIZONA, 19, "Raj", "Malhotra"),
        days_ago=9,
        basket=(("DRM-SVC-PEEL", 1),),
        options={"card": "AE"},
    ),
    scene("two-orders-first", "Two orders of one patient on one day", _HUGO, days_ago=8, at="10:00:00"),
    scene(
        "two-orders-second",
        "Two orders of one patient on one day",
        _HUGO,
        days_ago=8,
        at="15:30:00",
        basket=(("DRM-VITC-30", 1),),
    ),
    scene("same-amount-first", "The same amount twice on one day", _TILDA, days_ago=9, at="10:00:00"),
    scene("same-amount-second", "The same amount twice on one day: both are real", _TILDA, days_ago=9, at="10:02:00"),
)

DAYS: tuple[Scene, ...] = (
    scene(
        "evening-central",
        "8:15 in the evening: that day's, although UTC is a day ahead",
        Person(CENTRAL, 5, "Tessa", "Wynn"),
        days_ago=3,
        at="20:15:00",
    ),
    scene(
        "late-evening-arizona",
        "Half past eleven at night in Arizona",
        Person(ARIZONA, 20, "June", "Sorrel"),
        days_ago=7,
        at="23:30:00",
    ),
    scene(
        "month-end-midnight",
        "Half a minute before the month ends",
        Person(EASTERN, 6, "Clara", "Voss"),
        days_ago=MONTH_END,
        at="23:59:30",
    ),
)

MONEY_SCENES: tuple[Scene, ...] = (*TENDERS, *DAYS)
