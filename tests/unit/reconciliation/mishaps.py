"""Everything that can befall an order or an entry, and the class that it must then be in.

Each mishap writes one order, or one entry, into the books. `day` is the order's, `other` the day on which the rest happens;
where both days lie in the period, the expected classes hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.statuses import OrderState
from tests.unit.reconciliation.books import BEA, NOBODY, Books, marker_of, number_of

C = DifferenceClass


@dataclass(frozen=True, slots=True)
class Mishap:
    """How it is written, and the classes of its order, its entry and its refund when all of it lies in the period."""

    write: Callable[[Books, int, date, date, int], None]
    order: DifferenceClass | None = None
    entry: DifferenceClass | None = None
    refund: DifferenceClass | None = None


MISHAPS: dict[str, Mishap] = {}


def mishap(
    order: DifferenceClass | None = None, entry: DifferenceClass | None = None, refund: DifferenceClass | None = None
) -> Callable[[Callable[[Books, int, date, date, int], None]], Callable[[Books, int, date, date, int], None]]:
    def add(write: Callable[[Books, int, date, date, int], None]) -> Callable[[Books, int, date, date, int], None]:
        MISHAPS[write.__name__] = Mishap(write, order, entry, refund)
        return write

    return add


def _everyday(books: Books, number: int, day: date, cents: int) -> dict[str, object]:
    """Write an order that was posted as it should be, and return its entry, to be spoilt."""
    books.synced(number, day, cents)
    return books.entries[-1]


def _without_money(books: Books, number: int, day: date, cents: int, state: OrderState, **order: object) -> None:
    books.order(number, day, cents, **order)
    books.note(number, day, state)


@mishap(C.LOST_POSTING)
def lost(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _without_money(books, number, day, cents, OrderState.CONFIRMED)


@mishap(C.NEVER_SEEN)
def never_seen(books: Books, number: int, day: date, _: date, cents: int) -> None:
    books.order(number, day, cents)


@mishap(C.OVERDUE)
def overdue(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _without_money(books, number, day, cents, OrderState.MATCHED)


@mishap(C.NEEDS_A_PERSON)
def needs_a_person(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _without_money(books, number, day, cents, OrderState.QUEUED)


@mishap(C.ON_HOLD)
def on_hold(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _without_money(books, number, day, cents, OrderState.WAITING, eligibility="waits", reason="on_hold", is_held=True)


@mishap(C.PARTLY_PAID)
def partly_paid(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _without_money(
        books, number, day, cents, OrderState.WAITING, eligibility="waits", reason="partly_paid", is_partly_paid=True
    )


@mishap(C.DISABLED)
def disabled(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _without_money(books, number, day, cents, OrderState.DISABLED, eligibility="inactive")
    books.memo(number, other, cents)


@mishap(C.NOT_DUE)
def refunded_before_posting(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _without_money(
        books, number, day, cents, OrderState.NOTHING_TO_POST, eligibility="nothing", reason="refunded_before_posting"
    )
    books.memo(number, other, cents)


@mishap(C.NOTHING_TO_POST)
def paid_by_gift_card(books: Books, number: int, day: date, _: date, cents: int) -> None:
    state = OrderState.NOTHING_TO_POST
    facts = {"eligibility": "nothing", "reason": "amount_zero", "gift_cards_used_cents": cents}
    _without_money(books, number, day, 0, state, **facts)


@mishap(C.DUPLICATE_POSTING)
def doubled(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)
    books.entry(f"D{number}", other, cents, order=number)


@mishap(C.OVER)
def a_cent_too_much(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)["amount_cents"] = cents + 1


@mishap(C.SHORT)
def a_cent_too_little(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)["amount_cents"] = cents - 1


@mishap(C.WRONG_PATIENT)
def wrong_patient(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)["patient_id"] = BEA


@mishap(C.PATIENT_MERGED)
def merged(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)["patient_id"] = BEA
    books.ledger[-1]["is_patient_known"] = False


@mishap(C.DATE_SHIFTED)
def wrong_day(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)["paid_day"] = other


@mishap(C.VOIDED)
def voided(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)["status"] = "cancelled"
    books.entry(f"V{number}", other, -cents, order=number, status="cancelled")


@mishap(C.VOIDED_AS_REFUND)
def voided_as_refund(books: Books, number: int, day: date, other: date, cents: int) -> None:
    voided(books, number, day, other, cents)
    books.memo(number, other, cents)


@mishap(C.SPLIT)
def split(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)["amount_cents"] = 1
    books.entry(f"S{number}", other, cents - 1, order=number)


@mishap(C.SPLIT_INCOMPLETE)
def split_incomplete(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)["amount_cents"] = 1
    books.entry(f"S{number}", other, cents - 2, order=number)


@mishap(C.POSTED_BUT_NOT_DUE)
def posted_but_cancelled(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)
    books.orders[-1] |= {"eligibility": "nothing", "reason": "cancelled", "expected_cents": 0}


@mishap(C.LOST_POSTING, entry=C.UNATTACHED)
def on_no_patient(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)["patient_id"] = NOBODY


@mishap(entry=C.ORPHAN)
def orphan(books: Books, number: int, _: date, other: date, cents: int) -> None:
    books.entry(f"P{number}", other, cents, order=number)
    books.numbers_not_in_store.add(number_of(number))


@mishap(C.MATCHED, entry=C.UNLINKED)
def foreign_marker(books: Books, number: int, day: date, other: date, cents: int) -> None:
    """Another practice's order of the same number, in the same Nextech."""
    books.entry(f"F{number}", other, cents, marker=marker_of(10**9 + number), number=number_of(number))
    _everyday(books, number, day, cents)


@mishap(C.NEEDS_A_PERSON, entry=C.UNLINKED)
def entered_by_hand(books: Books, number: int, day: date, other: date, cents: int) -> None:
    needs_a_person(books, number, day, other, cents)
    books.entry(f"P{number}", other, cents)


@mishap(C.MATCHED, refund=C.REFUND_TO_RECORD)
def refund_missing(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)
    books.memo(number, other, cents // 2)


@mishap(C.MATCHED, refund=C.REFUND_PARTLY_RECORDED)
def refund_partial(books: Books, number: int, day: date, other: date, cents: int) -> None:
    refund_missing(books, number, day, other, cents)
    books.entry(f"R{number}", other, 1 - cents // 2, order=number)


@mishap(C.MATCHED, refund=C.REFUND_OVER_RECORDED)
def refund_over_recorded(books: Books, number: int, day: date, other: date, cents: int) -> None:
    refund_missing(books, number, day, other, cents)
    books.entry(f"R{number}", other, -1 - cents // 2, order=number)


@mishap(C.MATCHED, refund=C.REFUND_RECORDED)
def refund_recorded_later(books: Books, number: int, day: date, other: date, cents: int) -> None:
    """The memo is of the order's day, its record of the other day: over the edge of a period, a cutoff."""
    _everyday(books, number, day, cents)
    books.memo(number, day, cents // 2)
    books.entry(f"R{number}", other, -(cents // 2), order=number)


@mishap(C.MATCHED, refund=C.REFUNDED_OFFLINE)
def refunded_offline(books: Books, number: int, day: date, other: date, cents: int) -> None:
    _everyday(books, number, day, cents)
    books.memo(number, other, offline_cents=cents)


@mishap(C.MATCHED)
def nothing(books: Books, number: int, day: date, _: date, cents: int) -> None:
    _everyday(books, number, day, cents)
