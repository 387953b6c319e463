"""A folder for a whole copy of the demo."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    """A folder that PostgreSQL can reach as another user, as it must when root tests: pytest's own is private."""
    folder = Path(tempfile.mkdtemp(prefix="order-sync-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that is not there yet, for one test; PostgreSQL can reach it too."""
    folder = Path(tempfile.mkdtemp(prefix="order-sync-"))
    yield folder / "home"
    shutil.rmtree(folder)
