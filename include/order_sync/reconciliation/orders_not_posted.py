"""In which class an order without Nextech money is (reconciliation, third table)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from order_sync.reasons import Reason
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.first_rule import choose_first
from order_sync.statuses import PublicStatus

_NOT_DUE = [Reason.CANCELLED.value, Reason.REFUNDED_BEFORE_POSTING.value]


def classify_not_posted(orders: pd.DataFrame, *, as_of: datetime, in_flight: timedelta) -> pd.Series:
    """Return the class of each order as if Nextech had nothing for it; `as_of` is when both sides were read.

    What the store says comes first. What the ledger says decides only about money that is due, or that a person has to
    look at: it may be late, wrong or lost.
    """
    eligibility, is_known = orders["eligibility"], orders["ledger_is_known"]
    public = orders["ledger_public_status"]
    has_captured = orders["expected_cents"] > 0
    waits, nothing = eligibility == "waits", eligibility == "nothing"
    is_recent = due_since(orders) + in_flight >= pd.Timestamp(as_of)
    is_waiting = ~is_known | (public == PublicStatus.WAITING)
    rules = (
        (DifferenceClass.NOT_DUE, (waits & ~has_captured) | (nothing & orders["reason"].isin(_NOT_DUE))),
        (DifferenceClass.PARTLY_PAID, waits & orders["is_partly_paid"]),
        (DifferenceClass.NOTHING_TO_POST, nothing & ~has_captured),
        (DifferenceClass.DISABLED, eligibility == "inactive"),
        (DifferenceClass.ON_HOLD, waits),
        # From here on the order is due, or a person has to look at it.
        (DifferenceClass.NOT_DUE, ~has_captured & (public != PublicStatus.NOT_SYNCED)),
        (DifferenceClass.NEVER_SEEN, ~is_known & ~is_recent),
        (DifferenceClass.DISABLED, public == PublicStatus.DISABLED),
        (DifferenceClass.IN_FLIGHT, is_waiting & is_recent),
        (DifferenceClass.OVERDUE, is_waiting),
        (DifferenceClass.LOST_POSTING, public == PublicStatus.SYNCED),
    )
    return choose_first(rules, orders.index).fillna(DifferenceClass.NEEDS_A_PERSON.value)


def due_since(orders: pd.DataFrame) -> pd.Series:
    """Return since when each order is due: its last capture or release as the ledger saw it, else when it was placed."""
    return orders["ledger_due_since"].fillna(orders["placed_at"])
