"""A case of the queue in a person's hand: as they saw it, in one transaction, with what they do written into the trail."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from order_sync.errors import CaseChangedError, PermanentError
from order_sync.ledger.audit import Action, audit_of_order, list_audit, record_action
from order_sync.ledger.cases import change_case, close_case, read_case
from order_sync.ledger.models import CaseRow, CaseState, OrderRow
from order_sync.ledger.orders import read_order
from order_sync.ledger.queue_lists import CaseKind
from order_sync.ledger.session import Ledger, Transaction

_CLOSED = frozenset({CaseState.RESOLVED, CaseState.DISMISSED})
_LOOK_BACK = 200
"""So many lines of the trail are searched for who was first."""


def subject_of(case_id: int) -> str:
    """Return how messages name a case."""
    return f"case {case_id}"


@dataclass(frozen=True, slots=True)
class CaseInHand:
    """One open case within the transaction in which a person does something with it."""

    tx: Transaction
    row: CaseRow
    order: OrderRow | None
    """None when the whole practice is in trouble."""

    @property
    def kind(self) -> CaseKind:
        """Return what the case is about."""
        return CaseKind(self.row.cause.split(":", 1)[0])

    def change(self, action: Action, actor: str, said: str, **changes: object) -> CaseRow:
        """Change the case and write down who did what; return it as it is now. `said` holds no patient data."""
        case_id = self.row.id
        if not change_case(self.tx, case_id, self.row.version, **changes):
            raise CaseChangedError(_who_was_first(self.tx, self.row))
        self._write_down(action, actor, said)
        changed = read_case(self.tx, case_id)
        return changed if changed is not None else self.row

    def close(self, action: Action, actor: str, resolution: str, *, state: CaseState = CaseState.DISMISSED) -> None:
        """Close the case and write down who did."""
        if not change_case(self.tx, self.row.id, self.row.version):
            raise CaseChangedError(_who_was_first(self.tx, self.row))
        close_case(self.tx, self.row.cause, by=actor, resolution=resolution, state=state)
        self._write_down(action, actor, resolution)

    def _write_down(self, action: Action, actor: str, said: str) -> None:
        record_action(
            self.tx,
            action,
            actor=actor,
            practice_id=self.row.practice_id,
            order_id=self.row.order_id,
            detail=f"{subject_of(self.row.id)}: {said}",
        )


@contextmanager
def changing(ledger: Ledger, practice_id: str, case_id: int, version: int | None) -> Iterator[CaseInHand]:
    """Open a transaction in which a person does something with an open case, and hand it out; commit at the end.

    `version` is the one that the person saw, None for whatever stands there. Raises `CaseChangedError` when somebody, or the
    sync, changed or closed the case since, and `PermanentError` when the practice has no such case.
    """
    with ledger.transaction() as tx:
        row = take_case(tx, case_id, [practice_id])
        if row is None:
            msg = f"{subject_of(case_id)}: there is no such case in this practice"
            raise PermanentError(msg)
        if row.state in _CLOSED or version not in (None, row.version):
            raise CaseChangedError(_who_was_first(tx, row))
        yield CaseInHand(tx, row, read_order(tx, row.order_id) if row.order_id is not None else None)


def take_case(tx: Transaction, case_id: int, practice_ids: Collection[str]) -> CaseRow | None:
    """Return a case, open or closed; None when there is none, or when it is of none of these practices."""
    row = read_case(tx, case_id)
    return row if row is not None and row.practice_id in practice_ids else None


def _who_was_first(tx: Transaction, row: CaseRow) -> str:
    """Say what happened to a case, as far as the case and the trail know it."""
    row = read_case(tx, row.id) or row
    again = "look at it again"
    if row.state in _CLOSED:
        at = f"{row.closed_at:%Y-%m-%d %H:%M} UTC, " if row.closed_at else ""
        return f"{subject_of(row.id)}: somebody else was first: {row.closed_by} closed it, {at}{row.resolution}"
    trail = audit_of_order(tx, row.order_id) if row.order_id else list_audit(tx, [row.practice_id], limit=_LOOK_BACK)
    last = next((line for line in trail if (line.detail or "").startswith(f"{subject_of(row.id)}: ")), None)
    if last is None or last.at < row.last_seen_at:
        return f"{subject_of(row.id)}: it says something else now; {again}"
    return f"{subject_of(row.id)}: somebody else was first: {last.actor}, {last.at:%Y-%m-%d %H:%M} UTC; {again}"
