"""What the parts of the simulation have met is added up, and a gap fails the run."""

from __future__ import annotations

import os
import sys
from collections import Counter

import pytest

from tests.stateful.coverage import GROUPS, REQUIRED, short_table
from tests.stateful.parts import PARTS, PROPERTY, Parts

pytest_plugins = ["pytester"]

GAP = "step queued -> closed"
PLAYED = """
import pytest
from tests.stateful.parts import PARTS, tell_part

@pytest.mark.parametrize("part", range(PARTS))
def test_part(part, record_property):
    tell_part(record_property, payments=70, counts=COUNTS)
"""
REGISTERED = """
from tests.stateful.parts import Parts

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Parts())
"""


def reported(part: int, counts: Counter[str], when: str = "call") -> pytest.TestReport:
    told = [("other", "x"), (PROPERTY, {"payments": 70, "counts": dict(counts)})]
    return pytest.TestReport(f"test[{part}]", ("test", 1, "test"), {}, "passed", None, when, user_properties=told)  # type: ignore[arg-type]


def test_a_gap_in_all_parts_fails_a_run_in_processes_of_its_own(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # importing the others takes longer than the run
    pytester.makeconftest(REGISTERED)
    pytester.makepyfile(PLAYED.replace("COUNTS", repr({name: 1 for name in REQUIRED if name != GAP})))
    run = pytester.runpytest_subprocess("-p", "xdist", "-n", "1", "-q")
    run.assert_outcomes(passed=PARTS)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["1,000 schedules with 2,800 payments have met:", f"NEVER HAPPENED: {GAP}"])


def test_what_one_part_alone_has_met_is_no_gap():
    parts = Parts()
    for part in range(PARTS):
        parts.pytest_runtest_logreport(reported(part, Counter(REQUIRED) if part == 7 else Counter(REQUIRED[:3])))
    assert parts.missed() == []
    assert f"None -> received {PARTS}" in "\n".join(parts.lines())


def test_a_run_of_some_parts_says_that_it_has_checked_nothing():
    parts = Parts()
    for part in range(PARTS - 1):
        parts.pytest_runtest_logreport(reported(part, Counter()))
        parts.pytest_runtest_logreport(reported(PARTS, Counter(), when="teardown"))
    assert parts.missed() == []
    assert parts.lines() == ["not checked what the schedules have met: 39 of 40 parts were played, and it takes all"]


def test_the_short_table_shows_everything_that_is_required():
    assert Counter(name for entries in GROUPS.values() for names in entries.values() for name in names) == Counter(REQUIRED)
    numbers = {name: number for number, name in enumerate(REQUIRED, start=1_000)}
    shown = "\n".join(short_table(Counter(numbers)))
    assert all(f"{number:,}" in shown for number in numbers.values())
