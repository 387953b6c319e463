"""Play schedules with one guard broken, until the simulation notices: `python -m tests.stateful.without "no recovery pass"`.

Without a name, every guard of `tests/integration/sync/guards` in turn. That chance does not miss a guard proves nothing: the
directed days are the proof, and this says how soon chance meets the same.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from dataclasses import dataclass

import pytest

from tests.integration.sync.guards.every_control import EVERY_CONTROL
from tests.stateful.many import prepare, tell
from tests.stateful.schedule import BAD, play


@dataclass(frozen=True)
class Search:
    """How long it took to notice that a guard was broken."""

    schedules: int
    noticed: str | None
    """What the simulation said; None when it said nothing."""


def search(name: str, *, first_seed: int, most_schedules: int) -> Search:
    """Break one guard and play schedules until one ends badly, or until there were so many."""
    with pytest.MonkeyPatch.context() as patch:
        EVERY_CONTROL[name].broken(patch)
        for played in range(1, most_schedules + 1):
            outcome = play(first_seed + played - 1)
            gc.collect()
            if not outcome.is_good:
                bad = [what for what, number in outcome.ended.items() if number and what in BAD]
                return Search(played, outcome.broken or ", ".join(bad))
    return Search(most_schedules, None)


def main() -> int:
    """Search for the guards that are named, or for all; tell a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.stateful.without", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="guard", help="as in docs/guards.md, under 'broken like this'")
    parser.add_argument("--schedules", type=int, default=100, help="the most to play for each")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in EVERY_CONTROL]
    if unknown:
        parser.error(f"no such guard: {', '.join(unknown)}")
    prepare()
    for name in asked.names or EVERY_CONTROL:
        began = time.process_time()
        found = search(name, first_seed=asked.seed, most_schedules=asked.schedules)
        seconds = time.process_time() - began
        what = f"after {found.schedules}: {found.noticed}" if found.noticed else f"not within {found.schedules}"
        tell(f"{name} | {what} | {seconds:.0f} CPU s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
