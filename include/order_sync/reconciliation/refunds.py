"""In which class an order's refunds are: the second pass over the same orders (reconciliation, fourth table)."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.first_rule import choose_first

_WITHOUT_DEBT = [DifferenceClass.NOT_DUE.value, DifferenceClass.DISABLED.value, DifferenceClass.VOIDED_AS_REFUND.value]


def owes_nothing(orders: pd.DataFrame, classes: pd.Series) -> pd.Series[bool]:
    """Say of each order whether its refund is settled by its class: nothing stands in Nextech, and nothing will.

    The order's own line then carries what was captured and what was returned; nobody is asked to record a refund of a
    payment that is not there.
    """
    return classes.isin(_WITHOUT_DEBT) & (orders["back_cents"] == 0)


def classify_refunds(orders: pd.DataFrame, is_settled: pd.Series[bool]) -> pd.Series:
    """Return the class of each order's refunds; null for an order without any, or settled by its own class."""
    returned, recorded = orders["memo_cents"].where(~is_settled, 0), orders["back_cents"]
    rules = (
        (DifferenceClass.REFUND_TO_RECORD, (returned > 0) & (recorded == 0)),
        (DifferenceClass.REFUND_PARTLY_RECORDED, recorded.between(0, returned, inclusive="neither")),
        (DifferenceClass.REFUND_OVER_RECORDED, recorded > returned),
        (DifferenceClass.REFUND_CUTOFF, orders["memo_cents_in"].where(~is_settled, 0) != orders["back_cents_in"]),
        (DifferenceClass.REFUND_RECORDED, recorded > 0),
        (DifferenceClass.REFUNDED_OFFLINE, orders["memo_offline_cents"] > 0),
    )
    return choose_first(rules, orders.index)
