"""Read what changed in the store without losing a row: closed time slices, a keyset on `entity_id`, always page 1.

Offset paging over a moving set skips rows (store contract section 2). Here an order that changes while we read leaves
its slice and turns up in a later one. A page that the store cannot deliver is halved down to the one order that breaks
it; that order becomes a problem of its own and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from order_sync.clients.http import Answer, AnswerTooLateError
from order_sync.clients.store_requests import LIST_ROUTE, Column, Condition, Filter
from order_sync.clients.store_wire import Row, entity_id, is_row, store_time, updated_at
from order_sync.errors import IncompleteReadError, SourceUnavailableError
from order_sync.orders import Order, OrderProblem

MOST_ORDERS_PER_SLICE = 2_000
_SHORTEST_SLICE = timedelta(seconds=60)
_FARTHEST_STEP = 2**40
_MOST_FALSE_ALARMS = 3


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """Some orders of a slice; when `is_slice_end`, everything before `slice_until` has been delivered."""

    orders: tuple[Order, ...]
    problems: tuple[OrderProblem, ...]
    slice_until: datetime
    is_slice_end: bool


@dataclass(frozen=True, slots=True)
class RawPage:
    """The rows of one answer, and how many the store counted (a hint: it counts separately)."""

    rows: tuple[Row, ...]
    total_count: int


def read_page(answer: Answer) -> RawPage:
    """Take the rows out of an answer; 200 without `items` and `total_count` is an error (store contract section 6)."""
    document: Any = answer.document
    items = document.get("items") if isinstance(document, dict) else None
    total = document.get("total_count") if isinstance(document, dict) else None
    if not isinstance(items, list) or not isinstance(total, int):
        raise _unreadable("200 without items and total_count", answer)
    if not all(is_row(row) for row in items):
        raise _unreadable("200 with a row that has no entity_id", answer)
    return RawPage(tuple(items), total)


class SliceReader:
    """Walk through the changes of one span of time."""

    def __init__(
        self,
        search: Callable[[Sequence[Filter], int], RawPage],
        understand: Callable[[Row], Order | OrderProblem],
        is_answering: Callable[[], bool],
        *,
        page_size: int,
    ) -> None:
        """Read with `search(filters, page_size)`; `is_answering` tells a broken order from a store that is down."""
        self._search = search
        self._understand = understand
        self._is_answering = is_answering
        self._page_size = page_size

    def pages(self, since: datetime, until: datetime) -> Iterator[OrdersPage]:
        """Yield the pages of `[since, until)`, slice by slice, in order of time; whole seconds only."""
        slices = [(since.replace(microsecond=0), until.replace(microsecond=0))]
        while slices:
            begin, end = slices.pop()
            if begin >= end:
                yield OrdersPage((), (), end, is_slice_end=True)
                continue
            walk = _SliceWalk(begin, end, self._page_size)
            halved = yield from self._walk(walk)
            if halved is not None:
                slices += [(halved, end), (begin, halved)]

    def _walk(self, walk: _SliceWalk) -> Generator[OrdersPage, None, datetime | None]:
        """Deliver one slice; return where to cut it when it turns out to be too large."""
        while True:
            try:
                page = self._search(walk.filters(), walk.size)
            except SourceUnavailableError as error:
                if not self._is_answering():
                    raise
                middle = walk.middle()
                if walk.is_untouched and middle is not None and isinstance(error, AnswerTooLateError):
                    return middle
                yield from self._after_failure(walk, error)
                continue
            middle = walk.middle()
            if walk.is_untouched and page.total_count > MOST_ORDERS_PER_SLICE and middle is not None:
                return middle
            walk.check(page)
            read = [self._understand(row) for row in page.rows]
            is_end = not page.rows or len(page.rows) >= page.total_count
            yield OrdersPage(
                tuple(entry for entry in read if isinstance(entry, Order)),
                tuple(entry for entry in read if isinstance(entry, OrderProblem)),
                walk.end,
                is_slice_end=is_end,
            )
            if is_end:
                return None
            walk.advance(page)

    def _after_failure(self, walk: _SliceWalk, error: SourceUnavailableError) -> Iterator[OrdersPage]:
        """Ask for less; when a single order still fails, find it, report it and step over it."""
        if walk.size > 1:
            walk.size //= 2
            return
        broken_id = self._find_broken(walk)
        if broken_id is None:
            walk.false_alarms += 1
            if walk.false_alarms > _MOST_FALSE_ALARMS:
                raise error
            return
        problem = OrderProblem(broken_id, "The store fails whenever this order is asked for.")
        walk.step_over(broken_id, self._page_size)
        yield OrdersPage((), (problem,), walk.end, is_slice_end=False)

    def _find_broken(self, walk: _SliceWalk) -> int | None:
        """Find the first order after `walk.last` by its id: any range that reaches it fails, any shorter one is empty."""
        step = 1
        while self._is_readable(walk, walk.last + step):
            step *= 2
            if step > _FARTHEST_STEP:
                return None
        low, high = walk.last + step // 2, walk.last + step
        while high - low > 1:
            middle = (low + high) // 2
            if self._is_readable(walk, middle):
                low = middle
            else:
                high = middle
        return None if self._is_readable(walk, high) else high

    def _is_readable(self, walk: _SliceWalk, up_to: int) -> bool:
        try:
            self._search([*walk.filters(), Filter(Column.ENTITY_ID, Condition.AT_MOST, str(up_to))], 1)
        except SourceUnavailableError:
            if not self._is_answering():
                raise
            return False
        return True


class _SliceWalk:
    """Where we stand in one slice."""

    def __init__(self, begin: datetime, end: datetime, size: int) -> None:
        self.begin = begin
        self.end = end
        self.size = size
        self.last = 0
        self.false_alarms = 0

    @property
    def is_untouched(self) -> bool:
        return self.last == 0

    def filters(self) -> list[Filter]:
        return [
            Filter(Column.UPDATED_AT, Condition.AT_LEAST, store_time(self.begin)),
            Filter(Column.UPDATED_AT, Condition.BELOW, store_time(self.end)),
            Filter(Column.ENTITY_ID, Condition.ABOVE, str(self.last)),
        ]

    def middle(self) -> datetime | None:
        if self.end - self.begin < _SHORTEST_SLICE:
            return None
        return (self.begin + (self.end - self.begin) / 2).replace(microsecond=0)

    def check(self, page: RawPage) -> None:
        """Refuse a page that is not what the keyset asked for: then the search was not understood."""
        last = self.last
        for row in page.rows:
            row_id = entity_id(row)
            if row_id <= last:
                raise _incomplete("the ids do not increase: the sort or a filter was ignored")
            last = row_id
            changed = updated_at(row)
            if changed is not None and not self.begin <= changed < self.end:
                raise _incomplete("an order from outside the time slice: a filter was ignored")

    def advance(self, page: RawPage) -> None:
        self.last = entity_id(page.rows[-1])

    def step_over(self, broken_id: int, size: int) -> None:
        self.last, self.size, self.false_alarms = broken_id, size, 0


def _incomplete(reason: str) -> IncompleteReadError:
    return IncompleteReadError(reason, system="store", route=LIST_ROUTE, status=200)


def _unreadable(reason: str, answer: Answer) -> SourceUnavailableError:
    return SourceUnavailableError(reason, system="store", route=LIST_ROUTE, status=answer.status, request_id=answer.request_id)
