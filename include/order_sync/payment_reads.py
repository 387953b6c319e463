"""Read all payments of many patients in few requests, each request carrying the proof that it was understood."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from order_sync.desk import Desk, batches
from order_sync.errors import IncompleteReadError
from order_sync.ledger.postings import witness_payment
from order_sync.payments import PaymentEntry, PaymentsRead

logger = logging.getLogger(__name__)

LIST_LENGTH = 39
"""Patients in one search, besides the witness: forty GUIDs stay below the 2,048 characters that a server may cut at."""


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

    def of(self, patient_id: str) -> tuple[PaymentEntry, ...]:
        """Return a patient's payments; raises KeyError for a patient who was not read."""
        return self.entries[patient_id]


def read_evidence_of(desk: Desk, patient_ids: Collection[str]) -> Evidence:
    """Read every payment of these patients, that can be read completely (reliability 3.5); raises when Nextech does not answer.

    A search for several patients at once is documented (a comma list, Nextech contract section 3), but a server that
    does not know lists could answer with nothing, and nothing would look like "not posted". So each such search ends
    with a *witness*: a patient with a payment that we have seen before. Seeing it proves that the list was read to its
    end. Without a witness in the ledger, or when it is not seen, each patient is read alone.
    """
    with desk.ledger.transaction() as tx:
        witness = witness_payment(tx, desk.practice.id)
    begun_at = desk.clock.now()
    chunks = desk.fan_out(lambda ids: _read_list(desk, ids, witness), batches(sorted(set(patient_ids)), LIST_LENGTH))
    reads = [read for chunk in chunks for read in chunk]
    read_ids = frozenset[str]().union(*(read.patient_ids for read in reads))
    entries: dict[str, list[PaymentEntry]] = {patient_id: [] for patient_id in patient_ids if patient_id in read_ids}
    for entry in _distinct(reads):
        if entry.patient_id in entries:
            entries[entry.patient_id].append(entry)
    as_of = min((read.as_of for read in reads), default=begun_at)
    return Evidence({patient_id: tuple(rows) for patient_id, rows in entries.items()}, as_of)


def _read_list(desk: Desk, patient_ids: list[str], witness: tuple[str, str] | None) -> list[PaymentsRead]:
    if len(patient_ids) > 1 and witness is not None:
        patient_id, payment_id = witness
        asked = [*(known for known in patient_ids if known != patient_id), patient_id]
        try:
            read = desk.nextech.read_payments(asked)
        except IncompleteReadError:
            return _read_each(desk, patient_ids)
        if any(entry.payment_id == payment_id for entry in read.entries):
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
