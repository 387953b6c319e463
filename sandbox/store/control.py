"""Change the store while it runs: switches, faults, actions on orders, counts of requests. Not part of the real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.store import actions, sync_status
from sandbox.store.complaints import StoreComplaint
from sandbox.store.faults import Fault
from sandbox.store.records import OrderRecord
from sandbox.store.refunds import refund
from sandbox.store.shop import Shop
from sandbox.store.switches import StoreSwitches


class NewOrder(BaseModel):
    """Ask for an order of a named situation."""

    model_config = ConfigDict(extra="forbid")

    situation: str = "everyday"


class ActionDetails(BaseModel):
    """Say how much, and which way; amounts as text."""

    model_config = ConfigDict(extra="forbid")

    amount: Decimal | None = None
    """Captures this part, or refunds it as an adjustment; everything when missing."""
    items: dict[int, int] | None = None
    """Refunds so many of these item rows."""
    is_offline: bool = False


def _refund(shop: Shop, order_id: int, details: ActionDetails) -> None:
    adjustment = details.amount or Decimal(0)
    refund(shop, order_id, quantities=details.items, adjustment=adjustment, is_offline=details.is_offline)


_ACTIONS: dict[str, Callable[[Shop, int, ActionDetails], object]] = {
    "hold": lambda shop, order_id, _details: actions.hold(shop, order_id),
    "unhold": lambda shop, order_id, _details: actions.unhold(shop, order_id),
    "review": lambda shop, order_id, _details: actions.review(shop, order_id),
    "cancel": lambda shop, order_id, _details: actions.cancel(shop, order_id),
    "capture": lambda shop, order_id, details: actions.capture(shop, order_id, details.amount),
    "ship": lambda shop, order_id, _details: actions.ship(shop, order_id),
    "refund": _refund,
    "edit": lambda shop, order_id, _details: actions.edit(shop, order_id),
    "touch": lambda shop, order_id, _details: actions.touch(shop, order_id),
    "disable": lambda shop, order_id, _details: sync_status.disable_by_staff(shop, order_id),
}


def control_router(shop: Shop) -> APIRouter:
    """Return the control routes of one shop."""
    router = APIRouter()
    _add_switch_routes(router, shop)
    _add_order_routes(router, shop)
    _add_request_routes(router, shop)
    return router


def _add_switch_routes(router: APIRouter, shop: Shop) -> None:
    @router.get("/switches")
    async def read_switches() -> StoreSwitches:
        return shop.switches

    @router.put("/switches")
    async def change_switches(changes: dict[str, Any]) -> StoreSwitches:
        try:
            shop.switches = StoreSwitches.model_validate(shop.switches.model_dump() | changes)
        except ValidationError as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, error.errors(include_url=False)) from error
        return shop.switches

    @router.get("/faults")
    async def read_faults() -> list[Fault]:
        return shop.faults.faults()

    @router.post("/faults")
    async def set_faults(faults: Fault | list[Fault]) -> list[Fault]:
        for fault in faults if isinstance(faults, list) else [faults]:
            shop.faults.add(fault, shop.clock())
        return shop.faults.faults()

    @router.delete("/faults")
    async def clear_faults() -> list[Fault]:
        shop.faults.clear()
        return []


def _add_order_routes(router: APIRouter, shop: Shop) -> None:
    @router.get("/orders")
    async def list_orders() -> list[dict[str, Any]]:
        return [_brief(record) for record in shop.orders.values()]

    @router.post("/orders")
    async def place_order(order: NewOrder) -> dict[str, Any]:
        if shop.place is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "this store has no demo orders")
        try:
            return _brief(shop.place(order.situation))
        except KeyError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no situation named {order.situation}") from error

    @router.post("/orders/{order_id}/{action}")
    async def change_order(order_id: int, action: str, details: ActionDetails | None = None) -> dict[str, Any]:
        change = _ACTIONS.get(action)
        if change is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no action named {action}")
        try:
            changed = change(shop, order_id, details or ActionDetails())
        except StoreComplaint as complaint:
            raise HTTPException(complaint.status, complaint.message) from complaint
        return _brief(changed if isinstance(changed, OrderRecord) else shop.orders[order_id])


def _brief(record: OrderRecord) -> dict[str, Any]:
    return {
        "entity_id": record.entity_id,
        "increment_id": record.number,
        "state": record.row["state"],
        "grand_total": f"{record.grand_total:.2f}",
        "total_paid": f"{record.row.get('total_paid', Decimal(0)):.2f}",
        "total_refunded": f"{record.row.get('total_refunded', Decimal(0)):.2f}",
        "created_at": record.row["created_at"],
        "updated_at": record.row["updated_at"],
    }


def _add_request_routes(router: APIRouter, shop: Shop) -> None:
    @router.get("/requests")
    async def count_requests() -> dict[str, dict[str, int]]:
        routes: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        for (method, template, status), count in shop.requests.items():
            routes[f"{method} {template}"] += count
            statuses[str(status)] += count
        return {"routes": dict(routes), "statuses": dict(statuses)}

    @router.delete("/requests")
    async def forget_requests() -> dict[str, dict[str, int]]:
        shop.requests.clear()
        return {"routes": {}, "statuses": {}}
