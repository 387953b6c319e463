"""Invented orders, customers, charts and payments; a test says only what its situation is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from order_sync.orders import Customer, Order, OrderLine, OrderTotals, StoreState, Tender
from order_sync.patients import Patient
from order_sync.payments import EntryStatus, PaymentEntry
from order_sync.practices import Practice

MARKER_KEY = b"a key for tests, 32 bytes long...."
CUSTOMER_KEY = b"another key for tests, 32 bytes.."
PATIENT_ID = "7c0e5f3a-9b1d-4c22-8e57-1f0a6d2b9c44"
OTHER_PATIENT_ID = "11111111-9b1d-4c22-8e57-1f0a6d2b9c44"


def a_practice(**changes: Any) -> Practice:
    """Return an active practice in Miami's time zone."""
    settings: dict[str, Any] = {
        "id": "eastern",
        "name": "Eastern Dermatology",
        "time_zone": "America/New_York",
        "active": [{"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}],
        "nextech": {
            "location_id": "3",
            "provider_id": "9107",
            "payment_category": "WEB - Online Store",
            "card_types": {"VI": "Visa", "AE": "AmEx"},
        },
        "own_phones": ["(305) 555-0100"],
        "membership_sku_prefixes": ["DRM-MEM-"],
        "service_sku_prefixes": ["DRM-CONSULT-"],
    }
    return Practice.model_validate(settings | changes)


def a_customer(**changes: Any) -> Customer:
    """Return Ana Ruiz as her order names her."""
    return replace(
        Customer(
            customer_id=812,
            is_guest=False,
            first="Ana",
            last="Ruiz",
            email="ana.ruiz@mail.example",
            phone="(305) 555-0142",
            birth_date=date(1988, 4, 19),
            postal_code="33130",
            city="Miami",
        ),
        **changes,
    )


def a_patient(patient_id: str = PATIENT_ID, **changes: Any) -> Patient:
    """Return Ana Ruiz's chart."""
    return replace(
        Patient(
            patient_id=patient_id,
            chart_number="20417",
            first="Ana",
            last="Ruiz",
            email="ana.ruiz@mail.example",
            phones=("(305) 555-0142",),
            birth_date=date(1988, 4, 19),
            postal_code="33130",
            city="Miami",
        ),
        **changes,
    )


def a_line(sku: str = "DRM-SPF50", name: str = "Mineral Sunscreen", quantity: str = "1.0000", **changes: Any) -> OrderLine:
    """Return one line of a simple product."""
    return replace(OrderLine(sku=sku, name=name, quantity=Decimal(quantity), product_type="simple"), **changes)


def totals(grand_total: str = "122.1000", **changes: str) -> OrderTotals:
    """Return totals that add up and are paid in full; every amount can be changed by its text."""
    zero = Decimal("0.0000")
    amounts = OrderTotals(
        subtotal=Decimal(grand_total),
        discount=zero,
        shipping=zero,
        tax=zero,
        extras=zero,
        gift_cards=zero,
        store_credit=zero,
        reward_points=zero,
        grand_total=Decimal(grand_total),
        paid=Decimal(grand_total),
        refunded=zero,
        refunded_offline=zero,
    )
    return replace(amounts, **{name: Decimal(text) for name, text in changes.items()})


def an_order(**changes: Any) -> Order:
    """Return a paid order, placed on 2 March 2026 at 13:41 in Miami."""
    return replace(
        Order(
            entity_id=4127,
            number="000004127",
            store_id=1,
            state=StoreState.PROCESSING,
            store_status="processing",
            placed_at=datetime(2026, 3, 2, 18, 41, 7, tzinfo=UTC),
            updated_at=datetime(2026, 3, 3, 9, 15, 32, tzinfo=UTC),
            currency="USD",
            totals=totals(),
            lines=(a_line(),),
            customer=a_customer(),
            tender=Tender(method="braintree", card_type="VI"),
        ),
        **changes,
    )


def an_entry(payment_id: str = "88213", **changes: Any) -> PaymentEntry:
    """Return the active payment of the order above, without a note."""
    return replace(
        PaymentEntry(
            payment_id=payment_id,
            patient_id=PATIENT_ID,
            status=EntryStatus.ACTIVE,
            amount_cents=12210,
            payment_instant=datetime(2026, 3, 2, 5, 0, tzinfo=UTC),
            method="Charge",
            category="WEB - Online Store",
        ),
        **changes,
    )
