"""Reports as a list: every one on one page, whichever way it is read; what is to do; and the lines about an order."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from order_sync.ledger.cursors import Cursor, CursorError
from order_sync.ledger.deliveries import begin_delivery, finish_delivery
from order_sync.ledger.report_lists import (
    ReportFilter,
    find_lines,
    letter_states,
    lines_of_class,
    lines_of_subject,
    list_reports,
    order_keys_of,
    to_do_counts,
    versions_of,
)
from order_sync.ledger.report_models import DeliveryState, LetterKind, ReportRow
from order_sync.ledger.reports import find_report, read_statement, save_report
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import PeriodKind, day_of, month_of
from order_sync.reconciliation.statement import ClassTotal, Line
from order_sync.reports.contents import contents_of
from order_sync.statuses import OrderState
from tests.clocks import FakeClock
from tests.integration.ledger.rows import new_order
from tests.integration.reports.samples import MATCHED, a_statement

FIRST = date(2026, 3, 1)
ALL = ReportFilter(("eastern", "central"))
VOIDED = Line("order:2", DifferenceClass.VOIDED, 0, 0, 0, 700, entity_id=2, number="000000002", payment_ids=("88",))
ORPHAN = Line("entry:99", DifferenceClass.ORPHAN, 0, 0, 0, 0, number="000000404", payment_ids=("99",))


def keep(ledger: Ledger, day: date, practice_id: str = "eastern", **changes: object) -> str:
    with ledger.transaction() as tx:
        return save_report(tx, a_statement(period=day_of(day), practice_id=practice_id, **changes)).report_id


def keep_with(ledger: Ledger, *lines: Line, day: date = FIRST, **changes: object) -> str:
    totals = [
        ClassTotal(line.class_, 1, line.store_cents, line.nextech_cents, line.explains_cents) for line in (MATCHED, *lines)
    ]
    return keep(ledger, day, lines=(MATCHED, *lines), classes=tuple(totals), **changes)


def row_of(ledger: Ledger, report_id: str) -> ReportRow:
    with ledger.reading() as tx:
        row = find_report(tx, report_id)
    assert row is not None
    return row


def read_all(ledger: Ledger, wanted: ReportFilter, limit: int) -> list[list[str]]:
    """Read the list from its first page to its last; return the ids of each page."""
    pages, cursor = [], None
    while True:
        with ledger.reading() as tx:
            page = list_reports(tx, wanted, cursor, limit)
        pages.append([row.report_id for row in page.rows])
        cursor = page.next_cursor
        if cursor is None:
            return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_every_report_is_on_one_page_the_latest_first_and_the_way_back_is_the_same(ledger: Ledger, limit: int):
    for number in range(5):
        keep(ledger, FIRST + timedelta(days=number))
        keep(ledger, FIRST + timedelta(days=number), "central")
    with ledger.transaction() as tx:
        save_report(tx, a_statement(period=month_of(date(2026, 2, 1)), days=()))
    pages = read_all(ledger, ALL, limit)
    seen = [report_id for page in pages for report_id in page]
    assert len(seen) == len(set(seen)) == 11
    rows = [row_of(ledger, report_id) for report_id in seen]
    assert all((a.last_day, a.id) > (b.last_day, b.id) for a, b in pairwise(rows))
    cursor = Cursor("reports", is_backward=True, key=(rows[-1].last_day.isoformat(),), id=rows[-1].id).encode()
    back: list[str] = []
    while cursor is not None:
        with ledger.reading() as tx:
            page = list_reports(tx, ALL, cursor, limit)
        back = [row.report_id for row in page.rows] + back
        assert page.next_cursor is not None
        cursor = page.previous_cursor
    assert back == seen[:-1]


def test_the_list_has_the_newest_versions_of_the_practices_and_kinds_that_are_asked_for(ledger: Ledger):
    keep(ledger, FIRST)
    keep(ledger, FIRST, version=2)
    keep(ledger, FIRST, "central")
    keep(ledger, FIRST, "arizona")
    with ledger.transaction() as tx:
        save_report(tx, a_statement(period=month_of(FIRST)))
    assert read_all(ledger, ReportFilter(("eastern",)), 9) == [["eastern-2026-03-v1", "eastern-2026-03-01-v2"]]
    assert read_all(ledger, ReportFilter(("eastern", "central"), PeriodKind.DAY), 9)[0][0] == "central-2026-03-01-v1"
    assert read_all(ledger, ReportFilter(()), 9) == [[]]
    with ledger.reading() as tx:
        old = find_report(tx, "eastern-2026-03-01-v1")
        assert old is not None
        assert [row.version for row in versions_of(tx, old)] == [2]


@pytest.mark.parametrize("key", [("yesterday",), (5,), (None,), ()])
def test_a_cursor_of_another_list_is_refused(ledger: Ledger, key: tuple[object, ...]):
    cursor = Cursor("reports", is_backward=False, key=key, id=1).encode()  # type: ignore[arg-type]
    with ledger.reading() as tx, pytest.raises(CursorError):
        list_reports(tx, ALL, cursor)


def test_a_to_do_list_is_as_long_as_the_report_says(ledger: Ledger):
    earlier = Line("order:7", DifferenceClass.VOIDED, 0, 0, 0, 5, entity_id=7)
    refund = Line("order:2", DifferenceClass.REFUND_TO_RECORD, 0, 0, 0, 5, entity_id=2)
    ids = [
        keep_with(ledger, day=FIRST),
        keep_with(ledger, VOIDED, day=FIRST + timedelta(days=1)),
        keep_with(ledger, VOIDED, day=FIRST + timedelta(days=2), still_open=(earlier, VOIDED)),
        keep_with(ledger, VOIDED, day=FIRST + timedelta(days=3), still_open=(refund,)),
        keep_with(ledger, day=FIRST + timedelta(days=4), still_open=(VOIDED, VOIDED)),
    ]
    rows = [row_of(ledger, report_id) for report_id in ids]
    with ledger.reading() as tx:
        counts = to_do_counts(tx, rows)
        said = {row.id: len(contents_of(read_statement(tx, row)).to_do) for row in rows[:-1]}
    assert [counts[row.id] for row in rows] == [0, 1, 2, 2, 1]
    assert said == {row.id: counts[row.id] for row in rows[:-1]}


def test_a_letter_counts_as_it_ended_for_each_address(ledger: Ledger):
    row = row_of(ledger, keep(ledger, FIRST))
    with ledger.transaction() as tx:
        for number, (address, is_accepted) in enumerate([("a", False), ("a", True), ("b", True), ("b", False), ("c", False)]):
            letter = begin_delivery(
                tx,
                practice_id="eastern",
                recipient=f"{address}@x.example",
                message_id=f"<{number}@x>",
                kind=LetterKind.REPORT,
                report_id=row.id,
            )
            finish_delivery(tx, letter.id, accepted_by="mail.example" if is_accepted else None)
        states = letter_states(tx, [row])
    assert states[row.id] == {DeliveryState.ACCEPTED: 2, DeliveryState.FAILED: 1}


def test_lines_are_read_by_class_and_subject_in_the_reports_own_order(ledger: Ledger):
    row = row_of(ledger, keep_with(ledger, VOIDED, ORPHAN))
    with ledger.reading() as tx:
        assert lines_of_class(tx, row, DifferenceClass.VOIDED, offset=0, limit=5) == [VOIDED]
        assert lines_of_class(tx, row, DifferenceClass.VOIDED, offset=1, limit=5) == []
        assert lines_of_subject(tx, row, "order:2") == [VOIDED]
        assert lines_of_subject(tx, row, "order:404") == []


def test_the_lines_about_an_order_are_found_by_its_number_and_those_about_a_payment_by_its_id(ledger: Ledger, clock: FakeClock):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.CONFIRMED, entity_id=2, number="000000002")
        new_order(tx, OrderState.CONFIRMED, practice_id="central", entity_id=2, number="777")
    today = clock.now().date()
    old, new = today - timedelta(days=300), today - timedelta(days=2)
    keep_with(ledger, VOIDED, day=old)
    keep_with(ledger, VOIDED, ORPHAN, day=new)
    keep_with(ledger, VOIDED, ORPHAN, day=new, practice_id="central")

    def found(number: str, *practice_ids: str) -> list[tuple[str, str]]:
        with ledger.reading() as tx:
            return [(one.report.practice_id, one.line.subject) for one in find_lines(tx, practice_ids, number)]

    assert found("000000002", "eastern") == [("eastern", "order:2")] * 2
    assert found("99", "eastern", "central") == [("central", "entry:99"), ("eastern", "entry:99")]
    assert found("000000404", "eastern") == [("eastern", "entry:99")], "only a report knows that number"
    assert found("000000002", "arizona") == found("", "eastern") == found("000000002") == []
    with ledger.reading() as tx:
        assert order_keys_of(tx, "eastern", [VOIDED, ORPHAN]) == {2: order.id}
