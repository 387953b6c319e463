"""What a morning's report meets: people's names in what staff type, refunds, outages, letters that do not leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from sqlalchemy import select

from order_sync.ledger.differences import assign_difference, park_difference, resolve_difference
from order_sync.ledger.report_models import DifferenceRow, Resolution
from order_sync.reasons import Reason
from order_sync.reconciliation import proof
from order_sync.reconciliation.classes import DifferenceClass
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.refunds import refund
from tests.canaries.mornings import SMTP_ERRORS, morning
from tests.canaries.people import SENTENCE, Canary
from tests.canaries.stage import Stage
from tests.worlds import PATIENTS, PAYMENTS

REPORT, ALARM = "report accepted", "alarm accepted"
C = DifferenceClass


@dataclass(frozen=True)
class Morning:
    """One situation, and what it must lead to: classes of lines, reasons of the queue, letters."""

    play: Callable[[Stage], None]
    shows: frozenset[str]


MORNINGS: dict[str, Morning] = {}


def scene(*shows: str) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Add a scene under its function's name."""

    def add(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        MORNINGS[play.__name__] = Morning(play, frozenset(shows))
        return play

    return add


def digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def everything_about(person: Canary) -> list[str]:
    """Return notes as staff type them: names, and numbers that look like an order's."""
    phone = digits(person.phone)
    return [
        f"{person.first} {person.last} {person.phone}",
        f"{person.last}, {person.first} born {person.born} ph #{phone}",
        f"cell # {phone}",
        f"call +1{phone} or {phone} or #1{phone}",
        f"ZIP #{person.postal_code}",
        f"{person.email} order #999000111",
        f"DP-000000000000-0 {person.last} #{phone}",
        f"{person.last} {person.email} ".ljust(255, "x"),
    ]


def sell(stage: Stage, *people: Canary) -> None:
    """Let known people buy, and post what they paid."""
    for person in people:
        stage.know(person)
        record = stage.buy(person, basket=(("DRM-VITC-30", 1),))
        record.row["customer_note"] = SENTENCE
    stage.run(after_minutes=(1, 15))


@scene(C.MATCHED, C.ORPHAN, C.UNLINKED, REPORT)
def notes_that_staff_type(stage: Stage) -> None:
    sell(stage, *stage.people[:2])
    chart = stage.world.charts()[0].patient_id
    for number, note in enumerate(everything_about(stage.people[0])):
        for cents in (5_000 + number, -700 - number):
            action = "hand-payment" if cents > 0 else "refund"
            stage.write(action, note, patient_id=chart, amount_cents=abs(cents))
    booked = stage.world.booked()
    stage.write("edit-note", f"{stage.people[1].last} {booked[0].note}", payment_id=booked[0].payment_id)
    stage.write("edit-note", everything_about(stage.people[1])[0], payment_id=booked[1].payment_id)
    morning(stage)
    morning(stage)


@scene(C.REFUND_TO_RECORD, C.REFUND_RECORDED, C.REFUNDED_OFFLINE, Reason.REFUND_TO_RECORD, REPORT)
def people_who_get_their_money_back(stage: Stage) -> None:
    whole, part, outside, twice = stage.people[:4]
    sell(stage, whole, part, outside, twice)
    orders = list(stage.world.shop.orders)
    memos = [
        refund(stage.world.shop, orders[0]),
        refund(stage.world.shop, orders[1], adjustment=Decimal(7)),
        refund(stage.world.shop, orders[2], is_offline=True),
        refund(stage.world.shop, orders[3], adjustment=Decimal(5)),
        refund(stage.world.shop, orders[3], adjustment=Decimal(5)),
    ]
    for memo, person in zip(memos, (whole, part, outside, twice, twice), strict=True):
        memo["comments"] = [{"comment": f"{person.first} {person.last} called from {person.phone}", "entity_id": 1}]
        memo["customer_note"] = person.email
    morning(stage)
    for row in list(stage.world.booked()):
        for cents, note in ((row.amount_cents, f"back to {whole.last} {whole.phone}"), (700, f"#{digits(part.phone)}")):
            stage.write("refund", note, patient_id=row.patient_id, amount_cents=cents)
    morning(stage)
    memos[1]["state"] = 3
    morning(stage)


@scene(C.PATIENT_MERGED, C.VOIDED, C.NEVER_SEEN, REPORT)
def days_that_are_re_opened(stage: Stage) -> None:
    sell(stage, *stage.people[:4])
    stage.buy(stage.people[4])
    morning(stage)
    first, second, third, _ = stage.world.booked()
    stage.world.staff("void", payment_id=first.payment_id)
    stage.write("void-and-correct", stage.people[1].email, payment_id=second.payment_id, amount_cents=123)
    stage.world.staff("delete", payment_id=third.payment_id)
    charts = [chart.patient_id for chart in stage.world.charts()]
    stage.world.staff("merge", patient_id=charts[3], into=charts[0])
    morning(stage)
    with stage.world.ledger.transaction() as tx:
        rows = list(tx.session.scalars(select(DifferenceRow).order_by(DifferenceRow.id)))
        owned, parked, resolved = rows[:3]
        assign_difference(tx, owned.id, owner="dana", by="dana", seen=owned.state)
        park_difference(tx, parked.id, by="dana", reason="the patient is asked", seen=parked.state)
        resolve_difference(
            tx, resolved.id, by="dana", resolution=Resolution.WRITTEN_OFF, reason="settled by hand", seen=resolved.state
        )
    morning(stage)


@scene(C.ORPHAN, REPORT)
def orders_that_the_store_does_not_have_any_more(stage: Stage) -> None:
    sell(stage, *stage.people[:3])
    gone, broken, _ = list(stage.world.shop.orders)
    del stage.world.shop.orders[gone]
    stage.world.shop.order(broken).row["grand_total"] = SENTENCE
    morning(stage)


@scene(Reason.STORE_UNAVAILABLE, Reason.LOGIN_REFUSED, Reason.REPORT_NOT_MADE, ALARM)
def a_store_that_is_out_in_the_morning(stage: Stage) -> None:
    sell(stage, stage.people[0])
    for effect in (
        StoreEffect.MASKED_500,
        StoreEffect.PHP_FATAL,
        StoreEffect.MESSAGE_200,
        StoreEffect.MAINTENANCE,
        StoreEffect.TOO_MANY,
        StoreEffect.TRUNCATED,
        StoreEffect.HANG,
        StoreEffect.RESET,
        StoreEffect.EXPIRED,
        StoreEffect.FORBIDDEN,
    ):
        stage.world.plant_in_store(effect, seconds=1)
        morning(stage)
        stage.world.heal()


@scene(Reason.NEXTECH_UNAVAILABLE, Reason.LOGIN_REFUSED, Reason.REPORT_NOT_MADE, REPORT, ALARM)
def a_nextech_that_is_out_in_the_morning(stage: Stage) -> None:
    sell(stage, stage.people[0])
    for effect in (
        Effect.UNAVAILABLE,
        Effect.MALFORMED,
        Effect.TRUNCATED,
        Effect.HUNG,
        Effect.PARTIAL_PAGE,
        Effect.FILTERS_IGNORED,
        Effect.NEXT_LOOPS,
        Effect.RATE_LIMITED,
        Effect.REJECTED,
        Effect.REDIRECTED,
        Effect.FAILED,
        Effect.REFRESH_REFUSED,
    ):
        for route in (PATIENTS, PAYMENTS):
            stage.world.plant(effect, method="GET", route=route, remaining=None)
        morning(stage)
        stage.world.heal()
    stage.world.switch(are_logins_refused=True)
    morning(stage)


@scene(Reason.REPORT_NOT_SENT, "report failed", "alarm failed", REPORT, ALARM)
def letters_that_do_not_leave(stage: Stage) -> None:
    sell(stage, stage.people[0])
    stage.seen.add(SENTENCE)
    stage.world.plant_in_store(StoreEffect.MAINTENANCE)
    morning(stage, errors=(error() for error in SMTP_ERRORS.values()))
    stage.world.heal()
    morning(stage, errors=(error() for error in SMTP_ERRORS.values()))


@scene(Reason.REPORT_NOT_TIED, ALARM)
def a_report_that_does_not_tie(stage: Stage) -> None:
    sell(stage, *stage.people[:2])
    honest = proof._money_of_store
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "_money_of_store", lambda facts, period: honest(facts, period) + 1)
        morning(stage)
