"""Sixty texts that try to become script, in every text field: they stay text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Enum, String, inspect, text

from order_sync.desk import Desk
from order_sync.ledger.columns import LedgerTable
from order_sync.web.app import create_app
from tests.browser.crawling import pages_of
from tests.browser.hostile import PAYLOADS, Hostility, rotating
from tests.browser.stage import live_through, open_small_world, serve
from tests.browser.watching import Watch
from tests.houses import ACTOR, NamedAtTheDoor, SmallHouse, browser_of
from tests.worlds import SmallWorld

ROUNDS = 3

CLOSED = {
    "alembic_version",
    *("practice_id", "order_id", "run_id", "run_key", "report_id", "attempt_id", "posting_key", "cause", "reason", "state"),
    *("content_hash", "customer_key", "request_sha256", "follow_up", "action", "name", "key", "holder", "subject", "class"),
    *("kind", "link", "from_state", "to_state", "letter_id", "content", "side", "reopens", "statement_sha256", "class_"),
}
"""Columns whose values come from closed sets, are keys of other rows, or hashes: nobody's text gets there."""


class HostileHouse(SmallHouse):
    """A house whose store and Nextech answer with hostile texts."""

    @contextmanager
    def open_desk(self, practice_id: str) -> Iterator[Desk]:
        assert practice_id == self.world.practice_id
        store, nextech = Hostility().wraps
        yield self.world.desk(store_wrap=store, nextech_wrap=nextech)


def open_columns() -> dict[str, list[str]]:
    """Return every column of the ledger into which a text from outside could come, by table."""
    found: dict[str, list[str]] = {}
    for table in LedgerTable.metadata.sorted_tables:
        names = [
            column.name
            for column in table.columns
            if isinstance(column.type, String)
            and not isinstance(column.type, Enum)
            and column.name not in CLOSED
            and not column.primary_key
            and not column.foreign_keys
        ]
        if names:
            found[table.name] = names
    return found


def poison(world: SmallWorld, start: int) -> int:
    """Write a payload into every open text column of every row; return how many were written."""
    written = 0
    payloads = rotating(start)
    with world.ledger.engine.begin() as connection:
        for (trigger,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f'DROP TRIGGER "{trigger}"'))
        for table, columns in open_columns().items():
            lengths = {
                column["name"]: getattr(column["type"], "length", None) for column in inspect(connection).get_columns(table)
            }
            for (row,) in connection.execute(text(f'SELECT rowid FROM "{table}"')).all():  # noqa: S608 - our own tables
                values = {name: next(payloads)[: lengths.get(name) or 400] for name in columns}
                unique = {name: f"{row}{value}"[: lengths.get(name) or 400] for name, value in values.items()}
                sets = ", ".join(f'"{name}" = :{name}' for name in columns)
                connection.execute(text(f'UPDATE "{table}" SET {sets} WHERE rowid = :row'), {**unique, "row": row})  # noqa: S608
                written += len(columns)
        # A note without its moment, or a case closed by nobody, is no row that the product writes.
        connection.execute(text("UPDATE manual_resolution_queue SET noted_at = opened_at"))
    return written


def test_there_are_sixty_payloads_and_each_is_another() -> None:
    assert len(set(PAYLOADS)) == 60


def test_the_watch_notices_a_payload_that_succeeds(browser: Browser) -> None:
    noticed = 0
    for payload in PAYLOADS:
        watch = Watch("127.0.0.1:1")
        tab = watch.over(browser.new_page())
        tab.route("**/*", lambda route: route.abort() if "evil" in route.request.url else route.continue_())
        tab.set_content(f"<main>{payload}</main><p title='{payload}'>x</p>")
        tab.wait_for_timeout(0)
        noticed += bool(watch.complaints or tab.locator("[data-evil]").count())
        tab.close()
    assert noticed >= 45, "the watch sees too little: what it does not notice proves nothing"


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_hostile_text_in_every_field_stays_text(browser: Browser, tmp_path: Path, turn: int) -> None:
    with open_small_world(tmp_path) as world:
        live_through(world)
        assert poison(world, turn * 20) > 500
        house = HostileHouse(world)
        house.all_practices = {
            world.practice_id: house.all_practices[world.practice_id].model_copy(update={"name": PAYLOADS[turn]})
        }
        with serve(create_app(house, NamedAtTheDoor())) as url:
            context = browser.new_context(extra_http_headers={"X-Login": ACTOR.login})
            watch = Watch(urlsplit(url).netloc)
            tab = watch.over(context.new_page())
            active: dict[str, int] = {}
            shown = 0
            for path in pages_of(browser_of(house), of_each_kind=25):
                tab.goto(f"{url}{path}", wait_until="load")
                shown += 1
                if tab.locator("[data-evil]").count() or tab.evaluate("'evil' in window"):
                    active[path] = tab.locator("[data-evil]").count()
            context.close()
    assert shown > 60
    assert (watch.complaints, active) == ([], {})
