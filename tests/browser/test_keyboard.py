"""Resolve an order with the keyboard alone: what has the focus can be seen, and Tab reaches all that is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from order_sync.ledger.models import OrderRow
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.browser.stage import Stage, live_through, open_small_world, open_stage
from tests.houses import ACTOR

MOST_TABS = 80
FOCUSED = (
    "(() => { const e = document.activeElement; return (e.value === 'on' ? '' : e.textContent.trim()) || e.name || '' })()"
)
HAS_RING = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"


@pytest.fixture
def own_stage(tmp_path: Path) -> Iterator[Stage]:
    with open_small_world(tmp_path) as world:
        live_through(world)
        with open_stage(world) as stage:
            yield stage


def tab_to(tab: Page, wanted: str) -> None:
    """Press Tab until the element of this text or name has the focus; every stop on the way must be seen."""
    for _ in range(MOST_TABS):
        tab.keyboard.press("Tab")
        focused = str(tab.evaluate(FOCUSED))
        if focused:
            assert tab.evaluate(HAS_RING), f"nobody sees that {focused!r} has the focus"
        if focused == wanted:
            return
    pytest.fail(f"{MOST_TABS} presses of Tab do not reach {wanted!r}")


def test_an_order_is_resolved_with_the_keyboard_alone(browser: Browser, own_stage: Stage) -> None:
    with own_stage.world.ledger.reading() as tx:
        duplicated = select(OrderRow).where(OrderRow.reason == Reason.DUPLICATED_CUSTOMER.value)
        order = tx.session.scalars(duplicated).one()
    context = browser.new_context(extra_http_headers={"X-Login": ACTOR.login})
    tab = context.new_page()
    tab.goto(f"{own_stage.url}/")
    tab_to(tab, order.number)
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/orders/{order.id}")
    tab_to(tab, "Resolve")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/resolve")
    tab_to(tab, "patient")
    tab.keyboard.press("Space")
    chart = tab.evaluate("document.querySelector('input[name=patient]:checked').value")
    tab_to(tab, "Send")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/orders/*sent=1*")
    context.close()
    moved = own_stage.world.order(order.number)
    assert (moved.state, moved.patient_id) == (OrderState.MATCHED, chart)
    assert own_stage.house.started_by == [ACTOR.login]
