"""Orders by their numbers, for what a payment's note names: also the proof that the store has no such order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from order_sync.clients.store_reading import RawPage
from order_sync.clients.store_requests import LIST_ROUTE, Column, Condition, Filter
from order_sync.clients.store_values import Row
from order_sync.errors import IncompleteReadError, SourceUnavailableError
from order_sync.orders import Order, OrderProblem

NUMBERS_PER_READ = 50
_PAGE_SIZE = 100


@dataclass(slots=True)
class NumbersRead:
    """What the store says of some order numbers; each of them is in one of the three."""

    found: list[Order | OrderProblem] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    """The store was asked for each of these alone, and has none."""
    broken: list[str] = field(default_factory=list)
    """The store fails whenever it is asked for one of these."""


def find_by_numbers(
    search: Callable[[Sequence[Filter], int], RawPage],
    understand: Callable[[Row], Order | OrderProblem],
    is_answering: Callable[[], bool],
    numbers: Sequence[str],
) -> NumbersRead:
    """Ask for these numbers; raises `IncompleteReadError` for an answer that is not about them, and what a read raises."""
    read = NumbersRead()
    pending = [list(numbers[start : start + NUMBERS_PER_READ]) for start in range(0, len(numbers), NUMBERS_PER_READ)]
    while pending:
        asked = pending.pop()
        try:
            rows = _rows_of(search, asked)
        except SourceUnavailableError:
            if not is_answering():
                raise
            if len(asked) > 1:
                pending += [asked[len(asked) // 2 :], asked[: len(asked) // 2]]
            else:
                read.broken += asked
            continue
        read.found += [understand(row) for row in rows]
        shown = {_number_of(row) for row in rows}
        missing = [number for number in asked if number.casefold() not in shown]
        if len(asked) == 1:
            read.absent += missing
        else:
            pending += [[number] for number in missing]
    return read


def _rows_of(search: Callable[[Sequence[Filter], int], RawPage], asked: Sequence[str]) -> tuple[Row, ...]:
    condition = Condition.EQUAL if len(asked) == 1 else Condition.IN
    page = search([Filter(Column.NUMBER, condition, ",".join(asked))], _PAGE_SIZE)
    is_about_them = {_number_of(row) for row in page.rows} <= {number.casefold() for number in asked}
    if not is_about_them or len(page.rows) < page.total_count:
        reason = "an order that was not asked for, or not all that were: a filter was ignored"
        raise IncompleteReadError(reason, system="store", route=LIST_ROUTE, status=200)
    return page.rows


def _number_of(row: Row) -> str:
    return str(row.get("increment_id")).strip().casefold()
