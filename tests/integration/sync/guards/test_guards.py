"""Every guard is needed: a schedule that ends well with all of them ends badly without one."""

from collections.abc import Iterable

import pytest

from tests.integration.sync.guards.breaking import Break
from tests.integration.sync.guards.controls import Control
from tests.integration.sync.guards.every_control import EVERY_CONTROL, EVERY_COVERED
from tests.integration.sync.guards.ground import Ground, Schedule


def schedules() -> Iterable[tuple[str, Schedule]]:
    return {id(control.schedule): (name, control.schedule) for name, control in reversed(EVERY_CONTROL.items())}.values()


@pytest.mark.parametrize("schedule", [pytest.param(schedule, id=name) for name, schedule in schedules()])
def test_the_hard_day_ends_well_with_every_guard(ground: Ground, schedule: Schedule):
    schedule(ground)


@pytest.mark.parametrize("control", [pytest.param(control, id=name) for name, control in EVERY_CONTROL.items()])
def test_the_hard_day_ends_badly_without_the_guard(ground: Ground, control: Control, monkeypatch: pytest.MonkeyPatch):
    control.broken(monkeypatch)
    with pytest.raises(AssertionError, match=f"^{control.goes_wrong}"):
        control.schedule(ground)


@pytest.mark.parametrize(("broken", "schedule"), [pytest.param(*pair, id=name) for name, pair in EVERY_COVERED])
def test_a_guard_that_another_one_covers_changes_nothing_alone(
    ground: Ground, broken: Break, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
):
    broken(monkeypatch)
    schedule(ground)
