"""What a posting says, and what a complete read of a patient's payments proves about it (reliability 3.2 and 3.5).

Neither sends nor waits. A read that is not proved complete is no evidence and must not be handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from order_sync.markers import find_markers
from order_sync.money import cents
from order_sync.notes import describe_order
from order_sync.orders import Order
from order_sync.payments import EntryStatus, PaymentEntry, PaymentRequest
from order_sync.practices import Practice


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing in the patient's payments is, or looks like, this posting."""


@dataclass(frozen=True, slots=True)
class Posted:
    """It stands there once, as it was asked for."""

    payment_id: str
    entry: PaymentEntry


@dataclass(frozen=True, slots=True)
class Mismatch:
    """It stands there once, but not as it was asked for: a person corrects it, and nothing is posted again."""

    payment_id: str
    fields: tuple[str, ...]
    """Which of patient, amount, day, category and method differ."""


@dataclass(frozen=True, slots=True)
class Voided:
    """It was posted, and staff voided or deleted it: it is not ours to post it again."""


@dataclass(frozen=True, slots=True)
class Doubled:
    """It stands there more than once."""

    payment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PossibleManualEntry:
    """It is not there, but a payment without a marker fits it: somebody may have entered it by hand."""

    payment_id: str


Verdict = Absent | Posted | Mismatch | Voided | Doubled | PossibleManualEntry


def payment_instant(business_day: date, practice: Practice) -> datetime:
    """Return noon of a practice-local day, in UTC.

    At noon the day survives whatever the server makes of the date: a cut to the day in UTC or in the practice's zone
    gives the same one (Nextech contract section 5 #14).
    """
    return datetime.combine(business_day, time(12), tzinfo=practice.zone).astimezone(UTC)


def payment_request(order: Order, practice: Practice, patient_id: str, marker: str) -> PaymentRequest:
    """Return the posting of an order that is due.

    The card type is the practice's own spelling when it lists the store's code, else none (design section 6). Raises
    `money.AmountError` for an order that `eligibility` would not have called due.
    """
    business_day = practice.business_day(order.placed_at)
    code = order.tender.card_type if order.tender is not None else None
    spellings = {known.casefold(): spelling for known, spelling in practice.nextech.card_types.items()}
    return PaymentRequest(
        patient_id=patient_id.lower(),
        amount_cents=cents(order.totals.grand_total),
        business_day=business_day,
        payment_instant=payment_instant(business_day, practice),
        marker=marker,
        note=describe_order(marker, order, practice),
        provider_id=practice.nextech.provider_id,
        location_id=practice.nextech.location_id,
        category=practice.nextech.payment_category,
        card_type=spellings.get(code.strip().casefold()) if code is not None else None,
    )


def read_evidence(
    *,
    marker: str,
    amount_cents: int,
    business_day: date,
    patient_id: str,
    entries: Iterable[PaymentEntry],
    practice: Practice,
    known_payment_ids: frozenset[str] = frozenset(),
) -> Verdict:
    """Say what complete reads prove about one posting.

    The rows that carry our marker anywhere in their note are one chain, because void-and-correct copies the note: the
    voided row, its negative and the corrected row are *one* posting (reliability 3.5). Live are its active rows that are
    not negative; an active negative row is a refund and says nothing about the posting. More than one live row is
    Doubled, one is Posted or a Mismatch, none but voided ones is Voided.

    A row without any valid marker that fits in patient, amount and day, and whose id is not in `known_payment_ids` (those
    that the ledger holds for other orders), is a PossibleManualEntry: where there is no chain, and also beside a voided
    one, since a correction may have lost its note. Rows with somebody else's marker are somebody else's.
    """
    rows = sorted(entries, key=lambda entry: (len(entry.payment_id), entry.payment_id))
    chain = [row for row in rows if marker in find_markers(row.note) and not _is_refund(row)]
    live = [row for row in chain if row.status is EntryStatus.ACTIVE]
    if len(live) > 1:
        return Doubled(tuple(row.payment_id for row in live))
    if live:
        fields = _differences(live[0], amount_cents, business_day, patient_id, practice)
        return Mismatch(live[0].payment_id, fields) if fields else Posted(live[0].payment_id, live[0])
    by_hand = entries_by_hand(
        amount_cents=amount_cents,
        business_day=business_day,
        patient_id=patient_id,
        entries=rows,
        practice=practice,
        known_payment_ids=known_payment_ids,
    )
    if by_hand:
        return PossibleManualEntry(by_hand[0])
    return Voided() if chain else Absent()


def entries_by_hand(
    *,
    amount_cents: int,
    business_day: date,
    patient_id: str,
    entries: Iterable[PaymentEntry],
    practice: Practice,
    known_payment_ids: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Return the ids of the rows without a marker that fit a posting and belong to no other order of the ledger."""
    return tuple(
        row.payment_id
        for row in entries
        if row.payment_id not in known_payment_ids
        and not find_markers(row.note)
        and _could_be_entered_by_hand(row, amount_cents, business_day, patient_id, practice)
    )


def _is_refund(row: PaymentEntry) -> bool:
    return row.status is EntryStatus.ACTIVE and row.amount_cents < 0


def _differences(
    row: PaymentEntry, amount_cents: int, business_day: date, patient_id: str, practice: Practice
) -> tuple[str, ...]:
    """Name what differs. A category that is blank differs too: the server may keep a payment without one (section 5 #19).

    Card type, provider and location are left out: staff correct them as a matter of course, and no report depends on them.
    """
    day = practice.business_day(row.payment_instant) if row.payment_instant is not None else None
    is_as_asked = {
        "patient": row.patient_id is not None and row.patient_id.lower() == patient_id.lower(),
        "amount": row.amount_cents == amount_cents,
        "day": day == business_day,
        "category": _folded(row.category) == _folded(practice.nextech.payment_category),
        "method": row.method is None or _folded(row.method) == "charge",
    }
    return tuple(name for name, holds in is_as_asked.items() if not holds)


def _could_be_entered_by_hand(
    row: PaymentEntry, amount_cents: int, business_day: date, patient_id: str, practice: Practice
) -> bool:
    """Say whether a row could be this order's, typed in by staff: patient, amount and day fit, in whatever category.

    The day fits when the practice's day or the day in UTC is ours: a bare date may have been kept as midnight in UTC,
    which the practice's zone shows as the day before (Nextech contract section 5 #14). The neighbouring days do not
    fit: the same product bought again the next day is no hand entry.
    """
    if row.status is not EntryStatus.ACTIVE or row.amount_cents != amount_cents or row.payment_instant is None:
        return False
    is_patient = row.patient_id is not None and row.patient_id.lower() == patient_id.lower()
    return is_patient and business_day in {
        practice.business_day(row.payment_instant),
        row.payment_instant.astimezone(UTC).date(),
    }


def _folded(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()
