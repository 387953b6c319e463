"""How a request to the store is written and signed: search criteria, bearer token or OAuth 1.0a.

A condition type that Adobe does not know silently becomes `eq` (store contract section 2), so conditions and fields
come from closed sets.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, cast
from urllib.parse import quote, urlencode, urlsplit

import httpx
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256
from oauthlib.oauth1 import Client as OAuth1Signer

from order_sync.clock import Clock

LIST_ROUTE = "GET /V1/orders"
MEMOS_ROUTE = "GET /V1/creditmemos"

# At DEBUG, oauthlib logs the keys, the query and the signature of each request.
logging.getLogger("oauthlib").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Bearer:
    """An integration's access token, used as it is; off by default since 2.4.4 (store contract section 1)."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth1:
    """An integration's four secrets; every request is signed with HMAC-SHA256."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


class Condition(StrEnum):
    """The condition types that we use."""

    EQUAL = "eq"
    ABOVE = "gt"
    AT_LEAST = "gteq"
    BELOW = "lt"
    AT_MOST = "lteq"
    IN = "in"


class Column(StrEnum):
    """The columns of orders and credit memos that we search by."""

    ENTITY_ID = "entity_id"
    UPDATED_AT = "updated_at"
    CREATED_AT = "created_at"
    NUMBER = "increment_id"
    ORDER_ID = "order_id"
    """A credit memo's order."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; several are joined by AND, each in a group of its own."""

    column: Column
    condition: Condition
    value: str


def search_query(filters: Sequence[Filter], *, page_size: int) -> str:
    """Write search criteria that are sorted by `entity_id` and ask for the first page, always (store contract section 2)."""
    params: list[tuple[str, str]] = []
    for group, entry in enumerate(filters):
        prefix = f"searchCriteria[filter_groups][{group}][filters][0]"
        params += [
            (f"{prefix}[field]", entry.column.value),
            (f"{prefix}[value]", entry.value),
            (f"{prefix}[condition_type]", entry.condition.value),
        ]
    params += [
        ("searchCriteria[sortOrders][0][field]", Column.ENTITY_ID.value),
        ("searchCriteria[sortOrders][0][direction]", "ASC"),
        ("searchCriteria[pageSize]", str(page_size)),
        ("searchCriteria[currentPage]", "1"),
    ]
    return urlencode(params, quote_via=quote, safe="")


def api_root(base_url: str) -> str:
    """Return where `/orders` hangs: below `/rest/V1`, unless the base URL already names the API or a store view."""
    segments = urlsplit(base_url).path.split("/")
    if "V1" in segments:
        return base_url
    return f"{base_url}/V1" if "rest" in segments else f"{base_url}/rest/V1"


def authorise(request: httpx.Request, auth: Bearer | OAuth1, clock: Clock) -> None:
    """Put the credentials into the request's header; OAuth 1.0a gets a new nonce each time."""
    match auth:
        case Bearer(token):
            request.headers["Authorization"] = f"Bearer {token}"
        case OAuth1():
            signer = OAuth1Signer(
                auth.consumer_key,
                client_secret=auth.consumer_secret,
                resource_owner_key=auth.access_token,
                resource_owner_secret=auth.access_token_secret,
                signature_method=SIGNATURE_HMAC_SHA256,
                timestamp=str(int(clock.now().timestamp())),
            )
            # The JSON body is no part of the signature base string; the query is.
            _, headers, _ = signer.sign(str(request.url), http_method=cast("Literal['GET', 'POST', 'PUT']", request.method))
            request.headers["Authorization"] = headers["Authorization"]
