"""The statement: what a letter says in numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from order_sync.reconciliation.ageing import sum_by_age
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.reconciliation.reopening import find_reopening
from order_sync.reconciliation.statement import AgeBand, GiftCards, Line, Statement
from order_sync.reconciliation.summary import summarize
from order_sync.statuses import OrderState
from tests.unit.reconciliation.books import Books, marker_of, noon, number_of
from tests.unit.situations import a_practice

DAY = date(2026, 11, 10)
NOVEMBER = month_of(DAY)


def statement_of(
    books: Books,
    period: Period = NOVEMBER,
    *,
    opening_gift_cards_cents: int | None = None,
    open_refunds: Iterable[tuple[date, int]] | None = None,
) -> Statement:
    facts, practice = books.facts(), a_practice()
    lines = reconcile(facts, period, practice_id=practice.id, as_of=noon(date(2026, 12, 2)))
    return summarize(
        lines,
        facts,
        period,
        practice=practice,
        opening_gift_cards_cents=opening_gift_cards_cents,
        open_refunds=open_refunds,
    )


def test_the_totals_tie_and_name_each_direction_of_money():
    books = Books()
    books.synced(1, DAY)
    books.order(2, DAY, 40_00)
    books.memo(1, DAY, 30_00)
    books.entry("r", DAY, -20_00, order=1)
    statement = statement_of(books)
    assert (statement.store_in_cents, statement.store_back_cents) == (140_00, 30_00)
    assert (statement.posted_cents, statement.recorded_back_cents) == (100_00, 20_00)
    assert statement.variance_cents == statement.explained_cents == 30_00
    assert statement.is_tied


def test_every_day_of_the_period_is_there_and_the_days_add_up():
    books = Books()
    books.synced(1, DAY, paid_day=DAY + timedelta(days=1))
    books.memo(1, DAY + timedelta(days=2), 30_00)
    statement = statement_of(books)
    assert [day.day for day in statement.days] == list(NOVEMBER.days)
    moved = {
        day.day.day: (day.store_cents, day.nextech_cents) for day in statement.days if day.store_cents or day.nextech_cents
    }
    assert moved == {10: (100_00, 0), 11: (0, 100_00), 12: (-30_00, 0)}
    assert sum(day.store_cents - day.nextech_cents for day in statement.days) == statement.variance_cents


def test_classes_come_in_their_order_and_lines_oldest_first_within_one():
    books = Books()
    books.order(3, DAY)
    books.order(2, DAY - timedelta(days=1))
    books.order(11, DAY)
    books.entry("a", DAY)
    statement = statement_of(books)
    assert [total.class_ for total in statement.classes] == [DifferenceClass.UNLINKED, DifferenceClass.NEVER_SEEN]
    assert [(total.count, total.explains_cents) for total in statement.classes] == [(1, -100_00), (3, 300_00)]
    assert [line.subject for line in statement.lines] == ["entry:a", "order:2", "order:11", "order:3"]


def test_a_line_holds_plain_values_and_its_age_at_the_cut_off():
    books = Books()
    books.order(1, DAY)
    books.note(1, DAY, OrderState.QUEUED, reason="cannot_create_account", detail="birth date missing", changed_at=noon(DAY))
    assert statement_of(books, day_of(DAY + timedelta(days=0))).lines == (
        Line(
            subject="order:1",
            class_=DifferenceClass.NEEDS_A_PERSON,
            store_cents=100_00,
            nextech_cents=0,
            explains_cents=100_00,
            at_stake_cents=100_00,
            entity_id=1,
            number=number_of(1),
            store_day=DAY,
            since=datetime(2026, 11, 10, 12, tzinfo=UTC),
            age_days=0,
            reason="Cannot create account: birth date missing",
            marker=marker_of(1),
            next_step="Ask the customer for what is missing, create the account in Nextech, then retry.",
        ),
    )
    assert statement_of(books).lines[0].age_days == 20


@pytest.mark.parametrize(
    ("opening_cents", "is_known", "closing_cents"), [(500_00, True, 538_00), (None, False, 38_00)], ids=["known", "unknown"]
)
def test_gift_cards_roll_forward(opening_cents: int | None, is_known: bool, closing_cents: int):
    books = Books()
    books.synced(1, DAY)
    books.orders[0] |= {"gift_cards_sold_cents": 70_00, "gift_cards_used_cents": 20_00}
    books.order(2, DAY - timedelta(days=30), gift_cards_sold_cents=99_00)
    books.memo(1, DAY, gift_cards_refunded_cents=15_00, gift_cards_returned_cents=3_00)
    cards = statement_of(books, opening_gift_cards_cents=opening_cents).gift_cards
    assert cards == GiftCards(opening_cents or 0, 70_00, 20_00, 12_00, is_opening_known=is_known)
    assert cards.closing_cents == closing_cents


def test_a_practice_without_gift_cards_is_not_told_of_any():
    assert statement_of(Books()).gift_cards is None
    assert statement_of(Books(), opening_gift_cards_cents=0).gift_cards == GiftCards(0, 0, 0, 0, is_opening_known=True)


def test_unapplied_payments_are_aged_at_the_end_of_the_period():
    books = Books()
    books.synced(1, NOVEMBER.last_day, unapplied_cents=100_00)
    books.synced(2, NOVEMBER.last_day - timedelta(days=8), unapplied_cents=40_00)
    books.synced(3, DAY, unapplied_cents=0)
    books.synced(4, DAY)
    books.entry("b", DAY, -5_00, order=4, unapplied_cents=5_00)
    books.entry("c", DAY, 5_00, status="cancelled", unapplied_cents=5_00)
    bands = {band.title: (band.count, band.amount_cents) for band in statement_of(books).unapplied}
    assert bands == {
        "0-7 days": (1, 100_00),
        "8-30 days": (1, 40_00),
        "31-60 days": (0, 0),
        "61-90 days": (0, 0),
        "over 90 days": (0, 0),
    }


@pytest.mark.parametrize(
    ("age_days", "title"),
    [
        (0, "0-7 days"),
        (7, "0-7 days"),
        (8, "8-30 days"),
        (30, "8-30 days"),
        (31, "31-60 days"),
        (60, "31-60 days"),
        (61, "61-90 days"),
        (90, "61-90 days"),
        (91, "over 90 days"),
    ],
)
def test_the_edges_of_the_bands(age_days: int, title: str):
    bands = sum_by_age([(DAY - timedelta(days=age_days), 1_00)], DAY)
    assert [band for band in bands if band.count] == [AgeBand(title, 1, 1_00)]


def test_what_is_open_only_after_the_period_has_no_age():
    assert sum_by_age([(DAY + timedelta(days=1), 1_00)], DAY) == ()


def test_refunds_to_record_are_those_of_the_lines_unless_all_open_ones_are_given():
    books = Books()
    books.synced(1, DAY)
    books.memo(1, DAY, 30_00)
    books.entry("r", DAY, -10_00, order=1)
    assert [band.amount_cents for band in statement_of(books).refund_ageing] == [0, 20_00, 0, 0, 0]
    old = statement_of(books, open_refunds=[(date(2026, 1, 1), 5_00)]).refund_ageing
    assert [band.amount_cents for band in old] == [0, 0, 0, 0, 5_00]


def test_prepaid_services_and_offline_refunds_stand_beside_the_variance():
    books = Books()
    books.synced(1, DAY)
    books.orders[0]["is_prepaid_service"] = True
    books.memo(1, DAY, offline_cents=8_00)
    statement = statement_of(books)
    assert (statement.prepaid_count, statement.prepaid_cents, statement.offline_refund_cents) == (1, 100_00, 8_00)
    assert statement.variance_cents == 0


def test_a_report_of_nothing_is_a_report():
    statement = statement_of(Books())
    assert statement.is_tied
    assert (statement.lines, statement.classes, statement.unapplied, statement.refund_ageing) == ((), (), (), ())


# Re-opened periods.


def test_a_period_that_says_the_same_is_not_reopened():
    books = Books()
    books.synced(1, DAY)
    lines = statement_of(books).lines
    older = tuple(replace(line, age_days=99, owner="kim", reason="other words") for line in lines)
    assert find_reopening(NOVEMBER, 2, lines, older) is None


def test_a_reopening_names_what_came_went_or_changed_and_its_lines_add_up_to_the_delta():
    books = Books()
    books.synced(1, DAY)
    books.order(2, DAY)
    books.entry("gone", DAY, 5_00)
    books.memo(1, DAY, 10_00)
    before = statement_of(books).lines
    books.entries[0]["amount_cents"] = 90_00
    books.entries[1] |= {"payment_id": "new", "amount_cents": 100_00, "number": number_of(2)}
    found = find_reopening(NOVEMBER, 2, before, statement_of(books).lines)
    assert found is not None
    changes = {line.subject: (line.class_, line.explains_cents) for line in found.lines}
    assert changes == {
        "entry:gone": (DifferenceClass.UNLINKED, +5_00),
        "order:1": (DifferenceClass.SHORT, +10_00),
        "order:2": (DifferenceClass.MATCHED, -100_00),
    }
    assert (found.before_cents, found.after_cents) == (85_00, 0)
    assert sum(line.explains_cents for line in found.lines) == found.after_cents - found.before_cents


def test_a_period_is_reopened_by_another_class_though_no_amount_has_changed():
    books = Books()
    books.synced(1, DAY)
    before = statement_of(books).lines
    books.entries[0]["patient_id"] = "bea"
    found = find_reopening(NOVEMBER, 2, before, statement_of(books).lines)
    assert found is not None
    assert [(line.class_, line.explains_cents) for line in found.lines] == [(DifferenceClass.WRONG_PATIENT, 0)]
