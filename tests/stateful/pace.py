"""I8: how many requests leave for one endpoint within a second, all processes together (reliability R13)."""

from __future__ import annotations

from collections import Counter, deque

from tests.stateful.stage import InvariantError, Stage

REQUESTS_PER_SECOND = 4.0
"""So slow that a few orders would break it without a limiter."""
MOST_IN_A_SECOND = 5
"""One more: a request may leave anywhere within its own quarter of a second."""


class Pace:
    """Count what leaves, on the virtual clock.

    Counted as it leaves the client and not as it arrives: a process that is frozen between the two comes late, and no
    limiter can help that.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.peaks: Counter[str] = Counter()
        self._last_second: dict[str, deque[float]] = {}

    def note(self, endpoint: str) -> None:
        """Count a request; more of them in any second than the server would let in end the schedule."""
        now = self.stage.clock.monotonic()
        left = self._last_second.setdefault(endpoint, deque())
        left.append(now)
        while left[0] <= now - 1.0:
            left.popleft()
        self.peaks[endpoint] = max(self.peaks[endpoint], len(left))
        if len(left) > MOST_IN_A_SECOND:
            self.stage.fail(InvariantError(f"I8: {len(left)} requests in a second: {endpoint}"))
