"""Read all payments of many patients in few requests, each request carrying the proof that it was understood."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from order_sync.desk import Desk, batches
from order_sync.errors import IncompleteReadError, RequestRejectedError
from order_sync.ledger.models import PaymentRow
from order_sync.ledger.postings import witness_payment
from order_sync.ledger.session import Transaction
from order_sync.payments import PaymentEntry, PaymentsRead

logger = logging.getLogger(__name__)

LIST_LENGTH = 38
"""Patients in one search, besides the two witnesses: forty GUIDs stay below the 2,048 characters that a server may cut at."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What complete reads showed of some patients; `as_of` is the instant before the oldest of them began.

    A patient whose payments could not be read completely is not in it: nothing is known of him, and nobody else is
    held up by that.
    """

    entries: dict[str, tuple[PaymentEntry, ...]]
    as_of: datetime

    def covers(self, patient_id: str) -> bool:
        """Say whether a patient's payments were read completely."""
        return patient_id in self.entries

    def covers_all(self, patient_ids: Iterable[str]) -> bool:
        """Say whether the payments of each of these patients were read completely."""
        return all(patient_id in self.entries for patient_id in patient_ids)

    def of(self, patient_id: str) -> tuple[PaymentEntry, ...]:
        """Return a patient's payments; raises KeyError for a patient who was not read."""
        return self.entries[patient_id]


def charts_of(payment: PaymentRow) -> frozenset[str]:
    """Return the patients in whose payments an order's may stand: whose it is, and whose it was before it was voided."""
    return frozenset({payment.patient_id, *(payment.voided_rows or ())})


def read_evidence_of(desk: Desk, patient_ids: Collection[str]) -> Evidence:
    """Read every payment of these patients, that can be read completely (reliability 3.5); raises when Nextech does not answer.

    A search for several patients at once is documented (a comma list, Nextech contract section 3), but a server that
    does not know lists could answer with nothing, or for the first or the last of them alone, and nothing would look like
    "not posted". So each such search begins and ends with a *witness*: a patient with a payment that we have seen before.
    Seeing both proves that the list was read from end to end. Without two witnesses in the ledger, or when one is not
    seen, each patient is read alone.
    """
    with desk.ledger.transaction() as tx:
        witnesses = _two_witnesses(tx, desk.practice.id)
    begun_at = desk.clock.now()
    chunks = desk.fan_out(lambda ids: _read_list(desk, ids, witnesses), batches(sorted(set(patient_ids)), LIST_LENGTH))
    reads = [read for chunk in chunks for read in chunk]
    read_ids = frozenset[str]().union(*(read.patient_ids for read in reads))
    entries: dict[str, list[PaymentEntry]] = {patient_id: [] for patient_id in patient_ids if patient_id in read_ids}
    for entry in _distinct(reads):
        if entry.patient_id in entries:
            entries[entry.patient_id].append(entry)
    as_of = min((read.as_of for read in reads), default=begun_at)
    return Evidence({patient_id: tuple(rows) for patient_id, rows in entries.items()}, as_of)


def read_entries(desk: Desk, payment_ids: Collection[str]) -> dict[str, PaymentEntry]:
    """Return these payments by their ids, each asked for alone; one that is not there, or cannot be read, is left out."""
    found = {}
    for payment_id in sorted(payment_ids):
        try:
            entry = desk.nextech.read_payment(payment_id)
        except (IncompleteReadError, RequestRejectedError) as error:
            logger.warning("practice %s: payment %s cannot be read: %s", desk.practice.id, payment_id, error)
            continue
        if entry is not None:
            found[payment_id] = entry
    return found


def has_witnesses(desk: Desk) -> bool:
    """Say whether many patients can be read at once: the ledger has seen payments of two patients."""
    with desk.ledger.transaction() as tx:
        return len(_two_witnesses(tx, desk.practice.id)) > 1


def _two_witnesses(tx: Transaction, practice_id: str) -> dict[str, str]:
    """Return the payment ids of two patients, by patient id; fewer when the ledger has seen fewer."""
    first = witness_payment(tx, practice_id)
    second = witness_payment(tx, practice_id, other_than=first[0]) if first else None
    return dict(witness for witness in (first, second) if witness is not None)


def _read_list(desk: Desk, patient_ids: list[str], witnesses: Mapping[str, str]) -> list[PaymentsRead]:
    if len(patient_ids) > 1 and len(witnesses) > 1:
        first, last = witnesses
        asked = [first, *(known for known in patient_ids if known not in witnesses), last]
        try:
            read = desk.nextech.read_payments(asked)
        except IncompleteReadError:
            return _read_each(desk, patient_ids)
        if set(witnesses.values()) <= {entry.payment_id for entry in read.entries}:
            return [read]
    return _read_each(desk, patient_ids)


def _read_each(desk: Desk, patient_ids: list[str]) -> list[PaymentsRead]:
    reads = desk.fan_out(lambda patient_id: _read_alone(desk, patient_id), patient_ids)
    return [read for read in reads if read is not None]


def _read_alone(desk: Desk, patient_id: str) -> PaymentsRead | None:
    try:
        return desk.nextech.read_payments([patient_id])
    except IncompleteReadError as error:
        logger.warning("practice %s: the payments of a patient cannot be read: %s", desk.practice.id, error)
        return None


def _distinct(reads: Iterable[PaymentsRead]) -> Iterable[PaymentEntry]:
    seen: set[str] = set()
    for read in reads:
        for entry in read.entries:
            if entry.payment_id not in seen:
                seen.add(entry.payment_id)
                yield entry
