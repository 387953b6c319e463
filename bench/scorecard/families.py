"""A generated set of households: people who share contacts, names and birthdays, the case in which a wrong chart is near.

Every household has charts for some of its members and orders from all of them; who has no chart is somebody new, and a
chart of a relative chosen for them is a false match. Nobody here exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bench.scorecard.records import LabelledSet, Record

_LAST_NAMES = (
    *("Smith", "Johnson", "Garcia", "Rodriguez", "O'Brien", "Nguyen", "Kowalski", "De La Cruz", "Smith-Jones", "Lee"),
    *("Anderson", "Hernández", "Müller", "Washington", "Patel", "Okafor", "Goldberg", "Fitzgerald", "McDonald", "Kim"),
    *("Thompson", "Martinez", "Rossi", "Ivanov", "Haddad", "Yamamoto", "Schneider", "Dubois", "Svensson", "Novak"),
)
_WOMEN = ("Mary", "Linda", "Elizabeth", "Susan", "Jessica", "Margaret", "Katherine", "Rebecca", "Deborah", "Christine", "Ana")
_MEN = ("James", "Robert", "William", "Michael", "Richard", "Joseph", "Thomas", "Charles", "Christopher", "Daniel", "José")
_CHILDREN = ("Emma", "Noah", "Olivia", "Liam", "Sophia", "Mason", "Isabella", "Lucas", "Mia", "Ethan", "Chloe", "Owen")
_TWINS = (
    *(("Jayden", "Kayden"), ("Tina", "Gina"), ("Erin", "Eric"), ("Ella", "Emma"), ("Daniel", "David"), ("Jon", "Jan")),
    *(("Maria", "Marie"), ("Hailey", "Bailey"), ("Landon", "Logan"), ("Madison", "Morgan"), ("Karen", "Sharon")),
    *(("Anna", "Hanna"), ("Matthew", "Michael"), ("Addison", "Madison"), ("Paul", "Paula"), ("Mark", "Mary")),
    *(("Carla", "Carlo"), ("Ethan", "Evan"), ("Isaac", "Isaiah"), ("Taylor", "Tyler"), ("Joan", "John"), ("Alan", "Alana")),
    *(("Dylan", "Dillon"), ("Brandon", "Braydon"), ("Jacob", "Joshua"), ("Faith", "Hope"), ("Heaven", "Nevaeh")),
    *(("Kelly", "Kerry"), ("Aidan", "Nadia"), ("Megan", "Morgan"), ("Ava", "Eva"), ("Aiden", "Jaiden"), ("Lena", "Lina")),
)
_NICKNAMES = {
    "Robert": "Bob",
    "William": "Bill",
    "Elizabeth": "Liz",
    "Margaret": "Maggie",
    "Katherine": "Kate",
    "James": "Jim",
    "Richard": "Rick",
    "Joseph": "Joe",
    "Thomas": "Tom",
    "Rebecca": "Becky",
    "Deborah": "Debbie",
    "Michael": "Mike",
}


@dataclass(frozen=True, slots=True)
class _Home:
    number: int
    last: str
    phone: str
    email: str
    postal_code: str


def household_set(households: int = 4_000, *, seed: int = 1, first_name_slips: float = 0.0) -> LabelledSet:
    """Return couples, parents and children, fathers and sons of one name, and twins, with shared phones and e-mails.

    `first_name_slips` is the share of orders whose first name has lost a letter: then one twin may be written like the other.
    """
    rng = random.Random(seed)  # noqa: S311 - invented people, no secrets
    records = [record for number in range(households) for record in _household(rng, number, first_name_slips)]
    name = "households, first names misspelt" if first_name_slips else "households (generated)"
    return LabelledSet(name, records, f"generated, seed {seed}")


def _household(rng: random.Random, number: int, first_name_slips: float) -> Iterator[Record]:
    home = _Home(
        number=number,
        last=rng.choice(_LAST_NAMES),
        # 555-01xx are the numbers that belong to nobody; the area code makes them many.
        phone=f"{200 + number // 100 % 700}-555-01{number % 100:02d}",
        email=f"family{number}@home.example",
        postal_code=f"{10_000 + number}",
    )
    make = rng.choice((_couple, _parent_and_child, _father_and_son, _twins, _twins))
    for member in make(rng, home):
        has_chart, orders = rng.random() < 0.6, rng.randint(1, 2)
        if has_chart:
            yield replace(member, record_id=f"{member.person}-chart", buys=False)
        for count in range(orders):
            order = replace(_as_typed(rng, member), record_id=f"{member.person}-order-{count}", has_chart=False)
            if first_name_slips and rng.random() < first_name_slips:
                order = replace(order, first=_with_a_slip(rng, order.first or ""))
            yield order


def _couple(rng: random.Random, home: _Home) -> Iterator[Record]:
    has_own_name = rng.random() < 0.3
    yield _member(
        rng,
        home,
        "wife",
        rng.choice(_WOMEN),
        born=_day(rng, 1950, 1995),
        last=rng.choice(_LAST_NAMES) if has_own_name else None,
    )
    yield _member(rng, home, "husband", rng.choice(_MEN), born=_day(rng, 1950, 1995))


def _parent_and_child(rng: random.Random, home: _Home) -> Iterator[Record]:
    mother = _day(rng, 1960, 1985)
    yield _member(rng, home, "mother", rng.choice(_WOMEN), born=mother)
    for place, first in enumerate(rng.sample(_CHILDREN, rng.randint(1, 3))):
        yield _member(rng, home, f"child{place}", first, born=mother + timedelta(days=rng.randint(22, 38) * 365 + place * 600))


def _father_and_son(rng: random.Random, home: _Home) -> Iterator[Record]:
    """One name for two men. Each order says the birth date or the suffix: where both are silent none could tell."""
    first, father = rng.choice(_MEN), _day(rng, 1940, 1970)
    yield _member(rng, home, "father", first, born=father, suffix="Sr" if rng.random() < 0.7 else None)
    yield _member(
        rng,
        home,
        "son",
        first,
        born=father + timedelta(days=rng.randint(20, 40) * 365),
        suffix="Jr" if rng.random() < 0.7 else None,
    )


def _twins(rng: random.Random, home: _Home) -> Iterator[Record]:
    born = _day(rng, 1960, 2008)
    for place, first in enumerate(rng.choice(_TWINS)):
        yield _member(rng, home, f"twin{place}", first, born=born)


def _member(
    rng: random.Random, home: _Home, role: str, first: str, *, born: date, last: str | None = None, suffix: str | None = None
) -> Record:
    person = f"h{home.number}-{role}"
    return Record(
        record_id="",
        person=person,
        first=first,
        last=last or home.last,
        email=home.email if rng.random() < 0.6 else f"{role}{home.number}@own.example",
        phone=home.phone if rng.random() < 0.7 else f"{900 + home.number % 90}-555-01{(home.number * 7 + len(role)) % 100:02d}",
        birth_date=born,
        postal_code=home.postal_code,
        suffix=suffix,
    )


def _as_typed(rng: random.Random, member: Record) -> Record:
    """Return a person as an order has them: a nickname, a slip of the finger, a suffix or an e-mail left out."""
    first, last = member.first or "", member.last or ""
    slip = rng.random()
    if slip < 0.15:
        first = _NICKNAMES.get(first, first)
    elif slip < 0.22:
        first, last = last, first
    elif slip < 0.32:
        last = _with_a_slip(rng, last)
    is_told_by_suffix = member.suffix is not None and rng.random() < 0.5
    return replace(
        member,
        first=first.upper() if rng.random() < 0.1 else first,
        last=last,
        email=None if rng.random() < 0.1 else member.email,
        phone=None if rng.random() < 0.1 else member.phone,
        birth_date=None if is_told_by_suffix and rng.random() < 0.5 else member.birth_date,
        suffix=member.suffix if is_told_by_suffix else None,
    )


def _with_a_slip(rng: random.Random, name: str) -> str:
    place = rng.randrange(1, len(name)) if len(name) > 3 else 0
    return name[:place] + name[place + 1 :] if place and len(name) > 4 else name


def _day(rng: random.Random, first_year: int, last_year: int) -> date:
    return date(first_year, 1, 1) + timedelta(days=rng.randrange((last_year - first_year) * 365))
