"""Several orders and one entry by hand: whoever says at the same time that it is theirs, one of them has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from order_sync.clock import SystemClock
from order_sync.desk import Desk, one_by_one
from order_sync.errors import PermanentError
from order_sync.ledger.models import PaymentRow
from order_sync.ledger.session import Ledger
from order_sync.manual_entries import accept_manual_entry
from order_sync.orders import Order
from order_sync.payments import EntryStatus, PaymentEntry, PaymentsRead
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.desks import KEYS, demo_practices
from tests.integration.ledger.rows import PATIENT, PRACTICE, at_once, saved_order
from tests.unit.situations import an_order

ORDERS, ROUNDS = 8, 5


@dataclass
class Tab:
    """A Nextech with one payment on one patient's tab."""

    entry: PaymentEntry

    def read_payment(self, _payment_id: str) -> PaymentEntry:
        return self.entry

    def read_payments(self, patient_ids: list[str]) -> PaymentsRead:
        return PaymentsRead(frozenset(patient_ids), (self.entry,), datetime.now(UTC))


@dataclass
class Shop:
    """A store that shows whatever order it is asked for."""

    clock_skew_seconds: float = 0.0

    def read_orders(self, entity_ids: list[int]) -> dict[int, Order]:
        return {entity_id: an_order(entity_id=entity_id) for entity_id in entity_ids}


def desk_of(ledger: Ledger, entry: PaymentEntry) -> Desk:
    stand_in: Any = SimpleNamespace(
        nextech=Tab(entry),
        store=Shop(),
        ledger=ledger,
        practice=demo_practices()[PRACTICE],
        keys=KEYS,
        clock=SystemClock(),
        fan_out=one_by_one,
        ends_at=None,
    )
    return stand_in


@pytest.mark.parametrize("payment_id", [f"{88200 + number}" for number in range(ROUNDS)])
def test_of_orders_that_are_tied_to_one_entry_at_once_one_gets_it(ledger: Ledger, payment_id: str):
    ids = [saved_order(ledger, OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER).id for _ in range(ORDERS)]
    desk = desk_of(ledger, PaymentEntry(payment_id, PATIENT, EntryStatus.ACTIVE, 12_210, datetime(2026, 3, 9, 17, tzinfo=UTC)))

    def tie(index: int) -> str:
        try:
            accept_manual_entry(desk, ids[index], payment_id, actor=f"person {index}", although_it_differs=True)
        except PermanentError as error:
            return str(error).rpartition(": ")[2]
        return "tied"

    said = at_once(ORDERS, tie)
    assert sorted(said) == ["it is another order's"] * (ORDERS - 1) + ["tied"]
    with ledger.transaction() as tx:
        [owner] = tx.session.scalars(select(PaymentRow.order_id).where(PaymentRow.payment_id == payment_id))
    assert owner == ids[said.index("tied")]
