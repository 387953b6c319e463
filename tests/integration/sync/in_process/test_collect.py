"""What is read of both sides for a report: by nobody's word but theirs, complete, and without a patient's data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pandas as pd
import pytest

from order_sync.collect import Collected, collect_facts
from order_sync.desk import Desk
from order_sync.errors import IncompleteReadError, OrderSyncError, OutOfTimeError
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.refund_debt import settle_refunds
from sandbox.demo.characters import Person
from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.records import OrderRecord
from sandbox.store.refunds import refund
from tests.worlds import Between, SmallWorld

ORA = Person(EASTERN, 71, "Ora", "Castellan")
PAUL = Person(EASTERN, 72, "Paul", "Ostrander")
WEDNESDAY = day_of(date(2026, 11, 18))
NOVEMBER = month_of(date(2026, 11, 18))
C = DifferenceClass


@pytest.fixture
def known(empty: SmallWorld) -> SmallWorld:
    """Ora's and Paul's charts, no order yet."""
    empty.add_chart(ORA)
    empty.add_chart(PAUL)
    return empty


@pytest.fixture
def posted(known: SmallWorld) -> OrderRecord:
    """Ora's order of $106.39, posted on Wednesday."""
    record = known.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    known.run()
    return record


def collect(world: SmallWorld, period: Period = WEDNESDAY, desk: Desk | None = None) -> Collected:
    return collect_facts(desk or world.desk(), period)


def classes_of(facts: Facts, period: Period = WEDNESDAY) -> dict[str, set[str]]:
    """Return the classes of every line by its subject; that they tie is asserted inside."""
    lines = reconcile(facts, period, practice_id="eastern", as_of=pd.Timestamp("2026-11-30", tz="UTC"))
    found: dict[str, set[str]] = {}
    for subject, name in zip(lines["subject"], lines["class_"], strict=True):
        found.setdefault(subject, set()).add(name)
    return found


def chart_of(world: SmallWorld, name: str) -> str:
    [chart] = [book.patient_id for book in world.charts() if book.shown_name.startswith(name)]
    return chart


def test_a_posted_order_agrees_without_a_word_from_the_ledger(
    known: SmallWorld, posted: OrderRecord, new_ledger: Callable[[], Ledger]
):
    facts = collect(known, desk=known.desk(ledger=new_ledger())).facts
    assert facts.ledger.empty
    assert list(facts.orders["marker"]) == list(facts.entries["marker"])
    assert classes_of(facts) == {f"order:{posted.entity_id}": {"matched"}}


def test_a_day_without_orders_is_four_empty_frames(known: SmallWorld):
    facts = collect(known).facts
    assert [len(frame) for frame in (facts.orders, facts.memos, facts.entries, facts.ledger)] == [0, 0, 0, 0]
    assert classes_of(facts) == {}


def test_an_order_that_the_sync_never_saw_is_in_the_report(known: SmallWorld):
    record = known.place(ORA.buyer())
    assert classes_of(collect(known).facts) == {f"order:{record.entity_id}": {"never_seen"}}


@pytest.mark.usefixtures("posted")
def test_an_entry_that_names_no_order_of_the_store_is_proved_an_orphan(known: SmallWorld):
    chart = chart_of(known, "Castellan")
    orphan = known.staff("hand-payment", patient_id=chart, amount_cents=500, note="online order #999000111")
    by_hand = known.staff("hand-payment", patient_id=chart, amount_cents=700, note="card 12345678")
    facts = collect(known).facts
    assert facts.numbers_not_in_store == {"999000111"}
    found = classes_of(facts)
    assert (found[f"entry:{orphan}"], found[f"entry:{by_hand}"]) == ({"orphan"}, {"unlinked"})


def test_an_entry_of_the_period_brings_its_older_order_and_all_of_that_orders_money(known: SmallWorld):
    old = known.place(ORA.buyer(), basket=(("DRM-VITC-30", 1),))
    known.clock.advance(hours=24 * 10)
    chart = chart_of(known, "Castellan")
    half = known.staff("hand-payment", patient_id=chart, amount_cents=5_639, note=f"#{old.number}", business_day="2026-11-19")
    rest = known.staff("hand-payment", patient_id=chart, amount_cents=5_000, note=f"rest of {old.number}")
    later = day_of(date(2026, 11, 28))
    facts = collect(known, later).facts
    assert list(facts.orders["number"]) == [old.number]
    assert set(facts.entries["payment_id"]) == {half, rest}
    assert classes_of(facts, later) == {f"order:{old.entity_id}": {"split"}}


def test_a_second_posting_that_is_dated_elsewhere_is_found(known: SmallWorld, posted: OrderRecord):
    known.clock.advance(hours=24 * 12)
    known.staff(
        "hand-payment",
        patient_id=chart_of(known, "Ostrander"),
        amount_cents=10_639,
        note=known.payment().marker,
        business_day="2026-11-30",
    )
    assert classes_of(collect(known).facts) == {f"order:{posted.entity_id}": {"duplicate_posting"}}


