"""Play a cell: a process is hit at its place, others go on, and in the end everything must be as reliability.md says."""

from __future__ import annotations

import signal

from order_sync.crash_points import Point
from order_sync.money import cents
from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from sandbox.nextech.faults import Effect
from tests.crash.books import Books, read_all_books
from tests.crash.expected import CONFIRMED, expected_ends, is_struck
from tests.crash.ground import Ground
from tests.crash.life import BROKEN, TERMINATED
from tests.crash.nursery import PATIENCE_SECONDS, Child
from tests.crash.places import Blow, Edge, Phase, Scenario

_TICK_SECONDS = 16 * 60
_MOST_RUNS = 10
_LOCKED_OUT_SECONDS = 0.4
"""How long another process is given that waits for a lock which a frozen one holds."""
_CUT_OFF = ("idle-in-transaction timeout", "server closed the connection")
"""What a process is told that wakes up in a transaction which PostgreSQL has ended."""
_SLUGS = {
    PublicStatus.SYNCED: "synced",
    PublicStatus.NOT_SYNCED: "not_synced",
    PublicStatus.WAITING: "waiting_for_sync",
    PublicStatus.DISABLED: "disabled",
}


def play(ground: Ground) -> str:
    """Play it through and check everything; return how the order ended."""
    codes = []
    victim, visit = _walk_to_the_place(ground)
    codes.append(hit(ground, victim, visit))
    codes += recover(ground)
    books = read_books(ground)
    if ground.cell.place.scenario is Scenario.PERSON and ground.cell.place.point is Point.CASE_WRITTEN:
        assert books.end == Reason.DUPLICATED_CUSTOMER
        assert len(books.cases) == 1, "not exactly one case asks the person"
        codes.append(ground.run(chosen_patient=ground.person.chart("one").patient_id))
        codes += recover(ground)
        books = read_books(ground)
    _check(ground, books)
    assert set(codes) <= {0, 1}, f"exit codes {codes}"
    assert codes[-1] == 0, "the last run has failed"
    return books.end


def _walk_to_the_place(ground: Ground) -> tuple[Child, int]:
    """Start the process that will be hit, after what has to happen before it; return it and at which visit it stops."""
    place, outcome = ground.cell.place, ground.cell.outcome
    if place.point is Point.PATIENT_CHOSEN:
        assert ground.run() == 0
        ground.clock.seconds += _TICK_SECONDS
        return ground.start(is_victim=True, chosen_patient=ground.person.chart("one").patient_id), 1
    visit = 1
    if place.point is Point.BETWEEN_PAGES and place.phase is Phase.RECORDED:
        # The look comes first; what was answered clearly is read back by the same run, what was not by the next one.
        visit = {Effect.CREATED: 2, Effect.RATE_LIMITED: 3, Effect.UNAUTHORIZED: 2}.get(outcome, 1)
        if outcome not in (Effect.CREATED, Effect.RATE_LIMITED):
            ground.run()
            ground.clock.seconds += _TICK_SECONDS
    return ground.start(is_victim=True, visit=visit), visit


def hit(ground: Ground, victim: Child, visit: int) -> int:
    """Hit the process at its place; return how it has ended, 0 or 1 for every end that the blow explains."""
    cell = ground.cell
    if cell.blow is Blow.LOST:
        code = victim.wait_until_it_ends()
        assert code == BROKEN, "the lost answer of a COMMIT was taken for an acknowledged one"
        return 1
    if cell.place.edge is Edge.SERVER:
        assert ground.neighbours.has_paid.wait(PATIENCE_SECONDS), "the place was not reached"
        if cell.blow is Blow.FREEZE:
            victim.signal(signal.SIGSTOP)
            assert victim.wait_until_it_stops()
    else:
        assert victim.wait_until_it_stops(), f"the place was not reached {visit} times: {ground.said()}"
    match cell.blow:
        case Blow.KILL:
            victim.signal(signal.SIGKILL)
            assert victim.wait_until_it_ends() == -signal.SIGKILL
        case Blow.TERM:
            victim.signal(signal.SIGTERM, signal.SIGCONT)
            assert victim.wait_until_it_ends() == TERMINATED
        case Blow.FREEZE:
            return _freeze(ground, victim)
    return 0


