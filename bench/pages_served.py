"""The Orders pages in a process of their own, with everybody let in: `python -m bench.pages_served URL` prints its port."""

from __future__ import annotations

import socket
import sys
from contextlib import AbstractContextManager
from datetime import datetime

import uvicorn
from fastapi import Request

from bench.pages_books import NOW
from order_sync.desk import Desk
from order_sync.errors import SettingsError
from order_sync.ledger.session import Ledger, open_engine
from order_sync.practices import Practice, load_practices
from order_sync.resources import PRACTICES_FILE
from order_sync.web.app import create_app
from order_sync.web.house import TaskLink
from order_sync.web.visitors import Visitor


class StandingClock:
    """The evening on which the books end."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class OpenDoor:
    """Let everybody in as the same person."""

    async def admit(self, request: Request) -> Visitor:  # noqa: ARG002
        return Visitor("dana", can_read=True, can_act=True)


class BenchHouse:
    """A house with a ledger, and with nobody behind the desks."""

    def __init__(self, url: str) -> None:
        self.clock = StandingClock()
        self.ledger = Ledger(open_engine(url), self.clock)
        self.form_key = b"a form key for benches"
        self.hosts: frozenset[str] = frozenset()
        self._practices = load_practices(PRACTICES_FILE)

    def practices(self) -> tuple[Practice, ...]:
        return self._practices

    def open_desk(self, practice_id: str) -> AbstractContextManager[Desk]:
        raise SettingsError(f"practice {practice_id}: there is no desk in a bench")

    def start_sync(self, actor: str) -> bool:  # noqa: ARG002
        return False

    def task_links(self, practice_id: str, order_number: str, since: datetime) -> tuple[TaskLink, ...]:  # noqa: ARG002
        return ()


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    app = create_app(BenchHouse(sys.argv[1]), OpenDoor())
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
