"""Which cells are played: each place with each blow, and the other dimensions spread so that every pair occurs that fits."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations, product

from tests.crash.places import DATABASES, FREEZES_SECONDS, OUTCOMES, PLACES, Blow, Cell, can_happen

WHOLE = "all"
"""What CRASH_CELLS holds for the full cross; any other text picks the cells that have it in their name."""


def cells_to_play() -> list[Cell]:
    """Return the cells that the environment asks for."""
    asked = os.environ.get("CRASH_CELLS", "")
    if not asked:
        return few_cells()
    everything = list(dict.fromkeys([*few_cells(), *all_cells()]))
    return everything if asked == WHOLE else [cell for cell in everything if asked in cell.name]


def dimensions(cell: Cell) -> tuple[tuple[str, str], ...]:
    """Return what a cell counts for."""
    blow = f"{cell.blow.value} {cell.freeze_seconds} s" if cell.freeze_seconds else cell.blow.value
    return (
        ("place", f"{cell.place.row} {cell.place.name}"),
        ("signal", blow),
        ("outcome", cell.outcome.value),
        ("database", cell.database),
    )


def count(cells: Iterable[Cell]) -> Counter[tuple[str, str]]:
    """Count how often each place, signal, outcome and database occurs."""
    return Counter(dimension for cell in cells for dimension in dimensions(cell))


def all_cells() -> list[Cell]:
    """Return the full cross, without what cannot happen; freezes take turns in how long they last."""
    return [
        Cell(place, blow, outcome, database, FREEZES_SECONDS[(i + j + k) % len(FREEZES_SECONDS)] if blow is Blow.FREEZE else 0)
        for (i, outcome), (j, database), (k, place), blow in product(
            enumerate(OUTCOMES), enumerate(DATABASES), enumerate(PLACES), Blow
        )
        if can_happen(place, blow, outcome)
    ]


def few_cells() -> list[Cell]:
    """Return one cell for each place and blow; of those that could be taken the one with the most pairs not seen yet."""
    seen: set[tuple[object, ...]] = set()
    chosen: list[Cell] = []
    for blow in Blow:
        for place in PLACES:
            if blow is Blow.LOST and not can_happen(place, blow, OUTCOMES[0]):
                continue
            best = max(_candidates(place_index=PLACES.index(place), blow=blow), key=lambda cell: len(set(_pairs(cell)) - seen))
            seen |= set(_pairs(best))
            chosen.append(best)
    return chosen


def _candidates(*, place_index: int, blow: Blow) -> Iterator[Cell]:
    place = PLACES[place_index]
    freezes = FREEZES_SECONDS if blow is Blow.FREEZE else (0,)
    for shift in range(len(OUTCOMES)):
        outcome = OUTCOMES[(place_index + shift) % len(OUTCOMES)]
        if can_happen(place, blow, outcome):
            yield from (Cell(place, blow, outcome, database, seconds) for database in DATABASES for seconds in freezes)


def _pairs(cell: Cell) -> Iterator[tuple[object, ...]]:
    values = (cell.place.name, cell.blow, cell.outcome, cell.database, cell.freeze_seconds or None)
    for (first, a), (second, b) in combinations(enumerate(values), 2):
        if a is not None and b is not None:
            yield first, a, second, b
