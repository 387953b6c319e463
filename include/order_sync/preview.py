"""Preview: say what would be posted, to whom and why, and write nothing: the DAG's `dry_run`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from order_sync.accounts import find_namesakes, missing_fields
from order_sync.candidates import find_candidates
from order_sync.customer_keys import customer_key
from order_sync.desk import Desk, batches
from order_sync.eligibility import Due, decide_due
from order_sync.intake import belongs_here
from order_sync.ledger.claims import watermark_of
from order_sync.ledger.orders import find_orders, orders_in
from order_sync.ledger.remembered import remembered_patients
from order_sync.matching import AskPerson, Match, NoMatch, match_patient
from order_sync.money import format_money
from order_sync.orders import Customer, Order
from order_sync.reasons import Reason, sentence
from order_sync.restores import hold_of
from order_sync.statuses import OrderState

_UNPOSTED = (OrderState.RECEIVED, OrderState.MATCHED, OrderState.WAITING)


@dataclass(frozen=True, slots=True)
class PlannedPosting:
    """What a run would do with one order; patients appear by their Nextech id alone."""

    order_number: str
    amount_cents: int
    patient_id: str | None
    why: str

    def __str__(self) -> str:
        """Say it in one line for the task's log."""
        to_whom = f"to patient {self.patient_id}" if self.patient_id else "to nobody"
        return f"order {self.order_number}: {format_money(self.amount_cents)} {to_whom}: {self.why}"


def preview_orders(desk: Desk) -> list[PlannedPosting]:
    """Return what a run would do now with every order that is due; reads both systems and changes neither, nor the ledger."""
    with desk.ledger.transaction() as tx:
        watermark = watermark_of(tx, desk.practice.id)
        now = tx.now
        pending = [row.entity_id for row in orders_in(tx, desk.practice.id, _UNPOSTED)]
    rules = desk.practice.extraction
    since = desk.practice.reads_from if watermark is None else watermark - timedelta(minutes=rules.overlap_minutes)
    orders: dict[int, Order] = {}
    for page in desk.store.read_changes(since, now + timedelta(minutes=1), page_size=rules.page_size):
        orders |= {order.entity_id: order for order in page.orders if belongs_here(desk, order)}
    missing = [entity_id for entity_id in pending if entity_id not in orders]
    for batch in batches(missing, 100):
        found = desk.store.read_orders(batch)
        orders |= {entity_id: order for entity_id, order in found.items() if isinstance(order, Order)}
    planned = []
    for group in batches(orders.values(), 40):
        planned += _plan(desk, group)
    return planned


def _plan(desk: Desk, orders: list[Order]) -> list[PlannedPosting]:
    with desk.ledger.transaction() as tx:
        known = find_orders(tx, desk.practice.id, [order.entity_id for order in orders])
        keys = {order.entity_id: customer_key(desk.keys.customer, desk.practice.id, order.customer) for order in orders}
        remembered = remembered_patients(tx, desk.practice.id, filter(None, keys.values()))
        hold, now = hold_of(tx, desk), tx.now
    due: list[tuple[Order, int]] = []
    planned: list[PlannedPosting] = []
    for order in orders:
        row = known.get(order.entity_id)
        decision = decide_due(order, desk.practice, released=row.let_through if row else ())
        if not isinstance(decision, Due) or not (row is None or row.state in _UNPOSTED):
            continue
        if hold is not None and hold.keeps(order.placed_at, now):
            planned.append(PlannedPosting(order.number, decision.amount_cents, row.patient_id if row else None, hold.sentence))
        else:
            due.append((order, decision.amount_cents))
    candidates = find_candidates(desk, [order.customer for order, _ in due], is_to_decide=True) if due else []
    for (order, amount_cents), charts in zip(due, candidates, strict=True):
        row = known.get(order.entity_id)
        chosen = (row.patient_id if row else None) or remembered.get(keys[order.entity_id] or "")
        is_account_wanted = row is not None and row.account_wanted_by is not None
        if chosen or is_account_wanted:
            why = "already decided" if chosen else "a new account"
            planned.append(PlannedPosting(order.number, amount_cents, chosen, why))
            continue
        if charts is None:
            planned.append(PlannedPosting(order.number, amount_cents, None, "the customer cannot be searched for now"))
            continue
        match match_patient(order.customer, charts, desk.practice):
            case Match(patient_id=patient_id, level=level):
                planned.append(PlannedPosting(order.number, amount_cents, patient_id, f"match of level {level}"))
            case AskPerson(reason=reason, detail=detail):
                planned.append(PlannedPosting(order.number, amount_cents, None, sentence(reason, detail)))
            case NoMatch():
                planned.append(PlannedPosting(order.number, amount_cents, None, _plan_account(desk, order.customer)))
    return planned


def _plan_account(desk: Desk, customer: Customer) -> str:
    """Say whether an account would be opened, and if not, why not."""
    if not desk.practice.matching.create_accounts:
        return sentence(Reason.CANNOT_CREATE_ACCOUNT, "this practice creates accounts by hand")
    if missing := missing_fields(desk, customer):
        return sentence(Reason.CANNOT_CREATE_ACCOUNT, f"{', '.join(missing)} missing")
    return sentence(Reason.POSSIBLE_EXISTING_PATIENT) if find_namesakes(desk, customer) else "a new account"
