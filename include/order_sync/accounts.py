"""Open a new account in Nextech: at most one for a person, by the same protocol as a payment (reliability K5).

Intent before the call, outcome after it; an answer that never came is settled by looking for the account, never by
creating it again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from order_sync.candidates import find_candidates
from order_sync.crash_points import Point, reach
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, LoginRefusedError
from order_sync.ledger.decisions import declined_patients
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import Intent, begin_attempt, doubtful_account, finish_attempt, overdue_attempts
from order_sync.ledger.session import Transaction
from order_sync.matching import AskPerson, Match, NoMatch, is_of_same_family_and_day, match_patient
from order_sync.normal_forms import normalise_customer, normalise_patient
from order_sync.orders import Customer, Order
from order_sync.patients import NewPatient, Patient
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.reasons import Reason
from order_sync.restores import hold_on_account
from order_sync.statuses import OrderState
from order_sync.trouble import watching

logger = logging.getLogger(__name__)

_NO_ANSWER = PostAnswer(PostOutcome.UNKNOWN, "no outcome was recorded before the deadline")


def missing_fields(desk: Desk, customer: Customer) -> list[str]:
    """Return, in the front desk's words, what Nextech requires for an account and the order does not have."""
    person = normalise_customer(customer, desk.practice)
    needed = {
        "first name": person.first,
        "last name": person.last,
        "e-mail": person.email,
        "phone": person.phones,
        "birth date": person.birth_date,
        "ZIP": person.postal_code,
    }
    return [field for field, value in needed.items() if not value]


def declined_by_person(desk: Desk, row: OrderRow) -> frozenset[str]:
    """Return the patients of whom a person has said that none is this customer, when they want a new account."""
    if row.account_wanted_by is None:
        return frozenset()
    with desk.ledger.transaction() as tx:
        return declined_patients(tx, row.id)


def open_account(
    desk: Desk, row: OrderRow, customer: Customer, decision: NoMatch, declined: frozenset[str] = frozenset()
) -> Step:
    """Create the customer's account, or say why a person must; return the step that the order took.

    What is missing is never invented (design section 5). Before the account is created, a chart with the same last
    name and birth date goes to a person: "Possible existing patient"; unless it is one of those that a person `declined`.
    """
    evidence = decision.evidence.as_json()
    if not desk.practice.matching.create_accounts:
        step = Step(OrderState.QUEUED, Reason.CANNOT_CREATE_ACCOUNT, "this practice creates accounts by hand")
        return _queue(desk, row, evidence, step)
    if missing := missing_fields(desk, customer):
        step = Step(OrderState.QUEUED, Reason.CANNOT_CREATE_ACCOUNT, f"{', '.join(missing)} missing")
        return _queue(desk, row, evidence, step)
    namesakes = [chart for chart in find_namesakes(desk, customer) if chart.patient_id not in declined]
    if namesakes:
        ids = sorted({*declined, *(chart.patient_id for chart in namesakes)})
        return _queue(desk, row, evidence, Step(OrderState.QUEUED, Reason.POSSIBLE_EXISTING_PATIENT, candidate_ids=ids))
    return _create(desk, row, customer, evidence, declined)


