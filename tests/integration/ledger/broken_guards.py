"""The table: every trigger and every unique key of the ledger, what gets in without it, and how each is taken out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from order_sync.ledger.cases import open_case, order_cause
from order_sync.ledger.orders import Step, move
from order_sync.ledger.postings import finish_attempt
from order_sync.ledger.remembered import remember_patient
from order_sync.ledger.session import Ledger
from order_sync.payments import PostAnswer, PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.integration.ledger.rows import attempted, new_order, planned, saved_order

UNKNOWN = PostAnswer(PostOutcome.UNKNOWN, "no usable answer")


@dataclass(frozen=True)
class DatabaseGuard:
    """One trigger or unique key, and somebody who writes past the code."""

    name: str
    """Of the trigger, the constraint or the index."""
    before: Callable[[Ledger], object]
    intrusion: str
    looked_at: str
    """A question whose answer must be the same afterwards."""
    goes_wrong: str
    postgres_name: str | None = None
    """Where PostgreSQL has one trigger for what takes several on SQLite."""

    def name_in(self, ledger: Ledger) -> str:
        """Return the name that it has in this ledger's database."""
        return (self.postgres_name if ledger.engine.dialect.name == "postgresql" else None) or self.name

    def play(self, ledger: Ledger) -> None:
        """Let somebody write past the code; fail when it shows."""
        self.before(ledger)
        seen = _ask(ledger, self.looked_at)
        with contextlib.suppress(IntegrityError), ledger.transaction() as tx:
            tx.session.execute(text(self.intrusion))
        assert _ask(ledger, self.looked_at) == seen, self.goes_wrong


def _ask(ledger: Ledger, question: str) -> list[tuple[object, ...]]:
    with ledger.transaction() as tx:
        return [tuple(row) for row in tx.session.execute(text(question))]


def _confirmed(ledger: Ledger) -> None:
    saved_order(ledger, OrderState.CONFIRMED)


def _moved_once(ledger: Ledger) -> None:
    order = saved_order(ledger)
    with ledger.transaction() as tx:
        move(tx, order, Step(OrderState.MATCHED))


def _unknown(ledger: Ledger) -> None:
    _, attempt = attempted(ledger)
    with ledger.transaction() as tx:
        finish_attempt(tx, attempt.attempt_id, UNKNOWN)


