"""Run migrations on the connection that `order_sync.ledger.migrate`, or a test, hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine, text

from order_sync.ledger import audit_models, models, refund_models, report_models
from order_sync.ledger.columns import LedgerTable

_ROWS = (models.OrderRow, refund_models.RefundRow, report_models.ReportRow, audit_models.AuditRow)
assert all(row.metadata is LedgerTable.metadata for row in _ROWS)  # noqa: S101 - the import is what fills the metadata

_LOCK_KEY = 7_311_526_045_112
"""Ours among PostgreSQL's advisory locks; any number that nobody else uses."""
_WAIT_FOR_TURN = "60s"
_WAIT_FOR_TABLE = "5s"
_LONGEST_STATEMENT = "300s"


def _take_turn(connection: Connection) -> None:
    """Let one process migrate at a time, and give up rather than hold up a run that is posting.

    All three settings and the lock end with the transaction. SQLite has one writer anyway.
    """
    if connection.dialect.name != "postgresql":
        return
    connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": _WAIT_FOR_TURN})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": _WAIT_FOR_TABLE})
    connection.execute(text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": _LONGEST_STATEMENT})


def _migrate(connection: Connection) -> None:
    # One transaction around all revisions: an upgrade that fails leaves the schema as it was, on SQLite too, where our
    # engine begins transactions itself. The revision is read after the turn is taken, so a second process finds nothing to do.
    context.configure(
        connection=connection,
        target_metadata=LedgerTable.metadata,
        transactional_ddl=True,
        transaction_per_migration=False,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        _take_turn(connection)
        context.run_migrations()


def _set_sqlite_foreign_keys(connection: Connection, word: str) -> None:
    # SQLite changes a table by copying and dropping it, which its foreign keys would refuse; the setting is ignored
    # inside a transaction, hence the driver's own cursor.
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={word}")
        cursor.close()


def _run() -> None:
    given: Connection | Engine = context.config.attributes["connection"]
    if isinstance(given, Connection):
        _migrate(given)
        return
    with given.connect() as connection:
        _set_sqlite_foreign_keys(connection, "OFF")
        try:
            _migrate(connection)
        finally:
            _set_sqlite_foreign_keys(connection, "ON")


_run()
