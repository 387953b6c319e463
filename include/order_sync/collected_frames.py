"""What was read of the three sides, as the frames of the reconciliation: whole cents, practice-local days, no patient data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pa

from order_sync.collected import NotRead, Sides, is_live_payment
from order_sync.credit_memos import CreditMemo, offline_ids
from order_sync.eligibility import TOLERANCE_PER_LINE, Due, Eligibility, Inactive, NothingToPost, Waits, decide_due
from order_sync.follow_ups import kinds_sold
from order_sync.ledger.facts import LedgerFact
from order_sync.money import is_amount
from order_sync.orders import Order, ProductKind, StoreState
from order_sync.payments import PaymentEntry
from order_sync.practices import Practice
from order_sync.reasons import Reason
from order_sync.reconciliation.frames import CREDIT_MEMOS, LEDGER_ORDERS, PAYMENT_ENTRIES, STORE_ORDERS, Facts
from order_sync.reconciliation.periods import Period

_PREPAID = frozenset({ProductKind.SERVICE, ProductKind.MEMBERSHIP})
_CENT = Decimal("0.01")

Row = Mapping[str, Any]


def frame_facts(sides: Sides, in_window: frozenset[str]) -> Facts:
    """Return the checked frames; raises pandera's `SchemaError` when a rule of theirs is broken.

    An entry of an order that cannot be read stands on neither side: the list of what was not read has it. Of the entries
    dated outside the window only those are in it that belong to an order that is looked at.
    """
    orders = [sides.orders[entity_id] for entity_id in sorted(sides.orders)]
    entries = [
        entry
        for _, entry in sorted(sides.entries.items())
        if is_dated(entry) and _is_kept(sides, entry, is_in_window=entry.payment_id in in_window)
    ]
    ids = {entry.payment_id for entry in entries}
    return Facts(
        orders=_frame(STORE_ORDERS, [_order_row(order, sides) for order in orders]),
        memos=_frame(CREDIT_MEMOS, _memo_rows(sides)),
        entries=_frame(PAYMENT_ENTRIES, [_entry_row(entry, sides) for entry in entries]),
        ledger=_frame(
            LEDGER_ORDERS,
            [_ledger_row(sides.ledger[order.entity_id], sides) for order in orders if order.entity_id in sides.ledger],
        ),
        numbers_not_in_store=frozenset(sides.numbers_not_in_store),
        recorded_refunds={
            payment_id: entity_id for payment_id, entity_id in sides.recorded_refunds.items() if payment_id in ids
        },
    )


def list_not_read(sides: Sides, period: Period) -> tuple[NotRead, ...]:
    """Return what the report has to say that it does not contain, smallest subject first."""
    practice = sides.practice
    found = []
    for problem in sides.problems.values():
        day = practice.business_day(problem.placed_at) if problem.placed_at else None
        if day is None or period.contains(day):
            found.append(NotRead(f"order:{problem.entity_id}", problem.sentence, problem.number, day=day))
    for entry in sides.entries.values():
        entity_id = sides.order_of(entry)
        if sides.is_of_unread_order(entry):
            sentence = "The order that this payment belongs to cannot be read."
            day = _day_of(entry, practice) if is_dated(entry) else None
            found.append(NotRead(f"entry:{entry.payment_id}", sentence, sides.number_in(entry), entry.amount_cents, day))
        elif not is_dated(entry) and (entity_id is not None or sides.is_ours(entry)):
            sentence = "The payment has no date that can be read."
            found.append(NotRead(f"entry:{entry.payment_id}", sentence, sides.number_in(entry), entry.amount_cents))
    for memo_problem in sides.memo_problems:
        subject = f"order:{memo_problem.entity_id}" if memo_problem.memo_id is None else f"memo:{memo_problem.memo_id}"
        found.append(NotRead(subject, memo_problem.sentence))
    for memo in sides.memos.values():
        if memo.entity_id not in sides.orders and _is_of_practice(memo, practice) and memo.is_refunded:
            sentence = f"The store does not show the order of credit memo {memo.number}."
            day = practice.business_day(memo.created_at)
            found.append(NotRead(f"memo:{memo.memo_id}", sentence, None, nearest_cents(memo.grand_total), day))
    return tuple(sorted(found, key=lambda one: (one.subject, one.sentence)))


def is_dated(entry: PaymentEntry) -> bool:
    """Say whether the day of an entry can be told."""
    return entry.payment_instant is not None or entry.created_at is not None


def nearest_cents(amount: Decimal) -> int:
    """Return the nearest whole cents, half up, as a gateway charges them; 0 for what cannot be reckoned with."""
    return int(amount.quantize(_CENT, rounding=ROUND_HALF_UP).scaleb(2)) if is_amount(amount) else 0


def captured_cents(order: Order) -> int:
    """Return what outside tenders brought in for an order, whatever was given back since.

    All of the total once it is captured, to a rounding of the store's own; a part while only a part is. An order in a
    foreign currency counts at its face value: it needs a person anyway, and money that came in must not be hidden.
    """
    paid, total = nearest_cents(order.totals.paid), nearest_cents(order.totals.grand_total)
    tolerance_cents = nearest_cents(TOLERANCE_PER_LINE * max(1, len(order.lines)))
    return max(0, total if 0 <= paid - total <= tolerance_cents else paid)


def _frame(schema: pa.DataFrameSchema, rows: Sequence[Row]) -> pd.DataFrame:
    columns = {name: pd.Series([row[name] for row in rows], dtype=column.dtype.type) for name, column in schema.columns.items()}
    return pd.DataFrame(columns)


def _is_kept(sides: Sides, entry: PaymentEntry, *, is_in_window: bool) -> bool:
    if sides.is_of_unread_order(entry):
        return False
    return is_in_window or sides.order_of(entry) in sides.orders


def _is_of_practice(memo: CreditMemo, practice: Practice) -> bool:
    return not practice.store_ids or memo.store_id is None or memo.store_id in practice.store_ids


def _order_row(order: Order, sides: Sides) -> Row:
    practice = sides.practice
    decision = decide_due(order, practice)
    expected_cents = captured_cents(order)
    is_cancelled = order.state is StoreState.CANCELED
    return {
        "entity_id": order.entity_id,
        "number": order.number,
        "marker": sides.marker_of(order),
        "placed_at": order.placed_at,
        "placed_day": practice.business_day(order.placed_at),
        "eligibility": _word(decision),
        "reason": None if isinstance(decision, Due) else decision.reason.value,
        "is_held": order.state is StoreState.HOLDED,
        "is_partly_paid": isinstance(decision, Waits) and decision.reason is Reason.PARTLY_PAID,
        "expected_cents": expected_cents,
        # A liability begins when the card is paid for, and ends when its holder's order is placed.
        "gift_cards_sold_cents": sum(_gift_card_lines(order).values()) if _is_paid(order) else 0,
        "gift_cards_used_cents": 0 if is_cancelled else max(0, nearest_cents(order.totals.gift_cards)),
        "is_prepaid_service": not kinds_sold(order.lines, practice).isdisjoint(_PREPAID),
    }


def _is_paid(order: Order) -> bool:
    return order.totals.paid >= order.totals.grand_total and order.state is not StoreState.CANCELED


def _gift_card_lines(order: Order) -> dict[str, int]:
    """Return what the gift cards of an order cost, by SKU."""
    sold: dict[str, int] = {}
    for line in order.lines:
        if line.product_type.casefold() == "giftcard":
            sold[line.sku] = sold.get(line.sku, 0) + max(0, nearest_cents(line.row_total))
    return sold


def _word(decision: Eligibility) -> str:
    match decision:
        case Due():
            return "due"
        case Waits():
            return "waits"
        case NothingToPost():
            return "nothing"
        case Inactive():
            return "inactive"
    return "person"


def _memo_rows(sides: Sides) -> list[Row]:
    by_order: dict[int, list[CreditMemo]] = {}
    for memo in sides.memos.values():
        if memo.is_refunded and memo.entity_id in sides.orders:
            by_order.setdefault(memo.entity_id, []).append(memo)
    rows = [row for entity_id, memos in by_order.items() for row in _rows_of(memos, sides.orders[entity_id], sides)]
    return sorted(rows, key=lambda row: int(row["memo_id"]))


def _rows_of(memos: Iterable[CreditMemo], order: Order, sides: Sides) -> Iterable[Row]:
    """Yield one order's memos. One that was made offline and recorded in Nextech counts as returned: somebody says it was."""
    memos = list(memos)
    offline = offline_ids(memos, order.totals) - sides.recorded_memos
    gift_cards = _gift_card_lines(order)
    for memo in memos:
        amount_cents = max(0, nearest_cents(memo.grand_total))
        is_offline = memo.memo_id in offline
        taken_back = sum(nearest_cents(line.row_total) for line in memo.lines if line.sku in gift_cards)
        yield {
            "memo_id": memo.memo_id,
            "entity_id": memo.entity_id,
            "created_at": memo.created_at,
            "created_day": sides.practice.business_day(memo.created_at),
            "gateway_cents": 0 if is_offline else amount_cents,
            "offline_cents": amount_cents if is_offline else 0,
            "gift_cards_refunded_cents": max(0, taken_back),
            "gift_cards_returned_cents": max(0, nearest_cents(memo.gift_cards)),
        }


