"""Everything that is needed to work on one practice's orders, handed to each use case as one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from order_sync.clients.nextech import NextechClient
from order_sync.clients.store import StoreClient
from order_sync.clock import Clock
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Keys:
    """The two secrets; never printed, never rotated without keeping the old ones (design section 10)."""

    marker: bytes = field(repr=False)
    customer: bytes = field(repr=False)


class FanOut(Protocol):
    """Apply a function to every item and return the results in the items' order."""

    def __call__(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Do the work; what it raises is raised."""
        ...


def one_by_one(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the work in order, in this thread: for simulations, which must repeat to the letter."""
    return [work(item) for item in items]


@dataclass(frozen=True, slots=True)
class Threads:
    """Do the work in up to `count` threads."""

    count: int

    def __call__(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Apply `work` to every item; the first error is raised after all of them have ended."""
        if len(items) < 2 or self.count < 2:  # noqa: PLR2004 - a single item needs no thread
            return one_by_one(work, items)
        with ThreadPoolExecutor(max_workers=min(self.count, len(items))) as pool:
            return list(pool.map(work, items))


class Progress(Protocol):
    """Hear how far a sweep is."""

    def __call__(self, step: str, done: int, /) -> None:
        """Note that `done` more orders went through `step`."""
        ...


def no_progress(_step: str, _done: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One practice, its two systems, the ledger, the keys and the clock."""

    practice: Practice
    store: StoreClient
    nextech: NextechClient
    ledger: Ledger
    keys: Keys
    clock: Clock
    fan_out: FanOut
    progress: Progress = no_progress
    ends_at: float | None = None
    """On the monotonic clock: sweeps take up nothing new after this, so that a hanging system ends a task, not a timeout."""

    @property
    def is_out_of_time(self) -> bool:
        """Say whether a sweep should take up nothing new."""
        return self.ends_at is not None and self.clock.monotonic() >= self.ends_at


def batches(items: Iterable[T], size: int) -> list[list[T]]:
    """Cut items into lists of at most `size`."""
    everything = list(items)
    return [everything[start : start + size] for start in range(0, len(everything), size)]
