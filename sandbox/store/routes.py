"""The store's routes: which method and path mean what, and which permission they need (store contract sections 1 and 9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_PREFIX = re.compile(r"^(?:/index\.php)?/rest(?:/(?P<code>[A-Za-z0-9_]+))?(?P<path>/V1(?:/.*)?)$")
VIEW = "Magento_Sales::actions_view"
SYNC = "Vendor_Nextech::sync_status"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the store."""

    name: str
    method: str
    template: str
    """As it is counted and as a fault names it."""
    resource: str = ""
    """The permission it needs; empty when none."""


ROUTES = (
    Route("admin_token", "POST", "/V1/integration/admin/token"),
    Route("list_orders", "GET", "/V1/orders", VIEW),
    Route("save_order", "POST", "/V1/orders", "Magento_Sales::create"),
    Route("list_items", "GET", "/V1/orders/items", VIEW),
    Route("read_order", "GET", "/V1/orders/{id}", VIEW),
    Route("list_comments", "GET", "/V1/orders/{id}/comments", VIEW),
    Route("add_comment", "POST", "/V1/orders/{id}/comments", "Magento_Sales::comment"),
    Route("read_status", "GET", "/V1/orders/{id}/statuses", VIEW),
    Route("hold", "POST", "/V1/orders/{id}/hold", "Magento_Sales::hold"),
    Route("unhold", "POST", "/V1/orders/{id}/unhold", "Magento_Sales::unhold"),
    Route("list_memos", "GET", "/V1/creditmemos", "Magento_Sales::sales_creditmemo"),
    Route("read_memo", "GET", "/V1/creditmemo/{id}", "Magento_Sales::sales_creditmemo"),
    Route("list_invoices", "GET", "/V1/invoices", "Magento_Sales::sales_invoice"),
    Route("read_invoice", "GET", "/V1/invoices/{id}", "Magento_Sales::sales_invoice"),
    Route("list_transactions", "GET", "/V1/transactions", "Magento_Sales::transactions_fetch"),
    Route("write_sync_statuses", "PUT", "/V1/nextech/orders/sync-status", SYNC),
    Route("write_sync_status", "PUT", "/V1/nextech/orders/{id}/sync-status", SYNC),
    Route("read_sync_status", "GET", "/V1/nextech/orders/{id}/sync-status", SYNC),
)
NO_ROUTE = Route("none", "", "(no route)")


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[Route, re.Pattern[str]]]:
    return [(route, re.compile(route.template.replace("{id}", r"(?P<id>\d+)"))) for route in ROUTES]


def find_route(method: str, path: str, store_codes: frozenset[str]) -> tuple[Route, int | None]:
    """Return the route of a call and the id in its path; `NO_ROUTE` for an unknown path, verb or store code."""
    prefixed = _PREFIX.match(path)
    if prefixed is None or (prefixed["code"] is not None and prefixed["code"] not in store_codes):
        return NO_ROUTE, None
    rest = prefixed["path"].rstrip("/")
    for route, pattern in _patterns():
        if route.method == method and (found := pattern.fullmatch(rest)):
            given = found.groupdict().get("id")
            return route, int(given) if given is not None else None
    return NO_ROUTE, None