def _entry_row(entry: PaymentEntry, sides: Sides) -> Row:
    is_shown = is_live_payment(entry) and entry.applied_cents is not None
    return {
        "payment_id": entry.payment_id,
        "patient_id": entry.patient_id,
        "status": entry.status.value,
        "amount_cents": entry.amount_cents,
        "paid_day": _day_of(entry, sides.practice),
        "created_at": entry.created_at,
        "is_our_category": sides.is_ours(entry),
        "marker": sides.marker_in(entry),
        "number": sides.number_in(entry),
        "unapplied_cents": entry.amount_cents - (entry.applied_cents or 0) if is_shown else None,
    }


def _day_of(entry: PaymentEntry, practice: Practice) -> date:
    instant: datetime | None = entry.payment_instant or entry.created_at
    if instant is None:
        msg = "an entry without a date has no day"
        raise ValueError(msg)
    return practice.business_day(instant)


def _ledger_row(fact: LedgerFact, sides: Sides) -> Row:
    return {
        "entity_id": fact.entity_id,
        "state": fact.state.value,
        "public_status": fact.public_status,
        "reason": fact.reason,
        "detail": fact.detail,
        "patient_id": fact.patient_id,
        "is_patient_known": fact.patient_id not in sides.unknown_patients,
        "marker": fact.marker,
        "payment_id": fact.payment_id,
        "posted_at": fact.posted_at,
        "due_since": fact.due_since,
        "changed_at": fact.changed_at,
    }
