"""What people do meanwhile: customers and the store's staff, and staff in Nextech itself. The front desk is in `page`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from sandbox.demo.catalog import EVERYDAY_BASKETS
from sandbox.demo.characters import Person
from sandbox.demo.drafts import Draft
from sandbox.demo.practices import EASTERN
from sandbox.demo.staging import play_draft
from sandbox.nextech.staff import StaffError, act_as_staff
from sandbox.store import actions
from sandbox.store.complaints import StoreComplaint
from sandbox.store.refunds import refund
from tests.stateful.town import PRACTICE_ID, Placed, Town

DANA = "dana"
LOOK_MINUTES = 3


def place_order(town: Town, person: Person, rng: random.Random) -> Placed:
    """Let a customer order something; it is paid at once, later, or never."""
    draft = Draft(practice=EASTERN, placed_at=town.stage.clock.now(), buyer=person.buyer(), basket=rng.choice(EVERYDAY_BASKETS))
    record = play_draft(town.shop, draft, ())[-1]
    placed = Placed(record, person, town.stage.clock.now())
    town.placed[record.entity_id] = placed
    for action, earliest, latest in _life(rng):
        town.stage.after(_in_store(town, placed, action), minutes=rng.uniform(earliest, latest))
    return placed


_PLANS: tuple[tuple[int, tuple[tuple[str, float, float], ...]], ...] = (
    (60, (("capture", 0, 1),)),
    (8, (("capture", 5, 300),)),
    (8, (("capture", 0, 1), ("hold", 2, 40), ("unhold", 60, 500))),
    (5, (("cancel", 1, 60),)),
    (9, (("capture", 0, 1), ("refund a part", 3, 240))),
    (10, (("capture", 0, 1), ("refund all", 1, 240))),
)


def _life(rng: random.Random) -> tuple[tuple[str, float, float], ...]:
    return rng.choices([plan for _, plan in _PLANS], [weight for weight, _ in _PLANS])[0]


def _in_store(town: Town, placed: Placed, action: str) -> Callable[[], None]:
    def act() -> None:
        order_id = placed.record.entity_id
        try:
            match action:
                case "capture":
                    actions.capture(town.shop, order_id)
                case "hold":
                    actions.hold(town.shop, order_id)
                case "unhold":
                    actions.unhold(town.shop, order_id)
                case "cancel":
                    actions.cancel(town.shop, order_id)
                case "refund a part":
                    refund(town.shop, order_id, adjustment=Decimal(5))
                case _:
                    refund(town.shop, order_id)
        except StoreComplaint:
            return
        town.stage.note(f"store: {action}")

    return act


@dataclass(frozen=True, slots=True)
class Seen:
    """One order as the page shows it."""

    order_id: int
    number: str
    state: str
    version: int
    placed: Placed


def an_order(town: Town, rng: random.Random, states: tuple[str, ...]) -> Seen | None:
    """Return one of the orders in these states; now and then one in another state, because people click on anything."""
    rows = town.rows("SELECT id, number, state, version, entity_id FROM orders ORDER BY id")
    fitting = [row for row in rows if row[2] in states] or (rows if rng.random() < 0.2 else [])
    if not fitting:
        return None
    order_id, number, state, version, entity_id = rng.choice(fitting)
    return Seen(int(order_id), str(number), str(state), int(version), town.placed[int(entity_id)])


def who_is_quick(town: Town, rng: random.Random, last_look: datetime) -> None:
    """Let staff void or correct a payment of ours before the ledger has seen it: look every few minutes until there is one."""
    unseen = {
        marker
        for (marker,) in town.rows(
            "SELECT p.marker FROM payments p JOIN orders o ON o.id = p.order_id"
            " WHERE o.state IN ('unknown', 'queued') OR (o.state = 'confirmed' AND p.verified_at IS NULL)"
        )
    }
    found = [row for row in town.payments() if row.marker in unseen and row.status == "active" and row.amount_cents > 0]
    if found:
        row = rng.choice(found)
        change = {"amount_cents": row.amount_cents + 100} if rng.random() < 0.3 else {}
        deed = "void-and-correct" if change else "void"
        act_as_staff(town.nextech, deed, {"practice": PRACTICE_ID, "payment_id": row.payment_id, **change})
        town.stage.note(f"staff: {deed} what the ledger has not seen")
    elif town.stage.clock.now() < last_look:
        town.stage.after(partial(who_is_quick, town, rng, last_look), minutes=LOOK_MINUTES)


def in_nextech(town: Town, rng: random.Random) -> None:
    """Do one thing in Nextech's own windows: void, void and correct, or enter a payment by hand."""
    ours = [row for row in town.payments() if row.status == "active" and row.amount_cents > 0 and row.marker]
    deed = rng.choices(("void", "void-and-correct", "hand-payment"), (3, 3, 4))[0]
    if deed == "hand-payment":
        seen = an_order(town, rng, ("queued", "received"))
        chart = town.owner_of(seen.placed.person) if seen else None
        if seen is None or chart is None:
            return
        amount_cents = int(seen.placed.record.grand_total * 100)
        described: dict[str, object] = {"patient_id": chart, "amount_cents": amount_cents, "note": "paid online"}
    elif ours:
        unsettled = {
            marker
            for (marker,) in town.rows(
                "SELECT p.marker FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.state IN ('intent', 'unknown')"
            )
        }
        row = rng.choice([row for row in ours if row.marker in unsettled] or ours)
        described = {"payment_id": row.payment_id}
        if deed == "void-and-correct" and rng.random() < 0.3:
            described["amount_cents"] = row.amount_cents + 100
    else:
        return
    try:
        act_as_staff(town.nextech, deed, {"practice": PRACTICE_ID, **described})
    except StaffError:
        return
    town.stage.note(f"staff: {deed}")
