"""What schedules must have met: shown, not assumed. A large run that misses one of these fails."""

from __future__ import annotations

from collections import Counter

from sandbox.nextech.faults import Effect
from tests.stateful.schedule import GET_EFFECTS, POST_EFFECTS

STEPS = (
    "step None -> received",
    "step None -> waiting",
    "step None -> nothing_to_post",
    "step waiting -> received",
    "step received -> matched",
    "step received -> creating",
    "step received -> queued",
    "step received -> nothing_to_post",
    "step creating -> matched",
    "step creating -> received",
    "step creating -> queued",
    "step matched -> intent",
    "step matched -> confirmed",
    "step matched -> queued",
    "step matched -> waiting",
    "step matched -> nothing_to_post",
    "step intent -> confirmed",
    "step intent -> matched",
    "step intent -> queued",
    "step intent -> unknown",
    "step unknown -> confirmed",
    "step unknown -> queued",
    "step queued -> matched",
    "step queued -> received",
    "step queued -> confirmed",
    "step queued -> closed",
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
COMMITS = tuple(
    f"{how} commit of {step}" for how in ("lost", "failed") for step in ("extract", "match", "post", "mark", "rerun")
)
FAULTS = tuple(f"fault POST {effect}" for effect in POST_EFFECTS) + tuple(
    f"fault GET {effect}" for effect in GET_EFFECTS if effect is not Effect.REFRESH_REFUSED
)
REQUIRED = (
    *STEPS,
    *DEEDS,
    *(f"{how} {place}" for place in PLACES for how in ("kill", "freeze")),
    *COMMITS,
    *FAULTS,
)


def uncovered(counts: Counter[str]) -> list[str]:
    return [name for name in REQUIRED if not counts[name]]


def table(counts: Counter[str]) -> str:
    """Return how often each of these happened, and every step and deed besides."""
    names = [*REQUIRED, *sorted(name for name in counts if name not in REQUIRED)]
    return "\n".join(f"{counts[name]:>9,}  {name}" for name in names)
