"""The decisions of people that are used again: this store customer is this patient."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select, update

from order_sync.ledger.models import RememberedPatient
from order_sync.ledger.session import Transaction

_REMEMBERED = select(RememberedPatient).where(
    RememberedPatient.practice_id == bindparam("of_practice"),
    RememberedPatient.customer_key.in_(bindparam("customer_keys", expanding=True)),
    RememberedPatient.revoked_at.is_(None),
)


def remembered_patients(tx: Transaction, practice_id: str, customer_keys: Iterable[str]) -> dict[str, str]:
    """Return the patient ids that people chose for these customers, by customer key."""
    keys = {"of_practice": practice_id, "customer_keys": list(customer_keys)}
    return {row.customer_key: row.patient_id for row in tx.session.scalars(_REMEMBERED, keys)}


def remember_patient(tx: Transaction, *, practice_id: str, customer_key: str, patient_id: str, by: str) -> None:
    """Remember a person's choice, in place of an earlier one."""
    forget_patient(tx, practice_id=practice_id, customer_key=customer_key, by=by)
    tx.session.add(
        RememberedPatient(
            practice_id=practice_id, customer_key=customer_key, patient_id=patient_id, decided_by=by[:80], decided_at=tx.now
        )
    )
    tx.session.flush()


def forget_patient(tx: Transaction, *, practice_id: str, customer_key: str, by: str) -> None:
    """Revoke the choice that is remembered for a customer, if there is one."""
    tx.session.execute(
        update(RememberedPatient)
        .where(
            RememberedPatient.practice_id == practice_id,
            RememberedPatient.customer_key == customer_key,
            RememberedPatient.revoked_at.is_(None),
        )
        .values(revoked_at=tx.now, revoked_by=by[:80])
        .execution_options(synchronize_session=False)
    )
