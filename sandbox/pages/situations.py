"""The demo's situations beside what has become of them: what was expected, what was booked, what the store was told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sandbox.demo.story import Situation
from sandbox.nextech.books import practice_book
from sandbox.world import World

STATUS_WORDS = {
    "synced": "Synced",
    "not_synced": "Not Synced",
    "disabled": "Disabled",
    "waiting_for_sync": "Waiting for Sync",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One situation as it stands."""

    practice_id: str
    order_number: str
    title: str
    expected: str
    expected_reason: str
    expected_cents: int
    booked_cents: int
    told: str | None
    """The status that the store was told through its module; None before that, or where it is told by comments."""

    @property
    def is_booked_as_expected(self) -> bool:
        """Say whether the books hold what was expected."""
        return self.expected_cents == self.booked_cents


def standings(world: World) -> list[Standing]:
    """Return every situation of the demo."""
    booked = _booked_by_order(world)
    return [_standing(world, situation, booked) for situation in world.situations]


def _booked_by_order(world: World) -> Counter[tuple[str, str]]:
    """Add up what was booked under each order number; a note names its order as `#100004001`."""
    booked: Counter[tuple[str, str]] = Counter()
    for practice_id in world.nextech.offices:
        for row in practice_book(world.nextech, practice_id).payments:
            if row.status == "active" and row.origin == "api":
                for word in {word for word in row.note.split() if word.startswith("#")}:
                    booked[(practice_id, word.removeprefix("#"))] += row.amount_cents
    return booked


def _standing(world: World, situation: Situation, booked: Counter[tuple[str, str]]) -> Standing:
    number = situation.order_numbers[-1]
    shop = world.shops[situation.practice_id]
    order_id = next((record.entity_id for record in shop.orders.values() if record.number == number), None)
    told = shop.sync_rows.get(order_id, {}).get("status") if order_id is not None else None
    return Standing(
        practice_id=situation.practice_id,
        order_number=number,
        title=situation.title,
        expected=situation.status,
        expected_reason=", ".join(reason for reason in (situation.reason, *situation.also) if reason),
        expected_cents=situation.amount_cents or 0,
        booked_cents=booked[(situation.practice_id, number)],
        told=STATUS_WORDS.get(told) if told is not None else None,
    )
