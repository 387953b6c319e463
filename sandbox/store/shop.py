"""One practice's store: its tables, who may read them, and when a row becomes visible. No HTTP here."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.store.answers import render_document, render_order, write_json
from sandbox.store.complaints import no_entity
from sandbox.store.faults import FaultPlan
from sandbox.store.records import Books, OrderRecord, Row, by_id, store_time
from sandbox.store.switches import StoreSwitches

Clock = Callable[[], datetime]
"""Tells the time, UTC."""

FIRST_IDS = {"order": 4001, "item": 10001, "address": 8001, "payment": 4001, "history": 20001, "invoice": 3001}


class Ids:
    """The auto-increment counters of the tables."""

    def __init__(self) -> None:
        """Start every counter where the demo's numbers begin."""
        self._next: dict[str, int] = dict(FIRST_IDS)

    def next(self, table: str) -> int:
        """Return the next primary key of a table."""
        value = self._next.get(table, 1)
        self._next[table] = value + 1
        return value

    def seen(self, table: str, value: int) -> None:
        """Never hand out a key again that a loaded row already has."""
        self._next[table] = max(self._next.get(table, 1), value + 1)


@dataclass(frozen=True, slots=True)
class ShopKeys:
    """The one integration that may call the store."""

    token: str
    token_secret: str
    consumer_key: str
    consumer_secret: str
    admin_user: str = "admin"
    admin_password: str = "sandbox-admin"  # noqa: S105 - invented


