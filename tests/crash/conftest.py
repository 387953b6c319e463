"""One sandbox and one warm interpreter for all cells of a test process; a ledger of its own for each cell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.cells import WHOLE, all_cells, count
from tests.crash.ground import Ground, Neighbours, open_neighbours
from tests.crash.nursery import Nursery
from tests.crash.places import Cell


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with open_neighbours(tmp_path_factory.mktemp("neighbours")) as neighbours:
        yield neighbours


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def database(cell: Cell) -> str:
    """Which database the cell's ledger is in."""
    return cell.database


@pytest.fixture
def ground(cell: Cell, neighbours: Neighbours, nursery: Nursery, ledger_url: str, tmp_path: Path) -> Ground:
    return Ground(cell, neighbours, nursery, ledger_url, tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often each place, signal, outcome and database was met, when the whole matrix was asked for."""
    if os.environ.get("CRASH_CELLS") != WHOLE:
        return
    met = _met(terminalreporter)
    for kind in ("place", "signal", "outcome", "database", "end"):
        terminalreporter.section(kind, sep="-")
        for (found, name), number in sorted(met.items()):
            if found == kind:
                terminalreporter.write_line(f"{number:6d}  {name}")
    for kind, name in _missing(met):
        terminalreporter.write_line(f"MISSING {kind}: {name}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the whole matrix when something of it was never met."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_controller = not hasattr(session.config, "workerinput")
    if os.environ.get("CRASH_CELLS") == WHOLE and is_controller and reporter is not None and _missing(_met(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _met(reporter: pytest.TerminalReporter) -> Counter[tuple[str, str]]:
    reports = [report for report in reporter.stats.get("passed", []) if getattr(report, "when", "") == "call"]
    return Counter((str(kind), str(name)) for report in reports for kind, name in report.user_properties)


def _missing(met: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(set(count(all_cells())) - set(met))
