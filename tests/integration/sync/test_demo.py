"""Every situation of the demo, over real HTTP, on both databases: what the product did against what was expected by hand."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select

from order_sync.ledger.models import CaseRow, HistoryRow, OrderRow, PaymentRow
from order_sync.ledger.session import Ledger
from order_sync.statuses import OrderState
from sandbox.demo.practices import PRACTICES
from sandbox.demo.story import Situation
from sandbox.nextech.books import BookedPayment, practice_book
from sandbox.server import RunningSandbox
from tests.desks import sync_all


@dataclass(frozen=True)
class Ended:
    """How one order ended, seen from outside: the ledger's words, and what Nextech's own books hold for it."""

    status: str
    reason: str | None
    patient_id: str | None
    booked_cents: tuple[int, ...]
    booked_days: tuple[str, ...]


def posted_by_us(sandbox: RunningSandbox) -> list[BookedPayment]:
    return [row for practice_id in PRACTICES for row in practice_book(sandbox.nextech, practice_id).payments if row.origin == "api"]


def endings(sandbox: RunningSandbox, ledger: Ledger) -> dict[tuple[str, str], Ended]:
    booked = posted_by_us(sandbox)
    with ledger.transaction() as tx:
        orders = list(tx.session.scalars(select(OrderRow)))
        markers = {row.order_id: row.marker for row in tx.session.scalars(select(PaymentRow))}
    found = {}
    for order in orders:
        mine = [row for row in booked if order.id in markers and row.marker == markers[order.id]]
        found[order.practice_id, order.number] = Ended(
            status=order.public_status.value,
            reason=order.reason,
            patient_id=mine[0].patient_id if mine else None,
            booked_cents=tuple(row.amount_cents for row in mine),
            booked_days=tuple(row.business_day.isoformat() for row in mine),
        )
    return found


def expected_end(situation: Situation, patient_id: str | None) -> Ended:
    is_booked = situation.amount_cents is not None
    return Ended(
        status=situation.status,
        reason=situation.reason,
        patient_id=patient_id if situation.patient_id == "new" else situation.patient_id,
        booked_cents=(situation.amount_cents,) if is_booked else (),
        booked_days=(situation.business_day.isoformat(),) if is_booked else (),
    )


def test_every_situation_of_the_demo_ends_as_the_readme_says(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    ended = endings(sandbox, ledger)
    known = {patient.patient_id for patient in sandbox.world.demo.patients}
    situations = sandbox.world.situations
    assert len(situations) > 40
    differences = {}
    for situation in situations:
        for number in situation.order_numbers:
            found = ended[situation.practice_id, number]
            if situation.patient_id == "new":
                assert found.patient_id not in known, situation.name
            if found != expected_end(situation, found.patient_id):
                differences[situation.name, number] = (found, expected_end(situation, found.patient_id))
    assert differences == {}


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
    expected = Counter(
        (one.practice_id, one.amount_cents, one.business_day.isoformat())
        for one in sandbox.world.situations
        for _ in one.order_numbers
        if one.amount_cents is not None
    )
    booked = Counter(
        (practice_id, row.amount_cents, row.business_day.isoformat())
        for practice_id in PRACTICES
        for row in practice_book(sandbox.nextech, practice_id).payments
        if row.origin == "api"
    )
    assert booked == expected


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
