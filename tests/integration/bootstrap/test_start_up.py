"""What makes a run unsafe is said before it begins, in one line (reliability 5.3)."""

from __future__ import annotations

import logging
import runpy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from order_sync.bootstrap import start_up, steps
from order_sync.bootstrap.start_up import assert_ready, require_safe_dag, require_safe_database, require_safe_options
from order_sync.errors import SettingsError
from order_sync.ledger.session import Ledger, open_engine
from tests.clocks import FakeClock
from tests.integration.bootstrap.written import Connections

pytestmark = pytest.mark.airflow

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
PRODUCTION = {"ORDER_SYNC_ENV": "production"}


def options(**told: str) -> Callable[[str, str], str | None]:
    return lambda section, name: told.get(f"{section}__{name}")


def dag(*, catchup: bool = False, **task: Any) -> Any:
    right = {"task_id": "post", "execution_timeout": timedelta(minutes=13), "show_return_value_in_logs": False}
    return SimpleNamespace(dag_id="sync_orders", catchup=catchup, tasks=[SimpleNamespace(**{**right, **task})])


@pytest.mark.usefixtures("connections")
def test_a_sandbox_that_is_set_up_right_is_ready():
    assert_ready(dag(), environment={}, read_option=options(core__auth_manager=SIMPLE))
    assert_ready(environment={"ORDER_SYNC_ENV": "sandbox"})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (dag(catchup=True), "catchup must be False"),
        (dag(execution_timeout=None), "task post: execution_timeout must be less than 15 minutes"),
        (dag(execution_timeout=timedelta(minutes=15)), "task post: execution_timeout"),
        (dag(show_return_value_in_logs=True), "task post: show_return_value_in_logs must be False"),
        (dag(partial_kwargs={"execution_timeout": timedelta(hours=1)}), "task post: execution_timeout"),
        (
            dag(partial_kwargs={"default_args": {"execution_timeout": timedelta(1), "show_return_value_in_logs": False}}),
            "task post: execution_timeout",
        ),
    ],
)
def test_a_dag_that_is_not_safe_is_named_with_its_task(wrong: Any, named: str):
    with pytest.raises(SettingsError, match=named) as raised:
        require_safe_dag(wrong)
    assert str(raised.value).startswith("DAG sync_orders")
    assert "\n" not in str(raised.value)


@pytest.mark.filterwarnings("ignore")  # Airflow's own providers import what Airflow deprecates
def test_the_projects_own_dag_is_safe():
    module = runpy.run_path(str(Path(__file__).resolve().parents[3] / "dags" / "sync_orders.py"))
    dag = module["sync_orders"]()
    require_safe_dag(dag)
    dag.catchup = True
    with pytest.raises(SettingsError, match="catchup"):
        require_safe_dag(dag)


def test_lineage_is_refused_while_its_provider_is_installed(monkeypatch: pytest.MonkeyPatch):
    require_safe_options(options(), is_production=False)
    monkeypatch.setattr(start_up, "_has_lineage", lambda: True)
    with pytest.raises(SettingsError, match=r"\[openlineage\] disabled: must be True"):
        require_safe_options(options(openlineage__disabled="False"), is_production=False)
    require_safe_options(options(openlineage__disabled="True"), is_production=False)


@pytest.mark.parametrize("told", [{"core__auth_manager": SIMPLE}, {}])
def test_the_simple_auth_manager_is_refused_in_production_only(told: dict[str, str]):
    require_safe_options(options(**told), is_production=False)
    require_safe_options(options(core__auth_manager=FAB), is_production=True)
    with pytest.raises(SettingsError, match=r"\[core\] auth_manager: the simple auth manager is for trials"):
        require_safe_options(options(**told), is_production=True)


@pytest.mark.usefixtures("connections")
def test_sqlite_is_refused_in_production():
    with pytest.raises(SettingsError, match="connection sync_db: SQLite is for trials"):
        assert_ready(environment=PRODUCTION, read_option=options(core__auth_manager=FAB))


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize("named", ["prod", "Production", "test"])
def test_a_kind_of_installation_that_nobody_knows_is_refused(named: str):
    with pytest.raises(SettingsError, match=r"ORDER_SYNC_ENV: must be production, sandbox or not set"):
        assert_ready(environment={"ORDER_SYNC_ENV": named})


@pytest.mark.parametrize(
    "spoilt",
    [{"password": None}, {"password": "short"}, {"extra": {"customer_key": None}}, {"extra": {"customer_key": "short"}}],
)
def test_a_key_that_is_missing_or_short_is_refused(spoilt: dict[str, Any], connections: Connections):
    connections.write("order_sync_keys", **spoilt)
    with pytest.raises(SettingsError, match=r"^connection order_sync_keys"):
        assert_ready(environment={})


def test_equal_keys_are_refused(connections: Connections):
    same = "a key of at least 32 characters: yes"
    connections.write("order_sync_keys", password=same, extra={"customer_key": same})
    with pytest.raises(SettingsError, match="must be different") as raised:
        assert_ready(environment={})
    assert same not in str(raised.value)


@pytest.mark.usefixtures("connections")
def test_a_time_zone_that_does_not_exist_is_refused_by_file_practice_and_field(practices_file: Path):
    from order_sync.resources import PRACTICES_FILE

    right = PRACTICES_FILE.read_text(encoding="utf-8")
    practices_file.write_text(right.replace("America/Chicago", "Chicago"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^practices.yaml: practice central, field time_zone"):
        steps.list_practices()


@pytest.mark.usefixtures("connections")
def test_an_old_schema_is_refused_before_the_run_begins(ledger: Ledger):
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(SettingsError, match="older than this code"):
        steps.list_practices()


@pytest.mark.usefixtures("connections")
def test_clocks_far_apart_are_a_warning_and_no_more(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, logger="order_sync"):
        assert_ready(environment={}, clock=FakeClock(datetime.now(UTC) - timedelta(seconds=100)))
        assert caplog.text == ""
        assert_ready(environment={}, clock=FakeClock(datetime.now(UTC) + timedelta(minutes=3)))
    assert "away from the database's" in caplog.text


@pytest.mark.postgres
class TestPostgres:
    @pytest.fixture
    def database(self) -> str:
        return "postgres"

    @pytest.fixture
    def durable(self, ledger_url: str) -> Iterator[Callable[[str], Ledger]]:
        """A ledger whose server says this of its commits; the tests' own server is never durable."""
        opened: list[Ledger] = []

        def told(value: str) -> Ledger:
            engine = open_engine(ledger_url)
            with engine.begin() as connection:
                name = engine.url.database
                connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = {value}'))
            engine.dispose()
            opened.append(Ledger(open_engine(ledger_url)))
            return opened[-1]

        yield told
        for ledger in opened:
            ledger.close()

    def test_commits_that_may_be_lost_are_refused(self, durable: Callable[[str], Ledger]):
        with pytest.raises(SettingsError, match="PostgreSQL's synchronous_commit is off"):
            require_safe_database(durable("off"), is_production=True)

    def test_a_server_that_writes_nothing_through_is_refused_in_production(self, durable: Callable[[str], Ledger]):
        with pytest.raises(SettingsError, match="PostgreSQL's fsync is off"):
            require_safe_database(durable("on"), is_production=True)

    def test_a_tests_own_server_is_let_through_but_not_in_production(self, durable: Callable[[str], Ledger]):
        ledger = durable("off")
        require_safe_database(ledger, is_production=False)
        with pytest.raises(SettingsError):
            require_safe_database(ledger, is_production=True)
