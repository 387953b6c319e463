"""Fifty people press Send at once, each with another patient: one effect, and everybody else hears who was first (S22)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from threading import Barrier
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from order_sync.desk import Desk
from order_sync.errors import SomebodyWasFirstError
from order_sync.ledger.audit import Action
from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.models import CaseRow, CaseState, HistoryRow, RememberedPatient
from order_sync.ledger.orders import SYNC, read_order
from order_sync.ledger.session import Ledger
from order_sync.patients import Patient
from order_sync.reasons import Reason
from order_sync.resolve import choose_patient
from order_sync.statuses import OrderState
from tests.desks import demo_practices
from tests.integration.ledger.rows import PRACTICE, saved_order

PEOPLE, ROUNDS = 50, 100
EVERYBODY = 30


@dataclass
class Charts:
    """A Nextech that has every chart."""

    def read_patient(self, patient_id: str) -> Patient:
        return Patient(patient_id)


def desk_of(ledger: Ledger) -> Desk:
    stand_in: Any = SimpleNamespace(nextech=Charts(), ledger=ledger, practice=demo_practices()[PRACTICE])
    return stand_in


def patient(number: int) -> str:
    return f"5f0c7d1e-0000-4000-8000-{number:012}"


def test_of_fifty_people_who_press_send_at_once_exactly_one_has_an_effect(ledger: Ledger):
    orders = [
        saved_order(ledger, OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER, customer_key=f"{n:064}") for n in range(ROUNDS)
    ]
    desk, start = desk_of(ledger), Barrier(PEOPLE, timeout=EVERYBODY)

    def press(number: int) -> list[str]:
        """Press Send in every round; return who was first, as this person heard it."""
        heard = []
        for order in orders:
            start.wait()
            try:
                choose_patient(desk, order.id, patient(number), actor=f"person {number}", version=order.version)
            except SomebodyWasFirstError as told:
                heard.append(told.actor if (told.state, told.at.tzinfo) == (OrderState.MATCHED, UTC) else "nobody")
            else:
                heard.append("me")
        return heard

    with ThreadPoolExecutor(PEOPLE) as pool:
        heard = list(pool.map(press, range(PEOPLE)))
    for order, said in zip(orders, zip(*heard, strict=True), strict=True):
        winner = said.index("me")
        assert [who for who in said if who != f"person {winner}"] == ["me"]
        assert effects(ledger, order.id) == (f"person {winner}", patient(winner))


def effects(ledger: Ledger, order_id: int) -> tuple[str | None, str | None]:
    """Return who decided, and for which patient, when every trace of it is there once and says the same."""
    with ledger.transaction() as tx:
        order = read_order(tx, order_id)
        [step] = tx.session.scalars(select(HistoryRow).where(HistoryRow.order_id == order_id, HistoryRow.actor != SYNC))
        [case] = tx.session.scalars(select(CaseRow).where(CaseRow.order_id == order_id))
        [kept] = tx.session.scalars(select(RememberedPatient).where(RememberedPatient.customer_key == order.customer_key))
        [trail] = tx.session.scalars(select(AuditRow).where(AuditRow.order_id == order_id))
    assert (order.state, order.version, case.state, trail.action) == (
        OrderState.MATCHED,
        1,
        CaseState.RESOLVED,
        Action.PATIENT_CHOSEN,
    )
    assert {order.matched_by, step.actor, case.closed_by, kept.decided_by, trail.actor} == {order.matched_by}
    assert order.patient_id == kept.patient_id
    return order.matched_by, order.patient_id
