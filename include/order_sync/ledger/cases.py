"""The manual resolution queue: open a case, see it again, close it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update

from order_sync.ledger.columns import table_of
from order_sync.ledger.models import OPEN_CASE, CaseRow, CaseState, OrderRow
from order_sync.ledger.refund_models import RefundRow
from order_sync.ledger.session import Transaction, insert_if_absent
from order_sync.reasons import Reason, next_step, sentence

_COMES_BACK_WITHIN = timedelta(hours=1)

_CASES = table_of(CaseRow)
_OF_CAUSE = _CASES.c.cause == bindparam("of_cause")
_LOCKED = select(CaseRow).with_for_update().execution_options(populate_existing=True)
_OPEN_OF_CAUSE = _LOCKED.where(_OF_CAUSE, OPEN_CASE)
_LAST_OF_CAUSE = _LOCKED.where(_OF_CAUSE).order_by(_CASES.c.id.desc()).limit(1)
_MOST_TOLD = select(func.max(_CASES.c.amount_cents)).where(_OF_CAUSE)
_REFUNDS = table_of(RefundRow)
_KNOWN_REFUNDS = select(func.sum(_REFUNDS.c.amount_cents)).where(_REFUNDS.c.order_id == bindparam("of_order"))
_OPEN_AMONG = select(CaseRow).where(_CASES.c.cause.in_(bindparam("causes", expanding=True)), OPEN_CASE).order_by(_CASES.c.id)
_OPEN = select(CaseRow).where(OPEN_CASE).order_by(_CASES.c.opened_at, _CASES.c.id)
_CHANGE = update(_CASES).where(_CASES.c.id == bindparam("of_id"), _CASES.c.version == bindparam("of_version"), OPEN_CASE)
_CLOSE = (
    update(_CASES)
    .where(_OF_CAUSE, OPEN_CASE)
    .values(state=bindparam("closed_as"), closed_at=bindparam("now"), closed_by=bindparam("by"), resolution=bindparam("how"))
)
_CLOSE_REFUNDS = update(_CASES).where(
    _CASES.c.order_id == bindparam("of_order"), _CASES.c.reason == Reason.REFUND_TO_RECORD.value, OPEN_CASE
)


def order_cause(order_id: int) -> str:
    """Return the cause under which an order's own case is open."""
    return f"order:{order_id}"


def refund_cause(order_id: int) -> str:
    """Return the cause under which an order's refund waits to be recorded."""
    return f"refund:{order_id}"


def practice_cause(practice_id: str, reason: Reason) -> str:
    """Return the cause of a whole practice's trouble."""
    return f"practice:{practice_id}:{reason.value}"


def open_case(
    tx: Transaction,
    *,
    practice_id: str,
    cause: str,
    reason: Reason,
    detail: str | None = None,
    order: OrderRow | None = None,
    amount_cents: int | None = None,
    candidate_ids: Sequence[str] | None = None,
) -> int:
    """Open a case, or refresh the one that is open for this cause; return its id.

    A cause has one open row at most: the row of a trouble that goes on keeps its age and its assignee. So does one that
    comes back for the same reason within the hour: a rerun that ends where it began has resolved nothing. A case that says
    something else than before is a later version, and is not put off any more: what a person did was about the other.
    """
    text, step = sentence(reason, detail)[:400], next_step(reason)
    row = _open_case_of(tx, cause)
    if row is None and _take_up_again(tx, cause, reason):
        row = _open_case_of(tx, cause)
    while row is None:
        # Two processes may meet the same trouble at once: the second one's insert waits for the first, and does nothing.
        begun: dict[str, object] = {
            "practice_id": practice_id,
            "order_id": order.id if order else None,
            "order_number": order.number if order else None,
            "cause": cause,
            "reason": reason.value,
            "sentence": text,
            "next_step": step,
            "state": CaseState.OPEN,
            "opened_at": tx.now,
            "last_seen_at": tx.now,
            "times_seen": 0,
        }
        insert_if_absent(tx, CaseRow, begun)
        row = _open_case_of(tx, cause)
    told = _told(row)
    row.reason, row.sentence, row.next_step = reason.value, text, step
    row.amount_cents = amount_cents if amount_cents is not None else (order.amount_cents if order else None)
    row.candidate_ids = list(candidate_ids) if candidate_ids is not None else None
    if row.times_seen and told != _told(row):
        row.version += 1
        row.wait_until = None
        row.state = state_of_open(tx, row.assignee, None)
    row.last_seen_at = tx.now
    row.times_seen += 1
    tx.session.flush()
    return row.id


