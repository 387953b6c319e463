"""Which endpoint a path is: the unit that the rate limit, the faults and the counts speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["token", "search", "patient_id", "read", "create_patient", "update_patient", "pay", "correct"]

_TYPES = {
    name.casefold(): name
    for name in ("Patient", "PaymentReconciliation", "Account", "Location", "Practitioner", "patient-type")
}


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: its template, what it does, and the id in its path."""

    template: str
    action: Action
    kind: str = ""
    identifier: str = ""


TOKEN_ROUTE = Route("/oauth2/token", "token")
PAY_TEMPLATE = "/Patient/{id}/PaymentReconciliation"
TEMPLATES = frozenset(
    {"/oauth2/token", "/Patient/ID", PAY_TEMPLATE}
    | {f"/{name}" for name in _TYPES.values()}
    | {f"/{name}/{{id}}" for name in _TYPES.values()}
)
"""Every template, for whoever names one."""


def route_of(method: str, path: str) -> Route | None:
    """Return the endpoint of a request (contract 4.0), or None when the contract has none there."""
    parts = [part for part in path.split("/") if part]
    match method, parts:
        case "POST", ["oauth2", "token"]:
            return TOKEN_ROUTE
        case _, ["api", name, *rest] if name.casefold() in _TYPES:
            return _resource_route(method, _TYPES[name.casefold()], rest)
        case _:
            return None


def _resource_route(method: str, kind: str, rest: list[str]) -> Route | None:  # noqa: PLR0911 - a table
    match method, kind, rest:
        case "GET", _, []:
            return Route(f"/{kind}", "search", kind)
        case "GET", "Patient", [word] if word.casefold() == "id":
            return Route("/Patient/ID", "patient_id", kind)
        case "GET", _, [identifier]:
            return Route(f"/{kind}/{{id}}", "read", kind, identifier)
        case "POST", "Patient", []:
            return Route("/Patient", "create_patient", kind)
        case "PUT", "Patient", []:
            return Route("/Patient", "update_patient", kind)
        case "POST", "Patient", [guid, tail] if tail.casefold() == "paymentreconciliation":
            return Route(PAY_TEMPLATE, "pay", kind, guid)
        case "PUT" | "PATCH" | "DELETE", "PaymentReconciliation", [identifier]:
            return Route("/PaymentReconciliation/{id}", "correct", kind, identifier)
        case _:
            return None
