"""Answer with a page: a template of `include/templates/pages`, in the frame that every page shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from order_sync.reports.rendering import render
from order_sync.web.forms import make_form_token
from order_sync.web.visitors import Visitor

MENU = (("orders", "Orders"), ("queue", "Queue"), ("reports", "Reports"), ("health", "Health"))
"""The pages of the menu: a path below the mount, and its text. The orders are at the mount itself."""


def path_to(request: Request, *parts: object) -> str:
    """Return the path of a page, from the root of the host: wherever the app, and Airflow itself, is mounted."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return "/".join((root, *(str(part).strip("/") for part in parts))) if parts else f"{root}/"


def page(
    request: Request, template: str, values: Mapping[str, Any] | None = None, *, menu: str = "", status: int = 200
) -> HTMLResponse:
    """Answer with a page.

    `template` lies below `include/templates/pages`; `menu` is the entry of the menu that is marked as the present one.
    """
    return HTMLResponse(render(f"pages/{template}", {**frame_values(request, menu=menu), **(values or {})}), status)


def frame_values(request: Request, *, menu: str = "") -> dict[str, Any]:
    """Return what the frame of every page shows, and what its forms and links need."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return {
        "path": lambda *parts: path_to(request, *parts),
        "menu": [
            {"href": path_to(request) if name == "orders" else path_to(request, name), "text": text, "is_here": name == menu}
            for name, text in MENU
        ],
        "visitor": visitor,
        "form_token": make_form_token(request) if visitor and visitor.can_act else "",
        "nonce": request.state.nonce,
    }


def go_to(request: Request, *parts: object, query: str = "") -> RedirectResponse:
    """Answer a form that was done with the page to look at, so that a reload sends nothing again."""
    return RedirectResponse(f"{path_to(request, *parts)}{'?' if query else ''}{query}", 303)
