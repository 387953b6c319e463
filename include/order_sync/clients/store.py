"""The store of one practice: read its orders, write their Nextech status back.

At most two requests are in flight and they are paced: Adobe publishes no limit, and a store that is read politely is
not throttled (store contract section 6).
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

import httpx

from order_sync.clients.addresses import checked_base_url, checked_header_value
from order_sync.clients.deadline import DeadlineTransport
from order_sync.clients.exchanges import AnswerLostError, NotSentError
from order_sync.clients.http import Answer, JsonEdge
from order_sync.clients.limiter import Limiter, PacedLimiter
from order_sync.clients.store_memos import MemosPage, MemosRead, memos_of_orders, memos_page
from order_sync.clients.store_numbers import NumbersRead, find_by_numbers
from order_sync.clients.store_reading import OrdersPage, RawPage, SlicePage, SliceReader, read_page
from order_sync.clients.store_requests import (
    LIST_ROUTE,
    MEMOS_ROUTE,
    Bearer,
    Column,
    Condition,
    Filter,
    OAuth1,
    api_root,
    authorise,
    search_query,
)
from order_sync.clients.store_status import (
    BULK_ROUTE,
    MOST_STATUSES_PER_CALL,
    StatusResult,
    StatusUpdate,
    write_by_comments,
    write_by_module,
)
from order_sync.clients.store_values import Row
from order_sync.clients.store_values import UnreadableError as UnreadableRowError
from order_sync.clients.store_wire import entity_id, lacks_balances, read_order
from order_sync.clock import Clock, SystemClock
from order_sync.errors import (
    IncompleteReadError,
    LoginRefusedError,
    OrderSyncError,
    RequestRejectedError,
    SourceUnavailableError,
)
from order_sync.orders import Order, OrderProblem

REQUESTS_PER_SECOND = 2.0
REQUESTS_IN_FLIGHT = 2
ORDERS_PER_READ = 100
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_MAX_ANSWER_VALUES = 200_000
"""A full page may have 2,000 values an order; a page that has more is asked for again with fewer orders."""
_ATTEMPT_SECONDS = 60.0
_CALL_SECONDS = 100.0
"""With its pauses: a store that hangs must not keep a practice's run from ending long before the fourth one after it."""
_PROBE_SECONDS = 15.0
_WRITE_SECONDS = 45.0
_ORDER_ROUTE = "GET /V1/orders/{id}"
_BREAKS_THE_STORE = "The store fails whenever this order is asked for."


@dataclass(frozen=True, slots=True)
class StoreConnection:
    """Where a practice's store is, how we log in, and how it takes statuses."""

    base_url: str
    """The shop's root; `/rest/V1` is added unless the path already names `rest` or `V1`."""
    auth: Bearer | OAuth1
    status_writer: Literal["module", "comment"] = "module"
    """How the store takes the Nextech status (store contract section 4)."""


