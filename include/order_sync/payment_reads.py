"""Read all payments of many patients in few requests, each request carrying the proof that it was understood."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from order_sync.desk import Desk, batches
from order_sync.errors import IncompleteReadError
from order_sync.ledger.postings import witness_payment
from order_sync.payments import PaymentEntry, PaymentsRead

LIST_LENGTH = 39
"""Patients in one search, besides the witness: forty GUIDs stay below the 2,048 characters that a server may cut at."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What complete reads showed of some patients; `as_of` is the instant before the oldest of them began."""

    entries: dict[str, tuple[PaymentEntry, ...]]
    as_of: datetime

    def of(self, patient_id: str) -> tuple[PaymentEntry, ...]:
        """Return a patient's payments; raises KeyError for a patient who was not read."""
        return self.entries[patient_id]


def read_evidence_of(desk: Desk, patient_ids: Collection[str]) -> Evidence:
    """Read every payment of these patients, completely (reliability 3.5), or raise.

    A search for several patients at once is documented (a comma list, Nextech contract section 3), but a server that
    does not know lists could answer with nothing, and nothing would look like "not posted". So each such search ends
    with a *witness*: a patient with a payment that we have seen before. Seeing it proves that the list was read to its
    end. Without a witness in the ledger, or when it is not seen, each patient is read alone.
    """
    with desk.ledger.transaction() as tx:
        witness = witness_payment(tx, desk.practice.id)
    reads = desk.fan_out(lambda ids: _read_list(desk, ids, witness), batches(sorted(set(patient_ids)), LIST_LENGTH))
    entries: dict[str, list[PaymentEntry]] = {patient_id: [] for patient_id in patient_ids}
    for entry in _distinct(read for chunk in reads for read in chunk):
        if entry.patient_id in entries:
            entries[entry.patient_id].append(entry)
    as_of = min(read.as_of for chunk in reads for read in chunk)
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
    return desk.fan_out(lambda patient_id: desk.nextech.read_payments([patient_id]), patient_ids)


def _distinct(reads: Iterable[PaymentsRead]) -> Iterable[PaymentEntry]:
    seen: set[str] = set()
    for read in reads:
        for entry in read.entries:
            if entry.payment_id not in seen:
                seen.add(entry.payment_id)
                yield entry
