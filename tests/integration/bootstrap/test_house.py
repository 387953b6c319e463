"""The house of the Orders pages: one ledger and a practice's clients for the whole process, and what it does in trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from order_sync.bootstrap import house as houses
from order_sync.bootstrap.house import AirflowHouse
from order_sync.clients.patience import ImpatientTransport, patience
from order_sync.errors import LoginRefusedError, OrderSyncError, SettingsError, SourceUnavailableError, TransientError
from order_sync.ledger.cases import open_cases
from order_sync.ledger.session import Ledger
from order_sync.resources import PRACTICES_FILE
from sandbox.nextech.faults import Effect, Fault
from sandbox.server import RunningSandbox
from tests.integration.bootstrap.written import PRACTICE, Connections

pytestmark = pytest.mark.airflow


@pytest.fixture
def house(connections: Connections, sandbox: RunningSandbox) -> Iterator[AirflowHouse]:  # noqa: ARG001 - it reads them
    house = AirflowHouse()
    yield house
    house.close()
    sandbox.nextech.faults.faults.clear()


def logins(sandbox: RunningSandbox) -> int:
    """Count how often anybody asked for a token."""
    return sum(count for (endpoint, _), count in sandbox.nextech.traffic.answers.items() if "token" in endpoint)


class TestPractices:
    def test_a_change_of_the_file_is_seen_by_the_next_page(self, house: AirflowHouse, practices_file: Path):
        written = yaml.safe_load(PRACTICES_FILE.read_text(encoding="utf-8"))
        practices_file.write_text(yaml.safe_dump(written), encoding="utf-8")
        before = house.practices()
        assert house.practices() is before, "an unchanged file is not read again"
        written["practices"][0]["staff"] = ["front.desk"]
        practices_file.write_text(yaml.safe_dump(written), encoding="utf-8")
        assert house.practices()[0].staff == ("front.desk",)

    def test_a_file_that_is_wrong_or_gone_is_named(self, house: AirflowHouse, practices_file: Path):
        practices_file.write_text("practices: [{}]", encoding="utf-8")
        with pytest.raises(SettingsError, match=r"practices\.yaml"):
            house.practices()
        practices_file.unlink()
        with pytest.raises(SettingsError, match=r"practices\.yaml"):
            house.practices()

    def test_a_practice_that_is_not_there_is_named(self, house: AirflowHouse):
        with pytest.raises(SettingsError, match="there is no practice northern"), house.open_desk("northern"):
            pass


class TestLedger:
    def test_every_page_gets_the_same_one(self, house: AirflowHouse):
        with ThreadPoolExecutor(8) as pool:
            assert len({id(ledger) for ledger in pool.map(lambda _: house.ledger, range(16))}) == 1

    def test_an_old_schema_is_said_and_forgotten_once_it_is_new(self, house: AirflowHouse, ledger: Ledger):
        def is_at(revision: str) -> None:
            with ledger.engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})

        with ledger.engine.connect() as connection:
            right = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        is_at("0001")
        for _ in range(2):
            with pytest.raises(SettingsError, match="older than this code"):
                _ = house.ledger
        is_at(right)
        with house.ledger.transaction() as tx:
            assert tx.now.tzinfo is not None

    def test_after_a_failure_the_schema_is_looked_at_again(self, house: AirflowHouse, ledger: Ledger):
        trusted = house.ledger
        with ledger.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert house.ledger is trusted, "looking costs a query, and nothing has failed"
        with pytest.raises(OperationalError), trusted.transaction() as tx:
            tx.session.execute(text("SELECT * FROM a_table_of_the_next_release"))
        with pytest.raises(SettingsError, match="newer than this code"):
            _ = house.ledger

    def test_a_database_that_is_away_is_said_without_its_address(self, connections: Connections):
        connections.write_text("sync_db", "postgresql+psycopg2://ours:a-secret@127.0.0.1:1/order_sync")
        house = AirflowHouse()
        began = time.monotonic()
        with pytest.raises(TransientError, match=r"does not answer \(OperationalError\); try again") as raised:
            _ = house.ledger
        assert time.monotonic() - began < houses.CONNECT_SECONDS + 5
        assert "a-secret" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None

    def test_another_database_is_met_when_the_old_one_fails(self, connections: Connections, ledger: Ledger):
        connections.write_text("sync_db", "postgresql+psycopg2://ours@127.0.0.1:1/order_sync")
        house = AirflowHouse()
        with pytest.raises(TransientError):
            _ = house.ledger
        connections.write_text("sync_db", ledger.engine.url.render_as_string(hide_password=False))
        with house.ledger.transaction() as tx:
            assert tx.now.tzinfo is not None
        house.close()


class TestDesks:
    def test_one_login_serves_every_page(self, house: AirflowHouse, sandbox: RunningSandbox):
        before = logins(sandbox)
        for _ in range(3):
            with house.open_desk(PRACTICE) as desk:
                desk.nextech.check()
        assert logins(sandbox) == before + 1

    def test_a_wrong_password_is_tried_once_and_not_by_every_page(
        self, house: AirflowHouse, sandbox: RunningSandbox, connections: Connections
    ):
        connections.write(f"nextech_{PRACTICE}", password="not-the-password")
        before = logins(sandbox)
        for _ in range(3):
            with pytest.raises(LoginRefusedError), house.open_desk(PRACTICE) as desk:
                desk.nextech.check()
        assert logins(sandbox) == before + 1, "a few more would lock the practice's account"

    def test_settings_that_have_changed_are_met_by_new_clients_while_the_old_ones_finish(
        self, house: AirflowHouse, connections: Connections
    ):
        right = connections.fields(f"nextech_{PRACTICE}")
        with house.open_desk(PRACTICE) as before:
            connections.write(f"nextech_{PRACTICE}", password="not-the-password")
            with house.open_desk(PRACTICE) as after:
                assert after.nextech is not before.nextech
                with pytest.raises(LoginRefusedError):
                    after.nextech.check()
            before.nextech.check()
        connections.write(f"nextech_{PRACTICE}", **right)
        with house.open_desk(PRACTICE) as again:
            again.nextech.check()

    def test_a_wrong_setting_becomes_a_row_of_the_queue(self, house: AirflowHouse, connections: Connections, ledger: Ledger):
        connections.remove(f"store_{PRACTICE}")
        with pytest.raises(SettingsError, match=f"store_{PRACTICE}"), house.open_desk(PRACTICE):
            pass
        with ledger.transaction() as tx:
            [row] = open_cases(tx, PRACTICE)
        assert row.reason == "settings_wrong"

    @pytest.mark.parametrize("error", [RuntimeError("a bug"), SourceUnavailableError("away", system="store", route="GET /")])
    def test_a_page_that_fails_gives_its_clients_back(self, house: AirflowHouse, error: Exception):
        with pytest.raises(type(error)), house.open_desk(PRACTICE):
            raise error
        assert [kept.users for kept in house._clients._kept.values()] == [0]


class TestPatience:
    @pytest.fixture(autouse=True)
    def _short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(houses, "PATIENCE_SECONDS", 1.0)

    @pytest.mark.parametrize("effect", [Effect.HUNG, Effect.DRIPPED])
    def test_a_nextech_that_hangs_holds_a_page_no_longer_than_a_person_waits(
        self, house: AirflowHouse, sandbox: RunningSandbox, effect: Effect
    ):
        with house.open_desk(PRACTICE) as desk:
            desk.nextech.check()
        sandbox.nextech.faults.plant(Fault(effect, method="GET"))
        began = time.monotonic()
        with pytest.raises(SourceUnavailableError), house.open_desk(PRACTICE) as desk:
            desk.nextech.check()
        assert time.monotonic() - began < 10, "three tries of thirty seconds each, otherwise"

    def test_threads_of_a_page_share_its_patience(self, house: AirflowHouse, sandbox: RunningSandbox):
        with house.open_desk(PRACTICE) as desk:
            desk.nextech.check()
        sandbox.nextech.faults.plant(Fault(Effect.HUNG, method="GET"))
        began = time.monotonic()
        with pytest.raises(OrderSyncError), house.open_desk(PRACTICE) as desk:
            desk.fan_out(lambda _: desk.nextech.check(), range(4))
        assert time.monotonic() - began < 15

    def test_what_is_sent_once_keeps_its_own_deadline(self, house: AirflowHouse):
        """The ledger believes in it: a payment given up early would look as if its outcome were known."""
        seen = []

        class Inner:
            def handle_request(self, request: object) -> None:
                seen.append(request.extensions["deadline_at"])

        import httpx

        transport = ImpatientTransport(Inner(), house.clock)
        with patience(house.clock, 1.0):
            for extensions in ({"deadline_at": 1e12}, {"deadline_at": 1e12, "is_fresh": True}):
                transport.handle_request(httpx.Request("POST", "https://nextech.example", extensions=extensions))
        assert seen[0] < house.clock.monotonic() + 2
        assert seen[1] == 1e12


def test_pages_that_cannot_be_built_do_not_end_the_api_server(monkeypatch: pytest.MonkeyPatch):
    from fastapi.testclient import TestClient

    from order_sync.bootstrap import pages

    def fail(*_: object) -> None:
        raise RuntimeError("half a deployment")

    monkeypatch.setattr("order_sync.web.app.create_app", fail)
    pages.create_pages.cache_clear()
    with TestClient(pages.create_pages()) as browser:
        answers = [browser.get("/"), browser.post("/orders/1/send")]
    pages.create_pages.cache_clear()
    assert {(answer.status_code, "the sync goes on" in answer.text.lower()) for answer in answers} == {(503, True)}


def test_so_many_visitors_at_once_leave_airflow_its_threads():
    import anyio
    from anyio.from_thread import start_blocking_portal

    from order_sync.bootstrap.pages import Crowd

    inside, most = 0, 0

    async def slow(_scope: object, _receive: object, _send: object) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await anyio.sleep(0.01)
        inside -= 1

    async def visit_all() -> None:
        crowd = Crowd(slow, most=3)
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(crowd, {"type": "http"}, None, None)

    with start_blocking_portal() as portal:  # in a thread of its own: a browser of another test may have a loop in this one
        portal.call(visit_all)
    assert (most, inside, threading.active_count() >= 1) == (3, 0, True)
