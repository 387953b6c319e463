"""What a task needs to know of the run that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

SYNC_ORDERS = "sync_orders"
"""The DAG whose rights are the rights on the Orders pages."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the DAG."""

    run_id: str
    started_at: datetime
    is_dry: bool
    """Say what would be done, and write nothing."""
    params: Mapping[str, object] = field(default_factory=dict)
    """What the person who triggered it asked for."""
    run_after: datetime | None = None
    """From when it was to run: a run whose tasks are cleared starts anew, and this stays."""
    try_number: int = 1
    """Of the task that asks."""

    @property
    def asked_at(self) -> datetime:
        """Return the instant after which whatever was made may have been made by this run."""
        return self.run_after or self.started_at


def current_run() -> Run:
    """Return the run of the task that is being executed."""
    from airflow.sdk import get_current_context

    context = get_current_context()
    dag_run = context["dag_run"]
    return Run(
        run_id=dag_run.run_id,
        started_at=dag_run.start_date or datetime.now(UTC),
        is_dry=bool(context["params"].get("dry_run", False)),
        params=dict(context["params"]),
        run_after=dag_run.run_after,
        try_number=context["ti"].try_number,
    )