def test_a_later_void_changes_the_days_report(known: SmallWorld, posted: OrderRecord):
    known.clock.advance(hours=24 * 9)
    known.staff("void", payment_id=known.payment().payment_id)
    known.run_after(hours=(24,))
    assert classes_of(collect(known).facts) == {f"order:{posted.entity_id}": {"voided"}}


def test_a_chart_that_was_merged_is_told_from_a_payment_on_the_wrong_one(known: SmallWorld, posted: OrderRecord):
    ora, paul = chart_of(known, "Castellan"), chart_of(known, "Ostrander")
    known.staff("merge", patient_id=ora, into=paul)
    facts = collect(known).facts
    assert list(facts.ledger["is_patient_known"]) == [False]
    assert classes_of(facts) == {f"order:{posted.entity_id}": {"patient_merged"}}


def test_a_payment_that_was_moved_to_another_chart_is_critical(known: SmallWorld, posted: OrderRecord):
    known.staff("void", payment_id=known.payment().payment_id)
    known.staff(
        "hand-payment", patient_id=chart_of(known, "Ostrander"), amount_cents=10_639, note=f"{known.payment().marker} moved"
    )
    facts = collect(known).facts
    assert list(facts.ledger["is_patient_known"]) == [True]
    assert classes_of(facts) == {f"order:{posted.entity_id}": {"wrong_patient"}}


def test_an_order_that_cannot_be_read_is_reported_with_its_payment_and_is_no_orphan(known: SmallWorld, posted: OrderRecord):
    other = known.place(PAUL.buyer())
    known.run()
    known.plant_in_store(StoreEffect.POISON, order_id=posted.entity_id)
    collected = collect(known)
    [entry, order] = collected.not_read
    assert order.subject == f"order:{posted.entity_id}"
    assert (entry.subject.split(":")[0], entry.number, entry.amount_cents) == ("entry", posted.number, 10_639)
    assert classes_of(collected.facts) == {f"order:{other.entity_id}": {"matched"}}


def test_a_credit_memo_whose_order_is_not_there_yet_is_reported(known: SmallWorld):
    record = known.place(ORA.buyer())
    refund(known.shop, record.entity_id, adjustment=Decimal(10))
    del known.shop.orders[record.entity_id]
    collected = collect(known)
    assert collected.facts.memos.empty
    [memo] = collected.not_read
    assert (memo.subject, memo.amount_cents) == ("memo:1", 1_000)


def test_a_refund_of_an_older_order_brings_the_order_and_its_payment(known: SmallWorld, posted: OrderRecord):
    known.clock.advance(hours=24 * 8)
    refund(known.shop, posted.entity_id, adjustment=Decimal(10))
    later = day_of(date(2026, 11, 26))
    facts = collect(known, later).facts
    assert list(facts.orders["number"]) == [posted.number]
    assert list(facts.memos["gateway_cents"]) == [1_000]
    assert list(facts.entries["amount_cents"]) == [10_639]
    assert classes_of(facts, later)[f"order:{posted.entity_id}"] >= {"refund_to_record"}


def test_a_refund_without_a_note_counts_once_its_case_was_settled(known: SmallWorld, posted: OrderRecord):
    refund(known.shop, posted.entity_id, adjustment=Decimal(10))
    known.clock.advance(minutes=5)
    payment_id = known.staff("refund", patient_id=chart_of(known, "Castellan"), amount_cents=1_000)
    before = classes_of(collect(known).facts)
    assert before[f"order:{posted.entity_id}"] == {"matched", "refund_to_record"}
    settle_refunds(known.desk(), holder="a test")
    facts = collect(known).facts
    assert facts.recorded_refunds == {payment_id: posted.entity_id}
    assert classes_of(facts) == {f"order:{posted.entity_id}": {"matched", "refund_recorded"}}


def test_an_offline_refund_counts_as_returned_once_staff_have_recorded_it(known: SmallWorld, posted: OrderRecord):
    refund(known.shop, posted.entity_id, adjustment=Decimal(10), is_offline=True)
    known.clock.advance(minutes=5)
    settle_refunds(known.desk(), holder="a test")
    assert classes_of(collect(known).facts) == {f"order:{posted.entity_id}": {"matched", "refunded_offline"}}
    known.staff("refund", patient_id=chart_of(known, "Castellan"), amount_cents=1_000, note=known.payment().marker)
    settle_refunds(known.desk(), holder="a test")
    assert classes_of(collect(known).facts) == {f"order:{posted.entity_id}": {"matched", "refund_recorded"}}


