"""Sum up where a practice's orders stand, by the questions in `include/sql`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from order_sync.ledger.session import Transaction
from order_sync.resources import query
from order_sync.statuses import PublicStatus


@dataclass(frozen=True, slots=True)
class OpenCase:
    """One case that waits for a person; `order_number` is None when the whole practice is in trouble."""

    order_number: str | None
    amount_cents: int | None
    sentence: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Where the orders of one practice stand."""

    orders: dict[PublicStatus, int]
    not_synced_by_reason: dict[str, int]
    payments: int
    posted_cents: int
    open_cases: tuple[OpenCase, ...]

    @property
    def seen(self) -> int:
        """Return how many orders are in the ledger."""
        return sum(self.orders.values())


def overview_of(tx: Transaction, practice_id: str) -> Overview:
    """Return where the practice's orders stand now."""
    bound = {"practice_id": practice_id}
    orders = dict.fromkeys(PublicStatus, 0)
    reasons: dict[str, int] = {}
    for row in tx.session.execute(text(query("orders_by_status_and_reason")), bound):
        status = PublicStatus(row.public_status)
        orders[status] += row.orders
        if status is PublicStatus.NOT_SYNCED:
            reasons[row.reason] = row.orders
    posted = tx.session.execute(text(query("amount_posted")), bound).one()
    cases = tx.session.execute(text(query("orders_waiting_for_a_person")), bound)
    return Overview(
        orders=orders,
        not_synced_by_reason=reasons,
        payments=posted.payments,
        posted_cents=int(posted.amount_cents),
        open_cases=tuple(OpenCase(row.order_number, row.amount_cents, row.sentence, row.next_step) for row in cases),
    )
