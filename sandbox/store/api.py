"""Answer one call to the store: route, faults, access, operation, and the shape of the answer. No sockets here."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from sandbox.store import actions, misfortune
from sandbox.store.access import check_access
from sandbox.store.answers import write_json
from sandbox.store.complaints import StoreComplaint, no_route, not_authorized
from sandbox.store.exchange import Answer, Call
from sandbox.store.faults import Effect, Fault
from sandbox.store.operations import Operations, RawJson
from sandbox.store.projection import parse_fields, project
from sandbox.store.routes import NO_ROUTE, Route, find_route
from sandbox.store.search_grammar import parse_php_query
from sandbox.store.shop import Shop


def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call and count it."""
    route, given_id = find_route(call.method, call.path, shop.store_codes)
    struck = shop.faults.strike(call.method, route.template, shop.clock())
    for fault in struck:
        if fault.effect is Effect.TOUCH and fault.order_id is not None:
            actions.touch(shop, fault.order_id)
    reply = _reply(shop, call, route, given_id, struck)
    for fault in struck:
        misfortune.spoil(reply, fault)
    reply.delay_seconds += shop.switches.latency_seconds
    at = shop.clock() + timedelta(seconds=shop.switches.clock_skew_seconds)
    reply.headers["Date"] = format_datetime(at, usegmt=True)
    shop.requests[call.method, route.template, reply.status] += 1
    return reply


def _reply(shop: Shop, call: Call, route: Route, given_id: int | None, struck: list[Fault]) -> Answer:
    instead = next((fault for fault in struck if misfortune.replaces(fault)), None)
    if instead is not None and not instead.is_executed:
        return misfortune.replacement(instead, shop.rng)
    try:
        own = _execute(shop, call, route, given_id, struck)
    except StoreComplaint as complaint:
        own = _written(shop, int(complaint.status), complaint.body())
    return own if instead is None else misfortune.replacement(instead, shop.rng)


def _execute(shop: Shop, call: Call, route: Route, given_id: int | None, struck: list[Fault]) -> Answer:
    if route is NO_ROUTE:
        raise no_route()
    if any(fault.effect in {Effect.EXPIRED, Effect.FORBIDDEN} for fault in struck):
        raise not_authorized(route.resource or "self")
    if route.resource:
        check_access(shop, call, route.resource)
    query = parse_php_query(call.query)
    operations = Operations(
        shop=shop,
        query=query,
        body=call.body,
        order_id=given_id or 0,
        poisoned=frozenset(fault.order_id for fault in struck if fault.effect is Effect.POISON and fault.order_id is not None),
    )
    result = getattr(operations, route.name)()
    if isinstance(result, RawJson):
        return Answer(200, result.text.encode())
    fields = query.get("fields")
    if isinstance(fields, str) and fields:
        tree = parse_fields(fields)
        result = [] if tree is None else project(result, tree)
    return _written(shop, 200, result)


def _written(shop: Shop, status: int, body: object) -> Answer:
    return Answer(status, write_json(body, float_17=shop.switches.float_17).encode())