class StoreClient:
    """Speak to one practice's store; thread-safe."""

    def __init__(
        self,
        settings: StoreConnection,
        *,
        transport: httpx.BaseTransport | None = None,
        limiter: Limiter | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Check the settings; nothing is sent yet."""
        self._settings = settings
        self._clock = clock or SystemClock()
        self._root = api_root(checked_base_url(settings.base_url, system="store"))
        if isinstance(settings.auth, Bearer):
            checked_header_value(settings.auth.token, field="store: the access token")
        self._edge = JsonEdge(
            "store",
            transport or DeadlineTransport(self._clock),
            self._clock,
            rng or random.SystemRandom(),
            max_answer_bytes=_MAX_ANSWER_BYTES,
            max_answer_values=_MAX_ANSWER_VALUES,
        )
        self._limiter = limiter or PacedLimiter(REQUESTS_PER_SECOND, self._clock)
        self._in_flight = threading.BoundedSemaphore(REQUESTS_IN_FLIGHT)
        self._clock_skew_seconds: float | None = None

    @property
    def clock_skew_seconds(self) -> float | None:
        """Return by how many seconds the store's clock was ahead of ours in its last answer; None before that."""
        return self._clock_skew_seconds

    def read_changes(self, since: datetime, until: datetime, page_size: int = ORDERS_PER_READ) -> Iterator[OrdersPage]:
        """Yield every order whose `updated_at` lies in `[since, until)`, whole seconds, slice by slice.

        Move the watermark to a page's `slice_until` once a page with `is_slice_end` is safely stored. Raises the
        errors of every read; an order that cannot be read is a problem on its page, not an error.
        """
        reader = SliceReader(self._search, self._is_answering, page_size=page_size)
        yield from map(self._orders_page, reader.pages(since, until))

    def read_placed(self, since: datetime, until: datetime, page_size: int = ORDERS_PER_READ) -> Iterator[OrdersPage]:
        """Yield every order placed (`created_at`) in `[since, until)`, as it is now, proved complete.

        Raises `IncompleteReadError` when the pages are no proof, and the errors of every read.
        """
        reader = SliceReader(
            self._search, self._is_answering, page_size=page_size, column=Column.CREATED_AT, is_exhaustive=True
        )
        yield from map(self._orders_page, reader.pages(since, until))

    def read_memos(
        self, since: datetime, until: datetime, *, is_by_change: bool = False, page_size: int = ORDERS_PER_READ
    ) -> Iterator[MemosPage]:
        """Yield every credit memo made, or changed when `is_by_change`, in `[since, until)`, proved complete."""
        column = Column.UPDATED_AT if is_by_change else Column.CREATED_AT
        reader = SliceReader(
            self._search_memos,
            self._is_answering_for_memos,
            page_size=page_size,
            column=column,
            route=MEMOS_ROUTE,
            is_exhaustive=True,
        )
        yield from map(memos_page, reader.pages(since, until))

    def read_memos_of(self, entity_ids: Iterable[int]) -> MemosRead:
        """Return every credit memo of these orders, proved complete; their state does not matter."""
        return memos_of_orders(self._search_memos, self._is_answering_for_memos, entity_ids)

    def read_orders(self, entity_ids: Sequence[int]) -> dict[int, Order | OrderProblem]:
        """Return these orders as they are now, by entity id; an order that the store does not know is left out."""
        found: dict[int, Order | OrderProblem] = {}
        wanted = list(dict.fromkeys(entity_ids))
        for start in range(0, len(wanted), ORDERS_PER_READ):
            found |= self._read_batch(wanted[start : start + ORDERS_PER_READ])
        return found

    def find_order(self, number: str) -> list[Order]:
        """Return the orders with this number: none, one, or one per store view that counts for itself."""
        page = self._search([Filter(Column.NUMBER, Condition.EQUAL, number)], ORDERS_PER_READ)
        read = [self._understand(row) for row in page.rows]
        return [order for order in read if isinstance(order, Order) and order.number.lower() == number.strip().lower()]

    def find_orders(self, numbers: Iterable[str]) -> NumbersRead:
        """Return every order with one of these numbers, and the numbers that the store does not have.

        What a list does not show is asked for by itself: absence is proved by the number, not by a list.
        """
        wanted = list(dict.fromkeys(number.strip() for number in numbers if "," not in number))
        return find_by_numbers(self._search, self._understand, self._is_answering, wanted)

    def write_statuses(self, updates: Sequence[StatusUpdate]) -> list[StatusResult]:
        """Write the statuses with the store's writer; return one result per update, in order.

        Only `LoginRefusedError` is raised; whatever else goes wrong is in the results, and may be repeated.
        """
        if self._settings.status_writer == "comment":
            write: Callable[[Sequence[StatusUpdate]], list[StatusResult]] = partial(write_by_comments, self)
        else:
            write = partial(write_by_module, self._put_statuses)
        results: list[StatusResult] = []
        for start in range(0, len(updates), MOST_STATUSES_PER_CALL):
            results += write(updates[start : start + MOST_STATUSES_PER_CALL])
        return results

    def check(self) -> str:
        """Make one read that returns no order; return a sentence, or raise as every read does."""
        self._search([Filter(Column.ENTITY_ID, Condition.EQUAL, "0")], 1, tries=1)
        return "The store accepts the login and answers."

    def close(self) -> None:
        """Close the kept connections."""
        self._edge.close()

    def read(self, route: str, path: str, *, body: bytes | None = None, tries: int = 3) -> Answer:
        """Send a GET, or a PUT when there is a body; for the status writers and for single reads."""

        def build() -> httpx.Request:
            self._limiter.acquire(self._root, "store")
            return self._request("GET" if body is None else "PUT", path, body)

        attempt_seconds = _ATTEMPT_SECONDS if tries > 1 else _PROBE_SECONDS
        with self._in_flight:
            answer = self._edge.read(route, build, attempt_seconds=attempt_seconds, call_seconds=_CALL_SECONDS, tries=tries)
        if answer.server_time is not None:
            self._clock_skew_seconds = (answer.server_time - self._clock.now()).total_seconds()
        return answer

    def post_once(self, route: str, path: str, document: object) -> Answer:
        """Send a POST exactly once; raises `SourceUnavailableError` without an answer, `LoginRefusedError` for 401."""
        self._limiter.acquire(self._root, "store")
        request = self._request("POST", path, json.dumps(document).encode("ascii"))
        failure: OrderSyncError
        try:
            with self._in_flight:
                answer = self._edge.send_once(request, answer_seconds=_WRITE_SECONDS)
        except (NotSentError, AnswerLostError) as error:
            failure = SourceUnavailableError(str(error), system="store", route=route)
        else:
            if answer.status not in (401, 403):
                return answer
            failure = LoginRefusedError(
                "the login or its rights are refused", system="store", route=route, status=answer.status
            )
        raise failure

    def _put_statuses(self, document: object) -> Answer:
        return self.read(BULK_ROUTE, "/nextech/orders/sync-status", body=json.dumps(document).encode("ascii"))

    def _request(self, method: str, path: str, body: bytes | None) -> httpx.Request:
        headers = {"Accept": "application/json", "User-Agent": "order-sync"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = httpx.Request(method, f"{self._root}{path}", headers=headers, content=body)
        authorise(request, self._settings.auth, self._clock)
        return request

    def _orders_page(self, page: SlicePage) -> OrdersPage:
        read = [self._understand(row) for row in page.rows]
        problems = [entry for entry in read if isinstance(entry, OrderProblem)]
        problems += [OrderProblem(order_id, _BREAKS_THE_STORE) for order_id in page.broken_ids]
        orders = tuple(entry for entry in read if isinstance(entry, Order))
        return OrdersPage(orders, tuple(problems), page.slice_until, page.is_slice_end)

    def _search_memos(self, filters: Sequence[Filter], page_size: int, tries: int = 2) -> RawPage:
        path = f"/creditmemos?{search_query(filters, page_size=page_size)}"
        return read_page(self.read(MEMOS_ROUTE, path, tries=tries), MEMOS_ROUTE)

    def _search(self, filters: Sequence[Filter], page_size: int, tries: int = 2) -> RawPage:
        return read_page(self.read(LIST_ROUTE, f"/orders?{search_query(filters, page_size=page_size)}", tries=tries))

    def _is_answering(self, search: Callable[[Sequence[Filter], int, int], RawPage] | None = None) -> bool:
        """Ask for a row that cannot exist: a store that answers this is up, and what failed before was the row."""
        try:
            (search or self._search)([Filter(Column.ENTITY_ID, Condition.EQUAL, "0")], 1, 1)
        except SourceUnavailableError:
            return False
        return True

    def _is_answering_for_memos(self) -> bool:
        return self._is_answering(self._search_memos)

    def _understand(self, row: Row) -> Order | OrderProblem:
        order = read_order(row)
        if isinstance(order, OrderProblem) or not lacks_balances(order, row):
            return order
        try:
            single = self.read(_ORDER_ROUTE, f"/orders/{order.entity_id}").document
            full = read_order(single)
        except (SourceUnavailableError, RequestRejectedError, UnreadableRowError):
            return order
        return full if full.entity_id == order.entity_id else order

    def _read_batch(self, entity_ids: list[int]) -> dict[int, Order | OrderProblem]:
        if not entity_ids:
            return {}
        wanted = ",".join(str(order_id) for order_id in entity_ids)
        try:
            page = self._search([Filter(Column.ENTITY_ID, Condition.IN, wanted)], ORDERS_PER_READ)
        except SourceUnavailableError:
            if not self._is_answering():
                raise
            if len(entity_ids) == 1:
                return {entity_ids[0]: OrderProblem(entity_ids[0], _BREAKS_THE_STORE)}
            return self._read_halves(entity_ids)
        read = {entity_id(row): row for row in page.rows}
        if not read.keys() <= set(entity_ids):
            reason = "an order that was not asked for: a filter was ignored"
            raise IncompleteReadError(reason, system="store", route=LIST_ROUTE, status=200)
        if len(read) < page.total_count and len(entity_ids) > 1:
            return self._read_halves(entity_ids)
        return {order_id: self._understand(row) for order_id, row in read.items()}

    def _read_halves(self, entity_ids: list[int]) -> dict[int, Order | OrderProblem]:
        middle = len(entity_ids) // 2
        return self._read_batch(entity_ids[:middle]) | self._read_batch(entity_ids[middle:])


__all__ = [
    "Bearer",
    "OAuth1",
    "OrdersPage",
    "StatusResult",
    "StatusUpdate",
    "StoreClient",
    "StoreConnection",
]
