"""Who visits, and what they may do: every page asks here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, HTTPException, Request

from order_sync.practices import Practice

FORBIDDEN_TO_READ = "Your login may not read the DAG sync_orders; ask whoever administers Airflow"
FORBIDDEN_TO_ACT = "Your login may look, but not act: that needs the right to edit the DAG sync_orders"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in to Airflow."""

    login: str
    can_read: bool
    """Read access to the DAG `sync_orders`."""
    can_act: bool
    """Edit access to it: may decide, and may see patient data."""

    def may_see(self, practice: Practice) -> bool:
        """Say whether the practice is open to this login: every practice is that names no staff."""
        return practice.is_seen_by(self.login)


class NotLoggedInError(HTTPException):
    """Nobody whom we know makes the request; `login_href` leads to where one can log in, when there is such a page."""

    def __init__(self, login_href: str | None = None) -> None:
        """Answer with 401."""
        super().__init__(401, "Log in to Airflow to see the orders", {"WWW-Authenticate": "Bearer"})
        self.login_href = login_href


class Doorkeeper(Protocol):
    """Say who makes a request, by the login that it carries."""

    async def admit(self, request: Request) -> Visitor:
        """Return the visitor; raises `NotLoggedInError` when the request carries no valid login."""
        ...


async def admit(request: Request) -> None:
    """Let nobody in who may not read: a dependency of the whole app, so that no route can forget it."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    visitor = await doorkeeper.admit(request)
    if not visitor.can_read:
        raise HTTPException(403, FORBIDDEN_TO_READ)
    request.state.visitor = visitor


def visitor_of(request: Request) -> Visitor:
    """Return who was admitted."""
    visitor: Visitor = request.state.visitor
    return visitor


def acting_visitor_of(request: Request) -> Visitor:
    """Return who was admitted; raises `HTTPException` 403 when they may only look."""
    visitor = visitor_of(request)
    if not visitor.can_act:
        raise HTTPException(403, FORBIDDEN_TO_ACT)
    return visitor


Reading = Annotated[Visitor, Depends(visitor_of)]
"""What a page takes that everybody may see who is let in."""
Acting = Annotated[Visitor, Depends(acting_visitor_of)]
"""What a page takes that shows patient data or does something."""


def practices_seen(visitor: Visitor, practices: Iterable[Practice]) -> dict[str, Practice]:
    """Return the practices that are open to a visitor, by id, in the file's order."""
    return {practice.id: practice for practice in practices if visitor.may_see(practice)}