def test_other_store_views_orders_are_another_practices(known: SmallWorld):
    record = known.place(ORA.buyer())
    elsewhere = known.desk(settings={"store_ids": (record.row["store_id"] + 1,)})
    assert collect(known, desk=elsewhere).facts.orders.empty


def test_in_a_shared_nextech_other_locations_payments_are_left_to_them(known: SmallWorld, posted: OrderRecord):
    chart = chart_of(known, "Castellan")
    known.staff("hand-payment", patient_id=chart, amount_cents=700)
    settings = known.desk().practice.nextech.model_copy(update={"is_shared": True, "location_id": "77"})
    facts = collect(known, desk=known.desk(settings={"nextech": settings})).facts
    # Ours stays by its marker, although staff may have moved it to another location.
    assert list(facts.entries["amount_cents"]) == [10_639]
    refund(known.shop, posted.entity_id, adjustment=Decimal(10))  # its chart is read, and has the other location's payment
    facts = collect(known, desk=known.desk(settings={"nextech": settings})).facts
    assert list(facts.entries["amount_cents"]) == [10_639]


def nothing_found(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"resourceType": "Bundle", "type": "searchset", "total": 0})


def test_a_list_of_the_period_that_lacks_what_another_list_shows_is_no_report(known: SmallWorld, posted: OrderRecord):
    def blind_to_dates(request: httpx.Request) -> httpx.Request | httpx.Response:
        return nothing_found(request) if "payment-date" in request.url.params else request

    known.clock.advance(minutes=5)
    assert classes_of(collect(known).facts) == {f"order:{posted.entity_id}": {"matched"}}
    with pytest.raises(IncompleteReadError, match="lacks a payment"):
        collect(known, desk=known.desk(nextech_wrap=lambda inner: Between(inner, blind_to_dates)))


@pytest.mark.usefixtures("posted")
def test_a_nextech_that_shows_nothing_of_what_was_posted_is_no_report(known: SmallWorld):
    def blind(request: httpx.Request) -> httpx.Request | httpx.Response:
        is_payments = request.method == "GET" and request.url.path.endswith("/PaymentReconciliation")
        return nothing_found(request) if is_payments else request

    known.place(PAUL.buyer())
    known.run()
    known.run_after(minutes=(20,))
    desk = known.desk(nextech_wrap=lambda inner: Between(inner, blind))
    with pytest.raises(IncompleteReadError, match="none of the payments"):
        collect(known, desk=desk)


def test_a_payment_that_is_gone_while_others_are_there_is_lost(known: SmallWorld, posted: OrderRecord):
    gone = known.payment().payment_id
    other = known.place(PAUL.buyer())
    known.run()
    known.run_after(minutes=(20,))

    def forgetful(request: httpx.Request) -> httpx.Request:
        known.nextech.offices["eastern"].chart.payments.pop(gone, None)
        for rows in known.nextech.offices["eastern"].chart.payments_by_patient.values():
            rows[:] = [row for row in rows if row.payment_id != gone]
        return request

    facts = collect(known, desk=known.desk(nextech_wrap=lambda inner: Between(inner, forgetful))).facts
    assert classes_of(facts) == {f"order:{posted.entity_id}": {"lost_posting"}, f"order:{other.entity_id}": {"matched"}}


def test_the_months_report_holds_the_days(known: SmallWorld, posted: OrderRecord):
    facts = collect(known, NOVEMBER).facts
    assert classes_of(facts, NOVEMBER) == {f"order:{posted.entity_id}": {"matched"}}


def test_no_frame_holds_a_patients_data(demo: SmallWorld):
    demo.run()
    collected = collect(demo, NOVEMBER)
    secrets = {"castellan", "ostrander"}
    for patient in demo.sandbox.demo.patients:
        secrets |= {str(text).casefold() for text in (patient.last, patient.email, patient.mobile, patient.birth_date) if text}
    for record in demo.shop.orders.values():
        secrets |= {str(value).casefold() for key, value in record.row.items() if key.startswith("customer_") and value}
        secrets |= {
            str(record.billing.get(key)).casefold() for key in ("telephone", "postcode", "city") if record.billing.get(key)
        }
    secrets = {secret for secret in secrets if len(secret) > 4}
    frames = [getattr(collected.facts, one.name) for one in fields(Facts)]
    text = "\n".join(frame.to_csv() if isinstance(frame, pd.DataFrame) else repr(frame) for frame in frames).casefold()
    text += repr(collected.not_read).casefold()
    assert len(text) > 5_000
    assert len(secrets) > 50
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.usefixtures("posted")
def test_a_read_that_is_not_complete_is_no_report(known: SmallWorld):
    known.plant(Effect.UNAUTHORIZED, method="GET", route="/PaymentReconciliation", remaining=None)
    with pytest.raises(OrderSyncError):
        collect(known)
    known.heal()
    assert classes_of(collect(known).facts)


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("parameter", ["payment-date", "_lastUpdated"])
def test_a_filter_that_nextech_ignores_only_costs_time(parameter: str, known: SmallWorld):
    def without(request: httpx.Request) -> httpx.Request:
        kept = [(name, value) for name, value in request.url.params.multi_items() if name != parameter]
        url = request.url.copy_with(params=kept) if request.url.query else request.url
        return httpx.Request(request.method, url, headers=request.headers, content=request.read())

    known.clock.advance(hours=24 * 5)
    known.staff("hand-payment", patient_id=chart_of(known, "Ostrander"), amount_cents=900)
    before = collect(known).facts
    after = collect(known, desk=known.desk(nextech_wrap=lambda inner: Between(inner, without))).facts
    for one in ("orders", "memos", "entries", "ledger"):
        pd.testing.assert_frame_equal(getattr(after, one), getattr(before, one))


