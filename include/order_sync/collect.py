"""Collect: read the store and Nextech again for one period, independent of what the sync believes, and the ledger beside them.

The store is asked for what was placed and what was given back in the period, Nextech for what is dated in it and for what
was changed since it began; then both are asked for what the other one's rows refer to. A day more at both ends costs
little and finds what one side dates otherwise. A read that is not proved complete raises.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from order_sync.collected import NotRead, Sides, is_live_payment, is_live_refund
from order_sync.collected_frames import frame_facts, list_not_read
from order_sync.desk import Desk, batches
from order_sync.eligibility import Inactive, NothingToPost, decide_due
from order_sync.errors import IncompleteReadError, OutOfTimeError, RequestRejectedError
from order_sync.ledger.facts import facts_of, orders_of_markers, orders_of_payments, orders_of_refunds, recorded_memos
from order_sync.ledger.postings import witness_payment
from order_sync.markers import find_markers
from order_sync.payment_reads import read_evidence_of
from order_sync.payments import PaymentEntry
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period

logger = logging.getLogger(__name__)

_DAY = timedelta(days=1)
_PATIENTS_PER_SEARCH = 40
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Collected:
    """The three sides, and what could not be read of them."""

    facts: Facts
    not_read: tuple[NotRead, ...]
    read_at: datetime
    """When the reading began, UTC."""


def collect_facts(desk: Desk, period: Period) -> Collected:
    """Return everything that a practice's reconciliation of this period looks at.

    Raises `IncompleteReadError` when a read cannot be proved complete, `OutOfTimeError` when no time is left, and the errors
    of every read: then there is no report, and somebody has to be told. `desk.progress` hears how far a long read is.
    """
    read_at = desk.clock.now()
    sides = Sides(desk.practice, desk.keys.marker)
    _read_store(desk, period, sides)
    in_window = _read_nextech(desk, period, sides, read_at)
    _read_what_entries_name(desk, sides, in_window)
    _read_memos_of_orders(desk, sides)
    _read_ledger(desk, sides)
    _read_charts(desk, period, sides)
    _read_ledger(desk, sides)
    _cross_check(desk, period, sides, in_window, read_at)
    _ask_for_moved_charts(desk, sides)
    not_read = list_not_read(sides, period)
    if not_read:
        logger.warning("practice %s: %d things of %s could not be read", desk.practice.id, len(not_read), period.name)
    return Collected(frame_facts(sides, in_window), not_read, read_at)


def _read_store(desk: Desk, period: Period, sides: Sides) -> None:
    since, until = period.begins_at(desk.practice) - _DAY, period.cut_off(desk.practice) + _DAY
    for page in desk.store.read_placed(since, until):
        for order in page.orders:
            sides.take_order(order)
        for problem in page.problems:
            sides.take_order(problem)
        _tell(desk, "orders read", len(page.orders) + len(page.problems))
    for memos in desk.store.read_memos(since, until):
        sides.memos |= {memo.memo_id: memo for memo in memos.memos}
        sides.memo_problems += memos.problems
        _tell(desk, "credit memos read", len(memos.memos) + len(memos.problems))
    _read_orders(desk, sides, (memo.entity_id for memo in sides.memos.values()))


def _read_nextech(desk: Desk, period: Period, sides: Sides, read_at: datetime) -> frozenset[str]:
    """Read the window's payments and the later ones; return the ids of the window's."""
    between = desk.nextech.read_payments_between(
        period.first_day - _DAY, period.last_day + _DAY, zone=desk.practice.zone, ends_at=desk.ends_at
    )
    entries = {entry.payment_id: entry for entry in between.entries}
    _tell(desk, "payments read", len(entries))
    changed = _read_changed(desk, period.begins_at(desk.practice) - _DAY, read_at, sides)
    later = {entry.payment_id: entry for entry in changed if entry.payment_id not in entries}
    _tell(desk, "later payments read", len(later))
    _look_up(desk, sides, (*entries.values(), *later.values()))
    sides.entries = {payment_id: entry for payment_id, entry in entries.items() if _is_here(sides, entry)}
    in_window = frozenset(sides.entries)
    # One that is dated elsewhere matters when it belongs to an order that is looked at: frames leave out the others.
    sides.entries |= {payment_id: entry for payment_id, entry in later.items() if _is_here(sides, entry)}
    return in_window


def _read_changed(desk: Desk, since: datetime, read_at: datetime, sides: Sides) -> tuple[PaymentEntry, ...]:
    """Read what was entered or changed since; a Nextech that cannot be asked for it has each order's chart read instead."""
    try:
        return desk.nextech.read_payments_changed(since, max(read_at, since) + _DAY, ends_at=desk.ends_at)
    except RequestRejectedError as refusal:
        if refusal.status != _BAD_REQUEST:
            raise
        logger.warning("practice %s: Nextech cannot be asked for later changes: %s", desk.practice.id, refusal)
        sides.is_every_chart_read = True
        return ()


