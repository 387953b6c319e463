"""The rate limit, and a count of everything that arrived, so that a test can ask for the worst second."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.nextech.switches import NextechSwitches

WINDOW_SECONDS = 1.0


@dataclass(slots=True)
class _Arrivals:
    last_second: deque[float] = field(default_factory=deque)
    peak: int = 0

    def note(self, instant: float) -> None:
        """Count an arrival into the second that slides behind it."""
        self.last_second.append(instant)
        while instant - self.last_second[0] >= WINDOW_SECONDS:
            self.last_second.popleft()
        self.peak = max(self.peak, len(self.last_second))


@dataclass(slots=True)
class Traffic:
    """What arrived, by endpoint, and what it was answered."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(endpoint, status or "none") to how often."""
    arrivals: dict[tuple[str, str], _Arrivals] = field(default_factory=dict)
    """(user, endpoint) to its arrivals."""
    windows: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(user, endpoint) to the second of its window and how many it let in."""

    def is_admitted(self, user: str, endpoint: str, now: datetime, switches: NextechSwitches) -> bool:
        """Note an arrival and say whether the limiter lets it in (section 5 #9)."""
        instant = now.timestamp()
        self.arrivals.setdefault((user, endpoint), _Arrivals()).note(instant)
        if switches.requests_per_second <= 0:
            return True
        key = (user, "" if switches.limit_per == "user" else endpoint)
        second, admitted = self.windows.get(key, (0, 0))
        admitted = admitted if second == int(instant) else 0
        if admitted >= switches.requests_per_second:
            return False
        self.windows[key] = (int(instant), admitted + 1)
        return True

    def answered(self, endpoint: str, status: int | None) -> None:
        """Count an answer; None is a request that never got one."""
        self.answers[(endpoint, str(status) if status is not None else "none")] += 1

    def peak(self, user: str | None = None) -> int:
        """Return the most requests that one user sent to one endpoint within any second."""
        return max((seen.peak for (who, _), seen in self.arrivals.items() if user in (None, who)), default=0)

    def described(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        counts: dict[str, dict[str, int]] = {}
        for (endpoint, status), number in sorted(self.answers.items()):
            counts.setdefault(endpoint, {})[status] = number
        peaks = [
            {"user": user, "endpoint": endpoint, "peak_per_second": seen.peak}
            for (user, endpoint), seen in sorted(self.arrivals.items())
        ]
        return {"answers": counts, "peaks": peaks, "peak_per_second": self.peak()}
