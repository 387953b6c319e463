"""A connection that is wrong: one line that names it and its field, and one row of the queue until it is right again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from order_sync.bootstrap.desks import open_desk
from order_sync.errors import SettingsError
from order_sync.extract import extract_orders
from order_sync.ledger.cases import open_cases
from order_sync.ledger.models import CaseRow
from order_sync.ledger.session import Ledger
from tests.integration.bootstrap.written import PRACTICE, Connections

pytestmark = pytest.mark.airflow

STORE, NEXTECH, KEYS = "store_eastern", "nextech_eastern", "order_sync_keys"
OAUTH1 = {"auth": "oauth1", "consumer_key": "k", "consumer_secret": "s", "access_token": "t", "access_token_secret": "u"}
LONG = "a key of at least 32 characters: yes"

Spoil = Callable[[Connections], None]


def field(name: str, **fields: object) -> Spoil:
    return lambda connections: connections.write(name, **fields)


def extra(name: str, **fields: object) -> Spoil:
    return field(name, extra=fields)


def text(name: str, written: str) -> Spoil:
    return lambda connections: connections.write_text(name, written)


def gone(name: str) -> Spoil:
    return lambda connections: connections.remove(name)


WRONG: dict[str, tuple[Spoil, str, str]] = {
    "no store": (gone(STORE), STORE, "missing"),
    "store is no connection": (text(STORE, '{"conn_type": "http"'), STORE, "cannot be read"),
    "store of another type": (field(STORE, conn_type="sqlite"), STORE, "type"),
    "store without host": (field(STORE, host=None), STORE, "host"),
    "store over plain http": (field(STORE, host="http://shop.example"), STORE, "host: the base URL must begin with https"),
    "store with a query": (field(STORE, host="https://shop.example/?a=1"), STORE, "host"),
    "store of no scheme that we speak": (field(STORE, host="ftp://shop.example"), STORE, "host"),
    "store without token": (field(STORE, password=None), STORE, "password"),
    "extra is no JSON": (text(STORE, '{"conn_type": "http", "host": "h", "extra": "auth=bearer"}'), STORE, "extra"),
    "extra is a list": (text(STORE, '{"conn_type": "http", "host": "h", "extra": ["bearer"]}'), STORE, "extra"),
    "unknown auth": (extra(STORE, auth="basic"), STORE, "auth"),
    "oauth1 without consumer key": (extra(STORE, **{**OAUTH1, "consumer_key": None}), STORE, "consumer_key"),
    "oauth1 without consumer secret": (extra(STORE, **{**OAUTH1, "consumer_secret": ""}), STORE, "consumer_secret"),
    "oauth1 without token": (extra(STORE, **{**OAUTH1, "access_token": None}), STORE, "access_token"),
    "oauth1 without token secret": (extra(STORE, **{**OAUTH1, "access_token_secret": None}), STORE, "access_token_secret"),
    "unknown status writer": (extra(STORE, status_writer="modul"), STORE, "status_writer"),
    "no Nextech": (gone(NEXTECH), NEXTECH, "missing"),
    "Nextech of another type": (field(NEXTECH, conn_type="generic"), NEXTECH, "type"),
    "Nextech without host": (field(NEXTECH, host=None), NEXTECH, "host"),
    "Nextech over plain http": (field(NEXTECH, host="http://nextech.example/api"), NEXTECH, "host"),
    "Nextech without login": (field(NEXTECH, login=None), NEXTECH, "login"),
    "Nextech without password": (field(NEXTECH, password=None), NEXTECH, "password"),
    "Nextech without token URL": (extra(NEXTECH, token_url=None), NEXTECH, "token_url"),
    "token URL over plain http": (extra(NEXTECH, token_url="http://login.example/token"), NEXTECH, "token_url"),
    "Nextech without client id": (extra(NEXTECH, client_id=None), NEXTECH, "client_id"),
    "Nextech without resource": (extra(NEXTECH, resource=""), NEXTECH, "resource"),
    "Nextech without practice id": (extra(NEXTECH, practice_id=None), NEXTECH, "practice_id"),
    "a pace in words": (extra(NEXTECH, requests_per_second="fast"), NEXTECH, "requests_per_second"),
    "a pace of nothing": (extra(NEXTECH, requests_per_second=0), NEXTECH, "requests_per_second"),
    "a pace that is no number": (extra(NEXTECH, requests_per_second="nan"), NEXTECH, "requests_per_second"),
    "a pace that is a list": (extra(NEXTECH, requests_per_second=[19]), NEXTECH, "requests_per_second"),
    "no keys": (gone(KEYS), KEYS, "missing"),
    "no marker key": (field(KEYS, password=None), KEYS, "password"),
    "no customer key": (extra(KEYS, customer_key=None), KEYS, "customer_key"),
    "a short marker key": (field(KEYS, password="short"), KEYS, "password"),
    "a short customer key": (extra(KEYS, customer_key="short"), KEYS, "customer_key"),
    "equal keys": (field(KEYS, password=LONG, extra={"customer_key": LONG}), KEYS, "different"),
}


def practice_cases(ledger: Ledger) -> list[CaseRow]:
    with ledger.transaction() as tx:
        return open_cases(tx, PRACTICE)


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_in_one_line_and_queued_once(case: str, connections: Connections, ledger: Ledger):
    spoil, connection, named = WRONG[case]
    spoil(connections)
    for _ in range(2):
        with pytest.raises(SettingsError) as raised, open_desk(PRACTICE):
            pass
    line = str(raised.value)
    assert line.startswith(f"connection {connection}"), line
    assert named in line.removeprefix(f"connection {connection}")
    assert "\n" not in line
    [row] = practice_cases(ledger)
    assert (row.reason, row.order_id, row.times_seen) == ("settings_wrong", None, 2)
    assert connection in row.sentence


@pytest.mark.parametrize("case", ["no store", "Nextech without client id", "equal keys"])
def test_the_row_closes_when_the_setting_is_right_again(case: str, connections: Connections, ledger: Ledger):
    spoil, connection, _ = WRONG[case]
    right = connections.fields(connection)
    spoil(connections)
    with pytest.raises(SettingsError), open_desk(PRACTICE):
        pass
    assert len(practice_cases(ledger)) == 1
    connections.write(connection, **right)
    with open_desk(PRACTICE) as desk:
        extract_orders(desk, holder="test")
    assert practice_cases(ledger) == []


def test_no_secret_of_a_connection_stands_in_a_message(connections: Connections, ledger: Ledger):
    connections.write(NEXTECH, login="svc-a@sandbox.example", password="a-password-of-ours", host="http://nextech.example")
    connections.write(STORE, password="a-token-of-ours")
    with pytest.raises(SettingsError) as raised, open_desk(PRACTICE):
        pass
    told = f"{raised.value} {[row.sentence for row in practice_cases(ledger)]}"
    assert "nextech_eastern" in told
    assert not [secret for secret in ("a-password", "a-token", "svc-a") if secret in told]


def test_a_practice_that_is_not_in_the_file_is_named(connections: Connections):  # noqa: ARG001 - the ledger is there
    with pytest.raises(SettingsError, match=r"practices.yaml: there is no practice northern"), open_desk("northern"):
        pass
