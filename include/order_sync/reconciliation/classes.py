"""The classes of difference: every order and every entry of a period is in exactly one (reconciliation, the tables).

One table, because the letter, the workbook, the pages and the cases must say the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Section(StrEnum):
    """Which of the four tables a class belongs to."""

    ENTRY = "entry without an order"
    POSTED = "order with Nextech money"
    NOT_POSTED = "order without Nextech money"
    REFUND = "refund"


class Weight(StrEnum):
    """How a reader should take it."""

    FINE = "fine"
    """Nothing to do."""
    NOTED = "noted"
    """Listed, never hidden; nobody has to act today."""
    ACTION = "action"
    """A person has to do something."""
    CRITICAL = "critical"
    """Money or a patient's chart is wrong: first on the list."""


class DifferenceClass(StrEnum):
    """The closed set of classes, in the order in which they are tested; the value is what is stored and grouped by."""

    # Entries without an order.
    UNATTACHED = "unattached"
    ORPHAN = "orphan"
    UNLINKED = "unlinked"
    # Orders with Nextech money.
    DUPLICATE_POSTING = "duplicate_posting"
    PATIENT_MERGED = "patient_merged"
    WRONG_PATIENT = "wrong_patient"
    VOIDED_AS_REFUND = "voided_as_refund"
    VOIDED = "voided"
    POSTED_BUT_NOT_DUE = "posted_but_not_due"
    SPLIT = "split"
    SPLIT_INCOMPLETE = "split_incomplete"
    OVER = "over"
    SHORT = "short"
    WITHIN_TOLERANCE = "within_tolerance"
    CUTOFF = "cutoff"
    DATE_SHIFTED = "date_shifted"
    MATCHED = "matched"
    # Orders without Nextech money.
    NOT_DUE = "not_due"
    PARTLY_PAID = "partly_paid"
    """Captured in part: money that the store has and Nextech is not told of yet (decision record 11)."""
    NOTHING_TO_POST = "nothing_to_post"
    NEVER_SEEN = "never_seen"
    ON_HOLD = "on_hold"
    DISABLED = "disabled"
    IN_FLIGHT = "in_flight"
    OVERDUE = "overdue"
    NEEDS_A_PERSON = "needs_a_person"
    LOST_POSTING = "lost_posting"
    # Refunds: the second pass over the same orders.
    REFUND_TO_RECORD = "refund_to_record"
    REFUND_PARTLY_RECORDED = "refund_partly_recorded"
    REFUND_OVER_RECORDED = "refund_over_recorded"
    REFUND_CUTOFF = "refund_cutoff"
    REFUND_RECORDED = "refund_recorded"
    REFUNDED_OFFLINE = "refunded_offline"


@dataclass(frozen=True, slots=True)
class ClassText:
    """What a reader is told about a class."""

    section: Section
    weight: Weight
    title: str
    """A few words, as a heading."""
    meaning: str
    """One sentence for somebody who has never seen it."""
    next_step: str
    """What a person is to do; empty when there is nothing."""


_E, _P, _N, _R = Section.ENTRY, Section.POSTED, Section.NOT_POSTED, Section.REFUND
_C = DifferenceClass

