"""What a measurement found, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from bench.burst_sandbox import LIMIT_PER_SECOND, Booked, Counts


@dataclass(frozen=True, slots=True)
class Operation:
    """All calls of one kind within one step."""

    name: str
    count: int
    mean_milliseconds: float
    """Threads overlap: count times mean is more than what the step took."""


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step of the run."""

    name: str
    seconds: float
    own_cpu_seconds: float | None = None
    """Of the process that works on the orders; None where it cannot be told from others."""
    other_cpu_seconds: float | None = None
    """Of the sandbox and the database, which share the machine."""
    foremost_seconds: Mapping[str, float] = field(default_factory=dict)
    """What was under way, each moment counted once."""
    operations: Sequence[Operation] = ()


@dataclass(frozen=True, slots=True)
class Burst:
    """One measurement."""

    mode: str
    orders: int
    to_last_payment_seconds: float
    total_seconds: float
    """Until the store has been told, too."""
    steps: Sequence[StepFigures]
    counts: Counts
    booked: Booked
    load_average: float
    """Of the last minute, before the measurement began: what else the machine was busy with."""
    notes: Sequence[str] = ()

    @property
    def limit_seconds(self) -> float:
        """Return the time that Nextech's limit alone asks for."""
        return self.orders / LIMIT_PER_SECOND

    @property
    def ratio(self) -> float:
        """Return how many times the limit's time it took until the last payment was booked."""
        return self.to_last_payment_seconds / self.limit_seconds

    @property
    def is_exact(self) -> bool:
        """Say whether every order was booked once and none twice."""
        return self.booked.payments == self.orders and self.booked.doubled == 0


def median_of(bursts: Sequence[Burst]) -> Burst:
    """Return the measurement with the median ratio; of an even number, the slower of the two in the middle."""
    return sorted(bursts, key=lambda burst: burst.ratio)[len(bursts) // 2]


def show(console: Console, bursts: Sequence[Burst]) -> None:
    """Print the median measurement, and the ratios of all."""
    burst = median_of(bursts)
    console.print(
        f"{burst.mode}: {burst.orders} orders; last payment booked after {burst.to_last_payment_seconds:.1f} s, "
        f"limit {burst.limit_seconds:.1f} s, [bold]ratio {burst.ratio:.2f}[/bold]; everything after {burst.total_seconds:.1f} s"
    )
    if len(bursts) > 1:
        console.print(f"median of {len(bursts)}; all ratios: {', '.join(f'{one.ratio:.2f}' for one in bursts)}")
    console.print(
        f"booked {burst.booked.payments}, twice {burst.booked.doubled}; answers 429: {burst.counts.too_many}; "
        f"most requests in any second to one Nextech endpoint: {burst.counts.peak_per_second}; "
        f"load average before: {burst.load_average:.1f}"
    )
    for note in burst.notes:
        console.print(note)
    console.print(_steps(burst))
    console.print(_requests(burst))
    if any(step.foremost_seconds for step in burst.steps):
        console.print(_waits(burst))
        console.print(_operations(burst))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _steps(burst: Burst) -> Table:
    table = _table("Steps", "Step", "Seconds", "of the limit", "Own CPU s", "Sandbox and database CPU s")
    for step in burst.steps:
        share = f"{step.seconds / burst.limit_seconds:.2f}"
        table.add_row(
            step.name, _seconds(step.seconds), share, _seconds(step.own_cpu_seconds), _seconds(step.other_cpu_seconds)
        )
    return table


def _requests(burst: Burst) -> Table:
    table = _table("Requests", "Endpoint", "Answers", "Count", "an order")
    for endpoint, by_status in burst.counts.nextech.items():
        count = sum(by_status.values())
        answers = ", ".join(f"{status}: {number}" for status, number in by_status.items())
        table.add_row(f"Nextech {endpoint}", answers, str(count), f"{count / burst.orders:.3f}")
    for route, count in burst.counts.store.items():
        table.add_row(f"store {route}", "", str(count), f"{count / burst.orders:.3f}")
    return table


def _waits(burst: Burst) -> Table:
    steps = [step for step in burst.steps if step.foremost_seconds]
    table = _table("What was under way (seconds, each moment once)", "", *(step.name for step in steps))
    for name in steps[0].foremost_seconds:
        table.add_row(name, *(_seconds(step.foremost_seconds[name]) for step in steps))
    return table


def _operations(burst: Burst) -> Table:
    table = _table("Calls", "Step", "Call", "Count", "Mean ms")
    for step in burst.steps:
        for operation in step.operations:
            table.add_row(step.name, operation.name, str(operation.count), f"{operation.mean_milliseconds:.0f}")
    return table
