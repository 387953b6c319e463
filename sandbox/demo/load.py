"""Many ordinary orders for benches: each paid, each of a patient of its own with one chart."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.demo.catalog import EVERYDAY_BASKETS
from sandbox.demo.drafts import Buyer, Draft
from sandbox.demo.practices import PRACTICES
from sandbox.demo.scenes import PAID
from sandbox.demo.staging import Timeline, play_draft
from sandbox.demo.story import open_shop
from sandbox.people import SeedPatient, SeedPayment
from sandbox.store.records import Books
from sandbox.store.shop import FIRST_IDS

FIRST_LOAD_ID = 1_000_001
"""Every key of a load begins here, above the demo's and those of orders that arrive."""
_TABLES = (*FIRST_IDS, "memo", "transaction", "invoice_item", "memo_item")
_SPREAD = timedelta(hours=6)
_NEWEST = timedelta(minutes=10)
_PHONES_PER_AREA = 100
_AREA_CODE_LIST = (
    "201 202 203 206 208 210 212 213 214 216 219 224 225 228 231 239 240 251 253 254 256 260 262 267 269 270 276 281 "
    "301 302 304 307 308 309 310 313 314 315 316 317 318 319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 "
    "386 401 402 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 432 434 435 440 443 458"
)
_AREA_CODES = _AREA_CODE_LIST.split()
_FIRST = ("Alan", "Brenda", "Carl", "Dina", "Eric", "Fern", "Glen", "Hope", "Ian", "Jane", "Kurt", "Lena", "Milo", "Nell")
_LAST = ("Abbott", "Barlow", "Cobb", "Draper", "Ellis", "Foley", "Grant", "Hobbs", "Irwin", "Jarvis", "Keane", "Lowe")


@dataclass(frozen=True, slots=True)
class Load:
    """The orders of a bench, and the charts that they belong to: `patients[i]` placed the practice's order `i`."""

    practice_id: str
    patients: list[SeedPatient] = field(repr=False)
    books: dict[str, Books] = field(repr=False)
    """The one practice's, as a demo has them: `Shop.extend` takes them in."""
    payments: list[SeedPayment] = field(default_factory=list)
    """None: nothing was entered by hand."""


def build_load(practice_id: str, orders: int, seed: int, now: datetime) -> Load:
    """Return paid orders of the last six hours, the newest ten minutes old, none earlier than the integration.

    Raises `ValueError` above 8,000 orders: there are no more invented phone numbers.
    """
    if orders > len(_AREA_CODES) * _PHONES_PER_AREA:
        msg = f"at most {len(_AREA_CODES) * _PHONES_PER_AREA} orders: every patient has a phone number of its own"
        raise ValueError(msg)
    practice, rng, timeline = PRACTICES[practice_id], random.Random(f"{seed}/{practice_id}/load"), Timeline(now)
    shop = open_shop(practice, clock=timeline, rng=rng)
    for table in _TABLES:
        shop.ids.seen(table, FIRST_LOAD_ID - 1)
    patients = []
    for number in range(orders):
        patient = invent_patient(practice_id, number, rng)
        patients.append(patient)
        draft = Draft(
            practice=practice,
            placed_at=now - _NEWEST - _SPREAD * (1 - (number + 1) / orders),
            buyer=buyer_of(patient, number),
            basket=rng.choice(EVERYDAY_BASKETS),
        )
        play_draft(shop, draft, PAID, timeline)
    return Load(practice_id=practice_id, patients=patients, books={practice_id: shop.books()})


def invent_patient(practice_id: str, number: int, rng: random.Random) -> SeedPatient:
    """Return an invented patient with a chart; each number, up to 8,000, has a phone of its own."""
    practice = PRACTICES[practice_id]
    area_code, line = _AREA_CODES[number // _PHONES_PER_AREA], number % _PHONES_PER_AREA
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return SeedPatient(
        practice_id=practice_id,
        patient_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        chart_number=f"{practice.number_prefix}{900_001 + number}",
        first=first,
        last=last,
        email=f"{first}.{last}.{number}@load.example".lower(),
        mobile=f"({area_code}) 555-01{line:02d}",
        birth_date=f"{1940 + number % 60}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        postal_code=practice.postal_code,
        city=practice.city,
    )


def buyer_of(patient: SeedPatient, number: int) -> Buyer:
    """Return how this patient fills in the store's forms."""
    return Buyer(
        first=patient.first,
        last=patient.last,
        email=patient.email,
        phone=patient.mobile,
        birth_date=patient.birth_date,
        postal_code=patient.postal_code,
        customer_id=100_000 + number,
    )
