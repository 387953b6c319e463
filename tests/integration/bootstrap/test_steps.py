"""What the DAG's tasks do around the use cases: wait for practices, hand out failed orders once, keep dry runs dry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from order_sync.bootstrap import steps
from order_sync.bootstrap.runs import Run
from order_sync.errors import PermanentError, SettingsError
from order_sync.ledger.claims import finish_sweep, finished_sweeps, progress_of
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import Step, add_order
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.integration.bootstrap.written import Connections

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("connections")]

RUN_ID, PRACTICES = "manual__1", ("eastern", "central", "arizona")
StartRun = Callable[..., None]


@pytest.fixture
def start_run(monkeypatch: pytest.MonkeyPatch) -> StartRun:
    """Let the steps believe that they belong to a run."""

    def start(*, seconds_ago: float = 0, is_dry: bool = False, try_number: int = 1) -> None:
        run = Run(RUN_ID, datetime.now(UTC) - timedelta(seconds=seconds_ago), is_dry, try_number=try_number)
        monkeypatch.setattr(steps, "current_run", lambda: run)

    start()
    return start


def finish(ledger: Ledger, *practice_ids: str) -> None:
    with ledger.transaction() as tx:
        for practice_id in practice_ids:
            finish_sweep(tx, RUN_ID, practice_id)


def fail_order(ledger: Ledger, practice_id: str, entity_id: int) -> str:
    with ledger.transaction() as tx:
        row = OrderRow(
            practice_id=practice_id,
            entity_id=entity_id,
            number=f"{entity_id:09d}",
            store_id=1,
            placed_at=tx.now,
            business_day=tx.now.date(),
            store_updated_at=tx.now,
            store_state="processing",
            content_hash="",
            amount_cents=4861,
            refunded_cents=0,
        )
        return add_order(tx, row, Step(OrderState.QUEUED, Reason.NAME_DIFFERS, "last name")).number


@pytest.mark.usefixtures("start_run")
def test_failed_orders_are_listed_when_the_run_is_through_with_every_practice(ledger: Ledger):
    number = fail_order(ledger, "central", 7)
    finish(ledger, "eastern", "central")
    assert steps.list_failed_orders() is None
    finish(ledger, "arizona")
    assert steps.list_failed_orders() == [
        {"practice_id": "central", "order_number": number, "reason": "Name differs: last name"}
    ]


def test_a_practice_that_hangs_is_waited_for_no_longer_than_the_setting_says(
    ledger: Ledger, start_run: StartRun, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ORDER_SYNC_WAIT_FOR_PRACTICES_SECONDS", "60")
    fail_order(ledger, "central", 7)
    finish(ledger, "central", "arizona")
    start_run(seconds_ago=50)
    assert steps.list_failed_orders() is None
    start_run(seconds_ago=61)
    assert len(steps.list_failed_orders() or []) == 1


@pytest.mark.usefixtures("start_run")
def test_an_order_is_handed_out_once_until_it_fails_anew(ledger: Ledger):
    fail_order(ledger, "central", 7)
    finish(ledger, *PRACTICES)
    assert len(steps.list_failed_orders() or []) == 1
    assert steps.list_failed_orders() == []


def test_a_list_that_died_before_airflow_had_it_is_made_again_by_the_next_try(ledger: Ledger, start_run: StartRun):
    number = fail_order(ledger, "central", 7)
    start_run(seconds_ago=-5)
    finish(ledger, *PRACTICES)
    earlier_run = steps.list_failed_orders()
    assert [order["order_number"] for order in earlier_run or []] == [number]
    start_run(seconds_ago=-5, try_number=2)
    assert steps.list_failed_orders() == [], "an earlier run has them"
    start_run(seconds_ago=5, try_number=2)
    assert steps.list_failed_orders() == earlier_run


@pytest.mark.usefixtures("start_run")
def test_what_is_too_much_for_one_run_waits_for_the_next(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(steps, "MOST_ORDERS_A_RUN", 2)
    for entity_id in range(1, 6):
        fail_order(ledger, "eastern", entity_id)
    finish(ledger, *PRACTICES)
    handed_out = [len(steps.list_failed_orders() or []) for _ in range(4)]
    assert handed_out == [2, 2, 1, 0]
    assert "3 more failed orders wait for the next run" in caplog.text


def test_a_dry_run_hands_out_nothing_and_touches_nothing(ledger: Ledger, start_run: StartRun, connections: Connections):
    fail_order(ledger, "eastern", 1)
    start_run(is_dry=True)
    connections.remove("store_eastern")  # so that opening the practice would fail
    assert steps.list_failed_orders() == []
    assert [step("eastern") for step in (steps.match_patients, steps.post_payments, steps.mark_status)] == [0, 0, 0]
    with ledger.transaction() as tx:
        assert finished_sweeps(tx, RUN_ID) == frozenset()
    start_run()
    finish(ledger, *PRACTICES)
    assert len(steps.list_failed_orders() or []) == 1


@pytest.mark.usefixtures("start_run")
def test_the_run_is_through_with_a_practice_also_when_its_store_cannot_be_told(ledger: Ledger, connections: Connections):
    connections.remove("store_eastern")
    with pytest.raises(SettingsError, match="store_eastern"):
        steps.mark_status("eastern")
    with ledger.transaction() as tx:
        assert finished_sweeps(tx, RUN_ID) == {"eastern"}


@pytest.mark.usefixtures("start_run")
def test_when_a_practice_was_last_synced_is_known(ledger: Ledger, connections: Connections):
    steps.mark_status("eastern")
    with ledger.transaction() as tx:
        synced_at = progress_of(tx, "eastern").synced_at
    connections.remove("store_eastern")
    with pytest.raises(SettingsError, match="store_eastern"):
        steps.mark_status("eastern")
    with ledger.transaction() as tx:
        assert progress_of(tx, "eastern").synced_at == synced_at is not None


def test_the_practices_are_those_of_the_file_that_the_environment_names(practices_file: Path):
    with pytest.raises(SettingsError, match=r"^practices.yaml: cannot be read"):
        steps.list_practices()
    practices_file.write_text("practices: [{id: eastern, colour: blue}]")
    with pytest.raises(SettingsError, match=r"^practices.yaml: practice eastern, field "):
        steps.list_practices()


def test_a_run_with_a_red_task_is_red():
    with pytest.raises(PermanentError, match="red tasks say which"):
        steps.report_failures()
