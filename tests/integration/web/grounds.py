"""A practice after some days: orders that are synced and not, reports of both days, and differences to work off."""

from __future__ import annotations

import copy
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import event, select

from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.report_models import DifferenceRow
from order_sync.ledger.session import Ledger, open_engine
from order_sync.practices import Practice
from order_sync.reconcile import reconcile_periods
from order_sync.reconciliation.periods import day_of
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.houses import SmallHouse
from tests.worlds import WEDNESDAY_NOON, SmallWorld

WEDNESDAY, THURSDAY = date(2026, 11, 18), date(2026, 11, 19)
WEDNESDAYS, THURSDAYS = "eastern-2026-11-18-v2", "eastern-2026-11-19-v1"


@dataclass
class Reported:
    """A house whose reports stand: on Wednesday four orders were posted, one of which staff voided on Thursday."""

    house: SmallHouse
    voided_number: str

    @property
    def world(self) -> SmallWorld:
        return self.house.world

    def differences(self) -> list[DifferenceRow]:
        with self.world.ledger.reading() as tx:
            return list(tx.session.scalars(select(DifferenceRow).order_by(DifferenceRow.id)))

    def audit(self) -> list[AuditRow]:
        with self.world.ledger.reading() as tx:
            return list(tx.session.scalars(select(AuditRow).order_by(AuditRow.id)))


def report(world: SmallWorld, day: date) -> None:
    """Let it be nine o'clock of the next morning, and report the day."""
    at = day_of(day).cut_off(world.desk().practice) + timedelta(hours=9)
    world.clock.advance(minutes=(at - world.clock.now()).total_seconds() / 60)
    reconcile_periods(world.desk(), [day_of(day)])


def two_days(world: SmallWorld) -> Reported:
    """Sync on Wednesday, void one payment, and report Wednesday, Thursday, and Wednesday again as it is by then."""
    world.run_after(minutes=(0, 15))
    report(world, WEDNESDAY)
    booked = world.booked()[0]
    world.staff("void", payment_id=booked.payment_id)
    report(world, THURSDAY)
    reported = Reported(SmallHouse(world), "")
    return replace(reported, voided_number=reported.differences()[0].number or "")


@contextmanager
def open_copy(kept: Path, path: Path, clock: FakeClock) -> Iterator[Ledger]:
    """Open a copy of a ledger that was kept; nothing waits for the disk."""
    shutil.copyfile(kept, path)
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _trust_the_disk)
    ledger = Ledger(engine, clock)
    try:
        yield ledger
    finally:
        ledger.close()


def _trust_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@dataclass(frozen=True)
class Played:
    """A world that was played once, for tests that only look at its store and its Nextech; each has the ledger for itself."""

    reported: Reported
    kept: Path

    @contextmanager
    def again(self, path: Path) -> Iterator[Reported]:
        """Begin where the play ended, with the ledger of that moment."""
        world = copy.copy(self.reported.world)
        played_until = world.clock.now()
        with open_copy(self.kept, path, world.clock) as world.ledger:
            house = SmallHouse(world, all_practices=dict(self.reported.house.all_practices))
            yield replace(self.reported, house=house)
        world.clock.set(played_until)


def play(migrated: Path, folder: Path, happening: Callable[[SmallWorld], Reported]) -> Played:
    """Let it happen to four paid orders of four known patients, once."""
    kept, clock = folder / "played.db", FakeClock(WEDNESDAY_NOON)
    with open_copy(migrated, kept, clock) as ledger:
        reported = happening(SmallWorld(ledger, clock, SandboxOptions(is_empty=True, load={"eastern": 4})))
    return Played(reported, kept)


def closed_to(house: SmallHouse, login: str) -> None:
    """Let the practice be seen by everybody but this login."""
    for practice in list(house.all_practices.values()):
        house.all_practices[practice.id] = _with_staff(practice, login)


def _with_staff(practice: Practice, login: str) -> Practice:
    others = tuple(known for known in ("viewer", "front.desk", "billing") if known != login)
    return practice.model_copy(update={"staff": others})
