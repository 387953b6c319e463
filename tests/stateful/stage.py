"""A stage on which several processes act in turn, on one virtual clock: one moves at a time, and the seed says which.

Every actor is a greenlet: it gives the stage back where time passes for it, that is where it sleeps, waits for an answer, or
is frozen. So two runs interleave at any outside call and around any commit, and a schedule can be played again to the letter.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from tests.clocks import FakeClock


class Killed(BaseException):
    """End an actor as SIGKILL does; nothing in the product may catch it."""


class InvariantError(AssertionError):
    """Say which invariant does not hold."""


class Actor:
    """One process: a name, its work, and whether it is dead."""

    def __init__(self, stage: Stage, name: str, work: Callable[[], None]) -> None:
        self.stage = stage
        self.name = name
        self.work = work
        self.is_dead = False
        self.in_transaction = False
        self.step = name.split(maxsplit=1)[0]
        self.intents: dict[str, str] = {}
        """Attempt id to request digest: intents whose commit was acknowledged to this process, and that are not sent yet."""
        self.greenlet = greenlet(self.run)

    def run(self) -> None:
        try:
            if self.stage.failure is None:
                self.work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the one who waits for it
            self.stage.fail(error)
        finally:
            self.stage.living.discard(self)


class Stage:
    """The clock, what is due on it, and who acts."""

    def __init__(self, seed: int, start: datetime) -> None:
        self.rng = random.Random(seed)
        self.clock = StageClock(self, start)
        self.start = start
        self.failure: BaseException | None = None
        self.living: set[Actor] = set()
        self.current: Actor | None = None
        self.director = getcurrent()
        """Who gives the turns; gets the stage back from every actor."""
        self.counts: Counter[str] = Counter()
        self.trace: list[tuple[str, str]] = []
        self._due: list[tuple[datetime, int, Callable[[], None] | Actor]] = []
        self._numbers = count()

    def at(self, instant: datetime, event: Callable[[], None] | Actor) -> None:
        heapq.heappush(self._due, (instant, next(self._numbers), event))

    def after(self, event: Callable[[], None] | Actor, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        self.at(self.clock.now() + timedelta(hours=hours, minutes=minutes, seconds=seconds), event)

    def begin(self, name: str, work: Callable[[], None]) -> None:
        """Let a new process begin now."""
        actor = Actor(self, name, work)
        actor.greenlet.parent = self.director
        self.living.add(actor)
        self.at(self.clock.now(), actor)

    def play(self, until: datetime) -> None:
        """Let everything happen that is due until then; raise what an actor met."""
        while self._due and self._due[0][0] <= until and self.failure is None:
            instant, _, event = heapq.heappop(self._due)
            self.clock.set_to(instant)
            if isinstance(event, Actor):
                self._give_turn(event)
            else:
                event()
        self._end_all()
        if self.failure is not None:
            raise self.failure

    def wait(self, seconds: float) -> None:
        """Let time pass for whoever acts; others act meanwhile."""
        actor, wake = self.current, self.clock.now() + timedelta(seconds=seconds)
        if actor is None:
            self.clock.set_to(wake)
            return
        if not self._due or self._due[0][0] > wake:
            self.clock.set_to(wake)
            return
        if actor.in_transaction:
            self.fail(InvariantError("a transaction is held open across an outside call"))
        self.at(wake, actor)
        self.director.switch()
        if self.failure is not None:
            actor.is_dead = True
            raise Killed

    def fail(self, error: BaseException) -> None:
        self.failure = self.failure or error

    def note(self, what: str) -> None:
        """Count something, and keep it in the trace by which two plays of a schedule are compared."""
        self.counts[what] += 1
        self.trace.append((self.clock.now().isoformat(), what))

    def _give_turn(self, actor: Actor) -> None:
        self.current = actor
        actor.greenlet.switch()
        self.current = None

    def _end_all(self) -> None:
        if self.living:
            self.fail(InvariantError(f"still at work at the end: {sorted(actor.name for actor in self.living)}"))
        for actor in list(self.living):
            self._give_turn(actor)


class StageClock(FakeClock):
    """The one clock of the product and of its neighbours."""

    def __init__(self, stage: Stage, start: datetime) -> None:
        super().__init__(start)
        self.stage = stage

    def sleep(self, seconds: float) -> None:
        self.stage.wait(seconds)

    def set_to(self, instant: datetime) -> None:
        self.advance(seconds=max(0.0, (instant - self.now()).total_seconds()))
