"""One Chromium for all tests of a process, and the pages over a world in which everything has happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import open_chromium
from tests.browser.stage import Stage, live_through, open_small_world, open_stage
from tests.browser.watching import Watch
from tests.houses import ACTOR

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium of this machine."""
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The pages over the demo; for looking only, because tests share it."""
    with open_small_world(tmp_path_factory.mktemp("stage")) as world:
        live_through(world)
        with open_stage(world) as open_one:
            yield open_one


@pytest.fixture
def watch(stage: Stage) -> Watch:
    return Watch(urlsplit(stage.url).netloc)


@pytest.fixture
def tab(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A page of the front desk's, 1280 wide, watched."""
    context = browser.new_context(extra_http_headers={"X-Login": ACTOR.login}, viewport={"width": 1280, "height": 900})
    yield watch.over(context.new_page())
    context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that looks for what shuts people out."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: `npm ci` in tests/browser, or `make setup-dev` where npm is")
    return AXE.read_text(encoding="utf-8")
