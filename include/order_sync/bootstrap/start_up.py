"""Say before a run begins what would make it unsafe: settings that nobody looks at again once they are wrong.

The rules are those of reliability 5.3 that fit the design. A rule that only some kinds of installation have to keep is
asked for by `ORDER_SYNC_ENV=production`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from order_sync import crash_points
from order_sync.bootstrap.connections import read_keys
from order_sync.bootstrap.desks import load_all_practices, open_ledger
from order_sync.clock import Clock, SystemClock
from order_sync.errors import SettingsError
from order_sync.ledger.session import Ledger

if TYPE_CHECKING:
    from airflow.sdk import DAG

logger = logging.getLogger(__name__)

ENVIRONMENT_VARIABLE = "ORDER_SYNC_ENV"
PRODUCTION = "production"
LONGEST_TASK = timedelta(minutes=15)
"""A task must end before the next tick (reliability 5.3)."""
LARGEST_SKEW = timedelta(minutes=2)
"""Between this machine's clock and the database's; beyond it a warning is logged, nothing is refused."""
_SIMPLE_AUTH_MANAGER = "SimpleAuthManager"

ReadOption = Callable[[str, str], str | None]
"""Return an option of Airflow's configuration by section and name."""


def assert_ready(
    dag: DAG | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    read_option: ReadOption | None = None,
    clock: Clock | None = None,
) -> None:
    """Raise `SettingsError` with one clear line for the first setting that makes a run unsafe (reliability 5.3).

    Checks the DAG when it is given, Airflow's options, the practices file with its time zones, the keys, and the
    ledger's database with its schema. What belongs to one practice's connections is checked where that practice is
    opened, so that a wrong one holds up no other. Logs a warning when the two clocks are more than two minutes apart.
    """
    is_production = is_production_named_by(environment)
    require_unwatched(is_production=is_production)
    if dag is not None:
        require_safe_dag(dag)
    require_safe_options(read_option or _airflow_option, is_production=is_production)
    load_all_practices()
    read_keys()
    with open_ledger() as ledger:
        require_safe_database(ledger, is_production=is_production)
        warn_of_skew(ledger, (clock or SystemClock()).now)


def is_production_named_by(environment: Mapping[str, str]) -> bool:
    """Say whether ORDER_SYNC_ENV is `production`; raises `SettingsError` for anything but that, `sandbox` or nothing."""
    named = environment.get(ENVIRONMENT_VARIABLE, "")
    if named not in ("", "sandbox", PRODUCTION):
        msg = f"environment variable {ENVIRONMENT_VARIABLE}: must be {PRODUCTION}, sandbox or not set"
        raise SettingsError(msg)
    return named == PRODUCTION


def require_unwatched(*, is_production: bool) -> None:
    """Raise `SettingsError` when a test watches this process in production: it could stop it in the middle of a payment."""
    if is_production and crash_points.is_watched():
        msg = "this process is watched at its crash points: only tests may do that"
        raise SettingsError(msg)


def require_safe_dag(dag: DAG) -> None:
    """Raise `SettingsError` when a DAG catches up, or has a task that may outlast a tick or logs what it returns."""
    if dag.catchup:
        msg = f"DAG {dag.dag_id}: catchup must be False: a missed run's orders are taken up by the next one"
        raise SettingsError(msg)
    for task in dag.tasks:
        where = f"DAG {dag.dag_id}, task {task.task_id}"
        timeout = _argument(task, "execution_timeout")
        if not isinstance(timeout, timedelta) or timeout >= LONGEST_TASK:
            msg = f"{where}: execution_timeout must be less than 15 minutes"
            raise SettingsError(msg)
        if _argument(task, "show_return_value_in_logs", absent=False) is not False:
            msg = f"{where}: show_return_value_in_logs must be False"
            raise SettingsError(msg)


def _argument(task: object, name: str, *, absent: object = None) -> object:
    """Return a task's argument, also of one that is mapped and has not been expanded; sensors lack some."""
    partial = getattr(task, "partial_kwargs", None)
    if isinstance(partial, dict):
        told: object = partial.get(name, partial.get("default_args", {}).get(name, absent))
        return told
    return getattr(task, name, absent)


def require_safe_options(read_option: ReadOption, *, is_production: bool) -> None:
    """Raise `SettingsError` when Airflow would send lineage outside, or lets anybody in in production."""
    if _has_lineage() and not _is_true(read_option("openlineage", "disabled")):
        msg = "Airflow option [openlineage] disabled: must be True while the OpenLineage provider is installed"
        raise SettingsError(msg)
    if is_production and (read_option("core", "auth_manager") or _SIMPLE_AUTH_MANAGER).endswith(_SIMPLE_AUTH_MANAGER):
        msg = "Airflow option [core] auth_manager: the simple auth manager is for trials; production needs FAB or another"
        raise SettingsError(msg)


def _has_lineage() -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version("apache-airflow-providers-openlineage")
    except PackageNotFoundError:
        return False
    return True


def _is_true(value: str | None) -> bool:
    return (value or "").strip().lower() in ("true", "t", "1", "yes", "on")


def _airflow_option(section: str, name: str) -> str | None:
    from airflow.sdk.configuration import conf

    value: str | None = conf.get(section, name, fallback=None)
    return value


def require_safe_database(ledger: Ledger, *, is_production: bool) -> None:
    """Raise `SettingsError` for SQLite in production, and for a PostgreSQL whose commits may be lost."""
    if ledger.engine.dialect.name == "sqlite":
        if is_production:
            msg = "connection sync_db: SQLite is for trials; production needs PostgreSQL"
            raise SettingsError(msg)
        return
    with ledger.engine.connect() as connection:
        told = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("synchronous_commit", "fsync")}
    if is_production or told["fsync"] == "on":  # a server without fsync is a test's: its data need not survive
        for name, value in told.items():
            if value == "off":
                msg = f"connection sync_db: PostgreSQL's {name} is off: a posting's intent could be lost; switch it on"
                raise SettingsError(msg)


def warn_of_skew(ledger: Ledger, now: Callable[[], datetime]) -> timedelta:
    """Return how far this machine's clock is from the database's; log a warning when it is more than two minutes."""
    with ledger.transaction() as tx:
        skew = abs(now() - tx.now)
    if skew > LARGEST_SKEW:
        logger.warning("this machine's clock is %d s away from the database's: set both by NTP", skew.total_seconds())
    return skew
