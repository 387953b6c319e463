"""Open the ledger: engine, transactions, and the time that the database itself tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

from sqlalchemy import Connection, Engine, Executable, FromClause, bindparam, create_engine, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker

from order_sync.clock import Clock
from order_sync.ledger.columns import LedgerTable, table_of

_ONLY_READS = "ledger_only_reads"
_SQLITE_NOW = text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
_POSTGRES_NOW = text("SELECT clock_timestamp()")
_TAKE_TURN = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)))


@dataclass(frozen=True, slots=True)
class Transaction:
    """One open transaction; `now` is the database's own time at its beginning, in UTC.

    Leases, deadlines and settling use this time, because several machines never agree on theirs (reliability 2.3).
    """

    session: Session
    now: datetime


def take_turn(tx: Transaction, name: str) -> None:
    """Wait until no other transaction has its turn at `name`; this one's lasts until it ends.

    For a look that must see what others are just writing. SQLite has one writer anyway.
    """
    if tx.session.get_bind().dialect.name == "postgresql":
        tx.session.execute(_TAKE_TURN, {"name": name})


def insert_if_absent(tx: Transaction, row: type[LedgerTable], values: dict[str, object]) -> bool:
    """Insert a row unless a unique one like it is there, also when another process inserts it at this moment.

    Return whether it was inserted.
    """
    inserted = tx.session.execute(_insert_or_nothing(row, tx.session.get_bind().dialect.name), values)
    return bool(inserted.rowcount)  # type: ignore[attr-defined]


@cache
def _insert_or_nothing(row: type[LedgerTable], dialect_name: str) -> Executable:
    insert = postgresql.insert if dialect_name == "postgresql" else sqlite.insert
    return insert(table_of(row)).on_conflict_do_nothing()


def open_engine(url: str, *, stand_still_seconds: float = 60.0) -> Engine:
    """Return an engine for a SQLAlchemy URL, PostgreSQL or SQLite, set up so that a commit that returned is on disk.

    SQLite runs with write-ahead logging, `synchronous=FULL` and `BEGIN IMMEDIATE`, because a transaction that begins by
    reading and then writes can fail at once without waiting for its turn (reliability 4.5).

    PostgreSQL ends a transaction that stands still for `stand_still_seconds`: a process that is frozen in the middle of
    one, or cut off, would keep its locks, and so everybody else, for as long as it lasts. Nobody waits longer for a lock.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": 60, "check_same_thread": False})
        engine.dialect.statement_compiler = _SqliteCompiler
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=30)
    event.listen(engine, "connect", partial(_prepare_postgres, round(stand_still_seconds * 1_000)))
    return engine


def _prepare_postgres(milliseconds: int, connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for setting in ("idle_in_transaction_session_timeout", "lock_timeout"):
        cursor.execute(f"SET {setting} = {milliseconds}")
    cursor.close()
    connection.commit()


class _SqliteCompiler(SQLiteCompiler):
    """Let a query name the index to take (`with_hint`): SQLAlchemy has no words for SQLite's INDEXED BY."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002
        return text


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own recipe: the driver must not open transactions by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    only_reads = bool(connection.get_execution_options().get(_ONLY_READS))
    if connection.info.get(_ONLY_READS, False) != only_reads:
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if only_reads else 'OFF'}")
        connection.info[_ONLY_READS] = only_reads
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


class Ledger:
    """The ledger's database: hands out transactions.

    Rows that its functions return are detached snapshots: to change one, call the function that does it, which compares
    the version first.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        """Take an engine; `clock` replaces the database's time in tests and simulations."""
        self.engine = engine
        self._clock = clock
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction; commit when the block ends, roll back when it raises."""
        with self._sessions() as session, session.begin():
            yield Transaction(session, self._now(session))

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that only reads: it waits for no writer and keeps none waiting; the database refuses writes."""
        with self._sessions() as session, session.begin():
            session.connection(execution_options={_ONLY_READS: True, "postgresql_readonly": True})
            yield Transaction(session, self._now(session))

    def close(self) -> None:
        """Give the database's connections back."""
        self.engine.dispose()

    def _now(self, session: Session) -> datetime:
        if self._clock is not None:
            session.connection()  # begin now, as the database's own clock would
            return self._clock.now()
        if self.engine.dialect.name == "sqlite":
            told = session.execute(_SQLITE_NOW).scalar_one()
            return datetime.fromisoformat(told).replace(tzinfo=UTC)
        instant: datetime = session.execute(_POSTGRES_NOW).scalar_one()
        return instant.astimezone(UTC)
