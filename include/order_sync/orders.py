"""The store's order as the rest of the package sees it: no HTTP, no JSON, no database.

A person's details live in `Customer`, are never printed (`repr=False`) and never stored (design section 8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class StoreState(StrEnum):
    """The fixed set of states of an Adobe Commerce order (store contract section 3)."""

    NEW = "new"
    PENDING_PAYMENT = "pending_payment"
    PAYMENT_REVIEW = "payment_review"
    PROCESSING = "processing"
    COMPLETE = "complete"
    CLOSED = "closed"
    """Fully refunded, or nothing left."""
    CANCELED = "canceled"
    HOLDED = "holded"


class ProductKind(StrEnum):
    """What a line sells, as far as the front desk's next step depends on it."""

    PRODUCT = "product"
    SERVICE = "service"
    MEMBERSHIP = "membership"
    GIFT_CARD = "gift_card"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line that carries money: a row of the order without `parent_item_id`."""

    sku: str
    name: str
    quantity: Decimal
    product_type: str
    """Adobe's own word: simple, virtual, configurable, bundle, downloadable, giftcard, grouped."""
    row_total: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class OrderTotals:
    """The order's amounts in its currency, quantised to four decimals; a missing one is 0 (store contract section 3).

    `adds_up` compares the sum of the parts with `grand_total`: that rule lives in `eligibility`.
    """

    subtotal: Decimal
    discount: Decimal
    """Negative or 0."""
    shipping: Decimal
    tax: Decimal
    extras: Decimal
    """Gift wrap, custom fees and discount tax compensation."""
    gift_cards: Decimal
    store_credit: Decimal
    reward_points: Decimal
    grand_total: Decimal
    paid: Decimal
    refunded: Decimal
    refunded_offline: Decimal


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered, as the order itself says it; every personal field is left out of `repr`."""

    customer_id: int | None
    """The store's account, None for a guest."""
    is_guest: bool
    first: str | None = field(default=None, repr=False)
    last: str | None = field(default=None, repr=False)
    suffix: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tender:
    """How the order was paid outside the store's own balances; None on the order when the store has no payment row."""

    method: str
    card_type: str | None
    """Adobe's code: VI, MC, AE, DI."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the store showed it at one instant. All instants are UTC."""

    entity_id: int
    number: str
    store_id: int
    state: StoreState
    store_status: str
    """The shop's own label of the state; logged, never decided upon."""
    placed_at: datetime
    updated_at: datetime
    currency: str | None
    totals: OrderTotals
    lines: tuple[OrderLine, ...]
    customer: Customer
    tender: Tender | None
    original_number: str | None = None
    """Set on the `-1` successor of an order that was edited in the store's Admin."""
    replaced_by_id: int | None = None
    """Set on the order that an edit cancelled: the successor's entity id."""
    content_hash: str = ""
    """SHA-256 over the order without what changes by itself or by our own write-back (store contract section 4)."""


@dataclass(frozen=True, slots=True)
class OrderProblem:
    """An order that could not be read or understood: it becomes a case, and its batch goes on.

    `sentence` is for a person and holds no patient data. `entity_id` is always known: a poison order is found by
    halving the range of ids until one is left.
    """

    entity_id: int
    sentence: str
    number: str | None = None
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    store_id: int | None = None
    """The store view, where even that could be read."""
