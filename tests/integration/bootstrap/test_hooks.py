"""The hooks on Airflow's connections: which address they speak to, and what trying a connection says."""

from __future__ import annotations

import json

import pytest

from order_sync.bootstrap.hooks import NextechHook, StoreHook
from order_sync.errors import SettingsError
from sandbox.demo.practices import PRACTICES
from sandbox.server import RunningSandbox
from tests.integration.bootstrap.written import PRACTICE, Connections

pytestmark = pytest.mark.airflow

STORE, NEXTECH = f"store_{PRACTICE}", f"nextech_{PRACTICE}"


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"host": "shop.example"}, "https://shop.example"),
        ({"host": "shop.example", "schema": "https", "port": 8443}, "https://shop.example:8443"),
        ({"host": "shop.example/rest"}, "https://shop.example/rest"),
        ({"host": "https://shop.example/rest/"}, "https://shop.example/rest"),
        ({"host": "https://shop.example:8443/rest"}, "https://shop.example:8443/rest"),
        ({"host": "https://shop.example/rest", "port": 8443}, "https://shop.example:8443/rest"),
        ({"host": "https://shop.example:8443/rest", "port": 443}, "https://shop.example:8443/rest"),
        ({"host": "127.0.0.1", "schema": "http", "port": 8090}, "http://127.0.0.1:8090"),
        ({"host": "sandbox", "schema": "http", "port": 8090}, "http://sandbox:8090"),
    ],
)
def test_the_address_is_put_together_from_scheme_host_and_port(
    fields: dict[str, object], address: str, connections: Connections
):
    connections.write(STORE, **fields)
    assert StoreHook(PRACTICE).base_url == address


def test_a_connection_may_be_written_as_a_url(connections: Connections):
    connections.write_text(STORE, "http://:a-token@shop.example:8443/https?auth=bearer")
    hook = StoreHook(PRACTICE)
    assert hook.base_url == "https://shop.example:8443"
    hook.client().close()


@pytest.mark.parametrize("address", ["http://shop.example", "http://10.0.0.7/store", "http://169.254.169.254", "https://[::"])
def test_an_address_that_is_not_safe_is_refused(address: str, connections: Connections):
    connections.write(STORE, host=address)
    connections.write(NEXTECH, host=address)
    for hook in (StoreHook, NextechHook):
        with pytest.raises(SettingsError, match=f"connection {hook.kind}_{PRACTICE}, field host: "):
            hook(PRACTICE)


@pytest.mark.usefixtures("connections")
def test_trying_good_connections_says_that_they_work():
    assert StoreHook(PRACTICE).test_connection() == (True, "The store accepts the login and answers.")
    assert NextechHook(PRACTICE).test_connection() == (True, "Nextech accepts the login and answers.")


def test_a_store_that_is_signed_with_oauth1_can_be_tried(connections: Connections):
    facts = PRACTICES[PRACTICE]
    secrets = {
        "consumer_key": facts.store_consumer_key,
        "consumer_secret": facts.store_consumer_secret,
        "access_token": facts.store_token,
        "access_token_secret": facts.store_token_secret,
    }
    connections.write(STORE, password=None, extra={"auth": "oauth1", **secrets})
    assert StoreHook(PRACTICE).test_connection()[0]
    connections.write(STORE, extra={"access_token_secret": "another"})
    assert not StoreHook(PRACTICE).test_connection()[0]


def test_trying_a_wrong_login_says_so_without_the_login(connections: Connections):
    connections.write(STORE, password="a-wrong-token")
    connections.write(NEXTECH, password="a-wrong-password")
    for hook in (StoreHook(PRACTICE), NextechHook(PRACTICE)):
        works, told = hook.test_connection()
        assert not works
        assert told.startswith(f"{hook.kind}: ")
        assert "login" in told
        assert "wrong" not in told


def test_trying_a_connection_that_lacks_a_field_names_it(connections: Connections):
    connections.write(STORE, password=None)
    connections.write(NEXTECH, extra={"client_id": None})
    assert StoreHook(PRACTICE).test_connection() == (
        False,
        "connection store_eastern, field password: missing; it is the access token",
    )
    assert NextechHook(PRACTICE).test_connection() == (False, "connection nextech_eastern, extra field client_id: missing")


def test_trying_a_server_that_is_not_there_says_so(connections: Connections, sandbox: RunningSandbox):
    connections.write(STORE, host=f"{sandbox.url}/store/nowhere")
    works, told = StoreHook(PRACTICE).test_connection()
    assert not works
    assert "GET /V1/orders" in told


def test_the_pace_is_the_documented_one_unless_the_connection_says_otherwise(connections: Connections):
    assert 0 < NextechHook(PRACTICE).requests_per_second < 20
    connections.write(NEXTECH, extra={"requests_per_second": "7.5"})
    assert NextechHook(PRACTICE).requests_per_second == 7.5


@pytest.mark.parametrize("verify", [False, "false", 0, "no", None, [], "/tmp/own-authority.pem"])  # noqa: S108 - not opened
def test_a_connection_that_would_switch_off_tls_verification_is_refused(verify: object, connections: Connections):
    for name, hook in ((STORE, StoreHook), (NEXTECH, NextechHook)):
        fields = connections.fields(name)
        connections.write_text(name, json.dumps(fields | {"extra": fields["extra"] | {"verify": verify}}))
        with pytest.raises(SettingsError, match=f"connection {name}, extra field verify: TLS verification stays on"):
            hook(PRACTICE)


def test_a_connection_that_asks_for_tls_verification_gets_it(connections: Connections):
    connections.write(STORE, extra={"verify": True})
    assert StoreHook(PRACTICE).test_connection()[0]
