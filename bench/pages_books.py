"""A ledger as it is after years: as many orders as wanted with all that hangs on them, the same for the same seed.

Rows are written past the code, in bulk: COPY on PostgreSQL, executemany on SQLite.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, text

from order_sync.follow_ups import FollowUp
from order_sync.reasons import Reason, next_step, sentence
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import day_of
from order_sync.reconciliation.statement import ClassTotal, DayTotal, Line, Statement
from order_sync.reconciliation.statement_record import record_line, record_statement
from order_sync.statuses import OrderState, public_status

PRACTICES = {"eastern": 0.5, "central": 0.3, "arizona": 0.2}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEARS = timedelta(days=730)
FIRST_DAY = (NOW - YEARS).date()
AT_ONCE = 20_000

KINDS: dict[tuple[OrderState, Reason | None], float] = {
    (OrderState.CONFIRMED, None): 0.9400,
    (OrderState.NOTHING_TO_POST, Reason.CANCELLED): 0.0120,
    (OrderState.NOTHING_TO_POST, Reason.AMOUNT_ZERO): 0.0060,
    (OrderState.NOTHING_TO_POST, Reason.REFUNDED_BEFORE_POSTING): 0.0020,
    (OrderState.DISABLED, Reason.INTEGRATION_INACTIVE): 0.0230,
    (OrderState.WAITING, Reason.ON_HOLD): 0.0020,
    (OrderState.WAITING, Reason.NOT_PAID): 0.0020,
    (OrderState.RECEIVED, None): 0.0005,
    (OrderState.MATCHED, None): 0.0005,
    (OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER): 0.0040,
    (OrderState.QUEUED, Reason.NAME_DIFFERS): 0.0030,
    (OrderState.QUEUED, Reason.CANNOT_CREATE_ACCOUNT): 0.0020,
    (OrderState.QUEUED, Reason.OUTCOME_UNKNOWN): 0.00095,
    (OrderState.QUEUED, Reason.SUFFIX_DIFFERS): 0.00001,
    (OrderState.QUEUED, Reason.DUPLICATE_POSTING): 0.00004,
    (OrderState.CLOSED, Reason.NAME_DIFFERS): 0.0015,
    (OrderState.CLOSED_VOIDED, Reason.PAYMENT_VOIDED): 0.0005,
}
"""What befalls which share: 96 % of the orders are Synced. Two reasons are so rare that a scan would show."""

EVIDENCE = '{"rules": 3, "email": "equal", "phone": "equal", "first": "equal", "last": "equal"}'

LINE = json.dumps(
    record_line(Line("order:0", DifferenceClass.MATCHED, 5_000, 5_000, 0, 5_000, number="000000000", payment_ids=("7",)))
)

Rows = dict[str, list[tuple[Any, ...]]]

_COLUMNS = {
    "orders": """
        id practice_id entity_id number store_id placed_at business_day store_updated_at store_state content_hash
        amount_cents refunded_cents customer_key follow_up state public_status reason detail version changed_at
        first_seen_at patient_id match_level match_evidence matched_by failed_at handed_out_at
    """,
    "payments": """
        order_id practice_id posting_key marker patient_id amount_cents business_day request_sha256 payment_id
        absent_reads posted_at verified_at
    """,
    "attempts": """
        attempt_id order_id kind fence request_sha256 intended_at deadline outcome http_status request_id reason
        finished_at
    """,
    "order_history": "order_id at from_state to_state reason actor",
    "status_outbox": "practice_id order_id run_key status message created_at sent_at is_superseded tries",
    "manual_resolution_queue": """
        practice_id order_id order_number amount_cents cause reason sentence next_step state assignee opened_at
        last_seen_at times_seen closed_at closed_by resolution wait_until
    """,
    "refunds": "practice_id order_id memo_id memo_number made_at amount_cents is_offline",
    "reconciliation_reports": """
        id practice_id report_id period_kind first_day last_day version cut_off store_in_cents store_back_cents
        posted_cents recorded_back_cents variance_cents facts_sha256 statement created_at checked_at
    """,
    "reconciliation_lines": "report_id position class subject number explains_cents line",
    "audit_trail": "at actor practice_id order_id action",
}
COLUMNS = {table: tuple(columns.split()) for table, columns in _COLUMNS.items()}


@dataclass(slots=True)
class Books:
    """Draws one order after the other."""

    count: int
    draw: random.Random

    def pieces(self) -> Iterator[Rows]:
        """Yield the rows of some orders at a time, by table."""
        places = iter(range(1, self.count + 1))
        kinds = self.draw.choices(list(KINDS), weights=list(KINDS.values()), k=self.count)
        practices = self.draw.choices(list(PRACTICES), weights=list(PRACTICES.values()), k=self.count)
        while some := list(islice(places, AT_ONCE)):
            rows: Rows = {table: [] for table in COLUMNS}
            for place in some:
                self._order(rows, place, practices[place - 1], *kinds[place - 1])
            yield rows

    def _order(self, rows: Rows, place: int, practice_id: str, state: OrderState, reason: Reason | None) -> None:
        draw = self.draw
        placed_at = NOW - YEARS + YEARS * (place / (self.count + 1))
        changed_at = placed_at + timedelta(minutes=draw.randint(1, 30), microseconds=draw.randrange(10**6))
        if draw.random() < 0.05:
            changed_at += timedelta(days=draw.random() * 3)
        day, number = (placed_at - timedelta(hours=6)).date(), f"{place:09}"
        cents = None if reason is Reason.OUTCOME_UNKNOWN and draw.random() < 0.1 else round(100 * draw.lognormvariate(4.8, 0.9))
        patient = f"5f0c7d1e-0000-4000-8000-{draw.randrange(self.count // 3 + 1):012}"
        is_matched = state in {OrderState.CONFIRMED, OrderState.MATCHED, OrderState.CLOSED_VOIDED}
        is_refunded = state is OrderState.CONFIRMED and draw.random() < 0.02
        matched_by = (
            draw.choices(("rule", "created", "remembered", "dana"), (0.90, 0.08, 0.01, 0.01))[0] if is_matched else None
        )
        why, status = reason and reason.value, public_status(state).value
        rows["orders"].append(
            (
                *(place, practice_id, place, number, 0, placed_at, day, changed_at),
                *("processing", "c" * 64, cents, 500 if is_refunded else 0, f"{place % (self.count // 3 + 1):064}"),
                *(draw.choice(list(FollowUp)[:2]).value, state.value, status, why, None, 3, changed_at, placed_at),
                *(patient if is_matched else None, 1 if is_matched else None),
                *(
                    '{"rules": 3, "email": "equal", "phone": "equal", "first": "equal", "last": "equal"}',
                    matched_by,
                    None,
                    None,
                ),
            )
        )
        steps = [(None, "received"), ("received", "matched"), ("matched", "intent"), ("intent", state.value)]
        for old, new in steps if is_matched else [steps[0], ("received", state.value)]:
            rows["order_history"].append((place, changed_at, old, new, why, "sync"))
        rows["status_outbox"].append((practice_id, place, f"{place:036}", status, "", changed_at, changed_at, False, 0))
        if is_matched:
            rows["payments"].append(
                (
                    *(place, practice_id, f"{practice_id}|{place}|payment", f"DP-{place:012}-H", patient, cents or 0, day),
                    *("a" * 64, f"{place:08}", 0, changed_at, changed_at),
                )
            )
            rows["attempts"].append(
                (
                    *(f"{place:036}", place, "payment", 3, "a" * 64, changed_at, changed_at, "executed", 201),
                    *(f"req-{place}", "2xx with id", changed_at),
                )
            )
        self._cases(rows, place, practice_id, number, cents, changed_at, state, reason, is_refunded=is_refunded)
        report = _report_of(practice_id, max(day, FIRST_DAY))
        line = LINE.replace("order:0", f"order:{place}").replace("000000000", number)
        rows["reconciliation_lines"].append((report, place, "matched", f"order:{place}", number, 0, line))
        if draw.random() < 0.1:
            rows["audit_trail"].append((changed_at, "dana", practice_id, place, "patient_viewed"))

    def _cases(  # noqa: PLR0917 - one call, one line above it
        self,
        rows: Rows,
        place: int,
        practice_id: str,
        number: str,
        cents: int | None,
        at: datetime,
        state: OrderState,
        reason: Reason | None,
        *,
        is_refunded: bool,
    ) -> None:
        draw = self.draw
        if is_refunded:
            rows["refunds"].append((practice_id, place, place, f"{place:09}", at, 500, False))
        if state is OrderState.QUEUED and reason is not None:
            cause, why, closed = f"order:{place}", reason, None
        elif is_refunded:
            cause, why, closed = f"refund:{place}:{place}", Reason.REFUND_TO_RECORD, at if draw.random() < 0.9 else None
        elif state is OrderState.CLOSED or draw.random() < 0.03:
            cause, why, closed = f"order:{place}", Reason.NAME_DIFFERS, at
        else:
            return
        assignee = draw.choice([None, None, "dana", "sam"])
        is_put_off = closed is None and draw.random() < 0.1
        open_state = "waiting" if is_put_off else "assigned" if assignee else "open"
        rows["manual_resolution_queue"].append(
            (
                *(practice_id, place, number, cents, cause, why.value, sentence(why), next_step(why)),
                *("resolved" if closed else open_state, assignee, at, at, 1, closed, "dana" if closed else None),
                *("done" if closed else None, NOW + timedelta(days=3) if is_put_off else None),
            )
        )


def fill(engine: Engine, count: int, seed: int = 1, *, say: Callable[[str], None] = print) -> None:
    """Fill a migrated, empty ledger with so many orders, and let the database look at what it has."""
    is_postgres = engine.dialect.name == "postgresql"
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SET session_replication_role = replica" if is_postgres else "PRAGMA foreign_keys=OFF")
        if not is_postgres:
            cursor.execute("BEGIN")
        indexes = _take_indexes(cursor, is_postgres=is_postgres)
        write = _copy if is_postgres else _insert
        books = Books(count, random.Random(seed))  # noqa: S311 - a drawing, no secret
        write(cursor, "reconciliation_reports", list(_reports()))
        for piece, rows in enumerate(books.pieces()):
            for table, some in rows.items():
                write(cursor, table, some)
            if piece % 10 == 9:
                say(f"  {(piece + 1) * AT_ONCE:,} orders")
        for index in indexes:
            cursor.execute(index)
        if is_postgres:
            cursor.execute("SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT MAX(id) FROM orders))")
        raw.commit()
        cursor.execute("SET session_replication_role = DEFAULT" if is_postgres else "PRAGMA foreign_keys=ON")
    finally:
        raw.close()
    if is_postgres:  # SQLite is used as it comes: nobody analyses it
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _take_indexes(cursor: Any, *, is_postgres: bool) -> list[str]:
    """Drop the indexes of the tables that are filled, and return how to make them again: in bulk it takes a third."""
    tables = ", ".join(f"'{table}'" for table in COLUMNS)
    if is_postgres:
        asked = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({tables}) AND indexname LIKE 'ix%'"  # noqa: S608
    else:
        asked = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({tables}) AND name LIKE 'ix%'"  # noqa: S608
    cursor.execute(asked)
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def _reports() -> Iterator[tuple[Any, ...]]:
    """Return a report of each day and practice."""
    for practice_id in PRACTICES:
        for days in range(YEARS.days + 1):
            day = (NOW - YEARS + timedelta(days=days)).date()
            name = f"{practice_id}-{day}-v1"
            at = datetime.combine(day + timedelta(days=1), time(), UTC)
            statement = json.dumps(record_statement(_statement(practice_id, day, at)))
            key, sums = _report_of(practice_id, day), (0, 0, 0, 0, 0)
            yield (key, practice_id, name, "day", day, day, 1, at, *sums, "0" * 64, statement, at, at)


def _statement(practice_id: str, day: date, at: datetime) -> Statement:
    return Statement(
        practice_id=practice_id,
        practice_name=practice_id,
        currency="USD",
        time_zone="America/New_York",
        period=day_of(day),
        version=1,
        cut_off=at,
        store_in_cents=5_000,
        store_back_cents=0,
        posted_cents=5_000,
        recorded_back_cents=0,
        classes=(ClassTotal(DifferenceClass.MATCHED, 1, 5_000, 5_000, 0),),
        lines=(),
        days=(DayTotal(day, 5_000, 5_000),),
    )


def _report_of(practice_id: str, day: date) -> int:
    return 1 + (day - FIRST_DAY).days + 10_000 * list(PRACTICES).index(practice_id)


def _insert(cursor: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = COLUMNS[table]
    marks = ", ".join("?" * len(columns))
    cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", map(_for_sqlite, rows))  # noqa: S608


def _for_sqlite(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        value.strftime("%Y-%m-%d %H:%M:%S.%f")
        if isinstance(value, datetime)
        else str(value)
        if hasattr(value, "year")
        else value
        for value in row
    )


def _copy(cursor: Any, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    lines = "\n".join("\t".join("\\N" if value is None else str(value) for value in row) for row in rows)
    if lines:
        cursor.copy_expert(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN", io.StringIO(lines))
