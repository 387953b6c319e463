"""A practice after some days: orders that are synced and not, reports of both days, and differences to work off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from order_sync.ledger.audit_models import AuditRow
from order_sync.ledger.report_models import DifferenceRow
from order_sync.practices import Practice
from order_sync.reconcile import reconcile_periods
from order_sync.reconciliation.periods import day_of
from tests.houses import SmallHouse
from tests.worlds import SmallWorld

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


def closed_to(house: SmallHouse, login: str) -> None:
    """Let the practice be seen by everybody but this login."""
    for practice in list(house.all_practices.values()):
        house.all_practices[practice.id] = _with_staff(practice, login)


def _with_staff(practice: Practice, login: str) -> Practice:
    others = tuple(known for known in ("viewer", "front.desk", "billing") if known != login)
    return practice.model_copy(update={"staff": others})
