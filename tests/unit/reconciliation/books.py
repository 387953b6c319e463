"""Both sides and the ledger, written line by line by a test; what is left out is what an everyday order has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pandas as pd

from order_sync.reconciliation.frames import CREDIT_MEMOS, DAY, LEDGER_ORDERS, PAYMENT_ENTRIES, STORE_ORDERS, Facts
from order_sync.statuses import OrderState, public_status

NOON: Final = time(12)
NOBODY: Final = None
ANNA, BEA = "anna", "bea"
"""Two charts; Nextech's ids would be GUIDs."""


def noon(day: date) -> datetime:
    return datetime.combine(day, NOON, UTC)


def marker_of(entity_id: int) -> str:
    return f"DP-{entity_id:012d}-H"


def number_of(entity_id: int) -> str:
    return f"{entity_id:09d}"


@dataclass
class Books:
    """Rows of the four frames. Amounts in cents."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    memos: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    numbers_not_in_store: set[str] = field(default_factory=set)
    recorded_refunds: dict[str, int] = field(default_factory=dict)

    def order(self, entity_id: int, day: date, cents: int = 100_00, **facts: Any) -> None:
        row = {
            "entity_id": entity_id,
            "number": number_of(entity_id),
            "marker": marker_of(entity_id),
            "placed_at": noon(day),
            "placed_day": day,
            "eligibility": "due",
            "reason": None,
            "is_held": False,
            "is_partly_paid": False,
            "expected_cents": cents,
            "gift_cards_sold_cents": 0,
            "gift_cards_used_cents": 0,
            "is_prepaid_service": False,
        }
        self.orders.append(row | facts)

    def memo(self, entity_id: int, day: date, cents: int = 0, **facts: Any) -> None:
        row = {
            "memo_id": len(self.memos) + 1,
            "entity_id": entity_id,
            "created_at": noon(day),
            "created_day": day,
            "gateway_cents": cents,
            "offline_cents": 0,
            "gift_cards_refunded_cents": 0,
            "gift_cards_returned_cents": 0,
        }
        self.memos.append(row | facts)

    def entry(self, payment_id: str, day: date, cents: int = 100_00, *, order: int | None = None, **facts: Any) -> None:
        """Write an entry; with `order`, it carries that order's marker and number."""
        row = {
            "payment_id": payment_id,
            "patient_id": ANNA,
            "status": "active",
            "amount_cents": cents,
            "paid_day": day,
            "created_at": noon(day),
            "is_our_category": True,
            "marker": marker_of(order) if order is not None else None,
            "number": number_of(order) if order is not None else None,
            "unapplied_cents": None,
        }
        self.entries.append(row | facts)

    def note(self, entity_id: int, day: date, state: OrderState = OrderState.CONFIRMED, **facts: Any) -> None:
        """Write what the ledger knows of an order."""
        row = {
            "entity_id": entity_id,
            "state": state.value,
            "public_status": public_status(state).value,
            "reason": None,
            "detail": None,
            "patient_id": ANNA,
            "is_patient_known": True,
            "marker": marker_of(entity_id),
            "payment_id": None,
            "posted_at": noon(day) + timedelta(minutes=5) if state is OrderState.CONFIRMED else None,
            "due_since": noon(day),
            "changed_at": noon(day) + timedelta(minutes=5),
        }
        self.ledger.append(row | facts)

    def synced(self, entity_id: int, day: date, cents: int = 100_00, **entry: Any) -> None:
        """Write an order that was posted as it should be; `entry` says what is otherwise in Nextech."""
        self.order(entity_id, day, cents)
        self.note(entity_id, day, payment_id=f"P{entity_id}")
        entry = {"payment_id": f"P{entity_id}", "day": day, "cents": cents, "order": entity_id} | entry
        self.entry(entry.pop("payment_id"), entry.pop("day"), entry.pop("cents"), **entry)

    def unposted(
        self,
        entity_id: int,
        day: date,
        state: OrderState = OrderState.RECEIVED,
        order: Mapping[str, Any] | None = None,
        **known: Any,
    ) -> None:
        """Write an order that Nextech has nothing of."""
        self.order(entity_id, day, **(order or {}))
        self.note(entity_id, day, state, **known)

    def facts(self, order_of_rows: int | None = None) -> Facts:
        """Return the frames; with a seed, their rows shuffled."""
        return Facts(
            _frame(STORE_ORDERS.columns, self.orders, order_of_rows),
            _frame(CREDIT_MEMOS.columns, self.memos, order_of_rows),
            _frame(PAYMENT_ENTRIES.columns, self.entries, order_of_rows),
            _frame(LEDGER_ORDERS.columns, self.ledger, order_of_rows),
            frozenset(self.numbers_not_in_store),
            dict(self.recorded_refunds),
        )


def _frame(columns: Mapping[str, Any], rows: list[dict[str, Any]], seed: int | None) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    for name, column in columns.items():
        if name.endswith("_day"):
            frame[name] = pd.to_datetime(frame[name]).astype(DAY)
        elif name.endswith(("_at", "_since")):
            frame[name] = pd.to_datetime(frame[name], utc=True).astype(column.dtype.type)
        else:
            frame[name] = frame[name].astype(column.dtype.type)
    return frame if seed is None else frame.sample(frac=1, random_state=seed, ignore_index=True)
