"""Resolve: what a person decides about an order. Every decision is a command with an actor, checked against the order's state.

The first decision wins; the second is told who was first (`SomebodyWasFirstError`). Beside these: `manual_entries` for what was
posted by hand, `undo` for what was posted to the wrong patient.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from order_sync.accounts import missing_fields
from order_sync.crash_points import Point, reach
from order_sync.decisions import (
    deciding,
    expect,
    named,
    refuse_while_held,
    refuse_while_late,
    require_chart,
    require_complete,
    revoke_choice,
)
from order_sync.desk import Desk
from order_sync.errors import PermanentError
from order_sync.intake import RELEASED_BY_A_PERSON
from order_sync.ledger.audit import Action, record_action
from order_sync.ledger.cases import close_case
from order_sync.ledger.decisions import keep_declined, undo_cause
from order_sync.ledger.models import CaseState, OrderRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import find_payment, known_payment_ids, may_be_booked, update_payment
from order_sync.ledger.remembered import remember_patient
from order_sync.orders import Order
from order_sync.payment_reads import charts_of, read_evidence_of
from order_sync.posting_rules import Absent, PossibleManualEntry
from order_sync.reasons import POSTED_BY_HAND, Reason
from order_sync.rerun import MATCH_AGAIN
from order_sync.statuses import OrderState
from order_sync.verify import step_after, verdict_on

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

PATIENT_TO_PICK = (MATCH_AGAIN | {Reason.WRONG_PATIENT}) - {
    Reason.TOTALS_DISAGREE,
    Reason.CURRENCY_UNKNOWN,
    Reason.AMOUNT_INVALID,
    Reason.ORDER_UNREADABLE,
    Reason.PAYMENT_MISSING,
}
"""What picking a patient settles. Where the amount is not known, a patient does not make it known."""

ACCOUNT_TO_CREATE = frozenset(
    {
        Reason.DUPLICATED_CUSTOMER,
        Reason.NAME_DIFFERS,
        Reason.NAME_MISSING,
        Reason.BIRTH_DATE_DIFFERS,
        Reason.SUFFIX_DIFFERS,
        Reason.POSSIBLE_EXISTING_PATIENT,
        Reason.PATIENT_GONE,
        Reason.WRONG_PATIENT,
    }
)
"""What "none of these, create the account" settles; where Nextech refused an account, or may have made it, a retry does."""


def choose_patient(
    desk: Desk, order_id: int, patient_id: str, *, actor: str, version: int | None = None, remember: bool = True
) -> OrderRow:
    """Give a queued order to the patient whom a person picked, and remember the choice for this store customer.

    `version` is the order's version that the person saw; a later one means that somebody else was first. Raises
    `PermanentError` when the order does not wait for a patient, or the chart does not exist or is out of use.
    """
    patient_id = require_chart(desk, patient_id)
    with deciding(desk.ledger, order_id, version, practice_id=desk.practice.id) as (tx, order):
        is_waiting = order.state is OrderState.QUEUED and order.why in PATIENT_TO_PICK
        if not is_waiting or may_be_booked(tx, order.id):
            msg = f"{named(order)} does not wait for a patient to be picked"
            raise PermanentError(msg)
        step = Step(OrderState.MATCHED, actor=actor, detail="patient picked")
        picked = {"patient_id": patient_id, "matched_by": actor[:80], "match_level": None, "released": _released_with(order)}
        moved = move(tx, order, step, **picked)
        if remember and moved.customer_key:  # after the move: of two people who decide at once only one gets here
            remember_patient(
                tx, practice_id=moved.practice_id, customer_key=moved.customer_key, patient_id=patient_id, by=actor
            )
        record_action(tx, Action.PATIENT_CHOSEN, actor=actor, practice_id=moved.practice_id, order_id=moved.id)
    reach(Point.PATIENT_CHOSEN)
    return moved


def create_account(
    desk: Desk, order_id: int, *, actor: str, version: int | None = None, shown: Collection[str] = ()
) -> OrderRow:
    """Have a new account made for the customer of a queued order: none of the patients that the person was shown is it.

    The next run makes it, by the protocol of every new account (`accounts`): at most one request, a lost answer is looked
    for. `shown` are patient ids that the page showed beside the case's own. A chart that fits and that nobody was shown is
    not passed over. Raises `PermanentError` when something is missing that Nextech requires ("Cannot create account: birth
    date missing"), when the practice creates accounts by hand, and when the order does not wait for a patient.
    """
    with desk.ledger.transaction() as tx:
        seen = expect(tx, order_id, version, practice_id=desk.practice.id)
    _refuse_account(desk, seen)
    with deciding(desk.ledger, order_id, seen.version, practice_id=desk.practice.id) as (tx, order):
        is_waiting = order.state is OrderState.QUEUED and order.why in ACCOUNT_TO_CREATE
        if not is_waiting or may_be_booked(tx, order.id):
            msg = f"{named(order)} does not wait for an account to be created"
            raise PermanentError(msg)
        keep_declined(tx, order.id, [known for known in shown if _GUID.fullmatch(known.strip().lower())])
        step = Step(OrderState.RECEIVED, detail="a new account is to be created", actor=actor)
        moved = move(tx, order, step, account_wanted_by=actor[:80], patient_id=None, matched_by=None, match_level=None)
        revoke_choice(tx, moved, actor=actor)
        record_action(tx, Action.ACCOUNT_CREATED, actor=actor, practice_id=moved.practice_id, order_id=moved.id)
    return moved


def _refuse_account(desk: Desk, order: OrderRow) -> None:
    why_not = None
    if not desk.practice.matching.create_accounts:
        why_not = "this practice creates accounts by hand"
    else:
        seen = desk.store.read_orders([order.entity_id]).get(order.entity_id)
        if not isinstance(seen, Order):
            msg = f"{named(order)}: the store does not show this order"
            raise PermanentError(msg)
        if missing := missing_fields(desk, seen.customer):
            why_not = f"{', '.join(missing)} missing"
    if why_not is not None:
        msg = f"{named(order)}: Cannot create account: {why_not}"
        raise PermanentError(msg)


def release(desk: Desk, order_id: int, *, actor: str, version: int | None = None) -> OrderRow:
    """Let an order go on that a person has checked: one above the amount limit, or one that was edited in the store.

    What was released is recorded, so that no run queues the order for it again; any change of the order in the store takes
    it back. Nothing else is passed over: it waits until it is paid, and its patient is looked for.
    """
    with deciding(desk.ledger, order_id, version, practice_id=desk.practice.id) as (tx, order):
        if order.state is not OrderState.QUEUED or order.why not in RELEASED_BY_A_PERSON:
            msg = f"{named(order)} does not wait to be released"
            raise PermanentError(msg)
        step = Step(OrderState.RECEIVED, detail="released", actor=actor)
        moved = move(tx, order, step, released=_released_with(order))
        record_action(tx, Action.RELEASED, actor=actor, practice_id=moved.practice_id, order_id=moved.id, detail=order.reason)
    return moved


def _released_with(order: OrderRow) -> list[str] | None:
    """Return what is released of an order when a person decides about the reason for which it waits."""
    released = set(order.released or ())
    if order.why in RELEASED_BY_A_PERSON and order.reason is not None:
        released.add(order.reason)
    return sorted(released) or None


class DismissReason(StrEnum):
    """Why an order is not posted: a closed list, because free text would end up in the store and in reports."""

    POSTED_BY_HAND = POSTED_BY_HAND
    REPLACED = "replaced by another order"
    TEST_ORDER = "test order"
    NOT_A_PATIENT = "not a patient"
    SETTLED_OTHERWISE = "settled otherwise"


def dismiss(desk: Desk, order_id: int, *, actor: str, why: DismissReason, version: int | None = None) -> OrderRow:
    """Close a queued order without posting it, or leave one whose payment was voided as it is; the reason is kept."""
    with deciding(desk.ledger, order_id, version, practice_id=desk.practice.id) as (tx, order):
        is_voided = order.state is OrderState.CLOSED_VOIDED
        step = Step(OrderState.CLOSED_VOIDED if is_voided else OrderState.CLOSED, order.why, why.value, actor=actor)
        moved = move(tx, order, step)
        close_case(tx, undo_cause(order.id), by=actor, resolution="nothing is posted", state=CaseState.DISMISSED)
        record_action(tx, Action.DISMISSED, actor=actor, practice_id=moved.practice_id, order_id=moved.id, detail=why.value)
    return moved


def post_again(desk: Desk, order_id: int, *, actor: str, version: int | None = None) -> OrderRow:
    """Let an order be posted again whose outcome is unknown, or whose payment may have been entered by hand.

    Refused before `post_again_after_hours` have passed since the last attempt, or since a restore, and without a fresh
    complete read that does not show the payment: a booking may be late (design section 7). When the read shows it, the
    order takes the step that the read proves instead; and when it shows an entry by hand that the case did not name, the
    case names it: only what a person has been asked about is nobody's.
    """
    with desk.ledger.transaction() as tx:
        seen = expect(tx, order_id, version, practice_id=desk.practice.id)
        payment = find_payment(tx, order_id)
        reasons_for_it = (Reason.OUTCOME_UNKNOWN, Reason.CANNOT_VERIFY, Reason.POSSIBLE_MANUAL_ENTRY)
        if payment is None or seen.state is not OrderState.QUEUED or seen.reason not in reasons_for_it:
            msg = f"{named(seen)}: nothing is to be posted again"
            raise PermanentError(msg)
        refuse_while_held(tx, desk, seen)
        if may_be_booked(tx, order_id):
            refuse_while_late(tx, desk.practice, seen)
        others = known_payment_ids(tx, seen.practice_id, sorted(charts_of(payment))) - {payment.payment_id or ""}
    evidence = read_evidence_of(desk, charts_of(payment))
    require_complete(evidence.covers_all(charts_of(payment)))
    verdict = verdict_on(desk, payment, evidence, others)
    with deciding(desk.ledger, order_id, seen.version, practice_id=desk.practice.id) as (tx, order):
        record_action(tx, Action.POSTED_AGAIN, actor=actor, practice_id=order.practice_id, order_id=order.id)
        again = Step(OrderState.MATCHED, actor=actor, detail="posted again by a person")
        if isinstance(verdict, PossibleManualEntry) and _was_asked_about(seen, verdict):
            update_payment(tx, order_id, unrelated_payment_ids=[*(payment.unrelated_payment_ids or ()), verdict.payment_id])
            return move(tx, order, again)
        if isinstance(verdict, Absent):
            return move(tx, order, again)
        step, payment_id = step_after(verdict)
        if payment_id is not None:
            update_payment(tx, order_id, payment_id=payment_id, posted_at=tx.now, verified_at=tx.now)
        return move(tx, order, step)


def _was_asked_about(order: OrderRow, entry: PossibleManualEntry) -> bool:
    step, _ = step_after(entry)
    return (order.why, order.detail) == (step.reason, step.detail)