def _open_case_of(tx: Transaction, cause: str) -> CaseRow | None:
    return tx.session.scalars(_OPEN_OF_CAUSE, {"of_cause": cause}).one_or_none()


def _take_up_again(tx: Transaction, cause: str, reason: Reason) -> bool:
    """Open the cause's last case again when it was closed within the hour and its reason is the same."""
    last = tx.session.scalars(_LAST_OF_CAUSE, {"of_cause": cause}).one_or_none()
    if last is None or last.state is not CaseState.RESOLVED or last.reason != reason.value:
        return False
    if last.closed_at is None or last.closed_at < tx.now - _COMES_BACK_WITHIN:
        return False
    last.closed_at = last.closed_by = last.resolution = None
    last.version += 1
    last.state = state_of_open(tx, last.assignee, last.wait_until)
    tx.session.flush()
    return True


def _told(row: CaseRow) -> tuple[object, ...]:
    """Return what a person acts upon; a practice's trouble says something new at every try, and is still the same one."""
    is_of_practice = row.order_id is None
    return (row.reason,) if is_of_practice else (row.reason, row.sentence, row.amount_cents, row.candidate_ids)


def state_of_open(tx: Transaction, assignee: str | None, wait_until: datetime | None) -> CaseState:
    """Return the state of an open case: put off, somebody's, or nobody's."""
    if wait_until is not None and wait_until > tx.now:
        return CaseState.WAITING
    return CaseState.ASSIGNED if assignee else CaseState.OPEN


def read_case(tx: Transaction, case_id: int) -> CaseRow | None:
    """Return a case as it is now, open or closed; None when there is none."""
    return tx.session.get(CaseRow, case_id, populate_existing=True)


def change_case(tx: Transaction, case_id: int, version: int, **changes: object) -> bool:
    """Change an open case if nobody changed it since it had this version; return whether that was so."""
    done = tx.session.execute(_CHANGE, {"of_id": case_id, "of_version": version, "version": version + 1, **changes})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def open_refund(tx: Transaction, order: OrderRow, refunded_cents: int) -> None:
    """Open the case that a refund of a posted order has to be recorded in Nextech by a person (design section 6).

    It is the first notice, by the order's total: the daily look at the credit memos (`refund_debt`) gives each of them a
    case of its own. Once for each amount: what is told, or known as a credit memo, comes back only when more is refunded.
    """
    cause = refund_cause(order.id)
    told = tx.session.scalar(_MOST_TOLD, {"of_cause": cause})
    known_cents = tx.session.scalar(_KNOWN_REFUNDS, {"of_order": order.id}) or 0
    if max(told or 0, known_cents) < refunded_cents:
        open_case(
            tx,
            practice_id=order.practice_id,
            cause=cause,
            reason=Reason.REFUND_TO_RECORD,
            order=order,
            amount_cents=refunded_cents - known_cents,
        )


def close_case(tx: Transaction, cause: str, *, by: str, resolution: str, state: CaseState = CaseState.RESOLVED) -> bool:
    """Close the case that is open for this cause; return whether there was one."""
    told = {"of_cause": cause, "closed_as": state, "now": tx.now, "by": by[:80], "how": resolution[:255]}
    closed = tx.session.execute(_CLOSE, told)
    return bool(closed.rowcount)  # type: ignore[attr-defined]


def close_refunds(tx: Transaction, order_id: int, *, by: str, resolution: str) -> None:
    """Close whatever waits to be recorded as refunded of an order: nothing of it is in Nextech, and nothing will be."""
    told = {"state": CaseState.RESOLVED, "closed_at": tx.now, "closed_by": by[:80], "resolution": resolution[:255]}
    tx.session.execute(_CLOSE_REFUNDS, {"of_order": order_id, **told})


def open_cases_of(tx: Transaction, causes: Collection[str]) -> list[CaseRow]:
    """Return the cases that are open for these causes."""
    return list(tx.session.scalars(_OPEN_AMONG, {"causes": list(causes)}))


def open_cases(tx: Transaction, practice_id: str | None = None) -> list[CaseRow]:
    """Return the open cases, oldest first."""
    query = _OPEN if practice_id is None else _OPEN.where(_CASES.c.practice_id == practice_id)
    return list(tx.session.scalars(query))
