"""Thin hooks on the HTTP provider's class: they read a connection and hand out our clients.

The request loop is ours and not the provider's, because measured: `HttpHook.check_response` logs bodies, which hold
patient data, and no hook has a wall-clock deadline (design section 4).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from airflow.providers.http.hooks.http import HttpHook

from order_sync.bootstrap.connections import read_connection, read_extra
from order_sync.clients.addresses import checked_base_url
from order_sync.clients.deadline import EXCHANGE_SECONDS
from order_sync.clients.limiter import Limiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, OAuth1, StoreClient, StoreConnection
from order_sync.clock import Clock, SystemClock
from order_sync.errors import OrderSyncError, SettingsError

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_REQUESTS_PER_SECOND = 18.0
"""Just under the documented 20 per user and endpoint (Nextech contract section 2)."""


class _PracticeHook(HttpHook):
    """One practice's connection of type http."""

    kind: str

    def __init__(self, practice_id: str) -> None:
        super().__init__(http_conn_id=f"{self.kind}_{practice_id}")
        self.settings = read_connection(self.http_conn_id)
        if self.settings.conn_type != "http":
            msg = f"connection {self.http_conn_id}, field type: must be http"
            raise SettingsError(msg)
        if not self.settings.host:
            msg = f"connection {self.http_conn_id}, field host: missing"
            raise SettingsError(msg)
        if self.settings.extra_dejson.get("verify", True) not in (True, "true", "True"):
            # The provider's own hook would obey this (reliability S17); to ignore it silently would be another trap.
            msg = f"connection {self.http_conn_id}, extra field verify: TLS verification stays on; remove the field"
            raise SettingsError(msg)
        self.base_url = checked_base_url(_base_url(self.settings), system=f"connection {self.http_conn_id}, field host")

    @property
    def told(self) -> tuple[object, ...]:
        """Return all that the connection says, to see whether it has changed; holds secrets."""
        said = self.settings
        return (said.conn_type, said.host, said.schema, said.port, said.login, said.password, said.extra)


def _base_url(connection: Connection) -> str:
    """Return the connection's address; https unless it says otherwise. A port in the host's own URL wins."""
    host = connection.host or ""
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    try:
        parts = urlsplit(url)
        needs_port = bool(connection.port) and parts.port is None
    except ValueError:
        return url
    return parts._replace(netloc=f"{parts.netloc}:{connection.port}").geturl() if needs_port else url


class StoreHook(_PracticeHook):
    """The store of one practice: connection `store_<practice>`."""

    kind = "store"

    def client(
        self, *, transport: httpx.BaseTransport | None = None, clock: Clock | None = None, rng: random.Random | None = None
    ) -> StoreClient:
        """Return a client of this store; raises `SettingsError` naming connection and field of what is wrong."""
        extra, connection = self.settings.extra_dejson, self.settings
        writer = extra.get("status_writer", "module")
        if writer not in ("module", "comment"):
            msg = f"connection {self.http_conn_id}, extra field status_writer: must be module or comment"
            raise SettingsError(msg)
        match extra.get("auth", "bearer"):
            case "bearer":
                if not connection.password:
                    msg = f"connection {self.http_conn_id}, field password: missing; it is the access token"
                    raise SettingsError(msg)
                auth: Bearer | OAuth1 = Bearer(connection.password)
            case "oauth1":
                auth = OAuth1(
                    consumer_key=read_extra(connection, "consumer_key"),
                    consumer_secret=read_extra(connection, "consumer_secret"),
                    access_token=read_extra(connection, "access_token"),
                    access_token_secret=read_extra(connection, "access_token_secret"),
                )
            case _:
                msg = f"connection {self.http_conn_id}, extra field auth: must be bearer or oauth1"
                raise SettingsError(msg)
        settings = StoreConnection(base_url=self.base_url or "", auth=auth, status_writer=writer)
        return StoreClient(settings, transport=transport, clock=clock or SystemClock(), rng=rng or random.SystemRandom())

    def test_connection(self) -> tuple[bool, str]:
        """Make one cheap read; return whether it worked and a sentence."""
        return _try(self.client)


class NextechHook(_PracticeHook):
    """The Nextech of one practice: connection `nextech_<practice>`."""

    kind = "nextech"

    @property
    def requests_per_second(self) -> float:
        """Return the pace that all processes together keep to for each endpoint."""
        value = self.settings.extra_dejson.get("requests_per_second", DEFAULT_REQUESTS_PER_SECOND)
        try:
            pace = float(value)
        except (TypeError, ValueError):
            pace = 0.0
        if not 0 < pace <= 1_000:  # noqa: PLR2004 - beyond that it is a typing error
            msg = f"connection {self.http_conn_id}, extra field requests_per_second: must be a number above 0"
            raise SettingsError(msg)
        return pace

    def client(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        limiter: Limiter | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        answer_seconds: float = EXCHANGE_SECONDS,
    ) -> NextechClient:
        """Return a client of this Nextech; raises `SettingsError` naming connection and field of what is wrong.

        `answer_seconds` is the practice's wall-clock deadline of one POST.
        """
        connection = self.settings
        if not connection.login or not connection.password:
            missing = "login" if not connection.login else "password"
            msg = f"connection {self.http_conn_id}, field {missing}: missing"
            raise SettingsError(msg)
        settings = NextechConnection(
            base_url=self.base_url or "",
            token_url=checked_base_url(
                read_extra(connection, "token_url"), system=f"connection {self.http_conn_id}, extra field token_url"
            ),
            username=connection.login,
            password=connection.password,
            client_id=read_extra(connection, "client_id"),
            resource=read_extra(connection, "resource"),
            practice_guid=read_extra(connection, "practice_id"),
            requests_per_second=self.requests_per_second,
        )
        return NextechClient(
            settings,
            transport=transport,
            limiter=limiter,
            clock=clock or SystemClock(),
            rng=rng or random.SystemRandom(),
            answer_seconds=answer_seconds,
        )

    def test_connection(self) -> tuple[bool, str]:
        """Log in and make one cheap read; return whether it worked and a sentence."""
        return _try(self.client)


def _try(open_client: Callable[[], StoreClient | NextechClient]) -> tuple[bool, str]:
    try:
        client = open_client()
    except SettingsError as error:
        return False, str(error)
    try:
        return True, client.check()
    except OrderSyncError as error:
        return False, str(error)
    finally:
        client.close()
