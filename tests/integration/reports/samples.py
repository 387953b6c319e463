"""A small report, for what happens to reports once they are made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from order_sync.ledger.reports import save_report
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import day_of
from order_sync.reconciliation.statement import ClassTotal, DayTotal, Line, Statement

DAY = date(2026, 11, 2)
AT = datetime(2026, 11, 3, 5, tzinfo=UTC)
MATCHED = Line("order:1", DifferenceClass.MATCHED, 5_000, 5_000, 0, 5_000, entity_id=1, number="000000001", payment_ids=("7",))


def a_statement(**changes: object) -> Statement:
    """Return a report of one order that agrees."""
    made = Statement(
        practice_id="eastern",
        practice_name="Biscayne Dermatology",
        currency="USD",
        time_zone="America/New_York",
        period=day_of(DAY),
        version=1,
        cut_off=AT,
        store_in_cents=5_000,
        store_back_cents=0,
        posted_cents=5_000,
        recorded_back_cents=0,
        classes=(ClassTotal(MATCHED.class_, 1, 5_000, 5_000, 0),),
        lines=(MATCHED,),
        days=(DayTotal(DAY, 5_000, 5_000),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def kept_report(ledger: Ledger, **changes: object) -> str:
    """Keep that report; return its id."""
    with ledger.transaction() as tx:
        return save_report(tx, a_statement(**changes)).report_id
