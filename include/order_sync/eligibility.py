"""Whether an order's money is due in Nextech now, later, never, or only after a person has looked (design section 6).

A list of rules, read from the top; the first one that speaks decides. Money that may have been taken is never dismissed
on the strength of a state alone: where state and amounts contradict each other, a person looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

from order_sync.money import AmountError, cents, is_amount
from order_sync.orders import Order, OrderTotals, StoreState
from order_sync.practices import Practice
from order_sync.reasons import Reason

TOLERANCE_PER_LINE = Decimal("0.01")
"""How far totals may be apart for each line by the store's own rounding (store contract section 3 and quirk 12643)."""


@dataclass(frozen=True, slots=True)
class Due:
    """To be posted."""

    amount_cents: int
    business_day: date
    """The practice-local day on which the order was placed."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Not due yet; the store's own next news will tell."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NothingToPost:
    """No money is owed to Nextech."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """It would be a guess."""

    reason: Reason
    detail: str | None = None
    """From a closed vocabulary, without patient data."""


@dataclass(frozen=True, slots=True)
class Inactive:
    """The integration was off when the order was placed: shown as Disabled, never posted."""

    reason: Reason = Reason.INTEGRATION_INACTIVE


Eligibility = Due | Waits | NothingToPost | NeedsPerson | Inactive


def decide_due(order: Order, practice: Practice, *, released: Collection[Reason] = ()) -> Eligibility:
    """Decide what is to happen with an order's money; every order, in every state, gets an answer.

    Amounts that cannot be reckoned with, a foreign currency or a negative total never become right by waiting and go to a
    person at once. A missing payment row or totals that disagree go to a person only when the order is otherwise due:
    until then the store may still complete them. What a person has `released` is passed over, and nothing else: an
    edited order that was released is not posted before it is paid.
    """
    for rule in _RULES:
        decision = rule(order, practice)
        if decision is not None and not (isinstance(decision, NeedsPerson) and decision.reason in released):
            return decision
    return Due(cents(order.totals.grand_total), practice.business_day(order.placed_at))


def adds_up(order: Order) -> bool:
    """Say whether the parts of the total come to the grand total, within one cent for each line.

    Gift cards, store credit and points are already taken off the grand total (store contract section 3); shops have been
    seen that leave them out of the answer, and then this is the only sign of it.
    """
    totals = order.totals
    charged = totals.subtotal + totals.discount + totals.shipping + totals.tax + totals.extras
    balances = totals.gift_cards + totals.store_credit + totals.reward_points
    return abs(charged - balances - totals.grand_total) <= _tolerance(order)


def _tolerance(order: Order) -> Decimal:
    return TOLERANCE_PER_LINE * max(1, len(order.lines))


def _is_money_left(totals: OrderTotals) -> bool:
    """Say whether the store took money and has not given all of it back."""
    return totals.paid > totals.refunded


def _when_inactive(order: Order, practice: Practice) -> Eligibility | None:
    """Leave alone what was ordered while the integration was off, whatever became of it."""
    return None if practice.is_active_at(order.placed_at) else Inactive()


def _when_unreckonable(order: Order, _: Practice) -> Eligibility | None:
    """Stop before arithmetic that would be meaningless: no number, or an absurd one."""
    amounts = (getattr(order.totals, part.name) for part in fields(order.totals))
    return None if all(is_amount(amount) for amount in amounts) else NeedsPerson(Reason.AMOUNT_INVALID, "not a number")


def _when_cancelled(order: Order, _: Practice) -> Eligibility | None:
    """Post nothing for a cancelled order, be it the one that an edit replaced or the edit's own.

    The store cancels before it invoices (store contract section 3), so captured money that was not returned contradicts
    the state: unless an edit replaced the order, a person looks, lest money vanish.
    """
    if order.state is not StoreState.CANCELED:
        return None
    if _is_money_left(order.totals) and order.replaced_by_id is None:
        return NeedsPerson(Reason.TOTALS_DISAGREE, "cancelled, but paid and not refunded")
    return NothingToPost(Reason.CANCELLED)


def _when_refunded(order: Order, _: Practice) -> Eligibility | None:
    """Post nothing when all the money went back before we posted it; a part that stayed contradicts the state *closed*."""
    is_all_back = order.totals.paid > 0 and not _is_money_left(order.totals)
    if order.state is StoreState.CLOSED and _is_money_left(order.totals):
        return NeedsPerson(Reason.TOTALS_DISAGREE, "closed, but not fully refunded")
    return NothingToPost(Reason.REFUNDED_BEFORE_POSTING) if is_all_back or order.state is StoreState.CLOSED else None


def _when_edited(order: Order, _: Practice) -> Eligibility | None:
    """Let a person compare an edit with the order that it replaces: both are in the store, and a machine books both."""
    if order.original_number is not None:
        return NeedsPerson(Reason.EDITED_ORDER, "replaces an older order")
    if order.replaced_by_id is not None:
        return NeedsPerson(Reason.EDITED_ORDER, "replaced by a newer order, but not cancelled")
    return None


def _when_currency_unknown(order: Order, practice: Practice) -> Eligibility | None:
    """Never post an amount in another currency than the practice's, or in none."""
    if order.currency == practice.currency:
        return None
    is_code = order.currency is not None and re.fullmatch("[A-Z]{3}", order.currency)
    return NeedsPerson(Reason.CURRENCY_UNKNOWN, order.currency if is_code else None)


