"""A scene: one situation of an order, what the store and Nextech hold of it, and what has to come of it.

The expectations are derived by hand from design sections 4 to 6. Nothing here asks the product's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.characters import Person
from sandbox.demo.drafts import Buyer
from sandbox.demo.practices import DemoPractice
from sandbox.people import SeedPatient

SYNCED = "Synced"
NOT_SYNCED = "Not Synced"
DISABLED = "Disabled"
WAITING = "Waiting for Sync"
NEW = "new"
"""A new account is expected."""

Basket = tuple[tuple[str, int], ...]
SUNSCREEN: Basket = (("DRM-SPF50-50ML", 1),)

PAID = ("capture",)
SHIPPED = ("capture", "ship")


@dataclass(frozen=True, slots=True)
class Scene:
    """One situation, ready to be played at any instant."""

    name: str
    title: str
    practice: DemoPractice
    buyer: Buyer = field(repr=False)
    charts: tuple[SeedPatient, ...] = field(repr=False)
    days_ago: int
    """Local days before today; -1 means ten minutes ago, `BEFORE_START` three days before the integration."""
    at: str
    """Local wall-clock time."""
    basket: Basket
    options: Mapping[str, Any]
    """Further fields of the draft."""
    steps: tuple[str, ...]
    """What happens after the order was placed: names of `staging.STEPS`."""
    status: str
    reason: str | None
    patient_id: str | None
    """The chart on which the payment is expected, `new`, or None."""
    also: tuple[str, ...]
    """Further open reasons: a refund to record."""
    has_hand_entry: bool
    """Whether staff entered the same amount on the chart on the same day."""

    @property
    def is_booked(self) -> bool:
        """Say whether a payment is expected in Nextech."""
        return self.status == SYNCED and self.reason is None


TEN_MINUTES_AGO = -1
BEFORE_START = -2
MONTH_END = -3
"""The last day of the month before this one."""


def scene(
    name: str,
    title: str,
    person: Person,
    *,
    days_ago: int,
    at: str = "11:20:05",
    charts: tuple[SeedPatient, ...] | None = None,
    buyer: Mapping[str, Any] | None = None,
    basket: Basket = SUNSCREEN,
    options: Mapping[str, Any] | None = None,
    steps: tuple[str, ...] = PAID,
    status: str = SYNCED,
    reason: str | None = None,
    patient_id: str | None = None,
    also: tuple[str, ...] = (),
    has_hand_entry: bool = False,
) -> Scene:
    """Return a scene; without other words the person is known, orders as filed, pays, and is synced."""
    held = (person.chart(),) if charts is None else charts
    if patient_id is None and status == SYNCED and reason is None:
        patient_id = held[0].patient_id if held else NEW
    return Scene(
        name=name,
        title=title,
        practice=person.practice,
        buyer=person.buyer(**(buyer or {})),
        charts=held,
        days_ago=days_ago,
        at=at,
        basket=basket,
        options=options or {},
        steps=steps,
        status=status,
        reason=reason,
        patient_id=patient_id,
        also=also,
        has_hand_entry=has_hand_entry,
    )
