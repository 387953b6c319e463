"""Refund debt: what the store gave back for posted orders, and whether staff have recorded it in Nextech.

A case is open for each credit memo until a refund in Nextech settles it: one that names the order, or one of the same
patient and the exact amount when nothing else fits (`reconciliation.refund_debt_rules`). Both systems are read again; running
it twice changes nothing the second time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from order_sync.collected import Sides, is_live_payment, is_live_refund
from order_sync.collected_frames import nearest_cents
from order_sync.credit_memos import CreditMemo, offline_ids
from order_sync.desk import Desk, batches
from order_sync.errors import LedgerBusyError
from order_sync.ledger.claims import drop_claim, take_claim
from order_sync.ledger.facts import facts_of, orders_of_markers, orders_of_payments
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import find_orders
from order_sync.ledger.refund_models import RefundRow
from order_sync.ledger.refunds import (
    POSTED_STATES,
    MemoFact,
    demand,
    drop_settlement,
    forget_refund,
    keep_refund,
    keep_settlement,
    orders_with_refunds,
    refunds_of,
    settle,
    settled_by_others,
    settlements_of,
    take_over_case,
)
from order_sync.ledger.session import Transaction
from order_sync.markers import find_markers
from order_sync.money import format_money
from order_sync.payment_reads import Evidence, read_entries, read_evidence_of
from order_sync.payments import PaymentEntry
from order_sync.reasons import POSTED_BY_HAND
from order_sync.reconciliation.refund_debt_rules import (
    OwedRefund,
    RecordedRefund,
    RefundMatches,
    SettledBy,
    match_refunds,
)
from order_sync.statuses import OrderState

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=90)
"""How long a recorded refund is watched for a void, and how far back credit memos are read again."""
_CLAIM_SECONDS = 900.0
_ANOTHER_ORDER = -1
"""Stands for the order of a refund that names one which is not looked at here."""


@dataclass(slots=True)
class RefundCounts:
    """What a look at the refunds met."""

    looked_at: int = 0
    owed: int = 0
    owed_cents: int = 0
    changed: int = 0
    """Cases that were opened or say something else now."""
    closed: int = 0
    not_read: int = 0
    """Orders whose refunds could not be judged: their order, credit memos or patient could not be read."""


@dataclass(slots=True)
class _Debt:
    """One order's refunds while they are judged."""

    row: OrderRow
    patient_id: str | None
    payment_id: str | None
    memos: list[CreditMemo] = field(default_factory=list)
    offline: frozenset[int] = frozenset()
    named: tuple[PaymentEntry, ...] = ()
    """The refunds in Nextech that name the order."""
    is_voided: bool = False
    """The payment itself was voided: there is nothing in Nextech that a refund could belong to."""


def settle_refunds(desk: Desk, *, holder: str) -> RefundCounts:
    """Open, correct and close the refund cases of a practice; return what was met.

    Raises the errors of every read, and `LedgerBusyError` when another run is at it. An order that cannot be judged keeps
    its case as it is.
    """
    claim = claim_of_refunds(desk.practice.id)
    with desk.ledger.transaction() as tx:
        if not take_claim(tx, claim, holder=holder, seconds=_CLAIM_SECONDS):
            msg = f"practice {desk.practice.id}: another run is looking at the refunds"
            raise LedgerBusyError(msg)
    counts = RefundCounts()
    try:
        sides = Sides(desk.practice, desk.keys.marker)
        debts = _read_debts(desk, sides, counts)
        evidence = read_evidence_of(desk, {debt.patient_id for debt in debts if debt.patient_id})
        _look_at_payments(desk, sides, debts, evidence)
        judged = [debt for debt in debts if debt.patient_id is None or evidence.covers(debt.patient_id)]
        counts.not_read += len(debts) - len(judged)
        with desk.ledger.transaction() as tx:
            _settle(tx, desk, sides, judged, counts)
    finally:
        with desk.ledger.transaction() as tx:
            drop_claim(tx, claim, holder=holder)
    logger.info("practice %s: %d refunds to record, %d cases closed", desk.practice.id, counts.owed, counts.closed)
    return counts