def _when_amount_invalid(order: Order, _: Practice) -> Eligibility | None:
    """Refuse what Nextech cannot book: below zero, or more than two decimals (Nextech contract section 5 #21)."""
    if order.totals.grand_total < 0 or order.totals.paid < 0:
        return NeedsPerson(Reason.AMOUNT_INVALID, "below zero")
    try:
        cents(order.totals.grand_total)
    except AmountError:
        return NeedsPerson(Reason.AMOUNT_INVALID, "more than two decimals")
    return None


def _when_held(order: Order, _: Practice) -> Eligibility | None:
    """Wait while the shop itself has doubts."""
    if order.state is StoreState.HOLDED:
        return Waits(Reason.ON_HOLD)
    return Waits(Reason.UNDER_REVIEW) if order.state is StoreState.PAYMENT_REVIEW else None


def _when_amount_zero(order: Order, _: Practice) -> Eligibility | None:
    """Post nothing when gift cards, credit or points paid for everything, provided that they account for it."""
    if order.totals.grand_total != 0 or not adds_up(order):
        return None
    return NothingToPost(Reason.AMOUNT_ZERO)


def _when_not_paid(order: Order, _: Practice) -> Eligibility | None:
    """Wait until all of it is captured: one posting per order."""
    if order.totals.paid >= order.totals.grand_total:
        return None
    return Waits(Reason.NOT_PAID if order.totals.paid == 0 else Reason.PARTLY_PAID)


def _when_payment_missing(order: Order, _: Practice) -> Eligibility | None:
    """Ask when the store says paid but does not say how: migrated orders lose their payment row."""
    is_missing = order.tender is None and order.totals.grand_total != 0
    return NeedsPerson(Reason.PAYMENT_MISSING) if is_missing else None


def _when_totals_disagree(order: Order, _: Practice) -> Eligibility | None:
    """Ask when the parts do not make the total, or more was taken than it: the captured amount is then not known."""
    if not adds_up(order):
        return NeedsPerson(Reason.TOTALS_DISAGREE)
    if order.totals.paid - order.totals.grand_total > _tolerance(order):
        return NeedsPerson(Reason.TOTALS_DISAGREE, "more was paid than the total")
    return None


def _when_above_limit(order: Order, practice: Practice) -> Eligibility | None:
    """Ask above the practice's ceiling; the ceiling itself is still posted."""
    return NeedsPerson(Reason.AMOUNT_LIMIT) if order.totals.grand_total > practice.posting.amount_limit else None


_RULES: tuple[Callable[[Order, Practice], Eligibility | None], ...] = (
    _when_inactive,
    _when_unreckonable,
    _when_cancelled,
    _when_refunded,
    _when_edited,
    _when_currency_unknown,
    _when_amount_invalid,
    _when_held,
    _when_amount_zero,
    _when_not_paid,
    _when_payment_missing,
    _when_totals_disagree,
    _when_above_limit,
)
