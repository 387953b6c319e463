"""Read `searchCriteria` from a query string as PHP does (store contract section 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sandbox.store.complaints import bad_request

_BRACKET = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition."""

    field: str
    value: str
    condition: str
    """As it was sent; what is unknown means `eq`."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort order."""

    field: str
    direction: str
    """`ASC` or `DESC`."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search asks for. Groups are joined by AND, the filters in one by OR."""

    groups: tuple[tuple[Filter, ...], ...] = ()
    sorts: tuple[Sort, ...] = ()
    page_size: int | None = None
    current_page: int = 1
    raw_page: int | None = field(default=None, compare=False)

    def echo(self) -> dict[str, object]:
        """Return the `search_criteria` of the answer; `page_size` is absent when none was sent."""
        echo: dict[str, object] = {
            "filter_groups": [
                {"filters": [{"field": one.field, "value": one.value, "condition_type": one.condition} for one in group]}
                for group in self.groups
            ]
        }
        if self.sorts:
            echo["sort_orders"] = [{"field": one.field, "direction": one.direction} for one in self.sorts]
        if self.page_size is not None:
            echo["page_size"] = self.page_size
        if self.raw_page is not None:
            echo["current_page"] = self.raw_page
        return echo


def parse_php_query(query: str) -> dict[str, Any]:
    """Return the nested arrays that PHP makes of a query string; a later duplicate wins."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        head, bracket, rest = name.partition("[")
        path = [head, *_BRACKET.findall(bracket + rest)]
        node = tree
        for key in path[:-1]:
            child = node.get(key)
            if not isinstance(child, dict):
                child = {}
                node[key] = child
            node = child
        last = path[-1]
        node[last if last or len(path) == 1 else str(len(node))] = value
    return tree


def parse_criteria(tree: dict[str, Any]) -> Criteria:
    """Read the criteria of a search; answers 400 when there are none at all, and takes empty ones as everything."""
    raw = tree.get("searchCriteria", tree.get("search_criteria"))
    if raw is None:
        raise bad_request('"%fieldName" is required. Enter and try again.', {"fieldName": "searchCriteria"})
    if not isinstance(raw, dict):
        return Criteria()
    named = {_snake(key): value for key, value in raw.items()}
    page = _whole(named.get("current_page"), "currentPage")
    return Criteria(
        groups=tuple(_group(group) for group in _listed(named.get("filter_groups"))),
        sorts=tuple(_sort(sort) for sort in _listed(named.get("sort_orders"))),
        page_size=_whole(named.get("page_size"), "pageSize"),
        current_page=max(page or 1, 1),
        raw_page=page,
    )


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def _listed(node: object) -> list[dict[str, Any]]:
    """Return PHP's array of arrays in the order in which its keys were sent."""
    if not isinstance(node, dict):
        return []
    return [{_snake(key): value for key, value in child.items()} for child in node.values() if isinstance(child, dict)]


def _group(node: dict[str, Any]) -> tuple[Filter, ...]:
    return tuple(
        Filter(
            field=str(one.get("field", "")),
            value=str(one.get("value", "")),
            condition=str(one.get("condition_type") or "eq"),
        )
        for one in _listed(node.get("filters"))
    )


def _sort(node: dict[str, Any]) -> Sort:
    direction = str(node.get("direction") or "DESC").upper()
    if direction not in {"ASC", "DESC"}:
        raise bad_request(
            "The sort order has to be specified as %1 for ascending order or %2 for descending order.", ["ASC", "DESC"]
        )
    return Sort(field=str(node.get("field", "")), direction=direction)


def _whole(value: object, name: str) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(str(value))
    except ValueError:
        raise bad_request(
            'The "%value" value\'s type is invalid. The "%type" type was expected. Verify and try again.',
            {"value": name, "type": "int"},
        ) from None
