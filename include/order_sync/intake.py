"""Bring what the store says of an order into the ledger: a new order, a changed one, one that cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from order_sync.customer_keys import content_key, customer_key
from order_sync.desk import Desk
from order_sync.eligibility import Due, Inactive, NeedsPerson, NothingToPost, Waits, decide_due
from order_sync.follow_ups import follow_up
from order_sync.ledger.cases import open_refund
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, add_order, find_orders, move, update_store_facts
from order_sync.ledger.outbox import withdraw_statuses
from order_sync.ledger.postings import may_be_booked
from order_sync.ledger.session import Transaction
from order_sync.money import AmountError, cents
from order_sync.orders import Order, OrderProblem, StoreState
from order_sync.reasons import Reason
from order_sync.statuses import ALLOWED_STEPS, OrderState

logger = logging.getLogger(__name__)

NOT_POSTED = frozenset({OrderState.RECEIVED, OrderState.WAITING, OrderState.MATCHED, OrderState.NOTHING_TO_POST})
"""An order in one of these is decided anew whenever the store changes it."""

DECIDED_BY_THE_ORDER = frozenset(
    {
        Reason.DUPLICATED_CUSTOMER,
        Reason.NAME_DIFFERS,
        Reason.NAME_MISSING,
        Reason.BIRTH_DATE_DIFFERS,
        Reason.SUFFIX_DIFFERS,
        Reason.POSSIBLE_EXISTING_PATIENT,
        Reason.CUSTOMER_UNSEARCHABLE,
        Reason.CANNOT_CREATE_ACCOUNT,
        Reason.ACCOUNT_REJECTED,
        Reason.TOTALS_DISAGREE,
        Reason.CURRENCY_UNKNOWN,
        Reason.AMOUNT_INVALID,
        Reason.AMOUNT_LIMIT,
        Reason.EDITED_ORDER,
        Reason.ORDER_UNREADABLE,
        Reason.PAYMENT_MISSING,
    }
)
"""A queued order with one of these reasons is tried again by itself when the store changes it."""

RELEASED_BY_A_PERSON = frozenset({Reason.AMOUNT_LIMIT, Reason.EDITED_ORDER})
"""What a person may look at and then let be posted; any later change in the store opens the case again."""


_NOTHING_SENT = frozenset(
    {
        Reason.PAYMENT_REJECTED,
        Reason.POSSIBLE_MANUAL_ENTRY,
        Reason.PAYMENTS_UNREADABLE,
        Reason.PATIENT_GONE,
        Reason.WRONG_PATIENT,
        Reason.ACCOUNT_NOT_FOUND_AGAIN,
        Reason.ACCOUNT_OUTCOME_UNKNOWN,
    }
)
"""A queued order with one of these may be posted by a rerun or a pick, so nobody must overlook what the store changed."""


def belongs_here(desk: Desk, seen: Order | OrderProblem) -> bool:
    """Say whether an order is this practice's: several may share one Commerce, each with store views of its own.

    One of which not even the store view can be read may be anybody's.
    """
    if not desk.practice.store_ids or seen.store_id is None:
        return True
    return seen.store_id in desk.practice.store_ids


def let_go(tx: Transaction, desk: Desk, foreign: Sequence[Order]) -> None:
    """Close the cases of orders that could not be read and turn out to be another practice's; tell the store nothing."""
    known = find_orders(tx, desk.practice.id, [order.entity_id for order in foreign]) if foreign else {}
    for row in known.values():
        if row.state is OrderState.QUEUED and row.why is Reason.ORDER_UNREADABLE:
            logger.info("practice %s: order %s is another practice's", desk.practice.id, row.number)
            move(tx, row, Step(OrderState.CLOSED, Reason.ORDER_UNREADABLE, "it is another practice's"))
            withdraw_statuses(tx, row.id)


def step_for(order: Order, desk: Desk, *, released: Collection[Reason] = ()) -> Step:
    """Return where an order that is not posted stands, by what the store says of it (design section 6).

    `released` are the reasons that a person has let through.
    """
    if not belongs_here(desk, order):  # the practice's store views were changed behind it
        return Step(OrderState.DISABLED, Reason.INTEGRATION_INACTIVE)
    match decide_due(order, desk.practice, released=released):
        case Due():
            return Step(OrderState.RECEIVED)
        case Waits(reason=reason):
            return Step(OrderState.WAITING, reason)
        case NothingToPost(reason=reason):
            return Step(OrderState.NOTHING_TO_POST, reason)
        case NeedsPerson(reason=reason, detail=detail):
            return Step(OrderState.QUEUED, reason, detail)
        case Inactive():
            return Step(OrderState.DISABLED, Reason.INTEGRATION_INACTIVE)


def take_in(tx: Transaction, desk: Desk, seen: Order | OrderProblem) -> OrderRow:
    """Record an order as the store shows it now, and move it when that changes where it stands."""
    known = find_orders(tx, desk.practice.id, [seen.entity_id]).get(seen.entity_id)
    if isinstance(seen, OrderProblem):
        return _take_in_problem(tx, desk, seen, known)
    if known is None:
        row = OrderRow(practice_id=desk.practice.id, entity_id=seen.entity_id, **_facts(seen, desk))
        return add_order(tx, row, step_for(seen, desk))
    return reconsider(tx, desk, known, seen)


