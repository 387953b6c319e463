"""Find every kind of page by following the links, as a person would."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from fastapi.testclient import TestClient

_LINK = re.compile(r'<a\s[^>]*?href="([^"]*)"', re.IGNORECASE)
_ID = re.compile(r"/(?:\d+|[0-9a-f-]{20,}|[a-z]+-\d{4}-[^/]*|[^/]*:[^/]*)(?=/|$)")
_FILES = (".csv", ".xlsx", ".json", ".css", ".js")


def kind_of(path: str) -> str:
    """Return a path without what names one thing: two orders' pages are of one kind."""
    return _ID.sub("/…", urlsplit(path).path)


def pages_of(browser: TestClient, *, of_each_kind: int, start: str = "/") -> Iterator[str]:
    """Return the paths of the pages that links lead to, at most so many of each kind, in the order in which they are met."""
    waiting, known, seen = [start], {start}, Counter[str]()
    while waiting:
        path = waiting.pop(0)
        if seen[kind_of(path)] >= of_each_kind:
            continue
        answer = browser.get(path)
        if answer.status_code in (302, 303):
            continue
        assert answer.status_code == 200, f"{path} answers {answer.status_code}"
        seen[kind_of(path)] += 1
        yield path
        for href in _LINK.findall(answer.text):
            target = urljoin(path, href.replace("&amp;", "&"))
            parts = urlsplit(target)
            is_ours = not parts.netloc and not parts.path.endswith(_FILES) and not href.startswith("#")
            if is_ours and target not in known:
                known.add(target)
                waiting.append(target.split("#")[0])
