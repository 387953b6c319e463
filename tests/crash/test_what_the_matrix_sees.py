"""The matrix proves something: a plain run reaches its points, and a fault in the product, or a leak, fails it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from order_sync import crash_points
from order_sync.crash_points import Point
from order_sync.ledger.orders import orders_in
from order_sync.ledger.session import Ledger, open_engine
from order_sync.resolve import choose_patient
from order_sync.statuses import OrderState
from sandbox.demo.drafts import Draft
from sandbox.demo.practices import PRACTICES
from sandbox.demo.scenes import PAID
from sandbox.demo.staging import play_draft
from sandbox.nextech.faults import Effect
from sandbox.people import SeedPayment
from tests.canaries.people import EVERYBODY
from tests.crash.ground import Ground, Neighbours
from tests.crash.leaks import patient_data_in
from tests.crash.life import PRACTICE
from tests.crash.places import PLACES, Blow, Cell
from tests.crash.play import play
from tests.desks import open_desk, sync

AFTER_THE_POST = next(place for place in PLACES if place.point is Point.RESULT_COMMITTED)


@pytest.fixture
def cell() -> Cell:
    return Cell(AFTER_THE_POST, Blow.KILL, Effect.EXECUTED_LATE, "sqlite")


@pytest.fixture
def reached() -> Iterator[set[Point]]:
    seen: set[Point] = set()
    crash_points.watch(seen.add)
    yield seen
    crash_points.watch(None)


def test_runs_without_any_trouble_reach_every_point(neighbours: Neighbours, ledger_url: str, reached: set[Point]):
    neighbours.begin_again()
    known, new, twice = EVERYBODY[:3]
    chart = known.chart("one")
    visits = [SeedPayment(PRACTICE, chart.patient_id, 700 + day, "2026-10-05", "visit") for day in range(60)]
    neighbours.world.nextech.seed([chart, twice.chart("one"), twice.chart("two")], visits)
    for person in (known, new, twice):
        draft = Draft(PRACTICES[PRACTICE], neighbours.clock.now(), person.buyer(), (("DRM-SPF50-50ML", 1),))
        person.sign(play_draft(neighbours.shop, draft, PAID)[-1])
    ledger = Ledger(open_engine(ledger_url))
    with open_desk(neighbours.sandbox, ledger, PRACTICE, writer="comment") as desk:
        sync(desk)
        with ledger.transaction() as tx:
            [asked] = orders_in(tx, PRACTICE, [OrderState.QUEUED])
        choose_patient(desk, asked.id, twice.chart("two").patient_id, actor="dana")
        assert sync(desk).posted == 1
    ledger.close()
    assert reached == set(Point)


def test_a_product_that_takes_an_unknown_outcome_for_a_failure_fails_the_matrix(ground: Ground):
    ground.is_careless = True
    with pytest.raises(AssertionError, match=r"doubled|expected_ends"):
        play(ground)


def test_a_process_that_says_a_name_fails_the_matrix(ground: Ground):
    play(ground)
    assert patient_data_in(ground) == []
    (ground.folder / "left over").write_text(f"matched {ground.person.last}")
    assert patient_data_in(ground)