def reconsider(tx: Transaction, desk: Desk, known: OrderRow, seen: Order) -> OrderRow:
    """Record what changed about a known order, and move it when it is not posted yet; return it as it stands now.

    An order stays where it is when no step leads there: when the integration's own period was changed behind it.
    """
    is_changed = known.content_hash != content_key(desk.keys.customer, seen.content_hash)
    before_refunded, before_amount = known.refunded_cents, known.amount_cents
    if is_changed or known.store_updated_at != seen.updated_at:
        facts = _facts(seen, desk)
        if is_changed and known.released:
            facts["released"] = None
        update_store_facts(tx, known, **facts)
        for name, value in facts.items():
            setattr(known, name, value)
    if known.state in NOT_POSTED:
        step = step_for(seen, desk, released=known.let_through)
        if (known.state, step.to) not in {*ALLOWED_STEPS, (known.state, known.state)}:
            return known
        stays = step.to is known.state or (step.to is OrderState.RECEIVED and known.state is OrderState.MATCHED)
        is_ours = known.why is Reason.CUSTOMER_UNSEARCHABLE  # the store knows nothing of it
        if is_changed or not stays or (step.to is known.state and step.reason != known.reason and not is_ours):
            return _move_if_it_can(tx, known, step)
        return known
    is_news = is_changed or known.why is Reason.ORDER_UNREADABLE
    step = step_for(seen, desk, released=known.let_through)
    if known.state is OrderState.QUEUED and is_news and _is_decided_anew(tx, known, step):
        return move(tx, known, step)
    is_posted = known.state in (OrderState.CONFIRMED, OrderState.CLOSED_VOIDED)
    if is_changed and (is_posted or known.why is Reason.AMOUNT_CHANGED_AFTER_POSTING):
        return _after_posting(tx, known, seen, before_refunded or 0, before_amount)
    return known


def _is_decided_anew(tx: Transaction, known: OrderRow, step: Step) -> bool:
    if known.why in DECIDED_BY_THE_ORDER:
        return True
    if known.why not in _NOTHING_SENT or step.reason not in RELEASED_BY_A_PERSON:
        return False
    return not may_be_booked(tx, known.id)


def _move_if_it_can(tx: Transaction, known: OrderRow, step: Step) -> OrderRow:
    is_same = step.to is known.state and step.reason == known.reason and step.detail == known.detail
    if is_same and known.state is not OrderState.RECEIVED:
        return known
    # The order changed: give up a claim, and a person's wish for an account, that were made on the older version.
    return move(tx, known, step, account_wanted_by=None)


def _after_posting(tx: Transaction, known: OrderRow, seen: Order, refunded_before: int, amount_before: int | None) -> OrderRow:
    due_back = known.refunded_cents
    if seen.state is StoreState.CANCELED and not due_back:
        due_back = known.amount_cents or 0
    if due_back > refunded_before:
        open_refund(tx, known, due_back)
    if known.state is OrderState.CONFIRMED and known.amount_cents != amount_before:
        return move(tx, known, Step(OrderState.QUEUED, Reason.AMOUNT_CHANGED_AFTER_POSTING))
    return known


def _shown(number: str) -> str:
    """Return an order number as it is kept: no control characters, which some databases refuse."""
    return "".join(char if char.isprintable() else "?" for char in number[:64])


def _facts(order: Order, desk: Desk) -> dict[str, object]:
    try:
        amount_cents: int | None = cents(order.totals.grand_total)
    except AmountError:
        amount_cents = None
    given_back = order.totals.refunded
    if not desk.practice.record_offline_refunds:
        given_back = max(given_back - order.totals.refunded_offline, Decimal(0))
    try:
        refunded_cents = cents(given_back)
    except AmountError:
        refunded_cents = 0
    return {
        "number": _shown(order.number),
        "store_id": order.store_id,
        "placed_at": order.placed_at,
        "business_day": desk.practice.business_day(order.placed_at),
        "store_updated_at": order.updated_at,
        "store_state": order.state.value,
        "content_hash": content_key(desk.keys.customer, order.content_hash),
        "amount_cents": amount_cents,
        "refunded_cents": refunded_cents,
        "customer_key": customer_key(desk.keys.customer, desk.practice.id, order.customer),
        "follow_up": follow_up(order, desk.practice).value,
    }


def _take_in_problem(tx: Transaction, desk: Desk, seen: OrderProblem, known: OrderRow | None) -> OrderRow:
    """Open a case for an order that cannot be read; one that was posted before stays as it is."""
    step = Step(OrderState.QUEUED, Reason.ORDER_UNREADABLE, seen.sentence)
    if known is None:
        placed_at = seen.placed_at or seen.updated_at or tx.now
        row = OrderRow(
            practice_id=desk.practice.id,
            entity_id=seen.entity_id,
            number=_shown(seen.number or f"id {seen.entity_id}"),
            placed_at=placed_at,
            business_day=desk.practice.business_day(placed_at),
            store_updated_at=seen.updated_at or datetime.fromtimestamp(0, UTC),
            store_state="unreadable",
            refunded_cents=0,
            content_hash="",
        )
        if not desk.practice.is_active_at(placed_at):
            step = Step(OrderState.DISABLED, Reason.INTEGRATION_INACTIVE)
        return add_order(tx, row, step)
    is_same = known.state is OrderState.QUEUED and known.reason == Reason.ORDER_UNREADABLE
    return move(tx, known, step) if known.state in NOT_POSTED and not is_same else known
