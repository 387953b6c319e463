"""What each day of a period says on both sides, straight from the facts."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.frames import DAY, Facts
from order_sync.reconciliation.links import ACTIVE
from order_sync.reconciliation.periods import Period


def is_ours(facts: Facts, entries: pd.DataFrame) -> pd.Series[bool]:
    """Say of each entry whether the ledger knows it, it carries a marker of ours, or it is of our category.

    Reckoned apart from `links`, so that a proof does not rest on what it is to prove.
    """
    known = facts.ledger["payment_id"].dropna()
    is_known = entries["payment_id"].isin(known) | entries["payment_id"].isin(list(facts.recorded_refunds))
    return is_known | entries["marker"].notna() | entries["is_our_category"]


def total_by_day(facts: Facts, period: Period) -> pd.DataFrame:
    """Return `captured`, `returned`, `posted` and `recorded` cents for each day of the period, days without any included.

    Captured counts by the day placed, returned by the credit memo's day, posted and recorded by the payment's day.
    """
    entries = facts.entries[is_ours(facts, facts.entries) & (facts.entries["status"] == ACTIVE)]
    is_back = entries["amount_cents"] < 0
    paid, back = entries[~is_back], entries[is_back]
    sums = {
        "captured": _sum(facts.orders["expected_cents"], facts.orders["placed_day"]),
        "returned": _sum(facts.memos["gateway_cents"], facts.memos["created_day"]),
        "posted": _sum(paid["amount_cents"], paid["paid_day"]),
        "recorded": -_sum(back["amount_cents"], back["paid_day"]),
    }
    days = pd.DatetimeIndex(pd.Series(list(period.days)).astype(DAY), name="day")
    return pd.DataFrame({name: cents.reindex(days, fill_value=0) for name, cents in sums.items()}, index=days)


def _sum(cents: pd.Series, days: pd.Series) -> pd.Series:
    return cents.groupby(days.astype(DAY)).sum()
