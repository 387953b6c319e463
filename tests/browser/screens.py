"""Take the pictures of the pages for docs/screens: `python -m tests.browser.screens FOLDER`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser
from sqlalchemy import select

from order_sync.ledger.models import CaseRow, OrderRow
from order_sync.reasons import Reason
from tests.browser.chromium import open_chromium
from tests.browser.stage import Stage, live_through, open_small_world, open_stage
from tests.houses import ACTOR

WIDE, PHONE = 1280, 400


def pages_to_show(stage: Stage) -> list[tuple[str, str, int, str]]:
    """Return name, path, width and theme of every picture."""
    with stage.world.ledger.transaction() as tx:
        orders = list(tx.session.scalars(select(OrderRow).order_by(OrderRow.id)))
        unknown = tx.session.scalars(select(CaseRow).where(CaseRow.reason == Reason.OUTCOME_UNKNOWN.value)).first()
    duplicated = next(row.id for row in orders if row.reason == Reason.DUPLICATED_CUSTOMER.value)
    synced = next(row.id for row in orders if row.public_status.value == "Synced" and row.patient_id)
    shown = [
        ("orders", "/", WIDE, "light"),
        ("orders-dark", "/", WIDE, "dark"),
        ("orders-phone", "/", PHONE, "light"),
        ("order", f"/orders/{synced}?live=1", WIDE, "light"),
        ("order-phone", f"/orders/{duplicated}", PHONE, "dark"),
        ("resolve", f"/orders/{duplicated}/resolve", WIDE, "light"),
        ("resolve-dark", f"/orders/{duplicated}/resolve", WIDE, "dark"),
        ("resolve-phone", f"/orders/{duplicated}/resolve", PHONE, "light"),
        ("queue", "/queue", WIDE, "light"),
        ("queue-phone", "/queue", PHONE, "dark"),
        ("reports", "/reports", WIDE, "light"),
        ("health", "/health", WIDE, "light"),
        ("health-dark", "/health", WIDE, "dark"),
        ("audit", "/audit", WIDE, "light"),
    ]
    return [*shown, ("case", f"/queue/{unknown.id}", WIDE, "light")] if unknown else shown


def take(browser: Browser, stage: Stage, folder: Path) -> None:
    """Write one PNG for each page."""
    for name, path, width, theme in pages_to_show(stage):
        context = browser.new_context(
            extra_http_headers={"X-Login": ACTOR.login}, viewport={"width": width, "height": 900}, device_scale_factor=1
        )
        tab = context.new_page()
        tab.add_init_script(f"localStorage.setItem('theme', '{theme}')")
        tab.goto(f"{stage.url}{path}", wait_until="networkidle")
        height = min(int(tab.evaluate("document.documentElement.scrollHeight")), 1600)
        tab.set_viewport_size({"width": width, "height": max(height, 500)})
        tab.screenshot(path=folder / f"{name}.png")
        context.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as ledger, open_small_world(Path(ledger)) as world:
        live_through(world)
        with open_stage(world) as stage, open_chromium() as browser:
            take(browser, stage, folder)


if __name__ == "__main__":
    main()
