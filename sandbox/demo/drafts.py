"""What a customer types and orders, before the store makes rows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sandbox.demo.practices import DemoPractice
from sandbox.store.records import ZERO

ALL = Decimal(1_000_000)
"""As much of a gift card or credit as the order needs."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders, as the store's forms were filled in."""

    first: str | None = field(repr=False)
    last: str | None = field(repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)
    """`YYYY-MM-DD`."""
    postal_code: str | None = field(default=None, repr=False)
    suffix: str | None = field(default=None, repr=False)
    customer_id: int | None = None
    """None for a guest: the names stand on the address only."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is ordered and how it is paid."""

    practice: DemoPractice
    placed_at: datetime
    buyer: Buyer
    basket: tuple[tuple[str, int], ...]
    """SKU and quantity."""
    coupon_percent: int = 0
    gift_card: Decimal = ZERO
    store_credit: Decimal = ZERO
    reward: Decimal = ZERO
    card: str | None = "VI"
    method: str = "braintree"
    currency: str = "USD"
    has_payment: bool = True
    totals_error: Decimal = ZERO
    """Added to the grand total alone: the order does not add up."""
    extra_tax: Decimal = ZERO
    """Added to the tax and to the total: may have four decimals."""
    overdrawn: Decimal = ZERO
    """Taken off as store credit beyond what is owed: a negative total that adds up."""
    product_names: tuple[str, ...] = ()
    """Replace the catalogue's names, in the basket's order."""
    street: tuple[str, ...] = ("12 Sample Street",)

    @property
    def is_free(self) -> bool:
        """Say whether the coupon covers everything; the store then ships for nothing, too."""
        return self.coupon_percent == 100  # noqa: PLR2004 - percent
