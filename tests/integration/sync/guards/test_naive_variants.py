"""The protocol against three simpler ones, on the same days: each of the simpler ones doubles or loses a payment."""

import contextlib
from collections.abc import Callable
from types import MappingProxyType

import httpx
import pytest

from order_sync.post import post_payments
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect
from tests.integration.sync.guards.ground import (
    Answer,
    Behind,
    Ground,
    Schedule,
    dies_after_the_post,
    dies_before_the_post,
)
from tests.integration.sync.guards.naive_variants import mark_then_post, post_then_mark, search_then_post
from tests.worlds import PAYMENTS, SmallWorld, Wrap, as_it_is

VARIANTS = MappingProxyType(
    {
        "the protocol": post_payments,
        "post, then mark": post_then_mark,
        "mark, then post": mark_then_post,
        "search, then post": search_then_post,
    }
)


def day(effect: Effect | None = None, *, wrap: Wrap = as_it_is, after_seconds: float = 0) -> Schedule:
    """Run once in trouble and for some hours in calm."""

    def schedule(ground: Ground) -> None:
        one = ground.world()
        if effect is not None:
            one.plant(effect, after_seconds=after_seconds)
        with contextlib.suppress(KeyboardInterrupt):
            one.run(one.desk(nextech_wrap=wrap))
        one.run_after(minutes=(15, 20, 20, 20))
        is_neither_doubled_nor_lost(one)

    return schedule


def two_runs_at_once(ground: Ground) -> None:
    """The second run begins when the first has read the patient's payments, or has sent."""
    one = ground.world()
    begun: list[str] = []

    def look(request: httpx.Request, answer: Answer) -> Answer:
        if request.url.path.endswith(PAYMENTS) and not begun:
            begun.append("second")
            one.run()
        return answer

    with contextlib.suppress(Exception):  # a variant may stumble over what the other one has marked
        one.run(one.desk(nextech_wrap=lambda inner: Behind(inner, look)))
    one.run_after(minutes=(15, 20))
    is_neither_doubled_nor_lost(one)


def is_neither_doubled_nor_lost(world: SmallWorld) -> None:
    count, order = len(world.booked()), world.order()
    assert count <= 1, f"doubled: {count} payments for one order"
    is_settled = count == 1 and order.state is OrderState.CONFIRMED
    assert is_settled or world.open_cases(), f"lost: {count} payments, the order is {order.state}, nobody is asked"


DAYS: dict[str, tuple[Schedule, dict[str, str]]] = {
    # A day, and what each variant does wrong on it.
    "the answer is lost": (day(Effect.TIMED_OUT_EXECUTED), {"post, then mark": "doubled"}),
    "500, and executed": (day(Effect.FAILED_EXECUTED), {"post, then mark": "doubled"}),
    "500, and not executed": (day(Effect.FAILED), {"mark, then post": "lost"}),
    "refused once": (day(Effect.REJECTED), {"mark, then post": "lost"}),
    "booked half an hour late": (
        day(Effect.EXECUTED_LATE, after_seconds=1_800),
        {"post, then mark": "doubled", "search, then post": "doubled"},
    ),
    "killed behind the post": (day(wrap=dies_after_the_post), {"post, then mark": "doubled"}),
    "killed before the post": (day(wrap=dies_before_the_post), {"mark, then post": "lost"}),
    "two runs at once": (two_runs_at_once, {"post, then mark": "doubled", "search, then post": "doubled"}),
}
CELLS = [
    pytest.param(variant, schedule, wrong.get(name), id=f"{name}, {title}")
    for title, (schedule, wrong) in DAYS.items()
    for name, variant in VARIANTS.items()
]


@pytest.mark.parametrize(("variant", "schedule", "goes_wrong"), CELLS)
def test_every_way_to_post_ends_as_the_table_says(
    ground: Ground,
    monkeypatch: pytest.MonkeyPatch,
    variant: Callable[..., object],
    schedule: Schedule,
    goes_wrong: str | None,
):
    monkeypatch.setattr("tests.worlds.post_payments", variant)
    if goes_wrong is None:
        schedule(ground)
        return
    with pytest.raises(AssertionError, match=f"^{goes_wrong}"):
        schedule(ground)


def test_each_simpler_way_doubles_or_loses():
    wrong = {name for _, found in DAYS.values() for name in found}
    assert wrong == set(VARIANTS) - {"the protocol"}
