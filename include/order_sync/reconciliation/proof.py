"""What must be true of a report before it leaves, reckoned anew from the facts and not from the lines' own way of counting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from order_sync.errors import ReconciliationError
from order_sync.reconciliation.classes import DifferenceClass, Section
from order_sync.reconciliation.daily_totals import count_entries, total_by_day
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period


def prove(lines: pd.DataFrame, facts: Facts, linked: pd.DataFrame, period: Period, *, practice_id: str) -> None:
    """Assert that the lines are a partition of the period, that no cent is lost, and that the days add up to it.

    Raises `ReconciliationError` naming the practice, the period, the rule and the sums.
    """
    report = f"{practice_id} {period.name}"
    counts = count_entries(facts)
    counts_in = counts & _within(facts.entries["paid_day"], period)
    placed = facts.orders.loc[_within(facts.orders["placed_day"], period), "entity_id"]
    _prove_partition(report, lines, linked, placed, counts_in.to_numpy())
    store_cents = _money_of_store(facts, period)
    nextech_cents = int(facts.entries.loc[counts_in, "amount_cents"].sum())
    _prove_sum(report, "store side", int(lines["store_cents"].sum()), store_cents)
    _prove_sum(report, "Nextech side", int(lines["nextech_cents"].sum()), nextech_cents)
    _prove_sum(report, "explained variance", int(lines["explains_cents"].sum()), store_cents - nextech_cents)
    days = total_by_day(facts, facts.entries[counts], period).sum()
    _prove_sum(report, "store side by day", int(days["captured"] - days["returned"]), store_cents)
    _prove_sum(report, "Nextech side by day", int(days["posted"] - days["recorded"]), nextech_cents)
    _prove_halves(lines, report)


def _prove_sum(report: str, rule: str, found_cents: int, expected_cents: int) -> None:
    if found_cents != expected_cents:
        msg = f"{report}: {rule}: the lines say {found_cents} cents, the facts {expected_cents}"
        raise ReconciliationError(msg)


def _prove_partition(
    report: str, lines: pd.DataFrame, linked: pd.DataFrame, placed: pd.Series, counts_in: NDArray[np.bool_]
) -> None:
    """Count every order and every entry of the period in exactly one line of its kind."""
    is_entry, is_refund = lines["section"] == Section.ENTRY.name, lines["section"] == Section.REFUND.name
    own = lines.loc[~is_entry & ~is_refund, "entity_id"]
    refunds = lines.loc[is_refund, "entity_id"]
    alone = lines.loc[is_entry, "payment_ids"]
    rest = linked[counts_in & ~linked["payment_id"].isin(alone)]
    paid, back = rest[rest["amount_cents"] >= 0], rest[rest["amount_cents"] < 0]
    lineless = int((~placed.isin(own)).sum() + (~paid["entity_id"].isin(own)).sum() + (~back["entity_id"].isin(refunds)).sum())
    doubled = int(own.duplicated().sum() + refunds.duplicated().sum() + alone.duplicated().sum())
    astray = int(counts_in.sum()) - len(rest) - len(alone)
    if lineless or doubled or astray or lines["class_"].isna().any():
        msg = f"{report}: partition: {lineless} without a line, {doubled} in two, {astray} entries astray"
        raise ReconciliationError(msg)


def _prove_halves(lines: pd.DataFrame, report: str) -> None:
    """Hold every cutoff to being one whole half: the order on this side of the edge, its payment on the other."""
    halves = lines[lines["class_"] == DifferenceClass.CUTOFF]
    is_half = (halves["store_cents"] == 0) ^ (halves["nextech_cents"] == 0)
    is_whole = halves["explains_cents"].abs() == halves["at_stake_cents"]
    broken = int((~(is_half & is_whole)).sum())
    if broken:
        msg = f"{report}: cutoff: {broken} of {len(halves)} are no whole half"
        raise ReconciliationError(msg)


def _within(days: pd.Series, period: Period) -> pd.Series[bool]:
    return (days >= pd.Timestamp(period.first_day)) & (days <= pd.Timestamp(period.last_day))


def _money_of_store(facts: Facts, period: Period) -> int:
    captured = facts.orders.loc[_within(facts.orders["placed_day"], period), "expected_cents"]
    returned = facts.memos.loc[_within(facts.memos["created_day"], period), "gateway_cents"]
    return int(captured.sum() - returned.sum())
