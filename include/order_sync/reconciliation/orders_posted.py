"""In which class an order with Nextech money is, or one whose payment was voided there (reconciliation, second table)."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.first_rule import Rule, choose_first
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.positions import is_within
from order_sync.statuses import OrderState

SEVERAL = 2


def has_money(orders: pd.DataFrame) -> pd.Series[bool]:
    """Say of each order whether an active payment of Nextech belongs to it."""
    return orders["paid_count"] > 0


def is_refunded_in_full(orders: pd.DataFrame) -> pd.Series[bool]:
    """Say of each order whether all that was captured went back through the gateway."""
    return (orders["expected_cents"] > 0) & (orders["memo_cents"] >= orders["expected_cents"])


def classify_posted(orders: pd.DataFrame, period: Period, *, tolerance_cents: int) -> pd.Series:
    """Return the class of each order with Nextech money, and of each whose payment was voided; null for the others."""
    rules = (
        *_about_patients_and_doubles(orders),
        *_about_voids(orders),
        *_about_amounts_and_days(orders, period, tolerance_cents),
    )
    return choose_first(rules, orders.index)


def _about_patients_and_doubles(orders: pd.DataFrame) -> tuple[Rule, ...]:
    is_agreed = has_money(orders) & (orders["paid_cents"] == orders["expected_cents"])
    is_elsewhere = is_agreed & (orders["paid_elsewhere_count"] > 0)
    return (
        (DifferenceClass.DUPLICATE_POSTING, orders["paid_equal_count"] >= SEVERAL),
        (DifferenceClass.PATIENT_MERGED, is_elsewhere & ~orders["ledger_is_patient_known"]),
        (DifferenceClass.WRONG_PATIENT, is_elsewhere),
    )


def _about_voids(orders: pd.DataFrame) -> tuple[Rule, ...]:
    """Tell a void from a posting that was never there: the ledger says posted, and the pair is cancelled.

    An order that waits to be posted again after its void is not meant: its state says so.
    """
    state = orders["ledger_state"]
    was_posted = (state == OrderState.CONFIRMED) | ((state == OrderState.QUEUED) & orders["ledger_posted_at"].notna())
    is_void_known = state == OrderState.CLOSED_VOIDED
    is_pair_seen = was_posted & (orders["void_cents"] > 0)
    is_void = ~has_money(orders) & (orders["expected_cents"] > 0) & (is_void_known | is_pair_seen)
    return (
        (DifferenceClass.VOIDED_AS_REFUND, is_void & is_refunded_in_full(orders) & (orders["back_cents"] == 0)),
        (DifferenceClass.VOIDED, is_void),
    )


def _about_amounts_and_days(orders: pd.DataFrame, period: Period, tolerance_cents: int) -> tuple[Rule, ...]:
    has = has_money(orders)
    missing_cents = orders["expected_cents"] - orders["paid_cents"]
    is_several = has & (orders["paid_count"] >= SEVERAL)
    is_apart = has & (missing_cents.abs() > tolerance_cents)
    is_paid_in = is_within(orders["paid_day"], period)
    return (
        (DifferenceClass.POSTED_BUT_NOT_DUE, has & _is_not_due(orders)),
        (DifferenceClass.SPLIT, is_several & (missing_cents == 0)),
        (DifferenceClass.SPLIT_INCOMPLETE, is_several & (missing_cents > 0)),
        (DifferenceClass.OVER, is_apart & (missing_cents < 0)),
        (DifferenceClass.SHORT, is_apart),
        (DifferenceClass.WITHIN_TOLERANCE, has & (missing_cents != 0)),
        (DifferenceClass.CUTOFF, has & (orders["is_placed_in"] != is_paid_in)),
        (DifferenceClass.DATE_SHIFTED, has & (orders["placed_day"] != orders["paid_day"])),
        (DifferenceClass.MATCHED, has),
    )


def _is_not_due(orders: pd.DataFrame) -> pd.Series[bool]:
    """Say whether nothing should have been posted: Disabled, cancelled, never captured, or on hold when it was posted.

    An order that was captured or released, posted, and held afterwards was due when it was posted.
    """
    was_due_when_posted = orders["ledger_due_since"] <= orders["ledger_posted_at"]
    is_cancelled = (orders["eligibility"] == "nothing") & (orders["reason"] == "cancelled")
    is_held = orders["is_held"] & ~was_due_when_posted
    return (orders["eligibility"] == "inactive") | is_cancelled | (orders["expected_cents"] == 0) | is_held
