"""The product as one real process: it takes the four steps of a run, or a person's choice, and stops where it is told."""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.orm import Session

from order_sync import crash_points
from order_sync.clients import deadline
from order_sync.clients.limiter import PacedLimiter, SharedLimiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.crash_points import Point
from order_sync.desk import Desk, Threads
from order_sync.errors import OrderSyncError
from order_sync.extract import extract_orders
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.session import Ledger, open_engine
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.post import post_payments
from order_sync.practices import Practice
from order_sync.resolve import choose_patient
from sandbox.demo.practices import NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PRACTICES
from tests.crash.time_machine import TimeMachine
from tests.desks import KEYS, QUICK, demo_practices

PRACTICE = "eastern"
TERMINATED = 143
BROKEN = 70
"""The exit code of a process that something unforeseen ended."""


@dataclass(frozen=True, slots=True)
class Life:
    """All that a process is told when it is born."""

    sandbox_url: str
    ledger_url: str
    clock_file: str
    folder: str
    name: str
    answer_seconds: float
    stand_still_seconds: float = 60.0
    writer: Literal["module", "comment"] = "module"
    chosen_patient: str | None = None
    """Choose this patient for the one order there is, instead of a run."""
    stop_at: str | None = None
    stop_at_visit: int = 1
    edge: str = "point"
    is_commit_lost: bool = False
    is_careless: bool = False
    """Take an unknown outcome for a failure: a product with a fault, which the matrix must notice."""

    def described(self) -> dict[str, Any]:
        return asdict(self)


class ShiftedLedger(Ledger):
    """The ledger, with the database's own time and as much as the machine is ahead."""

    machine: TimeMachine

    def _now(self, session: Session) -> datetime:
        return super()._now(session) + timedelta(seconds=self.machine.seconds)


class Stopper:
    """Stop the process, all of its threads, at one place: whoever started it decides what becomes of it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._visits = 0
        self._armed_in: int | None = None

    def reach(self, point: Point) -> None:
        """Be told of a point."""
        life = self._life
        if point.value != life.stop_at:
            return
        self._visits += 1
        if self._visits != life.stop_at_visit:
            return
        if life.edge == "commit":
            self._armed_in = threading.get_ident()
        else:
            stop()

    def stand_behind_commits(self, ledger: Ledger) -> None:
        """Stop when the database has done the commit and before anybody hears of it; or say that no answer came."""
        dialect = ledger.engine.dialect
        commit = dialect.do_commit

        def do_commit(connection: Any) -> None:
            commit(connection)
            if self._armed_in == threading.get_ident():
                self._armed_in = None
                if self._life.is_commit_lost:
                    raise dialect.loaded_dbapi.OperationalError("the connection was lost")
                stop()

        dialect.do_commit = do_commit  # type: ignore[assignment]


def stop() -> None:
    """Stop here: to this very thread, because the process's others may run on for a moment."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def warm_up() -> None:
    """Do once, before any process is born, what each would do at its beginning and what is the same for all."""
    _practice()
    deadline._tls = cache(deadline._tls)
    deadline._tls(None)
    gc.collect()
    gc.freeze()


@cache
def _practice() -> Practice:
    return demo_practices()[PRACTICE]


def live(life: Life) -> None:
    """Be the process, and end with its exit code."""
    code = BROKEN
    try:
        _speak_into_files(life)
        if life.is_careless:
            _become_careless()
        signal.signal(signal.SIGTERM, _end_gently)
        code = _work(life)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - a process ends here whatever it is
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _become_careless() -> None:
    from order_sync import sending
    from order_sync.payments import PostAnswer, PostOutcome

    record = sending._record

    def record_carelessly(tx: Any, desk: Any, intent: Any, attempt: Any, answer: PostAnswer) -> None:
        is_unclear = answer.outcome is PostOutcome.UNKNOWN
        record(tx, desk, intent, attempt, replace(answer, outcome=PostOutcome.NOT_EXECUTED) if is_unclear else answer)

    sending._record = record_carelessly


def _speak_into_files(life: Life) -> None:
    for stream, number in (("out", 1), ("err", 2)):
        file = os.open(Path(life.folder, f"{life.name}.{stream}"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    tempfile.tempdir = life.folder
    logging.basicConfig(level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s", force=True)


def _end_gently(_number: int, _frame: object) -> None:
    """End as a task does: what is in `finally` is done."""
    raise SystemExit(TERMINATED)


def _work(life: Life) -> int:
    stopper = Stopper(life)
    crash_points.watch(stopper.reach)
    desk = _desk(life)
    stopper.stand_behind_commits(desk.ledger)
    steps: list[Callable[[], object]] = [
        lambda: extract_orders(desk, holder=life.name),
        lambda: match_patients(desk),
        lambda: post_payments(desk),
        lambda: mark_status(desk),
    ]
    if life.chosen_patient is not None:
        steps = [lambda: _choose(desk, life.chosen_patient or "")]
    code = 0
    for step in steps:
        try:
            step()
        except OrderSyncError as error:  # as in the DAG, the next step does what it can
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            code = 1
    return code


def _choose(desk: Desk, patient_id: str) -> None:
    with desk.ledger.transaction() as tx:
        order_id = tx.session.connection().exec_driver_sql("SELECT id FROM orders").scalar_one()
    choose_patient(desk, order_id, patient_id, actor="dana")


def _desk(life: Life) -> Desk:
    facts, clock = PRACTICES[PRACTICE], TimeMachine(Path(life.clock_file))
    posting = _practice().posting.model_copy(update={"answer_seconds": life.answer_seconds})
    practice = _practice().model_copy(update={"posting": posting})
    ledger = ShiftedLedger(open_engine(life.ledger_url, stand_still_seconds=life.stand_still_seconds))
    ledger.machine = clock
    nextech = NextechClient(
        NextechConnection(
            base_url=f"{life.sandbox_url}/nextech/api",
            token_url=f"{life.sandbox_url}/nextech/oauth2/token",
            username=facts.nextech_user,
            password=facts.nextech_password,
            client_id=NEXTECH_CLIENT_ID,
            resource=NEXTECH_RESOURCE,
            practice_guid=facts.practice_guid,
        ),
        limiter=SharedLimiter(LedgerSlots(ledger), QUICK, clock),
        clock=clock,
        rng=random.Random(1),
        answer_seconds=life.answer_seconds,
    )
    store = StoreClient(
        StoreConnection(f"{life.sandbox_url}/store/{PRACTICE}", Bearer(facts.store_token), life.writer),
        limiter=PacedLimiter(QUICK, clock),
        clock=clock,
        rng=random.Random(1),
    )
    return Desk(practice, store, nextech, ledger, KEYS, clock, Threads(4))
