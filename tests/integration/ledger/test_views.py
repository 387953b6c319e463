"""The views that others may read: what they answer, and that docs/tables.md describes them as they are."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from order_sync.ledger.cases import close_case, open_case, order_cause
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import finish_attempt, update_payment
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.integration.ledger.rows import EXECUTED, PRACTICE, attempted, new_order, planned, saved_order

VIEWS = (
    "open_cases",
    "open_differences",
    "order_status",
    "payment_attempts",
    "posted_payments",
    "reconciliation_classes",
    "report_letters",
)
DESCRIPTION = Path(__file__).parents[3] / "docs" / "tables.md"


def _rows(ledger: Ledger, view: str) -> list[dict[str, Any]]:
    with ledger.transaction() as tx:
        return [dict(row) for row in tx.session.execute(text(f"SELECT * FROM {view}")).mappings()]  # noqa: S608


def test_order_status_shows_every_order_with_its_age(ledger: Ledger):
    own_time = Ledger(ledger.engine)
    with own_time.transaction() as tx:
        new_order(tx, placed_at=tx.now - timedelta(minutes=42, seconds=30), number="000000042")
        new_order(tx, OrderState.QUEUED, Reason.NAME_DIFFERS, placed_at=tx.now - timedelta(days=2))
    first, second = sorted(_rows(ledger, "order_status"), key=lambda row: row["age_minutes"])
    assert (first["practice_id"], first["number"], first["amount_cents"]) == (PRACTICE, "000000042", 12_050)
    assert (first["public_status"], first["reason"], first["age_minutes"]) == ("Waiting for Sync", None, 42)
    assert (second["public_status"], second["reason"], second["age_minutes"]) == ("Not Synced", "name_differs", 2880)


def test_open_cases_leave_the_view_when_they_are_closed(ledger: Ledger):
    order = saved_order(ledger, OrderState.QUEUED, Reason.NAME_DIFFERS)
    with Ledger(ledger.engine).transaction() as tx:
        open_case(tx, practice_id="central", cause="practice:central", reason=Reason.SETTINGS_WRONG, detail="currency")
    about_order, about_practice = sorted(_rows(ledger, "open_cases"), key=lambda row: row["id"])
    assert (about_order["order_number"], about_order["amount_cents"]) == (order.number, 12_050)
    assert (about_practice["sentence"], about_practice["age_minutes"]) == ("A setting is wrong: currency", 0)
    with ledger.transaction() as tx:
        close_case(tx, order_cause(order.id), by="desk.user", resolution="done")
    assert [row["practice_id"] for row in _rows(ledger, "open_cases")] == ["central"]


def test_posted_payments_are_those_that_nextech_has_voided_ones_marked(ledger: Ledger):
    with ledger.transaction() as tx:
        for state in (OrderState.CONFIRMED, OrderState.CLOSED_VOIDED):
            order = new_order(tx, state)
            planned(tx, order)
            update_payment(tx, order.id, payment_id=f"pay-{state}", posted_at=tx.now)
        planned(tx, new_order(tx, OrderState.MATCHED))
    found = {row["payment_id"]: bool(row["is_voided"]) for row in _rows(ledger, "posted_payments")}
    assert found == {"pay-confirmed": False, "pay-closed_voided": True}


def test_a_payment_whose_case_is_open_is_still_posted(ledger: Ledger):
    with ledger.transaction() as tx:
        order = new_order(tx, OrderState.CONFIRMED)
        planned(tx, order)
        update_payment(tx, order.id, payment_id="pay-1", posted_at=tx.now)
        move(tx, order, Step(OrderState.QUEUED, Reason.PAYMENT_MISMATCH))
    assert [row["payment_id"] for row in _rows(ledger, "posted_payments")] == ["pay-1"]


def test_payment_attempts_show_what_was_tried_and_what_it_proved(ledger: Ledger):
    order, attempt = attempted(ledger)
    (under_way,) = _rows(ledger, "payment_attempts")
    assert (under_way["number"], under_way["outcome"]) == (order.number, None)
    with ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, EXECUTED)
    (finished,) = _rows(ledger, "payment_attempts")
    assert (finished["outcome"], finished["http_status"], finished["reason"]) == ("executed", 201, "2xx with id")


@pytest.mark.parametrize(
    "name",
    ["order_status", "posted_payments", "open_cases", "payment_attempts", "manual_resolution_queue", "audit_trail"],
)
def test_every_column_is_described_and_nothing_else_is(ledger: Ledger, name: str):
    section = re.search(rf"^## `{name}`.*?(?=^## |\Z)", DESCRIPTION.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert section is not None
    described = re.findall(r"^\| `(\w+)` \|", section.group(), re.MULTILINE)
    assert described == [column["name"] for column in inspect(ledger.engine).get_columns(name)]


def test_no_view_shows_a_patient_or_a_customer(ledger: Ledger):
    found = inspect(ledger.engine)
    assert sorted(found.get_view_names()) == list(VIEWS)
    columns = {column["name"] for view in found.get_view_names() for column in found.get_columns(view)}
    assert columns.isdisjoint({"patient_id", "customer_key", "candidate_ids", "match_evidence", "posting_key"})
