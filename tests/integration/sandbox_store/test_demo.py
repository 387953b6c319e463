"""The demo: stable, complete, and in itself right."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import phonenumbers
import pytest

from order_sync.practices import load_practices
from order_sync.reasons import Reason
from order_sync.statuses import PublicStatus
from sandbox.demo.arrivals import KINDS, next_arrival
from sandbox.demo.history import build_history
from sandbox.demo.load import build_load
from sandbox.demo.practices import ACTIVE_SINCE_LOCAL, CARD_TYPES, PAYMENT_CATEGORY, PRACTICES
from sandbox.demo.story import SCENES, Demo, Situation, build_demo, open_shops
from sandbox.store.shop import Shop
from tests.integration.sandbox_store.conftest import NOW, criteria


def situation(demo: Demo, name: str) -> Situation:
    [found] = [one for one in demo.situations if one.name == name]
    return found


def test_the_same_seed_and_instant_give_the_same_demo(demo: Demo):
    assert build_demo(7, NOW) == demo
    assert build_demo(8, NOW) != demo


@pytest.mark.parametrize("now", [datetime(2027, 1, 1, 0, 0, 30, tzinfo=UTC), datetime(2028, 3, 1, 6, 30, tzinfo=UTC), NOW])
def test_nothing_of_the_demo_lies_in_the_future_and_only_the_disabled_before_the_start(now: datetime):
    demo = build_demo(1, now)
    for practice_id, records in demo.orders.items():
        disabled = {one.order_numbers[0] for one in demo.situations if one.status == "Disabled"}
        for record in records:
            placed = datetime.fromisoformat(record.row["created_at"]).replace(tzinfo=UTC)
            assert record.row["created_at"] <= record.row["updated_at"] <= now.strftime("%Y-%m-%d %H:%M:%S")
            assert (placed < PRACTICES[practice_id].active_since) == (record.number in disabled)


def test_statuses_and_reasons_are_the_products_own_words(demo: Demo):
    assert {one.status for one in demo.situations} == {word.value for word in PublicStatus}
    codes = {reason.value for reason in Reason}
    assert {one.reason for one in demo.situations if one.reason} <= codes
    assert {reason for one in demo.situations for reason in one.also} == {"refund_to_record"}


def test_the_settings_file_says_what_the_sandbox_plays():
    for settings in load_practices(Path(__file__).parents[3] / "include" / "practices.yaml"):
        practice = PRACTICES[settings.id]
        assert (settings.name, settings.time_zone, settings.own_phones) == (
            practice.name,
            practice.time_zone,
            (practice.own_phone,),
        )
        assert settings.active[0].since == practice.active_since
        booked = settings.nextech
        assert (booked.location_id, booked.provider_id) == (practice.location_id, practice.provider_id)
        assert (booked.referral_source_id, booked.payment_category) == (practice.referral_source_id, PAYMENT_CATEGORY)
        assert booked.card_types == CARD_TYPES


def test_every_order_belongs_to_exactly_one_situation(demo: Demo):
    for practice_id, records in demo.orders.items():
        told = [number for one in demo.situations if one.practice_id == practice_id for number in one.order_numbers]
        assert sorted(told) == sorted(record.number for record in records)
    names = [one.name for one in demo.situations]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "amount_cents", "business_day"),
    [
        # a product of 38.00, its tax of 7 %, shipping 7.95
        ("known-patient", 4861, date(2026, 11, 20)),
        # products of 168.00, a service of 25.00, taxes 5.32 and 6.44 on the products, shipping 7.95
        ("several-items", 21271, date(2026, 11, 16)),
        ("gift-card-sold", 10000, date(2026, 11, 14)),
        # a product of 92.00, tax 7.59, shipping 7.95, less a gift card of 50.00
        ("gift-card-part", 5754, date(2026, 11, 10)),
        # products of 92.00, tax 6.44, shipping 7.95, less points worth 12.50
        ("reward-points", 9389, date(2026, 11, 8)),
        # a product of 67.99, tax 5.61, shipping 7.95, less a credit of 20.00
        ("store-credit", 6155, date(2026, 11, 7)),
        # 108.50 less 10 % is 97.65; taxes on 34.20, 22.05 and 41.40 are 2.94, 1.90 and 3.56; shipping 7.95
        ("coupon", 11400, date(2026, 11, 12)),
        # 108.50, taxes 5.82 and 3.14 (3.135 half up), shipping 7.95
        ("bundle", 12541, date(2026, 11, 5)),
        ("membership-renewal", 9900, date(2026, 11, 19)),
        ("evening-central", 4909, date(2026, 11, 19)),
        ("month-end-midnight", 4861, date(2026, 10, 31)),
        ("gift-card-full", None, date(2026, 11, 9)),
        ("on-hold", None, date(2026, 11, 20)),
    ],
)
def test_amounts_and_days_worked_out_by_hand(demo: Demo, name: str, amount_cents: int | None, business_day: date):
    one = situation(demo, name)
    assert (one.amount_cents, one.business_day) == (amount_cents, business_day)


def test_an_evening_order_lies_on_the_next_day_in_utc(demo: Demo):
    for name in ("evening-central", "late-evening-arizona", "month-end-midnight"):
        one = situation(demo, name)
        [record] = [record for record in demo.orders[one.practice_id] if record.number == one.order_numbers[0]]
        assert date.fromisoformat(record.row["created_at"][:10]) == one.business_day + timedelta(days=1)


def test_people_are_invented(demo: Demo):
    for chart in [*demo.patients, *build_load("central", 250, 1, NOW).patients, *build_history("central", 1, NOW).patients]:
        assert chart.email.endswith(".example")
        assert re.fullmatch(r"\(\d{3}\) 555-01\d\d", chart.mobile)
        assert phonenumbers.is_possible_number(phonenumbers.parse(chart.mobile, "US"))


def test_charts_are_told_apart_and_lie_where_the_situation_says(demo: Demo):
    charts = {chart.patient_id: chart for chart in demo.patients}
    assert len(charts) == len(demo.patients)
    for one in demo.situations:
        if one.amount_cents is not None and one.patient_id != "new":
            assert charts[one.patient_id].practice_id == one.practice_id
        assert (one.amount_cents is None) == (one.patient_id is None)


def test_the_hand_entry_equals_the_order_that_it_may_be(demo: Demo):
    [payment] = demo.payments
    one = situation(demo, "possible-manual-entry")
    [record] = [record for record in demo.orders["eastern"] if record.number == one.order_numbers[0]]
    assert (payment.amount_cents, payment.business_day) == (int(record.grand_total * 100), one.business_day.isoformat())


def test_orders_keep_arriving_and_add_up(demo: Demo):
    shops, rng = open_shops(demo, lambda: NOW), random.Random(5)
    drawn = [next_arrival(demo, rng, NOW) for _ in range(200)]
    assert {arrival.situation for arrival in drawn} == set(KINDS)
    assert {arrival.practice_id for arrival in drawn} == set(PRACTICES)
    numbers = set()
    for arrival in drawn:
        record = shops[arrival.practice_id].place(arrival.situation)
        numbers.add(record.number)
        assert record.row["created_at"] == NOW.strftime("%Y-%m-%d %H:%M:%S")
    assert len(numbers) == 200


def test_every_scene_can_be_played_again_in_a_running_store(demo: Demo):
    shops = open_shops(demo, lambda: NOW)
    for scene in SCENES:
        record = shops[scene.practice.id].place(scene.name)
        assert record.entity_id in shops[scene.practice.id].orders
    with pytest.raises(KeyError):
        shops["eastern"].place("no such situation")


def test_a_page_of_a_hundred_orders_out_of_a_thousand_comes_at_once(shop: Shop, client: httpx.Client):
    load = build_load("eastern", 1000, 1, NOW)
    shop.extend(load.books["eastern"])
    assert len({patient.mobile for patient in load.patients}) == len({patient.email for patient in load.patients}) == 1000
    client.get("orders", params=criteria(("entity_id", 0, "gt"), size=100))
    began = time.perf_counter()
    page = client.get(
        "orders", params=criteria(("updated_at", "2026-11-01 00:00:00", "gteq"), ("entity_id", 4500, "gt"), size=100)
    )
    assert time.perf_counter() - began < 1
    assert len(page.json()["items"]) == 100
    assert {order["state"] for order in page.json()["items"]} <= {"processing", "complete"}


@pytest.mark.parametrize("practice_id", sorted(PRACTICES))
def test_a_history_has_orders_on_every_day_of_last_month_and_none_of_today(practice_id: str):
    zone = PRACTICES[practice_id].zone
    orders = build_history(practice_id, 1, NOW).books[practice_id].orders
    days = {datetime.fromisoformat(f"{order.row['created_at']}+00:00").astimezone(zone).date() for order in orders}
    today = NOW.astimezone(zone).date()
    last_month = today.replace(day=1) - timedelta(days=1)
    first = max(last_month.replace(day=1), ACTIVE_SINCE_LOCAL.date())
    assert {first + timedelta(days=number) for number in range((last_month - first).days + 1)} <= days
    assert today not in days
    assert min(days) >= ACTIVE_SINCE_LOCAL.date()
    assert {"canceled", "holded", "closed"} <= {order.row["state"] for order in orders}


def test_the_same_seed_gives_the_same_history():
    first, second = (build_history("eastern", 1, NOW).books["eastern"].orders for _ in range(2))
    assert [(order.number, order.row["created_at"], order.grand_total) for order in first] == [
        (order.number, order.row["created_at"], order.grand_total) for order in second
    ]
    other = build_history("eastern", 2, NOW).books["eastern"].orders
    assert [order.grand_total for order in other] != [order.grand_total for order in first]
