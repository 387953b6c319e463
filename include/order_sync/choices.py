"""What the Orders pages show of people and baskets: read from the store and from Nextech for the moment, kept nowhere.

Whatever goes wrong on the other side comes back as a sentence (`answers.Trouble`). Nothing of it is logged, and no `repr`
shows a value (design section 8). Who looked is for the caller to write into the audit trail, before it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from order_sync.answers import Trouble, ask
from order_sync.candidates import find_candidates
from order_sync.desk import Desk
from order_sync.follow_ups import kinds_sold
from order_sync.ledger.cases import open_cases_of, order_cause
from order_sync.ledger.models import OrderRow
from order_sync.masking import one_line
from order_sync.money import is_amount
from order_sync.orders import Customer, Order, OrderLine, OrderTotals, ProductKind
from order_sync.patient_views import Candidate, PersonView, view_candidates, view_customer, view_gone, view_patient
from order_sync.patients import Patient

INCOMPLETE = Trouble("Nextech's answer is not complete; try again.")
NOT_SHOWN = Trouble("The store does not show this order.")
UNREADABLE = Trouble("The store's order cannot be read; open it in the store.")


@dataclass(frozen=True, slots=True)
class Choices:
    """The store's customer and the charts that may be his."""

    customer: PersonView | None = field(repr=False)
    """None when the store does not show him; `troubles` says why."""
    candidates: tuple[Candidate, ...]
    """The likeliest first; those that are gone last."""
    are_from_case: bool
    """They are the charts that the case names; else those with the customer's e-mail or phone."""
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenPatient:
    """Whose chart an order is posted to."""

    patient_id: str
    chart_number: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line of what was bought."""

    name: str = field(repr=False)
    sku: str
    quantity: str
    """As people write it: "2", "1.5"."""
    kind: ProductKind
    amount_cents: int | None
    """Before discounts and tax; None for what is no amount."""


@dataclass(frozen=True, slots=True)
class Basket:
    """What was bought, and what is added to it or taken off."""

    lines: tuple[BasketLine, ...]
    others: tuple[tuple[str, int], ...]
    """What it is called, and how many cents; only what is not 0."""
    total_cents: int | None
    currency: str


def choices_for(desk: Desk, order: OrderRow) -> Choices:
    """Return the customer of a queued order beside the charts that its case names, else those that share a contact."""
    customer = customer_of(desk, order)
    known = None if isinstance(customer, Trouble) else customer
    ids = _named_by_case(desk, order)
    found = ask(lambda: read_charts(desk, ids)) if ids else _found_by_contact(desk, known)
    troubles = tuple(answer for answer in (customer, found) if isinstance(answer, Trouble))
    charts = [] if isinstance(found, Trouble) else found
    there = {chart.patient_id for chart in charts}
    gone = [] if isinstance(found, Trouble) else [view_gone(patient_id) for patient_id in ids if patient_id not in there]
    return Choices(
        customer=view_customer(known) if known else None,
        candidates=(*view_candidates(charts, known, desk.practice), *gone),
        are_from_case=bool(ids),
        troubles=troubles,
    )


def customer_of(desk: Desk, order: OrderRow) -> Customer | Trouble:
    """Return who ordered, as the store says it now."""
    seen = _seen_in_store(desk, order)
    return seen if isinstance(seen, Trouble) else seen.customer


def patient_of(desk: Desk, order: OrderRow) -> ChosenPatient | Trouble | None:
    """Return whose chart the order goes to; None when no chart is chosen."""
    patient_id = order.patient_id
    if patient_id is None:
        return None
    found = ask(lambda: desk.nextech.read_patient(patient_id))
    if isinstance(found, Trouble):
        return found
    if found is None:
        return Trouble("The chart is not in Nextech any more: it was merged into another one, or removed.")
    return ChosenPatient(found.patient_id, one_line(found.chart_number), view_patient(found).name)


def basket_of(desk: Desk, order: OrderRow) -> Basket | Trouble:
    """Return what was bought, as the store says it now."""
    seen = _seen_in_store(desk, order)
    if isinstance(seen, Trouble):
        return seen
    return Basket(
        lines=tuple(_basket_line(desk, line) for line in seen.lines),
        others=_others(seen.totals),
        total_cents=_cents(seen.totals.grand_total),
        currency=one_line(seen.currency) or desk.practice.currency,
    )


def read_charts(desk: Desk, patient_ids: Sequence[str]) -> list[Patient]:
    """Return those of these charts that Nextech has, proved; raises the errors of every read.

    A list only ever finds: a chart that it does not show is asked for alone before it counts as gone (`candidates`).
    """
    listed = desk.nextech.search_patients(patient_ids=patient_ids) if len(patient_ids) > 1 else []
    charts = {chart.patient_id: chart for chart in listed}
    missed = [patient_id for patient_id in patient_ids if patient_id not in charts]
    alone = desk.fan_out(desk.nextech.read_patient, missed)
    return [*charts.values(), *(chart for chart in alone if chart is not None)]


def _named_by_case(desk: Desk, order: OrderRow) -> list[str]:
    with desk.ledger.reading() as tx:
        cases = open_cases_of(tx, [order_cause(order.id)])
    return [patient_id for case in cases for patient_id in case.candidate_ids or ()]


def _found_by_contact(desk: Desk, customer: Customer | None) -> list[Patient] | Trouble:
    if customer is None:
        return []
    found = ask(lambda: find_candidates(desk, [customer])[0])
    return INCOMPLETE if found is None else found


def _seen_in_store(desk: Desk, order: OrderRow) -> Order | Trouble:
    found = ask(lambda: desk.store.read_orders([order.entity_id]))
    if isinstance(found, Trouble):
        return found
    seen = found.get(order.entity_id)
    if seen is None:
        return NOT_SHOWN
    return seen if isinstance(seen, Order) else UNREADABLE


def _basket_line(desk: Desk, line: OrderLine) -> BasketLine:
    [kind] = kinds_sold([line], desk.practice)
    quantity = f"{line.quantity.normalize():f}" if is_amount(line.quantity) else "?"
    return BasketLine(one_line(line.name) or "", one_line(line.sku) or "", quantity, kind, _cents(line.row_total))


def _others(totals: OrderTotals) -> tuple[tuple[str, int], ...]:
    named = (
        ("Discount", totals.discount),
        ("Shipping", totals.shipping),
        ("Tax", totals.tax),
        ("Gift wrap and fees", totals.extras),
        ("Gift card used", -totals.gift_cards),
        ("Store credit used", -totals.store_credit),
        ("Reward points used", -totals.reward_points),
    )
    return tuple((name, amount_cents) for name, amount in named if (amount_cents := _cents(amount)))


def _cents(amount: Decimal) -> int | None:
    """Return an amount for people to read, to the nearest cent: nothing is posted by it."""
    return int(amount.scaleb(2).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if is_amount(amount) else None
