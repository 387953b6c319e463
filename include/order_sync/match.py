"""Match: choose the one patient of every order that is due, create the account, or ask a person."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from order_sync.accounts import declined_by_person, open_account, recover_accounts
from order_sync.candidates import contacts_of, find_candidates, find_charts
from order_sync.crash_points import Point, reach
from order_sync.customer_keys import content_key
from order_sync.desk import Desk
from order_sync.errors import IncompleteReadError, LedgerBusyError, RequestRejectedError
from order_sync.intake import reconsider, take_in
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, claim_orders, has_orders_in, move, release_orders
from order_sync.ledger.postings import perhaps_booked, undone_orders
from order_sync.ledger.remembered import remembered_patients
from order_sync.matching import AskPerson, Match, NoMatch, match_patient
from order_sync.orders import Order, OrderProblem
from order_sync.reasons import Reason
from order_sync.restores import hold_back
from order_sync.statuses import OrderState
from order_sync.trouble import watching
from order_sync.unanswered import leave_unsearched

logger = logging.getLogger(__name__)

_BATCH = 100
_CLAIM_SECONDS = 600.0

Move = tuple[OrderRow, Step, Mapping[str, object]]
"""An order, where it goes, and what is recorded with the step."""


@dataclass(slots=True)
class MatchCounts:
    """What a matching sweep did."""

    matched: int = 0
    asked: Counter[Reason] = field(default_factory=Counter)
    failed: int = 0

    def add(self, step: Step | None) -> None:
        """Count where one order went; None when somebody else moved it."""
        match step:
            case Step(to=OrderState.MATCHED):
                self.matched += 1
            case Step(to=OrderState.QUEUED, reason=Reason() as reason):
                self.asked[reason] += 1
            case _:
                self.failed += 1


def match_patients(desk: Desk, *, only: list[int] | None = None) -> MatchCounts:
    """Match every order that is due and has no patient yet; return what was decided. `only` narrows it to order ids.

    Personal details are read from the store for the moment of the decision and are not kept (design section 8).
    """
    counts = MatchCounts()
    with desk.ledger.transaction() as tx:
        if not has_orders_in(tx, desk.practice.id, [OrderState.RECEIVED, OrderState.CREATING], only=only):
            return counts
    recover_accounts(desk, only=only)
    while not desk.is_out_of_time:
        with desk.ledger.transaction() as tx:
            rows = claim_orders(tx, desk.practice.id, [OrderState.RECEIVED], seconds=_CLAIM_SECONDS, limit=_BATCH, only=only)
        if not rows:
            break
        try:
            with watching(desk, "store", "nextech"):
                _match_batch(desk, rows, counts)
        finally:
            with desk.ledger.transaction() as tx:
                release_orders(tx, rows)
        desk.progress("patients matched", len(rows))
        if only is not None:
            break
    logger.info(
        "practice %s: %d matched, %d for a person, %d failed",
        desk.practice.id,
        counts.matched,
        counts.asked.total(),
        counts.failed,
    )
    return counts


def _match_batch(desk: Desk, rows: list[OrderRow], counts: MatchCounts) -> None:
    fresh = hold_back(desk, read_again(desk, rows, still=OrderState.RECEIVED))
    reach(Point.ORDERS_READ_AGAIN)
    newcomers = [(row, order) for row, order in fresh if row.account_wanted_by is not None]
    left = _use_remembered(desk, [(row, order) for row, order in fresh if row.account_wanted_by is None], counts)
    if not left and not newcomers:
        return
    candidates = find_candidates(desk, [order.customer for _, order in left], is_to_decide=True)
    decided: list[Move] = []
    for (row, order), charts in zip(left, candidates, strict=True):
        if charts is None:
            leave_unsearched(desk, row)
            counts.failed += 1
            continue
        decision = match_patient(order.customer, charts, desk.practice)
        if isinstance(decision, NoMatch):
            newcomers.append((row, order))
        else:
            decided.append((row, *_step_of(decision)))
    for outcome in move_all(desk, decided):
        counts.add(outcome)
    for strangers in _rounds(desk, newcomers):
        for outcome in desk.fan_out(lambda pair: _decide_newcomer(desk, *pair), strangers):
            counts.add(outcome)


def read_again(desk: Desk, rows: list[OrderRow], *, still: OrderState) -> list[tuple[OrderRow, Order]]:
    """Read the orders from the store again; return those that still stand at `still`, with what the store says now.

    An order that changed meanwhile is decided anew; one that cannot be read becomes a case; one that the store does
    not return at all stays where it is and is handed out as failed.
    """
    seen = desk.store.read_orders([row.entity_id for row in rows])
    current: list[tuple[OrderRow, Order]] = []
    for row in rows:
        order = seen.get(row.entity_id)
        if isinstance(order, Order) and content_key(desk.keys.customer, order.content_hash) == row.content_hash:
            current.append((row, order))
            continue
        with desk.ledger.transaction() as tx:
            if order is None:
                release_orders(tx, [row], failure="the store does not return this order")
            elif isinstance(order, OrderProblem):
                take_in(tx, desk, order)
            else:
                logger.info("practice %s: order %s changed in the store", desk.practice.id, row.number)
                now = reconsider(tx, desk, row, order)
                if now.state is still and now.claimed_by == row.claimed_by:
                    current.append((now, order))
    return current


def _use_remembered(desk: Desk, orders: list[tuple[OrderRow, Order]], counts: MatchCounts) -> list[tuple[OrderRow, Order]]:
    """Give orders of customers whom a person has decided about to that patient, if the chart still exists.

    One that was on a wrong patient before goes back to a person otherwise: the rules have been wrong about it. So does one
    whose payment may be in Nextech already: it must not come to another patient.
    """
    with desk.ledger.transaction() as tx:
        keys = [row.customer_key for row, _ in orders if row.customer_key]
        remembered = remembered_patients(tx, desk.practice.id, keys)
        undone = undone_orders(tx, [row.id for row, _ in orders])
        doubtful = perhaps_booked(tx, [row.id for row, _ in orders])
    if not remembered and not undone and not doubtful:
        return orders
    charts = find_charts(desk, list(remembered.values()))
    left: list[tuple[OrderRow, Order]] = []
    decided: list[Move] = []
    for row, order in orders:
        patient_id = remembered.get(row.customer_key or "")
        if row.id in doubtful:
            decided.append((row, Step(OrderState.QUEUED, Reason.CANNOT_VERIFY), {}))
        elif patient_id is None and row.id in undone:
            decided.append((row, Step(OrderState.QUEUED, Reason.WRONG_PATIENT), {}))
        elif patient_id is None:
            left.append((row, order))
        elif charts[patient_id] is None:
            leave_unsearched(desk, row)
            counts.failed += 1
        elif charts[patient_id]:
            changes = {"patient_id": patient_id, "matched_by": "remembered", "match_level": None}
            decided.append((row, Step(OrderState.MATCHED), changes))
        else:
            decided.append((row, Step(OrderState.QUEUED, Reason.PATIENT_GONE), {}))
    for outcome in move_all(desk, decided):
        counts.add(outcome)
    return left


def _step_of(decision: Match | AskPerson) -> tuple[Step, dict[str, object]]:
    """Return where a decision takes its order, to the patient or to a person, and what is recorded with it."""
    if isinstance(decision, Match):
        return Step(OrderState.MATCHED), {
            "patient_id": decision.patient_id,
            "match_level": decision.level,
            "match_evidence": decision.evidence.as_json(),
            "matched_by": "rule",
        }
    step = Step(OrderState.QUEUED, decision.reason, decision.detail, candidate_ids=decision.candidate_ids)
    evidence = dict(zip(decision.candidate_ids, (one.as_json() for one in decision.evidence), strict=True))
    return step, {"match_level": decision.level, "match_evidence": evidence}


def _rounds(desk: Desk, newcomers: list[tuple[OrderRow, Order]]) -> Iterator[list[tuple[OrderRow, Order]]]:
    """Cut newcomers into rounds in which nobody shares a contact: two orders of one person must not open two charts."""
    waiting = newcomers
    while waiting:
        contacts: set[str] = set()
        this_round: list[tuple[OrderRow, Order]] = []
        later: list[tuple[OrderRow, Order]] = []
        for row, order in waiting:
            mine = contacts_of(order.customer, desk)
            (later if mine & contacts else this_round).append((row, order))
            contacts |= mine
        yield this_round
        waiting = later


def _decide_newcomer(desk: Desk, row: OrderRow, order: Order) -> Step | None:
    """Search once more, alone, then create the account: a list search is no proof that somebody is new.

    Where a person wants the account, the charts that they declined are passed over; another one that fits is not: it may have
    been made since. It is never taken without asking for an order that was on a wrong patient before: it may be that one.
    """
    [charts] = find_candidates(desk, [order.customer])
    if charts is None:
        leave_unsearched(desk, row)
        return None
    declined = declined_by_person(desk, row)
    others = [chart for chart in charts if chart.patient_id not in declined]
    decision = match_patient(order.customer, others, desk.practice)
    if not isinstance(decision, NoMatch):
        step, changes = _step_of(decision)
        if isinstance(decision, Match) and _was_on_wrong_patient(desk, row):
            ids = [decision.patient_id]
            step, changes = Step(OrderState.QUEUED, Reason.POSSIBLE_EXISTING_PATIENT, candidate_ids=ids), {}
        if step.candidate_ids is not None:
            step = replace(step, candidate_ids=sorted({*step.candidate_ids, *declined}))
        return try_move(desk, row, step, **changes)
    try:
        return open_account(desk, row, order.customer, decision, declined)
    except LedgerBusyError as error:
        logger.info("practice %s: %s", desk.practice.id, error)
        return None
    except (IncompleteReadError, RequestRejectedError) as error:
        logger.warning("practice %s: order %s: %s", desk.practice.id, row.number, error)
        leave_unsearched(desk, row)
        return None


def _was_on_wrong_patient(desk: Desk, row: OrderRow) -> bool:
    with desk.ledger.transaction() as tx:
        return row.id in undone_orders(tx, [row.id])


def try_move(desk: Desk, row: OrderRow, step: Step, **changes: object) -> Step | None:
    """Move an order in a transaction of its own; return the step, or None when somebody else moved it meanwhile."""
    [taken] = move_all(desk, [(row, step, changes)])
    return taken


def move_all(desk: Desk, moves: Sequence[Move]) -> list[Step | None]:
    """Move many orders in one transaction; None stands for each that somebody else moved meanwhile.

    One commit for all: on a disk that takes its time, a commit an order is most of what a sweep would wait for.
    """
    taken: list[Step | None] = []
    if not moves:
        return taken
    with desk.ledger.transaction() as tx:
        for row, step, changes in moves:
            try:
                with tx.session.begin_nested():
                    move(tx, row, step, **changes)
            except LedgerBusyError as error:
                logger.info("practice %s: %s", desk.practice.id, error)
                taken.append(None)
            else:
                taken.append(step)
    return taken