TEXTS: dict[DifferenceClass, ClassText] = {
    _C.UNATTACHED: ClassText(
        _E,
        Weight.ACTION,
        "Hangs on no patient",
        "A payment of the online store in Nextech is on no patient's chart.",
        "Put it on the right patient's billing tab in Nextech.",
    ),
    _C.ORPHAN: ClassText(
        _E,
        Weight.CRITICAL,
        "No such order",
        "A payment in Nextech carries our marker or number, and the store has no such order.",
        "Check the payment in Nextech, and void it if it is nobody's.",
    ),
    _C.UNLINKED: ClassText(
        _E,
        Weight.ACTION,
        "Entered by hand",
        "A payment of the online store's category that we did not post and that names no order.",
        "Say which order it belongs to, or correct its category in Nextech.",
    ),
    _C.DUPLICATE_POSTING: ClassText(
        _P,
        Weight.CRITICAL,
        "Posted twice",
        "The order's payment stands in Nextech more than once.",
        "Void the extra payment in Nextech.",
    ),
    _C.PATIENT_MERGED: ClassText(
        _P, Weight.NOTED, "Chart merged", "The amounts agree; the chart that we posted to was merged into another one.", ""
    ),
    _C.WRONG_PATIENT: ClassText(
        _P,
        Weight.CRITICAL,
        "On another patient",
        "The amounts agree, but the payment is on another chart than the one decided on.",
        "Check which patient is right, and move the payment in Nextech if it is not.",
    ),
    _C.VOIDED_AS_REFUND: ClassText(
        _P,
        Weight.NOTED,
        "Voided for a refund",
        "The store refunded all of it, and the payment was voided in Nextech instead of recording a refund.",
        "",
    ),
    _C.VOIDED: ClassText(
        _P,
        Weight.ACTION,
        "Voided in Nextech",
        "The payment was posted and later voided, and the store has not refunded it.",
        "Post it to the right patient, or refund it in the store.",
    ),
    _C.POSTED_BUT_NOT_DUE: ClassText(
        _P,
        Weight.ACTION,
        "Posted, but not due",
        "Nextech has a payment for an order that is not to be posted: cancelled, on hold, or placed before the integration.",
        "Check the order in the store, and void the payment if no money came in.",
    ),
    _C.SPLIT: ClassText(_P, Weight.FINE, "In several entries", "Several payments in Nextech add up to the order.", ""),
    _C.SPLIT_INCOMPLETE: ClassText(
        _P,
        Weight.ACTION,
        "In several entries, not all",
        "Several payments in Nextech add up to less than the order.",
        "Enter the missing part in Nextech.",
    ),
    _C.OVER: ClassText(
        _P,
        Weight.ACTION,
        "Too much in Nextech",
        "The payment in Nextech is higher than what the store took.",
        "Correct the payment in Nextech.",
    ),
    _C.SHORT: ClassText(
        _P,
        Weight.ACTION,
        "Too little in Nextech",
        "The payment in Nextech is lower than what the store took.",
        "Correct the payment in Nextech.",
    ),
    _C.WITHIN_TOLERANCE: ClassText(
        _P, Weight.NOTED, "Within the tolerance", "The two amounts differ by no more than the practice tolerates.", ""
    ),
    _C.CUTOFF: ClassText(
        _P,
        Weight.NOTED,
        "Dated in another period",
        "The amounts agree; the store's day and the payment's day lie in different periods.",
        "",
    ),
    _C.DATE_SHIFTED: ClassText(
        _P,
        Weight.NOTED,
        "Other day",
        "The amounts agree; the payment carries another day of the same period.",
        "Correct the payment's date in Nextech if the day matters.",
    ),
    _C.MATCHED: ClassText(_P, Weight.FINE, "Agrees", "Amount, patient and day agree.", ""),
    _C.NOT_DUE: ClassText(
        _N, Weight.FINE, "Not due", "Not paid, cancelled before capture, or refunded before it was posted.", ""
    ),
    _C.PARTLY_PAID: ClassText(
        _N,
        Weight.NOTED,
        "Partly paid",
        "The store captured a part; it is posted when all of it is paid.",
        "Capture the rest in the store, or refund the part.",
    ),
    _C.NOTHING_TO_POST: ClassText(
        _N,
        Weight.FINE,
        "Nothing to post",
        "Paid by gift card, credit or points: no outside money to post.",
        "Make the bill or quote, and apply the gift card or credit by hand.",
    ),
    _C.NEVER_SEEN: ClassText(
        _N,
        Weight.CRITICAL,
        "Never seen by the sync",
        "Paid and due in the store, and the sync does not know the order.",
        "Tell the data team: the order has to be read again.",
    ),
    _C.ON_HOLD: ClassText(
        _N, Weight.ACTION, "On hold", "Paid, and held in the store.", "Check the order and release it in the store (Unhold)."
    ),
    _C.DISABLED: ClassText(
        _N, Weight.NOTED, "Disabled", "Placed when the integration was not active; it is not posted by the sync.", ""
    ),
    _C.IN_FLIGHT: ClassText(_N, Weight.FINE, "Waiting for Sync", "Captured in the last 20 minutes.", ""),
    _C.OVERDUE: ClassText(
        _N, Weight.ACTION, "Overdue", "Waiting for Sync for more than 20 minutes.", "Tell the data team: the sync is late."
    ),
    _C.NEEDS_A_PERSON: ClassText(
        _N, Weight.ACTION, "Needs a person", "Not Synced, with its reason.", "Resolve it on the Orders page."
    ),
    _C.LOST_POSTING: ClassText(
        _N,
        Weight.CRITICAL,
        "Lost in Nextech",
        "The sync posted the payment, and Nextech does not have it.",
        "Look for the marker in Nextech; tell the data team.",
    ),
    _C.REFUND_TO_RECORD: ClassText(
        _R,
        Weight.ACTION,
        "Refund to record",
        "The store returned money, and Nextech has no refund for it.",
        "Record the refund on the patient's billing tab in Nextech.",
    ),
    _C.REFUND_PARTLY_RECORDED: ClassText(
        _R,
        Weight.ACTION,
        "Refund partly recorded",
        "Nextech has a smaller refund than the store returned.",
        "Record the rest of the refund in Nextech.",
    ),
    _C.REFUND_OVER_RECORDED: ClassText(
        _R,
        Weight.ACTION,
        "Refund too high",
        "Nextech has a higher refund than the store returned.",
        "Correct the refund in Nextech.",
    ),
    _C.REFUND_CUTOFF: ClassText(
        _R,
        Weight.NOTED,
        "Refund dated in another period",
        "The refund agrees; the store's day and the day in Nextech lie in different periods.",
        "",
    ),
    _C.REFUND_RECORDED: ClassText(
        _R, Weight.FINE, "Refund recorded", "The refund in Nextech equals what the store returned.", ""
    ),
    _C.REFUNDED_OFFLINE: ClassText(
        _R, Weight.NOTED, "Refunded offline", "The store's books say refunded, and no money moved through the gateway.", ""
    ),
}
"""What readers are told, for every class."""
