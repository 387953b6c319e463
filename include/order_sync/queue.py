"""The queue at work: give a case to somebody, write a note, put it off, dismiss it; each by an actor, and the first one wins.

A command names the version of the case that the person saw; when somebody, or the sync, changed the case since, it raises
`CaseChangedError`. What is about an order's money goes on in `resolve`, what is about a refund in `refund_decisions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from order_sync.answers import Trouble
from order_sync.cases_in_hand import changing, subject_of, take_case
from order_sync.choices import customer_of
from order_sync.desk import Desk
from order_sync.errors import LedgerBusyError, PermanentError
from order_sync.ledger.audit import Action
from order_sync.ledger.cases import state_of_open
from order_sync.ledger.models import CaseRow
from order_sync.ledger.postings import find_payment
from order_sync.ledger.queue_lists import CaseKind
from order_sync.ledger.session import Ledger
from order_sync.note_rules import clean_note, what_is_wrong
from order_sync.practices import Practice
from order_sync.resolve import DismissReason, dismiss

MOST_AT_ONCE = 200
"""Cases that one press of a button may work on."""
LONGEST_WAIT = timedelta(days=366)
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+\\-]{0,79}")


class RefundDismissReason(StrEnum):
    """Why a refund will not be recorded in Nextech: a closed list, because free text would end up in reports."""

    RECORDED_OTHERWISE = "recorded in Nextech in another way"
    ENTERED_WITHOUT = "the payment was entered without it"
    NOTHING_GIVEN_BACK = "nothing was given back"
    SETTLED_OTHERWISE = "settled otherwise"


class PracticeDismissReason(StrEnum):
    """Why a practice's trouble needs nobody any more; when it is met again, it opens a new case."""

    IS_OVER = "it is over"
    KNOWN = "known, and taken care of elsewhere"


AnyDismissReason = DismissReason | RefundDismissReason | PracticeDismissReason

