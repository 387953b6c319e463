"""What each day of a period says on both sides, straight from the facts."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.frames import DAY, Facts
from order_sync.reconciliation.links import ACTIVE
from order_sync.reconciliation.periods import Period


def count_entries(facts: Facts) -> pd.Series[bool]:
    """Say of each entry whether it counts: it is active, and known to the ledger, of our marker or of our category.

    Reckoned apart from `links`, so that a proof does not rest on what it is to prove.
    """
    entries = facts.entries
    known = facts.ledger["payment_id"].dropna()
    is_known = entries["payment_id"].isin(known) | entries["payment_id"].isin(list(facts.recorded_refunds))
    is_ours = is_known | entries["marker"].notna() | entries["is_our_category"]
    return is_ours & (entries["status"] == ACTIVE)


def total_by_day(facts: Facts, counted: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return `captured`, `returned`, `posted` and `recorded` cents for each day of the period, days without any included.

    Captured counts by the day placed, returned by the credit memo's day, posted and recorded by the payment's day;
    `counted` are the entries that count.
    """
    is_back = counted["amount_cents"] < 0
    paid, back = counted[~is_back], counted[is_back]
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
