"""Where a process is hit, with what, and what becomes of the POST that it makes: the dimensions of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from order_sync.crash_points import Point
from sandbox.nextech.faults import Effect


class Scenario(StrEnum):
    """What there is to do."""

    PAYMENT = "a paid order of a known patient"
    ACCOUNT = "a paid order of somebody new"
    PERSON = "a paid order of somebody with two charts: a person picks one"
    MANY_PAYMENTS = "a paid order of a patient with sixty payments"
    COMMENTS = "a paid order; the store takes comments only"


class Phase(StrEnum):
    """How far the request that must not be repeated is at a place."""

    BEFORE = "not intended"
    INTENDED = "intended, not sent"
    CUT = "sent in part"
    SENT = "sent, not answered"
    HALF_ANSWERED = "answered in part"
    ANSWERED = "answered, not recorded"
    RECORDED = "recorded"


class Edge(StrEnum):
    """What exactly is waited for."""

    POINT = "the point"
    COMMIT = "the end of the commit that follows the point; its answer has not come"
    SERVER = "the server has done it and has not answered"


@dataclass(frozen=True, slots=True)
class Place:
    """One place: its row in reliability 2.1, and how it is found."""

    name: str
    row: str
    point: Point | None
    phase: Phase
    scenario: Scenario = Scenario.PAYMENT
    edge: Edge = Edge.POINT
    holds_transaction: bool = False
    """Another process may have to wait for a lock that this one holds."""


PLACES = (
    Place("before the extract's transaction", "K1", Point.PAGE_READ, Phase.BEFORE),
    Place("inside the extract's transaction", "K2", Point.PAGE_STAGED, Phase.BEFORE, holds_transaction=True),
    Place("after the extract's commit", "K3", Point.PAGE_COMMITTED, Phase.BEFORE),
    Place("between the reads of matching", "K4", Point.ORDERS_READ_AGAIN, Phase.BEFORE),
    Place("account: intended", "K5", Point.ACCOUNT_INTENDED, Phase.INTENDED, Scenario.ACCOUNT),
    Place("account: sent in part", "K5", Point.POST_PARTLY_WRITTEN, Phase.CUT, Scenario.ACCOUNT),
    Place("account: sent", "K5", Point.POST_WRITTEN, Phase.SENT, Scenario.ACCOUNT),
    Place("account: answered", "K5", Point.ACCOUNT_ANSWERED, Phase.ANSWERED, Scenario.ACCOUNT),
    Place("after the look, before the claim", "K6", Point.PAYMENTS_LOOKED_FOR, Phase.BEFORE),
    Place("before the claim's COMMIT", "K7", Point.INTENT_RECORDED, Phase.BEFORE, holds_transaction=True),
    Place("inside the claim's COMMIT", "K7", Point.INTENT_RECORDED, Phase.INTENDED, edge=Edge.COMMIT),
    Place("after the claim, before connecting", "K8", Point.INTENT_COMMITTED, Phase.INTENDED),
    Place("a part of the request written", "K9", Point.POST_PARTLY_WRITTEN, Phase.CUT),
    Place("the request written", "K10", Point.POST_WRITTEN, Phase.SENT),
    Place("the server is done, not answered", "K11", None, Phase.SENT, edge=Edge.SERVER),
    Place("the answer half read", "K12", Point.ANSWER_PARTLY_READ, Phase.HALF_ANSWERED),
    Place("the answer read, not recorded", "K13", Point.ANSWER_READ, Phase.ANSWERED),
    Place("before the result's COMMIT", "K14", Point.RESULT_RECORDED, Phase.ANSWERED, holds_transaction=True),
    Place("inside the result's COMMIT", "K14", Point.RESULT_RECORDED, Phase.RECORDED, edge=Edge.COMMIT),
    Place("after the result's commit", "K15", Point.RESULT_COMMITTED, Phase.RECORDED),
    Place("before the status is told", "K16", Point.STATUSES_LEASED, Phase.RECORDED),
    Place("the status told, not recorded", "K16", Point.STATUSES_TOLD, Phase.RECORDED),
    Place("a comment added, not recorded", "K16", Point.COMMENT_ADDED, Phase.RECORDED, Scenario.COMMENTS),
    Place("while writing the queue row", "K17", Point.CASE_WRITTEN, Phase.BEFORE, Scenario.PERSON, holds_transaction=True),
    Place("between the pages of the look", "K18", Point.BETWEEN_PAGES, Phase.BEFORE, Scenario.MANY_PAYMENTS),
    Place("between the pages of the read-back", "K18", Point.BETWEEN_PAGES, Phase.RECORDED, Scenario.MANY_PAYMENTS),
    Place("after a person's choice", "K19", Point.PATIENT_CHOSEN, Phase.BEFORE, Scenario.PERSON),
)


class Blow(StrEnum):
    """What hits the process."""

    KILL = "SIGKILL"
    TERM = "SIGTERM"
    FREEZE = "freeze"
    LOST = "answer lost"
    """The answer of the COMMIT does not come; the process lives."""


FREEZES_SECONDS = (10, 120, 1_200, 7_200)
DATABASES = ("sqlite", "postgres")
OUTCOMES = (
    Effect.CREATED,
    Effect.CREATED_WITHOUT_ID,
    Effect.CREATED_MALFORMED,
    Effect.CREATED_HTML,
    Effect.CREATED_TRUNCATED,
    Effect.REDIRECTED,
    Effect.REJECTED,
    Effect.UNAUTHORIZED,
    Effect.NOT_FOUND,
    Effect.CONFLICT,
    Effect.GATEWAY_ERROR,
    Effect.RATE_LIMITED,
    Effect.FAILED,
    Effect.FAILED_EXECUTED,
    Effect.TIMED_OUT,
    Effect.TIMED_OUT_EXECUTED,
    Effect.EXECUTED_LATE,
)
"""The 14 outcomes of a POST (reliability 4.3); the first has several forms."""
SILENT = frozenset({Effect.TIMED_OUT, Effect.TIMED_OUT_EXECUTED, Effect.EXECUTED_LATE})
REFUSED = frozenset({Effect.REJECTED, Effect.NOT_FOUND, Effect.CONFLICT})
"""Proved to be not executed; a person decides."""
TRIED_AGAIN = frozenset({Effect.UNAUTHORIZED, Effect.RATE_LIMITED})
"""Proved to be not executed; the next try may succeed."""
UNCLEAR_NOT_EXECUTED = frozenset({Effect.REDIRECTED, Effect.GATEWAY_ERROR, Effect.FAILED, Effect.TIMED_OUT})
EXECUTED = frozenset(OUTCOMES) - REFUSED - TRIED_AGAIN - UNCLEAR_NOT_EXECUTED


@dataclass(frozen=True, slots=True)
class Cell:
    """One process that is hit once."""

    place: Place
    blow: Blow
    outcome: Effect
    database: str
    freeze_seconds: int = 0

    @property
    def name(self) -> str:
        """Return what replays it: `pytest tests/crash --deselect` knows cells by this name."""
        blow = f"{self.blow.value} {self.freeze_seconds} s" if self.blow is Blow.FREEZE else self.blow.value
        return f"{self.place.row} {self.place.name}, {blow}, {self.outcome.value}, {self.database}"


def can_happen(place: Place, blow: Blow, outcome: Effect) -> bool:
    """Say whether there is such a moment at all."""
    if blow is Blow.LOST and place.edge is not Edge.COMMIT:
        return False
    if place.phase is Phase.HALF_ANSWERED and outcome in SILENT:
        return False  # nothing of an answer comes
    if place.point is Point.BETWEEN_PAGES and place.phase is Phase.RECORDED:
        return outcome not in REFUSED  # what was refused is not read back
    return True