def _is_here(sides: Sides, entry: PaymentEntry) -> bool:
    """Say whether an entry is of this practice's Nextech; several locations may share one database."""
    settings = sides.practice.nextech
    if not settings.is_shared or entry.location_id in (None, settings.location_id.lower()):
        return True
    return sides.order_of(entry) is not None


def _look_up(desk: Desk, sides: Sides, entries: Iterable[PaymentEntry]) -> None:
    """Ask the ledger which orders these entries are for."""
    rows = list(entries)
    ids = [entry.payment_id for entry in rows]
    markers = {marker for entry in rows for marker in find_markers(entry.note)}
    with desk.ledger.transaction() as tx:
        sides.posted |= orders_of_payments(tx, desk.practice.id, ids)
        sides.recorded_refunds |= orders_of_refunds(
            tx, desk.practice.id, (row.payment_id for row in rows if is_live_refund(row))
        )
        sides.planned |= orders_of_markers(tx, desk.practice.id, markers)


def _read_what_entries_name(desk: Desk, sides: Sides, in_window: frozenset[str]) -> None:
    """Read the orders that the window's entries name; what the store does not have by its number is an orphan."""
    entries = [sides.entries[payment_id] for payment_id in in_window]
    named = {entity_id for entry in entries if (entity_id := sides.order_of(entry)) is not None}
    _read_orders(desk, sides, named)
    with desk.ledger.transaction() as tx:
        sides.ledger |= facts_of(tx, desk.practice.id, named - sides.orders.keys())
    # Only what may be ours: other payments' notes are full of numbers that are no orders'.
    ours = [entry for entry in entries if sides.is_ours(entry) or sides.marker_in(entry) is not None or sides.order_of(entry)]
    asked = list(dict.fromkeys(sides.numbers_to_ask_for(ours)))
    read = desk.store.find_orders(asked)
    for seen in read.found:
        sides.take_order(seen)
    sides.broken_numbers |= set(read.broken)
    # A number in somebody's note may be a card's or a check's; it is an order's when the note says so.
    sides.numbers_not_in_store |= set(read.absent) & {sides.number_in(entry) or "" for entry in ours}
    _tell(desk, "orders asked for by number", len(asked))


def _read_orders(desk: Desk, sides: Sides, entity_ids: Iterable[int]) -> None:
    wanted = sorted(set(entity_ids) - sides.orders.keys() - sides.problems.keys())
    for batch in batches(wanted, 100):
        for seen in desk.store.read_orders(batch).values():
            sides.take_order(seen)
        _tell(desk, "orders read", len(batch))


def _read_memos_of_orders(desk: Desk, sides: Sides) -> None:
    """Read every memo of the orders that have one: the frames' rule, and an order may show it before its list does."""
    refunded = {order.entity_id for order in sides.orders.values() if order.totals.refunded > 0}
    refunded |= {memo.entity_id for memo in sides.memos.values()} & sides.orders.keys()
    read = desk.store.read_memos_of(refunded)
    known = {problem.memo_id for problem in sides.memo_problems if problem.memo_id is not None}
    sides.memos |= {memo.memo_id: memo for memo in read.memos}
    sides.memo_problems += [problem for problem in read.problems if problem.memo_id not in known]
    _tell(desk, "credit memos read", len(read.memos))


def _read_ledger(desk: Desk, sides: Sides) -> None:
    with desk.ledger.transaction() as tx:
        sides.ledger |= facts_of(tx, desk.practice.id, sides.orders)
        sides.recorded_memos = recorded_memos(tx, desk.practice.id, sides.memos)


