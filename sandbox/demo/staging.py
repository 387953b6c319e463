"""Play a scene in a shop: place its order, then let happen to it what the scene says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.demo.drafts import Draft
from sandbox.demo.order_builder import build_order
from sandbox.demo.scenes import Scene
from sandbox.store import actions
from sandbox.store.records import OrderRecord
from sandbox.store.refunds import refund
from sandbox.store.shop import Shop

Step = Callable[[Shop, OrderRecord], OrderRecord | None]
"""Change an order; returns the successor when the order was edited."""


class Timeline:
    """A clock that stands still until a scene moves it, and never goes beyond its end."""

    def __init__(self, end: datetime) -> None:
        """Stand at the end."""
        self._end = end
        self._now = end

    def __call__(self) -> datetime:
        """Return the instant at which it stands, UTC."""
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Stand at another instant, at the latest at the end."""
        self._now = min(instant, self._end)


def _capture(shop: Shop, record: OrderRecord) -> None:
    actions.capture(shop, record.entity_id)


def _capture_part(shop: Shop, record: OrderRecord) -> None:
    actions.capture(shop, record.entity_id, Decimal(40))


def _refund_one(shop: Shop, record: OrderRecord) -> None:
    refund(shop, record.entity_id, quantities={record.items[0]["item_id"]: 1})


def _refund_offline(shop: Shop, record: OrderRecord) -> None:
    refund(shop, record.entity_id, adjustment=Decimal(10), is_offline=True)


def _refund_all(shop: Shop, record: OrderRecord) -> None:
    refund(shop, record.entity_id)


def _edit(shop: Shop, record: OrderRecord) -> OrderRecord:
    return actions.edit(shop, record.entity_id)


STEPS: dict[str, tuple[timedelta, Step]] = {
    "capture": (timedelta(seconds=20), _capture),
    "capture_part": (timedelta(seconds=20), _capture_part),
    "ship": (timedelta(hours=20), lambda shop, record: actions.ship(shop, record.entity_id)),
    "hold": (timedelta(minutes=7), lambda shop, record: actions.hold(shop, record.entity_id)),
    "unhold": (timedelta(hours=26), lambda shop, record: actions.unhold(shop, record.entity_id)),
    "review": (timedelta(seconds=30), lambda shop, record: actions.review(shop, record.entity_id)),
    "cancel": (timedelta(hours=3), lambda shop, record: actions.cancel(shop, record.entity_id)),
    "edit": (timedelta(hours=1), _edit),
    "refund_one": (timedelta(hours=23), _refund_one),
    "refund_offline": (timedelta(hours=30), _refund_offline),
    "refund_all": (timedelta(hours=22), _refund_all),
}
"""Each step's name, how long after the one before it happens, and what it does."""


def play(shop: Shop, scene: Scene, placed_at: datetime, timeline: Timeline | None = None) -> list[OrderRecord]:
    """Place the scene's order and take its steps; returns the order, and its successor when it was edited.

    Without a timeline every step happens at the shop's present.
    """
    draft = Draft(
        practice=scene.practice,
        placed_at=placed_at,
        buyer=scene.buyer,
        basket=scene.basket,
        **scene.options,
    )
    return play_draft(shop, draft, scene.steps, timeline)


def play_draft(shop: Shop, draft: Draft, steps: tuple[str, ...], timeline: Timeline | None = None) -> list[OrderRecord]:
    """Place a drafted order and take the steps."""
    at = draft.placed_at
    if timeline is not None:
        timeline.move_to(at)
    record = build_order(shop, draft)
    shop.add(record)
    played = [record]
    for name in steps:
        delay, step = STEPS[name]
        at += delay
        if timeline is not None:
            timeline.move_to(at)
        successor = step(shop, record)
        if successor is not None:
            record = successor
            played.append(record)
    return played
