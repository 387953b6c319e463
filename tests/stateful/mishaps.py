"""Where a process can be killed, frozen or cheated of an answer: around every outside call and every commit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from order_sync.ledger.models import AttemptKind, AttemptRow
from order_sync.ledger.session import Ledger, Transaction
from tests.stateful.pace import Pace
from tests.stateful.stage import Actor, InvariantError, Killed, Stage

FREEZES_SECONDS = (10, 120, 1_200, 7_200)
WHERE_MONEY_MOVES = ("nextech POST payment", "nextech POST Patient")
HIT_MORE_OFTEN = 5
PACED = ("nextech GET", "nextech POST pa", "nextech POST Pa")
"""Every endpoint but the login's, which has no limit."""


@dataclass(slots=True)
class Fate:
    """How often what goes wrong at one place: shares of the passages."""

    kill: float = 0.0
    freeze: float = 0.0
    pause: float = 0.0
    """A short wait, so that others act in between."""
    lost_commit: float = 0.0
    """Done, but the answer is lost."""
    failed_commit: float = 0.0
    """Not done."""
    latency_seconds: float = 0.0
    """At most so long takes an outside call that goes well."""


class Crossing:
    """Meet every process at every place where it can be hit."""

    def __init__(self, stage: Stage, on_step: Callable[[], None]) -> None:
        self.stage = stage
        self.fate = Fate()
        self.pace = Pace(stage)
        self.on_step = on_step
        """Checks the invariants."""

    def actor(self) -> Actor | None:
        actor = self.stage.current
        if actor is not None and actor.is_dead:
            raise Killed
        return actor

    def pass_by(self, place: str) -> None:
        """Let the process pass, or hit it."""
        actor = self.actor()
        if actor is None:
            return
        fate, rng = self.fate, self.stage.rng
        weight = HIT_MORE_OFTEN if place.endswith(WHERE_MONEY_MOVES) else 1
        kill, freeze = weight * fate.kill, weight * fate.freeze
        roll = rng.random()
        if roll < kill:
            # SIGTERM lets `finally` work; SIGKILL does not.
            is_gentle = rng.random() < 0.3
            actor.is_dead = not is_gentle
            self.stage.note(f"kill {place}")
            raise Killed
        roll -= kill
        if roll < freeze:
            seconds = rng.choice(FREEZES_SECONDS)
            self.stage.note(f"freeze {place}")
            self.stage.wait(seconds)
        elif roll - freeze < fate.pause:
            self.stage.wait(rng.uniform(0.0, 2.0))

    def take_time(self) -> None:
        """Let an outside call last, so that processes that run side by side meet in the middle of their work."""
        if self.fate.latency_seconds and self.stage.current is not None:
            self.stage.wait(self.stage.rng.uniform(0.02, self.fate.latency_seconds))


class CrossedTransport(httpx.BaseTransport):
    """Stand between a client and its server."""

    def __init__(self, inner: httpx.BaseTransport, crossing: Crossing, name: str) -> None:
        self.inner = inner
        self.crossing = crossing
        self.name = name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        actor = self.crossing.actor()
        if actor is not None and actor.in_transaction:
            self.crossing.stage.fail(InvariantError("a transaction is held open across an outside call"))
        place = f"{self.name} {request.method} {_short(request.url.path)}"
        if place.startswith(PACED):
            self.crossing.pace.note(place)
        self.crossing.pass_by(f"before {place}")
        if place == "nextech POST payment":
            _check_intent(actor, request.read())
        elif place == "nextech POST Patient":
            _check_account(actor)
        self.crossing.stage.note(f"sent {place}")
        self.crossing.take_time()
        try:
            return self.inner.handle_request(request)
        finally:
            self.crossing.on_step()
            self.crossing.pass_by(f"after {place}")


def _short(path: str) -> str:
    path = path.rstrip("/")
    if path.endswith("/PaymentReconciliation"):
        return "payments" if "/Patient/" not in path else "payment"
    return path.rsplit("/", 1)[-1] if "/Patient/" not in path else "Patient/{id}"


def _check_intent(actor: Actor | None, body: bytes) -> None:
    """I4: no POST without an acknowledged intent of that attempt."""
    digest = hashlib.sha256(body).hexdigest()
    mine = [attempt for attempt, known in (actor.intents if actor else {}).items() if known == digest]
    if actor is None or not mine:
        msg = "I4: a payment is sent whose intent was not acknowledged, or that was sent before"
        error = InvariantError(msg)
        if actor is not None:
            actor.stage.fail(error)
        raise error
    del actor.intents[mine[0]]


def _check_account(actor: Actor | None) -> None:
    mine = [attempt for attempt, known in (actor.intents if actor else {}).items() if known == "account"]
    if actor is None or not mine:
        msg = "I4: an account is asked for without an acknowledged intent"
        error = InvariantError(msg)
        if actor is not None:
            actor.stage.fail(error)
        raise error
    del actor.intents[mine[0]]


class CrossedLedger(Ledger):
    """The ledger as one of several processes sees it: its commits may fail, or succeed without saying so."""

    def __init__(self, engine: Engine, crossing: Crossing) -> None:
        super().__init__(engine, crossing.stage.clock)
        self.crossing = crossing
        self.attempts: set[str] = set()
        # One session for all, as only one transaction is open at a time: making them costs more than what they do.
        self._session = Session(engine.connect(), expire_on_commit=False, join_transaction_mode="control_fully")
        self._sessions = lambda: self._session  # type: ignore[assignment]

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        stage, fate = self.crossing.stage, self.crossing.fate
        actor = self.crossing.actor()
        step = actor.step if actor else "test"
        self.crossing.pass_by(f"before transaction of {step}")
        with super().transaction() as tx:
            if actor:
                actor.in_transaction = True
            try:
                yield tx
                tx.session.flush()
                new = self._new_attempts(tx)
                roll = stage.rng.random()
                if actor and roll < fate.failed_commit:
                    stage.note(f"failed commit of {step}")
                    raise _lost()
            finally:
                if actor:
                    actor.in_transaction = False
        self.attempts.update(new)
        self.crossing.on_step()
        if actor and roll - fate.failed_commit < fate.lost_commit:
            stage.note(f"lost commit of {step}")
            raise _lost()
        if actor:
            actor.intents.update(new)
        self.crossing.pass_by(f"after commit of {step}")

    def _now(self, session: Session) -> datetime:
        # Past SQLAlchemy: with a listener for its "begin", every statement asks whom else it should tell.
        opened = session.connection().connection.dbapi_connection
        assert opened is not None
        opened.cursor().execute("BEGIN IMMEDIATE")
        return self.crossing.stage.clock.now()

    def _new_attempts(self, tx: Transaction) -> dict[str, str]:
        rows = [row for row in tx.session.identity_map.values() if isinstance(row, AttemptRow)]
        return {
            row.attempt_id: row.request_sha256 if row.kind is AttemptKind.PAYMENT else "account"
            for row in rows
            if row.attempt_id not in self.attempts
        }


def _lost() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("the connection to the database was lost"))
