"""Who may call the store: bearer, OAuth 1.0a, admin tokens, and what a refusal looks like (store contract section 1)."""

from __future__ import annotations

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from sandbox.demo.practices import EASTERN
from sandbox.store.shop import Shop
from sandbox.store.switches import StoreSwitches
from tests.integration.sandbox_store.conftest import NOW, HandClock, criteria

REFUSAL = {
    "message": "The consumer isn't authorized to access %resources.",
    "parameters": {"resources": "Magento_Sales::actions_view"},
}


def signed(url: str, method: str = "GET", **how: object) -> dict[str, str]:
    settings = {
        "client_secret": EASTERN.store_consumer_secret,
        "resource_owner_key": EASTERN.store_token,
        "resource_owner_secret": EASTERN.store_token_secret,
        "signature_method": SIGNATURE_HMAC_SHA256,
        "timestamp": str(int(NOW.timestamp())),
    } | how
    _, headers, _ = Client(EASTERN.store_consumer_key, **settings).sign(url, method)
    return headers


def search_url(base: str) -> str:
    return str(httpx.URL(f"{base}/rest/V1/orders", params=criteria(("entity_id", 4003, "gteq"), size=2)))


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_a_missing_or_wrong_token_is_refused_like_a_missing_permission(client: httpx.Client, header: dict[str, str]):
    client.headers.pop("Authorization")
    answer = client.get("orders?searchCriteria=", headers=header)
    assert (answer.status_code, answer.json()) == (401, REFUSAL)


def test_an_integration_token_is_no_bearer_where_that_is_switched_off(client: httpx.Client, shop: Shop):
    shop.switches = StoreSwitches(bearer_integration=False)
    assert client.get("orders?searchCriteria=").status_code == 401


def test_a_signed_request_is_answered_over_real_http(shop: Shop, store_url: str):
    shop.switches = StoreSwitches(bearer_integration=False)
    url = search_url(store_url)
    assert httpx.get(url, headers=signed(url)).json()["items"][0]["entity_id"] == 4003
    body_url = f"{store_url}/rest/V1/orders/4003/hold"
    assert httpx.post(body_url, headers=signed(body_url, "POST")).json() is True


@pytest.mark.parametrize(
    ("how", "status", "problem"),
    [
        ({"resource_owner_secret": "wrong"}, 401, "signature_invalid"),
        ({"client_secret": "wrong"}, 401, "signature_invalid"),
        ({"signature_method": SIGNATURE_HMAC_SHA1}, 400, "signature_method_rejected"),
        ({"timestamp": "1000000000"}, 400, "timestamp_refused"),
    ],
)
def test_a_bad_signature_is_refused(client: httpx.Client, how: dict[str, str], status: int, problem: str):
    url = search_url("http://store.example")
    answer = client.get(url, headers=signed(url, **how))
    assert (answer.status_code, answer.json()["message"]) == (status, f"oauth_problem={problem}")


def test_a_signature_does_not_fit_another_query(client: httpx.Client):
    url = search_url("http://store.example")
    answer = client.get(url.replace("4003", "4004"), headers=signed(url))
    assert "signature_invalid" in answer.text


def test_a_nonce_serves_once(client: httpx.Client):
    url = search_url("http://store.example")
    headers = signed(url)
    assert client.get(url, headers=headers).status_code == 200
    assert "nonce_used" in client.get(url, headers=headers).text


def test_an_admin_token_expires(client: httpx.Client, shop: Shop, hand_clock: HandClock):
    shop.switches = StoreSwitches(token_ttl_seconds=100)
    login = client.post("integration/admin/token", json={"username": "admin", "password": "sandbox-admin"})
    header = {"Authorization": f"Bearer {login.json()}"}
    assert client.get("orders/4001", headers=header).status_code == 200
    hand_clock.advance(101)
    assert client.get("orders/4001", headers=header).status_code == 401
    assert client.post("integration/admin/token", json={"username": "admin", "password": "no"}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/V1/products"),
        ("DELETE", "/rest/V1/orders/4001"),
        ("PUT", "/rest/V1/orders"),
        ("GET", "/rest/nosuchstore/V1/orders"),
        ("GET", "/rest/V1/creditmemos/1"),
        ("GET", "/"),
    ],
)
def test_unknown_routes_verbs_and_store_codes_match_no_route(client: httpx.Client, method: str, path: str):
    answer = client.request(method, f"http://store.example{path}")
    assert (answer.status_code, answer.json()) == (404, {"message": "Request does not match any route."})


@pytest.mark.parametrize("prefix", ["/rest", "/rest/all", "/rest/default", "/index.php/rest", "/index.php/rest/eastern"])
def test_the_store_code_and_index_php_are_optional(client: httpx.Client, prefix: str):
    assert client.get(f"http://store.example{prefix}/V1/orders/4001").json()["entity_id"] == 4001


def test_an_unknown_order_is_not_found(client: httpx.Client):
    answer = client.get("orders/999999")
    assert (answer.status_code, answer.json()["message"][:26]) == (404, "The entity that was reques")
