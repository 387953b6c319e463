"""Every situation of the demo, over real HTTP, on both databases: what the product did against what was expected by hand."""

from collections import Counter

from sqlalchemy import select

from order_sync.ledger.models import CaseRow, HistoryRow, OrderRow
from order_sync.ledger.session import Ledger
from order_sync.statuses import OrderState
from sandbox.server import RunningSandbox
from tests.desks import sync_all
from tests.endings import bookings, endings, expected_bookings, posted_by_us, unexpected_endings


def test_every_situation_of_the_demo_ends_as_the_readme_says(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    assert len(sandbox.world.situations) > 40
    assert unexpected_endings(sandbox, ledger) == {}


def test_every_order_of_the_stores_is_somebodys_situation(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    told = {(one.practice_id, number) for one in sandbox.world.situations for number in one.order_numbers}
    assert set(endings(sandbox, ledger)) == told


def test_a_refund_made_before_the_posting_is_a_case_beside_the_synced_order(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    with ledger.transaction() as tx:
        open_reasons = {(row.practice_id, row.order_number, row.reason) for row in tx.session.scalars(select(CaseRow))}
    expected = {
        (one.practice_id, number, reason)
        for one in sandbox.world.situations
        for number in one.order_numbers
        for reason in one.also
    }
    assert expected
    assert expected <= open_reasons


def test_nothing_is_booked_that_no_situation_expects(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    assert bookings(sandbox) == expected_bookings(sandbox)


def test_a_second_sync_posts_nothing_and_changes_nothing(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    before, books = endings(sandbox, ledger), posted_by_us(sandbox)
    with ledger.transaction() as tx:
        steps = len(list(tx.session.scalars(select(HistoryRow.id))))
    writes = writes_seen(sandbox)
    sync_all(sandbox, ledger)
    assert endings(sandbox, ledger) == before
    assert posted_by_us(sandbox) == books
    assert writes_seen(sandbox) == writes
    with ledger.transaction() as tx:
        assert len(list(tx.session.scalars(select(HistoryRow.id)))) == steps


def writes_seen(sandbox: RunningSandbox) -> dict[tuple[str, str], int]:
    counted: Counter[tuple[str, str]] = Counter()
    for practice_id, shop in sandbox.shops.items():
        for (method, template, _), count in shop.requests.items():
            if method != "GET":
                counted[practice_id, f"{method} {template}"] += count
    return dict(counted)


def test_the_stores_know_where_their_orders_stand(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    slugs = {"Synced": "synced", "Not Synced": "not_synced", "Disabled": "disabled", "Waiting for Sync": "waiting_for_sync"}
    with ledger.transaction() as tx:
        orders = list(tx.session.scalars(select(OrderRow)))
    for order in orders:
        shop = sandbox.shops[order.practice_id]
        if order.practice_id == "arizona":
            comments = [row["comment"] or "" for row in shop.order(order.entity_id).histories]
            assert sum(order.public_status.value in comment for comment in comments) == 1, order.number
            assert not any(row.get("is_customer_notified") == 1 for row in shop.order(order.entity_id).histories)
        else:
            assert shop.sync_rows[order.entity_id]["status"] == slugs[order.public_status.value], order.number


def test_the_ledger_holds_no_patient_data(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    secrets = set()
    for patient in sandbox.world.demo.patients:
        secrets |= {patient.last, patient.email, patient.mobile, patient.birth_date}
    secrets = {text.casefold() for text in secrets if text and len(text) > 4}
    with ledger.transaction() as tx:
        rows = []
        for table in OrderRow.metadata.sorted_tables:
            rows += [repr(tuple(row)).casefold() for row in tx.session.execute(select(table))]
    text = "\n".join(rows)
    assert len(text) > 10_000
    assert [secret for secret in secrets if secret in text] == []


def test_no_order_is_left_between_two_steps(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    resting = {
        OrderState.CONFIRMED,
        OrderState.QUEUED,
        OrderState.WAITING,
        OrderState.NOTHING_TO_POST,
        OrderState.DISABLED,
    }
    with ledger.transaction() as tx:
        assert {row.state for row in tx.session.scalars(select(OrderRow))} == resting
