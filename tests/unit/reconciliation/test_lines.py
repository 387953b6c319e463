"""What a line says beside its class: days, amounts, ids, age, reason, and what might fit."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest
from pandera.errors import SchemaError

from order_sync.reconciliation.classify import ELSEWHERE, OFFLINE_TOO, UTC_DAY, reconcile
from order_sync.reconciliation.entries_without_order import FOREIGN_MARKER, ORDER_NOT_SHOWN
from order_sync.reconciliation.frames import CREDIT_MEMOS, LEDGER_ORDERS, LINES, PAYMENT_ENTRIES, STORE_ORDERS, check, empty
from order_sync.reconciliation.links import link_entries
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.statuses import OrderState
from tests.unit.reconciliation.books import BEA, Books, marker_of, noon, number_of

DAY = date(2026, 11, 10)
NEXT_DAY, TWO_DAYS_LATER = DAY + timedelta(days=1), DAY + timedelta(days=2)


def lines_of(books: Books, period: Period | None = None) -> pd.DataFrame:
    return reconcile(books.facts(), period or month_of(DAY), practice_id="eastern", as_of=noon(date(2026, 12, 1)))


def line_of(books: Books, subject: str, section: str | None = None, period: Period | None = None) -> dict[str, object]:
    lines = lines_of(books, period)
    chosen = lines[(lines["subject"] == subject) & ((lines["section"] == section) | (section is None))]
    assert len(chosen) == 1
    row = chosen.iloc[0]
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def test_a_line_names_both_days_both_amounts_and_every_payment_smallest_first():
    books = Books()
    books.synced(1, DAY, payment_id="90", amount_cents=60_00)
    books.ledger[0]["payment_id"] = "90"
    books.entry("100", NEXT_DAY, 40_00, order=1)
    line = line_of(books, "order:1")
    assert (line["store_day"], line["nextech_day"]) == (pd.Timestamp(DAY), pd.Timestamp(DAY))
    assert (line["store_cents"], line["nextech_cents"], line["at_stake_cents"]) == (100_00, 100_00, 100_00)
    assert line["payment_ids"] == "90 100"
    assert (line["entity_id"], line["number"], line["marker"]) == (1, number_of(1), marker_of(1))


def test_a_line_counts_only_what_is_dated_in_its_period():
    books = Books()
    books.synced(1, DAY, amount_cents=60_00)
    books.entry("b", NEXT_DAY, 40_00, order=1)
    first, second = (line_of(books, "order:1", period=day_of(day)) for day in (DAY, NEXT_DAY))
    assert (first["store_cents"], first["nextech_cents"], first["class_"]) == (100_00, 60_00, "split")
    assert (second["store_cents"], second["nextech_cents"], second["class_"]) == (0, 40_00, "split")
    assert second["nextech_day"] == pd.Timestamp(NEXT_DAY)


def test_what_is_at_stake_is_the_whole_amount_whatever_the_period_explains():
    books = Books()
    books.synced(1, DAY, paid_day=NEXT_DAY)
    books.entry("a", NEXT_DAY, -7_00)
    assert line_of(books, "order:1", period=day_of(NEXT_DAY))["at_stake_cents"] == 100_00
    assert line_of(books, "entry:a")["at_stake_cents"] == 7_00


def test_a_voided_order_names_the_payment_that_was_voided():
    books = Books()
    books.synced(1, DAY, status="cancelled")
    assert line_of(books, "order:1")["payment_ids"] == "P1"


# Suggestions.


@pytest.mark.parametrize(
    ("entry_day", "entry_cents", "suggested"),
    [
        (DAY, 100_00, number_of(1)),
        (NEXT_DAY, 100_00, number_of(1)),
        (DAY - timedelta(days=1), 100_00, number_of(1)),
        (TWO_DAYS_LATER, 100_00, None),
        (DAY - timedelta(days=2), 100_00, None),
        (DAY, 99_99, None),
    ],
)
def test_an_order_without_money_is_suggested_by_its_amount_and_a_day_either_way(
    entry_day: date, entry_cents: int, suggested: str | None
):
    books = Books()
    books.order(1, DAY)
    books.entry("a", entry_day, entry_cents)
    assert line_of(books, "entry:a")["suggestion"] == suggested


def test_of_two_orders_that_might_fit_none_is_suggested():
    books = Books()
    books.order(1, DAY)
    books.order(2, NEXT_DAY)
    books.entry("a", DAY)
    assert line_of(books, "entry:a")["suggestion"] is None


def test_an_order_that_has_its_money_is_suggested_to_no_entry():
    books = Books()
    books.synced(1, DAY)
    books.entry("a", DAY)
    assert line_of(books, "entry:a")["suggestion"] is None


def test_a_refund_to_record_is_suggested_to_a_refund_entered_by_hand():
    books = Books()
    books.synced(1, DAY)
    books.memo(1, DAY, 30_00)
    books.entry("a", NEXT_DAY, -30_00)
    assert line_of(books, "entry:a")["suggestion"] == number_of(1)


def test_a_foreign_marker_is_said_to_be_one_and_the_number_beside_it_only_suggested():
    books = Books()
    books.synced(1, DAY)
    books.entry("a", DAY, marker=marker_of(7), number=number_of(1))
    line = line_of(books, "entry:a")
    assert (line["detail"], line["suggestion"]) == (FOREIGN_MARKER, number_of(1))


def test_an_entry_that_the_ledger_knows_of_an_order_that_the_store_does_not_show_says_so():
    books = Books()
    books.note(1, DAY, payment_id="a")
    books.entry("a", DAY, is_our_category=False)
    line = line_of(books, "entry:a")
    assert (line["class_"], line["detail"], line["entity_id"]) == ("unlinked", ORDER_NOT_SHOWN, 1)


def test_a_number_that_two_orders_have_links_to_neither():
    books = Books()
    books.order(1, DAY, number="7")
    books.order(2, DAY, 50_00, number="7")
    books.entry("a", TWO_DAYS_LATER, number="7")
    assert line_of(books, "entry:a")["class_"] == "unlinked"


def test_a_payment_that_the_ledger_gives_to_two_orders_belongs_to_the_older():
    books = Books()
    books.synced(1, DAY, marker=None)
    books.order(2, DAY)
    books.note(2, DAY, payment_id="P1")
    assert [line_of(books, f"order:{number}")["class_"] for number in (1, 2)] == ["matched", "lost_posting"]


def test_an_entry_of_another_category_names_no_order_by_a_number_alone():
    books = Books()
    books.order(1, DAY)
    books.entry("a", DAY, -5_00, number=number_of(1), is_our_category=False)
    books.entry("b", DAY, -5_00, number=number_of(1))
    assert link_entries(books.facts())["entity_id"].isna().tolist() == [True, False]


# Age, reason, detail.


@pytest.mark.parametrize(
    ("state", "order", "since"),
    [
        (OrderState.WAITING, {"eligibility": "waits", "reason": "on_hold", "is_held": True}, "changed_at"),
        (OrderState.QUEUED, {}, "changed_at"),
        (OrderState.MATCHED, {}, "due_since"),
        (OrderState.CONFIRMED, {}, "posted_at"),
    ],
)
def test_an_age_counts_from_what_the_ledger_knows(state: OrderState, order: dict[str, object], since: str):
    books = Books()
    books.order(1, DAY, **order)
    books.note(1, DAY, state)
    times = {name: noon(DAY) + timedelta(hours=hours) for hours, name in enumerate(("due_since", "posted_at", "changed_at"), 1)}
    books.ledger[0] |= times
    assert line_of(books, "order:1")["since"] == times[since]


def test_an_age_counts_from_the_order_when_the_ledger_does_not_know_it():
    books = Books()
    books.order(1, DAY)
    assert line_of(books, "order:1")["since"] == noon(DAY)


def test_a_refunds_age_counts_from_its_first_memo():
    books = Books()
    books.synced(1, DAY)
    books.memo(1, TWO_DAYS_LATER, 10_00)
    books.memo(1, NEXT_DAY, 10_00)
    assert line_of(books, "order:1", "REFUND")["since"] == noon(NEXT_DAY)


def test_a_memo_that_moved_no_money_is_no_refund_of_its_period():
    books = Books()
    books.synced(1, DAY)
    books.memo(1, DAY, gift_cards_returned_cents=5_00)
    books.memo(1, NEXT_DAY, 10_00)
    assert "REFUND" not in lines_of(books, day_of(DAY))["section"].tolist()
    assert line_of(books, "order:1", "REFUND")["since"] == noon(NEXT_DAY)


def test_a_person_reads_the_ledgers_reason_and_a_hold_the_stores():
    books = Books()
    books.order(1, DAY, eligibility="person", reason="totals_disagree")
    books.note(1, DAY, OrderState.QUEUED, reason="cannot_create_account", detail="birth date missing")
    books.order(2, DAY, eligibility="waits", reason="on_hold", is_held=True)
    books.note(2, DAY, OrderState.QUEUED, reason="duplicated_customer", detail="2 patients")
    assert [line_of(books, "order:1")[name] for name in ("reason", "detail")] == ["cannot_create_account", "birth date missing"]
    assert [line_of(books, "order:2")[name] for name in ("reason", "detail")] == ["on_hold", None]


def test_a_payment_that_stands_has_no_reason_though_the_store_has_refunded_all_of_it():
    books = Books()
    books.synced(1, DAY)
    books.orders[0] |= {"eligibility": "nothing", "reason": "refunded_before_posting"}
    assert line_of(books, "order:1")["reason"] is None


def test_a_payment_of_the_evening_that_carries_the_day_in_utc_says_so():
    books = Books()
    books.synced(1, DAY, paid_day=NEXT_DAY)
    books.orders[0]["placed_at"] = datetime.combine(NEXT_DAY, time(2), UTC)
    assert line_of(books, "order:1")["detail"] == UTC_DAY


def test_a_wrong_amount_on_a_wrong_patient_says_both():
    books = Books()
    books.synced(1, DAY, patient_id=BEA, amount_cents=1)
    line = line_of(books, "order:1")
    assert (line["class_"], line["detail"]) == ("short", ELSEWHERE)


def test_a_refund_that_was_offline_in_part_says_so():
    books = Books()
    books.synced(1, DAY)
    books.memo(1, DAY, 30_00, offline_cents=5_00)
    assert line_of(books, "order:1", "REFUND")["detail"] == OFFLINE_TOO


# Frames.


def test_a_period_in_which_nothing_happened_has_no_lines():
    assert lines_of(Books()).empty


@pytest.mark.parametrize("schema", [STORE_ORDERS, CREDIT_MEMOS, PAYMENT_ENTRIES, LEDGER_ORDERS, LINES])
def test_an_empty_frame_keeps_the_rules_of_its_kind(schema):
    assert check(schema, empty(schema)).empty


@pytest.mark.parametrize(
    ("rows", "column", "value"),
    [
        ("orders", "expected_cents", -1),
        ("orders", "eligibility", "perhaps"),
        ("orders", "number", None),
        ("entries", "status", "unknown"),
        ("memos", "gateway_cents", -1),
    ],
)
def test_facts_that_break_a_rule_are_refused_before_anything_is_counted(rows: str, column: str, value: object):
    books = Books()
    books.synced(1, DAY)
    books.memo(1, DAY, 1)
    getattr(books, rows)[0][column] = value
    with pytest.raises(SchemaError, match=column):
        books.facts()


@pytest.mark.parametrize(("rows", "column"), [("orders", "entity_id"), ("entries", "payment_id"), ("memos", "memo_id")])
def test_facts_that_hold_something_twice_are_refused(rows: str, column: str):
    books = Books()
    books.synced(1, DAY)
    books.memo(1, DAY, 1)
    getattr(books, rows).append(getattr(books, rows)[0])
    with pytest.raises(SchemaError, match=column):
        books.facts()
