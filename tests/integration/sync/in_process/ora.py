"""Ora, whose order was sent to the wrong one of her two charts: what the tests of an undo begin with."""

from order_sync.collect import collect_facts
from order_sync.ledger.models import OrderRow
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.periods import month_of
from order_sync.resolve import choose_patient
from order_sync.undo import begin_undo, look_for_void, post_to
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from tests.worlds import WEDNESDAY_NOON, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")


class Ora:
    """Ora has two charts; her order was sent to the wrong one."""

    def __init__(self, world: SmallWorld) -> None:
        self.world = world
        world.add_chart(ORA, "wrong", birth_date=None)
        world.add_chart(ORA, "right", birth_date=None)
        self.wrong, self.right = (chart.patient_id for chart in world.charts())
        world.place(ORA.buyer())
        world.run()
        choose_patient(world.desk(), self.order.id, self.wrong, actor="ellis")

    @property
    def order(self) -> OrderRow:
        return self.world.orders()[0]

    def live(self) -> list[tuple[str, int]]:
        """Return on whom so many cents stand under the order's marker."""
        marker = self.world.payment().marker
        rows = self.world.nextech.offices["eastern"].chart.payments.values()
        return [(row.patient_guid, row.amount_cents) for row in rows if row.marker == marker and row.status == "active"]

    def void(self) -> None:
        self.world.staff("void", payment_id=self.world.payment().payment_id)

    def begin(self) -> None:
        begin_undo(self.world.desk(), self.order.id, actor="dana", version=self.order.version)

    def look(self, **how: object) -> OrderRow:
        return look_for_void(self.world.desk(), self.order.id, actor="dana", **how)

    def post_to(self, patient_id: str | None = None, **how: object) -> OrderRow:
        return post_to(self.world.desk(), self.order.id, patient_id or self.right, actor="dana", **how)

    def classes(self) -> dict[str, int]:
        desk, period = self.world.desk(), month_of(WEDNESDAY_NOON.date())
        lines = reconcile(collect_facts(desk, period).facts, period, practice_id="eastern", as_of=self.world.clock.now())
        return {row["class_"]: int(row["explains_cents"]) for row in lines.to_dict("records")}
