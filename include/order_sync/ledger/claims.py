"""What processes share: claims on work, slots of the rate limit, and how far each practice has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Executable, Float, bindparam, case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from order_sync.errors import TransientError
from order_sync.ledger.columns import UtcDateTime, table_of
from order_sync.ledger.models import ClaimRow, PracticeProgress, RateSlot, SweepRow
from order_sync.ledger.session import Ledger, Transaction, insert_if_absent

_LONGEST_QUEUE_SECONDS = 300.0
"""A next slot farther away than this was reserved by a clock that has been set back since; nobody queues for so long."""

_CLAIMS, _PROGRESS = table_of(ClaimRow), table_of(PracticeProgress)
_NOW = bindparam("now", type_=UtcDateTime)
_NAMED = _CLAIMS.c.name == bindparam("of_name")
_HELD = (_NAMED, _CLAIMS.c.holder == bindparam("by_holder"))
_TAKE = (
    update(_CLAIMS)
    .where(_NAMED, or_(_CLAIMS.c.until <= _NOW, _CLAIMS.c.holder == bindparam("by_holder")))
    .values(holder=bindparam("by_holder"), until=bindparam("claimed_until"))
)
_RENEW = update(_CLAIMS).where(*_HELD, _CLAIMS.c.until > _NOW).values(until=bindparam("claimed_until"))
_DROP = delete(_CLAIMS).where(*_HELD)
_PROGRESS_OF = (
    select(PracticeProgress)
    .where(_PROGRESS.c.practice_id == bindparam("of_practice"))
    .execution_options(populate_existing=True)
)
_UPDATE_PROGRESS = update(_PROGRESS).where(_PROGRESS.c.practice_id == bindparam("of_practice"))
_COUNT_UNKNOWN = _UPDATE_PROGRESS.values(unknown_in_a_row=_PROGRESS.c.unknown_in_a_row + 1)
_FORGET_UNKNOWN = _UPDATE_PROGRESS.where(_PROGRESS.c.unknown_in_a_row > 0).values(unknown_in_a_row=0)
_REACHED = bindparam("reached", type_=UtcDateTime)
_MOVE_WATERMARK = _UPDATE_PROGRESS.where(or_(_PROGRESS.c.watermark.is_(None), _PROGRESS.c.watermark < _REACHED)).values(
    watermark=_REACHED
)


def take_claim(tx: Transaction, name: str, *, holder: str, seconds: float) -> bool:
    """Claim a piece of work for `seconds`; return False when somebody else holds it. The holder may renew."""
    until = tx.now + timedelta(seconds=seconds)
    if insert_if_absent(tx, ClaimRow, {"name": name, "holder": holder, "until": until}):
        return True
    taken = tx.session.execute(_TAKE, {"of_name": name, "by_holder": holder, "now": tx.now, "claimed_until": until})
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def renew_claim(tx: Transaction, name: str, *, holder: str, seconds: float) -> bool:
    """Keep a claim for `seconds` from now; return False when it is not held any more, and leaves it alone then."""
    until = tx.now + timedelta(seconds=seconds)
    kept = tx.session.execute(_RENEW, {"of_name": name, "by_holder": holder, "now": tx.now, "claimed_until": until})
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def drop_claim(tx: Transaction, name: str, *, holder: str) -> None:
    """Give a claim back."""
    tx.session.execute(_DROP, {"of_name": name, "by_holder": holder})


def progress_of(tx: Transaction, practice_id: str) -> PracticeProgress:
    """Return the practice's progress, begun if it is new."""
    known = {"of_practice": practice_id}
    progress = tx.session.scalars(_PROGRESS_OF, known).one_or_none()
    if progress is None:
        insert_if_absent(tx, PracticeProgress, {"practice_id": practice_id})
        progress = tx.session.scalars(_PROGRESS_OF, known).one()
    return progress


def move_watermark(tx: Transaction, practice_id: str, reached: datetime) -> None:
    """Note how far a practice's store has been read; never back."""
    tx.session.execute(_MOVE_WATERMARK, {"of_practice": practice_id, "reached": reached})


def watermark_of(tx: Transaction, practice_id: str) -> datetime | None:
    """Return how far a practice has been read, None before its first run; writes nothing."""
    progress = tx.session.get(PracticeProgress, practice_id)
    return progress.watermark if progress else None


def count_unknown_outcome(tx: Transaction, practice_id: str, *, is_unknown: bool) -> int:
    """Count an unclear POST outcome, or start from 0 after a clear one; return the count (reliability 3.7)."""
    progress_of(tx, practice_id)
    # A clear outcome after a clear one changes nothing, and must not make all senders wait for one row.
    tx.session.execute(_COUNT_UNKNOWN if is_unknown else _FORGET_UNKNOWN, {"of_practice": practice_id})
    return progress_of(tx, practice_id).unknown_in_a_row


def finish_sweep(tx: Transaction, run_id: str, practice_id: str) -> None:
    """Note that a run has done its steps for a practice; forget such notes after a week."""
    insert_if_absent(tx, SweepRow, {"run_id": run_id, "practice_id": practice_id, "finished_at": tx.now})
    tx.session.execute(delete(SweepRow).where(SweepRow.finished_at < tx.now - timedelta(days=7)))


def finished_sweeps(tx: Transaction, run_id: str) -> frozenset[str]:
    """Return the practices that a run is through with."""
    return frozenset(tx.session.scalars(select(SweepRow.practice_id).where(SweepRow.run_id == run_id)))


class LedgerSlots:
    """Slots of the rate limit, leased from the ledger, so that all processes together keep to it (reliability R13)."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger whose database keeps the slots."""
        self._ledger = ledger

    def reserve(self, key: str, count: int, interval_seconds: float) -> float:
        """Reserve `count` slots `interval_seconds` apart; return in how many seconds the first of them begins.

        Raises `TransientError` when the database does not give one: a payment that has no slot has not been sent, and
        whoever asked for it has to know that.
        """
        try:
            return self._reserve(key, count, interval_seconds)
        except DBAPIError as error:  # its text repeats the statement with its values
            msg = f"no slot of the rate limit is to be had from our database ({type(error).__name__})"
        raise TransientError(msg)

    def _reserve(self, key: str, count: int, interval_seconds: float) -> float:
        lasting = count * interval_seconds
        with self._ledger.transaction() as tx:
            now = tx.now.timestamp()
            asked = {"key": key, "now_epoch": now, "furthest_epoch": now + _LONGEST_QUEUE_SECONDS, "lasting": lasting}
            ends: float = tx.session.execute(_reserving(tx.session.get_bind().dialect.name), asked).scalar_one()
            return max(0.0, ends - lasting - now)


@cache
def _reserving(dialect_name: str) -> Executable:
    """Return the one statement that begins at the next free slot (now, where that is past or too far) and ends behind it."""
    now, furthest = bindparam("now_epoch", type_=Float), bindparam("furthest_epoch", type_=Float)
    insert = (postgresql.insert if dialect_name == "postgresql" else sqlite.insert)(table_of(RateSlot))
    next_free = table_of(RateSlot).c.next_free_epoch
    begins = case((next_free.between(now, furthest), next_free), else_=now)
    lasting = bindparam("lasting", type_=Float)
    taken = insert.values(key=bindparam("key"), next_free_epoch=now + lasting).on_conflict_do_update(
        index_elements=["key"], set_={"next_free_epoch": begins + lasting}
    )
    return taken.returning(next_free)
