"""Keep everything that the product says while it works: logs at their chattiest, warnings, prints, errors, temporary files."""

from __future__ import annotations

import logging
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.canaries.scanner import Hit, Scanner

CONTROLLED_BY_US = "httpcore"
"""The product itself keeps this logger quiet; a test that made it speak would prove nothing about the product."""


class Watch(logging.Handler):
    """Collect texts."""

    def __init__(self, temporary: Path) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self.temporary = temporary
        self.told: list[str] = []
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, its message apart from its arguments, and the traceback of its error."""
        self.told += {self.format(record), repr(record.args)} - {"()", "None"}

    def note(self, error: BaseException) -> None:
        """Keep an error as Airflow would show it, with all that it was caused by."""
        self.errors.append(error)
        self.told += [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]

    def find(self, scanner: Scanner) -> list[Hit]:
        """Search all that was said."""
        return scanner.in_values(sorted(set(self.told)), "said") + scanner.in_path(self.temporary)


@contextmanager
def watching(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Listen to every logger there is, at DEBUG, until the block ends.

    SQLAlchemy says each row that it writes and reads: megabytes, and what is in them is searched in the tables as well.
    """
    temporary = folder / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    watch = Watch(temporary)
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in list(root.manager.loggerDict))]
    before = {logger: (logger.level, logger.disabled) for logger in loggers}
    for logger in loggers:
        if not logger.name.startswith(CONTROLLED_BY_US) and not logger.name.startswith("sqlalchemy"):
            logger.setLevel(logging.DEBUG)
            logger.disabled = False
    root.addHandler(watch)
    try:
        with warnings.catch_warnings(record=True, action="always") as warned:
            yield watch
        watch.told += [str(warning.message) for warning in warned]
    finally:
        root.removeHandler(watch)
        for logger, (level, is_disabled) in before.items():
            logger.setLevel(level)
            logger.disabled = is_disabled
