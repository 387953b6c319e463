"""Compute the environment in which every process runs: pure, so that the demo, the tests and docker-compose agree.

What is decided here is the policy (no examples, no calls to the outside, small worker counts); where things are comes in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from launch.keys import Keys
from launch.plan import REPOSITORY, LaunchPlan
from sandbox.demo.practices import NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PRACTICES

ADMIN_NAME = "admin"
ADMIN_PASSWORD = "sandbox"  # noqa: S105 - of the demo, on loopback only, printed at the start
DEMO_ROLES: Mapping[str, str] = {ADMIN_NAME: "admin", "desk": "user", "viewer": "viewer"}
"""Login to its role of the simple auth manager, all with the same password: who may act, and who may only look."""
MAIL_SENDER = "order-sync@practice.example"

COMMENT_WRITERS = frozenset({"arizona"})
"""The practices whose store has no status module: statuses go there as order comments."""

POLICY: Mapping[str, str] = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "8",
    "AIRFLOW__API__WORKERS": "1",
    # A login ends with the working day: the pages show patients.
    "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": "28800",
    "AIRFLOW__API__EXPOSE_CONFIG": "False",
    "AIRFLOW__API__EXPOSE_STACKTRACE": "False",
    "AIRFLOW__API__ENABLE_SWAGGER_UI": "False",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__OPENLINEAGE__DISABLED": "True",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "SCARF_ANALYTICS": "false",
    "PYTHONUNBUFFERED": "1",
}
"""Settings that hold wherever the project runs; docker-compose.yaml repeats them, and a test compares."""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where Airflow keeps its own state and where we keep the ledger: two databases, apart."""

    airflow: str
    order_sync: str


def environment(plan: LaunchPlan, keys: Keys, urls: DatabaseUrls) -> dict[str, str]:
    """Return every variable that the plan's processes need, the connections of its practices included."""
    return {
        **POLICY,
        **_places(plan),
        **_airflow_database(urls.airflow),
        **_security(plan, keys),
        **connections(plan, keys, urls.order_sync),
        **plan.settings,
    }


def _places(plan: LaunchPlan) -> dict[str, str]:
    return {
        "PYTHONPATH": str(REPOSITORY / "include"),
        "ORDER_SYNC_PRACTICES": str(plan.practices_file),
        "ORDER_SYNC_REPORTS_URL": f"{plan.airflow_url}/orders-app/reports",
        "AIRFLOW_HOME": str(plan.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(plan.dags_folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plan.plugins_folder),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{plan.airflow_port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(plan.airflow_port),
        "AIRFLOW__API__BASE_URL": plan.airflow_url,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(plan.logs / "tasks"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(plan.logs / "dag-processor"),
    }


def _airflow_database(url: str) -> dict[str, str]:
    """Name the database twice: Airflow's async engine needs an async driver, and its own guess is a matter of its version."""
    asynchronous = url.replace("postgresql+psycopg2://", "postgresql+asyncpg://").replace("sqlite://", "sqlite+aiosqlite://")
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": asynchronous}


def _security(plan: LaunchPlan, keys: Keys) -> dict[str, str]:
    return {
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__FERNET_KEY": keys.fernet_key,
        "AIRFLOW__API__SECRET_KEY": keys.session_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt_secret,
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{login}:{role}" for login, role in DEMO_ROLES.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(plan.airflow_home / "passwords.json"),
    }


def connections(plan: LaunchPlan, keys: Keys, order_sync_url: str) -> dict[str, str]:
    """Return the connections of design section 10 as AIRFLOW_CONN_ variables, pointing at the sandbox.

    All are JSON but `sync_db`, which is the SQLAlchemy URL itself, as an operator would give it.
    """
    named: dict[str, dict[str, object]] = {
        "order_sync_keys": {
            "conn_type": "generic",
            "password": keys.marker_key,
            "extra": {"customer_key": keys.customer_key},
        },
        "smtp_default": {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": plan.smtp_port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": MAIL_SENDER},
        },
    }
    for practice in plan.practices:
        named[f"store_{practice}"] = _store(plan, practice)
        named[f"nextech_{practice}"] = _nextech(plan, practice)
    described = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in named.items()}
    return {"AIRFLOW_CONN_SYNC_DB": order_sync_url, **described}


def _store(plan: LaunchPlan, practice: str) -> dict[str, object]:
    return {
        "conn_type": "http",
        "host": f"{plan.sandbox_url}/store/{practice}",
        "password": PRACTICES[practice].store_token,
        "extra": {"auth": "bearer", "status_writer": "comment" if practice in COMMENT_WRITERS else "module"},
    }


def _nextech(plan: LaunchPlan, practice: str) -> dict[str, object]:
    return {
        "conn_type": "http",
        "host": f"{plan.sandbox_url}/nextech/api",
        "login": PRACTICES[practice].nextech_user,
        "password": PRACTICES[practice].nextech_password,
        "extra": {
            "token_url": f"{plan.sandbox_url}/nextech/oauth2/token",
            "client_id": NEXTECH_CLIENT_ID,
            "resource": NEXTECH_RESOURCE,
            "practice_id": PRACTICES[practice].practice_guid,
        },
    }
