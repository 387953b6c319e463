"""Money as integer cents: how an amount comes in, how it goes out, and which amounts are refused.

Knows no order and no rounding that could hide a difference: what is not a whole number of cents is an error.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_FOUR_DECIMALS = Decimal("0.0001")
_TWO_DECIMALS = Decimal("0.01")
_HIGHEST_EXPONENT = 15
"""Amounts of a quadrillion are no amounts; beyond this the arithmetic itself would raise."""


class AmountError(ValueError):
    """An amount that is no whole number of cents, or no number at all; the message does not repeat it."""


def is_amount(amount: Decimal) -> bool:
    """Say whether a number can be reckoned with: finite and below a quadrillion."""
    return amount.is_finite() and (amount.is_zero() or amount.adjusted() < _HIGHEST_EXPONENT)


def cents(amount: Decimal) -> int:
    """Return an amount in integer cents.

    The store keeps four decimals, and some hosts print 122.09999999999999 for 122.1 (store contract section 3), so the
    amount is first brought to four decimals, half up. What is then left beyond the second decimal is no noise:
    `AmountError`, as for a value that is not finite or absurdly large.
    """
    if not is_amount(amount):
        msg = "the amount is not a number that can be posted"
        raise AmountError(msg)
    four = amount.quantize(_FOUR_DECIMALS, rounding=ROUND_HALF_UP)
    two = four.quantize(_TWO_DECIMALS)
    if two != four:
        msg = "the amount has more than two decimals"
        raise AmountError(msg)
    return int(two.scaleb(2))


def exact_decimal(amount_cents: int) -> Decimal:
    """Return cents as an exact decimal with two places."""
    return Decimal(amount_cents).scaleb(-2)


def decimal_text(amount_cents: int) -> str:
    """Return cents as the text of a JSON number: "1234.50", never by way of a float (reliability R12)."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{whole}.{rest:02d}"


def format_money(amount_cents: int, currency: str = "USD") -> str:
    """Return cents as people read them: "$1,234.50", "-$3.00"; another currency stands before the amount by its code."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    unit = "$" if currency == "USD" else f"{currency} "
    return f"{sign}{unit}{whole:,}.{rest:02d}"
