"""Orders whose payments are on their way to Nextech when something happens to Airflow, and how they must have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from order_sync.ledger.cases import open_cases
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow
from order_sync.payments import PostOutcome
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect, Fault
from sandbox.nextech.routes import PAY_TEMPLATE
from tests.dags.running import Running, trigger, wait_for
from tests.endings import endings, posted_by_us

_UNDER_WAY = frozenset({OrderState.CREATING, OrderState.INTENT, OrderState.UNKNOWN})
_MOST_RUNS = 5
_RUN_SECONDS = 300.0


def slow(seconds: float) -> Fault:
    """Booked at once, and answered late."""
    return Fault(Effect.SLOW, after_seconds=seconds, remaining=1)


def never_booked() -> Fault:
    """Neither booked nor answered."""
    return Fault(Effect.TIMED_OUT, remaining=1)


def booked_late(seconds: float) -> Fault:
    """Never answered, and booked when nobody waits any more."""
    return Fault(Effect.EXECUTED_LATE, after_seconds=seconds, remaining=1)


@dataclass(frozen=True)
class UnderWay:
    """Some orders of one practice, and what becomes of the first payments among theirs."""

    running: Running
    practice_id: str
    numbers: tuple[str, ...]
    faults: tuple[Fault, ...]

    def have_arrived(self, count: int | None = None) -> bool:
        """Say whether all these payments, or the first so many, have reached Nextech."""
        return all(fault.struck for fault in self.faults[:count])

    def orders(self) -> list[OrderRow]:
        """Return them as the ledger has them."""
        query = select(OrderRow).where(OrderRow.practice_id == self.practice_id, OrderRow.number.in_(self.numbers))
        with self.running.ledger.transaction() as tx:
            return list(tx.session.scalars(query))

    def unanswered(self) -> int:
        """Return how many of their attempts ended without an answer that was written down."""
        ids = [row.id for row in self.orders()]
        query = select(AttemptRow).where(AttemptRow.order_id.in_(ids), AttemptRow.kind == AttemptKind.PAYMENT)
        with self.running.ledger.transaction() as tx:
            return sum((row.reason or "").startswith("no outcome was recorded") for row in tx.session.scalars(query))

    def statuses(self) -> Counter[str]:
        """Return how many of them have which public status."""
        return Counter(row.public_status.value for row in self.orders())


def place_orders(running: Running, practice_id: str, faults: Collection[Fault], *, more: int = 0) -> UnderWay:
    """Place an order for each of these faults, which strike the next payments in turn, and some more orders."""
    for fault in faults:
        fault.method, fault.route, fault.practice = "POST", PAY_TEMPLATE, practice_id
        running.sandbox.nextech.faults.plant(fault)
    numbers = tuple(running.place(practice_id, "everyday") for _ in range(len(faults) + more))
    return UnderWay(running, practice_id, numbers, tuple(faults))


def recover(running: Running) -> list[str]:
    """Let further runs do their work until no order is under way any more; return how each of them ended."""
    ended: list[str] = []
    while rows := _under_way(running):
        assert len(ended) < _MOST_RUNS, [(row.practice_id, row.number, row.state.value) for row in rows]
        wait_for(lambda: not _is_too_early(running), "the deadline of what was sent")
        ended.append(trigger(running.api).wait(_RUN_SECONDS))
    return ended


def _under_way(running: Running) -> list[OrderRow]:
    waiting = _UNDER_WAY | {OrderState.RECEIVED, OrderState.MATCHED}
    with running.ledger.transaction() as tx:
        return list(tx.session.scalars(select(OrderRow).where(OrderRow.state.in_(waiting))))


def _is_too_early(running: Running) -> bool:
    """Say whether a run would leave something alone that will be due in a moment: an intent, a claim of a dead task."""
    with running.ledger.transaction() as tx:
        unfinished = tx.session.scalars(select(AttemptRow).where(AttemptRow.outcome.is_(None)))
        return any(attempt.deadline > tx.now for attempt in unfinished)


def wrongs(running: Running) -> list[str]:
    """Return a line about every order of the ledger that is doubled, lost, stuck, or with a person whom no case tells."""
    books = endings(running.sandbox, running.ledger)
    with running.ledger.transaction() as tx:
        orders = list(tx.session.scalars(select(OrderRow)))
        told = {case.order_id for case in open_cases(tx)}
        attempts = list(tx.session.scalars(select(AttemptRow)))
    payments = [attempt for attempt in attempts if attempt.kind is AttemptKind.PAYMENT]
    sent = Counter(attempt.order_id for attempt in payments if attempt.outcome is not PostOutcome.NOT_EXECUTED)
    found = [f"{order.practice_id} {order.number}: {wrong}" for order in orders if (wrong := _wrong(order, books, told, sent))]
    found += [f"attempt of order {attempt.order_id} has no outcome" for attempt in attempts if attempt.outcome is None]
    posts = sum(n for (endpoint, _), n in running.sandbox.nextech.traffic.answers.items() if endpoint == f"POST {PAY_TEMPLATE}")
    if posts > len(payments):
        found.append(f"{posts} payments were sent, and {len(payments)} intents are written down")
    doubled = [row.payment_id for row in posted_by_us(running.sandbox) if row.is_doubled]
    return found + [f"payment {payment_id} is doubled" for payment_id in doubled]


def _wrong(order: OrderRow, books: dict, told: set[int | None], sent: Counter[int]) -> str | None:
    booked = len(books[order.practice_id, order.number].booked_cents)
    if booked > 1 or sent[order.id] > 1:
        return f"booked {booked} times, sent {sent[order.id]} times"
    if order.state in _UNDER_WAY:
        return f"stuck in {order.state.value}"
    if order.state is OrderState.CONFIRMED and sent[order.id] and booked != 1:
        return "Synced, and nothing is booked"
    if order.state is not OrderState.CONFIRMED and booked:
        return f"booked, and {order.state.value}"
    if order.state is OrderState.QUEUED and order.id not in told:
        return "Not Synced, and no case says so"
    return None
