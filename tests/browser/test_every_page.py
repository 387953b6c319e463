"""Every kind of page, in a real browser: nothing breaks, nothing is fetched from elsewhere, nobody is shut out."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.crawling import kind_of, pages_of
from tests.browser.stage import Stage
from tests.browser.watching import Watch
from tests.houses import ACTOR, LOOKER, browser_of

SERIOUS = {"serious", "critical"}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.fixture(scope="session")
def paths(stage: Stage) -> list[str]:
    return list(pages_of(browser_of(stage.house), of_each_kind=3))


def show(tab: Page, stage: Stage, path: str) -> None:
    tab.goto(f"{stage.url}{path}", wait_until="load")


def test_links_lead_to_every_kind_of_page(paths: list[str]) -> None:
    kinds = {kind_of(path) for path in paths}
    assert {"/", "/orders/…", "/orders/…/resolve", "/queue", "/reports", "/reports/…", "/health", "/audit"} <= kinds


def test_no_page_complains_in_the_browser(tab: Page, stage: Stage, paths: list[str], watch: Watch) -> None:
    complaints: dict[str, list[str]] = {}
    for path in paths:
        show(tab, stage, path)
        if watch.complaints:
            complaints[path] = watch.complaints
            watch.errors, watch.dialogs, watch.foreign = [], [], []
    assert complaints == {}


@pytest.mark.parametrize("look", [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 400)], ids=str)
def test_no_page_shuts_anybody_out(tab: Page, stage: Stage, paths: list[str], axe: str, look: tuple[str, int]) -> None:
    theme, width = look
    tab.set_viewport_size({"width": width, "height": 900})
    tab.add_init_script(f"try {{ localStorage.setItem('theme', '{theme}') }} catch (refused) {{}}")
    found: dict[str, list[str]] = {}
    first_of_kind = {kind_of(path): path for path in reversed(paths)}
    for path in first_of_kind.values():
        show(tab, stage, path)
        tab.evaluate(axe)  # not a script element: the pages' own policy stays in force
        report = tab.evaluate(f"axe.run(document, {json.dumps(RULES)})")
        grave = [
            f"{one['id']}: {one['help']} ({node['html'][:120]})"
            for one in report["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]
        if grave:
            found[path] = grave
    assert found == {}


@pytest.mark.parametrize("login", [ACTOR.login, LOOKER.login])
def test_no_page_has_to_be_pushed_sideways_on_a_phone(browser: Browser, stage: Stage, paths: list[str], login: str) -> None:
    context = browser.new_context(extra_http_headers={"X-Login": login}, viewport={"width": 400, "height": 800})
    phone = context.new_page()
    too_wide = {}
    for path in paths:
        answer = phone.goto(f"{stage.url}{path}")
        assert answer is not None
        assert answer.status in (200, 403)
        width = phone.evaluate("document.documentElement.scrollWidth")
        if width > 400:
            too_wide[path] = width
    context.close()
    assert too_wide == {}


def test_every_page_works_without_script(browser: Browser, stage: Stage, paths: list[str]) -> None:
    context = browser.new_context(extra_http_headers={"X-Login": ACTOR.login}, java_script_enabled=False)
    plain = context.new_page()
    for path in paths:
        show(plain, stage, path)
        assert plain.locator("h1").count() == 1, path
        assert plain.locator("main").inner_text().strip(), path
        dead = plain.locator("button:not([type=submit]):not(form button)")
        assert dead.count() == 0 or not any(dead.nth(place).is_visible() for place in range(dead.count())), path
    context.close()


def test_the_theme_is_the_one_chosen_in_airflow(tab: Page, stage: Stage) -> None:
    grounds = {}
    for theme in ("light", "dark"):
        show(tab, stage, "/")
        tab.evaluate(f"localStorage.setItem('theme', '{theme}')")
        show(tab, stage, "/")
        grounds[theme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds["light"] != grounds["dark"]
