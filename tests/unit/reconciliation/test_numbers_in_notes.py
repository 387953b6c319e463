"""A number that stands in a payment's note is repeated only where an order has it: staff type telephones there, too."""

from __future__ import annotations

import pandas as pd
import pytest

from order_sync.reconciliation.classify import reconcile
from tests.unit.reconciliation.books import Books, marker_of, number_of
from tests.unit.reconciliation.situation_table import DAY, NOVEMBER, READ_AT

PHONE = "3055550142"


def line_of(books: Books, subject: str) -> pd.Series:
    lines = reconcile(books.facts(), NOVEMBER, practice_id="eastern", as_of=READ_AT)
    return lines.set_index("subject").loc[subject]


@pytest.mark.parametrize("is_asked_for", [True, False])
@pytest.mark.parametrize("marker", [None, marker_of(10**9)])
def test_a_telephone_after_a_number_sign_is_in_no_report(is_asked_for: bool, marker: str | None):
    books = Books()
    books.entry("a", DAY, number=PHONE, marker=marker)
    if is_asked_for:
        books.numbers_not_in_store.add(PHONE)
    line = line_of(books, "entry:a")
    assert line["class_"] == ("orphan" if is_asked_for else "unlinked")
    assert PHONE not in " ".join(map(str, line))


def test_the_number_of_an_order_that_the_store_shows_is_repeated():
    books = Books()
    books.synced(1, DAY)
    books.entry("a", DAY, number=number_of(1), marker=marker_of(10**9))
    assert line_of(books, "entry:a")["number"] == number_of(1)
