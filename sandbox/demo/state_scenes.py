"""Scenes about whether: states of the order, refunds, and orders that need a person (design section 6)."""

from __future__ import annotations

from decimal import Decimal

from sandbox.demo.characters import Person
from sandbox.demo.drafts import ALL
from sandbox.demo.practices import ARIZONA, CENTRAL, EASTERN
from sandbox.demo.scenes import BEFORE_START, DISABLED, NOT_SYNCED, SHIPPED, WAITING, Scene, scene

_HOSTILE_FIRST = "Zoë<script>alert(1)</script>"
_HOSTILE_LAST = '=HYPERLINK("https://phish.example","Pay") {{7*7}}'
_HOSTILE_PRODUCTS = (
    "<script>alert('product')</script> Sunscreen \N{SMILING FACE WITH SUNGLASSES}",
    '=HYPERLINK("https://phish.example")\r\nBcc: everyone@phish.example {{7*7}} \'; DROP TABLE orders;--',
    "Ten thousand letters " + "x" * 10_000,
)
_THREE: tuple[tuple[str, int], ...] = (("DRM-SPF50-50ML", 1), ("DRM-CLEANSE-200", 1), ("DRM-HYDRA-75", 1))
_HOSTILE = Person(ARIZONA, 15, _HOSTILE_FIRST, _HOSTILE_LAST)

STATES: tuple[Scene, ...] = (
    scene(
        "on-hold",
        "On hold",
        Person(CENTRAL, 6, "Bruno", "Salter"),
        days_ago=2,
        steps=("capture", "hold"),
        status=WAITING,
        reason="on_hold",
    ),
    scene(
        "released",
        "Was on hold, now released",
        Person(EASTERN, 7, "Marcus", "Yoder"),
        days_ago=5,
        steps=("capture", "hold", "unhold"),
    ),
    scene(
        "disabled",
        "Placed before the integration was active",
        Person(CENTRAL, 7, "Iris", "Coleman"),
        days_ago=BEFORE_START,
        steps=SHIPPED,
        status=DISABLED,
        reason="integration_inactive",
    ),
    scene(
        "disabled-eastern",
        "Placed before the integration was active",
        Person(EASTERN, 22, "Grace", "Tully"),
        days_ago=BEFORE_START,
        status=DISABLED,
        reason="integration_inactive",
    ),
    scene(
        "cancelled",
        "Cancelled before it was paid",
        Person(ARIZONA, 5, "Peter", "Stanhope"),
        days_ago=6,
        steps=("cancel",),
        reason="cancelled",
    ),
    scene(
        "partly-refunded",
        "One of two pieces was refunded: posted in full, the refund is recorded by hand",
        Person(EASTERN, 8, "Elena", "Fasano"),
        days_ago=12,
        basket=(("DRM-SPF50-50ML", 2), ("DRM-CLEANSE-200", 1)),
        steps=("capture", "refund_one"),
        also=("refund_to_record",),
    ),
    scene(
        "offline-refund",
        "Ten dollars were given back outside the store",
        Person(CENTRAL, 8, "Victor", "Haines"),
        days_ago=14,
        basket=(("DRM-EYE-15", 1),),
        steps=("capture", "refund_offline"),
        also=("refund_to_record",),
    ),
    scene(
        "fully-refunded",
        "Fully refunded before it was posted",
        Person(ARIZONA, 6, "Lucy", "Farnham"),
        days_ago=11,
        steps=("capture", "refund_all"),
        reason="refunded_before_posting",
    ),
    scene(
        "not-paid",
        "A check that has not come",
        Person(ARIZONA, 10, "Harold", "Beck"),
        days_ago=4,
        options={"method": "checkmo", "card": None},
        steps=(),
        status=WAITING,
        reason="not_paid",
    ),
    scene(
        "partly-paid",
        "A part was captured",
        Person(CENTRAL, 13, "Joan", "Kettering"),
        days_ago=3,
        basket=_THREE,
        steps=("capture_part",),
        status=WAITING,
        reason="partly_paid",
    ),
    scene(
        "payment-review",
        "The payment is under review",
        Person(EASTERN, 14, "Ivan", "Petrov-Lane"),
        days_ago=1,
        steps=("review",),
        status=WAITING,
        reason="under_review",
    ),
    scene(
        "edited-order",
        "Edited in the store: the successor carries -1",
        Person(ARIZONA, 9, "Morgan", "Tate"),
        days_ago=8,
        steps=("edit", "capture"),
        status=NOT_SYNCED,
        reason="edited_order",
    ),
)

PROBLEMS: tuple[Scene, ...] = (
    scene(
        "totals-wrong",
        "The totals do not add up",
        Person(EASTERN, 13, "Beth", "Corrigan"),
        days_ago=6,
        options={"totals_error": Decimal(-7)},
        status=NOT_SYNCED,
        reason="totals_disagree",
    ),
    scene(
        "unknown-currency",
        "Paid in euros",
        Person(EASTERN, 17, "Anders", "Blom"),
        days_ago=7,
        options={"currency": "EUR"},
        status=NOT_SYNCED,
        reason="currency_unknown",
    ),
    scene(
        "amount-limit",
        "Above the practice's amount limit",
        Person(CENTRAL, 16, "Celeste", "Armitage"),
        days_ago=5,
        basket=(("DRM-SVC-LASER", 11),),
        status=NOT_SYNCED,
        reason="amount_limit",
    ),
    scene(
        "four-decimals",
        "A total with a fraction of a cent",
        Person(EASTERN, 18, "Kira", "Novak"),
        days_ago=10,
        options={"extra_tax": Decimal("0.0050")},
        status=NOT_SYNCED,
        reason="amount_invalid",
    ),
    scene(
        "negative-total",
        "A negative total",
        Person(ARIZONA, 14, "Boris", "Klein"),
        days_ago=12,
        options={"store_credit": ALL, "overdrawn": Decimal(5)},
        status=NOT_SYNCED,
        reason="amount_invalid",
    ),
    scene(
        "no-payment-row",
        "A migrated order without a payment row",
        Person(CENTRAL, 17, "Ned", "Farrow"),
        days_ago=20,
        options={"has_payment": False},
        status=NOT_SYNCED,
        reason="payment_missing",
    ),
    scene(
        "possible-manual-entry",
        "Staff already entered the same amount on the same day",
        Person(EASTERN, 20, "Nadia", "Rahimi"),
        days_ago=4,
        basket=(("DRM-VITC-30", 1),),
        status=NOT_SYNCED,
        reason="possible_manual_entry",
        has_hand_entry=True,
    ),
    scene(
        "hostile-names",
        "Hostile text in the names, known as such in Nextech",
        _HOSTILE,
        days_ago=13,
        charts=(_HOSTILE.chart(email="zoe.hostile@mailbox.example"),),
        buyer={"email": "zoe.hostile@mailbox.example"},
        options={"street": ("1 Line\r\nBreak Road", "<b>Apt</b> {{7*7}}")},
    ),
    scene(
        "hostile-products",
        "Hostile text and 10 kB in the product names",
        Person(ARIZONA, 16, "Dale", "Hutchins"),
        days_ago=15,
        basket=_THREE,
        options={"product_names": _HOSTILE_PRODUCTS},
    ),
)

STATE_SCENES: tuple[Scene, ...] = (*STATES, *PROBLEMS)
