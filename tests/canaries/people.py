"""People whose every personal field is a word that stands nowhere else: where it turns up, patient data has leaked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from sandbox.demo.drafts import Buyer
from sandbox.people import SeedPatient
from sandbox.store.records import OrderRecord

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(*about: object) -> str:
    """Return a word of twelve letters that is always the same for the same field, and no word of any language."""
    digest = hashlib.sha256(repr(about).encode()).digest()
    return "Qx" + "".join(_LETTERS[byte % 26] for byte in digest[:10])


@dataclass(frozen=True)
class Canary:
    """One person, from 0 to 99."""

    number: int
    first: str = field(init=False)
    last: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", word(self.number, "first"))
        object.__setattr__(self, "last", word(self.number, "last"))

    @property
    def email(self) -> str:
        return f"{word(self.number, 'mail')}@{word(self.number, 'host')}.example".lower()

    @property
    def phone(self) -> str:
        return f"(305) 555-01{self.number:02d}"

    @property
    def born(self) -> date:
        return date(1931 + self.number % 50, 2, 11 + self.number % 17)

    @property
    def postal_code(self) -> str:
        return str(59_700 + self.number)

    def chart(self, key: str = "", **changes: Any) -> SeedPatient:
        """Return a chart of this person in the eastern practice; several are told apart by `key`."""
        digest = hashlib.md5(f"{self.number}/{key}".encode(), usedforsecurity=False).hexdigest()
        chart = SeedPatient(
            practice_id="eastern",
            patient_id=f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}",
            chart_number=word(self.number, "chart", key),
            first=self.first,
            last=self.last,
            middle=word(self.number, "middle"),
            nickname=word(self.number, "nickname"),
            email=self.email,
            mobile=self.phone,
            home=f"(212) 555-01{self.number:02d}",
            birth_date=self.born.isoformat(),
            postal_code=self.postal_code,
            city=word(self.number, "city"),
        )
        return replace(chart, **changes)

    def buyer(self, **changes: Any) -> Buyer:
        """Return this person as a customer of the store with an account."""
        buyer = Buyer(
            first=self.first,
            last=self.last,
            email=self.email,
            phone=self.phone,
            birth_date=self.born.isoformat(),
            postal_code=self.postal_code,
            customer_id=800 + self.number,
        )
        return replace(buyer, **changes)

    def sign(self, record: OrderRecord) -> None:
        """Fill in what a draft leaves out: every further field of an order in which a person may stand."""
        record.row |= {
            "customer_middlename": word(self.number, "middle in the store"),
            "customer_prefix": word(self.number, "prefix"),
            "customer_note": f"please call {word(self.number, 'note')}",
            "customer_taxvat": word(self.number, "tax"),
            "remote_ip": f"203.0.113.{100 + self.number}",
            "x_forwarded_for": f"203.0.113.{100 + self.number}",
        }
        for address in filter(None, (record.billing, record.shipping)):
            address |= {
                "street": [f"77 {word(self.number, 'street')} Lane"],
                "city": word(self.number, "city in the store"),
                "company": word(self.number, "company"),
                "middlename": word(self.number, "middle on the address"),
                "fax": f"(786) 555-01{self.number:02d}",
            }
        record.version += 1

    def tokens(self) -> Iterator[str]:
        """Yield everything that must not turn up."""
        chart = asdict(self.chart())
        yield from (chart[name] for name in ("chart_number", "middle", "nickname", "city", "mobile", "home"))
        yield from (word(self.number, "chart", key) for key in ("one", "two"))
        yield from (self.first, self.last, self.email, self.postal_code, f"203.0.113.{100 + self.number}")
        yield from (self.email.partition("@")[0], self.email.partition("@")[2], f"(786) 555-01{self.number:02d}")
        yield from (
            word(self.number, kind)
            for kind in (
                "middle in the store",
                "prefix",
                "note",
                "tax",
                "street",
                "city in the store",
                "company",
                "middle on the address",
            )
        )
        yield from (self.born.strftime(form) for form in ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y"))


EVERYBODY = tuple(Canary(number) for number in range(1, 9))
ECHOED = Canary(90)
"""Whom the outside names in its errors."""
SENTENCE = (
    f"patient {ECHOED.first} {ECHOED.last} <{ECHOED.email}> born {ECHOED.born} phone {ECHOED.phone}"
    f" chart {word(90, 'chart', '')} ZIP {ECHOED.postal_code}"
)
TOKENS = frozenset(token for person in (*EVERYBODY, ECHOED) for token in person.tokens())