class Shop:
    """Hold one store's rows, switches, faults and counts."""

    def __init__(
        self,
        practice_id: str,
        *,
        clock: Clock,
        rng: random.Random,
        keys: ShopKeys,
        number_prefix: str = "0",
        store_codes: tuple[str, ...] = ("default", "all", "main"),
        switches: StoreSwitches | None = None,
    ) -> None:
        """Open an empty store; `clock` tells UTC, `rng` shuffles and draws."""
        self.practice_id = practice_id
        self.clock = clock
        self.rng = rng
        self.keys = keys
        self.number_prefix = number_prefix
        self.store_codes = frozenset(store_codes)
        self.faults = FaultPlan(rng)
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """How many requests came per method, route template and status."""
        self.admin_tokens: dict[str, datetime] = {}
        """Admin token to when it expires."""
        self.nonces: set[str] = set()
        self.place: Callable[[str], OrderRecord] | None = None
        """Place an order of a named situation; the demo hands it in."""
        self._switches = switches or StoreSwitches()
        self.load(Books())

    def load(self, books: Books) -> None:
        """Replace everything that the store holds by a copy of these books."""
        books = books.copy()
        self.ids = Ids()
        self.orders: dict[int, OrderRecord] = {record.entity_id: record for record in books.orders}
        self.invoices: dict[int, Row] = by_id(books.invoices)
        self.memos: dict[int, Row] = by_id(books.memos)
        self.transactions: dict[int, Row] = by_id(books.transactions, "transaction_id")
        self.sync_rows: dict[int, Row] = {}
        """`nextech_order_sync`, by order id."""
        self._earlier: dict[int, tuple[datetime, OrderRecord | None]] = {}
        self._hidden_memos: dict[int, datetime] = {}
        self._texts: dict[int, tuple[int, str]] = {}
        for record in self.orders.values():
            self._note_ids(record)
        for table, rows in (("invoice", self.invoices), ("memo", self.memos), ("transaction", self.transactions)):
            for entity_id, row in rows.items():
                self.ids.seen(table, entity_id)
                for item in row.get("items", []):
                    self.ids.seen(f"{table}_item", item["entity_id"])

    def extend(self, books: Books) -> None:
        """Add a copy of these books to what the store holds; their keys must be free."""
        merged = self.books()
        merged.orders += books.orders
        merged.invoices += books.invoices
        merged.memos += books.memos
        merged.transactions += books.transactions
        kept = self.sync_rows
        self.load(merged)
        self.sync_rows = kept

    def books(self) -> Books:
        """Return a copy of everything that the store holds."""
        return Books(
            orders=list(self.orders.values()),
            invoices=list(self.invoices.values()),
            memos=list(self.memos.values()),
            transactions=list(self.transactions.values()),
        ).copy()

    def add(self, record: OrderRecord) -> None:
        """Take a new order in; readers see it when its transaction is committed."""
        self.orders[record.entity_id] = record
        self._note_ids(record)
        self._delay(record.entity_id, None, self._switches.commit_lag_seconds)

    def _note_ids(self, record: OrderRecord) -> None:
        self.ids.seen("order", record.entity_id)
        for item in record.items:
            self.ids.seen("item", item["item_id"])
        for address in (record.billing, record.shipping):
            if address is not None:
                self.ids.seen("address", address["entity_id"])
        for history in record.histories:
            self.ids.seen("history", history["entity_id"])

    @property
    def switches(self) -> StoreSwitches:
        """Return how this store behaves."""
        return self._switches

    @switches.setter
    def switches(self, switches: StoreSwitches) -> None:
        self._switches = switches
        self._texts.clear()

    def now_text(self) -> str:
        """Return the present instant as the store writes it."""
        return store_time(self.clock())

    # -- changing rows

    def order(self, order_id: int) -> OrderRecord:
        """Return an order for a change; answers 404 for an unknown id."""
        record = self.orders.get(order_id)
        if record is None:
            raise no_entity()
        return record

    def begin(self, record: OrderRecord, gap_seconds: float = 0) -> None:
        """Start a transaction on an order: readers see its old rows until it is committed."""
        lag = self._switches.commit_lag_seconds + gap_seconds
        if lag > 0:
            _, before = self._earlier.get(record.entity_id, (None, record.copy()))
            self._delay(record.entity_id, before, lag)

    def _delay(self, order_id: int, before: OrderRecord | None, seconds: float) -> None:
        if seconds > 0:
            self._earlier[order_id] = (self.clock() + timedelta(seconds=seconds), before)

    def change(self, record: OrderRecord, **columns: object) -> None:
        """Update columns of the order's own row: `updated_at` moves only when one of them really changes."""
        record.version += 1
        if any(record.row.get(name) != value for name, value in columns.items()):
            record.row |= columns
            record.row["updated_at"] = self.now_text()

    def hide_memo(self, memo_id: int, seconds: float) -> None:
        """Keep a credit memo from readers for a while."""
        if seconds > 0:
            self._hidden_memos[memo_id] = self.clock() + timedelta(seconds=seconds)

    def add_history(self, record: OrderRecord, comment: str, entity_name: str = "order", **columns: object) -> Row:
        """Write a status history row; that alone moves no order row."""
        row: Row = {
            "comment": comment,
            "created_at": self.now_text(),
            "entity_id": self.ids.next("history"),
            "entity_name": entity_name,
            "is_customer_notified": 0,
            "is_visible_on_front": 0,
            "parent_id": record.entity_id,
            "status": record.row.get("status"),
        } | columns
        record.histories.insert(0, row)
        record.version += 1
        return row

    # -- reading rows

    def visible(self, record: OrderRecord) -> OrderRecord | None:
        """Return the order as a reader sees it now; None while it is not committed yet."""
        earlier = self._earlier.get(record.entity_id)
        if earlier is None:
            return record
        until, before = earlier
        if self.clock() < until:
            return before
        del self._earlier[record.entity_id]
        return record

    def visible_orders(self) -> Iterable[OrderRecord]:
        """Return every order that a reader sees now."""
        if not self._earlier:
            return self.orders.values()
        return [seen for record in list(self.orders.values()) if (seen := self.visible(record)) is not None]

    def visible_memos(self) -> Iterable[Row]:
        """Return every credit memo that a reader sees now."""
        now = self.clock()
        return [row for row in self.memos.values() if now >= self._hidden_memos.get(row["entity_id"], now)]

    def order_text(self, record: OrderRecord) -> str:
        """Return an order as a list shows it, as JSON; rendered once per version, for speed."""
        cached = self._texts.get(record.entity_id)
        if cached is not None and cached[0] == record.version and not self._earlier:
            return cached[1]
        text = write_json(self.order_answer(record, is_list=True), float_17=self._switches.float_17)
        if not self._earlier:
            self._texts[record.entity_id] = (record.version, text)
        return text

    def order_answer(self, record: OrderRecord, *, is_list: bool) -> Row:
        """Return an order as the store answers it."""
        status = self.sync_rows.get(record.entity_id, {}).get("status")
        return render_order(record, self._switches, status, is_list=is_list)

    def memo_answer(self, memo_id: int) -> Row:
        """Return one credit memo; answers 404 for an unknown id."""
        for row in self.visible_memos():
            if row["entity_id"] == memo_id:
                return render_document("memo", row)
        raise no_entity()
