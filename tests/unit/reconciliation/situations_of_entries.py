"""Entries without an order."""

from __future__ import annotations

from order_sync.reconciliation.classes import DifferenceClass as C
from tests.unit.reconciliation.books import NOBODY, Books, marker_of, number_of
from tests.unit.reconciliation.situation_table import DAY, FULL, NEXT_MONTH, situation


@situation("an entry of our category hangs on no patient", ("entry:a", C.UNATTACHED, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, patient_id=NOBODY)


@situation("the payment of an order hangs on no patient", ("entry:P1", C.UNATTACHED, -FULL), ("order:1", C.LOST_POSTING, +FULL))
def _(books: Books) -> None:
    books.synced(1, DAY, patient_id=NOBODY)


@situation("the store was asked for the entry's order and has none", ("entry:a", C.ORPHAN, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, order=7)
    books.numbers_not_in_store.add(number_of(7))


@situation("the entry's order was not seen, and nobody asked for it", ("entry:a", C.UNLINKED, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, order=7)


@situation("entered by hand, and it names no order", ("entry:a", C.UNLINKED, -FULL))
def _(books: Books) -> None:
    books.entry("a", DAY)


@situation("entered by hand, in another period")
def _(books: Books) -> None:
    books.entry("a", NEXT_MONTH)


@situation("a refund entered by hand, and it names no order", ("entry:a", C.UNLINKED, +FULL))
def _(books: Books) -> None:
    books.entry("a", DAY, -FULL)


@situation(
    "the marker is of another store, the number beside it is one of ours",
    ("entry:a", C.UNLINKED, -FULL),
    ("order:1", C.MATCHED, 0),
)
def _(books: Books) -> None:
    books.synced(1, DAY)
    books.entry("a", DAY, marker=marker_of(7), number=number_of(1))


@situation("the payment is of another category and carries nothing of ours")
def _(books: Books) -> None:
    books.entry("a", DAY, is_our_category=False, number=number_of(7))


@situation("the entry was cancelled")
def _(books: Books) -> None:
    books.entry("a", DAY, status="cancelled")
    books.entry("b", DAY, -FULL, status="cancelled")