def claim_of_refunds(practice_id: str) -> str:
    """Return the name of the claim under which only one looks at the refunds of a practice."""
    return f"refunds:{practice_id}"


def _read_debts(desk: Desk, sides: Sides, counts: RefundCounts) -> list[_Debt]:
    """Read the credit memos and the orders that may owe something; orders that were never posted owe nothing."""
    now = desk.clock.now()
    changed = {
        memo.entity_id
        for page in desk.store.read_memos(now - LOOK_BACK, now + timedelta(minutes=1), is_by_change=True)
        for memo in page.memos
    }
    with desk.ledger.transaction() as tx:
        rows = {row.entity_id: row for row in orders_with_refunds(tx, desk.practice.id, since=now - LOOK_BACK)}
        for some in batches(sorted(changed - rows.keys()), 500):
            rows |= find_orders(tx, desk.practice.id, some)
        rows = {entity_id: row for entity_id, row in rows.items() if _may_owe(row)}
        facts = facts_of(tx, desk.practice.id, rows)
    read = desk.store.read_memos_of(rows)
    broken = {problem.entity_id for problem in read.problems}
    for batch in batches(rows, 100):
        for seen in desk.store.read_orders(batch).values():
            sides.take_order(seen)
        desk.progress("refunded orders read", len(batch))
    debts = []
    for entity_id, row in sorted(rows.items()):
        order = sides.orders.get(entity_id)
        if order is None or entity_id in broken:
            counts.not_read += 1
            continue
        memos = [memo for memo in read.memos if memo.entity_id == entity_id]
        fact = facts[entity_id]
        if row.state is OrderState.QUEUED and fact.payment_id is None:
            continue  # never posted
        debts.append(_Debt(row, fact.patient_id, fact.payment_id, memos, offline_ids(memos, order.totals)))
    counts.looked_at = len(debts)
    return debts


def _may_owe(row: OrderRow) -> bool:
    """Say whether an order's money may be in Nextech: posted by us, or by hand as a person said."""
    if row.state is OrderState.CLOSED:
        return row.detail == POSTED_BY_HAND
    return row.state in POSTED_STATES


def _look_at_payments(desk: Desk, sides: Sides, debts: list[_Debt], evidence: Evidence) -> None:
    """Take in what stands on these patients' charts; note whose payment was voided, and what names its order as given back."""
    patient_ids = {debt.patient_id for debt in debts if debt.patient_id and evidence.covers(debt.patient_id)}
    entries = [entry for patient_id in sorted(patient_ids) for entry in evidence.of(patient_id)]
    markers = {marker for entry in entries for marker in find_markers(entry.note)}
    with desk.ledger.transaction() as tx:
        sides.posted = orders_of_payments(tx, desk.practice.id, (entry.payment_id for entry in entries))
        sides.planned = orders_of_markers(tx, desk.practice.id, markers)
    sides.entries = {entry.payment_id: entry for entry in entries} | _tied_elsewhere(desk, debts, entries)
    by_order = sides.entries_by_order()
    for debt in debts:
        own = by_order.get(debt.row.entity_id, [])
        is_seen = any(entry.payment_id == debt.payment_id for entry in own)
        is_gone = is_seen or debt.row.state is OrderState.CLOSED_VOIDED
        debt.is_voided = is_gone and not any(is_live_payment(entry) for entry in own)
        debt.named = tuple(entry for entry in own if is_live_refund(entry))


def _tied_elsewhere(desk: Desk, debts: list[_Debt], entries: list[PaymentEntry]) -> dict[str, PaymentEntry]:
    """Return what records these refunds and stands on none of their charts: a person tied it, or staff moved it."""
    with desk.ledger.transaction() as tx:
        tied = {settlement.payment_id for _, settlement in settlements_of(tx, [debt.row.id for debt in debts])}
    return read_entries(desk, tied - {entry.payment_id for entry in entries})


