"""A shop with the demo of one practice, a clock set by hand, and clients that call it with and without sockets."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from sandbox.demo.practices import EASTERN
from sandbox.demo.story import Demo, build_demo, open_shop
from sandbox.store.app import create_store_app
from sandbox.store.shop import Shop
from sandbox.store.transport import StoreTransport

NOW = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)


class HandClock:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def demo() -> Demo:
    return build_demo(7, NOW)


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def shop(demo: Demo, hand_clock: HandClock) -> Shop:
    opened = open_shop(EASTERN, clock=hand_clock, rng=random.Random(3))
    opened.load(demo.books["eastern"])
    return opened


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {EASTERN.store_token}"}
    with httpx.Client(transport=StoreTransport(shop), base_url="http://store.example/rest/V1/", headers=headers) as opened:
        yield opened


def criteria(
    *filters: tuple[str, object, str], sort: str | None = "entity_id", size: int | None = None, page: int | None = None
) -> dict[str, str]:
    """Return the parameters of a search: every filter in a group of its own."""
    params = {}
    for number, (field, value, condition) in enumerate(filters):
        group = f"searchCriteria[filter_groups][{number}][filters][0]"
        params |= {f"{group}[field]": field, f"{group}[value]": str(value), f"{group}[condition_type]": condition}
    if sort is not None:
        params |= {"searchCriteria[sortOrders][0][field]": sort, "searchCriteria[sortOrders][0][direction]": "ASC"}
    if size is not None:
        params["searchCriteria[pageSize]"] = str(size)
    if page is not None:
        params["searchCriteria[currentPage]"] = str(page)
    return params or {"searchCriteria": ""}


Find = Callable[..., list[int]]


@pytest.fixture
def find(client: httpx.Client) -> Find:
    """Search orders and return their entity ids."""

    def found(*filters: tuple[str, object, str], **how: object) -> list[int]:
        answer = client.get("orders", params=criteria(*filters, **how)).raise_for_status().json()
        return [order["entity_id"] for order in answer["items"]]

    return found


@contextmanager
def served(shop: Shop) -> Iterator[str]:
    """Serve a shop on a free port of loopback, mounted as the sandbox mounts it, and yield its address."""
    app = FastAPI()
    app.mount(f"/store/{shop.practice_id}", create_store_app(shop))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", access_log=False, date_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/store/{shop.practice_id}"
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()


@pytest.fixture
def store_url(shop: Shop) -> Iterator[str]:
    with served(shop) as url:
        yield url
