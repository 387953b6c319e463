"""The watch itself: what counts as a request to somebody else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.browser.watching import Watch

OURS = "127.0.0.1:8080"


def complaints_about(url: str) -> list[str]:
    watch = Watch(OURS)
    watch._follow(cast("Any", SimpleNamespace(url=url)))
    return watch.complaints


@pytest.mark.parametrize(
    "url",
    [
        f"http://{OURS}/orders?blob:http://elsewhere.test",
        f"blob:http://{OURS}/3b5c",
        "data:image/png;base64,AAAA",
        "about:blank",
    ],
)
def test_what_the_page_asks_of_its_own_host_or_made_itself_is_no_complaint(url: str) -> None:
    assert complaints_about(url) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.test/x",
        f"http://elsewhere.test/{OURS}",
        f"http://{OURS}@elsewhere.test/",
        "blob:http://elsewhere.test/3b5c",
        "blob:null/3b5c",
        f"ws://{OURS.replace('8080', '8081')}/",
    ],
)
def test_what_goes_to_anybody_else_is_a_complaint(url: str) -> None:
    assert len(complaints_about(url)) == 1
