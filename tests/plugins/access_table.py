"""Who may do what: every route of the pages has its line here, and a route without one fails a test."""

from __future__ import annotations

from enum import Enum


class Need(Enum):
    """What a route asks of its visitor."""

    READ = "read access to the DAG"
    ACT = "edit access to the DAG: patient data, or a question before a change"
    SEND = "edit access, and a form that was opened by the same login"
    CALL = "edit access, and a token of one's own or such a form"


TABLE: dict[str, Need] = {
    "GET /static/{name}": Need.READ,
    "GET /": Need.READ,
    "GET /orders.csv": Need.READ,
    "GET /orders/{order_id:int}": Need.READ,
    "GET /orders/{order_id:int}/live": Need.READ,
    "GET /orders/{order_id:int}/resolve": Need.ACT,
    "POST /orders/{order_id:int}/resolve": Need.SEND,
    "GET /orders/{order_id:int}/send": Need.ACT,
    "POST /orders/{order_id:int}/send": Need.SEND,
    "GET /orders/{order_id:int}/post-again": Need.ACT,
    "POST /orders/{order_id:int}/post-again": Need.SEND,
    "GET /orders/{order_id:int}/posted-by-hand": Need.ACT,
    "POST /orders/{order_id:int}/posted-by-hand": Need.SEND,
    "GET /orders/{order_id:int}/dismiss": Need.ACT,
    "POST /orders/{order_id:int}/dismiss": Need.SEND,
    "GET /orders/{order_id:int}/release": Need.ACT,
    "POST /orders/{order_id:int}/release": Need.SEND,
    "GET /orders/{order_id:int}/retry": Need.ACT,
    "POST /orders/{order_id:int}/retry": Need.SEND,
    "GET /orders/{order_id:int}/undo": Need.ACT,
    "POST /orders/{order_id:int}/undo": Need.SEND,
    "GET /orders/{order_id:int}/undo/{step}": Need.ACT,
    "POST /orders/{order_id:int}/undo/call-off": Need.SEND,
    "POST /orders/{order_id:int}/undo/look": Need.SEND,
    "POST /orders/{order_id:int}/undo/post": Need.SEND,
    "POST /orders/{order_id:int}/undo/search": Need.SEND,
    "GET /orders/{order_id:int}/forget": Need.ACT,
    "POST /orders/{order_id:int}/forget": Need.SEND,
    "GET /queue": Need.READ,
    "GET /queue/assign": Need.ACT,
    "POST /queue/assign": Need.SEND,
    "GET /queue/retry": Need.ACT,
    "POST /queue/retry": Need.SEND,
    "GET /queue/{case_id:int}": Need.READ,
    "GET /queue/{case_id:int}/{deed}": Need.ACT,
    "POST /queue/{case_id:int}/assign": Need.SEND,
    "POST /queue/{case_id:int}/dismiss": Need.SEND,
    "POST /queue/{case_id:int}/note": Need.SEND,
    "POST /queue/{case_id:int}/refund": Need.SEND,
    "POST /queue/{case_id:int}/wait": Need.SEND,
    "GET /health": Need.READ,
    "GET /audit": Need.ACT,
    "GET /reports": Need.READ,
    "GET /reports/look.css": Need.READ,
    "GET /reports/{report_id}": Need.READ,
    "GET /reports/{report_id}/files/{name}": Need.READ,
    "GET /reports/{report_id}/lines/{subject:path}": Need.READ,
    "GET /reports/{report_id}/{class_name}": Need.READ,
    "POST /reports/{report_id}/differences/{difference_id}/take": Need.SEND,
    "POST /reports/{report_id}/differences/{difference_id}/wait": Need.SEND,
    "POST /reports/{report_id}/differences/{difference_id}/settle": Need.SEND,
    "POST /reports/{report_id}/differences/{difference_id}/reopen": Need.SEND,
    "GET /api": Need.READ,
    "GET /api/health": Need.READ,
    "GET /api/openapi.json": Need.READ,
    "GET /api/orders": Need.READ,
    "GET /api/orders/{order_id}": Need.READ,
    "GET /api/orders/{order_id}/history": Need.READ,
    "GET /api/practices": Need.READ,
    "GET /api/queue": Need.READ,
    "GET /api/queue/{case_id}": Need.READ,
    "GET /api/reports": Need.READ,
    "GET /api/reports/{report_id}": Need.READ,
    "POST /api/orders/{order_id}/dismiss": Need.CALL,
    "POST /api/orders/{order_id}/patient": Need.CALL,
    "POST /api/orders/{order_id}/retry": Need.CALL,
    "POST /api/queue/{case_id}/assign": Need.CALL,
    "POST /api/queue/{case_id}/note": Need.CALL,
    "POST /api/queue/{case_id}/wait": Need.CALL,
}

VALUES = {
    "name": "pages.css", "order_id": "1", "case_id": "1", "report_id": "1", "class_name": "matched", "subject": "1",
    "difference_id": "1", "step": "nothing", "deed": "nothing",
}  # fmt: skip
"""What stands in a path for each of its parameters: order 1 is there, of the others there need not be one."""
