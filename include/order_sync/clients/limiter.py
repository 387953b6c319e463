"""Stay under a rate limit that counts per user and endpoint, within one process or across all of them.

Requests leave evenly paced, never in bursts: a window of the server's own, wherever it begins, then never holds more
than the rate (Nextech contract section 2: 20 requests a second, per user and per endpoint; reliability R13).
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import Protocol

from order_sync.clock import Clock, SystemClock


class Limiter(Protocol):
    """Make the caller wait until it may send."""

    def acquire(self, user: str, endpoint: str) -> None:
        """Block until one request of this user to this endpoint ("GET /Patient") may leave."""
        ...


class SlotSource(Protocol):
    """Hand out places in time; whoever keeps the last one in a shared place paces several processes together."""

    def reserve(self, key: str, count: int, interval_seconds: float) -> float:
        """Reserve `count` consecutive slots; return in how many seconds from now the first begins (0 or more)."""
        ...


@dataclass(slots=True)
class _Lease:
    """The slots of one key that this process holds and has not used."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    """Monotonic instant at which the next held slot begins."""
    left: int = 0
    size: int = 1


class SharedLimiter:
    """Pace requests on slots that a `SlotSource` hands out in blocks, so that not every request asks it.

    A slot is good for its own interval: a caller that wakes up later than that has lost it and takes the next one, so
    no more than one request falls into any interval, and no more than `rate_per_second` rounded up into any second.
    The block grows from 1 to `block` while slots are used up in time: a process with little to do wastes none.
    """

    def __init__(self, slots: SlotSource, rate_per_second: float, clock: Clock, *, block: int = 8) -> None:
        """Raise `ValueError` for a rate or block that is not positive."""
        if not (rate_per_second > 0 and math.isfinite(rate_per_second)) or block < 1:
            msg = "a limiter needs a positive rate and block"
            raise ValueError(msg)
        self._slots = slots
        self._interval_seconds = 1.0 / rate_per_second
        self._clock = clock
        self._block = block
        self._leases: dict[str, _Lease] = {}
        self._leases_lock = threading.Lock()

    def acquire(self, user: str, endpoint: str) -> None:
        """Block until one request of this user to this endpoint may leave."""
        key = f"{user} {endpoint}"
        with self._leases_lock:
            lease = self._leases.setdefault(key, _Lease())
        while True:
            with lease.lock:
                slot_at = self._take(key, lease)
            wait_seconds = slot_at - self._clock.monotonic()
            if wait_seconds > 0:
                self._clock.sleep(wait_seconds)
            if self._clock.monotonic() < slot_at + self._interval_seconds:
                return

    def _take(self, key: str, lease: _Lease) -> float:
        now = self._clock.monotonic()
        if now >= lease.next_at + self._interval_seconds:
            lease.size = 1
        while lease.left and now >= lease.next_at + self._interval_seconds:
            lease.left -= 1
            lease.next_at += self._interval_seconds
        if not lease.left:
            delay_seconds = self._slots.reserve(key, lease.size, self._interval_seconds)
            # Measured after the answer: a slow source must not make its slots look earlier than they are.
            lease.next_at = self._clock.monotonic() + max(0.0, delay_seconds)
            lease.left = lease.size
            lease.size = min(self._block, lease.size * 2)
        slot_at = lease.next_at
        lease.left -= 1
        lease.next_at += self._interval_seconds
        return slot_at


class _OwnSlots:
    """The slots of this process alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def reserve(self, key: str, count: int, interval_seconds: float) -> float:
        with self._lock:
            now = self._clock.monotonic()
            first_at = max(now, self._free_at.get(key, now))
            self._free_at[key] = first_at + count * interval_seconds
            return first_at - now


class PacedLimiter(SharedLimiter):
    """Pace the requests of this process by itself; thread-safe, no bursts."""

    def __init__(self, rate_per_second: float = 18.0, clock: Clock | None = None) -> None:
        """Pace to so many requests a second per user and endpoint."""
        clock = clock or SystemClock()
        super().__init__(_OwnSlots(clock), rate_per_second, clock, block=1)
