"""The three sides of one practice and period as they were read, and which order each payment of Nextech belongs to.

Plain values on their way to the frames of the reconciliation. A customer's details are dropped here: what is kept of an
order is the order without its customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from order_sync.credit_memos import CreditMemo, MemoProblem
from order_sync.ledger.facts import LedgerFact
from order_sync.markers import find_markers, make_marker, posting_key
from order_sync.orders import Customer, Order, OrderProblem
from order_sync.payments import EntryStatus, PaymentEntry
from order_sync.practices import Practice

NOBODY = Customer(customer_id=None, is_guest=True)

_NAMED = re.compile(r"#\s*([A-Z]{0,6}\d{5,20}(?:-\d{1,3})?)(?![\w-])", re.IGNORECASE | re.ASCII)
"""An order number as our own notes write it: "#100004021", "#000004127-1"."""
_BARE = re.compile(r"(?<![\w#.-])(\d{8,12}(?:-\d{1,3})?)(?![\w-])", re.ASCII)
"""What may be an order number in a note that somebody typed."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something of the period that could not be read or understood: counted and reported, never dropped silently."""

    subject: str
    """"order:4127", "memo:12" or "entry:88213"."""
    sentence: str
    """For a person, without patient data."""
    number: str | None = None
    amount_cents: int | None = None
    day: date | None = None
    """The practice-local day on which it would stand; None where even that is not known."""


@dataclass(slots=True)
class Sides:
    """What was read so far; grows while the collection goes on."""

    practice: Practice
    marker_key: bytes = field(repr=False)
    orders: dict[int, Order] = field(default_factory=dict)
    problems: dict[int, OrderProblem] = field(default_factory=dict)
    memos: dict[int, CreditMemo] = field(default_factory=dict)
    memo_problems: list[MemoProblem] = field(default_factory=list)
    entries: dict[str, PaymentEntry] = field(default_factory=dict)
    ledger: dict[int, LedgerFact] = field(default_factory=dict)
    posted: dict[str, int] = field(default_factory=dict)
    """The order's entity id of each payment id that the ledger has posted."""
    planned: dict[str, int] = field(default_factory=dict)
    """The order's entity id of each marker that the ledger has planned with."""
    recorded_refunds: dict[str, int] = field(default_factory=dict)
    recorded_memos: frozenset[int] = frozenset()
    markers: dict[str, int] = field(default_factory=dict)
    """The order's entity id of each marker made anew from the key."""
    numbers: dict[str, set[int]] = field(default_factory=dict)
    """The entity ids of every number, in lower case; of orders that cannot be read, too."""
    numbers_not_in_store: set[str] = field(default_factory=set)
    broken_numbers: set[str] = field(default_factory=set)
    """Numbers whose orders the store cannot show."""
    is_every_chart_read: bool = False
    """Whether what was changed since the period could not be asked for as such."""
    unknown_patients: set[str] = field(default_factory=set)
    """Charts that Nextech does not have any more."""

    def take_order(self, seen: Order | OrderProblem) -> None:
        """Take in an order of this practice, without its customer; another practice's is left out."""
        if self.practice.store_ids and seen.store_id is not None and seen.store_id not in self.practice.store_ids:
            return
        if seen.number is not None:
            self.numbers.setdefault(seen.number.casefold(), set()).add(seen.entity_id)
        if isinstance(seen, OrderProblem):
            self.problems.setdefault(seen.entity_id, seen)
            return
        self.problems.pop(seen.entity_id, None)
        self.orders[seen.entity_id] = replace(seen, customer=NOBODY)
        self.markers[self.marker_of(seen)] = seen.entity_id

    def marker_of(self, order: Order) -> str:
        """Return an order's marker, made from the key: it owes nothing to the ledger."""
        return make_marker(self.marker_key, posting_key(order, self.practice))

    def is_ours(self, entry: PaymentEntry) -> bool:
        """Say whether an entry is of the practice's category for the online store."""
        return _folded(entry.category) == _folded(self.practice.nextech.payment_category)

    def marker_in(self, entry: PaymentEntry) -> str | None:
        """Return the marker that an entry's note carries: one of an order that is known, else the first."""
        found = find_markers(entry.note)
        known = (marker for marker in found if marker in self.markers or marker in self.planned)
        return next(known, found[0] if found else None)

    def number_in(self, entry: PaymentEntry) -> str | None:
        """Return the order number that an entry names: the ledger's, else the one in its note."""
        entity_id = self.posted.get(entry.payment_id) or self.planned.get(self.marker_in(entry) or "")
        if entity_id in self.orders:
            return self.orders[entity_id].number
        if entity_id in self.ledger:
            return self.ledger[entity_id].number
        if named := _NAMED.search(entry.note):
            return self._as_written(named[1])
        return next((self._as_written(text) for text in _BARE.findall(entry.note) if text.casefold() in self.numbers), None)

    def numbers_to_ask_for(self, entries: Iterable[PaymentEntry]) -> Iterator[str]:
        """Yield the order numbers that these entries may name and that nobody has asked the store for."""
        for entry in entries:
            if self.is_of_unread_order(entry):
                continue
            named = [match for match in (self.number_in(entry),) if match]
            for number in dict.fromkeys((*named, *(_BARE.findall(entry.note) if self.is_ours(entry) else ()))):
                if number.casefold() not in self.numbers and number not in self.numbers_not_in_store:
                    yield number

    def order_of(self, entry: PaymentEntry) -> int | None:
        """Return the entity id of the order that an entry belongs to: by the ledger, by its marker, by its number."""
        by_id = self.posted.get(entry.payment_id) or self.recorded_refunds.get(entry.payment_id)
        if by_id is not None:
            return by_id
        marker = self.marker_in(entry)
        if marker is not None:
            return self.markers.get(marker) or self.planned.get(marker)
        number = self.number_in(entry) if self.is_ours(entry) else None
        having = self.numbers.get(number.casefold(), set()) if number else set()
        return next(iter(having)) if len(having) == 1 else None

    def is_of_unread_order(self, entry: PaymentEntry) -> bool:
        """Say whether an entry belongs to an order that the store cannot show: its amount has nothing to be compared with."""
        entity_id = self.order_of(entry)
        return entity_id in self.problems or (entity_id is None and self.number_in(entry) in self.broken_numbers)

    def entries_by_order(self) -> dict[int, list[PaymentEntry]]:
        """Return the entries of each order, by its entity id."""
        found: dict[int, list[PaymentEntry]] = {}
        for entry in self.entries.values():
            entity_id = self.order_of(entry)
            if entity_id is not None:
                found.setdefault(entity_id, []).append(entry)
        return found

    def _as_written(self, number: str) -> str:
        """Return a number as the store writes it, where the store has it."""
        having = self.numbers.get(number.casefold(), set())
        return next((self.orders[entity_id].number for entity_id in having if entity_id in self.orders), number)


def is_live_payment(entry: PaymentEntry) -> bool:
    """Say whether an entry stands and brought money in."""
    return entry.status is EntryStatus.ACTIVE and entry.amount_cents > 0


def is_live_refund(entry: PaymentEntry) -> bool:
    """Say whether an entry stands and gave money back."""
    return entry.status is EntryStatus.ACTIVE and entry.amount_cents < 0


def _folded(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()
