"""Every guard of the client on its sockets is needed: a server that it withstands brings it down without one."""

from collections.abc import Iterable

import pytest

from tests.integration.adversary.wire_controls import WIRE_CONTROLS, WireControl
from tests.integration.adversary.wire_schedules import Schedule


def schedules() -> Iterable[tuple[str, Schedule]]:
    return {id(control.schedule): (name, control.schedule) for name, control in reversed(WIRE_CONTROLS.items())}.values()


@pytest.mark.parametrize("schedule", [pytest.param(schedule, id=name) for name, schedule in schedules()])
def test_the_hostile_server_is_withstood_with_every_guard(schedule: Schedule):
    schedule()


@pytest.mark.parametrize("control", [pytest.param(control, id=name) for name, control in WIRE_CONTROLS.items()])
def test_the_hostile_server_wins_without_the_guard(control: WireControl, monkeypatch: pytest.MonkeyPatch):
    control.broken(monkeypatch)
    with pytest.raises(AssertionError, match=f"^{control.goes_wrong}"):
        control.schedule()
