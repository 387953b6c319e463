"""What may stand in every text column: a column that is not listed here fails, until somebody has said what it holds (S1).

Nothing in this list is a name, an address, a birth date, a phone number or an e-mail of a patient or a customer.
"""

from __future__ import annotations

from sqlalchemy import JSON, DateTime, Enum, String

from order_sync.ledger import audit_models, refund_models, report_models
from order_sync.ledger.columns import LedgerTable, UtcDateTime

OUR_PRACTICE_ID = "the practice's id in practices.yaml"
ORDER_NUMBER = "the store's order number"
PATIENT_ID = "Nextech's id of a patient"
PAYMENT_ID = "Nextech's id of a payment"
ONE_OF = "a closed set, held by a CHECK"
REASON = "a code of reasons.Reason"
OUR_WORDS = "our own sentence from a closed vocabulary: field names, statuses, ids"
HASH = "SHA-256"
KEYED_HASH = "a keyed hash: without the key it says nothing"
STAFF = "'sync', or the login of a member of staff"
RANDOM = "a random key of ours"
CLASS = "a code of reconciliation.classes.DifferenceClass"
STAFF_ADDRESS = "an address of the practice's staff, from practices.yaml"

INVENTORY = {
    "practice_progress": {"practice_id": OUR_PRACTICE_ID},
    "orders": {
        "practice_id": OUR_PRACTICE_ID,
        "number": ORDER_NUMBER,
        "store_state": "Adobe's fixed state of an order",
        "content_hash": HASH,
        "customer_key": KEYED_HASH,
        "follow_up": "a code: what the front desk makes of it",
        "state": ONE_OF,
        "public_status": ONE_OF,
        "reason": REASON,
        "detail": OUR_WORDS,
        "patient_id": PATIENT_ID,
        "match_evidence": "agreement per field, rule version, number of candidates: no values",
        "matched_by": "rule, remembered, created, or the login of the person who picked",
        "account_wanted_by": STAFF,
        "released": REASON,
        "claimed_by": RANDOM,
    },
    "payments": {
        "practice_id": OUR_PRACTICE_ID,
        "posting_key": "practice, store, document type, entity id, tender line, kind",
        "marker": KEYED_HASH,
        "patient_id": PATIENT_ID,
        "request_sha256": HASH,
        "payment_id": PAYMENT_ID,
        "unrelated_payment_ids": PAYMENT_ID,
        "voided_rows": "ids of Nextech's: patients, and the payments of each",
    },
    "attempts": {
        "attempt_id": RANDOM,
        "kind": ONE_OF,
        "request_sha256": HASH,
        "outcome": ONE_OF,
        "request_id": "the server's own reference of a request",
        "reason": OUR_WORDS,
    },
    "order_history": {
        "from_state": "a state of statuses.OrderState",
        "to_state": "a state of statuses.OrderState",
        "reason": REASON,
        "detail": OUR_WORDS,
        "actor": STAFF,
    },
    "manual_resolution_queue": {
        "practice_id": OUR_PRACTICE_ID,
        "order_number": ORDER_NUMBER,
        "cause": "order:, undo:, refund: or practice: with our id",
        "reason": REASON,
        "sentence": OUR_WORDS,
        "next_step": OUR_WORDS,
        "state": ONE_OF,
        "assignee": STAFF,
        "closed_by": STAFF,
        "resolution": "our own sentence, or what a member of staff chose to say of the decision",
        "candidate_ids": PATIENT_ID,
        "note": "what a member of staff wrote, refused when it holds what looks like, or is, the customer's data",
        "noted_by": STAFF,
    },
    "status_outbox": {
        "practice_id": OUR_PRACTICE_ID,
        "run_key": RANDOM,
        "status": ONE_OF,
        "message": OUR_WORDS,
        "last_error": OUR_WORDS,
    },
    "remembered_patients": {
        "practice_id": OUR_PRACTICE_ID,
        "customer_key": KEYED_HASH,
        "patient_id": PATIENT_ID,
        "decided_by": STAFF,
        "revoked_by": STAFF,
    },
    "claims": {"name": "what is claimed: our ids", "holder": "Airflow's run and task, or a random key"},
    "rate_slots": {"key": "a connection's id and an endpoint"},
    "restores": {"practice_id": OUR_PRACTICE_ID, "declared_by": STAFF},
    "reconciliation_reports": {
        "practice_id": OUR_PRACTICE_ID,
        "report_id": "practice, period, version",
        "period_kind": ONE_OF,
        "facts_sha256": HASH,
        "statement": "sums, days, bands and ids of a Statement: the practice's own name, nobody else's",
    },
    "reconciliation_lines": {
        "class": CLASS,
        "subject": "order: or entry: with the store's key or Nextech's payment id",
        "number": ORDER_NUMBER,
        "line": "a Line: numbers, days, ids, marker and our own sentences",
    },
    "reconciliation_differences": {
        "practice_id": OUR_PRACTICE_ID,
        "cause": "a line's subject, and payment or refund",
        "number": ORDER_NUMBER,
        "class": CLASS,
        "state": ONE_OF,
        "line": "a Line: numbers, days, ids, marker and our own sentences",
        "owner": STAFF,
        "resolution": ONE_OF,
    },
    "difference_history": {
        "from_state": "a state of report_models.DifferenceState",
        "to_state": "a state of report_models.DifferenceState",
        "class": CLASS,
        "actor": "'reconciliation', or the login of a member of staff",
        "reason": "our own sentence, or what a member of staff chose to say of the decision",
    },
    "report_deliveries": {
        "practice_id": OUR_PRACTICE_ID,
        "kind": ONE_OF,
        "recipient": STAFF_ADDRESS,
        "message_id": RANDOM,
        "state": ONE_OF,
        "accepted_by": "the name of a mail server",
        "last_error": OUR_WORDS,
    },
    "refunds": {"practice_id": OUR_PRACTICE_ID, "memo_number": "the store's number of a credit memo"},
    "refund_payments": {"practice_id": OUR_PRACTICE_ID, "payment_id": PAYMENT_ID},
    "audit_trail": {
        "practice_id": OUR_PRACTICE_ID,
        "actor": STAFF,
        "action": "a code of audit.Action",
        "detail": OUR_WORDS,
    },
    "sweeps": {"run_id": "Airflow's id of a run", "practice_id": OUR_PRACTICE_ID},
}


assert (
    audit_models.AuditRow.metadata
    is refund_models.RefundRow.metadata
    is report_models.ReportRow.metadata
    is LedgerTable.metadata
)


def test_every_text_column_is_listed_with_what_may_stand_in_it():
    found = {
        table.name: {column.name for column in table.columns if isinstance(column.type, (String, JSON))}
        for table in LedgerTable.metadata.sorted_tables
    }
    assert {table: set(columns) for table, columns in INVENTORY.items()} == {
        table: columns for table, columns in found.items() if columns
    }


def test_what_is_called_a_closed_set_is_held_by_a_check():
    for table in LedgerTable.metadata.sorted_tables:
        for column in table.columns:
            is_closed = isinstance(column.type, Enum) and column.type.create_constraint
            assert is_closed == (INVENTORY.get(table.name, {}).get(column.name) == ONE_OF), f"{table.name}.{column.name}"


def test_every_instant_is_kept_with_its_zone():
    types = [column.type for table in LedgerTable.metadata.sorted_tables for column in table.columns]
    assert sum(isinstance(kind, UtcDateTime) for kind in types) > 20
    assert not [kind for kind in types if isinstance(kind, DateTime)]
