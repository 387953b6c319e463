"""The real code under seeded schedules of faults, kills, freezes and people: nothing lost, doubled, stuck or misplaced."""

import gc
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from order_sync.clients.nextech import NextechClient
from order_sync.errors import PermanentError
from order_sync.payments import PostAnswer, PostOutcome, PreparedPayment
from tests.stateful import town
from tests.stateful.many import Total, play_and_clean, replay_command
from tests.stateful.parts import PARTS, SCHEDULES_A_PART, tell_part
from tests.stateful.schedule import play
from tests.worlds import NoWaiting


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Nobody reads the log of a schedule, and much of the time would go into writing it.

    What other tests have left is frozen: the collector would look at all of it again after every twenty schedules.
    """
    logging.disable(logging.CRITICAL)
    gc.disable()
    gc.freeze()
    yield
    gc.enable()
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_fails_no_payment_is_lost_doubled_stuck_or_on_a_wrong_patient(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    total = Total()
    for seed in range(1 + part * SCHEDULES_A_PART, 1 + (part + 1) * SCHEDULES_A_PART):
        total.add(play_and_clean(seed))
    tell_part(record_property, payments=total.ended["payments"], counts=total.counts)
    told = [f"{bad.broken or dict(bad.ended)}: {replay_command(bad.seed)}" for bad in total.failures]
    assert not told, "\n".join(told)
    assert total.ended["payments"] > SCHEDULES_A_PART, "a world in which nothing is posted proves nothing"
    assert total.counts["step intent -> unknown"]


def test_a_seed_plays_the_same_schedule_every_time() -> None:
    assert len({play(7).digest for _ in range(3)}) == 1
    assert play(8).digest != play(7).digest


def test_a_seed_plays_the_same_schedule_in_another_process() -> None:
    command = [sys.executable, "-m", "tests.stateful", "--seed", "7", "--schedules", "1"]
    paths = os.pathsep.join(sys.path)
    told = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "4711"}, capture_output=True, text=True, check=True
    )
    assert f"seed 7, trace {play(7).digest}:" in told.stdout


def test_requests_that_are_not_paced_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town, "SharedLimiter", lambda _slots, _rate, _clock: NoWaiting())
    assert any("I8" in (play(seed).broken or "") for seed in range(1, 41))


def test_a_client_that_sends_twice_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    once = NextechClient.send_payment

    def twice(self: NextechClient, prepared: PreparedPayment, *, send_by: float) -> PostAnswer:
        once(self, prepared, send_by=send_by)
        return once(self, prepared, send_by=send_by)

    monkeypatch.setattr(NextechClient, "send_payment", twice)
    told = [play(seed).broken for seed in range(1, 4)]
    assert any("I4" in (broken or "") for broken in told)


def test_posting_again_within_a_day_is_refused_and_the_schedules_ask_for_it() -> None:
    asked = Total()
    for seed in range(1, 7):
        asked.add(play(seed))
    assert asked.counts[f"page: post again answered {PermanentError.__name__}"]


def test_taking_an_unknown_outcome_for_a_failure_doubles_payments_and_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    once = NextechClient.send_payment

    def without_doubt(self: NextechClient, prepared: PreparedPayment, *, send_by: float) -> PostAnswer:
        answer = once(self, prepared, send_by=send_by)
        return replace(answer, outcome=PostOutcome.NOT_EXECUTED) if answer.outcome is PostOutcome.UNKNOWN else answer

    monkeypatch.setattr(NextechClient, "send_payment", without_doubt)
    assert any("I1" in (play(seed).broken or "") for seed in (3, 10, *range(11, 31)))
