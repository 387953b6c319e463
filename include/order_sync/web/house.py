"""What the pages need from outside: practices, ledger, desks, and a way to start the sync. Handed in, never fetched."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, HTTPException, Request

from order_sync.clock import Clock
from order_sync.desk import Desk
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice
from order_sync.web.visitors import Visitor, practices_seen


@dataclass(frozen=True, slots=True)
class TaskLink:
    """A page of Airflow about the work on an order."""

    text: str
    href: str


class House(Protocol):
    """Everything around the pages."""

    @property
    def clock(self) -> Clock:
        """Return the clock that ages are counted by."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Return the process's own ledger, with its pool of connections."""
        ...

    @property
    def form_key(self) -> bytes:
        """Return the secret that form tokens are signed with; the same in every process of the pages."""
        ...

    @property
    def hosts(self) -> frozenset[str]:
        """Return further host names, with their ports, under which the pages are reached: those of Airflow's base URL."""
        ...

    def practices(self) -> tuple[Practice, ...]:
        """Return every practice that is configured; raises `SettingsError`."""
        ...

    def open_desk(self, practice_id: str) -> AbstractContextManager[Desk]:
        """Open all that is needed to work on one practice; raises `SettingsError`."""
        ...

    def start_sync(self, actor: str) -> bool:
        """Ask for a run of the sync now; return False when that failed and the next scheduled run has to do."""
        ...

    def task_links(self, practice_id: str, order_number: str, since: datetime) -> tuple[TaskLink, ...]:
        """Return links to the tasks, and their logs, that worked on an order since an instant; newest first."""
        ...


def house_of(request: Request) -> House:
    """Return the house of the app that serves a request."""
    house: House = request.app.state.house
    return house


InHouse = Annotated[House, Depends(house_of)]


def practices_open_to(request: Request) -> dict[str, Practice]:
    """Return the practices that the visitor of a request may see, by id."""
    visitor: Visitor = request.state.visitor
    return practices_seen(visitor, house_of(request).practices())


Practices = Annotated[dict[str, Practice], Depends(practices_open_to)]
"""The practices that the visitor may see, by id, in the file's order: every query is limited to them."""


def practice_or_nothing(practices: dict[str, Practice], practice_id: str) -> Practice:
    """Return the practice; a closed one looks like one that does not exist: raises `HTTPException` 404."""
    if practice_id not in practices:
        raise HTTPException(404, "There is no such page")
    return practices[practice_id]