def _freeze(ground: Ground, victim: Child) -> int:
    """Let time pass for a process that stands still, and another one work meanwhile; then let it go on.

    What it holds in a transaction keeps the other one waiting: PostgreSQL ends that transaction, SQLite cannot.
    """
    is_locked_out = ground.cell.place.holds_transaction or len(ground.records) > 1
    ground.clock.seconds += ground.cell.freeze_seconds
    other = ground.start()
    if is_locked_out and ground.cell.database == "sqlite":
        other.wait_until_it_ends(_LOCKED_OUT_SECONDS)
    else:
        assert other.wait_until_it_ends() in (0, 1)
    victim.signal(signal.SIGCONT)
    code = victim.wait_until_it_ends()
    assert other.wait_until_it_ends() in (0, 1)
    allowed = (0, 1, BROKEN) if is_locked_out and ground.cell.database == "postgres" else (0, 1)
    assert code in allowed, f"the process that had been frozen ended with {code}"
    return 1 if code == BROKEN else code or 0


def recover(ground: Ground) -> list[int]:
    """Run every quarter of an hour until nothing is left to do."""
    codes = []
    for _ in range(_MOST_RUNS):
        ground.clock.seconds += _TICK_SECONDS
        codes.append(ground.run())
        all_books = read_all_books(ground)
        is_booked = not ground.neighbours.world.nextech.late_count()
        if is_booked and len(all_books) == len(ground.records) and all(books.is_quiet for books in all_books):
            break
    return codes


def read_books(ground: Ground) -> Books:
    """Return the books of the one order; it must be in the ledger."""
    all_books = read_all_books(ground)
    assert len(all_books) == 1, "lost: the order is not in the ledger"
    return all_books[0]


def _check(ground: Ground, books: Books) -> None:
    """Compare everything with what must have come of it."""
    assert books.end in expected_ends(ground.cell)
    assert books.is_quiet, "stuck: something is left to do and nobody does it"
    assert len(books.booked) == (1 if books.end == CONFIRMED else 0), "lost or doubled"
    assert len(books.cases) == (1 if books.order.state is OrderState.QUEUED else 0)
    if books.booked:
        _check_payment(ground, books)
    _check_attempts(ground, books)
    _check_store(ground, books)
    for name, text in ground.said().items():
        is_cut_off = ground.cell.blow is Blow.LOST or any(words in text for words in _CUT_OFF)
        assert "Traceback" not in text or is_cut_off, f"{name}: {text}"


def _check_payment(ground: Ground, books: Books) -> None:
    [row] = books.booked
    is_new = ground.cell.place.scenario is Scenario.ACCOUNT
    patient_id = books.opened[0].patient_id if is_new else ground.person.chart("one").patient_id
    assert row.patient_id.lower() == patient_id.lower(), "wrong patient"
    assert row.amount_cents == cents(ground.record.grand_total)
    assert books.payment is not None
    assert (row.payment_id, row.marker, row.business_day) == (
        books.payment.payment_id,
        books.payment.marker,
        books.payment.business_day,
    )


def _check_attempts(ground: Ground, books: Books) -> None:
    assert len(books.opened) <= 1, "a second chart for one person"
    route = "POST /Patient" if ground.cell.place.scenario is Scenario.ACCOUNT else "POST /Patient/{id}/PaymentReconciliation"
    posts = sum(count for (endpoint, _), count in ground.neighbours.world.nextech.traffic.answers.items() if endpoint == route)
    kind = "patient" if ground.cell.place.scenario is Scenario.ACCOUNT else "payment"
    attempts = [attempt for attempt in books.attempts if attempt.kind.value == kind]
    assert posts <= len(attempts), "a request was sent that no intent stands for"
    assert all(attempt.outcome is PostOutcome.NOT_EXECUTED for attempt in attempts[:-1]), "sent again on an unknown outcome"
    if (must_be := is_struck(ground.cell)) is not None:
        assert (ground.fault.struck == 1) is must_be, "the outcome was not met, or met by a request that must not be"


def _check_store(ground: Ground, books: Books) -> None:
    slug = _SLUGS[books.order.public_status]
    if ground.cell.place.scenario is not Scenario.COMMENTS:
        assert ground.neighbours.shop.sync_rows[ground.record.entity_id]["status"] == slug
        return
    ours = [row["comment"] for row in ground.record.histories if "Nextech Status" in str(row["comment"])]
    assert len(ours) == len(set(ours)), "a comment stands there twice"
    assert ours[0].startswith(f"Nextech Status: {books.order.public_status.value}")
