"""What changes an order, what moves `updated_at`, and how statuses are written back (store contract sections 4 and 5)."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from sandbox.store import actions
from sandbox.store.refunds import refund
from sandbox.store.shop import Shop
from sandbox.store.switches import StoreSwitches
from sandbox.store.sync_status import disable_by_staff
from tests.integration.sandbox_store.conftest import HandClock, criteria

PROCESSING = 4022
"""known-patient, paid."""


def updated_at(shop: Shop, order_id: int = PROCESSING) -> str:
    return shop.orders[order_id].row["updated_at"]


def note(text: str = "a note", **more: object) -> dict:
    return {"statusHistory": {"comment": text, "is_customer_notified": 0, "is_visible_on_front": 0, **more}}


def test_hold_and_unhold_move_updated_at_and_restore_the_state(client: httpx.Client, shop: Shop, hand_clock: HandClock):
    before = updated_at(shop)
    hand_clock.advance(60)
    assert client.post(f"orders/{PROCESSING}/hold").json() is True
    held = client.get(f"orders/{PROCESSING}").json()
    assert (held["state"], held["hold_before_state"]) == ("holded", "processing")
    assert before < updated_at(shop)
    hand_clock.advance(60)
    client.post(f"orders/{PROCESSING}/unhold").raise_for_status()
    released = client.get(f"orders/{PROCESSING}").json()
    assert released["state"] == "processing"
    assert "hold_before_state" not in released
    assert released["updated_at"] == shop.now_text()


def test_hold_and_unhold_are_refused_where_they_make_no_sense(client: httpx.Client):
    assert client.post("orders/4001/unhold").json() == {"message": "You cannot remove the hold."}
    assert client.post("orders/4023/hold").json() == {"message": "A hold action is not available."}


def test_comments_and_statuses_move_nothing_on_the_order(client: httpx.Client, shop: Shop, hand_clock: HandClock):
    before = updated_at(shop)
    hand_clock.advance(60)
    assert client.post(f"orders/{PROCESSING}/comments", json=note(status="processing")).json() is True
    client.put(
        f"nextech/orders/{PROCESSING}/sync-status", json={"syncStatus": {"status": "synced", "run_key": "k"}}
    ).raise_for_status()
    assert updated_at(shop) == before
    listed = client.get(f"orders/{PROCESSING}/comments").json()
    assert listed["items"][0]["comment"] == "a note"
    assert listed["total_count"] == len(listed["items"])


def test_an_old_version_blanks_the_status_when_a_comment_names_none(client: httpx.Client, shop: Shop):
    shop.switches = StoreSwitches(comment_policy="null_status")
    client.post(f"orders/{PROCESSING}/comments", json=note()).raise_for_status()
    order = client.get(f"orders/{PROCESSING}").json()
    assert "status" not in order
    assert order["state"] == "processing"


@pytest.mark.parametrize(
    ("policy", "asked", "status"),
    [
        ("null_status", "anything_at_all", 200),
        ("refuse_change", "fraud", 400),
        ("refuse_change", "processing", 200),
        ("same_state", "fraud", 200),
        ("same_state", "complete", 400),
    ],
)
def test_the_status_of_a_comment_follows_the_version(client: httpx.Client, shop: Shop, policy: str, asked: str, status: int):
    shop.switches = StoreSwitches(comment_policy=policy)
    answer = client.post(f"orders/{PROCESSING}/comments", json=note(status=asked))
    assert answer.status_code == status
    expected = asked if status == 200 else "processing"
    assert shop.orders[PROCESSING].row["status"] == expected


def test_a_comment_keeps_the_status_in_later_versions(client: httpx.Client, shop: Shop):
    client.post(f"orders/{PROCESSING}/comments", json=note()).raise_for_status()
    assert client.get(f"orders/{PROCESSING}/statuses").json() == "processing"
    assert shop.orders[PROCESSING].histories[0]["status"] == "processing"


def test_many_statuses_are_written_at_once_and_one_bad_entry_harms_no_other(client: httpx.Client, shop: Shop):
    entries = [
        {"order_id": 4002, "status": "synced", "run_key": "a"},
        {"order_id": 999999, "status": "synced", "run_key": "b"},
        {"order_id": 4003, "status": "no such word", "run_key": "c"},
        {"order_id": 4004, "status": "not_synced", "message": "x" * 256, "run_key": "d"},
        {"order_id": 4005, "status": "waiting_for_sync", "run_key": "e", "expected_status": "synced"},
        {"status": "synced", "run_key": "f"},
    ]
    results = client.put("nextech/orders/sync-status", json={"syncStatuses": entries}).raise_for_status().json()
    assert [result.get("changed", result.get("error", {}).get("code")) for result in results] == [
        True,
        404,
        400,
        400,
        True,
        400,
    ]
    assert client.get("orders/4002").json()["extension_attributes"]["nextech_status"] == "synced"
    listed = client.get("orders", params=criteria(("entity_id", 4005, "eq"))).json()["items"][0]
    assert listed["extension_attributes"]["nextech_status"] == "waiting_for_sync"
    assert shop.sync_rows.keys() == {4002, 4005}


def test_more_than_a_hundred_statuses_are_refused(client: httpx.Client):
    entries = [{"order_id": 4001, "status": "synced", "run_key": str(number)} for number in range(101)]
    assert client.put("nextech/orders/sync-status", json={"syncStatuses": entries}).status_code == 400


def test_writing_a_status_again_with_its_key_changes_nothing(client: httpx.Client, hand_clock: HandClock):
    entry = {"syncStatus": {"status": "synced", "run_key": "k1"}}
    path = f"nextech/orders/{PROCESSING}/sync-status"
    first = client.put(path, json=entry).json()
    hand_clock.advance(60)
    again = client.put(path, json=entry).json()
    assert (first["changed"], again["changed"]) == (True, False)
    assert again == client.get(path).json() == first | {"changed": False}


def test_a_status_conflicts_with_another_expectation_and_with_staff(client: httpx.Client, shop: Shop):
    path = f"nextech/orders/{PROCESSING}/sync-status"
    client.put(path, json={"syncStatus": {"status": "waiting_for_sync", "run_key": "k1"}}).raise_for_status()
    other = {"status": "synced", "run_key": "k2", "expected_status": "not_synced"}
    answer = client.put(path, json={"syncStatus": other})
    assert (answer.status_code, answer.json()) == (409, {"message": "Sync status is %1.", "parameters": ["waiting_for_sync"]})
    disable_by_staff(shop, PROCESSING)
    assert client.put(path, json={"syncStatus": {"status": "synced", "run_key": "k3"}}).status_code == 409


def test_without_the_module_its_routes_do_not_exist(client: httpx.Client, shop: Shop):
    shop.switches = StoreSwitches(sync_module=False)
    assert client.get(f"nextech/orders/{PROCESSING}/sync-status").status_code == 404
    assert client.put("nextech/orders/sync-status", json={"syncStatuses": []}).json()["message"][:7] == "Request"


def test_a_full_refund_closes_the_order_and_its_memo_adds_up(client: httpx.Client, shop: Shop, hand_clock: HandClock):
    hand_clock.advance(60)
    refund(shop, PROCESSING)
    order = client.get(f"orders/{PROCESSING}").json()
    assert (order["state"], order["total_refunded"], order["updated_at"]) == ("closed", 48.61, shop.now_text())
    [memo] = client.get("creditmemos", params=criteria(("order_id", PROCESSING, "eq"))).json()["items"]
    parts = ("subtotal", "discount_amount", "tax_amount", "shipping_amount", "adjustment_positive")
    assert round(sum(memo[part] for part in parts), 2) == memo["grand_total"] == 48.61
    assert memo["transaction_id"].endswith("-refund")
    assert client.get(f"creditmemo/{memo['entity_id']}").json()["order_id"] == PROCESSING
    kinds = client.get("transactions", params=criteria(("order_id", PROCESSING, "eq"), sort="transaction_id")).json()
    assert [one["txn_type"] for one in kinds["items"]] == ["capture", "refund"]


def test_an_offline_adjustment_leaves_the_state_and_has_no_items(client: httpx.Client, shop: Shop):
    memo = refund(shop, PROCESSING, adjustment=Decimal("5.00"), is_offline=True)
    order = client.get(f"orders/{PROCESSING}").json()
    assert (order["state"], order["total_offline_refunded"]) == ("processing", 5)
    shown = client.get(f"creditmemo/{memo['entity_id']}").json()
    assert (shown["items"], shown["grand_total"], "transaction_id" in shown) == ([], 5, False)


@pytest.mark.parametrize(("first", "memo_seen", "order_seen"), [("memo_first", True, False), ("order_first", False, True)])
def test_either_row_of_a_refund_may_be_seen_first(
    client: httpx.Client, shop: Shop, hand_clock: HandClock, first: str, *, memo_seen: bool, order_seen: bool
):
    shop.switches = StoreSwitches(refund_order=first, refund_gap_seconds=30)
    refund(shop, PROCESSING)

    def seen() -> tuple[bool, bool]:
        memos = client.get("creditmemos", params=criteria(("order_id", PROCESSING, "eq"))).json()["items"]
        return bool(memos), client.get(f"orders/{PROCESSING}").json()["state"] == "closed"

    assert seen() == (memo_seen, order_seen)
    hand_clock.advance(31)
    assert seen() == (True, True)


def test_a_row_committed_late_appears_with_an_old_timestamp(client: httpx.Client, shop: Shop, hand_clock: HandClock):
    shop.switches = StoreSwitches(commit_lag_seconds=120)
    placed = shop.place("everyday")
    written = shop.now_text()
    assert client.get(f"orders/{placed.entity_id}").status_code == 404
    hand_clock.advance(121)
    assert client.get(f"orders/{placed.entity_id}").json()["updated_at"] == written < shop.now_text()


def test_an_edit_cancels_the_order_and_links_its_successor(client: httpx.Client, shop: Shop):
    old = shop.place("unpaid")
    new = actions.edit(shop, old.entity_id)
    shown_old, shown_new = (client.get(f"orders/{one.entity_id}").json() for one in (old, new))
    assert (shown_old["state"], shown_old["relation_child_real_id"]) == ("canceled", f"{old.number}-1")
    assert (shown_new["increment_id"], shown_new["original_increment_id"]) == (f"{old.number}-1", old.number)
    assert shown_new["relation_parent_id"] == str(old.entity_id)
    assert not {item["item_id"] for item in shown_old["items"]} & {item["item_id"] for item in shown_new["items"]}


def test_a_partial_capture_leaves_the_rest_due(client: httpx.Client, shop: Shop):
    placed = shop.place("unpaid")
    actions.capture(shop, placed.entity_id, Decimal(10))
    order = client.get(f"orders/{placed.entity_id}").json()
    assert (order["total_paid"], order["state"]) == (10, "processing")
    assert order["total_due"] == round(order["grand_total"] - 10, 2)
    actions.capture(shop, placed.entity_id)
    paid = client.get(f"orders/{placed.entity_id}").json()
    assert (paid["total_paid"], paid["total_due"]) == (paid["grand_total"], 0)


def test_the_entity_save_moves_updated_at_only_with_a_changed_column(client: httpx.Client, shop: Shop, hand_clock: HandClock):
    before = updated_at(shop)
    hand_clock.advance(60)
    same = {"entity": {"entity_id": PROCESSING, "state": "processing", "status": "processing"}}
    client.post("orders", json=same).raise_for_status()
    assert updated_at(shop) == before
    client.post("orders", json={"entity": {"entity_id": PROCESSING, "ext_order_id": "x"}}).raise_for_status()
    assert updated_at(shop) == shop.now_text()
    assert client.post("orders", content=b"{").json() == {"message": "Decoding error."}