_REASONS: Mapping[CaseKind, type[StrEnum]] = {
    CaseKind.ORDER: DismissReason,
    CaseKind.REFUND: RefundDismissReason,
    CaseKind.PRACTICE: PracticeDismissReason,
}


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What became of one case when many were worked on."""

    case_id: int
    subject: str
    sentence: str
    is_done: bool


def dismiss_reasons(kind: CaseKind) -> tuple[StrEnum, ...]:
    """Return for which reasons a case of this kind may be dismissed; none when it ends in another way."""
    return tuple(_REASONS[kind]) if kind in _REASONS else ()


def assign_case(ledger: Ledger, practice: Practice, case_id: int, *, assignee: str | None, actor: str, version: int) -> CaseRow:
    """Give an open case to a person, or to nobody with None.

    Raises `PermanentError` for what is no login, or the login of somebody who may not see the practice.
    """
    if assignee is not None and not _LOGIN.fullmatch(assignee):
        msg = f"{subject_of(case_id)}: this is no login"
        raise PermanentError(msg)
    if assignee is not None and not practice.is_seen_by(assignee):
        msg = f"{subject_of(case_id)}: {assignee} may not see this practice"
        raise PermanentError(msg)
    with changing(ledger, practice.id, case_id, version) as hand:
        said = f"to {assignee}" if assignee else "to nobody"
        return hand.change(
            Action.ASSIGNED, actor, said, assignee=assignee, state=state_of_open(hand.tx, assignee, hand.row.wait_until)
        )


def assign_cases(
    ledger: Ledger, practices: Mapping[str, Practice], seen: Mapping[int, int], *, assignee: str | None, actor: str
) -> tuple[CaseOutcome, ...]:
    """Give many cases to one person; say of each what became of it. `seen` holds the version of each case by its id.

    Cases of other practices than these look like none. Raises `PermanentError` for more than `MOST_AT_ONCE`.
    """
    if len(seen) > MOST_AT_ONCE:
        msg = f"at most {MOST_AT_ONCE} cases at once"
        raise PermanentError(msg)
    return tuple(_assign_one(ledger, practices, case_id, seen[case_id], assignee, actor) for case_id in seen)


def _assign_one(  # noqa: PLR0917 - one of many, as they came
    ledger: Ledger, practices: Mapping[str, Practice], case_id: int, version: int, assignee: str | None, actor: str
) -> CaseOutcome:
    with ledger.reading() as tx:
        row = take_case(tx, case_id, practices)
    if row is None:
        return CaseOutcome(case_id, subject_of(case_id), "there is no such case", is_done=False)
    subject = f"order {row.order_number}" if row.order_number else f"practice {row.practice_id}"
    try:
        assign_case(ledger, practices[row.practice_id], case_id, assignee=assignee, actor=actor, version=version)
    except (LedgerBusyError, PermanentError) as refusal:
        return CaseOutcome(case_id, subject, str(refusal), is_done=False)
    return CaseOutcome(case_id, subject, f"given to {assignee}" if assignee else "given to nobody", is_done=True)


def put_off_case(ledger: Ledger, practice: Practice, case_id: int, *, until: date | None, actor: str, version: int) -> CaseRow:
    """Let an open case stand below the others until that day begins in the practice; None takes it back.

    Raises `PermanentError` for a day that is not to come, or more than a year away.
    """
    with changing(ledger, practice.id, case_id, version) as hand:
        today = practice.business_day(hand.tx.now)
        if until is not None and not today < until <= today + LONGEST_WAIT:
            msg = f"{subject_of(case_id)}: choose a day after today, within a year"
            raise PermanentError(msg)
        at = datetime.combine(until, time(), tzinfo=practice.zone).astimezone(UTC) if until else None
        said = f"until {until}" if until else "no longer"
        return hand.change(Action.WAIT_SET, actor, said, wait_until=at, state=state_of_open(hand.tx, hand.row.assignee, at))


def note_case(desk: Desk, case_id: int, *, text: str, actor: str, version: int) -> CaseRow:
    """Write a note on an open case, in the place of the one before; an empty one takes it away.

    Raises `PermanentError` for a note that holds patient data (`note_rules`), also when that cannot be found out because the
    store does not say who ordered.
    """
    note = clean_note(text)
    if note is not None:
        _refuse_patient_data(desk, case_id, note)
    with changing(desk.ledger, desk.practice.id, case_id, version) as hand:
        now = hand.tx.now if note else None
        by = actor[:80] if note else None
        said = "written" if note else "taken away"
        return hand.change(Action.NOTED, actor, said, note=note, noted_by=by, noted_at=now)


def dismiss_case(desk: Desk, case_id: int, *, why: str, actor: str, version: int) -> None:
    """Close an open case for a reason of its kind's list (`dismiss_reasons`), and keep the reason.

    The order of an order's case is closed without a payment (`resolve.dismiss`). Raises `PermanentError` for another reason.
    """
    with changing(desk.ledger, desk.practice.id, case_id, version) as hand:
        reason = next((one for one in dismiss_reasons(hand.kind) if one.value == why), None)
        if reason is None:
            msg = f"{subject_of(case_id)}: it cannot be dismissed for this reason"
            raise PermanentError(msg)
        order = hand.order
        if not isinstance(reason, DismissReason):
            hand.close(_DISMISSED[type(reason)], actor, reason.value)
    if isinstance(reason, DismissReason) and order is not None:
        dismiss(desk, order.id, actor=actor, why=reason, version=order.version)


_DISMISSED: Mapping[type[StrEnum], Action] = {
    RefundDismissReason: Action.REFUND_LEFT,
    PracticeDismissReason: Action.CASE_DISMISSED,
}


def _refuse_patient_data(desk: Desk, case_id: int, note: str) -> None:
    with changing(desk.ledger, desk.practice.id, case_id, None) as hand:
        order = hand.order
        payment = find_payment(hand.tx, order.id) if order else None
        today = desk.practice.business_day(hand.tx.now)
    ours = [order.number if order else None, *((payment.payment_id, payment.marker) if payment else ())]
    wrong = what_is_wrong(note, today=today, ours=ours)
    if wrong is None and order is not None:
        customer = customer_of(desk, order)
        if isinstance(customer, Trouble):
            wrong = f"The note cannot be checked for the customer's name. {customer.sentence}"
        else:
            wrong = what_is_wrong(note, today=today, customer=customer, ours=ours)
    if wrong is not None:
        msg = f"{subject_of(case_id)}: {wrong}"
        raise PermanentError(msg)
