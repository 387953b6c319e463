"""One record of a labelled set: it plays the customer of an order once, and a chart otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from order_sync.orders import Customer
from order_sync.patients import Patient


@dataclass(frozen=True, slots=True)
class Record:
    """One written-down person; None is not known. `person` is the truth: records of one person share it."""

    record_id: str
    person: str
    first: str | None = None
    last: str | None = None
    email: str | None = None
    phone: str | None = None
    birth_date: date | None = None
    postal_code: str | None = None
    suffix: str | None = None
    city: str | None = None
    buys: bool = True
    has_chart: bool = True
    """Most sets are lists of records, each of which may play both parts."""

    @property
    def customer(self) -> Customer:
        """Return the record as the customer of an order."""
        return Customer(
            customer_id=None,
            is_guest=True,
            first=self.first,
            last=self.last,
            email=self.email,
            phone=self.phone,
            birth_date=self.birth_date,
            postal_code=self.postal_code,
            suffix=self.suffix,
        )

    @property
    def chart(self) -> Patient:
        """Return the record as a chart of Nextech."""
        return Patient(
            patient_id=self.record_id,
            first=self.first,
            last=self.last,
            email=self.email,
            phones=(self.phone,) if self.phone else (),
            birth_date=self.birth_date,
            postal_code=self.postal_code,
            suffix=self.suffix,
            city=self.city,
        )


Pair = tuple[str, str]
"""The ids of the record that plays the customer and of the one that plays the chart: the later one buys."""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Records whose truth is known."""

    name: str
    records: Sequence[Record]
    source: str
    by_id: Mapping[str, Record] = field(init=False, repr=False)
    place: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {record.record_id: record for record in self.records})
        object.__setattr__(self, "place", {record.record_id: place for place, record in enumerate(self.records)})

    @property
    def has_emails(self) -> bool:
        """Say whether any record has an e-mail."""
        return any(record.email for record in self.records)

    @property
    def has_phones(self) -> bool:
        """Say whether any record has a phone."""
        return any(record.phone for record in self.records)

    def true_pairs(self) -> frozenset[Pair]:
        """Return every pair of records of one person."""
        people: dict[str, list[str]] = {}
        for record in self.records:
            people.setdefault(record.person, []).append(record.record_id)
        return self.playable((earlier, later) for ids in people.values() for earlier, later in combinations(ids, 2))

    def playable(self, pairs: Iterable[Pair]) -> frozenset[Pair]:
        """Return each pair as customer and chart: the later record buys, unless only the earlier one does."""
        cast = set()
        for one, other in pairs:
            earlier, later = sorted((one, other), key=self.place.__getitem__)
            if self.by_id[later].buys and self.by_id[earlier].has_chart:
                cast.add((later, earlier))
            elif self.by_id[earlier].buys and self.by_id[later].has_chart:
                cast.add((earlier, later))
        return frozenset(cast)
