"""The cells that are played at every change: each place with each blow, and everything else at least once."""

from __future__ import annotations

from collections import Counter

from order_sync.crash_points import Point
from tests.crash.cells import all_cells, count, dimensions, few_cells
from tests.crash.expected import is_struck
from tests.crash.places import DATABASES, FREEZES_SECONDS, OUTCOMES, PLACES, Blow, can_happen


def test_every_point_of_the_product_is_a_place_of_the_matrix():
    assert {place.point for place in PLACES if place.point} == set(Point)


def test_the_few_cells_have_every_place_with_every_blow():
    expected = {
        (place, blow) for place in PLACES for blow in Blow if any(can_happen(place, blow, outcome) for outcome in OUTCOMES)
    }
    assert {(cell.place, cell.blow) for cell in few_cells()} == expected
    assert len(few_cells()) == len(expected)


def test_the_few_cells_meet_every_outcome_and_each_database_with_every_blow():
    met = Counter((cell.outcome, cell.database) for cell in few_cells() if is_struck(cell))
    assert {outcome for outcome, _ in met} == set(OUTCOMES)
    for blow in Blow:
        assert {cell.database for cell in few_cells() if cell.blow is blow} == set(DATABASES)
    assert {cell.freeze_seconds for cell in few_cells()} == {0, *FREEZES_SECONDS}


def test_the_full_cross_lacks_only_what_cannot_happen():
    possible = sum(can_happen(place, blow, outcome) for place in PLACES for blow in Blow for outcome in OUTCOMES)
    assert len(set(all_cells())) == possible * len(DATABASES)
    assert {kind for kind, _ in count(all_cells())} == {kind for kind, _ in dimensions(all_cells()[0])}


def test_a_process_is_frozen_for_every_length_at_every_place():
    frozen = {(cell.place, cell.freeze_seconds) for cell in all_cells() if cell.blow is Blow.FREEZE}
    assert frozen == {(place, seconds) for place in PLACES for seconds in FREEZES_SECONDS}
