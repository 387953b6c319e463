"""How the demo's orders ended, seen from outside, beside what was expected of them by hand: shared by both ways to run it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select

from order_sync.ledger.models import OrderRow, PaymentRow
from order_sync.ledger.session import Ledger
from sandbox.demo.practices import PRACTICES
from sandbox.demo.story import Situation
from sandbox.nextech.books import BookedPayment, practice_book
from sandbox.server import RunningSandbox

OrderKey = tuple[str, str]
"""Practice id and order number."""


@dataclass(frozen=True)
class Ended:
    """How one order ended: the ledger's words, and what Nextech's own books hold for it."""

    status: str
    reason: str | None
    patient_id: str | None
    booked_cents: tuple[int, ...]
    booked_days: tuple[str, ...]


def posted_by_us(sandbox: RunningSandbox) -> list[BookedPayment]:
    """Return what was really booked over the API, in every practice."""
    return [
        row for practice_id in PRACTICES for row in practice_book(sandbox.nextech, practice_id).payments if row.origin == "api"
    ]


def endings(sandbox: RunningSandbox, ledger: Ledger) -> dict[OrderKey, Ended]:
    """Return how every order of the ledger stands now."""
    booked = posted_by_us(sandbox)
    with ledger.transaction() as tx:
        orders = list(tx.session.scalars(select(OrderRow)))
        markers = {row.order_id: row.marker for row in tx.session.scalars(select(PaymentRow))}
    found = {}
    for order in orders:
        mine = [row for row in booked if order.id in markers and row.marker == markers[order.id]]
        found[order.practice_id, order.number] = Ended(
            status=order.public_status.value,
            reason=order.reason,
            patient_id=mine[0].patient_id if mine else None,
            booked_cents=tuple(row.amount_cents for row in mine),
            booked_days=tuple(row.business_day.isoformat() for row in mine),
        )
    return found


def expected_end(situation: Situation, patient_id: str | None) -> Ended:
    """Return how a situation should end; `patient_id` is the chart that was found where a new one was to be opened."""
    is_booked = situation.amount_cents is not None
    return Ended(
        status=situation.status,
        reason=situation.reason,
        patient_id=patient_id if situation.patient_id == "new" else situation.patient_id,
        booked_cents=(situation.amount_cents,) if situation.amount_cents is not None else (),
        booked_days=(situation.business_day.isoformat(),) if is_booked else (),
    )


def unexpected_endings(sandbox: RunningSandbox, ledger: Ledger) -> dict[OrderKey, tuple[Ended | None, Ended]]:
    """Return every order of a situation that ended otherwise than expected: how it ended, and how it should have."""
    ended = endings(sandbox, ledger)
    known = {patient.patient_id for patient in sandbox.world.demo.patients}
    wrong: dict[OrderKey, tuple[Ended | None, Ended]] = {}
    for situation in sandbox.world.situations:
        for number in situation.order_numbers:
            found = ended.get((situation.practice_id, number))
            should = expected_end(situation, found.patient_id if found else None)
            is_on_old_chart = situation.patient_id == "new" and (found is None or found.patient_id in known)
            if found != should or is_on_old_chart:
                wrong[situation.practice_id, number] = (found, should)
    return wrong


def expected_bookings(sandbox: RunningSandbox) -> Counter[tuple[str, int, str]]:
    """Return practice, cents and day of everything that should be booked."""
    return Counter(
        (one.practice_id, one.amount_cents, one.business_day.isoformat())
        for one in sandbox.world.situations
        for _ in one.order_numbers
        if one.amount_cents is not None
    )


def bookings(sandbox: RunningSandbox) -> Counter[tuple[str, int, str]]:
    """Return practice, cents and day of everything that was really booked over the API."""
    return Counter(
        (practice_id, row.amount_cents, row.business_day.isoformat())
        for practice_id in PRACTICES
        for row in practice_book(sandbox.nextech, practice_id).payments
        if row.origin == "api"
    )