def _read_charts(desk: Desk, period: Period, sides: Sides) -> None:
    """Read all payments of the patients whose orders' money was not wholly seen: it may be dated anywhere."""
    patient_ids = _charts_to_read(period, sides)
    evidence = read_evidence_of(desk, patient_ids)
    missing = [patient_id for patient_id in patient_ids if not evidence.covers(patient_id)]
    if missing:
        raise _incomplete(f"the payments of {len(missing)} patients cannot be read completely")
    found = [entry for patient_id in patient_ids for entry in evidence.of(patient_id)]
    _look_up(desk, sides, found)
    sides.entries |= {entry.payment_id: entry for entry in found if _is_here(sides, entry)}
    _tell(desk, "charts read", len(patient_ids))


def _charts_to_read(period: Period, sides: Sides) -> list[str]:
    begin = period.begins_at(sides.practice) - _DAY
    seen = sides.entries_by_order()
    refunded = {memo.entity_id for memo in sides.memos.values() if memo.is_refunded}
    wanted: set[str] = set()
    for order in sides.orders.values():
        fact, entries = sides.ledger.get(order.entity_id), seen.get(order.entity_id, [])
        # What was placed since the window began can have no entry that was not entered since then, too.
        is_seen = (
            not sides.is_every_chart_read and order.placed_at >= begin and any(is_live_payment(entry) for entry in entries)
        )
        if is_seen and order.entity_id not in refunded:
            continue
        if fact is None and not entries:
            continue
        is_expected = not isinstance(decide_due(order, sides.practice), Inactive | NothingToPost)
        if is_expected or entries or (fact is not None and fact.payment_id is not None):
            wanted |= {entry.patient_id for entry in entries if entry.patient_id}
            wanted |= {fact.patient_id} if fact is not None and fact.patient_id else set()
    return sorted(wanted)


def _cross_check(desk: Desk, period: Period, sides: Sides, in_window: frozenset[str], read_at: datetime) -> None:
    """Refuse lists that contradict each other, and one that shows nothing of what must be there.

    A server that does not understand a search may answer it with an empty list, which is complete by its own count.
    """
    for payment_id, entry in sides.entries.items():
        day = sides.practice.business_day(entry.payment_instant) if entry.payment_instant else None
        touched_at = entry.updated_at or entry.created_at
        is_older = touched_at is not None and touched_at < read_at
        if payment_id not in in_window and is_older and day is not None and period.contains(day):
            raise _incomplete("the list of the period lacks a payment that another list shows")
    posted = {fact.payment_id for fact in sides.ledger.values() if fact.payment_id is not None}
    if posted and not posted & sides.entries.keys():
        _see_a_witness(desk)


def _see_a_witness(desk: Desk) -> None:
    """Read a chart on which a payment of ours was seen before; raise when its payments cannot be seen any more, either.

    Asked where none of the period's payments is there: they may all be lost, but then another one is still to be seen.
    """
    with desk.ledger.transaction() as tx:
        first = witness_payment(tx, desk.practice.id)
        second = witness_payment(tx, desk.practice.id, other_than=first[0]) if first else None
    witnesses = dict(witness for witness in (first, second) if witness is not None)
    if len(witnesses) > 1:
        shown = {entry.payment_id for patient_id in witnesses for entry in desk.nextech.read_payments([patient_id]).entries}
        if not shown & set(witnesses.values()):
            raise _incomplete("none of the payments that were seen before is shown")


def _incomplete(reason: str) -> IncompleteReadError:
    return IncompleteReadError(reason, system="nextech", route="GET /PaymentReconciliation")


def _ask_for_moved_charts(desk: Desk, sides: Sides) -> None:
    """Ask whether the chart that was decided on still exists, only where the payment hangs on another one."""
    by_order = sides.entries_by_order()
    moved: set[str] = set()
    for entity_id, fact in sides.ledger.items():
        charts = {entry.patient_id for entry in by_order.get(entity_id, []) if is_live_payment(entry)}
        if fact.patient_id is not None and charts and fact.patient_id not in charts:
            moved.add(fact.patient_id)
    for batch in batches(sorted(moved), _PATIENTS_PER_SEARCH):
        there = {patient.patient_id for patient in desk.nextech.search_patients(patient_ids=batch)}
        # A list that a server does not understand could answer with fewer: what is missing is asked for alone.
        sides.unknown_patients |= {one for one in set(batch) - there if desk.nextech.read_patient(one) is None}


def _tell(desk: Desk, step: str, count: int) -> None:
    desk.progress(step, count)
    if desk.is_out_of_time:
        msg = f"practice {desk.practice.id}: no time was left to read both sides completely, at: {step}"
        raise OutOfTimeError(msg)


__all__ = ["Collected", "NotRead", "collect_facts"]