def _create(desk: Desk, row: OrderRow, customer: Customer, evidence: Mapping[str, object], declined: frozenset[str]) -> Step:
    new = _new_patient(desk, customer)
    rules = desk.practice.posting
    send_by = desk.clock.monotonic() + rules.send_seconds
    digest = hashlib.sha256(f"patient|{row.practice_id}|{row.customer_key}".encode()).hexdigest()
    with desk.ledger.transaction() as tx:
        earlier = doubtful_account(tx, row, since=tx.now - timedelta(hours=rules.post_again_after_hours))
        if earlier is not None:
            return _wait_for(tx, row, earlier, evidence)
        if (hold := hold_on_account(tx, desk, row)) is not None:
            step = Step(OrderState.RECEIVED, detail=f"new account {hold.sentence}")
            move(tx, row, step, not_before=tx.now + timedelta(minutes=5))
            return step
        # Not whom it was matched to before the store changed it: until the account is there, nobody is known.
        unmatched = {"patient_id": None, "matched_by": None, "match_level": None}
        creating = move(tx, row, Step(OrderState.CREATING), match_evidence=evidence, **unmatched)
        seconds = rules.send_seconds + rules.answer_seconds + 5
        attempt = begin_attempt(tx, creating, Intent(AttemptKind.PATIENT, digest, seconds))
    reach(Point.ACCOUNT_INTENDED)
    answer = desk.nextech.create_patient(new, send_by=send_by)
    reach(Point.ACCOUNT_ANSWERED)
    if answer.is_duplicate:
        return _after_conflict(desk, _Conflict(creating, attempt, answer), customer, declined)
    step, changes = _step_after(answer)
    with desk.ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, answer)
        if step.to is not OrderState.CREATING:
            if step.to is OrderState.RECEIVED:
                changes |= {"failed_at": tx.now, "not_before": tx.now + timedelta(minutes=1)}
            move(tx, creating, step, **changes)
    if answer.is_login_refused:
        raise LoginRefusedError(answer.reason, system="nextech", route="POST /Patient", status=answer.status)
    return step


def _wait_for(tx: Transaction, row: OrderRow, earlier: OrderRow, evidence: Mapping[str, object]) -> Step:
    """Create nothing while an earlier request for this customer's account may still be executed (reliability K5)."""
    if earlier.state is OrderState.CREATING:
        step = Step(OrderState.RECEIVED, detail="a new account for this customer is being verified")
        move(tx, row, step, not_before=tx.now + timedelta(minutes=5))
    else:
        step = Step(OrderState.QUEUED, Reason.ACCOUNT_OUTCOME_UNKNOWN)
        move(tx, row, step, match_evidence=evidence)
    return step


def _step_after(answer: PostAnswer) -> tuple[Step, dict[str, object]]:
    match answer.outcome:
        case PostOutcome.EXECUTED:
            return Step(OrderState.MATCHED), {"patient_id": answer.created_id, "matched_by": "created"}
        case PostOutcome.NOT_EXECUTED if answer.is_rejection:
            return Step(OrderState.QUEUED, Reason.ACCOUNT_REJECTED, answer.reason), {}
        case PostOutcome.NOT_EXECUTED:
            return Step(OrderState.RECEIVED, detail=answer.reason), {}
        case PostOutcome.UNKNOWN:
            return Step(OrderState.CREATING), {}


@dataclass(frozen=True, slots=True)
class _Conflict:
    """A request for an account that Nextech says exists."""

    creating: OrderRow
    attempt: AttemptRow
    answer: PostAnswer


def _after_conflict(desk: Desk, conflict: _Conflict, customer: Customer, declined: frozenset[str]) -> Step:
    """Search again after a 409: the server says that the account exists, not which (Nextech contract section 5 #5).

    When it can only mean one that a person has declined, the person hears of it.
    """
    [charts] = find_candidates(desk, [customer])
    decision = match_patient(customer, [chart for chart in charts or [] if chart.patient_id not in declined], desk.practice)
    changes: dict[str, object] = {}
    match decision:
        case Match(patient_id=patient_id, level=level):
            step = Step(OrderState.MATCHED)
            changes = {
                "patient_id": patient_id,
                "match_level": level,
                "match_evidence": decision.evidence.as_json(),
                "matched_by": "rule",
            }
        case AskPerson(reason=reason, detail=detail, candidate_ids=ids):
            step = Step(OrderState.QUEUED, reason, detail, candidate_ids=sorted({*ids, *declined}))
        case NoMatch() if declined:
            shown = sorted(declined)
            step = Step(
                OrderState.QUEUED, Reason.POSSIBLE_EXISTING_PATIENT, "Nextech refuses another account", candidate_ids=shown
            )
        case NoMatch():
            step = Step(OrderState.QUEUED, Reason.ACCOUNT_NOT_FOUND_AGAIN)
    with desk.ledger.transaction() as tx:
        finish_attempt(tx, conflict.attempt.attempt_id, conflict.answer)
        move(tx, conflict.creating, step, **changes)
    return step


