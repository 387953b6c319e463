"""What both sides and the ledger say of each order: one row per order, in whole cents, over all days and within a period."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.frames import DAY, TEXT, Facts
from order_sync.reconciliation.links import belongs_to_an_order, select_counted
from order_sync.reconciliation.periods import Period


def is_within(days: pd.Series, period: Period) -> pd.Series[bool]:
    """Say of each day whether it is in the period; a day that is not known is not."""
    return days.between(pd.Timestamp(period.first_day), pd.Timestamp(period.last_day))


def weigh_orders(facts: Facts, linked: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return one row per order, in the order of their entity ids, which are the index and a column.

    Beside the columns of the store and, prefixed with `ledger_`, of the ledger: `is_placed_in`, and per group of facts (`memo`:
    credit memos, `paid`: active payments, `back`: active refunds, `void`: payments that no longer count) sums, days and
    payment ids. Names that end in `_in` speak of the period alone; a day is the period's first, else the first at all.
    """
    orders = facts.orders.set_index("entity_id", drop=False).rename_axis(None).sort_index().astype({"placed_day": DAY})
    orders["is_placed_in"] = is_within(orders["placed_day"], period)
    orders = orders.join(_ledger_columns(facts.ledger), how="left", validate="one_to_one")
    orders["ledger_is_known"] = orders["ledger_state"].notna()
    orders["ledger_is_patient_known"] = orders["ledger_is_patient_known"].eq(False).eq(False)  # nobody asked: still there

    counted = select_counted(linked)
    counted = _with_order(counted[belongs_to_an_order(counted)])
    voided = linked[linked["is_ours"] & linked["is_order_read"] & (linked["status"] != "active") & (linked["amount_cents"] > 0)]
    groups = (
        _sum_memos(facts.memos, period),
        _sum_payments(counted[counted["amount_cents"] >= 0], orders, period),
        _sum_entries(counted[counted["amount_cents"] < 0], "back", period),
        _sum_entries(_with_order(voided), "void", period),
    )
    for group in groups:
        orders = orders.join(group, how="left", validate="one_to_one")
    amounts = [name for group in groups for name in group.columns if name.endswith(("_cents", "_count", "_in"))]
    return orders.fillna(dict.fromkeys(amounts, 0)).astype(dict.fromkeys(amounts, "int64"))


def _ledger_columns(ledger: pd.DataFrame) -> pd.DataFrame:
    return ledger.drop(columns=["marker", "payment_id"]).set_index("entity_id").add_prefix("ledger_")


def _with_order(entries: pd.DataFrame) -> pd.DataFrame:
    return entries[["entity_id", "payment_id", "patient_id", "amount_cents", "paid_day"]].astype(
        {"entity_id": "int64", "paid_day": DAY}
    )


def _sum_memos(memos: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Sum what went back, per order; its first instant is that of the first memo that moved money, or said so."""
    moved = memos[(memos["gateway_cents"] > 0) | (memos["offline_cents"] > 0)]
    is_in = is_within(moved["created_day"], period)
    columns = pd.DataFrame(
        {
            "entity_id": moved["entity_id"],
            "memo_cents": moved["gateway_cents"],
            "memo_offline_cents": moved["offline_cents"],
            "memo_cents_in": moved["gateway_cents"].where(is_in, 0),
            "memo_count_in": is_in.astype("int64"),
            "memo_at": moved["created_at"],
            "memo_day": moved["created_day"].astype(DAY),
            "memo_day_of_period": moved["created_day"].astype(DAY).where(is_in),
        }
    )
    return _sum_or_first(columns, first=["memo_at", "memo_day", "memo_day_of_period"])


def _sum_payments(payments: pd.DataFrame, orders: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Sum what was posted, per order, and count the payments that equal the order or hang on another patient than decided."""
    decided = orders[["expected_cents", "ledger_patient_id"]]
    payments = payments.set_index("entity_id").join(decided, how="left", validate="many_to_one").reset_index()
    is_payment = payments["amount_cents"] > 0
    is_equal = is_payment & (payments["amount_cents"] == payments["expected_cents"])
    is_elsewhere = payments["ledger_patient_id"].notna() & (payments["patient_id"] != payments["ledger_patient_id"])
    return _sum_entries(
        payments,
        "paid",
        period,
        paid_count=is_payment.astype("int64"),
        paid_equal_count=is_equal.astype("int64"),
        paid_elsewhere_count=(is_payment & is_elsewhere).astype("int64"),
    )


def _sum_entries(entries: pd.DataFrame, name: str, period: Period, **counts: pd.Series) -> pd.DataFrame:
    is_in = is_within(entries["paid_day"], period)
    day = entries["paid_day"].where(entries["amount_cents"] != 0)  # an entry of 0.00 is listed, and dates no money
    columns = pd.DataFrame(
        {
            "entity_id": entries["entity_id"],
            f"{name}_cents": entries["amount_cents"].abs(),
            f"{name}_cents_in": entries["amount_cents"].abs().where(is_in, 0),
            f"{name}_count_in": is_in.astype("int64"),
            f"{name}_day": day,
            f"{name}_day_of_period": day.where(is_in),
            **counts,
        }
    )
    sums = _sum_or_first(columns, first=[f"{name}_day", f"{name}_day_of_period"])
    return sums.join(_list_payments(entries, name), how="left", validate="one_to_one")


def _sum_or_first(columns: pd.DataFrame, *, first: list[str]) -> pd.DataFrame:
    """Return per order the sum of each column, or its first instant or day; a day of the period goes before any other."""
    groups = columns.groupby("entity_id")
    sums: pd.DataFrame = (
        groups[[name for name in columns.columns if name not in {"entity_id", *first}]].sum().join(groups[first].min())
    )
    day, day_of_period = first[-2:]
    sums[day] = sums[day_of_period].fillna(sums[day])
    return sums.drop(columns=day_of_period)


def _list_payments(entries: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the payment ids of each order, separated by a blank, the smallest number first."""
    column = f"{name}_payment_ids"
    is_one_of_several = entries.duplicated("entity_id", keep=False)
    single = entries.loc[~is_one_of_several].set_index("entity_id")["payment_id"]
    several = entries[is_one_of_several]
    several = several.assign(digits=several["payment_id"].str.len()).sort_values(["entity_id", "digits", "payment_id"])
    joined = several.groupby("entity_id")["payment_id"].agg(" ".join).astype(TEXT)
    payment_ids: pd.Series = pd.concat([single, joined])
    return payment_ids.to_frame(column)
