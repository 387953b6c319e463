"""One page of a search: which rows it holds and where its links lead, with every trap of the contract (section 3)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from sandbox.nextech.exchange import RefusedError
from sandbox.nextech.faults import Effect
from sandbox.nextech.switches import NextechSwitches

DEFAULT_COUNT = 10
MAXIMUM_COUNT = 50
PAGING_PARAMETERS = frozenset({"_count", "_getpagesoffset"})

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the rows was asked for."""

    offset: int
    count: int


def page_asked(query: Sequence[tuple[str, str]], switches: NextechSwitches) -> Page:
    """Read the paging parameters; nonsense counts as the default."""
    given = dict(query)
    count = _number(given.get("_count"))
    if count > MAXIMUM_COUNT:
        if switches.count_above_maximum == "reject":
            raise RefusedError(400, "The page size is too large.")
        count = MAXIMUM_COUNT
    return Page(offset=max(0, _number(given.get("_getpagesoffset"))), count=count if count > 0 else DEFAULT_COUNT)


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def in_order(rows: Sequence[Row], switches: NextechSwitches, rng: random.Random) -> list[Row]:
    """Put rows, which come in the order of entry, into the order of the switch (section 5 #13)."""
    ordered = list(rows)
    if switches.sort_order == "descending":
        ordered.reverse()
    elif switches.sort_order == "shuffled":
        rng.shuffle(ordered)
    return ordered


def rows_of(rows: Sequence[Row], page: Page, effect: Effect | None) -> list[Row]:
    """Cut the page out of the rows."""
    start = page.offset + (1 if effect is Effect.SHIFTED_PAGE else 0)
    part = list(rows[start : start + page.count])
    return part[: (len(part) + 1) // 2] if effect is Effect.PARTIAL_PAGE else part


def bundle(
    route: str,
    query: Sequence[tuple[str, str]],
    total: int,
    page: Page,
    *,
    entries: Sequence[dict[str, Any]],
    switches: NextechSwitches,
    effect: Effect | None = None,
) -> dict[str, Any]:
    """Wrap the page's resources; entries hold only `resource`, and no hit means no `entry` (section 5 #10)."""
    document: dict[str, Any] = {"resourceType": "Bundle"}
    if switches.is_type_sent:
        document["type"] = "searchset"
    if switches.is_total_sent:
        document["total"] = total
    if switches.are_links_sent:
        document["link"] = _links(route, query, total, page, switches=switches, effect=effect)
    if entries:
        document["entry"] = [{"resource": resource} for resource in entries]
    return document


def _links(
    route: str,
    query: Sequence[tuple[str, str]],
    total: int,
    page: Page,
    *,
    switches: NextechSwitches,
    effect: Effect | None,
) -> list[dict[str, str]]:
    filters = [(name, value) for name, value in query if name not in PAGING_PARAMETERS]
    address = switches.link_base.rstrip("/") + route

    def link(relation: str, offset: int) -> dict[str, str]:
        asked = [*filters, ("_getpagesoffset", str(offset)), ("_count", str(page.count))]
        return {"relation": relation, "url": f"{address}?{urlencode(asked)}"}

    links = [{"relation": "self", "url": f"{address}?{urlencode(filters)}" if filters else address}]
    if total <= page.count and page.offset == 0 and switches.does_small_result_loop:
        return [*links, link("previous", 0), link("next", 0)]
    if page.offset > 0:
        links.append(link("previous", max(0, page.offset - page.count)))
    following = page.offset + page.count
    last = max(0, total - page.count)
    if effect is Effect.NEXT_LOOPS:
        links.append(link("next", page.offset))
    elif following < total:
        # `total - count` is what the server really sent as its last offset: the last page repeats rows.
        links.append(link("next", min(following, last) if switches.is_last_page_overlapping else following))
    return [*links, link("first", 0), link("last", last)]
