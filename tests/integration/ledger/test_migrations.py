"""The schema: its four standard tests on both databases, and the command that brings it up to date."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from pytest_alembic.tests import (
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

import order_sync
from order_sync.errors import SettingsError
from order_sync.ledger.columns import LedgerTable
from order_sync.ledger.migrate import (
    configuration,
    current_revision,
    is_current,
    main,
    migrate,
    newest_revision,
    require_current,
)
from order_sync.ledger.models import OrderRow
from order_sync.ledger.session import open_engine

__all__ = ["test_model_definitions_match_ddl", "test_single_head_revision", "test_up_down_consistency", "test_upgrade"]


@pytest.fixture
def alembic_config() -> Config:
    return configuration()


@pytest.fixture
def alembic_engine(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def test_every_constraint_has_the_name_that_the_models_give_it(alembic_engine: Engine, empty_url: str):
    migrate(empty_url)
    found = inspect(alembic_engine)
    for table in LedgerTable.metadata.sorted_tables:
        named = {str(constraint.name) for constraint in table.constraints}
        in_database = {
            found.get_pk_constraint(table.name)["name"],
            *(key["name"] for key in found.get_foreign_keys(table.name)),
            *(key["name"] for key in found.get_unique_constraints(table.name)),
            *(check["name"] for check in found.get_check_constraints(table.name)),
        }
        assert in_database == named


def test_every_check_allows_the_values_that_the_models_allow(alembic_engine: Engine, empty_url: str):
    migrate(empty_url)
    for table in LedgerTable.metadata.sorted_tables:
        checks = {check["name"]: check["sqltext"] for check in inspect(alembic_engine).get_check_constraints(table.name)}
        for column in table.columns:
            values = getattr(column.type, "enums", None)
            if values:
                sql = checks[f"ck_{table.name}_{column.name}"]
                assert sql.count("'") == 2 * len(values)
                assert all(f"'{value}'" in sql for value in values)


def test_four_processes_that_start_at_once_migrate_once(alembic_engine: Engine, empty_url: str):
    command = [sys.executable, "-m", "order_sync.ledger.migrate", empty_url]
    environment = os.environ | {"PYTHONPATH": str(Path(order_sync.__file__).parents[1])}
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = [process.communicate()[0] for process in processes]
    assert told == [f"ledger: schema is at revision {newest_revision()}\n"] * 4
    assert is_current(alembic_engine)


def test_an_upgrade_that_fails_leaves_nothing_behind(alembic_engine: Engine, empty_url: str):
    with alembic_engine.begin() as connection:
        connection.execute(text("CREATE TABLE status_outbox (in_the_way INTEGER)"))
    with pytest.raises((OperationalError, ProgrammingError), match="status_outbox"):
        migrate(empty_url)
    assert inspect(alembic_engine).get_table_names() == ["status_outbox"]


def test_foreign_keys_hold_again_after_a_migration(alembic_engine: Engine, alembic_runner):
    alembic_runner.migrate_up_to("heads")
    orphan = text("INSERT INTO order_history (order_id, at, to_state, actor) VALUES (1, '2026-03-10', 'received', 'sync')")
    with alembic_engine.connect() as connection, pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        connection.execute(orphan)


def test_an_empty_database_is_not_current_and_the_error_says_what_to_run(alembic_engine: Engine):
    assert not is_current(alembic_engine)
    with pytest.raises(SettingsError, match=r"no tables yet: run `python -m order_sync\.ledger\.migrate"):
        require_current(alembic_engine)


def test_an_older_schema_is_named_with_the_command_that_mends_it(alembic_engine: Engine, alembic_runner):
    alembic_runner.migrate_up_to("0001")
    with pytest.raises(SettingsError, match="0001, older than this code"):
        require_current(alembic_engine)


def test_a_newer_schema_asks_for_the_release_that_belongs_to_it(alembic_engine: Engine, empty_url: str):
    migrate(empty_url)
    require_current(alembic_engine)
    with alembic_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="9999, newer than this code"):
        require_current(alembic_engine)


def test_migrating_twice_changes_nothing_and_keeps_the_rows(alembic_engine: Engine, empty_url: str):
    migrate(empty_url)
    with alembic_engine.begin() as connection:
        connection.execute(text("INSERT INTO claims (name, holder, until) VALUES ('a', 'b', '2026-03-10')"))
    migrate(empty_url)
    with alembic_engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM claims")).scalar_one() == 1
    assert current_revision(alembic_engine) == newest_revision()


def test_the_command_prints_one_line(empty_url: str, capsys: pytest.CaptureFixture[str]):
    assert main([empty_url]) == 0
    assert capsys.readouterr().out == f"ledger: schema is at revision {newest_revision()}\n"


def test_the_command_takes_the_url_from_the_environment(
    empty_url: str, alembic_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ORDER_SYNC_DB_URL", empty_url)
    assert main([]) == 0
    assert inspect(alembic_engine).has_table(OrderRow.__tablename__)


@pytest.mark.parametrize("url", ["no url", "sqlite:////no/such/folder/secret.db", "nonsense://user:secret@host/db"])
def test_a_command_that_fails_says_so_without_the_url(url: str, capsys: pytest.CaptureFixture[str]):
    assert main([url]) == 1
    told = capsys.readouterr().err
    assert told.startswith("ledger: not migrated")
    assert "secret" not in told


def test_a_command_without_a_database_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("ORDER_SYNC_DB_URL", raising=False)
    with pytest.raises(SystemExit):
        main([])
    assert "set ORDER_SYNC_DB_URL" in capsys.readouterr().err
