"""What the ledger and the outside say of every order, read by the test itself."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from order_sync.ledger.models import OPEN_CASE, AttemptRow, CaseRow, OrderRow, OutboxRow, PaymentRow
from order_sync.ledger.session import Ledger, open_engine
from order_sync.statuses import OrderState
from sandbox.nextech.books import BookedPayment, PatientBook, practice_book
from tests.crash.ground import Ground
from tests.crash.life import PRACTICE


@dataclass(frozen=True, slots=True)
class Books:
    """What they say of one order."""

    order: OrderRow
    payment: PaymentRow | None
    attempts: list[AttemptRow]
    cases: list[CaseRow]
    untold: list[OutboxRow]
    booked: list[BookedPayment]
    opened: list[PatientBook]
    """Charts that were opened through the API, for whomever."""

    @property
    def end(self) -> str:
        """Return `confirmed`, the reason of a queued order, or the state of one that is not through."""
        return self.order.reason or "" if self.order.state is OrderState.QUEUED else self.order.state.value

    @property
    def is_quiet(self) -> bool:
        """Say whether no run has anything left to do."""
        is_seen = self.payment is not None and self.payment.verified_at is not None
        has_ended = self.order.state is OrderState.QUEUED or (self.order.state is OrderState.CONFIRMED and is_seen)
        return has_ended and not self.untold and all(attempt.outcome for attempt in self.attempts)


def read_all_books(ground: Ground) -> list[Books]:
    """Return the books of every order in the ledger; a payment that belongs to none of them is a failure by itself."""
    ledger = Ledger(open_engine(ground.ledger_url))
    try:
        with ledger.transaction() as tx:
            orders = list(tx.session.scalars(select(OrderRow).order_by(OrderRow.id)))
            attempts = list(tx.session.scalars(select(AttemptRow).order_by(AttemptRow.intended_at)))
            cases = list(tx.session.scalars(select(CaseRow).where(OPEN_CASE)))
            untold = list(tx.session.scalars(select(OutboxRow).where(OutboxRow.sent_at.is_(None))))
            payments = {row.order_id: row for row in tx.session.scalars(select(PaymentRow))}
    finally:
        ledger.close()
    book = practice_book(ground.neighbours.world.nextech, PRACTICE)
    booked = [row for row in book.payments if row.origin == "api" and row.status == "active"]
    markers = {row.marker for row in payments.values()}
    assert all(row.marker in markers for row in booked), "a payment that no order stands for"
    return [
        Books(
            order,
            payments.get(order.id),
            [row for row in attempts if row.order_id == order.id],
            [row for row in cases if row.order_id == order.id],
            [row for row in untold if row.order_id == order.id],
            [row for row in booked if order.id in payments and row.marker == payments[order.id].marker],
            [patient for patient in book.patients if patient.origin == "api"],
        )
        for order in orders
    ]
