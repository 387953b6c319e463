"""The front desk in a real browser, in a real Airflow: from the login to an order that became Synced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from launch.environment import ADMIN_PASSWORD
from tests.browser.chromium import open_chromium
from tests.browser.watching import Watch
from tests.dags.running import Running
from tests.endings import endings

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler, pytest.mark.timeout(600)]
PATIENCE = 60_000
"""Milliseconds: the pages are quick, the machine of a test need not be."""
SYNCED_WITHIN = 150_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture
def watch(running: Running) -> Watch:
    return Watch(urlsplit(address_of(running)).netloc)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def address_of(running: Running) -> str:
    return f"http://127.0.0.1:{running.airflow.plan.airflow_port}"


def log_in(tab: Page, running: Running, login: str) -> None:
    tab.goto(address_of(running))
    tab.locator("input[name=username]").fill(login)
    tab.locator("input[name=password]").fill(ADMIN_PASSWORD)
    tab.locator("button[type=submit]").click()
    tab.get_by_role("link", name="Orders", exact=True).wait_for()


def open_orders(tab: Page) -> FrameLocator:
    tab.get_by_role("link", name="Orders", exact=True).click()
    return tab.frame_locator("iframe")


@pytest.mark.usefixtures("first_run")
def test_an_order_is_found_in_the_navigation_resolved_with_a_click_and_seen_to_become_synced(
    tab: Page, watch: Watch, running: Running
) -> None:
    # Not the duplicated customer: test_real_scheduler.py settles that one, and this Airflow is the same.
    situation = next(one for one in running.sandbox.world.situations if one.reason == "suffix_differs")
    number = situation.order_numbers[0]
    log_in(tab, running, "desk")
    watch.over(tab)  # from here on it is ours: Airflow's own login page may say what it likes
    orders = open_orders(tab)
    orders.get_by_role("link", name=re.compile("Not Synced")).first.click()
    row = orders.locator("tr", has_text=number)
    expect(row).to_contain_text("suffix differs")
    row.get_by_role("link", name=number, exact=True).click()
    expect(orders.locator("h1")).to_contain_text(number)
    orders.get_by_role("link", name="Resolve", exact=True).click()
    choice = orders.get_by_role("radio").first
    chart = choice.get_attribute("value")
    choice.check()
    orders.get_by_role("button", name="Send").click()
    expect(orders.locator(".status.synced").first).to_have_text("Synced", timeout=SYNCED_WITHIN)
    ended = endings(running.sandbox, running.ledger)[situation.practice_id, number]
    assert (ended.status, ended.patient_id, len(ended.booked_cents)) == ("Synced", chart, 1)
    assert watch.complaints == []


@pytest.mark.usefixtures("first_run")
def test_who_may_only_look_finds_the_pages_and_no_patient(tab: Page, running: Running) -> None:
    log_in(tab, running, "viewer")
    orders = open_orders(tab)
    orders.get_by_role("link", name=re.compile("Not Synced")).first.click()
    orders.locator("tbody a").first.click()
    expect(orders.locator("main")).to_contain_text("does not see patients")
    expect(orders.get_by_role("button", name="Send")).to_have_count(0)
