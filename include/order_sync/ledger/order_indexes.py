"""Which index answers a question about orders, and whether it is walked along or gone through whole.

PostgreSQL weighs indexes itself, and errs only where it takes what goes together for independent. SQLite is told: without
statistics, which nobody makes for it, it would take any index that begins with the practice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, FromClause, Select, func, select

from order_sync.ledger.order_filters import ORDERS, OrderFilter, Sort, SortBy
from order_sync.ledger.session import Transaction
from order_sync.statuses import PublicStatus

OF_SORT = {
    SortBy.PLACED: "ix_orders_practice_id_placed_at",
    SortBy.AMOUNT: "ix_orders_practice_id_amount_cents",
    SortBy.NUMBER: "ix_orders_practice_id_number_bytewise",
    SortBy.CHANGED: "ix_orders_practice_id_changed_at",
}
OF_DAYS = "ix_orders_practice_id_business_day"
OF_REASONS = "ix_orders_practice_id_reason"

_FEW_NUMBERS, _FEW_AMOUNTS = 20_000, 5_000
"""So many are found and sorted at once. Numbers lie side by side in the table, amounts anywhere."""
_LONG_PERIOD_DAYS = 92
"""Of a longer period, a walk along the amounts meets enough orders."""
_VERY_LONG_PERIOD_DAYS = 182
"""Of a longer one a walk along anything does, or passes over fewer orders than the period has."""

Q = TypeVar("Q", bound=Select[Any])


@dataclass(frozen=True, slots=True)
class Way:
    """How a page of the list is found."""

    index: str
    finds_all: bool
    """Find all orders that are wanted and sort them; else walk along the index, which has them in the list's order.

    A walk is quick where most orders on the way are wanted. Neither database knows where they are not: numbers, changes
    and days go together, so that the orders of an old month all lie at the far end of each.
    """


def way_of(tx: Transaction, wanted: OrderFilter, sort: Sort) -> Way:
    """Return how to find a page of the list."""
    index = _of_some(wanted)
    if index is not None:
        return Way(index, finds_all=sort.by is not SortBy.PLACED)  # it has them in the order of placing
    if wanted.has_number and sort.by is not SortBy.NUMBER and _are_few(tx, wanted, SortBy.NUMBER, _FEW_NUMBERS):
        return Way(OF_SORT[SortBy.NUMBER], finds_all=True)
    if wanted.has_amount and sort.by is not SortBy.AMOUNT and _are_few(tx, wanted, SortBy.AMOUNT, _FEW_AMOUNTS):
        return Way(OF_SORT[SortBy.AMOUNT], finds_all=True)
    is_long = wanted.days > (_LONG_PERIOD_DAYS if sort.by is SortBy.AMOUNT else _VERY_LONG_PERIOD_DAYS)
    if wanted.has_period and sort.by is not SortBy.PLACED and not is_long:
        return Way(OF_DAYS, finds_all=True)
    return Way(OF_SORT[sort.by], finds_all=False)


def index_for_counting(wanted: OrderFilter) -> str | None:
    """Return the index that has what is to be counted; None where nearly everything is."""
    index = _of_some(wanted)
    if index is not None:
        return index
    if wanted.has_number:
        return OF_SORT[SortBy.NUMBER]
    if wanted.has_period and not (wanted.has_amount and wanted.days > _LONG_PERIOD_DAYS):
        return OF_DAYS
    return OF_SORT[SortBy.AMOUNT] if wanted.has_amount else None


def along(query: Q, index: str | None) -> Q:
    """Tell SQLite which index to take."""
    return query if index is None else query.with_hint(ORDERS, f"INDEXED BY {index}", "sqlite")


def by_bytes(tx: Transaction, source: FromClause = ORDERS) -> ColumnElement[str]:
    """Return the number as it is compared by bytes: in PostgreSQL's own collation a prefix is no range."""
    number = source.c.number
    return number.collate("C") if tx.session.get_bind().dialect.name == "postgresql" else number


def _of_some(wanted: OrderFilter) -> str | None:
    """Return the partial index that a filter names, if it names one."""
    if wanted.reason is not None:
        return OF_REASONS
    if wanted.status not in {None, PublicStatus.SYNCED}:
        return "ix_orders_practice_id_public_status"
    return "ix_orders_new_accounts" if wanted.is_new_account else None


def _are_few(tx: Transaction, wanted: OrderFilter, by: SortBy, few: int) -> bool:
    only = OrderFilter(wanted.practice_ids)
    if by is SortBy.AMOUNT:
        only = OrderFilter(wanted.practice_ids, least_cents=wanted.least_cents, most_cents=wanted.most_cents)
    meant = wanted.number_conditions(by_bytes(tx)) if by is SortBy.NUMBER else [()]
    found = 0
    for number in meant:
        query = select(ORDERS.c.id).where(ORDERS.c.practice_id.in_(only.practice_ids), *only.conditions(), *number)
        some = along(query, OF_SORT[by]).limit(few + 1).subquery()
        found += tx.session.scalar(select(func.count()).select_from(some)) or 0
    return found <= few
