"""The parts in which `make test` plays the simulation, added up at the end: what none of them has met fails the run.

Registered as a plugin of pytest in tests/conftest.py, where all reports come together, also those of xdist's processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

PARTS, SCHEDULES_A_PART = 40, 25
PROPERTY = "schedules"
"""Under this name a part's report carries what its schedules came to."""


class Parts:
    """What the parts of this run came to."""

    def __init__(self) -> None:
        self.played: dict[str, dict[str, Any]] = {}
        """By the name of the test."""

    def counts(self) -> Counter[str]:
        """Return how often each thing has happened, in all parts together."""
        added: Counter[str] = Counter()
        for part in self.played.values():
            added.update(part["counts"])
        return added

    def missed(self) -> list[str]:
        """Return what all parts together should have met and did not; nothing as long as parts are left out."""
        if len(self.played) < PARTS:
            return []
        from tests.stateful.coverage import uncovered

        return uncovered(self.counts(), PARTS * SCHEDULES_A_PART)

    def lines(self) -> list[str]:
        """Return what there is to say."""
        if len(self.played) < PARTS:
            of = f"{len(self.played)} of {PARTS} parts were played"
            return [f"not checked what the schedules have met: {of}, and it takes all"]
        from tests.stateful.coverage import short_table

        payments = sum(part["payments"] for part in self.played.values())
        met = f"{PARTS * SCHEDULES_A_PART:,} schedules with {payments:,} payments have met"
        return [f"{met}:", *short_table(self.counts())]

    # -- what pytest calls

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a part says of itself."""
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "call":
                self.played[report.nodeid] = value  # type: ignore[assignment]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run whose schedules have not met everything."""
        if self.missed() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the counts, and what was missed."""
        if not self.played:
            return
        terminalreporter.section("simulation", sep="-")
        for line in self.lines():
            terminalreporter.write_line(line)
        for name in self.missed():
            terminalreporter.write_line(f"NEVER HAPPENED: {name}", red=True)


def tell_part(record_property: Callable[[str, object], None], *, payments: int, counts: Counter[str]) -> None:
    """Put into a test's report what its schedules came to; xdist carries plain dictionaries only."""
    record_property(PROPERTY, {"payments": payments, "counts": dict(counts)})
