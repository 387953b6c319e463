"""How a practice's sync is doing: each trouble shows, by itself, and is over when it is over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from order_sync.health import Health, read_health
from order_sync.ledger.cases import close_case, open_case, order_cause
from order_sync.ledger.claims import count_unknown_outcome, move_watermark, progress_of
from order_sync.ledger.deliveries import begin_delivery, finish_delivery
from order_sync.ledger.models import OutboxRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.outbox import mark_sent
from order_sync.ledger.report_models import LetterKind
from order_sync.ledger.reports import save_report
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.reconciliation.periods import Period
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import PRACTICE, new_order, saved_order
from tests.integration.reports.samples import a_statement
from tests.unit.situations import a_practice


def _health(ledger: Ledger) -> Health:
    with ledger.reading() as tx:
        return read_health(tx, a_practice())


@pytest.fixture(autouse=True)
def _another_practice_is_in_every_trouble(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.RECEIVED, practice_id="central", business_day=date(2026, 3, 1))
        new_order(tx, OrderState.WAITING, Reason.ON_HOLD, practice_id="central")
        new_order(tx, OrderState.QUEUED, Reason.OUTCOME_UNKNOWN, practice_id="central")
        order.changed_at = tx.now - timedelta(days=3)
        for _ in range(3):
            count_unknown_outcome(tx, "central", is_unknown=True)
        begin_delivery(tx, practice_id="central", recipient="books@central.example", message_id="<c@x>", kind=LetterKind.ALARM)


def _run_goes_through(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        progress_of(tx, PRACTICE).synced_at = tx.now
        move_watermark(tx, PRACTICE, tx.now)


def test_a_practice_whose_run_goes_through_is_well(ledger: Ledger, clock: FakeClock):
    _run_goes_through(ledger)
    found = _health(ledger)
    assert found.is_well
    assert (found.last_good_run_at, found.read_until, found.as_of) == (clock.now(), clock.now(), clock.now())
    assert (found.overdue, found.held, found.outcome_unknown, found.unsent_letters) == ((), (), (), ())
    assert (found.queue.cases, found.queue.oldest_opened_at, found.untold_statuses) == (0, None, 0)


def test_a_practice_that_never_ran_is_late(ledger: Ledger):
    found = _health(ledger)
    assert (found.is_run_late, found.is_well, found.last_good_run_at) == (True, False, None)


def test_a_run_is_late_after_three_ticks(ledger: Ledger, clock: FakeClock):
    _run_goes_through(ledger)
    clock.advance(minutes=45)
    assert not _health(ledger).is_run_late
    clock.advance(seconds=1)
    assert _health(ledger).is_run_late


def test_an_order_is_overdue_twenty_minutes_after_it_was_released_not_after_it_was_placed(ledger: Ledger, clock: FakeClock):
    _run_goes_through(ledger)
    order = saved_order(ledger, OrderState.WAITING, Reason.ON_HOLD)
    clock.advance(hours=10)
    with ledger.transaction() as tx:
        moved = move(tx, order, Step(OrderState.RECEIVED))
        released_at = tx.now
    clock.advance(minutes=10)
    with ledger.transaction() as tx:
        move(tx, moved, Step(OrderState.MATCHED))
    clock.advance(minutes=10)
    assert _health(ledger).overdue == ()
    clock.advance(seconds=1)
    _run_goes_through(ledger)
    [late] = _health(ledger).overdue
    assert (late.order_id, late.number, late.state, late.since) == (order.id, order.number, OrderState.MATCHED, released_at)
    assert not _health(ledger).is_well


def test_the_order_that_is_due_for_the_longest_time_comes_first(ledger: Ledger, clock: FakeClock):
    orders = []
    for _ in range(3):
        orders.append(saved_order(ledger, OrderState.RECEIVED))
        clock.advance(minutes=30)
    assert [late.order_id for late in _health(ledger).overdue] == [order.id for order in orders]


def test_what_the_store_holds_back_is_no_delay_of_ours(ledger: Ledger, clock: FakeClock):
    first = saved_order(ledger, OrderState.WAITING, Reason.NOT_PAID)
    saved_order(ledger, OrderState.WAITING, Reason.NOT_PAID)
    saved_order(ledger, OrderState.WAITING, Reason.ON_HOLD)
    clock.advance(hours=48)
    _run_goes_through(ledger)
    found = _health(ledger)
    assert [(held.reason, held.orders) for held in found.held] == [(Reason.NOT_PAID, 2), (Reason.ON_HOLD, 1)]
    assert found.held[0].oldest_placed_at == first.placed_at
    assert found.overdue == ()


def test_an_unknown_outcome_shows_until_it_is_settled(ledger: Ledger):
    _run_goes_through(ledger)
    order = saved_order(ledger, OrderState.UNKNOWN)
    waits = saved_order(ledger, OrderState.QUEUED, Reason.OUTCOME_UNKNOWN)
    saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS)
    found = _health(ledger)
    assert [(late.number, late.state) for late in found.outcome_unknown] == [
        (order.number, OrderState.UNKNOWN),
        (waits.number, OrderState.QUEUED),
    ]
    assert not found.is_well
    with ledger.transaction() as tx:
        move(tx, order, Step(OrderState.CONFIRMED))
        move(tx, waits, Step(OrderState.CONFIRMED))
    assert _health(ledger).outcome_unknown == ()


def test_three_unclear_postings_in_a_row_hold_the_practice_back(ledger: Ledger):
    _run_goes_through(ledger)
    for _ in range(2):
        with ledger.transaction() as tx:
            count_unknown_outcome(tx, PRACTICE, is_unknown=True)
    assert not _health(ledger).is_breaker_open
    with ledger.transaction() as tx:
        count_unknown_outcome(tx, PRACTICE, is_unknown=True)
    assert _health(ledger).is_breaker_open
    assert not _health(ledger).is_well


def test_the_queue_says_how_old_its_cases_are(ledger: Ledger, clock: FakeClock):
    _run_goes_through(ledger)
    orders = []
    for hours in (24 * 23, 24 * 6, 23, 2):
        orders.append(saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS, amount_cents=1_000))
        clock.advance(hours=hours)
    with ledger.transaction() as tx:
        open_case(tx, practice_id=PRACTICE, cause="practice:eastern:x", reason=Reason.SETTINGS_WRONG)
        opened_at = tx.now - timedelta(hours=24 * 29 + 25)
    queue = _health(ledger).queue
    assert (queue.cases, queue.amount_cents, queue.oldest_opened_at) == (5, 4_000, opened_at)
    assert (queue.older_than_a_day, queue.older_than_a_week, queue.older_than_a_month) == (3, 2, 1)
    with ledger.transaction() as tx:
        close_case(tx, order_cause(orders[0].id), by="dana", resolution="done")
    assert (_health(ledger).queue.cases, _health(ledger).queue.older_than_a_month) == (4, 0)


def test_a_status_that_the_store_was_not_told_shows_since_when(ledger: Ledger, clock: FakeClock):
    saved_order(ledger)
    since = clock.now()
    clock.advance(hours=1)
    saved_order(ledger)
    found = _health(ledger)
    assert (found.untold_statuses, found.untold_since) == (2, since)
    with ledger.transaction() as tx:
        mark_sent(tx, [row.id for row in tx.session.query(OutboxRow).filter_by(practice_id=PRACTICE)])
    assert (_health(ledger).untold_statuses, _health(ledger).untold_since) == (0, None)


def test_a_letter_that_did_not_leave_shows_until_one_did(ledger: Ledger):
    _run_goes_through(ledger)
    for number in range(2):
        with ledger.transaction() as tx:
            letter = begin_delivery(
                tx,
                practice_id=PRACTICE,
                recipient="books@biscayne.example",
                message_id=f"<{number}@x>",
                kind=LetterKind.ALARM,
            )
            finish_delivery(tx, letter.id, accepted_by="mail.example" if number else None, error=None if number else "421")
        assert len(_health(ledger).unsent_letters) == 1 - number
        assert _health(ledger).is_well == bool(number)


def test_a_day_without_a_report_shows_a_morning_after_it_ended(ledger: Ledger, clock: FakeClock):
    day = date(2026, 3, 9)
    with ledger.transaction() as tx:
        new_order(tx, OrderState.CONFIRMED, business_day=day)
    assert _health(ledger).days_without_report == {}  # it is the 10th: the morning's report may still be under way
    clock.advance(hours=26)
    _run_goes_through(ledger)
    assert _health(ledger).days_without_report == {day: 1}
    assert not _health(ledger).is_well
    with ledger.transaction() as tx:
        save_report(tx, a_statement(period=Period(day, day)))
    assert _health(ledger).days_without_report == {}
