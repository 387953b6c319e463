"""Differences that people work off: opened by a report, closed when a later one no longer shows them, or by a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from order_sync.errors import PermanentError
from order_sync.ledger.report_models import OPEN_DIFFERENCE, DifferenceHistoryRow, DifferenceRow, DifferenceState, Resolution
from order_sync.ledger.session import Transaction
from order_sync.reconciliation.classes import TEXTS, DifferenceClass, Section, Weight
from order_sync.reconciliation.statement import Line
from order_sync.reconciliation.statement_record import record_line

RECONCILIATION = "reconciliation"
"""The actor of what no person did."""

_FOR_A_PERSON = frozenset({Weight.ACTION, Weight.CRITICAL})
_AT_ONCE = 500


class DifferenceChangedError(PermanentError):
    """Somebody else has changed the difference meanwhile."""


def is_difference(line: Line) -> bool:
    """Say whether a person has to do something about a line."""
    return asks_for_a_person(line.class_)


def asks_for_a_person(class_: DifferenceClass) -> bool:
    """Say whether a person has to do something about the lines of a class."""
    return TEXTS[class_].weight in _FOR_A_PERSON


def cause_of(line: Line) -> str:
    """Return the cause under which a line's difference is kept: an order's payment and its refund are two."""
    return f"{line.subject}:{'refund' if TEXTS[line.class_].section is Section.REFUND else 'payment'}"


def record_differences(tx: Transaction, practice_id: str, lines: Iterable[Line]) -> None:
    """Open, refresh or resolve the differences that these lines are about.

    A line that asks for a person opens its difference, or re-opens one that was resolved, unless a person has said of this
    very class and amount that it is written off, carried forward or not an error. A line that asks for nobody resolves
    its difference as fixed at source. What no line speaks of stays as it is.
    """
    by_cause = {cause_of(line): line for line in lines}
    known = _find(tx, practice_id, sorted(by_cause))
    for cause, line in sorted(by_cause.items()):
        row = known.get(cause)
        if is_difference(line):
            _show(tx, practice_id, cause, line, row)
        elif row is not None and row.state is not DifferenceState.RESOLVED:
            _resolve_as_fixed(tx, row)


def resolve_over(tx: Transaction, practice_id: str, causes: Sequence[str]) -> None:
    """Resolve differences that both sides show no more: fixed, or gone with the entry that they were about."""
    for _, row in sorted(_find(tx, practice_id, causes).items()):
        if row.state is not DifferenceState.RESOLVED:
            _resolve_as_fixed(tx, row)


def open_differences(tx: Transaction, practice_id: str | None = None) -> list[DifferenceRow]:
    """Return what nobody has settled yet, oldest first, then the largest."""
    query = select(DifferenceRow).where(OPEN_DIFFERENCE)
    if practice_id is not None:
        query = query.where(DifferenceRow.practice_id == practice_id)
    rows = tx.session.scalars(query)
    return sorted(rows, key=lambda row: (row.since or row.opened_at, -abs(row.amount_cents), row.id))


def owners_of(tx: Transaction, practice_id: str, causes: Sequence[str]) -> dict[str, str]:
    """Return who has taken on which of these differences, by cause."""
    return {cause: row.owner for cause, row in _find(tx, practice_id, causes).items() if row.owner is not None}


def find_differences(tx: Transaction, practice_id: str, causes: Sequence[str]) -> dict[str, DifferenceRow]:
    """Return these differences by cause, as they are now; nobody is kept from changing them."""
    return _find(tx, practice_id, causes, is_for_update=False)


def read_difference(tx: Transaction, difference_id: int) -> DifferenceRow | None:
    """Return a difference, or None."""
    return tx.session.get(DifferenceRow, difference_id)


def assign_difference(tx: Transaction, difference_id: int, *, owner: str, by: str, seen: DifferenceState) -> None:
    """Let somebody own a difference; raises `DifferenceChangedError` unless it is still as `seen`."""
    row = _read(tx, difference_id, seen)
    row.owner = owner
    _step(tx, row, DifferenceState.ASSIGNED, by=by, reason=f"assigned to {owner}")


def park_difference(tx: Transaction, difference_id: int, *, by: str, reason: str, seen: DifferenceState) -> None:
    """Let a difference wait for somebody else; raises `DifferenceChangedError` unless it is still as `seen`."""
    _step(tx, _read(tx, difference_id, seen), DifferenceState.WAITING, by=by, reason=reason)


def resolve_difference(
    tx: Transaction, difference_id: int, *, resolution: Resolution, by: str, reason: str, seen: DifferenceState
) -> None:
    """Settle a difference; who, when and why is kept. Raises `DifferenceChangedError` unless it is still as `seen`.

    Raises `ValueError` without a reason: a write-off that nobody explains cannot be audited.
    """
    if not reason.strip():
        msg = "a resolution needs a reason"
        raise ValueError(msg)
    _step(tx, _read(tx, difference_id, seen), DifferenceState.RESOLVED, by=by, reason=reason, resolution=resolution)


def reopen_difference(tx: Transaction, difference_id: int, *, by: str, reason: str, seen: DifferenceState) -> None:
    """Put a settled difference back among the open ones; raises `DifferenceChangedError` unless it is still as `seen`."""
    _step(tx, _read(tx, difference_id, seen), DifferenceState.REOPENED, by=by, reason=reason)


def history_of(tx: Transaction, difference_id: int) -> list[DifferenceHistoryRow]:
    """Return every step of a difference, oldest first."""
    query = select(DifferenceHistoryRow).where(DifferenceHistoryRow.difference_id == difference_id)
    return list(tx.session.scalars(query.order_by(DifferenceHistoryRow.id)))


def _show(tx: Transaction, practice_id: str, cause: str, line: Line, row: DifferenceRow | None) -> None:
    if row is None:
        row = DifferenceRow(
            practice_id=practice_id,
            cause=cause,
            number=line.number,
            class_=line.class_.value,
            amount_cents=line.at_stake_cents,
            state=DifferenceState.OPEN,
            line=record_line(line),
            since=line.since,
            opened_at=tx.now,
            last_seen_at=tx.now,
        )
        tx.session.add(row)
        tx.session.flush()
        _record(tx, row, None, RECONCILIATION, None)
        return
    is_same = (row.class_, row.amount_cents) == (line.class_.value, line.at_stake_cents)
    row.class_, row.amount_cents, row.since, row.last_seen_at = line.class_.value, line.at_stake_cents, line.since, tx.now
    row.line = record_line(line)
    is_settled_by_a_person = row.resolution not in {None, Resolution.FIXED_AT_SOURCE}
    if row.state is DifferenceState.RESOLVED and not (is_same and is_settled_by_a_person):
        _step(tx, row, DifferenceState.REOPENED, by=RECONCILIATION, reason="it differs again")


def _resolve_as_fixed(tx: Transaction, row: DifferenceRow) -> None:
    fixed = Resolution.FIXED_AT_SOURCE
    _step(tx, row, DifferenceState.RESOLVED, by=RECONCILIATION, reason="it no longer differs", resolution=fixed)


def _step(
    tx: Transaction, row: DifferenceRow, to: DifferenceState, *, by: str, reason: str, resolution: Resolution | None = None
) -> None:
    before, row.state, row.resolution = row.state, to, resolution
    row.resolved_at = tx.now if resolution else None
    tx.session.flush()
    _record(tx, row, before, by, reason)


def _record(tx: Transaction, row: DifferenceRow, before: DifferenceState | None, actor: str, reason: str | None) -> None:
    tx.session.add(
        DifferenceHistoryRow(
            difference_id=row.id,
            at=tx.now,
            from_state=before.value if before else None,
            to_state=row.state.value,
            class_=row.class_,
            amount_cents=row.amount_cents,
            actor=actor,
            reason=f"{row.resolution.value}: {reason}"[:255] if row.resolution else reason,
        )
    )
    tx.session.flush()


def _read(tx: Transaction, difference_id: int, seen: DifferenceState) -> DifferenceRow:
    row = tx.session.get(DifferenceRow, difference_id, with_for_update=True)
    if row is None or row.state is not seen:
        msg = f"difference {difference_id} is {row.state.value if row else 'not there'} by now; read it again"
        raise DifferenceChangedError(msg)
    return row


def _find(tx: Transaction, practice_id: str, causes: Sequence[str], *, is_for_update: bool = True) -> dict[str, DifferenceRow]:
    found: dict[str, DifferenceRow] = {}
    for start in range(0, len(causes), _AT_ONCE):
        query = select(DifferenceRow).where(
            DifferenceRow.practice_id == practice_id, DifferenceRow.cause.in_(causes[start : start + _AT_ONCE])
        )
        found |= {row.cause: row for row in tx.session.scalars(query.with_for_update() if is_for_update else query)}
    return found