def recover_accounts(desk: Desk, *, only: Collection[int] | None = None) -> None:
    """Settle the accounts that were asked for and whose answer was lost: by looking for them, never by asking again."""
    with desk.ledger.transaction() as tx:
        overdue = overdue_attempts(tx, desk.practice.id, OrderState.CREATING, AttemptKind.PATIENT)
    mine = [(row, attempt) for row, attempt in overdue if only is None or row.id in only]
    if not mine:
        return
    with watching(desk, "store", "nextech"):
        orders = desk.store.read_orders([row.entity_id for row, _ in mine])
        for row, attempt in mine:
            order = orders.get(row.entity_id)
            if isinstance(order, Order):
                found = _accounts_like(desk, order.customer)
            else:
                logger.warning("practice %s: order %s cannot be read again", desk.practice.id, row.number)
                found = None
            if found and row.account_wanted_by is not None:  # what the person declined was there before
                declined = declined_by_person(desk, row)
                found = [chart for chart in found if chart.patient_id not in declined]
            try:
                _settle(desk, row, attempt, found)
            except LedgerBusyError as error:
                logger.info("practice %s: %s", desk.practice.id, error)


def _settle(desk: Desk, row: OrderRow, attempt: AttemptRow, found: list[Patient] | None) -> None:
    """Move an order by the accounts that a look found; None says that the look did not succeed."""
    rules = desk.practice.posting
    patience = (
        timedelta(minutes=rules.settle_minutes) if found is not None else timedelta(hours=rules.cannot_verify_after_hours)
    )
    with desk.ledger.transaction() as tx:
        if attempt.outcome is None:
            finish_attempt(tx, attempt.attempt_id, _NO_ANSWER)
        if found and len(found) == 1:
            move(tx, row, Step(OrderState.MATCHED), patient_id=found[0].patient_id, matched_by="created")
        elif found:
            ids = [chart.patient_id for chart in found]
            move(tx, row, Step(OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER, candidate_ids=ids))
        elif tx.now >= attempt.deadline + patience:
            move(tx, row, Step(OrderState.QUEUED, Reason.ACCOUNT_OUTCOME_UNKNOWN))


def _accounts_like(desk: Desk, customer: Customer) -> list[Patient] | None:
    """Return the charts with exactly what we would have created: e-mail, names and birth date; None without a proof.

    The first name, too: twins share everything else.
    """
    [charts] = find_candidates(desk, [customer])
    if charts is None:
        return None
    person = normalise_customer(customer, desk.practice)
    found = []
    for chart in charts:
        if not is_of_same_family_and_day(customer, chart, desk.practice):
            continue
        other = normalise_patient(chart, desk.practice)
        if other.email in (person.email, None) and person.first in (other.first, f"{other.first} {other.middle}"):
            found.append(chart)
    return found


def find_namesakes(desk: Desk, customer: Customer) -> list[Patient]:
    """Return the charts with this customer's last name and birth date, whatever their e-mail and phone.

    Searched by the birth date alone: the server compares names as they are written, and Nunez is not Núñez to it.
    """
    charts = desk.nextech.search_patients(birth_date=customer.birth_date)
    return [chart for chart in charts if is_of_same_family_and_day(customer, chart, desk.practice)]


def _new_patient(desk: Desk, customer: Customer) -> NewPatient:
    nextech = desk.practice.nextech
    if not (customer.first and customer.last and customer.email and customer.phone and customer.birth_date):
        msg = "an account needs every required field; missing_fields was not asked"
        raise ValueError(msg)
    return NewPatient(
        first=customer.first.strip(),
        last=customer.last.strip(),
        email=customer.email.strip(),
        phone=customer.phone.strip(),
        birth_date=customer.birth_date,
        postal_code=(customer.postal_code or "").strip(),
        suffix=customer.suffix,
        referral_source_id=nextech.referral_source_id,
        patient_status=nextech.patient_status,
        patient_type_id=nextech.patient_type_id,
        location_id=nextech.location_id,
    )


def _queue(desk: Desk, row: OrderRow, evidence: Mapping[str, object], step: Step) -> Step:
    with desk.ledger.transaction() as tx:
        move(tx, row, step, match_evidence=evidence)
    return step
