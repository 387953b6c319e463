"""The audit trail as a list: every entry on one page, narrowed by order, person, deed and the practice's own day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.audit_lists import AuditFilter, Span, list_entries
from order_sync.ledger.cursors import Cursor, CursorError
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.periods import day_of
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import PRACTICE, new_order
from tests.unit.situations import a_practice

EVERYTHING = AuditFilter((Span(PRACTICE), Span("central")))


def note(ledger: Ledger, actor: str = "front.desk", practice_id: str = PRACTICE, action: Action = Action.NOTED) -> None:
    with ledger.transaction() as tx:
        record_action(tx, action, actor=actor, practice_id=practice_id)


@pytest.mark.parametrize("limit", [1, 3, 4, 20])
def test_every_entry_is_on_one_page_forwards_and_back(ledger: Ledger, limit: int):
    for number in range(10):
        note(ledger, actor=f"login {number}", practice_id=PRACTICE if number % 2 else "central")
    note(ledger, practice_id="arizona")
    seen, cursor = [], None
    while True:
        with ledger.reading() as tx:
            page = list_entries(tx, EVERYTHING, cursor, limit)
        seen += [entry.row.actor for entry in page.entries]
        before, cursor = page, page.next_cursor
        if cursor is None:
            break
    assert seen == [f"login {number}" for number in reversed(range(10))]
    back = [entry.row.actor for entry in before.entries]
    while before.previous_cursor is not None:
        with ledger.reading() as tx:
            before = list_entries(tx, EVERYTHING, before.previous_cursor, limit)
        back = [entry.row.actor for entry in before.entries] + back
    assert back == seen


def test_the_trail_is_narrowed_by_order_person_and_deed(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.CONFIRMED, number="000000123")
        other = new_order(tx, OrderState.CONFIRMED, practice_id="central", number="000000123")
        for row in (order, other):
            record_action(tx, Action.PATIENT_VIEWED, actor="billing", practice_id=row.practice_id, order_id=row.id)
        record_action(tx, Action.EXPORTED, actor="billing", practice_id=PRACTICE)

    def count(spans: tuple[Span, ...] = EVERYTHING.spans, **asked: object) -> int:
        with ledger.reading() as tx:
            return len(list_entries(tx, AuditFilter(spans, **asked)).entries)  # type: ignore[arg-type]

    assert count() == 3
    assert count(order_number="000000123") == 2
    assert count((Span(PRACTICE),), order_number="000000123") == 1
    assert count(actor="billing", action=Action.EXPORTED) == 1
    assert count(actor="nobody") == count(()) == count((), order_number="000000123") == 0


def test_a_day_is_the_practices_own(ledger: Ledger, clock: FakeClock):
    practice = a_practice()
    day = practice.business_day(clock.now())
    midnight = day_of(day).cut_off(practice)
    clock.advance(minutes=(midnight - clock.now()).total_seconds() / 60 - 1)
    note(ledger, actor="before")
    clock.advance(minutes=1)
    note(ledger, actor="after")

    def on(when: date) -> list[str]:
        period = day_of(when)
        with ledger.reading() as tx:
            spans = (Span(practice.id, period.begins_at(practice), period.cut_off(practice)),)
            return [entry.row.actor for entry in list_entries(tx, AuditFilter(spans)).entries]

    assert (on(day), on(day + timedelta(days=1)), on(day - timedelta(days=1))) == (["before"], ["after"], [])


def test_a_cursor_of_another_list_is_refused(ledger: Ledger):
    with ledger.reading() as tx, pytest.raises(CursorError):
        list_entries(tx, EVERYTHING, Cursor("reports", is_backward=False, key=("2026-01-01",), id=1).encode())
