"""A clock that a test moves by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stand in for the machine's clock: time passes only when a test, or `sleep`, says so."""

    def __init__(self, start: datetime = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let this much time pass, on both of its faces."""
        passed = timedelta(seconds=seconds, minutes=minutes, hours=hours)
        self._now += passed
        self._monotonic += passed.total_seconds()

    def set(self, instant: datetime) -> None:
        """Set the wall clock, backwards too; the monotonic one goes on."""
        self._now = instant
