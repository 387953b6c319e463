"""What a person's decision needs of the ledger: who was first, which patients were declined, and to try an order again."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, insert, select, update

from order_sync.errors import LedgerBusyError
from order_sync.ledger.cases import order_cause
from order_sync.ledger.columns import table_of
from order_sync.ledger.models import OPEN_CASE, CaseRow, HistoryRow, OrderRow, PaymentRow
from order_sync.ledger.orders import read_order
from order_sync.ledger.session import Transaction
from order_sync.statuses import OrderState

_ORDERS, _CASES, _HISTORY = table_of(OrderRow), table_of(CaseRow), table_of(HistoryRow)
_CASES_OF_ORDER = select(CaseRow).where(_CASES.c.cause == bindparam("of_cause")).order_by(_CASES.c.id.desc()).limit(1)
_AS_IT_WAS = (_ORDERS.c.id == bindparam("known_id"), _ORDERS.c.version == bindparam("known_version"))
_TRY_AGAIN = update(_ORDERS).where(*_AS_IT_WAS)
_ADD_HISTORY = insert(_HISTORY)


def undo_cause(order_id: int) -> str:
    """Return the cause under which a payment on a wrong patient waits to be voided and posted to the right one."""
    return f"undo:{order_id}"


def find_order(tx: Transaction, order_id: int) -> OrderRow | None:
    """Return the order as it stands now, None when there is none with this id."""
    return tx.session.get(OrderRow, order_id, populate_existing=True)


def steps_since(tx: Transaction, order_id: int, version: int) -> list[HistoryRow]:
    """Return the steps that an order took after it had this version, oldest first.

    Each step writes one row and raises the version by one, so the first row, of version 0, has as many before it.
    """
    query = select(HistoryRow).where(HistoryRow.order_id == order_id).order_by(HistoryRow.id)
    return list(tx.session.scalars(query))[version + 1 :]


def declined_patients(tx: Transaction, order_id: int) -> frozenset[str]:
    """Return the patients among whom a person was last asked to choose for this order."""
    case = tx.session.scalars(_CASES_OF_ORDER, {"of_cause": order_cause(order_id)}).one_or_none()
    return frozenset(patient_id.lower() for patient_id in (case.candidate_ids if case else None) or ())


def matched_by_memory(tx: Transaction, practice_id: str, customer_key: str) -> list[OrderRow]:
    """Return the orders of a customer that wait to be posted to the patient who is remembered for him."""
    query = select(OrderRow).where(
        OrderRow.practice_id == practice_id,
        OrderRow.state == OrderState.MATCHED,
        OrderRow.customer_key == customer_key,
        OrderRow.matched_by == "remembered",
    )
    return list(tx.session.scalars(query.order_by(OrderRow.id)))


def keep_declined(tx: Transaction, order_id: int, patient_ids: Collection[str]) -> None:
    """Note beside the open case of an order that a person was also shown these patients, and said no to them."""
    kept = declined_patients(tx, order_id) | {patient_id.strip().lower() for patient_id in patient_ids}
    tx.session.execute(
        update(CaseRow)
        .where(CaseRow.cause == order_cause(order_id), OPEN_CASE)
        .values(candidate_ids=sorted(kept))
        .execution_options(synchronize_session=False)
    )


def owner_of_payment(tx: Transaction, practice_id: str, payment_id: str) -> int | None:
    """Return the id of the order whose payment this is by the ledger, None when it is nobody's."""
    query = select(PaymentRow.order_id).where(PaymentRow.practice_id == practice_id, PaymentRow.payment_id == payment_id)
    return tx.session.scalars(query.limit(1)).one_or_none()


def try_again(tx: Transaction, order: OrderRow, *, actor: str) -> OrderRow:
    """Let the next run give an order a task of its own; its state, its reason and its case stay as they are.

    Raises `LedgerBusyError` when somebody moved it meanwhile.
    """
    asked = {"known_id": order.id, "known_version": order.version}
    changes = {
        "version": order.version + 1,
        "changed_at": tx.now,
        "failed_at": tx.now,
        "handed_out_at": None,
        "not_before": None,
    }
    if not tx.session.execute(_TRY_AGAIN, {**asked, **changes}).rowcount:  # type: ignore[attr-defined]
        msg = f"order {order.number} of practice {order.practice_id}: changed meanwhile"
        raise LedgerBusyError(msg)
    said = {"from_state": order.state, "to_state": order.state, "reason": order.reason, "detail": order.detail}
    tx.session.execute(_ADD_HISTORY, {**said, "order_id": order.id, "at": tx.now, "actor": actor[:80]})
    return read_order(tx, order.id)
