"""One clock for all processes of a cell, that a test sets forward: hours pass in no time, for those that are frozen as well."""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_FORM = struct.Struct("d")


class TimeMachine:
    """The machine's clock and so many seconds, which stand in a file that every process maps."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_FORM.pack(0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _FORM.size)
        self.path = path

    @property
    def seconds(self) -> float:
        """How far everybody is ahead."""
        return float(_FORM.unpack(self._shared[:])[0])

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._shared[:] = _FORM.pack(value)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass for everybody, at once."""
        self.seconds += seconds
