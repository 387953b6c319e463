"""What only the two systems know of an order, read at the moment it is looked at: the patient's name, and what was bought."""

from __future__ import annotations

from dataclasses import dataclass, field

from order_sync.answers import Trouble
from order_sync.choices import Basket, ChosenPatient, basket_of, patient_of
from order_sync.errors import SettingsError, TransientError
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.models import OrderRow
from order_sync.web.house import House
from order_sync.web.visitors import Visitor

HIDDEN = "Hidden: a login that may look, but not act, does not see patients."
NOT_CHOSEN = "No patient is chosen yet."


@dataclass(frozen=True, slots=True)
class LiveView:
    """What the page shows; each half is there, or a sentence says why it is not."""

    patient: ChosenPatient | None = field(repr=False)
    patient_sentence: str
    basket: Basket | None = field(repr=False)
    basket_sentence: str


def read_live(house: House, visitor: Visitor, order: OrderRow) -> LiveView:
    """Read both halves within the time that a page has for it; a system that does not answer becomes a sentence.

    The patient is read for one who may act alone, and the look is in the audit trail before it is returned.
    """
    try:
        with house.open_desk(order.practice_id) as desk:
            basket = basket_of(desk, order)
            patient = patient_of(desk, order) if visitor.can_act else Trouble(HIDDEN)
    except (SettingsError, TransientError) as failure:
        said = f"{str(failure)[:1].upper()}{str(failure)[1:]}."
        basket, patient = Trouble(said), Trouble(said if visitor.can_act else HIDDEN)
    if isinstance(patient, ChosenPatient):
        with house.ledger.transaction() as tx:
            record_action(tx, Action.PATIENT_VIEWED, actor=visitor.login, practice_id=order.practice_id, order_id=order.id)
    return LiveView(
        patient=patient if isinstance(patient, ChosenPatient) else None,
        patient_sentence=patient.sentence if isinstance(patient, Trouble) else "" if patient else NOT_CHOSEN,
        basket=basket if isinstance(basket, Basket) else None,
        basket_sentence=basket.sentence if isinstance(basket, Trouble) else "",
    )
