"""Requests leave evenly paced, per user and endpoint, and never more in a second than the server allows."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.clients.limiter import PacedLimiter, SharedLimiter
from tests.clocks import FakeClock


class CountingSlots:
    """Slots that several limiters share, as a database would hand them out."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.free_at = 0.0
        self.counts: list[int] = []

    def reserve(self, _key: str, count: int, interval_seconds: float) -> float:
        self.counts.append(count)
        first_at = max(self.clock.monotonic(), self.free_at)
        self.free_at = first_at + count * interval_seconds
        return first_at - self.clock.monotonic()


def peak(instants: list[float], seconds: float = 1.0) -> int:
    return max(sum(start <= other < start + seconds for other in instants) for start in instants)


def test_a_burst_is_spread_so_that_no_second_holds_more_than_the_limit(clock: FakeClock) -> None:
    limiter = PacedLimiter(19.0, clock)
    left = []
    for _ in range(200):
        limiter.acquire("svc", "GET /Patient")
        left.append(clock.monotonic())
    assert peak(left) <= 20
    assert left[-1] - left[0] == pytest.approx(199 / 19, rel=0.01)


@given(st.lists(st.floats(0, 2), min_size=30, max_size=120), st.integers(0, 2**32))
def test_whatever_the_pauses_and_late_wake_ups_no_second_holds_more_than_the_limit(pauses: list[float], seed: int) -> None:
    rng = random.Random(seed)

    class Drowsy(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds + rng.choice([0, 0, 0.001, 0.03, 0.2]))

    clock = Drowsy()
    slots = CountingSlots(clock)
    limiters = [SharedLimiter(slots, 19.0, clock), SharedLimiter(slots, 19.0, clock, block=4), PacedLimiter(19.0, clock)]
    for limiter in (limiters[:2], limiters[2:]):
        left = []
        for pause in pauses:
            clock.advance(seconds=pause if pause > 1.5 else 0)
            rng.choice(limiter).acquire("svc", "GET /Patient")
            left.append(clock.monotonic())
        assert peak(left) <= 20


def test_users_and_endpoints_do_not_wait_for_each_other(clock: FakeClock) -> None:
    limiter = PacedLimiter(1.0, clock)
    for user, endpoint in (("a", "GET /Patient"), ("a", "GET /Location"), ("b", "GET /Patient")):
        limiter.acquire(user, endpoint)
    assert clock.slept == []
    limiter.acquire("a", "GET /Patient")
    assert clock.slept == [pytest.approx(1.0)]


def test_a_busy_process_asks_for_blocks_and_an_idle_one_for_single_slots(clock: FakeClock) -> None:
    slots = CountingSlots(clock)
    limiter = SharedLimiter(slots, 19.0, clock, block=8)
    for _ in range(23):
        limiter.acquire("svc", "GET /Patient")
    assert slots.counts == [1, 2, 4, 8, 8]

    clock.advance(seconds=10)
    slots.counts.clear()
    limiter.acquire("svc", "GET /Patient")
    assert slots.counts == [1]


def test_threads_share_the_pace() -> None:
    lock = threading.Lock()

    class Steady(FakeClock):
        def sleep(self, seconds: float) -> None:
            with lock:
                self.advance(seconds=seconds)

    steady = Steady()
    began = steady.monotonic()
    limiter = PacedLimiter(10.0, steady)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: limiter.acquire("svc", "GET /Patient"), range(50)))
    assert steady.monotonic() - began >= 49 / 10 - 0.2


@pytest.mark.parametrize(("rate", "block"), [(0, 8), (-1, 8), (float("nan"), 8), (float("inf"), 8), (19, 0)])
def test_a_limit_that_is_none_is_refused(rate: float, block: int, clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="positive"):
        SharedLimiter(CountingSlots(clock), rate, clock, block=block)
