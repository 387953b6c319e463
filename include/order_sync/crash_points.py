"""Name the places at which a process can die between two steps that belong together (reliability 2.1).

Nothing happens there unless a test's own process says who watches. There is no setting and no environment variable for it,
so a deployment cannot switch it on; `bootstrap.start_up` refuses a production run in a process that is watched.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """A place; K is the row of the failure model (reliability 2.1)."""

    PAGE_READ = "extract: a page is read, nothing is recorded"
    """K1."""
    PAGE_STAGED = "extract: a page is recorded, not committed"
    """K2."""
    PAGE_COMMITTED = "extract: a page is committed"
    """K3."""
    ORDERS_READ_AGAIN = "match: the orders are read again, the patients are not looked for"
    """K4."""
    ACCOUNT_INTENDED = "account: the intent is committed"
    """K5."""
    ACCOUNT_ANSWERED = "account: the answer is read, not recorded"
    """K5."""
    PAYMENTS_LOOKED_FOR = "post: the look before it is done, the order is not claimed"
    """K6."""
    INTENT_RECORDED = "post: the intent is recorded, not committed"
    """K7."""
    INTENT_COMMITTED = "post: the intent is committed, nothing is connected"
    """K8."""
    POST_PARTLY_WRITTEN = "write: a piece of the request has left"
    """K9."""
    POST_WRITTEN = "write: the request has left, the answer is waited for"
    """K10, K11."""
    ANSWER_PARTLY_READ = "write: a piece of the answer is read"
    """K12."""
    ANSWER_READ = "post: the answer is read, not recorded"
    """K13."""
    RESULT_RECORDED = "post: the result is recorded, not committed"
    """K14."""
    RESULT_COMMITTED = "post: the result is committed"
    """K15."""
    STATUSES_LEASED = "mark: statuses are taken up, the store is not told"
    """K16."""
    COMMENT_ADDED = "mark: a comment is added, its order is not done"
    """K16."""
    STATUSES_TOLD = "mark: the store is told, that is not recorded"
    """K16."""
    CASE_WRITTEN = "queue: the case is written, not committed"
    """K17."""
    BETWEEN_PAGES = "read: between two pages of a search"
    """K18."""
    PATIENT_CHOSEN = "resolve: a person's choice is committed, nothing is posted"
    """K19."""


Watcher = Callable[[Point], None]

_watcher: Watcher | None = None


def reach(point: Point) -> None:
    """Tell whoever watches this process that it is here; nobody does outside tests."""
    if _watcher is not None:
        _watcher(point)


def watch(watcher: Watcher | None) -> None:
    """Let a test be told of every point that this process reaches; None ends it."""
    global _watcher  # noqa: PLW0603 - one process, one watcher: handing it through every signature would change all of them
    _watcher = watcher


def is_watched() -> bool:
    """Say whether somebody is told of the points of this process."""
    return _watcher is not None
