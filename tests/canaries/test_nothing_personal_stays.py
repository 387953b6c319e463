"""Patient data goes through us and stays nowhere (design section 8): not in the ledger, not in a log, not in an error."""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from order_sync.ledger.session import Ledger, open_engine
from order_sync.reasons import Reason
from tests.canaries.leaks import leaks
from tests.canaries.morning_scenes import MORNINGS
from tests.canaries.mornings import morning
from tests.canaries.people import EVERYBODY, Canary
from tests.canaries.scenes import POST_OUTCOMES, SCENES, play_post_outcome
from tests.canaries.stage import Stage, open_stage
from tests.canaries.watch import watching
from tests.clocks import FakeClock
from tests.worlds import WEDNESDAY_NOON


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_leaves_no_patient_data(name: str, stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    scene = SCENES[name]
    scene.play(stage)
    stage.run(after_minutes=(1, 15, 45))
    stage.try_everything()
    morning(stage, is_whole_time_enough=True)
    assert scene.reasons <= stage.reasons
    assert leaks(stage, capsys, tmp_path) == []


@pytest.mark.parametrize("name", POST_OUTCOMES)
def test_an_outcome_of_a_post_leaves_no_patient_data(
    name: str, stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    play_post_outcome(stage, name)
    morning(stage, is_whole_time_enough=True)
    assert stage.reasons >= ({POST_OUTCOMES[name][2]} - {None})
    assert leaks(stage, capsys, tmp_path) == []


@pytest.mark.parametrize("seed", range(4))
def test_answers_of_wrong_shapes_leave_no_patient_data(
    seed: int, stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    for person in EVERYBODY[:4]:
        stage.know(person)
    for person in EVERYBODY[:6]:
        stage.buy(person)
    shares = ((0.02, 0), (0, 0.02), (0.002, 0.002), (0.2, 0.05))[seed]
    misshaping = stage.desk(misshape=shares, seed=seed)
    stage.run(misshaping, after_minutes=(1, 15, 15))
    stage.try_everything(misshaping)
    assert stage.watch.errors or stage.reasons, "nobody minded the shapes"
    assert leaks(stage, capsys, tmp_path) == []


def test_every_reason_of_the_queue_has_been_seen_with_canaries():
    played = {reason for scene in SCENES.values() for reason in scene.reasons}
    played |= {reason for _, _, reason in POST_OUTCOMES.values() if reason}
    played |= {Reason(shown) for one in MORNINGS.values() for shown in one.shows if shown in set(Reason)}
    assert set(Reason) - played == set()


LEAKS = {
    "a log line": lambda _stage, person: logging.getLogger("order_sync.match").debug("matched %s", person.last),
    "the arguments of a log line": lambda _stage, person: logging.getLogger("httpx").info("%.0s", person.email),
    "an error": lambda stage, person: stage.attempt(lambda: int(person.first)),
    "the cause of an error": lambda stage, person: stage.attempt(lambda: _raise_from(person)),
    "a warning": lambda _stage, person: warnings.warn(person.email, stacklevel=1),
    "a print": lambda _stage, person: sys.stdout.write(person.phone),
    "a temporary file": lambda _stage, person: Path(tempfile.mkdtemp(), "export.csv").write_text(person.last),
    "a column": lambda stage, person: _store(stage, person.email),
}


def _raise_from(person: Canary) -> None:
    try:
        int(person.last)
    except ValueError as error:
        msg = "clean"
        raise RuntimeError(msg) from error


def _store(stage: Stage, told: str) -> None:
    with stage.world.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET detail = ?", (f"asked {told}",))


@pytest.mark.parametrize("leak", LEAKS)
def test_the_watch_notices_a_leak_of_each_kind(
    leak: str,
    tmp_path: Path,
    ledger_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    clock = FakeClock(WEDNESDAY_NOON)
    ledger = Ledger(open_engine(ledger_url), clock)
    with watching(tmp_path, monkeypatch) as watch:
        stage = open_stage(ledger, watch, clock)
        stage.know(EVERYBODY[0])
        stage.buy(EVERYBODY[0])
        stage.run()
        LEAKS[leak](stage, EVERYBODY[0])
    assert leaks(stage, capsys, tmp_path)
    ledger.close()
