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


def condition(one: Filter) -> Callable[[Mapping[str, Any]], bool]:
    """Return the test that a filter means: an unknown condition silently means `eq`, and NULL meets no comparison."""
    field, twin = one.field, one.field.removeprefix("base_")
    if one.condition in {"null", "notnull"}:
        wants_null = one.condition == "null"
        return lambda row: (row.get(field, row.get(twin)) is None) == wants_null
    meets = _value_test(one)

    def holds(row: Mapping[str, Any]) -> bool:
        value = row.get(field)
        if value is None:
            value = row.get(twin)
        return value is not None and meets(value)

    return holds


def _value_test(one: Filter) -> Callable[[Any], bool]:
    match one.condition:
        case "in" | "nin":
            parts, wants_in = one.value.split(","), one.condition == "in"
            numbers, words = {_as_number(part) for part in parts}, {part.casefold() for part in parts}
            return lambda value: (
                (value in numbers if isinstance(value, int | Decimal) else str(value).casefold() in words) == wants_in
            )
        case "like" | "nlike":
            pattern, wants_like = _like(one.value), one.condition == "like"
            return lambda value: bool(pattern.fullmatch(str(value))) == wants_like
        case "finset" | "nfinset":
            wants_member = one.condition == "finset"
            return lambda value: (one.value in str(value).split(",")) == wants_member
        case name:
            compare: Callable[[Any, Any], bool] = _COMPARE.get(name, operator.eq)
            number, word = _as_number(one.value), one.value.casefold()
            return lambda value: (
                compare(value, number) if isinstance(value, int | Decimal) else compare(str(value).casefold(), word)
            )


@lru_cache(maxsize=1024)
def _as_number(text: str) -> Decimal:
    """Return what MySQL makes of a text that is compared with a number: its leading digits, else 0."""
    found = _NUMBER.match(text)
    try:
        return Decimal(found.group()) if found else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


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
    found = list(rows)
    for group in criteria.groups:
        tests = [condition(one) for one in group]
        if tests:
            found = [pair for pair in found if any(test(pair[0]) for test in tests)]
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
