"""The queue as a list: filtered, sorted, put off, and page by page in both directions."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest

from order_sync.ledger.cases import close_case, open_case, order_cause, practice_cause, refund_cause
from order_sync.ledger.cursors import CursorError
from order_sync.ledger.decisions import undo_cause
from order_sync.ledger.models import CaseRow, CaseState
from order_sync.ledger.queue_lists import (
    CaseKind,
    QueueCounts,
    QueueFilter,
    QueueSort,
    case_of,
    cases_by_reason,
    count_cases,
    list_cases,
)
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import new_order, planned

ALL = ("eastern", "central")
FILTERS = {
    "everything": QueueFilter(ALL),
    "one practice": QueueFilter(("central",)),
    "no practice": QueueFilter(()),
    "a reason": QueueFilter(ALL, reason=Reason.NAME_DIFFERS),
    "refunds": QueueFilter(ALL, kind=CaseKind.REFUND),
    "practices": QueueFilter(ALL, kind=CaseKind.PRACTICE),
    "mine": QueueFilter(ALL, assignee="dana"),
    "nobody's": QueueFilter(ALL, is_unassigned=True),
    "put off": QueueFilter(ALL, is_waiting=True),
    "not put off": QueueFilter(ALL, is_waiting=False),
    "several": QueueFilter(ALL, kind=CaseKind.ORDER, is_unassigned=True, is_waiting=False),
}


def _cases(ledger: Ledger, clock: FakeClock, count: int = 40) -> list[CaseRow]:
    """Open cases of every kind, many of them alike, and close some."""
    draw = random.Random(11)
    rows = []
    for place in range(count):
        clock.advance(seconds=draw.choice([0, 0, 60]))
        with ledger.transaction() as tx:
            practice_id = draw.choice(ALL)
            reason = draw.choice([Reason.NAME_DIFFERS, Reason.DUPLICATED_CUSTOMER])
            cents = draw.choice([None, 0, 1_000, 1_000, 9_999])
            order = new_order(tx, OrderState.CONFIRMED, practice_id=practice_id, amount_cents=cents)
            about = draw.choice(list(CaseKind))
            case_id = open_case(
                tx,
                practice_id=practice_id,
                cause={
                    CaseKind.ORDER: order_cause(order.id),
                    CaseKind.REFUND: refund_cause(order.id),
                    CaseKind.UNDO: undo_cause(order.id),
                    CaseKind.PRACTICE: f"{practice_cause(practice_id, reason)}:{place}",
                }[about],
                reason=Reason.REFUND_TO_RECORD if about is CaseKind.REFUND else reason,
                order=None if about is CaseKind.PRACTICE else order,
            )
            row = tx.session.get_one(CaseRow, case_id)
            row.assignee = draw.choice([None, "dana", "sam"])
            row.wait_until = draw.choice([None, None, tx.now - timedelta(days=1), tx.now + timedelta(days=1)])
            if place % 9 == 0:
                close_case(tx, row.cause, by="dana", resolution="done")
                tx.session.refresh(row)
            rows.append(row)
    return rows


def _matches(row: CaseRow, wanted: QueueFilter, clock: FakeClock) -> bool:
    return (
        row.closed_at is None
        and row.practice_id in wanted.practice_ids
        and wanted.reason in {None, Reason(row.reason)}
        and (wanted.kind is None or row.cause.startswith(wanted.kind))
        and wanted.assignee in {None, row.assignee}
        and (not wanted.is_unassigned or row.assignee is None)
        and wanted.is_waiting in {None, _is_waiting(row, clock)}
    )


def _is_waiting(row: CaseRow, clock: FakeClock) -> bool:
    return row.wait_until is not None and row.wait_until > clock.now()


def _expected(rows: list[CaseRow], wanted: QueueFilter, sort: QueueSort, clock: FakeClock) -> list[int]:
    def key(row: CaseRow) -> tuple[object, ...]:
        amount = -1 if row.amount_cents is None else row.amount_cents
        return (_is_waiting(row, clock), row.opened_at if sort is QueueSort.OLDEST else -amount, row.id)

    return [row.id for row in sorted((row for row in rows if _matches(row, wanted, clock)), key=key)]


def test_paging_forward_and_back_shows_every_case_once_under_every_filter_and_sort(ledger: Ledger, clock: FakeClock):
    rows = _cases(ledger, clock)
    with ledger.reading() as tx:
        for (name, wanted), sort in itertools.product(FILTERS.items(), QueueSort):
            expected = _expected(rows, wanted, sort, clock)
            assert bool(expected) == (name != "no practice")
            page = list_cases(tx, wanted, sort, limit=8)
            assert page.previous_cursor is None
            pages = [page]
            while page.next_cursor:
                page = list_cases(tx, wanted, sort, page.next_cursor, limit=8)
                pages.append(page)
            assert [queued.case.id for page in pages for queued in page.cases] == expected, (name, sort)
            for before in reversed(pages[:-1]):
                page = list_cases(tx, wanted, sort, page.previous_cursor, limit=8)
                assert [queued.case.id for queued in page.cases] == [queued.case.id for queued in before.cases]
            assert page.previous_cursor is None


def test_a_case_that_is_put_off_sinks_and_comes_up_again_when_its_time_has_come(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        first, second = (new_order(tx, OrderState.QUEUED, Reason.NAME_DIFFERS) for _ in range(2))
        put_off = tx.session.query(CaseRow).filter_by(order_id=first.id).one()
        put_off.state, put_off.wait_until = CaseState.WAITING, tx.now + timedelta(days=2)
    with ledger.reading() as tx:
        shown = list_cases(tx, QueueFilter(ALL)).cases
    assert [(queued.case.order_id, queued.is_waiting) for queued in shown] == [(second.id, False), (first.id, True)]
    clock.advance(hours=48)
    with ledger.reading() as tx:
        shown = list_cases(tx, QueueFilter(ALL)).cases
    assert [(queued.case.order_id, queued.is_waiting) for queued in shown] == [(first.id, False), (second.id, False)]


def test_a_case_comes_with_its_order_and_the_marker_to_look_for(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.QUEUED, Reason.OUTCOME_UNKNOWN)
        payment = planned(tx, order)
        open_case(tx, practice_id="eastern", cause="practice:eastern:settings_wrong", reason=Reason.SETTINGS_WRONG)
    with ledger.reading() as tx:
        about_order, about_practice = list_cases(tx, QueueFilter(ALL)).cases
    assert about_order.order is not None
    assert about_order.payment is not None
    assert (about_order.kind, about_order.order.version, about_order.payment.marker) == (CaseKind.ORDER, 0, payment.marker)
    assert (about_practice.kind, about_practice.order, about_practice.payment) == (CaseKind.PRACTICE, None, None)


def test_counts_say_what_is_due_and_what_is_mine(ledger: Ledger, clock: FakeClock):
    rows = [row for row in _cases(ledger, clock) if row.closed_at is None]
    with ledger.reading() as tx:
        found = count_cases(tx, ALL, "dana")
        assert count_cases(tx, (), "dana") == QueueCounts(0, 0, 0, 0)
        by_reason = cases_by_reason(tx, QueueFilter(ALL, reason=Reason.NAME_DIFFERS, assignee="dana"))
    waiting = sum(_is_waiting(row, clock) for row in rows)
    mine = [row for row in rows if row.assignee == "dana"]
    assert found == QueueCounts(len(rows) - waiting, waiting, len(mine), sum(row.assignee is None for row in rows))
    assert found.open == len(rows)
    assert by_reason == {reason: sum(row.reason == reason for row in mine) for reason in by_reason}
    assert sum(by_reason.values()) == len(mine)


def test_a_case_of_a_practice_that_the_visitor_does_not_see_is_not_there(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.QUEUED, Reason.NAME_DIFFERS)
        case_id = tx.session.query(CaseRow).filter_by(order_id=order.id).one().id
    with ledger.reading() as tx:
        assert case_of(tx, case_id, ("eastern",)) is not None
        assert case_of(tx, case_id, ("central",)) is None
        assert case_of(tx, case_id + 1, ("eastern",)) is None


def test_a_cursor_of_the_orders_list_is_none_of_the_queue(ledger: Ledger):
    with ledger.reading() as tx, pytest.raises(CursorError):
        list_cases(tx, QueueFilter(ALL), cursor="WyJwbGFjZWQtZGVzYyIsZmFsc2UsW251bGxdLDFd")
