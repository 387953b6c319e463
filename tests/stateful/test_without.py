"""The search for a broken guard finds what it should, and says what it saw."""

import gc
import logging
from collections.abc import Iterator

import pytest

from tests.stateful.without import search


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    gc.enable()


def test_random_schedules_notice_a_payment_that_is_sent_before_its_intent() -> None:
    found = search("post, then write the intent", first_seed=1, most_schedules=5)
    assert found.noticed is not None
    assert found.noticed.startswith("I4")
    assert found.schedules <= 5


def test_a_guard_is_whole_again_after_the_search() -> None:
    search("post, then write the intent", first_seed=1, most_schedules=1)
    assert search("each process has a pace of its own", first_seed=1, most_schedules=1).noticed is None
