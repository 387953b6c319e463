"""Which refund in Nextech settles which refund of the store: by name, or by patient and exact amount; else a suggestion.

A refund *names* an order when the ledger has its payment id for it, when it carries the order's marker, or when it is of
our category and its note has the order's number (`links.link_entries` says which). Any other refund settles a case only when
the patient is the same, the amount is exact to the cent, its day is on or after the credit memo's, and exactly one open
case fits. Anything less is for a person (reconciliation, workflow of the refund debt).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

SUGGESTED_WITHIN = timedelta(days=31)
"""How long after a credit memo an equal refund on another patient is still worth a look."""


@dataclass(frozen=True, slots=True)
class OwedRefund:
    """One credit memo whose money is not, or not wholly, recorded in Nextech."""

    memo_id: int
    entity_id: int
    """The order's."""
    memo_day: date
    """Practice-local."""
    owed_cents: int
    """What is still to record; above zero."""
    patient_id: str | None
    """Whom the order was posted to."""


@dataclass(frozen=True, slots=True)
class RecordedRefund:
    """One active refund of Nextech that settles no case yet."""

    payment_id: str
    patient_id: str | None
    amount_cents: int
    """What was given back, as a positive amount."""
    paid_day: date
    entity_id: int | None = None
    """The order that it names, see above; None when it names none."""


class SettledBy(StrEnum):
    """On what a settlement rests."""

    NAME = "it names the order"
    PATIENT_AND_AMOUNT = "same patient and exact amount, and no other open refund fits"


class SuggestedBy(StrEnum):
    """Why a refund might belong to a case, and why that is not enough."""

    SEVERAL_FIT = "same patient and exact amount, but several open refunds fit"
    EARLIER_DAY = "same patient and exact amount, but dated before the credit memo"
    OTHER_AMOUNT = "same patient, but another amount"
    OTHER_PATIENT = "exact amount, but on another patient"


@dataclass(frozen=True, slots=True)
class Settlement:
    """So much of a case is recorded by this payment; the case is closed when all that it owes is settled."""

    memo_id: int
    payment_id: str
    settled_cents: int
    by: SettledBy


@dataclass(frozen=True, slots=True)
class RefundSuggestion:
    """A person should look whether this payment is the case's."""

    memo_id: int
    payment_id: str
    why: SuggestedBy


@dataclass(frozen=True, slots=True)
class RefundMatches:
    """What was found, in the order of the payments' days and ids."""

    settlements: tuple[Settlement, ...]
    suggestions: tuple[RefundSuggestion, ...]

    def settled_cents(self, memo_id: int) -> int:
        """Return how much of a case these settlements record."""
        return sum(settlement.settled_cents for settlement in self.settlements if settlement.memo_id == memo_id)


def match_refunds(owed: Iterable[OwedRefund], recorded: Iterable[RecordedRefund]) -> RefundMatches:
    """Return which refunds settle which cases, and what else might; the order of what is handed in does not matter.

    Refunds that name their order come first: the case of the same amount, else the oldest first until the refund is used
    up, so a smaller refund settles a part. The others follow, oldest first.
    """
    cases = sorted(owed, key=lambda case: (case.memo_day, case.memo_id))
    refunds = sorted(recorded, key=lambda refund: (refund.paid_day, refund.payment_id))
    left = {case.memo_id: case.owed_cents for case in cases}
    settlements: list[Settlement] = []
    for refund in refunds:
        if refund.entity_id is not None:
            settlements += _settle_by_name(refund, cases, left)
    suggestions: list[RefundSuggestion] = []
    for refund in refunds:
        if refund.entity_id is not None:
            continue
        fitting = [case for case in cases if _fits(case, refund, left)]
        if len(fitting) == 1:
            left[fitting[0].memo_id] = 0
            by = SettledBy.PATIENT_AND_AMOUNT
            settlements.append(Settlement(fitting[0].memo_id, refund.payment_id, refund.amount_cents, by))
        else:
            suggestions += _suggest(refund, fitting, cases, left)
    still_open = tuple(suggestion for suggestion in suggestions if left[suggestion.memo_id])
    return RefundMatches(tuple(settlements), still_open)


def _settle_by_name(refund: RecordedRefund, cases: list[OwedRefund], left: dict[int, int]) -> list[Settlement]:
    own = [case for case in cases if case.entity_id == refund.entity_id and left[case.memo_id]]
    equal = [case for case in own if left[case.memo_id] == refund.amount_cents]
    settlements, unused_cents = [], refund.amount_cents
    for case in equal[:1] or own:
        settled_cents = min(unused_cents, left[case.memo_id])
        if settled_cents:
            left[case.memo_id] -= settled_cents
            unused_cents -= settled_cents
            settlements.append(Settlement(case.memo_id, refund.payment_id, settled_cents, SettledBy.NAME))
    return settlements


def _is_same_patient(case: OwedRefund, refund: RecordedRefund) -> bool:
    return case.patient_id is not None and case.patient_id == refund.patient_id


def _fits(case: OwedRefund, refund: RecordedRefund, left: dict[int, int]) -> bool:
    is_exact = left[case.memo_id] == refund.amount_cents
    return is_exact and _is_same_patient(case, refund) and refund.paid_day >= case.memo_day


def _suggest(
    refund: RecordedRefund, fitting: list[OwedRefund], cases: list[OwedRefund], left: dict[int, int]
) -> list[RefundSuggestion]:
    """Name what comes nearest: only the first kind of reason that any open case gives."""
    if fitting:
        return [RefundSuggestion(case.memo_id, refund.payment_id, SuggestedBy.SEVERAL_FIT) for case in fitting]
    unsettled = [case for case in cases if left[case.memo_id]]
    exact = [case for case in unsettled if left[case.memo_id] == refund.amount_cents]
    kinds = {
        SuggestedBy.EARLIER_DAY: [case for case in exact if _is_same_patient(case, refund)],
        SuggestedBy.OTHER_AMOUNT: [
            case for case in unsettled if _is_same_patient(case, refund) and refund.paid_day >= case.memo_day
        ],
        SuggestedBy.OTHER_PATIENT: [
            case for case in exact if timedelta() <= refund.paid_day - case.memo_day <= SUGGESTED_WITHIN
        ],
    }
    for why, nearest in kinds.items():
        if nearest:
            return [RefundSuggestion(case.memo_id, refund.payment_id, why) for case in nearest]
    return []
