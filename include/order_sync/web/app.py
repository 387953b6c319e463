"""Put the pages together: the routers, the door in front of all of them, and the answers when something fails."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from order_sync.web import (
    audit_page,
    case_pages,
    difference_forms,
    files,
    health_page,
    order_commands,
    order_detail,
    orders_list,
    queue_pages,
    remembered_choice,
    report_pages,
    resolving,
    undoing,
)
from order_sync.web.api import document
from order_sync.web.failures import answer_failures
from order_sync.web.house import House
from order_sync.web.protection import Protection
from order_sync.web.visitors import Doorkeeper, admit

_ROUTERS = (
    files.router,
    orders_list.router,
    order_detail.router,
    remembered_choice.router,
    queue_pages.router,
    case_pages.router,
    report_pages.router,
    difference_forms.router,
    order_commands.router,
    resolving.router,
    undoing.router,
    audit_page.router,
    health_page.router,
    document.router,
    *document.ROUTERS,
)


def create_app(house: House, doorkeeper: Doorkeeper) -> FastAPI:
    """Return the app, ready to be mounted: every route is closed to whom the doorkeeper does not admit."""
    app = FastAPI(
        title="order_sync",
        dependencies=[Depends(admit)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.house, app.state.doorkeeper = house, doorkeeper
    for router in _ROUTERS:
        app.include_router(router)
    answer_failures(app)
    app.add_middleware(Protection, house=house)
    return app
