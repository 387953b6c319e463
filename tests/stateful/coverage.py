"""What schedules must have met: shown, not assumed. A large run that misses one of these fails."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from order_sync.statuses import ALLOWED_STEPS
from sandbox.nextech.faults import Effect
from tests.stateful.schedule import GET_EFFECTS, POST_EFFECTS

_BEGINNINGS = ("None -> received", "None -> waiting", "None -> nothing_to_post")
NOT_REQUIRED = {
    "closed -> received": "no page and no command takes it",
    "nothing_to_post -> received": "a store cannot take back a cancellation or a refund",
    "nothing_to_post -> waiting": "the same",
    "nothing_to_post -> queued": "the same",
    "queued -> disabled": "every order of a schedule is younger than the integration",
    "waiting -> queued": "orders can be read and add up, so a person hardly hears of one that waits: once in 10,000 schedules",
}
"""Steps of `statuses.ALLOWED_STEPS` that no schedule has to take, and why."""
RARE = frozenset({"matched -> closed_voided", "queued -> closed_voided", "queued -> waiting"})
"""Steps that a thousand schedules may miss."""
STEPS = tuple(
    f"step {edge}"
    for edge in (*_BEGINNINGS, *sorted(f"{old} -> {new}" for old, new in ALLOWED_STEPS))
    if edge not in NOT_REQUIRED and edge not in RARE
)
DEEDS = (
    "an older ledger is restored",
    "an older ledger is restored while a booking is under way",
    "page: the other chart is picked",
    "page: send",
    "page: post again",
    "page: post again answered PermanentError",
    "page: rerun",
    "page: dismiss",
    "page: create account",
    "page: tie an entry by hand",
    "page: retry",
    "page: undo",
    "page: look for the void",
    "page: look for the void answered PermanentError",
    "page: post to the right patient",
    "staff: void what is to be undone",
    "staff: void-and-correct what is to be undone",
    "staff: void",
    "staff: void-and-correct",
    "staff: hand-payment",
    "store: capture",
    "store: hold",
    "store: unhold",
    "store: cancel",
    "store: refund a part",
    "store: refund all",
)
PLACES = (
    "before nextech POST payment",
    "after nextech POST payment",
    "before nextech POST Patient",
    "after nextech POST Patient",
    "before nextech GET payments",
    "after nextech GET payments",
    "before nextech GET Patient",
    "after nextech GET Patient",
    "before transaction of extract",
    "after commit of extract",
    "before transaction of match",
    "after commit of match",
    "before transaction of post",
    "after commit of post",
    "before transaction of mark",
    "after commit of mark",
    "before transaction of rerun",
    "after commit of rerun",
)
COMMITTING = ("extract", "match", "post", "mark", "rerun")
COMMITS = tuple(f"{how} commit of {step}" for how in ("lost", "failed") for step in COMMITTING)
FAULTS = tuple(f"fault POST {effect}" for effect in POST_EFFECTS) + tuple(
    f"fault GET {effect}" for effect in GET_EFFECTS if effect is not Effect.REFRESH_REFUSED
)
GROUPS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "steps of orders": {name.removeprefix("step "): [name] for name in STEPS},
    "deeds": {name: [name] for name in DEEDS},
    "crossings, killed + frozen": {place: [f"kill {place}", f"freeze {place}"] for place in PLACES},
    "commits, done without saying so + failed": {
        step: [f"lost commit of {step}", f"failed commit of {step}"] for step in COMMITTING
    },
    "faults": {name.removeprefix("fault "): [name] for name in FAULTS},
}
"""How the short table shows what is required."""
REQUIRED = (
    *STEPS,
    *DEEDS,
    *(f"{how} {place}" for place in PLACES for how in ("kill", "freeze")),
    *COMMITS,
    *FAULTS,
)


ENOUGH, ENOUGH_FOR_RARE = 1_000, 10_000
"""So many schedules must have met everything, and everything that is rare."""


def uncovered(counts: Counter[str], schedules: int) -> list[str]:
    """Return what so many schedules should have met and did not."""
    expected = REQUIRED if schedules >= ENOUGH else ()
    rare = [f"step {edge}" for edge in sorted(RARE)] if schedules >= ENOUGH_FOR_RARE else []
    return [name for name in (*expected, *rare) if not counts[name]]


def table(counts: Counter[str]) -> str:
    """Return how often each of these happened, and every step and deed besides."""
    names = [*REQUIRED, *sorted(name for name in counts if name not in REQUIRED)]
    return "\n".join(f"{counts[name]:>9,}  {name}" for name in names)


def short_table(counts: Counter[str], width: int = 120) -> list[str]:
    """Return lines with everything that is required and its counts, a paragraph for each group."""
    lines = []
    for group, entries in GROUPS.items():
        shown = [f"{label} {'+'.join(f'{counts[name]:,}' for name in names)}" for label, names in entries.items()]
        unbroken = [entry.replace(" ", "\N{NO-BREAK SPACE}") for entry in shown]
        lines.append(f"{group}:")
        wrapped = textwrap.wrap(
            " · ".join(unbroken), width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
        lines += [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrapped]
    return lines
