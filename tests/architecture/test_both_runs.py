"""`make test` is two runs side by side: it fails when either does, and shows what both say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from launch.plan import REPOSITORY
from tests.__main__ import FOLDERS_WITH_SCHEDULER, WITH_SCHEDULER, WITHOUT_SCHEDULER, play_both


def a_run(says: str, code: int) -> tuple[str, ...]:
    return sys.executable, "-c", f"print({says!r}, flush=True); raise SystemExit({code})"


@pytest.mark.parametrize(("beside", "ahead", "expected"), [(0, 0, 0), (1, 0, 1), (0, 2, 2), (1, 2, 2)])
def test_one_run_that_fails_is_enough_and_both_are_shown(
    beside: int, ahead: int, expected: int, capfd: pytest.CaptureFixture[str]
):
    assert play_both(a_run("of the scheduler", beside), a_run("of the others", ahead)) == expected
    said = capfd.readouterr().out.splitlines()
    assert said[:2] == ["of the others", "of the scheduler"]
    assert said[2].endswith(" seconds in all")


def test_every_test_is_in_one_of_them_but_the_long_failures():
    assert WITHOUT_SCHEDULER[-2:] == ("-m", "not scheduler")
    assert WITH_SCHEDULER[-4:-2] == ("-m", "scheduler and not failures")
    marked = {file for file in REPOSITORY.glob("tests/**/*.py") if "mark.scheduler" in file.read_text(encoding="utf-8")}
    looked_into = {file for folder in FOLDERS_WITH_SCHEDULER for file in (REPOSITORY / folder).rglob("*.py")}
    assert marked - looked_into == {Path(__file__)}
    assert len(marked) > 3
