"""The Orders pages on a real socket, over a small world in which every situation of the demo has happened to one practice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from order_sync.ledger.migrate import migrate
from order_sync.ledger.session import Ledger, open_engine
from order_sync.reconcile import reconcile_periods
from order_sync.reconciliation.periods import day_of, month_of
from order_sync.web.app import create_app
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.houses import NamedAtTheDoor, SmallHouse
from tests.worlds import WEDNESDAY_NOON, SmallWorld


@dataclass(frozen=True, slots=True)
class Stage:
    """The pages, and the world behind them."""

    url: str
    """Without a slash at its end."""
    house: SmallHouse

    @property
    def world(self) -> SmallWorld:
        return self.house.world


@contextmanager
def open_small_world(folder: Path, options: SandboxOptions | None = None) -> Iterator[SmallWorld]:
    """Open a world with a ledger of its own on SQLite; nothing has happened in it yet."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate(url)
    clock = FakeClock(WEDNESDAY_NOON)
    ledger = Ledger(open_engine(url), clock)
    try:
        yield SmallWorld(ledger, clock, options or SandboxOptions())
    finally:
        ledger.close()


def live_through(world: SmallWorld) -> None:
    """Let the demo's orders be synced, three mornings be reconciled, and a payment be voided afterwards."""
    world.run_after(minutes=(0, 15, 15))
    for day in (16, 17, 18):
        cut_off = day_of(date(2026, 11, day)).cut_off(world.desk().practice)
        world.clock.advance(minutes=max(0.0, (cut_off + timedelta(hours=9) - world.clock.now()).total_seconds() / 60))
        reconcile_periods(world.desk(), [day_of(date(2026, 11, day))])
    reconcile_periods(world.desk(), [month_of(date(2026, 10, 1))])
    world.staff("void", payment_id=world.booked()[0].payment_id)
    world.run_after(minutes=(0, 15))


@contextmanager
def serve(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port of the loopback; yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the pages did not start"
        thread.join(0.02)
    [listener] = server.servers[0].sockets
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def open_stage(world: SmallWorld) -> Iterator[Stage]:
    """Serve the pages over a world."""
    house = SmallHouse(world)
    house.all_practices = {world.practice_id: house.all_practices[world.practice_id]}
    with serve(create_app(house, NamedAtTheDoor())) as url:
        yield Stage(url, house)
