"""The invented people: what is true about each, from which the chart in Nextech and the form in the store are made."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sandbox.demo.drafts import Buyer
from sandbox.demo.practices import ARIZONA, CENTRAL, EASTERN, DemoPractice
from sandbox.people import SeedPatient

_NAMESPACE = uuid.UUID("6b1d2f0e-93c4-5a58-8e77-2d4c1f9a0b36")
_AREA_CODES = {"eastern": "305", "central": "312", "arizona": "602"}


@dataclass(frozen=True, slots=True)
class Person:
    """One person of one practice; `number` makes phone, birth date, ZIP and customer id."""

    practice: DemoPractice
    number: int
    """1 to 99, once per practice."""
    first: str
    last: str

    @property
    def email(self) -> str:
        """Return the address: plain letters before the at sign."""
        plain = unicodedata.normalize("NFKD", f"{self.first}.{self.last}").encode("ascii", "ignore").decode()
        return f"{''.join(char for char in plain.lower() if char.isalnum() or char == '.')}@mailbox.example"

    @property
    def phone(self) -> str:
        """Return a number of the range that is reserved for invented people."""
        return f"({_AREA_CODES[self.practice.id]}) 555-01{self.number:02d}"

    @property
    def birth_date(self) -> str:
        """Return the birth date, `YYYY-MM-DD`."""
        return f"{1948 + self.number * 7 % 55}-{self.number % 12 + 1:02d}-{self.number * 5 % 28 + 1:02d}"

    @property
    def postal_code(self) -> str:
        """Return a ZIP of the practice's town."""
        return str(int(self.practice.postal_code) + self.number % 9)

    def chart(self, key: str = "", **changes: Any) -> SeedPatient:  # noqa: ANN401 - any field of SeedPatient
        """Return the chart; `changes` say where Nextech knows it otherwise, `key` tells several charts apart."""
        patient_id = str(uuid.uuid5(_NAMESPACE, f"{self.practice.id}/{self.number}/{key}"))
        chart = SeedPatient(
            practice_id=self.practice.id,
            patient_id=patient_id,
            chart_number=f"{self.practice.number_prefix}{int(patient_id[:6], 16) % 900_000 + 100_000}",
            first=self.first,
            last=self.last,
            email=self.email,
            mobile=self.phone,
            birth_date=self.birth_date,
            postal_code=self.postal_code,
            city=self.practice.city,
        )
        return replace(chart, **changes)

    def buyer(self, **changes: Any) -> Buyer:  # noqa: ANN401 - any field of Buyer
        """Return the customer with an account; `changes` say where the store's form was filled in otherwise."""
        buyer = Buyer(
            first=self.first,
            last=self.last,
            email=self.email,
            phone=self.phone,
            birth_date=self.birth_date,
            postal_code=self.postal_code,
            customer_id=800 + self.number,
        )
        return replace(buyer, **changes)


_REGULAR_NAMES = {
    EASTERN: ("Adele Winslow", "Curtis Boone", "Fay Lindholm", "Ignacio Prado", "Noor Siddiqui", "Vera Stanton"),
    CENTRAL: ("Abby Kowalski", "Dexter Nolan", "Greta Hoffmann", "Isaac Freund", "Lorna Mabry", "Wade Pickett"),
    ARIZONA: ("Alma Begay", "Colin Draper", "Esther Lim", "Jorge Valdez", "Mina Takahashi", "Silas Wren"),
}
_FIRST_REGULAR = 61


def regulars(practice_id: str) -> list[Person]:
    """Return the people whose everyday orders keep arriving; each has a chart."""
    return [
        Person(practice, number, *name.split())
        for practice, names in _REGULAR_NAMES.items()
        if practice.id == practice_id
        for number, name in enumerate(names, start=_FIRST_REGULAR)
    ]
