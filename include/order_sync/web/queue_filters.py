"""What an address asks the queue for, and the address of what a link asks for instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import QueryParams

from order_sync.ledger.queue_lists import QueueFilter, QueueSort
from order_sync.practices import Practice
from order_sync.reasons import Reason

_LONGEST_CURSOR = 600


class Whose(StrEnum):
    """Who has taken the cases that are shown."""

    ANYBODY = "all"
    MINE = "mine"
    NOBODY = "nobody"


class Wait(StrEnum):
    """Whether cases that somebody has put off are shown."""

    LAST = "last"
    WITHOUT = "without"
    ONLY = "only"


Choice = TypeVar("Choice", Whose, Wait, QueueSort)


@dataclass(frozen=True, slots=True)
class QueueView:
    """What the queue's page shows; what an address asks for and cannot be read counts as not asked for."""

    practice_id: str | None = None
    reason: Reason | None = None
    whose: Whose = Whose.ANYBODY
    wait: Wait = Wait.LAST
    sort: QueueSort = QueueSort.OLDEST
    cursor: str | None = None

    @classmethod
    def of(cls, params: QueryParams, practices: dict[str, Practice]) -> QueueView:
        """Return what an address asks for."""
        practice_id, cursor = params.get("practice"), params.get("cursor")
        return cls(
            practice_id=practice_id if practice_id in practices else None,
            reason=_reason(params.get("reason")),
            whose=_member(Whose, params.get("whose"), Whose.ANYBODY),
            wait=_member(Wait, params.get("wait"), Wait.LAST),
            sort=_member(QueueSort, params.get("sort"), QueueSort.OLDEST),
            cursor=cursor if cursor and len(cursor) <= _LONGEST_CURSOR else None,
        )

    @classmethod
    def of_text(cls, query: str, practices: dict[str, Practice]) -> QueueView:
        """Return the same from the text that a form carries along."""
        return cls.of(QueryParams(parse_qsl(query.removeprefix("?"), max_num_fields=None)), practices)

    def wanted(self, practices: dict[str, Practice], login: str) -> QueueFilter:
        """Return the filter of the ledger's list, limited to what the visitor may see."""
        return QueueFilter(
            practice_ids=(self.practice_id,) if self.practice_id else tuple(practices),
            reason=self.reason,
            assignee=login if self.whose is Whose.MINE else None,
            is_unassigned=self.whose is Whose.NOBODY,
            is_waiting={Wait.LAST: None, Wait.WITHOUT: False, Wait.ONLY: True}[self.wait],
        )

    @property
    def is_narrowed(self) -> bool:
        """Say whether anything is left out."""
        return replace(self, sort=QueueSort.OLDEST, cursor=None) != QueueView()

    def query(self, **changes: object) -> str:
        """Return the query of the address that shows the same but for `changes`; another choice begins at the first page."""
        view = replace(self, **{"cursor": None, **changes})  # type: ignore[arg-type]
        told = {
            "practice": view.practice_id,
            "reason": view.reason and view.reason.value,
            "whose": view.whose.value if view.whose is not Whose.ANYBODY else None,
            "wait": view.wait.value if view.wait is not Wait.LAST else None,
            "sort": view.sort.value if view.sort is not QueueSort.OLDEST else None,
            "cursor": view.cursor,
        }
        query = urlencode({name: value for name, value in told.items() if value})
        return f"?{query}" if query else ""


def _member(choices: type[Choice], value: str | None, otherwise: Choice) -> Choice:
    try:
        return choices(value or otherwise)
    except ValueError:
        return otherwise


def _reason(value: str | None) -> Reason | None:
    return Reason(value) if value in set(Reason) else None
