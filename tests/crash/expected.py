"""How an order may end in a cell, by hand from the failure model (reliability 2.1, 2.2 and 3.4): one row, one reason."""

from __future__ import annotations

from order_sync.crash_points import Point
from order_sync.reasons import Reason
from sandbox.nextech.faults import Effect
from tests.crash.places import (
    EXECUTED,
    TRIED_AGAIN,
    UNCLEAR_NOT_EXECUTED,
    Blow,
    Cell,
    Edge,
    Phase,
    Scenario,
)

CONFIRMED = "confirmed"
_LONGEST_ATTEMPT_SECONDS = 60
"""A freeze that is longer outlasts the attempt: another run has begun to look for the payment."""


def expected_ends(cell: Cell) -> frozenset[str]:
    """Return how the order may end: `confirmed`, with one payment in Nextech, or the reason for which a person has it."""
    if cell.blow is Blow.FREEZE:
        return frozenset(_ends_after_a_freeze(cell))
    return frozenset(
        {
            Phase.BEFORE: [_undisturbed(cell)],
            Phase.INTENDED: [_unclear(cell)],
            Phase.CUT: [_unclear(cell)],
            Phase.SENT: [_unread(cell)],
            Phase.HALF_ANSWERED: [_unread(cell)],
            Phase.ANSWERED: [_unread(cell)],
            Phase.RECORDED: [_undisturbed(cell)],
        }[cell.place.phase]
    )


def _ends_after_a_freeze(cell: Cell) -> list[str]:
    undisturbed, unread, unsent = _undisturbed(cell), _unread(cell), _unclear(cell)
    is_given_up = cell.freeze_seconds > _LONGEST_ATTEMPT_SECONDS
    # Two wait for one lock: on SQLite either may come first; PostgreSQL ends what stands still for too long.
    is_race = cell.place.holds_transaction and (cell.database == "sqlite" or not is_given_up)
    return {
        Phase.BEFORE: [undisturbed, unsent] if _may_be_given_up_unsent(cell) else [undisturbed],
        Phase.INTENDED: [unsent if is_given_up else undisturbed],  # too late to send, in any case
        Phase.CUT: [unsent],
        Phase.SENT: [unread],
        Phase.HALF_ANSWERED: [undisturbed, unread],  # as much as had come may have been everything
        Phase.ANSWERED: [undisturbed, unread] if is_race else [unread if is_given_up else undisturbed],
        Phase.RECORDED: [undisturbed],
    }[cell.place.phase]


def is_struck(cell: Cell) -> bool | None:
    """Say whether the planted outcome must have met a POST; None when either may be."""
    is_unsent = cell.place.phase in (Phase.INTENDED, Phase.CUT)
    if cell.blow is Blow.FREEZE:
        if _may_be_given_up_unsent(cell):
            return None
        is_unsent = cell.place.phase is Phase.CUT or (is_unsent and cell.freeze_seconds > _LONGEST_ATTEMPT_SECONDS)
    return not is_unsent


def _may_be_given_up_unsent(cell: Cell) -> bool:
    """Say whether another process may give up an intent as soon as it is committed, by one that woke up too late to send."""
    is_there = cell.place.point is Point.INTENT_RECORDED and cell.place.edge is Edge.POINT
    return is_there and cell.database == "sqlite"


def _undisturbed(cell: Cell) -> str:
    is_account = cell.place.scenario is Scenario.ACCOUNT
    if cell.outcome in EXECUTED | TRIED_AGAIN:
        return CONFIRMED
    if cell.outcome in UNCLEAR_NOT_EXECUTED:
        return _unclear(cell)
    if is_account:
        return Reason.ACCOUNT_NOT_FOUND_AGAIN if cell.outcome is Effect.CONFLICT else Reason.ACCOUNT_REJECTED
    return Reason.PATIENT_GONE if cell.outcome is Effect.NOT_FOUND else Reason.PAYMENT_REJECTED


def _unread(cell: Cell) -> str:
    return CONFIRMED if cell.outcome in EXECUTED else _unclear(cell)


def _unclear(cell: Cell) -> str:
    return Reason.ACCOUNT_OUTCOME_UNKNOWN if cell.place.scenario is Scenario.ACCOUNT else Reason.OUTCOME_UNKNOWN
