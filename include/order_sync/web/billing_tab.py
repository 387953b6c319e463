"""On whose billing tab a person has to look: the chart's number and name, read live for one who may act, and written down."""

from __future__ import annotations

from dataclasses import dataclass, field

from order_sync.answers import Trouble
from order_sync.choices import ChosenPatient, patient_of
from order_sync.errors import SettingsError, TransientError
from order_sync.ledger.audit import Action, record_action
from order_sync.web.house import House
from order_sync.web.order_in_hand import OrderInHand
from order_sync.web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class BillingTab:
    """The patient, or a sentence that says why nobody is shown; neither where no chart is chosen."""

    patient: ChosenPatient | None = field(default=None, repr=False)
    trouble: str = ""


def billing_tab_of(house: House, hand: OrderInHand, visitor: Visitor) -> BillingTab:
    """Read whose chart the order was sent to; who may only look sees nobody. A system that is down becomes a sentence."""
    if not visitor.can_act or hand.row.patient_id is None:
        return BillingTab()
    try:
        with house.open_desk(hand.practice.id) as desk:
            found = patient_of(desk, hand.row)
    except (SettingsError, TransientError) as failure:
        return BillingTab(trouble=f"{str(failure)[:1].upper()}{str(failure)[1:]}.")
    if not isinstance(found, ChosenPatient):
        return BillingTab(trouble=found.sentence if isinstance(found, Trouble) else "")
    with house.ledger.transaction() as tx:
        record_action(
            tx,
            Action.PATIENT_VIEWED,
            actor=visitor.login,
            practice_id=hand.practice.id,
            order_id=hand.row.id,
            detail=found.patient_id,
        )
    return BillingTab(found)
