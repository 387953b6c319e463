"""Entries of Nextech that no order explains: on no patient, of no order in the store, or entered by hand (first table)."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.classes import DifferenceClass, Section
from order_sync.reconciliation.first_rule import choose_first
from order_sync.reconciliation.frames import DAY, Facts
from order_sync.reconciliation.lines import make_lines
from order_sync.reconciliation.links import belongs_to_an_order, select_counted
from order_sync.reconciliation.orders_posted import has_money
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.positions import is_within

FOREIGN_MARKER = "carries the marker of no order of this store"
ORDER_NOT_SHOWN = "the store did not show its order"
_DAYS_APART = (-1, 0, 1)


def list_entries(facts: Facts, linked: pd.DataFrame, orders: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return the lines of the period's entries whose amount is compared with no order.

    An orphan is proved: the store was asked for the order by its number. An entry that names an order which nobody could ask
    for is only unlinked. A suggestion is never more than that.

    A number that only a note says is not repeated: the note was typed by somebody, and "#3055550142" is a telephone (design
    section 8). It is repeated where the store or the ledger has an order of that number.
    """
    counted = select_counted(linked)
    alone = counted[~belongs_to_an_order(counted) & is_within(counted["paid_day"], period)]
    alone = alone.sort_values("payment_id", ignore_index=True)
    classes = _classify(alone, facts.numbers_not_in_store)
    is_foreign = alone["entity_id"].isna() & alone["marker"].notna()
    is_unshown = alone["entity_id"].notna() & ~alone["is_order_read"]
    is_unlinked = classes == DifferenceClass.UNLINKED
    return make_lines(
        subject="entry:" + alone["payment_id"],
        section=Section.ENTRY,
        class_=classes,
        entity_id=alone["entity_id"],
        number=alone["number"].where(alone["entity_id"].notna() | alone["number"].isin(orders["number"])),
        payment_ids=alone["payment_id"],
        nextech_day=alone["paid_day"].astype(DAY),
        nextech_cents=alone["amount_cents"],
        at_stake_cents=alone["amount_cents"].abs(),
        since=alone["created_at"].fillna(alone["paid_day"].dt.tz_localize("UTC")),
        detail=pd.Series(FOREIGN_MARKER, alone.index).where(is_foreign).mask(is_unshown, ORDER_NOT_SHOWN),
        suggestion=_suggest(alone, orders).where(is_unlinked),
        marker=alone["marker"],
    )


def _classify(alone: pd.DataFrame, numbers_not_in_store: frozenset[str]) -> pd.Series:
    rules = (
        (DifferenceClass.UNATTACHED, alone["patient_id"].isna()),
        (DifferenceClass.ORPHAN, ~alone["is_order_read"] & alone["number"].isin(numbers_not_in_store)),
    )
    return choose_first(rules, alone.index).fillna(DifferenceClass.UNLINKED.value)


def _suggest(alone: pd.DataFrame, orders: pd.DataFrame) -> pd.Series:
    """Return the one order that might fit each entry; null where none does, or several do.

    The order that a foreign marker's note names; else one without money of the same amount, placed within a day; for a
    refund, one whose credit memo is not recorded yet.
    """
    open_orders = orders[~has_money(orders) & (orders["expected_cents"] > 0)]
    open_refunds = orders[(orders["memo_cents"] > 0) & (orders["back_cents"] == 0)]
    candidates = pd.concat(
        [
            _candidates(open_orders["expected_cents"], open_orders["placed_day"], open_orders["number"]),
            _candidates(-open_refunds["memo_cents"], open_refunds["memo_day"], open_refunds["number"]),
        ]
    )
    candidates = candidates[candidates["amount_cents"].isin(alone["amount_cents"])].sort_values("number")
    nearby = candidates.groupby(["amount_cents", "paid_day"])["number"].agg(["size", "first"])
    day = alone["paid_day"].astype(DAY)
    near = pd.concat([alone[["amount_cents"]].assign(paid_day=day + pd.Timedelta(days=apart)) for apart in _DAYS_APART])
    fits = near.reset_index(names="row").merge(
        nearby, left_on=["amount_cents", "paid_day"], right_index=True, how="inner", validate="many_to_one"
    )
    by_row = fits.groupby("row").agg({"size": "sum", "first": "first"})
    by_amount = by_row["first"].where(by_row["size"] == 1).reindex(alone.index)
    is_named = alone["entity_id"].isna() & alone["number"].isin(orders.loc[orders["number"].isin(alone["number"]), "number"])
    return alone["number"].where(is_named).fillna(by_amount)


def _candidates(amounts: pd.Series, days: pd.Series, numbers: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"amount_cents": amounts, "paid_day": days.astype(DAY), "number": numbers})
