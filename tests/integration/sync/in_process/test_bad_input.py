"""Orders as nobody should send them: each becomes a case or plain data, and never a reason not to sync the others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from order_sync.ledger.session import Ledger, open_engine
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.store.records import OrderRecord
from sandbox.world import SandboxOptions
from tests.clocks import FakeClock
from tests.worlds import SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "formula": '=HYPERLINK("http://elsewhere.invalid","x")',
    "template": "{{7*7}}{% for x in y %}",
    "line breaks": "Ann\r\nBcc: everybody@elsewhere.invalid",
    "sql": "'; DROP TABLE orders; --",
    "emoji": "\U0001f9f4\U0001f469\u200d\u2695\ufe0f",
    "right to left": "\u202egnp.exe",
    "null byte": "Ann\x00Bell",
    "list": "a,b|c,$d",
    "ten kilobytes": "x" * 10_240,
    "lone accent": "\u0301",
    "blank": "   ",
}


@dataclass(frozen=True)
class Bad:
    """What is wrong with an order of Ora's, and which case comes of it."""

    reason: Reason | None
    buyer: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    spoil: Callable[[OrderRecord], None] | None = None


def lose_items(record: OrderRecord) -> None:
    record.items.clear()


def spoil_phone(record: OrderRecord) -> None:
    record.billing["telephone"] = "9" * 500


BAD = {
    "no e-mail": Bad(None, buyer={"email": None}),
    "no contact at all": Bad(Reason.CANNOT_CREATE_ACCOUNT, buyer={"email": None, "phone": None}),
    "no payment": Bad(Reason.PAYMENT_MISSING, options={"has_payment": False}),
    "negative": Bad(Reason.AMOUNT_INVALID, options={"overdrawn": Decimal(60)}, columns={}),
    "four decimals": Bad(Reason.AMOUNT_INVALID, options={"extra_tax": Decimal("0.0004")}),
    "unknown currency": Bad(Reason.CURRENCY_UNKNOWN, columns={"order_currency_code": "XQZ", "base_currency_code": "XQZ"}),
    "no currency": Bad(Reason.CURRENCY_UNKNOWN, columns={"order_currency_code": None, "base_currency_code": None}),
    "totals that do not add up": Bad(Reason.TOTALS_DISAGREE, options={"totals_error": Decimal(3)}),
    "an unknown state": Bad(Reason.ORDER_UNREADABLE, columns={"state": "frozen"}),
    "no date": Bad(Reason.ORDER_UNREADABLE, columns={"created_at": None}),
    "a date that is none": Bad(Reason.ORDER_UNREADABLE, columns={"created_at": "0000-00-00 00:00:00"}),
    "an amount that is a word": Bad(Reason.ORDER_UNREADABLE, columns={"grand_total": "many"}),
    "an absurd amount": Bad(Reason.ORDER_UNREADABLE, columns={"grand_total": Decimal("1e30"), "total_paid": Decimal("1e30")}),
    "an absurd phone": Bad(None, spoil=spoil_phone),
}


@pytest.fixture
def either(ledger_url: str, clock: FakeClock) -> Iterator[SmallWorld]:
    """The demo's eastern practice on either database."""
    ledger = Ledger(open_engine(ledger_url), clock)
    yield SmallWorld(ledger, clock, SandboxOptions())
    ledger.close()


Ends = dict[str, tuple[OrderState, str | None]]


def endings(world: SmallWorld) -> Ends:
    return {row.number: (row.state, row.reason) for row in world.orders()}


def demo_endings(world: SmallWorld) -> Ends:
    """Return how the demo's own orders end, by its own expectations."""
    numbers = {number for one in world.sandbox.situations if one.practice_id == "eastern" for number in one.order_numbers}
    return {number: ended for number, ended in endings(world).items() if number in numbers}


def expected(world: SmallWorld) -> dict[str, str | None]:
    return {
        number: one.reason for one in world.sandbox.situations if one.practice_id == "eastern" for number in one.order_numbers
    }


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_an_order_that_is_wrong_becomes_a_case_and_the_others_are_synced(demo: SmallWorld, bad: Bad):
    demo.add_chart(ORA)
    placed = demo.place(ORA.buyer(**bad.buyer), **bad.options)
    record = demo.shop.orders[placed.entity_id]
    demo.shop.change(record, **bad.columns)
    if bad.spoil is not None:
        bad.spoil(record)
    assert demo.run() == []
    demo.run_after(minutes=(15,))
    assert {number: reason for number, (_, reason) in demo_endings(demo).items()} == expected(demo)
    [row] = [row for row in demo.orders() if row.entity_id == placed.entity_id]
    assert row.state is (OrderState.QUEUED if bad.reason else OrderState.CONFIRMED)
    assert row.why == bad.reason


def test_hostile_text_anywhere_is_data_and_stops_nothing(either: SmallWorld):
    """Every text in every place; all in one run, on both databases."""
    buyers = [
        {**place}
        for text in HOSTILE.values()
        for place in (
            {"first": text, "postal_code": text},
            {"last": text, "suffix": text},
            {"email": text, "birth_date": text},
            {"email": f"{text}@mailbox.example", "phone": text},
        )
    ]
    records = [either.place(ORA.buyer(**changes), minutes_ago=0) for changes in buyers]
    for number, text in enumerate(HOSTILE.values()):
        sold = either.place(ORA.buyer(), minutes_ago=0, product_names=(text,), street=(text,))
        either.shop.orders[sold.entity_id].items[0]["sku"] = text
        numbered = either.place(ORA.buyer(), minutes_ago=0)
        either.shop.change(either.shop.orders[numbered.entity_id], increment_id=f"{number}{text}", status=text)
        payment = either.shop.orders[numbered.entity_id].payment
        assert payment is not None
        payment |= {"cc_type": text, "method": text}
        coded = either.place(ORA.buyer(), minutes_ago=0)
        either.shop.change(either.shop.orders[coded.entity_id], order_currency_code=text)
        records += [sold, numbered, coded]
    either.add_chart(ORA)
    either.clock.advance(minutes=10)
    assert either.run() == []
    either.run_after(minutes=(15,))
    assert {number: reason for number, (_, reason) in demo_endings(either).items()} == expected(either)
    settled = {OrderState.CONFIRMED, OrderState.QUEUED}
    by_id = {row.entity_id: row for row in either.orders()}
    left = {record.entity_id: by_id[record.entity_id].state for record in records}
    assert set(left.values()) <= settled
    assert len(left) == len(HOSTILE) * 7
    notes = [row.note for row in either.booked()]
    assert all(len(note) <= 255 and note.isprintable() for note in notes)
