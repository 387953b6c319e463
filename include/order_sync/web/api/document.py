"""What the API can do: as an OpenAPI document for programs, and as a page for people; both made from the calls themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response

from order_sync.web.api import orders, practices, queue, reports
from order_sync.web.rendering import page, path_to
from order_sync.web.visitors import Reading

VERSION = "1"
ROUTERS = (orders.router, queue.router, reports.router, practices.router)
"""The calls, in the order in which they are listed."""
router = APIRouter(include_in_schema=False)

_TITLE = "order_sync"
_DESCRIPTION = (
    "The ledger of the order sync for scripts: closed like the Orders pages, limited to the practices that the login may see. "
    "A script sends the token that Airflow gave it as `Authorization: Bearer …`. Amounts are whole cents, instants ISO 8601 in "
    "UTC. No patient data: only the ids of charts in Nextech, and these for logins that may act."
)


@dataclass(frozen=True, slots=True)
class _Value:
    """A parameter, or a field of a body or an answer."""

    name: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class _Call:
    """One call as the page lists it."""

    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[_Value, ...]
    body: tuple[_Value, ...]
    answer: tuple[_Value, ...]
    failures: tuple[tuple[str, str], ...]

    @property
    def anchor(self) -> str:
        """Return what a link to it ends with."""
        return f"{self.method}{self.path}".lower().replace("/", "-").replace("{", "").replace("}", "")


@router.get("/api/openapi.json")
def serve_document(request: Request, _visitor: Reading) -> Response:
    """Answer with the OpenAPI document."""
    return JSONResponse(document_of(path_to(request).rstrip("/")))


@router.get("/api")
def show_calls(request: Request, _visitor: Reading) -> HTMLResponse:
    """Answer with the list of calls."""
    document = document_of(path_to(request).rstrip("/"))
    groups: dict[str, list[_Call]] = {}
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            groups.setdefault(call["tags"][0], []).append(_call_of(document, method.upper(), path, call))
    return page(request, "api.html", {"groups": groups, "models": _models_within(document), "description": _DESCRIPTION})


def document_of(root_path: str) -> dict[str, Any]:
    """Return the OpenAPI document of the API as it is mounted below a path."""
    document = get_openapi(
        title=_TITLE,
        version=VERSION,
        description=_DESCRIPTION,
        routes=[route for router in ROUTERS for route in router.routes],
        servers=[{"url": root_path or "/"}],
    )
    document["components"]["securitySchemes"] = {
        "airflow": {"type": "http", "scheme": "bearer", "description": "The token that Airflow gave to the login"}
    }
    document["security"] = [{"airflow": []}]
    return document


def _call_of(document: dict[str, Any], method: str, path: str, call: dict[str, Any]) -> _Call:
    body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answer = call["responses"]["200"]["content"]["application/json"]["schema"]
    return _Call(
        method=method,
        path=path,
        summary=call["summary"],
        description=call.get("description", ""),
        parameters=tuple(
            _Value(one["name"], _kind(document, one["schema"]), one["required"], one.get("description", ""))
            for one in call.get("parameters", ())
        ),
        body=_fields(document, body) if body else (),
        answer=_fields(document, answer),
        failures=tuple((status, one["description"]) for status, one in call["responses"].items() if status != "200"),
    )


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> tuple[_Value, ...]:
    model = _resolved(document, schema)
    return tuple(
        _Value(name, _kind(document, field), name in model.get("required", ()), field.get("description", ""))
        for name, field in model["properties"].items()
    )


def _models_within(document: dict[str, Any]) -> list[tuple[str, str, tuple[_Value, ...]]]:
    """Return name, meaning and fields of what the answers hold: every model that is not itself a question or an answer."""
    content = [
        one["content"]["application/json"]["schema"]
        for methods in document["paths"].values()
        for call in methods.values()
        for one in (call.get("requestBody"), call["responses"]["200"])
        if one
    ]
    whole = {schema["$ref"].rpartition("/")[2] for schema in content}
    return [
        (name, model.get("description", ""), _fields(document, model))
        for name, model in sorted(document["components"]["schemas"].items())
        if model.get("type") == "object" and name not in whole
    ]


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """Say what a value is, in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(document, one) for one in schema["anyOf"])
    resolved = _resolved(document, schema)
    if resolved.get("enum"):
        return "one of " + ", ".join(map(str, resolved["enum"]))
    match resolved.get("type"):
        case "array":
            return f"list of {_kind(document, resolved['items'])}"
        case "object":
            return str(resolved.get("title", "object"))
        case "null":
            return "null"
        case kind:
            return str(resolved.get("format", kind))
