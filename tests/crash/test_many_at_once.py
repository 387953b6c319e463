"""Four payments are under way in four threads when their process is hit: each is in another phase."""

from __future__ import annotations

from pathlib import Path

import pytest

from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect
from tests.crash.books import read_all_books
from tests.crash.expected import CONFIRMED
from tests.crash.ground import Ground, Neighbours
from tests.crash.leaks import patient_data_in
from tests.crash.nursery import Nursery
from tests.crash.places import DATABASES, PLACES, Blow, Cell, Place
from tests.crash.play import hit, recover

_NAMES = (
    "before the claim's COMMIT",
    "after the claim, before connecting",
    "the request written",
    "the answer read, not recorded",
    "before the result's COMMIT",
    "after the result's commit",
)
_EFFECTS = (Effect.TIMED_OUT_EXECUTED, Effect.FAILED, Effect.CREATED)


def _cell(index: int, place: Place, turn: int, blow: Blow) -> Cell:
    """Return one cell of a Latin square: each place with each signal, the rest in turns."""
    freeze_seconds = (10, 1_200)[index % 2] if blow is Blow.FREEZE else 0
    return Cell(place, blow, _EFFECTS[(index + turn) % 3], DATABASES[(index + turn) % 2], freeze_seconds)


_CELLS = [
    _cell(index, next(place for place in PLACES if place.name == name), turn, blow)
    for index, name in enumerate(_NAMES)
    for turn, blow in enumerate((Blow.KILL, Blow.TERM, Blow.FREEZE))
]


@pytest.fixture
def ground(cell: Cell, neighbours: Neighbours, nursery: Nursery, ledger_url: str, tmp_path: Path) -> Ground:
    return Ground(cell, neighbours, nursery, ledger_url, tmp_path, others=3)


@pytest.mark.postgres
@pytest.mark.parametrize("cell", _CELLS, ids=lambda cell: cell.name)
def test_of_payments_that_are_under_way_together_each_is_booked_once_or_with_a_person(ground: Ground):
    hit(ground, ground.start(is_victim=True, visit=3), 3)
    assert recover(ground)[-1] == 0
    all_books = read_all_books(ground)
    assert len(all_books) == 4
    for books in all_books:
        assert books.is_quiet
        assert books.end in (CONFIRMED, Reason.OUTCOME_UNKNOWN)
        assert len(books.booked) == (books.end == CONFIRMED)
        assert len(books.cases) == (books.order.state is OrderState.QUEUED)
        *earlier, last = books.attempts
        assert all(attempt.outcome is PostOutcome.NOT_EXECUTED for attempt in earlier)
        assert books.end == CONFIRMED or last.outcome is PostOutcome.UNKNOWN
    assert len({books.payment.payment_id for books in all_books if books.payment and books.booked}) == sum(
        len(books.booked) for books in all_books
    )
    assert patient_data_in(ground) == []
