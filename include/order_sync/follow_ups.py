"""What the front desk does next with an order, beyond the posting (design section 6, "next step per order")."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from order_sync.orders import Order, OrderLine, ProductKind
from order_sync.practices import Practice
from order_sync.reasons import POSTED_BY_HAND, Reason, next_step
from order_sync.statuses import OrderState


class FollowUp(StrEnum):
    """The front desk's next step; the value is what is stored."""

    CREATE_BILL = "create_bill"
    CREATE_BILL_OR_QUOTE = "create_bill_or_quote"
    CREATE_BILL_APPLY_BALANCE = "create_bill_apply_balance"
    """The store's gift card, credit or points paid a part or all of it: Nextech knows nothing of that part."""
    CREATE_BILL_OR_QUOTE_APPLY_BALANCE = "create_bill_or_quote_apply_balance"
    CREATE_BILL_KEEP_GIFT_CARD = "create_bill_keep_gift_card"
    """Products and a gift card were sold together."""
    CREATE_BILL_OR_QUOTE_KEEP_GIFT_CARD = "create_bill_or_quote_keep_gift_card"
    KEEP_GIFT_CARD = "keep_gift_card"
    """Only gift cards were sold: their credit is a liability, to be used in the store alone."""


_BILL, _QUOTE = "Create bill", "Create bill or quote (apply as pre-payment)"
_APPLY, _KEEP = "apply the gift card or credit by hand", "leave the credit of the gift card sold unapplied"

_SENTENCES = {
    FollowUp.CREATE_BILL: f"{_BILL}.",
    FollowUp.CREATE_BILL_OR_QUOTE: f"{_QUOTE}.",
    FollowUp.CREATE_BILL_APPLY_BALANCE: f"{_BILL}; {_APPLY}.",
    FollowUp.CREATE_BILL_OR_QUOTE_APPLY_BALANCE: f"{_QUOTE}; {_APPLY}.",
    FollowUp.CREATE_BILL_KEEP_GIFT_CARD: f"{_BILL}; {_KEEP}.",
    FollowUp.CREATE_BILL_OR_QUOTE_KEEP_GIFT_CARD: f"{_QUOTE}; {_KEEP}.",
    FollowUp.KEEP_GIFT_CARD: f"{_KEEP.capitalize()}.",
}


def kinds_sold(lines: Iterable[OrderLine], practice: Practice) -> frozenset[ProductKind]:
    """Return what the lines sell.

    A gift card by its product type, a membership and a service by the practice's SKU prefixes (case does not matter), a
    service also by the type `virtual`; everything else is a product (store contract section 3, `items[]`).
    """
    return frozenset(_kind(line, practice) for line in lines)


def follow_up(order: Order, practice: Practice) -> FollowUp:
    """Return the front desk's next step with an order.

    Services and memberships may become a quote, products alone a bill. A gift card sold is warned of before a balance
    that was used, because applying its credit gives the money away a second time.
    """
    kinds = kinds_sold(order.lines, practice)
    if kinds == {ProductKind.GIFT_CARD}:
        return FollowUp.KEEP_GIFT_CARD
    may_be_quoted = not kinds.isdisjoint({ProductKind.SERVICE, ProductKind.MEMBERSHIP})
    if ProductKind.GIFT_CARD in kinds:
        return FollowUp.CREATE_BILL_OR_QUOTE_KEEP_GIFT_CARD if may_be_quoted else FollowUp.CREATE_BILL_KEEP_GIFT_CARD
    if _is_balance_used(order):
        return FollowUp.CREATE_BILL_OR_QUOTE_APPLY_BALANCE if may_be_quoted else FollowUp.CREATE_BILL_APPLY_BALANCE
    return FollowUp.CREATE_BILL_OR_QUOTE if may_be_quoted else FollowUp.CREATE_BILL


def follow_up_sentence(step: FollowUp) -> str:
    """Return what the front desk reads."""
    return _SENTENCES[step]


def next_step_of(state: OrderState, reason: Reason | None, detail: str | None, step: FollowUp | None) -> str | None:
    """Return what is to be done about an order now, or None when it goes on by itself or is settled.

    What keeps an order from being posted comes first; once the payment stands in Nextech, the bill or the quote.
    """
    if state is OrderState.CLOSED and detail != POSTED_BY_HAND:
        return None
    if state in {OrderState.CONFIRMED, OrderState.CLOSED}:
        return follow_up_sentence(step) if step else None
    return next_step(reason) if reason else None


def _kind(line: OrderLine, practice: Practice) -> ProductKind:
    if line.product_type.casefold() == "giftcard":
        return ProductKind.GIFT_CARD
    if _has_prefix(line.sku, practice.membership_sku_prefixes):
        return ProductKind.MEMBERSHIP
    if line.product_type.casefold() == "virtual" or _has_prefix(line.sku, practice.service_sku_prefixes):
        return ProductKind.SERVICE
    return ProductKind.PRODUCT


def _has_prefix(sku: str, prefixes: tuple[str, ...]) -> bool:
    return sku.casefold().startswith(tuple(prefix.casefold() for prefix in prefixes if prefix))


def _is_balance_used(order: Order) -> bool:
    totals = order.totals
    return any(amount > 0 for amount in (totals.gift_cards, totals.store_credit, totals.reward_points))
