"""Read Airflow's connections, and say in one line what is missing (design section 10)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import URL

from order_sync.desk import Keys
from order_sync.errors import SettingsError

if TYPE_CHECKING:
    from airflow.sdk import Connection

LEDGER = "sync_db"
KEYS = "order_sync_keys"
_SHORTEST_KEY = 32
_DRIVERS = {"postgres": "postgresql+psycopg2", "postgresql": "postgresql+psycopg2", "sqlite": "sqlite"}


def read_connection(connection_id: str) -> Connection:
    """Return an Airflow connection; raises `SettingsError` naming the one that is missing, or whose extra is no JSON object."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection: Connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        variable = f"AIRFLOW_CONN_{connection_id.upper()}"
        msg = (
            f"connection {connection_id} is missing or cannot be read; set it in Airflow (Admin, Connections) or as {variable}"
        )
        raise SettingsError(msg) from None
    if connection.extra and not _is_object(connection.extra):
        msg = f"connection {connection_id}, field extra: must be a JSON object"
        raise SettingsError(msg)
    return connection


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def read_extra(connection: Connection, field: str) -> str:
    """Return a required text field of a connection's extra; raises `SettingsError` naming connection and field."""
    value = connection.extra_dejson.get(field)
    if not isinstance(value, str) or not value:
        msg = f"connection {connection.conn_id}, extra field {field}: missing"
        raise SettingsError(msg)
    return value


def ledger_url() -> URL:
    """Return the SQLAlchemy URL of our own database from the connection `sync_db`."""
    connection = read_connection(LEDGER)
    kind = connection.conn_type
    if not kind or (kind not in _DRIVERS and not kind.startswith(("postgresql+", "sqlite+"))):
        msg = f"connection {LEDGER}: {kind!r} is no database of the ledger; use PostgreSQL or SQLite"
        raise SettingsError(msg)
    return URL.create(
        drivername=_DRIVERS.get(kind, kind),
        username=connection.login,
        password=connection.password,
        host=(connection.host or None) if kind != "sqlite" else None,
        port=connection.port,
        # Where the path of a SQLite file ends up is a matter of who parsed the URL: Airflow's server or its task SDK.
        database=connection.schema or (connection.host if kind == "sqlite" else None),
        query={name: str(value) for name, value in connection.extra_dejson.items()},
    )


def read_keys() -> Keys:
    """Return the two secrets; raises `SettingsError` when one is missing, short, or the same as the other."""
    connection = read_connection(KEYS)
    marker, customer = connection.password or "", read_extra(connection, "customer_key")
    if min(len(marker), len(customer)) < _SHORTEST_KEY or marker == customer:
        msg = (
            f"connection {KEYS}: password and extra field customer_key must be different,"
            f" and at least {_SHORTEST_KEY} characters each"
        )
        raise SettingsError(msg)
    return Keys(marker=marker.encode(), customer=customer.encode())
