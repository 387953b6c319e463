"""The connection `sync_db`: any SQLAlchemy URL of PostgreSQL or SQLite, and a schema that belongs to the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from order_sync.bootstrap.connections import ledger_url
from order_sync.bootstrap.desks import open_ledger
from order_sync.errors import SettingsError
from order_sync.ledger.session import Ledger
from tests.integration.bootstrap.written import Connections

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("postgresql+psycopg2://ours@/order_sync?host=/run/pg", "postgresql+psycopg2://ours@/order_sync?host=%2Frun%2Fpg"),
        ("postgresql://ours:p%40ss@db:5433/order_sync", "postgresql+psycopg2://ours:p%40ss@db:5433/order_sync"),
        ("postgres://ours@db/order_sync?sslmode=require", "postgresql+psycopg2://ours@db/order_sync?sslmode=require"),
        ("sqlite:////var/lib/order_sync.db", "sqlite:////var/lib/order_sync.db"),
        (
            json.dumps({"conn_type": "postgres", "host": "db", "login": "ours", "password": "p@ss", "schema": "order_sync"}),
            "postgresql+psycopg2://ours:p%40ss@db/order_sync",
        ),
        (json.dumps({"conn_type": "sqlite", "host": "/var/lib/order_sync.db"}), "sqlite:////var/lib/order_sync.db"),
    ],
)
def test_the_ledger_may_be_named_by_url_or_by_fields(written: str, read: str, connections: Connections):
    connections.write_text("sync_db", written)
    assert ledger_url().render_as_string(hide_password=False) == read


@pytest.mark.parametrize("written", ["mysql://ours:a-secret@db/order_sync", "http://db", ""])
def test_another_kind_of_database_is_refused_in_one_line(written: str, connections: Connections):
    connections.write_text("sync_db", written)
    with pytest.raises(SettingsError, match=r"^connection sync_db") as raised:
        ledger_url()
    assert "a-secret" not in str(raised.value)


def test_a_missing_ledger_is_named(connections: Connections):
    connections.remove("sync_db")
    with pytest.raises(SettingsError, match="AIRFLOW_CONN_SYNC_DB"), open_ledger():
        pass


@pytest.mark.usefixtures("connections")
class TestSchema:
    @pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
    def database(self, request: pytest.FixtureRequest) -> str:
        return request.param

    def test_a_ledger_with_the_codes_schema_is_opened(self):
        with open_ledger() as opened, opened.transaction() as tx:
            assert tx.now.tzinfo is not None

    def test_a_ledger_with_an_old_schema_is_refused_with_what_to_run(self, ledger: Ledger):
        with ledger.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        with pytest.raises(SettingsError, match=r"at 0001, older than this code .* run `python -m order_sync"), open_ledger():
            pass

    def test_a_ledger_of_a_newer_release_is_refused(self, ledger: Ledger):
        with ledger.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SettingsError, match="newer than this code"), open_ledger():
            pass


def test_an_empty_database_is_refused_with_what_to_run(connections: Connections, tmp_path: Path):
    connections.write_text("sync_db", f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SettingsError, match=r"no tables yet: run `python -m order_sync.ledger.migrate"), open_ledger():
        pass