def test_a_nextech_that_cannot_be_asked_for_changes_has_every_orders_chart_read(known: SmallWorld, posted: OrderRecord):
    def refuse(request: httpx.Request) -> httpx.Request | httpx.Response:
        if "_lastUpdated" in request.url.params:
            body = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}
            return httpx.Response(400, json=body)
        return request

    chart = chart_of(known, "Castellan")
    known.staff("hand-payment", patient_id=chart, amount_cents=10_639, note=known.payment().marker, business_day="2026-11-30")
    desk = known.desk(nextech_wrap=lambda inner: Between(inner, refuse))
    assert classes_of(collect(known, desk=desk).facts) == {f"order:{posted.entity_id}": {"duplicate_posting"}}


@pytest.mark.parametrize("column", ["created_at", "order_id", "increment_id"])
def test_a_filter_that_the_store_ignores_is_noticed(column: str, known: SmallWorld, posted: OrderRecord):
    def without(request: httpx.Request) -> httpx.Request:
        params = request.url.params.multi_items()
        groups = {name.rsplit("[", 1)[0] for name, value in params if value == column and name.endswith("[field]")}
        kept = [(name, value) for name, value in params if name.rsplit("[", 1)[0] not in groups]
        url = request.url.copy_with(params=kept) if groups else request.url
        return httpx.Request(request.method, url, headers=request.headers, content=request.read())

    other = known.place(PAUL.buyer())
    for record in (posted, other):
        refund(known.shop, record.entity_id, adjustment=Decimal(5))
    known.staff("hand-payment", patient_id=chart_of(known, "Ostrander"), amount_cents=900, note="#123456789")
    known.clock.advance(hours=24 * 40)
    late = known.place(ORA.buyer())
    refund(known.shop, late.entity_id, adjustment=Decimal(5))
    collect(known)
    with pytest.raises(IncompleteReadError):
        collect(known, desk=known.desk(store_wrap=lambda inner: Between(inner, without)))


@pytest.mark.usefixtures("posted")
def test_an_unreadable_order_that_the_ledger_does_not_know_is_no_orphan_either(
    known: SmallWorld, posted: OrderRecord, new_ledger: Callable[[], Ledger]
):
    known.plant_in_store(StoreEffect.POISON, order_id=posted.entity_id)
    collected = collect(known, desk=known.desk(ledger=new_ledger()))
    assert [one.subject.split(":")[0] for one in collected.not_read] == ["entry", "order"]
    assert collected.facts.entries.empty
    assert collected.facts.numbers_not_in_store == frozenset()


@pytest.mark.usefixtures("posted")
def test_a_collection_that_runs_out_of_time_is_no_report(known: SmallWorld):
    desk = known.desk()
    late = Desk(*[getattr(desk, one.name) for one in fields(Desk)][:-1], ends_at=known.clock.monotonic() - 1)
    with pytest.raises(OutOfTimeError):
        collect(known, desk=late)


@pytest.mark.usefixtures("posted")
def test_long_reads_tell_how_far_they_are(known: SmallWorld):
    told: list[tuple[str, int]] = []
    desk = known.desk()
    heard = Desk(*[getattr(desk, one.name) for one in fields(Desk)][:-2], progress=lambda *news: told.append(news))
    collect(known, NOVEMBER, heard)
    assert ("orders read", 1) in told
    assert ("payments read", 1) in told


def test_the_day_is_the_practices_own(known: SmallWorld):
    known.clock.set(known.clock.now().replace(hour=4, minute=30) + timedelta(days=1))  # 11:30 pm on Wednesday in New York
    record = known.place(ORA.buyer())
    known.run()
    assert classes_of(collect(known).facts) == {f"order:{record.entity_id}": {"matched"}}
    thursday = day_of(date(2026, 11, 19))
    assert f"order:{record.entity_id}" not in classes_of(collect(known, thursday).facts, thursday)
