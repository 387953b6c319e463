"""Find rows as the store's database does (store contract section 2)."""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sandbox.store.complaints import bad_request, masked
from sandbox.store.records import Row
from sandbox.store.search_grammar import Criteria, Filter
from sandbox.store.switches import StoreSwitches

Found = TypeVar("Found")
_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "from": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "to": operator.le,
}


@dataclass(frozen=True, slots=True)
class Page(Generic[Found]):
    """One page of a search."""

    found: list[Found]
    total_count: int
    """Counted by a query of its own, at the moment of the answer."""


def holds(one: Filter, row: Mapping[str, Any]) -> bool:
    """Say whether a row meets a condition; an unknown condition silently means `eq`, and NULL meets no comparison."""
    value = row.get(one.field)
    if value is None and one.field.startswith("base_"):
        value = row.get(one.field.removeprefix("base_"))
    if one.condition in {"null", "notnull"}:
        return (value is None) == (one.condition == "null")
    if value is None:
        return False
    match one.condition:
        case "in" | "nin":
            is_in = any(_same(value, part) for part in one.value.split(","))
            return is_in == (one.condition == "in")
        case "like" | "nlike":
            return bool(_like(one.value).fullmatch(str(value))) == (one.condition == "like")
        case "finset" | "nfinset":
            return (one.value in str(value).split(",")) == (one.condition == "finset")
        case condition:
            compare = _COMPARE.get(condition, operator.eq)
            return compare(*_comparable(value, one.value))


def _comparable(value: object, text: str) -> tuple[object, object]:
    if isinstance(value, int | Decimal):
        return value, _as_number(text)
    return str(value).casefold(), text.casefold()


@lru_cache(maxsize=1024)
def _as_number(text: str) -> Decimal:
    """Return what MySQL makes of a text that is compared with a number: its leading digits, else 0."""
    found = _NUMBER.match(text)
    try:
        return Decimal(found.group()) if found else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def _same(value: object, text: str) -> bool:
    left, right = _comparable(value, text)
    return left == right


@lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.IGNORECASE | re.DOTALL)


def search(
    rows: Sequence[tuple[Row, Found]],
    criteria: Criteria,
    columns: frozenset[str],
    switches: StoreSwitches,
    rng: random.Random,
) -> Page[Found]:
    """Filter, sort and page; without a sort order the rows come shuffled anew at every request."""
    _check_columns(criteria, columns, switches, rng)
    found = [pair for pair in rows if all(any(holds(one, pair[0]) for one in group) for group in criteria.groups if group)]
    if not criteria.sorts:
        rng.shuffle(found)
    for sort in reversed(criteria.sorts):
        found.sort(key=lambda pair: _sort_key(pair[0].get(sort.field)), reverse=sort.direction == "DESC")
    page = _page(found, criteria, switches)
    return Page(found=[one for _, one in page], total_count=len(found))


def _check_columns(criteria: Criteria, columns: frozenset[str], switches: StoreSwitches, rng: random.Random) -> None:
    named = [one.field for group in criteria.groups for one in group] + [sort.field for sort in criteria.sorts]
    if all(name in columns or name.removeprefix("base_") in columns for name in named):
        return
    complaint = masked(f"{rng.getrandbits(52):013x}")
    complaint.status = switches.unknown_field
    raise complaint


def _sort_key(value: object) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, int | Decimal) else (1, str(value).casefold())


def _page(found: list[tuple[Row, Found]], criteria: Criteria, switches: StoreSwitches) -> list[tuple[Row, Found]]:
    size = criteria.page_size
    limits = switches.input_limits
    if limits is not None:
        size = size or limits.default
        if size > limits.max:
            raise bad_request("Maximum SearchCriteria pageSize is %max", {"max": limits.max})
    if not size or size < 1:
        return found
    page = criteria.current_page
    if switches.page_overflow == "last":
        page = min(page, max(1, -(-len(found) // size)))
    return found[(page - 1) * size : page * size]
