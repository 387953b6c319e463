"""`make sync` from the inside: the connections are those of Airflow, a table comes at the end, and the exit code tells."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from launch.environment import connections
from launch.keys import load_or_make_keys
from launch.plan import LaunchPlan
from order_sync import command_line
from order_sync.desk import Desk
from order_sync.ledger.models import OrderRow, RestoreRow
from order_sync.ledger.session import Ledger
from order_sync.statuses import OrderState
from sandbox.server import RunningSandbox
from sandbox.store.faults import Effect, Fault

pytestmark = pytest.mark.airflow


@pytest.fixture
def console(sandbox: RunningSandbox, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    plan = LaunchPlan(tmp_path / "home", sandbox_port=sandbox.port, smtp_port=sandbox.smtp_port)
    plan.home.mkdir()
    for name, value in connections(plan, load_or_make_keys(plan.home / "keys.json"), ledger_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ORDER_SYNC_PRACTICES", raising=False)
    return Console(file=io.StringIO(), width=120)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def database() -> str:
    """One database is enough here: what the ledger does on either is tested beside."""
    return "sqlite"


def test_orders_that_wait_for_a_person_are_listed_and_are_no_failure(console: Console):
    assert command_line.sync(console) == 0
    text = printed(console)
    for words in ("Biscayne Dermatology", "$1,313.18", "Duplicated customer", "Saguaro Dermatology: waiting for a person"):
        assert words in text, words


def test_a_practice_that_cannot_be_synced_is_a_failure_that_says_why_and_the_others_go_on(
    console: Console, sandbox: RunningSandbox
):
    shop = sandbox.shops["central"]
    shop.faults.add(Fault(effect=Effect.EXPIRED), shop.clock())
    assert command_line.sync(console) == 1
    text = printed(console)
    assert "central could not be synced: store: GET /V1/orders:" in text
    assert "eastern could not be synced" not in text
    assert "$1,313.18" in text
    assert "(whole practice)" in text


def test_a_commit_without_an_answer_stops_neither_the_other_steps_nor_the_other_practices(
    console: Console, monkeypatch: pytest.MonkeyPatch
):
    real = command_line.match_patients

    def lose_the_answer(desk: Desk) -> None:
        real(desk)
        if desk.practice.id == "central":
            raise OperationalError("UPDATE orders SET ...", {"detail": "secret"}, Exception("server closed the connection"))

    monkeypatch.setattr(command_line, "match_patients", lose_the_answer)
    assert command_line.sync(console) == 1
    text = " ".join(printed(console).split())
    assert "central could not be synced: our database: OperationalError; the next sync finishes what was begun" in text
    assert "eastern could not be synced" not in text
    assert "$1,313.18" in text
    assert "secret" not in text


def test_the_connections_can_be_tried_without_changing_anything(console: Console, sandbox: RunningSandbox):
    assert command_line.check(console) == 0
    assert printed(console).count("ok ") == 6
    shop = sandbox.shops["central"]
    shop.faults.add(Fault(effect=Effect.MAINTENANCE), shop.clock())
    assert command_line.check(console) == 1
    assert "NOT store_central: store: GET /V1/orders:" in printed(console)


def test_a_wrong_setting_is_one_line_and_no_stack_trace(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    wrong = tmp_path / "practices.yaml"
    wrong.write_text("practices: [{id: eastern, colour: blue}]")
    monkeypatch.setenv("ORDER_SYNC_PRACTICES", str(wrong))
    assert command_line.main(["sync"]) == 1
    assert capsys.readouterr().out.startswith("Settings: practices.yaml: practice eastern, field ")
    assert printed(console) == ""


def test_a_restore_is_declared_for_every_practice_and_says_until_when_orders_are_held(console: Console, ledger: Ledger):
    assert command_line.restored(console, None, by="dana") == 0
    text = printed(console)
    for practice_id in ("eastern", "central", "arizona"):
        assert f"{practice_id}: orders placed before now and not posted are held until" in text
    with ledger.transaction() as tx:
        rows = list(tx.session.scalars(select(RestoreRow)))
    assert {(row.practice_id, row.declared_by) for row in rows} == {
        (name, "dana") for name in ("eastern", "central", "arizona")
    }
    assert command_line.sync(console) == 0
    with ledger.transaction() as tx:
        orders = list(tx.session.scalars(select(OrderRow)))
    assert "held after a restore" in " ".join(row.detail or "" for row in orders)
    assert OrderState.CONFIRMED not in {row.state for row in orders}


@pytest.mark.usefixtures("console")
def test_a_restore_of_a_practice_that_does_not_exist_is_one_line(ledger: Ledger, capsys: pytest.CaptureFixture[str]):
    assert command_line.main(["restored", "--practice", "easter"]) == 1
    assert capsys.readouterr().out == "Settings: practices.yaml: there is no practice easter\n"
    assert command_line.main(["restored", "--practice", "eastern", "--by", "dana"]) == 0
    assert capsys.readouterr().out.startswith("eastern: orders placed before now")
    with ledger.transaction() as tx:
        assert [row.practice_id for row in tx.session.scalars(select(RestoreRow))] == ["eastern"]
