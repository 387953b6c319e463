"""The Orders pages with a house of their own: a fake door, and a small world behind it instead of Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from order_sync.clock import Clock
from order_sync.desk import Desk
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice
from order_sync.web.app import create_app
from order_sync.web.house import House, TaskLink
from order_sync.web.visitors import Visitor
from tests.desks import demo_practices
from tests.worlds import SmallWorld

LOOKER = Visitor("viewer", can_read=True, can_act=False)
ACTOR = Visitor("front.desk", can_read=True, can_act=True)
STRANGER = Visitor("stranger", can_read=False, can_act=False)
VISITORS = {visitor.login: visitor for visitor in (LOOKER, ACTOR, STRANGER, Visitor("billing", can_read=True, can_act=True))}


class NamedAtTheDoor:
    """Believe whom the header `X-Login` names; nobody is named: 401."""

    async def admit(self, request: Request) -> Visitor:
        login = request.headers.get("x-login", "")
        if login not in VISITORS:
            raise HTTPException(401, "Log in to Airflow first")
        return VISITORS[login]


@dataclass
class SmallHouse:
    """A house around a small world: one desk for one practice, and a note of every sync that was asked for."""

    world: SmallWorld
    all_practices: dict[str, Practice] = field(default_factory=demo_practices)
    started_by: list[str] = field(default_factory=list)
    can_start: bool = True
    links: tuple[TaskLink, ...] = ()
    form_key: bytes = b"a form key for tests"
    hosts: frozenset[str] = frozenset()

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    def practices(self) -> tuple[Practice, ...]:
        return tuple(self.all_practices.values())

    @contextmanager
    def open_desk(self, practice_id: str) -> Iterator[Desk]:
        assert practice_id == self.world.practice_id
        yield self.world.desk()

    def start_sync(self, actor: str) -> bool:
        self.started_by.append(actor)
        return self.can_start

    def task_links(self, practice_id: str, order_number: str, since: datetime) -> tuple[TaskLink, ...]:  # noqa: ARG002
        return self.links


_CURRENT: ContextVar[SmallHouse] = ContextVar("house")


class CurrentHouse:
    """The house of whoever asks: a hundred routes take a tenth of a second to build, and tests need no app of their own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_CURRENT.get(), name)


@cache
def _app() -> FastAPI:
    return create_app(cast("House", CurrentHouse()), NamedAtTheDoor())


def app_of(house: SmallHouse) -> ASGIApp:
    """Return the pages in this house."""

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        _CURRENT.set(house)
        await _app()(scope, receive, send)

    return pages


def browser_of(house: SmallHouse, login: str = ACTOR.login, *, app: ASGIApp | None = None) -> TestClient:
    """Return a client that is logged in; it does not follow redirects, so that a test sees them."""
    app = app or app_of(house)
    return TestClient(
        app, headers={"X-Login": login}, base_url="http://pages.example", follow_redirects=False, raise_server_exceptions=False
    )


def form_token_in(page_text: str) -> str:
    """Return the token of the first form on a page."""
    return page_text.split('name="form_token" value="', 1)[1].split('"', 1)[0]
