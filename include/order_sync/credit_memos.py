"""The store's credit memos: how much was given back for an order, when, and whether money moved through the gateway.

No person's details: a memo is about an order, amounts and pieces (store contract section 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from order_sync.orders import OrderTotals


class MemoState(IntEnum):
    """The states of a credit memo (store contract section 5)."""

    OPEN = 1
    """Written, but nothing was given back yet."""
    REFUNDED = 2
    CANCELED = 3


@dataclass(frozen=True, slots=True)
class MemoLine:
    """One piece that was taken back; rows of a configurable's or bundle's children carry no money."""

    sku: str
    quantity: Decimal
    row_total: Decimal


@dataclass(frozen=True, slots=True)
class CreditMemo:
    """One credit memo as the store shows it now. Instants are UTC; amounts have four decimals and are never below zero."""

    memo_id: int
    number: str
    """Has a counter of its own and may read like an order's (store contract section 3)."""
    entity_id: int
    """The order's."""
    store_id: int | None
    state: MemoState
    created_at: datetime
    updated_at: datetime
    grand_total: Decimal
    """What was given back, without what went back onto gift cards and store credit."""
    has_transaction: bool
    """Whether the gateway's own refund is named; a memo without one was made offline."""
    gift_cards: Decimal = Decimal(0)
    """Given back onto gift cards."""
    store_credit: Decimal = Decimal(0)
    """Given back as store credit."""
    adjustment: Decimal = Decimal(0)
    """Added or taken off by hand: the whole of a memo without lines."""
    lines: tuple[MemoLine, ...] = ()

    @property
    def is_refunded(self) -> bool:
        """Say whether it counts: an open memo has moved nothing yet, a cancelled one never will."""
        return self.state is MemoState.REFUNDED

    @property
    def is_adjustment_only(self) -> bool:
        """Say whether it takes nothing back but money."""
        return not self.lines


@dataclass(frozen=True, slots=True)
class MemoProblem:
    """A credit memo that could not be read or understood; `sentence` is for a person and holds no patient data."""

    sentence: str
    memo_id: int | None = None
    entity_id: int | None = None
    """The order's, where even that is known."""


def offline_ids(memos: Iterable[CreditMemo], totals: OrderTotals) -> frozenset[int]:
    """Return the memos of one order that were made offline: no money moved through the gateway.

    A memo that names no transaction is offline, unless the order's own sums say otherwise: some payment methods give
    the money back and leave the transaction out. The sums are believed only when they are about these memos, because
    a memo and its order may be seen at different moments (store contract section 5), and when they leave no choice.
    """
    refunded = [memo for memo in memos if memo.is_refunded]
    unnamed = frozenset(memo.memo_id for memo in refunded if not memo.has_transaction)
    if sum((memo.grand_total for memo in refunded), Decimal(0)) != totals.refunded:
        return unnamed
    if totals.refunded_offline == 0:
        return frozenset()
    if totals.refunded_offline == totals.refunded:
        return frozenset(memo.memo_id for memo in refunded)
    return unnamed
