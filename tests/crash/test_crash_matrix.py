"""Processes die, stop and wake at every point between two steps, and no payment is lost or doubled (reliability 4.3, L3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.cells import cells_to_play, dimensions
from tests.crash.expected import is_struck
from tests.crash.ground import Ground
from tests.crash.leaks import patient_data_in
from tests.crash.places import Cell
from tests.crash.play import play


@pytest.mark.postgres
@pytest.mark.parametrize("cell", cells_to_play(), ids=lambda cell: cell.name)
def test_a_process_that_is_hit_leaves_every_payment_booked_once_or_with_a_person(
    cell: Cell, ground: Ground, record_property: Callable[[str, object], None]
):
    end = play(ground)
    assert patient_data_in(ground) == []
    for kind, name in dimensions(cell):
        if kind != "outcome" or is_struck(cell):  # at places before the request has left, no outcome is met
            record_property(kind, name)
    record_property("end", end)