def _two_plans(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for name in ("first", "second"):
            planned(tx, new_order(tx, OrderState.MATCHED), marker=name, posting_key=name)


def _two_orders(ledger: Ledger) -> None:
    saved_order(ledger, entity_id=1)
    saved_order(ledger, entity_id=2)


def _one_case(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        order = new_order(tx)
        open_case(tx, practice_id="eastern", cause=order_cause(order.id), reason=Reason.NAME_DIFFERS, order=order)


def _one_choice(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        remember_patient(tx, practice_id="eastern", customer_key="a", patient_id="her", by="dana")


def _copy(table: str, columns: str, **changed: str) -> str:
    """Write the statement that adds every row once more, with these columns changed."""
    values = ", ".join(changed.get(column, column) for column in columns.split(", "))
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}"  # noqa: S608 - our own words


_CASE = "practice_id, cause, reason, sentence, next_step, state, opened_at, last_seen_at, times_seen"
_STATUS = "practice_id, order_id, run_key, status, message, created_at, is_superseded, tries"
_CHOICE = "practice_id, customer_key, patient_id, decided_by, decided_at"

DATABASE_GUARDS: dict[str, DatabaseGuard] = {
    "a confirmed order is set back to be posted": DatabaseGuard(
        "orders_step_is_allowed",
        _confirmed,
        "UPDATE orders SET state = 'matched', version = version + 1",
        "SELECT state FROM orders",
        "doubled: it stands where it is posted",
    ),
    "an older version is put back": DatabaseGuard(
        "orders_version_grows",
        _moved_once,
        "UPDATE orders SET version = 0",
        "SELECT version FROM orders",
        "doubled: who read it before the step may take it again",
    ),
    "a step keeps the version": DatabaseGuard(
        "orders_version_grows",
        _moved_once,
        "UPDATE orders SET state = 'intent'",
        "SELECT state FROM orders",
        "doubled: who read it before the step may take it, too",
    ),
    "another name is put under a decision": DatabaseGuard(
        "order_history_is_not_changed",
        _moved_once,
        "UPDATE order_history SET actor = 'dana'",
        "SELECT actor FROM order_history ORDER BY id",
        "lost: who did it",
    ),
    "a step is taken out of the history": DatabaseGuard(
        "order_history_is_kept",
        _moved_once,
        "DELETE FROM order_history WHERE to_state = 'matched'",
        "SELECT to_state FROM order_history ORDER BY id",
        "lost: what was done",
    ),
    "an unknown outcome is called not executed": DatabaseGuard(
        "attempts_outcome_is_set_once",
        _unknown,
        "UPDATE attempts SET outcome = 'not_executed'",
        "SELECT outcome FROM attempts",
        "doubled: a rerun posts it again",
    ),
    "an intent is ended before its deadline": DatabaseGuard(
        "attempts_outcome_is_set_once",
        attempted,
        "UPDATE attempts SET deadline = intended_at",
        "SELECT deadline FROM attempts",
        "wrong state: looked for while it is under way",
    ),
    "an attempt is removed": DatabaseGuard(
        "attempts_are_kept",
        _unknown,
        "DELETE FROM attempts",
        "SELECT attempt_id FROM attempts",
        "doubled: nobody knows that something was sent",
    ),
    "a marker is changed after the payment was sent": DatabaseGuard(
        "payments_keys_are_frozen",
        attempted,
        "UPDATE payments SET marker = 'DP-OTHER'",
        "SELECT marker FROM payments",
        "doubled: it is looked for under another marker",
    ),
    "a payment that was sent is removed": DatabaseGuard(
        "payments_are_kept",
        attempted,
        "DELETE FROM payments",
        "SELECT marker FROM payments",
        "lost: what was sent, and for how much",
    ),
    "two orders have one marker": DatabaseGuard(
        "uq_payments_marker",
        _two_plans,
        "UPDATE payments SET marker = 'first'",
        "SELECT marker FROM payments ORDER BY order_id",
        "lost: the payment of one is taken for that of the other",
    ),
    "two orders have one posting key": DatabaseGuard(
        "uq_payments_posting_key",
        _two_plans,
        "UPDATE payments SET posting_key = 'first'",
        "SELECT posting_key FROM payments ORDER BY order_id",
        "doubled: one document is posted for two rows",
    ),
    "an order is taken in twice": DatabaseGuard(
        "uq_orders_practice_id_entity_id",
        _two_orders,
        "UPDATE orders SET entity_id = 1",
        "SELECT entity_id FROM orders ORDER BY id",
        "doubled: two rows for one order of the store",
    ),
    "a cause has two open cases": DatabaseGuard(
        "uq_manual_resolution_queue_open_cause",
        _one_case,
        _copy("manual_resolution_queue", _CASE),
        "SELECT cause FROM manual_resolution_queue",
        "doubled: two people work on one order",
    ),
    "a status has two rows": DatabaseGuard(
        "uq_status_outbox_run_key",
        saved_order,
        _copy("status_outbox", _STATUS),
        "SELECT run_key FROM status_outbox",
        "doubled: the store is told one change twice",
    ),
    "a customer has two remembered patients": DatabaseGuard(
        "uq_remembered_patients_current",
        _one_choice,
        _copy("remembered_patients", _CHOICE, patient_id="'another'"),
        "SELECT patient_id FROM remembered_patients",
        "wrong patient: chance picks one",
    ),
}
"""Both databases have these."""

POSTGRES_GUARDS: dict[str, DatabaseGuard] = {
    "the history is emptied at a stroke": DatabaseGuard(
        "order_history_is_not_emptied",
        _moved_once,
        "TRUNCATE order_history",
        "SELECT to_state FROM order_history ORDER BY id",
        "lost: everything that was done",
    ),
    "the attempts are emptied at a stroke": DatabaseGuard(
        "attempts_are_not_emptied",
        _unknown,
        "TRUNCATE attempts",
        "SELECT attempt_id FROM attempts",
        "doubled: nobody knows that anything was sent",
    ),
}
"""PostgreSQL alone knows TRUNCATE."""


def take_out(ledger: Ledger, name: str) -> None:
    """Drop a trigger, a unique index or a unique constraint from a ledger that is still empty."""
    if ledger.engine.dialect.name == "postgresql":
        with ledger.engine.begin() as connection:
            connection.execute(text(connection.execute(_POSTGRES_DROP, {"name": name}).scalar_one()))
        return
    raw = ledger.engine.raw_connection()
    cursor = raw.cursor()
    found = cursor.execute("SELECT type FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    if found is not None:
        cursor.execute(f"DROP {found[0]} {name}")
    else:
        # SQLite cannot drop a constraint: the table is made anew without it, with its indexes and triggers.
        said = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE ?"
        table, sql = cursor.execute(said, (f"%CONSTRAINT {name} %",)).fetchone()
        parts = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        rest = [row[0] for row in cursor.execute(parts, (table,)).fetchall()]
        cursor.execute("PRAGMA foreign_keys=OFF")
        for statement in (f"DROP TABLE {table}", re.sub(rf",\s*CONSTRAINT {name} UNIQUE \([^)]*\)", "", sql), *rest):
            cursor.execute(statement)
        cursor.execute("PRAGMA foreign_keys=ON")
    raw.close()


_POSTGRES_DROP = text(
    """
    SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgname = :name
    UNION ALL
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint WHERE conname = :name
    UNION ALL
    SELECT format('DROP INDEX %I', relname) FROM pg_class
    WHERE relkind = 'i' AND relname = :name AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = :name)
    """
)


def ignore_foreign_keys(ledger: Ledger) -> None:
    """Take every foreign key that points to an order out of its table, or out of force."""
    if ledger.engine.dialect.name == "postgresql":
        question = (
            "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = 'orders'::regclass"
        )
        for (statement,) in _ask(ledger, question):
            with ledger.transaction() as tx:
                tx.session.execute(text(str(statement)))
        return
    event.listen(ledger.engine, "checkout", lambda connection, *_rest: connection.execute("PRAGMA foreign_keys=OFF"))


def guards_in(ledger: Ledger) -> set[str]:
    """Return the names of all triggers and unique keys that the ledger's migrations made, primary keys aside."""
    if ledger.engine.dialect.name == "postgresql":
        question = """
            SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
            UNION
            SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
            WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace
        """
        return {str(row[0]) for row in _ask(ledger, question)}
    rows = _ask(ledger, "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    named = {str(name) for kind, name, sql in rows if kind == "trigger" or str(sql).startswith("CREATE UNIQUE INDEX")}
    return named.union(*(re.findall(r"CONSTRAINT (\w+) UNIQUE", str(sql)) for kind, _, sql in rows if kind == "table"))
