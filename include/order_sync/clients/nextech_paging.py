"""Read a search of Nextech to the proof that nothing is missing, or not at all.

The traps are those of contract section 3: pages that overlap, links without filters or with a foreign host, a `next`
that points at the same page for ever, and bundles without `total` or `link`. What counts as complete is reliability 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from order_sync.clients.http import Answer
from order_sync.clients.nextech_wire import resource_id
from order_sync.crash_points import Point, reach
from order_sync.errors import IncompleteReadError

Params = tuple[tuple[str, str], ...]
Row = dict[str, Any]

PAGE_ROWS = 50
"""The most that Nextech gives (contract section 2)."""
_DEFAULT_ROWS = 10
_MOST_PAGES = 400
_TRIES = 2
_OFFSET = "_getpagesoffset"
_NOT_FOUND = 404
QUERY_CHARACTERS = 1_800
"""IIS refuses a query of more than 2,048."""
MOST_VALUES = 40


class TooManyRowsError(IncompleteReadError):
    """A search finds more rows than were wanted; not all of them were read."""


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[Row, ...]
    total: int | None
    has_links: bool
    next_params: Params | None
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class _Pass:
    """One way through all pages."""

    rows: dict[str, Row]
    total: int | None
    is_proven: bool
    """Whether this pass shows by itself that nothing is missing."""


def query(params: Params) -> str:
    """Write parameters as a URL query; commas stay, because they mean OR."""
    return urlencode(params, quote_via=quote, safe=",:")


def read_complete(
    fetch: Callable[[Params], Answer], params: Params, *, resource_type: str, route: str, most_rows: int | None = None
) -> list[Row]:
    """Return every row of a search; raises `IncompleteReadError` when the pages do not prove that it is every one.

    With a `total`, the distinct ids must be exactly as many, on the first and on the last page; without one, a second
    pass must return the same ids (reliability 3.5). Raises `TooManyRowsError` as soon as it is seen that there are more
    than `most_rows`.
    """

    def fetch_some(page: Params) -> Answer:
        answer = fetch(page)
        total = _number(answer.document.get("total")) if isinstance(answer.document, dict) else None
        if most_rows is not None and total is not None and total > most_rows:
            raise _too_many(route)
        return answer

    for _ in range(_TRIES):
        first = _pass(fetch_some, params, resource_type, route)
        if most_rows is not None and len(first.rows) > most_rows:
            raise _too_many(route)
        if first.is_proven and first.total is not None:
            return list(first.rows.values())
        if first.is_proven and first.total is None:
            second = _pass(fetch_some, params, resource_type, route)
            if second.is_proven and second.rows.keys() == first.rows.keys():
                return list(second.rows.values())
    raise _incomplete("the pages do not prove that every row was seen", route)


def chunks(values: Sequence[str], *, room: int) -> Iterator[tuple[str, ...]]:
    """Split values so that each comma list fits into the query and holds at most 40."""
    chunk: list[str] = []
    used = 0
    for value in values:
        size = len(quote(value, safe="")) + 1
        if chunk and (used + size > room or len(chunk) == MOST_VALUES):
            yield tuple(chunk)
            chunk, used = [], 0
        chunk.append(value)
        used += size
    if chunk:
        yield tuple(chunk)


def _pass(fetch: Callable[[Params], Answer], params: Params, resource_type: str, route: str) -> _Pass:
    rows: dict[str, Row] = {}
    totals: list[int] = []
    offset, asked = 0, (*params, ("_count", str(PAGE_ROWS)))
    for _ in range(_MOST_PAGES):
        page = _read_page(fetch(asked), resource_type, route)
        before = len(rows)
        rows.update((_row_id(row, route), row) for row in page.rows)
        if page.total is not None:
            totals.append(page.total)
        total = totals[-1] if totals else None
        if total is not None and len(rows) >= total:
            return _Pass(rows, total, is_proven=len(rows) == total == totals[0])
        if not page.rows:
            return _Pass(rows, total, is_proven=total is None)
        if len(rows) == before:
            # The same rows again: fine as the answer to "more?" when the whole set is below any page size.
            return _Pass(rows, total, is_proven=total is None and len(page.rows) < _DEFAULT_ROWS)
        if total is None and page.has_links and page.next_params is None:
            return _Pass(rows, None, is_proven=True)
        offset, asked = _next_request(page, params, offset, len(rows))
        reach(Point.BETWEEN_PAGES)
    raise _incomplete("more pages than any search of ours can have", route)


def _next_request(page: _Page, params: Params, offset: int, seen: int) -> tuple[int, Params]:
    """Follow the link as far as it leads on, with our own filters; else ask from the number of rows seen."""
    ours = {name for name, _ in params} | {"_count"}
    if page.next_params is not None and page.next_offset is not None and page.next_offset > offset:
        foreign = tuple((name, value) for name, value in page.next_params if name not in ours)
        return page.next_offset, (*params, ("_count", str(PAGE_ROWS)), *foreign)
    return seen, (*params, ("_count", str(PAGE_ROWS)), (_OFFSET, str(seen)))


def _read_page(answer: Answer, resource_type: str, route: str) -> _Page:
    document = answer.document
    if answer.status == _NOT_FOUND:
        return _absent(answer, route)
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        raise _incomplete("the answer is not a Bundle", route, answer)
    entries = document.get("entry") or []
    if not isinstance(entries, list):
        raise _incomplete("the Bundle's entries cannot be read", route, answer)
    rows: list[Row] = []
    for entry in entries:
        row = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(row, dict) or str(row.get("resourceType")).lower() != resource_type.lower():
            raise _incomplete("the Bundle holds something else than asked for", route, answer)
        rows.append(row)
    links = document.get("link")
    links = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    next_params = next((_link_params(link) for link in links if link.get("relation") == "next"), None)
    return _Page(
        rows=tuple(rows),
        total=_number(document.get("total")),
        has_links=bool(links),
        next_params=next_params,
        next_offset=_number(dict(next_params).get(_OFFSET)) if next_params is not None else None,
    )


def _absent(answer: Answer, route: str) -> _Page:
    """Take the API's own 404 as "nothing matched" (contract section 5 #10), and nobody else's.

    A gateway's 404, or the framework's "No HTTP resource was found" for a route that an older version does not have,
    says nothing about payments; believing it would be evidence of absence.
    """
    if not answer.is_api_shaped:
        raise _incomplete("a 404 that is not the API's own", route, answer)
    text = " ".join(str(answer.document.get(key, "")) for key in ("message", "Message", "MessageDetail")).lower()
    if "no http resource" in text or "no type was found" in text or "no action was found" in text:
        raise _incomplete("this version of Nextech does not know the route", route, answer)
    return _Page(rows=(), total=None, has_links=False, next_params=None, next_offset=None)


def _link_params(link: Mapping[str, Any]) -> Params:
    """Take the query of a link and nothing else: its host may be the server's own idea of itself (trap 6)."""
    url = link.get("url")
    try:
        return tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True)) if isinstance(url, str) else ()
    except ValueError:
        return ()


def _row_id(row: Row, route: str) -> str:
    row_id = resource_id(row)
    if row_id is None:
        raise _incomplete("a row without an id", route)
    return row_id.lower()


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:  # noqa: PLR2004
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _too_many(route: str) -> TooManyRowsError:
    return TooManyRowsError("the search finds more than is wanted", system="nextech", route=route)


def _incomplete(reason: str, route: str, answer: Answer | None = None) -> IncompleteReadError:
    return IncompleteReadError(
        reason,
        system="nextech",
        route=route,
        status=answer.status if answer else None,
        request_id=answer.request_id if answer else None,
    )
