"""Two runs at once for one practice, over real sockets, on both databases: each payment once."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import select

from order_sync.errors import LedgerBusyError, PermanentError, TransientError
from order_sync.extract import extract_orders
from order_sync.ledger.models import OrderRow
from order_sync.ledger.orders import find_orders_by_number
from order_sync.ledger.session import Ledger
from order_sync.match import match_patients
from order_sync.resolve import choose_patient
from order_sync.statuses import OrderState
from sandbox.nextech.books import practice_book
from sandbox.nextech.faults import Effect, Fault
from sandbox.server import RunningSandbox
from sandbox.world import SandboxOptions
from tests.desks import demo_practices, open_desk, sync
from tests.worlds import PAY

ORDERS = 30


@pytest.fixture
def loaded() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(is_empty=True, load={"eastern": ORDERS})) as running:
        yield running


def orders(ledger: Ledger) -> list[OrderRow]:
    with ledger.transaction() as tx:
        return list(tx.session.scalars(select(OrderRow)))


def booked(sandbox: RunningSandbox) -> Counter[str | None]:
    return Counter(row.marker for row in practice_book(sandbox.nextech, "eastern").payments if row.origin == "api")


def sync_at_once(sandbox: RunningSandbox, ledger: Ledger, desks: int) -> None:
    """Sync with so many desks at the same time, in small batches, so that they meet; one may find the other at work."""
    start = threading.Barrier(desks)
    small = {"posting": demo_practices()["eastern"].posting.model_copy(update={"batch_size": 4})}

    def run(number: int) -> None:
        with open_desk(sandbox, ledger, "eastern", settings=small) as desk:
            start.wait()
            with suppress(TransientError):
                sync(desk, holder=f"desk {number}")

    with ThreadPoolExecutor(desks) as pool:
        list(pool.map(run, range(desks)))


def test_two_desks_at_once_book_each_payment_once(loaded: RunningSandbox, ledger: Ledger):
    with open_desk(loaded, ledger, "eastern") as desk:
        extract_orders(desk, holder="test")
        match_patients(desk)
    sync_at_once(loaded, ledger, 2)
    with open_desk(loaded, ledger, "eastern") as desk:
        sync(desk)
    assert {row.state for row in orders(ledger)} == {OrderState.CONFIRMED}
    assert booked(loaded) == dict.fromkeys(booked(loaded), 1)
    assert len(booked(loaded)) == ORDERS


def test_two_desks_at_once_send_nothing_twice_while_answers_are_lost(loaded: RunningSandbox, ledger: Ledger):
    loaded.nextech.faults.plant(Fault(Effect.FAILED_EXECUTED, method="POST", route=PAY, probability=0.3))
    for _ in range(3):
        sync_at_once(loaded, ledger, 2)
    assert not [marker for marker, count in booked(loaded).items() if count > 1]
    loaded.nextech.faults.clear()
    for _ in range(2):
        with open_desk(loaded, ledger, "eastern") as desk:
            sync(desk)
    assert len(booked(loaded)) == ORDERS
    assert set(booked(loaded).values()) == {1}
    assert {row.state for row in orders(ledger)} == {OrderState.CONFIRMED}


def test_of_eight_people_who_pick_at_once_only_the_first_is_remembered(sandbox: RunningSandbox, ledger: Ledger):
    with open_desk(sandbox, ledger, "eastern") as desk:
        sync(desk)
    situation = next(one for one in sandbox.world.situations if one.reason == "duplicated_customer")
    with open_desk(sandbox, ledger, situation.practice_id) as desk:
        sync(desk)
        with ledger.transaction() as tx:
            [row] = find_orders_by_number(tx, situation.practice_id, situation.order_numbers[0])
        charts = [chart.patient_id for chart in practice_book(sandbox.nextech, situation.practice_id).patients][:8]
        start = threading.Barrier(8)

        def pick(patient_id: str) -> str | None:
            start.wait()
            try:
                return choose_patient(desk, row.id, patient_id, actor="somebody").patient_id
            except (LedgerBusyError, PermanentError):
                return None

        with ThreadPoolExecutor(8) as pool:
            won = [found for found in pool.map(pick, charts) if found is not None]
        assert len(won) == 1
        sync(desk)
        with ledger.transaction() as tx:
            [after] = find_orders_by_number(tx, situation.practice_id, situation.order_numbers[0])
        assert (after.state, after.patient_id) == (OrderState.CONFIRMED, won[0])
