"""Everything that can go wrong with a request, over real HTTP, and how it is set while the store runs."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from sandbox.demo.practices import EASTERN
from sandbox.store.faults import Effect, Fault
from sandbox.store.shop import Shop
from sandbox.store.switches import StoreSwitches
from sandbox.store.transport import StoreTransport
from tests.integration.sandbox_store.conftest import NOW, HandClock, criteria

COMMENT = {"statusHistory": {"comment": "once", "is_customer_notified": 0, "is_visible_on_front": 0}}


@pytest.fixture
def web(store_url: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {EASTERN.store_token}"}
    with httpx.Client(base_url=store_url, headers=headers, timeout=5, trust_env=False) as opened:
        yield opened


def set_fault(web: httpx.Client, **fault: object) -> None:
    web.post("/control/faults", json=fault).raise_for_status()


def read(web: httpx.Client) -> httpx.Response:
    return web.get("/rest/V1/orders", params=criteria(size=3))


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "text"),
    [
        ({"effect": "masked_500"}, 500, "application/json", "Report ID: webapi-"),
        ({"effect": "php_fatal"}, 500, "application/json", '"messages"'),
        ({"effect": "message_200"}, 200, "application/json", '"message"'),
        ({"effect": "maintenance"}, 503, "text/html", "Service Temporarily Unavailable"),
        ({"effect": "too_many"}, 429, "text/html", "Too Many Requests"),
        ({"effect": "bad_gateway"}, 502, "text/html", "Bad Gateway"),
        ({"effect": "gateway_timeout"}, 504, "text/plain", "timeout"),
        ({"effect": "expired"}, 401, "application/json", "%resources"),
        ({"effect": "forbidden"}, 401, "application/json", "actions_view"),
    ],
)
def test_a_fault_answers_instead_of_the_store(web: httpx.Client, fault: dict, status: int, content_type: str, text: str):
    set_fault(web, **fault, remaining=1)
    answer = read(web)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, content_type)
    assert text in answer.text
    assert read(web).status_code == 200


def test_a_429_says_how_long_to_wait_only_when_told_to(web: httpx.Client):
    set_fault(web, effect="too_many", retry_after="7", remaining=1)
    set_fault(web, effect="too_many", remaining=1)
    assert read(web).headers["retry-after"] == "7"


def test_truncated_json_cannot_be_read(web: httpx.Client):
    set_fault(web, effect="truncated", remaining=1)
    answer = read(web)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        answer.json()


def test_a_slow_body_outlasts_an_impatient_reader_and_is_whole_for_a_patient_one(web: httpx.Client):
    set_fault(web, effect="slow_body", seconds=0.5, remaining=2)
    with web.stream("GET", "/rest/V1/orders", params=criteria(size=3)) as answer:
        first = next(answer.iter_raw())
    assert first
    assert len(read(web).json()["items"]) == 3


def test_a_hang_gives_no_answer(web: httpx.Client):
    set_fault(web, effect="hang", seconds=30, remaining=1)
    with pytest.raises(httpx.ReadTimeout):
        web.get("/rest/V1/orders/4001", timeout=0.2)
    assert read(web).status_code == 200


def test_a_hang_that_ends_closes_the_connection(web: httpx.Client):
    set_fault(web, effect="hang", seconds=0.1, remaining=1)
    with pytest.raises(httpx.RemoteProtocolError):
        web.get("/rest/V1/orders/4001")


@pytest.mark.parametrize(("is_executed", "comments"), [(True, 1), (False, 0)])
def test_a_reset_after_the_write_hides_that_it_was_applied(web: httpx.Client, *, is_executed: bool, comments: int):
    set_fault(web, effect="reset", method="POST", route="/V1/orders/{id}/comments", is_executed=is_executed, remaining=1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        web.post("/rest/V1/orders/4001/comments", json=COMMENT)
    found = [row for row in web.get("/rest/V1/orders/4001/comments").json()["items"] if row["comment"] == "once"]
    assert len(found) == comments


def test_a_write_may_be_applied_behind_any_error(web: httpx.Client):
    set_fault(web, effect="bad_gateway", method="POST", is_executed=True, remaining=1)
    assert web.post("/rest/V1/orders/4022/hold").status_code == 502
    assert web.get("/rest/V1/orders/4022").json()["state"] == "holded"


def test_a_poison_order_breaks_every_answer_that_would_hold_it(web: httpx.Client):
    set_fault(web, effect="poison", order_id=4007)
    assert read(web).status_code == 200
    broken = web.get("/rest/V1/orders", params=criteria(("entity_id", "4006,4007", "in")))
    assert broken.status_code == web.get("/rest/V1/orders/4007").status_code == 500
    assert web.get("/rest/V1/orders", params=criteria(("entity_id", 4007, "gt"))).status_code == 200


def test_a_fault_strikes_at_the_numbered_request_of_its_route(web: httpx.Client):
    set_fault(web, effect="masked_500", route="/V1/orders", requests=[2])
    assert web.get("/rest/V1/orders/4001").status_code == 200
    assert [read(web).status_code for _ in range(3)] == [200, 500, 200]


def test_a_token_expires_after_so_many_requests(web: httpx.Client):
    set_fault(web, effect="expired", after_requests=2)
    assert [read(web).status_code for _ in range(4)] == [200, 200, 401, 401]


def test_maintenance_ends_by_itself(web: httpx.Client, hand_clock: HandClock):
    set_fault(web, effect="maintenance", for_seconds=600)
    assert read(web).status_code == 503
    hand_clock.advance(601)
    assert read(web).status_code == 200


def test_an_order_changes_just_before_the_second_page_is_read(web: httpx.Client, hand_clock: HandClock):
    hand_clock.advance(60)
    set_fault(web, effect="touch", route="/V1/orders", requests=[2], order_id=4001)
    pages = [read(web).json()["items"][0]["updated_at"] for _ in range(2)]
    assert pages[0] < pages[1]


def test_chance_is_drawn_from_the_seed(shop: Shop):
    with httpx.Client(
        transport=StoreTransport(shop),
        base_url="http://store.example",
        headers={"Authorization": f"Bearer {EASTERN.store_token}"},
    ) as client:
        statuses = []
        for _ in range(2):
            shop.rng.seed(11)
            shop.faults.clear()
            shop.faults.add(Fault(effect=Effect.BAD_GATEWAY, probability=0.3), NOW)
            statuses.append([client.get("/rest/V1/orders/4001").status_code for _ in range(40)])
    assert statuses[0] == statuses[1]
    assert {200, 502} == set(statuses[0])


def test_in_process_a_hang_is_a_timeout_and_a_reset_a_read_error(client: httpx.Client, shop: Shop):
    shop.faults.add(Fault(effect=Effect.HANG, remaining=1), NOW)
    shop.faults.add(Fault(effect=Effect.RESET, requests=(2,)), NOW)
    with pytest.raises(httpx.ReadTimeout):
        client.get("orders/4001")
    with pytest.raises(httpx.ReadError):
        client.get("orders/4001")


def test_latency_is_asked_of_the_sleeper_in_process(shop: Shop):
    slept: list[float] = []
    shop.switches = StoreSwitches(latency_seconds=0.25)
    shop.faults.add(Fault(effect=Effect.LATENCY, seconds=2), NOW)
    with httpx.Client(transport=StoreTransport(shop, sleep=slept.append), base_url="http://store.example") as client:
        client.get("/rest/V1/orders/4001")
    assert slept == [2.25]


def test_the_date_header_is_skewed_when_told_to(web: httpx.Client):
    web.put("/control/switches", json={"clock_skew_seconds": -900}).raise_for_status()
    shown = parsedate_to_datetime(read(web).headers["date"])
    assert (NOW - shown).total_seconds() == 900


def test_switches_are_read_changed_one_by_one_and_checked(web: httpx.Client):
    web.put("/control/switches", json={"page_overflow": "last"}).raise_for_status()
    web.put("/control/switches", json={"float_17": True}).raise_for_status()
    switches = web.get("/control/switches").json()
    assert (switches["page_overflow"], switches["float_17"]) == ("last", True)
    assert web.put("/control/switches", json={"page_overflow": "never"}).status_code == 422
    assert web.put("/control/switches", json={"unknown": 1}).status_code == 422


def test_faults_are_listed_and_cleared(web: httpx.Client):
    web.post("/control/faults", json=[{"effect": "masked_500"}, {"effect": "hang", "remaining": 3}]).raise_for_status()
    assert [fault["effect"] for fault in web.get("/control/faults").json()] == ["masked_500", "hang"]
    assert web.delete("/control/faults").json() == []
    assert read(web).status_code == 200


def test_orders_are_placed_and_changed_over_http(web: httpx.Client):
    placed = web.post("/control/orders", json={"situation": "on-hold"})
    assert placed.status_code == 404
    order = web.post("/control/orders", json={"situation": "released"}).json()
    assert order["state"] == "processing"
    path = f"/control/orders/{order['entity_id']}"
    assert web.post(f"{path}/hold").json()["state"] == "holded"
    assert web.post(f"{path}/unhold").json()["state"] == "processing"
    assert web.post(f"{path}/refund", json={"amount": "5.00", "is_offline": True}).json()["total_refunded"] == "5.00"
    assert web.post(f"{path}/refund").json()["state"] == "closed"
    assert web.post(f"{path}/cancel").status_code == 400
    unpaid = web.post("/control/orders", json={"situation": "unpaid"}).json()
    successor = web.post(f"/control/orders/{unpaid['entity_id']}/edit").json()
    assert successor["increment_id"] == f"{unpaid['increment_id']}-1"
    assert web.post(f"/control/orders/{successor['entity_id']}/capture").json()["total_paid"] == successor["grand_total"]


def test_requests_are_counted_by_route_and_by_status(web: httpx.Client):
    read(web)
    web.get("/rest/V1/orders/4001")
    web.get("/rest/V1/orders/999999")
    web.get("/rest/V1/nowhere")
    counts = web.get("/control/requests").json()
    assert counts["routes"] == {"GET /V1/orders": 1, "GET /V1/orders/{id}": 2, "GET (no route)": 1}
    assert counts["statuses"] == {"200": 2, "404": 2}
    web.delete("/control/requests")
    assert web.get("/control/requests").json()["routes"] == {}
