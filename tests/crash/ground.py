"""What a cell is played on: the sandbox on real sockets, a ledger on disk, processes that are born, and one clock for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.demo.drafts import Draft
from sandbox.demo.practices import PRACTICES
from sandbox.demo.scenes import PAID
from sandbox.demo.staging import play_draft
from sandbox.nextech.exchange import Answer, Call
from sandbox.nextech.faults import Fault
from sandbox.people import SeedPayment
from sandbox.server import RunningSandbox
from sandbox.store.records import Books, OrderRecord
from sandbox.store.shop import Shop
from sandbox.world import SandboxOptions, World
from tests.canaries.people import EVERYBODY, Canary
from tests.crash.life import PRACTICE, Life
from tests.crash.nursery import PATIENCE_SECONDS, Child, Nursery
from tests.crash.places import SILENT, Blow, Cell, Edge, Scenario
from tests.crash.time_machine import TimeMachine
from tests.worlds import PATIENTS, PAY

HELD_BACK_SECONDS = 5.0
"""How long the server keeps an answer to itself at the places where it has done its work and not answered."""
_SILENCE_SECONDS = 1.5
"""How long a process waits for an answer that never comes."""
_ANSWER_SECONDS = 8.0
"""How long it waits for others: less than a freeze, more than the machine's worst moment."""
STAND_STILL_SECONDS = 1.0
"""How long PostgreSQL lets a transaction of the process stand still that will be frozen."""
_LATE_SECONDS = 25 * 60
"""When a late booking comes: after another run could have looked for it in vain, before it counts as absent."""


class Neighbours:
    """The store and Nextech, on a clock that can be set; one pair serves many cells, one after the other."""

    def __init__(self, clock: TimeMachine) -> None:
        self.clock = clock
        self.world = World(SandboxOptions(is_empty=True), clock=clock.now)
        self.sandbox = RunningSandbox(world=self.world)
        self.has_paid = threading.Event()
        """A payment was asked for, and the server has done what it does with it."""
        self.holds_answers_back = False
        answer_at_once = self.world.nextech.answer

        def answer(call: Call) -> Answer:
            answered = answer_at_once(call)
            if self.holds_answers_back and call.method == "POST" and call.path.endswith("/PaymentReconciliation"):
                self.holds_answers_back = False
                self.has_paid.set()
                return replace(answered, delay_seconds=answered.delay_seconds + HELD_BACK_SECONDS)
            return answered

        self.world.nextech.answer = answer  # type: ignore[method-assign]

    @property
    def shop(self) -> Shop:
        return self.world.shops[PRACTICE]

    def begin_again(self) -> None:
        """Forget the last cell."""
        self.clock.seconds = 0.0
        self.shop.faults.clear()
        self.shop.load(Books())
        nextech = self.world.nextech
        nextech.reset([], [])  # not the whole world: building the demo takes longer than most cells
        nextech.switches = replace(nextech.switches, requests_per_second=0)
        self.has_paid.clear()
        self.holds_answers_back = False


@contextmanager
def open_neighbours(folder: Path) -> Iterator[Neighbours]:
    """Start the sandbox, and stop it at the end."""
    neighbours = Neighbours(TimeMachine(folder / "clock"))
    with neighbours.sandbox:
        yield neighbours


@dataclass
class Ground:
    """One cell's world."""

    cell: Cell
    neighbours: Neighbours
    nursery: Nursery
    ledger_url: str
    folder: Path
    others: int = 0
    """So many more known patients order at the same time."""
    is_careless: bool = False
    """Whether the product has a fault that the matrix must notice."""
    children: list[Child] = field(default_factory=list)
    records: list[OrderRecord] = field(default_factory=list)
    fault: Fault = field(init=False)
    person: Canary = field(init=False)

    def __post_init__(self) -> None:
        self.neighbours.begin_again()
        self.person = EVERYBODY[0]
        self._open_charts()
        for person in EVERYBODY[: 1 + self.others]:
            self._place_order(person)
        self.clock.seconds += 600
        route = PATIENTS if self.cell.place.scenario is Scenario.ACCOUNT else PAY
        self.fault = Fault(self.cell.outcome, method="POST", route=route, remaining=1, after_seconds=_LATE_SECONDS)
        self.neighbours.world.nextech.faults.plant(self.fault)
        self.neighbours.holds_answers_back = self.cell.place.edge is Edge.SERVER

    @property
    def clock(self) -> TimeMachine:
        return self.neighbours.clock

    def _open_charts(self) -> None:
        nextech, scenario = self.neighbours.world.nextech, self.cell.place.scenario
        charts = [] if scenario is Scenario.ACCOUNT else [self.person.chart("one")]
        if scenario is Scenario.PERSON:
            charts.append(self.person.chart("two"))
        charts += [person.chart("one") for person in EVERYBODY[1 : 1 + self.others]]
        number = 60 if scenario is Scenario.MANY_PAYMENTS else 0
        earlier = [
            SeedPayment(PRACTICE, self.person.chart("one").patient_id, 700 + index, "2026-10-05", f"visit {index}")
            for index in range(number)
        ]
        nextech.seed(charts, earlier)

    def _place_order(self, person: Canary) -> None:
        draft = Draft(PRACTICES[PRACTICE], self.clock.now(), person.buyer(), (("DRM-SPF50-50ML", 1),))
        record = play_draft(self.neighbours.shop, draft, PAID)[-1]
        person.sign(record)
        self.records.append(record)

    @property
    def record(self) -> OrderRecord:
        """The order that the cell is about."""
        return self.records[0]

    @property
    def answer_seconds(self) -> float:
        """How long the processes wait for the answer to a POST."""
        is_waited_for = self.cell.outcome not in SILENT or self.cell.place.edge is Edge.SERVER
        return _ANSWER_SECONDS if is_waited_for else _SILENCE_SECONDS

    def start(self, *, is_victim: bool = False, visit: int = 1, chosen_patient: str | None = None) -> Child:
        """Start a run, or a person's choice; the victim will stop at the cell's place."""
        place = self.cell.place
        life = Life(
            sandbox_url=self.neighbours.sandbox.url,
            ledger_url=self.ledger_url,
            clock_file=str(self.clock.path),
            folder=str(self.folder),
            name=f"{self.folder.name}-{len(self.children)}",
            answer_seconds=self.answer_seconds,
            stand_still_seconds=STAND_STILL_SECONDS if is_victim and self.cell.blow is Blow.FREEZE else 60.0,
            writer="comment" if place.scenario is Scenario.COMMENTS else "module",
            chosen_patient=chosen_patient,
            stop_at=place.point.value if is_victim and place.point else None,
            stop_at_visit=visit,
            edge=place.edge.name.lower(),
            is_commit_lost=is_victim and self.cell.blow is Blow.LOST,
            is_careless=self.is_careless,
        )
        child = self.nursery.bear(life)
        self.children.append(child)
        return child

    def run(self, *, chosen_patient: str | None = None) -> int:
        """Let one process do its work, and return its exit code."""
        code = self.start(chosen_patient=chosen_patient).wait_until_it_ends()
        assert code is not None, f"a run has not ended after {PATIENCE_SECONDS:.0f} seconds"
        return code

    def said(self) -> dict[str, str]:
        """Return what every process has said on either stream, by file name."""
        return {path.name: path.read_text() for path in sorted(self.folder.glob(f"{self.folder.name}-*"))}
