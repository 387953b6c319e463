"""Read the store's orders or credit memos without losing a row: closed time slices, a keyset on `entity_id`, always page 1.

Offset paging over a moving set skips rows (store contract section 2). Here a row that changes while we read leaves its
slice and turns up in a later one; one that is read by its `created_at` never leaves it. A page that the store cannot
deliver is halved down to the one row that breaks it; that one is named, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from order_sync.clients.http import Answer, AnswerTooLateError
from order_sync.clients.store_requests import LIST_ROUTE, Column, Condition, Filter
from order_sync.clients.store_values import Row
from order_sync.clients.store_wire import entity_id, instant_of, is_row, store_time
from order_sync.errors import IncompleteReadError, SourceUnavailableError
from order_sync.orders import Order, OrderProblem

MOST_ROWS_PER_SLICE = 2_000
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
class SlicePage:
    """Some rows of a slice, as they came; `broken_ids` are rows that the store fails on whenever they are asked for."""

    rows: tuple[Row, ...]
    broken_ids: tuple[int, ...]
    slice_until: datetime
    is_slice_end: bool


@dataclass(frozen=True, slots=True)
class RawPage:
    """The rows of one answer, and how many the store counted (a hint: it counts separately)."""

    rows: tuple[Row, ...]
    total_count: int


def read_page(answer: Answer, route: str = LIST_ROUTE) -> RawPage:
    """Take the rows out of an answer; 200 without `items` and `total_count` is an error (store contract section 6)."""
    document: Any = answer.document
    items = document.get("items") if isinstance(document, dict) else None
    total = document.get("total_count") if isinstance(document, dict) else None
    if not isinstance(items, list) or not isinstance(total, int):
        raise _unreadable("200 without items and total_count", answer, route)
    if not all(is_row(row) for row in items):
        raise _unreadable("200 with a row that has no entity_id", answer, route)
    return RawPage(tuple(items), total)


class SliceReader:
    """Walk through the rows of one span of time."""

    def __init__(
        self,
        search: Callable[[Sequence[Filter], int], RawPage],
        is_answering: Callable[[], bool],
        *,
        page_size: int,
        column: Column = Column.UPDATED_AT,
        route: str = LIST_ROUTE,
        is_exhaustive: bool = False,
    ) -> None:
        """Read with `search(filters, page_size)`; `is_answering` tells a broken row from a store that is down.

        `column` is the instant that the span is about. The store counts separately, so its count may be late;
        `is_exhaustive` takes only an empty page for the end of a slice, because nobody reads that slice again.
        """
        self._search = search
        self._is_answering = is_answering
        self._page_size = page_size
        self._column = column
        self._route = route
        self._is_exhaustive = is_exhaustive

    def pages(self, since: datetime, until: datetime) -> Iterator[SlicePage]:
        """Yield the pages of `[since, until)`, slice by slice, in order of time; whole seconds only."""
        slices = [(since.replace(microsecond=0), until.replace(microsecond=0))]
        while slices:
            begin, end = slices.pop()
            if begin >= end:
                yield SlicePage((), (), end, is_slice_end=True)
                continue
            walk = _SliceWalk(begin, end, self._page_size, self._column, self._route)
            halved = yield from self._walk(walk)
            if halved is not None:
                slices += [(halved, end), (begin, halved)]

    def _walk(self, walk: _SliceWalk) -> Generator[SlicePage, None, datetime | None]:
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
            if walk.is_untouched and page.total_count > MOST_ROWS_PER_SLICE and middle is not None:
                return middle
            walk.check(page)
            is_end = not page.rows or (len(page.rows) >= page.total_count and not self._is_exhaustive)
            if is_end and self._is_exhaustive and page.total_count:
                raise _incomplete("the store counts more rows than it shows", self._route)
            yield SlicePage(page.rows, (), walk.end, is_slice_end=is_end)
            if is_end:
                return None
            walk.advance(page)

    def _after_failure(self, walk: _SliceWalk, error: SourceUnavailableError) -> Iterator[SlicePage]:
        """Ask for less; when a single row still fails, find it, report it and step over it."""
        if walk.size > 1:
            walk.size //= 2
            return
        broken_id = self._find_broken(walk)
        if broken_id is None:
            walk.false_alarms += 1
            if walk.false_alarms > _MOST_FALSE_ALARMS:
                raise error
            return
        walk.step_over(broken_id, self._page_size)
        yield SlicePage((), (broken_id,), walk.end, is_slice_end=False)

    def _find_broken(self, walk: _SliceWalk) -> int | None:
        """Find the first row after `walk.last` by its id: any range that reaches it fails, any shorter one is empty."""
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

    def __init__(self, begin: datetime, end: datetime, size: int, column: Column, route: str) -> None:
        self.begin = begin
        self.end = end
        self.size = size
        self.column = column
        self.route = route
        self.last = 0
        self.false_alarms = 0

    @property
    def is_untouched(self) -> bool:
        return self.last == 0

    def filters(self) -> list[Filter]:
        return [
            Filter(self.column, Condition.AT_LEAST, store_time(self.begin)),
            Filter(self.column, Condition.BELOW, store_time(self.end)),
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
                raise _incomplete("the ids do not increase: the sort or a filter was ignored", self.route)
            last = row_id
            shown = instant_of(row, self.column)
            if shown is not None and not self.begin <= shown < self.end:
                raise _incomplete("a row from outside the time slice: a filter was ignored", self.route)

    def advance(self, page: RawPage) -> None:
        self.last = entity_id(page.rows[-1])

    def step_over(self, broken_id: int, size: int) -> None:
        self.last, self.size, self.false_alarms = broken_id, size, 0


def _incomplete(reason: str, route: str) -> IncompleteReadError:
    return IncompleteReadError(reason, system="store", route=route, status=200)


def _unreadable(reason: str, answer: Answer, route: str) -> SourceUnavailableError:
    return SourceUnavailableError(reason, system="store", route=route, status=answer.status, request_id=answer.request_id)