def _settle(tx: Transaction, desk: Desk, sides: Sides, debts: list[_Debt], counts: RefundCounts) -> None:
    refunds = {entry.payment_id: entry for entry in sides.entries.values() if is_live_refund(entry)}
    rows = _keep_refunds(tx, debts)
    used_cents = settled_by_others(tx, desk.practice.id, [debt.row.id for debt in debts])
    unused_cents = {payment_id: -entry.amount_cents - used_cents.get(payment_id, 0) for payment_id, entry in refunds.items()}
    left_cents = {row.memo_id: row.amount_cents for row in rows.values()}
    for refund, settlement in settlements_of(tx, [debt.row.id for debt in debts]):
        entry = sides.entries.get(settlement.payment_id)
        is_standing = entry is None or unused_cents.get(settlement.payment_id, 0) >= settlement.settled_cents
        # A payment that is not on the chart any more was moved with it; only one that is seen as voided is taken back.
        if not is_standing or left_cents.get(refund.memo_id, 0) < settlement.settled_cents:
            drop_settlement(tx, settlement)
            continue
        left_cents[refund.memo_id] -= settlement.settled_cents
        if entry is not None:
            unused_cents[settlement.payment_id] -= settlement.settled_cents
    owed = [_owed(desk, debt, memo, left_cents) for debt in debts if not debt.is_voided for memo in debt.memos]
    recorded = [_recorded(desk, sides, refunds[payment_id], cents) for payment_id, cents in unused_cents.items() if cents > 0]
    matches = match_refunds([one for one in owed if one is not None], recorded)
    for match in matches.settlements:
        left_cents[match.memo_id] -= match.settled_cents
        is_by_name = match.by is SettledBy.NAME
        keep_settlement(tx, rows[match.memo_id], match.payment_id, match.settled_cents, is_by_name=is_by_name)
    paid_by = _payments_by_memo(tx, debts)
    for debt in debts:
        _update_cases(tx, desk, debt, _Outcome(left_cents, matches, paid_by), counts)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is left to record, what might record it, and what does, by memo id."""

    left_cents: dict[int, int]
    matches: RefundMatches
    paid_by: dict[int, list[str]]


def _keep_refunds(tx: Transaction, debts: list[_Debt]) -> dict[int, RefundRow]:
    """Record the credit memos as they are now; forget and close what the store has cancelled."""
    rows: dict[int, RefundRow] = {}
    known = refunds_of(tx, [debt.row.id for debt in debts])
    for debt in debts:
        debt.memos = sorted((memo for memo in debt.memos if memo.is_refunded), key=lambda memo: (memo.created_at, memo.memo_id))
        debt.memos = [memo for memo in debt.memos if nearest_cents(memo.grand_total) > 0]
        for memo in debt.memos:
            rows[memo.memo_id] = keep_refund(tx, debt.row, _fact(debt, memo))
        for gone in known.get(debt.row.id, []):
            if gone.memo_id not in rows:
                forget_refund(tx, gone)
                settle(tx, debt.row, gone.memo_id, "the credit memo was cancelled in the store")
    return rows


def _fact(debt: _Debt, memo: CreditMemo) -> MemoFact:
    number = "".join(char if char.isprintable() else "?" for char in memo.number[:64])
    is_offline = memo.memo_id in debt.offline
    return MemoFact(memo.memo_id, number, memo.created_at, nearest_cents(memo.grand_total), is_offline)


def _owed(desk: Desk, debt: _Debt, memo: CreditMemo, left_cents: dict[int, int]) -> OwedRefund | None:
    cents = left_cents[memo.memo_id]
    if cents <= 0:
        return None
    day = desk.practice.business_day(memo.created_at)
    return OwedRefund(memo.memo_id, debt.row.entity_id, day, cents, debt.patient_id)


def _recorded(desk: Desk, sides: Sides, entry: PaymentEntry, cents: int) -> RecordedRefund:
    entity_id = sides.order_of(entry)
    names_another = sides.marker_in(entry) is not None or (sides.is_ours(entry) and sides.number_in(entry) is not None)
    if entity_id is None and names_another:
        entity_id = _ANOTHER_ORDER
    instant = entry.payment_instant or entry.created_at or desk.clock.now()
    return RecordedRefund(entry.payment_id, entry.patient_id, cents, desk.practice.business_day(instant), entity_id)


def _payments_by_memo(tx: Transaction, debts: Iterable[_Debt]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for refund, settlement in settlements_of(tx, [debt.row.id for debt in debts]):
        found.setdefault(refund.memo_id, []).append(settlement.payment_id)
    return found


def _update_cases(tx: Transaction, desk: Desk, debt: _Debt, outcome: _Outcome, counts: RefundCounts) -> None:
    if debt.is_voided:
        for memo_id in (None, *(memo.memo_id for memo in debt.memos)):
            counts.closed += settle(
                tx, debt.row, memo_id, "the payment itself was voided in Nextech: there is nothing to record"
            )
        return
    asked = [memo for memo in debt.memos if memo.memo_id not in debt.offline or desk.practice.record_offline_refunds]
    open_memos = [memo for memo in asked if outcome.left_cents[memo.memo_id] > 0]
    if open_memos:
        take_over_case(tx, debt.row, open_memos[0].memo_id)
    elif not debt.memos:
        counts.closed += _settle_without_memo(tx, debt)
    else:
        paid = ", ".join(dict.fromkeys(payment for memo in debt.memos for payment in outcome.paid_by.get(memo.memo_id, [])))
        counts.closed += settle(tx, debt.row, None, _resolution(paid))
    for memo in debt.memos:
        cents = outcome.left_cents[memo.memo_id]
        if memo in open_memos:
            counts.owed += 1
            counts.owed_cents += cents
            counts.changed += demand(tx, debt.row, _fact(debt, memo), cents, _detail(desk, debt, memo, outcome))
        else:
            counts.closed += settle(tx, debt.row, memo.memo_id, _resolution(", ".join(outcome.paid_by.get(memo.memo_id, []))))


def _settle_without_memo(tx: Transaction, debt: _Debt) -> bool:
    """Close the case of an order that was cancelled after it was posted, without any credit memo."""
    due_cents = debt.row.refunded_cents or debt.row.amount_cents or 0
    if not debt.named or -sum(entry.amount_cents for entry in debt.named) < due_cents:
        return False
    return settle(tx, debt.row, None, _resolution(", ".join(entry.payment_id for entry in debt.named)))


def _resolution(payments: str) -> str:
    if not payments:
        return "given back outside the store; this practice does not record such refunds"
    return f"recorded as payment {payments}"


def _detail(desk: Desk, debt: _Debt, memo: CreditMemo, outcome: _Outcome) -> str:
    """Say of which credit memo and payment, what is recorded already, and what might be it: ids, days and amounts only."""
    fact = _fact(debt, memo)
    day = desk.practice.business_day(memo.created_at)
    parts = [f"credit memo {fact.number} of {day}" + (f", for payment {debt.payment_id}" if debt.payment_id else "")]
    if memo.memo_id in debt.offline:
        parts.append("given back outside the store")
    elif memo.is_adjustment_only:
        parts.append("an adjustment without items")
    if paid := outcome.paid_by.get(memo.memo_id):
        recorded = format_money(fact.amount_cents - outcome.left_cents[memo.memo_id], desk.practice.currency)
        parts.append(f"{recorded} of it recorded as payment {', '.join(paid)}")
    near = [one for one in outcome.matches.suggestions if one.memo_id == memo.memo_id]
    parts += [f"payment {one.payment_id} may be it ({one.why.value})" for one in near[:2]]
    return "; ".join(parts)[:255]
