"""A report that does not prove itself does not leave: every way to spoil its lines is noticed, and the sums are named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import pytest

from order_sync.errors import PermanentError, ReconciliationError
from order_sync.reconciliation.classes import Section
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.links import link_entries
from order_sync.reconciliation.periods import month_of
from order_sync.reconciliation.proof import prove
from tests.unit.reconciliation.books import Books, noon

DAY = date(2026, 11, 10)
NOVEMBER = month_of(DAY)


@pytest.fixture
def facts() -> Facts:
    books = Books()
    books.synced(1, DAY)
    books.synced(2, NOVEMBER.last_day, paid_day=NOVEMBER.last_day + timedelta(days=1))
    books.order(3, DAY)
    books.memo(1, DAY, 30_00)
    books.entry("r", DAY, -20_00, order=1)
    books.entry("x", DAY, 7_00)
    return books.facts()


def attempt(lines: pd.DataFrame, facts: Facts) -> None:
    prove(lines, facts, link_entries(facts), NOVEMBER, practice_id="eastern")


def lines_of(facts: Facts) -> pd.DataFrame:
    return reconcile(facts, NOVEMBER, practice_id="eastern", as_of=noon(date(2026, 12, 2)))


def without(subject: str, section: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda lines: lines[~((lines["subject"] == subject) & (lines["section"] == section))]


def twice(subject: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda lines: pd.concat([lines, lines[lines["subject"] == subject]], ignore_index=True)


def changed(subject: str, column: str, by: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(lines: pd.DataFrame) -> pd.DataFrame:
        return lines.assign(**{column: lines[column] + by * (lines["subject"] == subject)})

    return change


def reclassed(subject: str, class_: str | None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda lines: lines.assign(class_=lines["class_"].mask(lines["subject"] == subject, class_))


def test_untouched_lines_prove_themselves(facts: Facts):
    lines = lines_of(facts)
    attempt(lines, facts)
    assert set(lines["section"]) == {section.name for section in Section}


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (without("order:3", "NOT_POSTED"), "partition"),
        (without("order:1", "REFUND"), "partition"),
        (without("entry:x", "ENTRY"), "partition"),
        (twice("order:3"), "partition"),
        (twice("entry:x"), "partition"),
        (reclassed("order:3", None), "partition"),
        (changed("order:3", "store_cents", 1), "store side"),
        (changed("order:1", "nextech_cents", -1), "Nextech side"),
        (changed("order:1", "explains_cents", 1), "explained variance"),
        (reclassed("order:1", "cutoff"), "cutoff"),
        (changed("order:2", "at_stake_cents", 1), "cutoff"),
    ],
)
def test_lines_that_were_spoilt_are_refused(facts: Facts, spoil: Callable[[pd.DataFrame], pd.DataFrame], rule: str):
    with pytest.raises(ReconciliationError, match=f"^eastern 2026-11: {rule}: ") as refused:
        attempt(spoil(lines_of(facts)), facts)
    assert isinstance(refused.value, PermanentError)


def test_a_sum_that_is_wrong_is_named_with_the_right_one(facts: Facts):
    with pytest.raises(ReconciliationError, match="the lines say 27001 cents, the facts 27000"):
        attempt(changed("order:3", "store_cents", 1)(lines_of(facts)), facts)


def test_a_memo_of_an_order_that_was_not_read_is_noticed():
    books = Books()
    books.memo(1, DAY, 30_00)
    with pytest.raises(ReconciliationError, match="store side: the lines say 0 cents, the facts -3000"):
        lines_of(books.facts())
